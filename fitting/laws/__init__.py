"""One law a file; every module here that defines `law` (or `laws`) is found by `fitting.law.all_laws`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Iterable
from functools import cache
from typing import Literal, TypeAlias

from data.losses.other_laws import declare
from fitting.arguments import in_short
from fitting.errors import FitError
from fitting.law import Law
from fitting.solver.parametrization import check_units

# What an editor offers where a law is named. Any other key of `all_laws()` is one too: a new file needs no entry here.
LawKey: TypeAlias = (
    Literal[
        "auto", "broken-params", "broken-tokens", "broken-compute", "chinchilla", "compute", "compute-floor",
        "data-constrained", "general", "kaplan", "kaplan-params", "kaplan-tokens", "overtraining",
    ]
    | str
)  # fmt: skip


@cache
def _read() -> tuple[dict[str, Law], tuple[str, ...]]:
    """The laws by key, and a sentence for each file that could not be loaded: its mistake is no reason to have none of the others."""
    found: dict[str, Law] = {}
    wrong = []
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        try:
            module = importlib.import_module(f"{__name__}.{info.name}")
            here: dict[str, Law] = {}
            for law in getattr(module, "laws", None) or (module.law,):
                if law.key in found or law.key in here:
                    raise TypeError(f"two laws are called {law.key!r}")
                check_units(law)
                here[law.key] = law
            found |= here
        except Exception as e:
            kind = "" if isinstance(e, TypeError) else f"{type(e).__name__}, "
            said = " ".join(str(e).split()).removesuffix(".")
            folder = getattr(info.module_finder, "path", "fitting/laws")
            wrong.append(f"The law file {folder}/{info.name}.py could not be loaded: {kind}{said}.")
    return found, tuple(wrong)


def all_laws() -> dict[str, Law]:
    """Every law in `fitting/laws/`, by key, in a stable order. A module offers `law` or a tuple `laws`.

    Files that could not be loaded are left out; `not_loaded` names them.
    """
    return _read()[0]


def not_loaded() -> tuple[str, ...]:
    """A sentence for each file of `fitting/laws/` that could not be loaded, with the reason."""
    return _read()[1]


def asked_for_none(said: str) -> str:
    """What is said where a law is asked for that is not there, with the files that could not be loaded: it may be in one."""
    return " ".join([said, *not_loaded()])


def offered(columns: Collection[str]) -> dict[str, str]:
    """For every law the reason why a table with these columns cannot carry it, or '' when it can."""
    if isinstance(columns, str) or not isinstance(columns, Iterable):
        raise FitError(f"columns are the names of a table's columns, a list of them; it was {in_short(columns)}.")
    columns = {c for c in columns if isinstance(c, str)}
    out = {}
    for key, law in all_laws().items():
        lacks = law.missing(columns)
        out[key] = f"the table has no {' and no '.join(lacks)}" if lacks else ""
    return out


# A table without a loss may be for one of these.
declare(lambda: {key: (*law.inputs, law.output.column) for key, law in all_laws().items() if law.own_columns})
