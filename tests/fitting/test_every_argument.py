"""Whatever is given for an argument of a public function is taken as meant or answered in a sentence, never in a raw error or a warning."""

from __future__ import annotations

import re
import runpy
import signal
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data import read_runs
from data.errors import DataError
from fitting import FitError, against_papers, backtest, compare_families, compare_laws, fit, lacking, offered, plan
from fitting import batch as rooms
from fitting.band import Band
from fitting.diagnostics.floor_profile import floor_profile
from fitting.diagnostics.sensitivity import sensitivity
from fitting.isoflop import compare
from fitting.planning.devices import device
from fitting.planning.hardware import Hardware
from fitting.planning.hour_classes import hour_classes
from fitting.planning.lifetime import lifetime
from fitting.planning.memory import least_devices
from fitting.planning.shapes import shapes_near
from fitting.planning.step_time import step_time
from fitting.schedule.curves import ahead, fit_logged, logged_curves

README = runpy.run_path(str(Path(__file__).parents[1] / "test_readmes.py"))
# How Python, NumPy and pandas answer what they cannot take: none of these is a sentence for a person.
RAW = re.compile(
    r"object (?:is not|has no|of type|cannot)|unsupported operand|not supported between|must be real number|unhashable|not iterable"
    r"|subscriptable|not callable|could not (?:convert|broadcast)|setting an array|ambiguous|truth value of|cannot be interpreted"
    r"|ufunc|too large to convert|integer division|invalid literal|only (?:length-1|integer|0-d)|expected str, bytes"
    r"|positional argument|unexpected keyword|required (?:positional|argument)|bad operand|argument must be|cannot unpack"
)
WRONG: tuple[Any, ...] = (
    None, True, "nope", "", b"x", float("nan"), float("inf"), -1.0, 0, 2.5, 1e-320, 1e308, 10**400, 3 + 4j, [], ["x"], [1.0, "a"],
    [True, 1.0], [[1.0], [2.0, 3.0]], [float("nan")], [[1e9, 2e9]], {}, {"a": 1}, set(), object(), len, Path("nowhere.csv"),
    pd.Timestamp("2020-01-01"), np.array([True]), np.array(["a"]), np.ma.masked_array([1e9, 2e9], [0, 1]),
    pd.Series([1e9], index=["a"]), pd.Series([1e9, True], dtype=object), pd.DataFrame(), pd.DataFrame({"x": [1]}), Band(1, 0, 2, 0.9),
)  # fmt: skip

Ask = tuple[Callable[..., Any], dict[str, Any]]


