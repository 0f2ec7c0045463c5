"""What is asked of a fit with its runs beside it is asked of the runs that were fitted, and of no others."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from data.errors import MappingNeeded
from data.schema import Runs
from fitting.arguments import in_short, run_names
from fitting.errors import FitError
from fitting.law import Law
from fitting.laws import all_laws
from fitting.settings import Settings
from fitting.solver.fit_data import Arrays, arrays

# Losses read again from text differ in their last digits; this is far below what any fit can tell.
SAME = 1e-9


class Fitted(Protocol):
    """What is needed of a `Fit` to know its runs again."""

    @property
    def law(self) -> Law:
        """The law fitted."""

    @property
    def params(self) -> Mapping[str, float]:
        """Its best values."""

    @property
    def settings(self) -> Settings:
        """What was chosen, and which runs were left out."""

    @property
    def runs(self) -> tuple[str, ...]:
        """The names of the runs fitted."""

    @property
    def residuals(self) -> np.ndarray:
        """log L - log f (n,)."""

    @property
    def digest(self) -> str:
        """That of the table."""


RunsLike = Runs | pd.DataFrame | str | os.PathLike[str] | list[pd.DataFrame] | list[str] | list[os.PathLike[str]]
Columns = Mapping[str, "str | None"] | None
Units = Mapping[str, "float | str"] | None


def as_runs(runs: Any, law: Any = None, columns: Columns = None, units: Units = None) -> Runs:
    """The runs that fits use, of a table as `whole_table` reads it: all but those held out."""
    return whole_table(runs, law, columns, units).fitted


def whole_table(runs: Any, law: Any = None, columns: Columns = None, units: Units = None) -> Runs:
    """The runs table, read from a frame, path or list where it is not one yet, for a law (its key, several) that may name own columns.

    `columns` and `units` are the answers of `read_runs`; FitError where they stand beside a table that is read already, or are
    no answers.
    """
    for name, given, such_as in (("columns", columns, '{"loss": "eval_loss"}'), ("units", units, '{"tokens": 1e9}')):
        if given is not None and not (isinstance(given, Mapping) and all(isinstance(key, str) for key in given)):
            raise FitError(f"{name} is a mapping such as {such_as}; it was {in_short(given)}.")
        if given and isinstance(runs, Runs):
            raise FitError(
                f"{name} answers for a path or a DataFrame, and runs is read already. Give {name} to read_runs."
            )
    if isinstance(runs, Runs):
        return runs
    members = runs if isinstance(runs, list | tuple) else [runs]
    if not members or not all(isinstance(one, str | Path | pd.DataFrame) for one in members):
        raise FitError(f"runs is a table of runs, a frame or the path of a file; it was {in_short(runs)}.")
    law = all_laws().get(law) if isinstance(law, str) else law
    laws = [one for one in (law if isinstance(law, tuple) else (law,)) if isinstance(one, Law)]
    if own := next((one for one in laws if one.own_columns), None):
        from data.own_columns import read_columns

        if units:
            raise FitError(
                f"units is no answer for {own.title}, whose columns are taken in the units they are written in."
            )
        return read_columns(
            runs, tuple(dict.fromkeys(c for one in laws for c in (*one.inputs, one.output.column))), columns or {}
        )
    from data import read_runs

    try:
        return read_runs(runs, columns=columns, units=units)
    except MappingNeeded as e:
        raise e.asked_by(("columns", "units")) from None


def of_fit(fit: Fitted, runs: Any, columns: Columns = None, units: Units = None) -> Runs:
    """The table, read from a frame, path or list where it is not one yet, without the runs that the fit left out or held out."""
    out = (*fit.settings.excluded, *fit.settings.held_out)
    return without(as_runs(runs, fit.law, columns, units), out, known=True)[0]


def without(runs: Runs, exclude: Any, *, known: bool = False, fresh: bool = False) -> tuple[Runs, tuple[str, ...]]:
    """The table without the runs that `exclude` names, or is a mask of over `runs.kept`, and their names in order.

    A table is `fresh` where it was read in the same call, so that a mask's index is that of the frame.
    Names that no kept run has are passed over where only the `known` are asked for; else they raise DataError, and what is
    neither names nor a mask raises FitError.
    """
    names = run_names(exclude, runs.kept["run"], runs.labels, fresh)
    if known:
        names = tuple(sorted(set(names) & set(runs.kept["run"].astype(str))))
    return (runs.exclude(names) if names else runs), names


def fitted_arrays(fit: Fitted, runs: Runs, then: str, group: str | None = None) -> Arrays:
    """The arrays of the runs that were fitted, out of the table they came from (`runs`, without those left out).

    Raises FitError, which says to fit again and `then` go on, unless they have the names, order and values of the fit's: the
    same digest, or the residuals that the fit found.
    """
    table = arrays(runs, fit.law, group)
    if table.runs != fit.runs or not (_leave_the_same(fit, table) or runs.digest == fit.digest):
        raise FitError(f"The runs are not those that were fitted; fit them again, then {then}.")
    return table


def _leave_the_same(fit: Fitted, table: Arrays) -> bool:
    with np.errstate(all="ignore"):
        left = np.log(table.loss) - np.log(fit.law(table.inputs, fit.params))
    return bool(np.allclose(left, fit.residuals, rtol=0, atol=SAME))
