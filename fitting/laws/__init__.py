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
def all_laws() -> dict[str, Law]:
    """Every law in `fitting/laws/`, by key, in a stable order. A module offers `law` or a tuple `laws`.

    Raises TypeError for a declaration that contradicts itself.
    """
    found: dict[str, Law] = {}
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        module = importlib.import_module(f"{__name__}.{info.name}")
        for law in getattr(module, "laws", None) or (module.law,):
            if law.key in found:
                raise TypeError(f"two laws are called {law.key!r}")
            check_units(law)
            found[law.key] = law
    return found


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