@pytest.fixture(scope="module")
def asks() -> dict[str, Ask]:
    """Each public function with arguments that it takes, by name."""
    runs = read_runs(README["ladder"]())
    by_compute = read_runs(runs.kept[["flops", "loss"]])  # few laws to compare
    f = fit(runs, "chinchilla", resamples=12)
    p = plan(f, flops=1e21)
    c = compare_families(runs, "architecture", resamples=40)
    curves, final, steps, rates = README["curves"](), README["final"](), README["steps"](), README["rates"]()
    reached = [rooms.steps_to_target(curves[curves["params"] == 1e8], t) for t in (3.8, 3.6, 3.4)]
    along = rooms.along_loss(reached, resamples=20)
    critical = rooms.critical_batch(steps["batch_size"], steps["steps_to_target"], resamples=20)
    law = rooms.fit_trajectory(curves, resamples=20).law
    laws = rooms.rate_laws(rates, resamples=20)
    norms = np.abs(np.random.default_rng(0).normal(1.0, 0.1, 20))
    noise = rooms.noise_scale(2 * norms, norms, 8, 64)
    rules = rooms.from_paper("steplaw_batch"), rooms.from_paper("steplaw_lr"), rooms.from_paper("zhang_coupled")
    schedule = rooms.adaptive_batch(README["NAMES"]["progress"], README["NAMES"]["critical"], examples=2e9)
    timed, (shape, *_) = step_time(README["timed"]()), shapes_near(6.7e9)
    logged = logged_curves(README["scheduled"]())
    bend = fit_logged(logged, resamples=10)
    ready = ahead("wsd", 6_000, peak=3e-4, warmup=500)
    one = rooms.Optimiser(batch=65_536, lr=3e-4)
    flops = {"flops": 1e21}
    return {
        "fit": (fit, {"runs": runs, "law": "chinchilla", "resamples": 10, "delta": 1e-3, "intervals": "components", "seed": 0,
                      "exclude": [], "prior": "none", "weights": None}),
        "Fit.predict": (f.predict, {"params": 1e9, "tokens": 1e11, "level": 0.9, "of": "run", "at": None}),
        "Fit.interval": (f.interval, {"name": "alpha"}),
        "Fit.conf_int": (f.conf_int, {"level": 0.9}),
        "Fit.to_frame": (f.to_frame, {"runs": runs}),
        "Fit.calibrated": (f.calibrated, {"by": None}),
        "plan": (plan, {"fit": f, "flops": 1e21, "params": 1e9, "unique_tokens": 1e12, "level": 0.9}),
        "plan for a loss": (plan, {"fit": f, "loss": 2.5, "params": 1e10, "level": 0.9}),
        "plan in hours": (plan, {"fit": f, "hours": 100, "devices": 64, "peak": 989e12, "utilisation": 0.4}),
        "plan in money": (plan, {"fit": f, "money": 1e5, "price": 2.0, "peak": 989e12, "utilisation": 0.4}),
        "Plan.band": (partial(p.band, lambda at: at["params"]), {"level": 0.9}),
        "backtest": (backtest, {"fit": f, "runs": runs, "resamples": 5, "level": 0.9}),
        "sensitivity": (sensitivity, {"fit": f, "runs": runs, "flops": 1e21, "level": 0.9}),
        "floor_profile": (floor_profile, {"fit": f, "runs": runs}),
        "against_papers": (against_papers, {"fit": f, "runs": runs}),
        "compare_laws": (compare_laws, {"runs": by_compute, "delta": 1e-3, "output": "loss"}),
        "offered": (offered, {"columns": ["params", "tokens", "loss"]}),
        "lacking": (lacking, {"runs": runs}),
        "compare (isoflop)": (compare, {"runs": runs, "fit": f, "flops": 1e21}),
        "compare_families": (compare_families, {"runs": runs, "column": "architecture", "resamples": 5, "seed": 0, "share": "floor",
                                                "reference": "old", "target": 1e22}),
        "Families.multiplier": (c.multiplier, {"name": "new", **flops}),
        "Families.loss": (c.loss, {"name": "new", **flops}),
        "Families.versus": (c.versus, {"name": "new", "target": 1e22}),
        "Families.crossing": (c.crossing, {"name": "new"}),
        "critical_batch": (rooms.critical_batch, {"batch": steps["batch_size"], "steps": steps["steps_to_target"], "doubt": 0.0,
                                                  "resamples": 10, "seed": 0}),
        "CriticalBatch.steps_at": (critical.steps_at, {"batch": 256, "level": 0.9}),
        "CriticalBatch.examples_at": (critical.examples_at, {"batch": 256, "level": 0.9}),
        "CriticalBatch.overhead_batch": (critical.overhead_batch, {"base": 256, "overhead": 0.2}),
        "growth": (rooms.growth, {"x": [1e8, 1e9, 1e10], "y": [1e5, 3e5, 1e6]}),
        "steps_to_target": (rooms.steps_to_target, {"curves": curves[curves["params"] == 1e8], "target": 3.4, "smooth": 0.0}),
        "curves": (rooms.curves, {"frame": curves[curves["params"] == 1e8], "after": 0.0}),
        "along_loss": (rooms.along_loss, {"reached": reached, "resamples": 5, "seed": 0}),
        "AlongLoss.exponent": (along.exponent, {"level": 0.9}),
        "decayed": (rooms.decayed, {"runs": final, "target": 3.0, "one_exponent": None, "resamples": 20, "seed": 0}),
        "fit_trajectory": (rooms.fit_trajectory, {"frame": curves, "resamples": 3}),
        "held_out": (rooms.held_out, {"frame": curves}),
        "Trajectory.curve": (law.curve, {"params": 1e8, "batch": 5e5, "steps": 1e4, "level": 0.9}),
        "Trajectory.steps": (law.steps, {"params": 1e8, "batch": 5e5, "loss": 3.5}),
        "Trajectory.b_crit": (law.b_crit, {"loss": 3.5}),
        "rate_laws": (rooms.rate_laws, {"runs": rates, "near": 0.0025, "batch_by_params": True,
                                        "pooled": "cells", "resamples": 5, "seed": 0}),
        "rate_by_width": (rooms.rate_by_width, {"runs": README["widths"](), "resamples": 5, "seed": 0}),
        "RateByWidth.rates": (rooms.rate_by_width(README["widths"](), resamples=5)[0].rates, {"level": 0.9}),
        "RateLaw.at": (laws.lr.at, {"params": 1e8, "tokens": 1e10}),
        "RateLaw.exponent": (laws.lr.exponent, {"of": "params", "level": 0.9}),
        "curve_groups": (rooms.curve_groups, {"curves": curves, "by": None}),
        "noise_scale": (rooms.noise_scale, {"grad_sq_small": 2 * norms, "grad_sq_big": norms, "batch_small": 8, "batch_big": 64,
                                            "steps": None}),
        "NoiseScale.ratio": (noise.ratio, {"level": 0.9}),
        "NoiseScale.along": (noise.along, {"ends": (0.5, 1.0), "level": 0.9}),
        "from_paper": (rooms.from_paper, {"key": "steplaw_batch"}),
        "a_number": (rooms.a_number, {"value": 2e6, "gives": "critical batch"}),
        "from_sweep": (rooms.from_sweep, {"line": rooms.line_of(rooms.growth([1e8, 1e9, 1e10], [1e5, 3e5, 1e6])), "along": "params",
                                          "unit_tokens": 1.0, "ends": (1e8, 1e10)}),
        "from_runs": (rooms.from_runs, {"law": laws.batch, "gives": "batch", "ranges": {"params": (1e8, 1e9), "tokens": (1e9, 1e11)}}),
        "whole_run": (rooms.whole_run, {"plan": p, "batch": rules[0], "lr": rules[1], "critical": rules[2]}),
        "front": (rooms.front, {"plan": p, "critical": rooms.a_number(2e6, "critical batch"), "runs_batch": rules[0],
                                "cluster": rooms.Cluster(Hardware(512), tokens=16_384)}),
        "Cluster": (rooms.Cluster, {"hardware": Hardware(512), "tokens": 16_384}),
        "adaptive_batch": (rooms.adaptive_batch, {"progress": README["NAMES"]["progress"], "noise": README["NAMES"]["critical"],
                                                  "examples": 2e9, "ratio": None}),
        "BatchSchedule.doublings": (schedule.doublings, {"base": 2**16, "optimiser": one, "rule": rooms.RULES[0]}),
        "warm_up": (rooms.warm_up, {"seen": [1e8, 1e9, 1e10], "critical": [1e5, 3e5, 1e6], "batch": 1e6,
                                    "unit": 1.0, "optimiser": one, "factor": 2.0}),
        "rescale": (lambda old, batch, noise: rooms.rescale(old, batch, rooms.RULES[0], noise=noise),
                    {"old": one, "batch": 4096, "noise": None}),
        "Optimiser": (rooms.Optimiser, {"batch": 4096, "lr": 1e-3, "beta1": 0.9, "beta2": 0.95, "eps": 1e-8, "weight_decay": 0.1}),
        "Hardware": (Hardware, {"devices": 8, "peak": 989e12, "utilisation": 0.4, "price": 2.0}),
        "device": (device, {"name": "H100"}),
        "hour_classes": (hour_classes, {"fit": f, "speed": lambda n: 4e14 / (6 * n), "hours": [24.0], "batch": 2**19, "sizes": [1e8, 1e9],
                                        "level": 0.9}),
        "lifetime": (lifetime, {"fit": f, "loss": 2.6, "served": 1e12, "level": 0.9}),
        "least_devices": (least_devices, {"model": shape, "memory": 8e10, "micro_tokens": 4096, "recompute": "attention", "share": 0.9}),
        "shapes_near": (shapes_near, {"params": 6.7e9, "seq_len": 4096, "gated": True}),
        "step_time": (step_time, {"frame": README["timed"](), "resamples": 5, "seed": 0}),
        "StepTime.seconds": (timed.seconds, {"model": shape, "batch": 2**19, "devices": 64, "level": 0.9, "of": "run"}),
        "StepTime.utilisation": (timed.utilisation, {"model": shape, "batch": 2**19, "peak": 989e12, "devices": 64}),
        "logged_curves": (logged_curves, {"frame": README["scheduled"](), "params": 1e8, "warmup": 500}),
        "fit_logged": (fit_logged, {"curves": logged, "resamples": 2, "seed": 0}),
        "ahead": (ahead, {"shape": "wsd", "steps": 6_000, "peak": 3e-4, "warmup": 500, "end": 0.1, "cooldown": 0.2}),
        "CurveFit.predict": (bend.predict, {"schedule": ready, "steps": [6_000], "level": 0.9, "of": "run"}),
    }  # fmt: skip


