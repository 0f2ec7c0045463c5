"""Results that hold arrays are compared by what they say: `==` is True or False, and True of the same made again."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from dataclasses import fields, is_dataclass
from types import ModuleType

import fitting
from data import read_runs
from data.alike import Alike
from fitting import Law, backtest, compare_families, fit
from fitting.band import Band
from fitting.diagnostics.floor_profile import floor_profile
from fitting.held_out import forecasts
from fitting.isoflop import compare

HOLDING = re.compile(r"\b(ndarray|Array|DataFrame|Series)\b")  # as fields' types are written
SOLVING = ("fitting.solver.", "fitting.families.joint")  # what is solved, which nobody is handed


def modules() -> list[ModuleType]:
    return [importlib.import_module(m.name) for m in pkgutil.walk_packages(fitting.__path__, "fitting.")]


def test_a_result_is_compared_by_what_it_says() -> None:
    """All that hold arrays, that a notebook shows in short, or that would be told apart by identity alone."""
    found = {
        of
        for module in modules()
        for name, of in inspect.getmembers(module, is_dataclass)
        if inspect.isclass(of) and of.__module__ == module.__name__ and not name.startswith("_")
    }
    by_fields = [
        of
        for of in found - {Band, Law}
        if not of.__module__.startswith(SOLVING)
        and not issubclass(of, Alike)
        and (
            any(HOLDING.search(str(f.type)) for f in fields(of))
            or of.__eq__ is object.__eq__
            or of.__repr__.__qualname__.startswith("shown.")
        )
    ]
    assert len(found) > 100
    assert not by_fields, [f"{of.__module__}.{of.__name__}" for of in by_fields]


def test_results_made_again_are_equal(noisy) -> None:
    half = ["a" if k % 2 else "b" for k in range(len(noisy))]
    held = read_runs(noisy.kept.drop(columns="flops").assign(half=half)).hold_out(["run-47"])
    found = fit(held, "chinchilla", resamples=20)
    asks = {
        "backtest": lambda k: backtest(found, held, resamples=20 + k),
        "held out": lambda k: forecasts(found, held, level=0.9 - 0.1 * k),
        "floor": lambda k: floor_profile(found if not k else fit(held, "chinchilla", delta=0.1, resamples=0), held),
        "approaches": lambda k: compare(found, held, 1e22 * (1 + k)),
        "families": lambda k: compare_families(held, "half", resamples=10, seed=k),
    }
    for name, ask in asks.items():
        one, again, other = ask(0), ask(0), ask(1)
        assert one == again, name
        assert hash(one) == hash(again), name
        assert one != other, name