def faults(ask: Callable[..., Any], valid: dict[str, Any]) -> Iterator[str]:
    """What is said of each wrong value of each argument that is no sentence."""
    for name in valid:
        for wrong in WRONG:
            given = f"{name}={wrong!r}"[:60]
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                signal.setitimer(signal.ITIMER_REAL, PATIENCE)
                try:
                    ask(**{**valid, name: wrong})
                except (FitError, DataError) as e:
                    if RAW.search(str(e)) or not str(e).strip():
                        yield f"{given}: {e}"
                except TypeError as e:
                    if RAW.search(str(e)):
                        yield f"{given}: TypeError {e}"
                except _Slow:
                    yield f"{given}: no answer in {PATIENCE} s"
                except Exception as e:
                    yield f"{given}: {type(e).__name__} {e}"
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)


PATIENCE = 20


class _Slow(BaseException):
    """No answer in time; nothing that a function may catch."""


def test_whatever_is_given_is_taken_as_meant_or_answered_in_a_sentence(
    asks: dict[str, Ask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a path is taken as meant, and written to

    def late(*_: Any) -> None:
        raise _Slow

    before = signal.signal(signal.SIGALRM, late)
    found = []
    try:
        for name, (ask, valid) in asks.items():
            ask(**valid) if name != "Fit.calibrated" else None
            found += [f"{name}({said})" for said in faults(ask, valid)]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not found, f"{len(found)} raw answers:\n" + "\n".join(found)
