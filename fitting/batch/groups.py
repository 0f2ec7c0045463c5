"""Groups of runs that critical batches are read from one by one: runs at one batch that differ in a setting are of two sweeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.alike import Alike
from data.spelling import nearest
from data.steps.groups import APART, MOST_COLUMNS, NAMED, Apart, group_names, may_tell, tell_apart
from fitting.arguments import column_names, rows_of
from fitting.batch.rows import curves_given, finals_given
from fitting.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Iterator

AT = ("batch", "step", "loss")


@dataclass(frozen=True, eq=False)
class Groups(Alike):
    """The rows of each group by its name, '' where there is one alone, in their order; `by` are the columns that tell them apart.

    `mixed` are columns in which runs of one group still differ. `notes` say both, a sentence each.
    """

    parts: dict[str, pd.DataFrame]
    by: tuple[str, ...]
    notes: tuple[str, ...]
    mixed: tuple[str, ...] = ()

    @property
    def first(self) -> str:
        """The name of the group with most batches, of several the first."""
        return max(self.parts, key=lambda name: int(self.parts[name]["batch"].nunique()))

    def as_one(self, reader: str) -> tuple[str, ...]:
        """The notes where all are read as one all the same, with what reads them apart."""
        return tuple(n.replace(APART, f" and are read as one here; `{reader}` reads them apart.") for n in self.notes)


def curve_groups(curves: pd.DataFrame, by: str | Sequence[str] | None = None, *, sizes: bool = False) -> Groups:
    """Training curves (columns run, batch, step, loss and settings) by what tells groups apart, or by the column or columns `by`.

    Model sizes tell groups apart with `sizes` alone; `one_ladder` chooses among them otherwise. Raises FitError where there is
    no such column.
    """
    curves = rows_of(curves_given(curves), AT, "Training curves")
    if "batch" not in curves:
        return Groups({"": curves}, (), ())
    curves, rows = _a_run(curves)
    cells = ["batch"] if sizes or "params" not in rows else ["batch", "params"]
    return _groups(curves, rows, cells, by, "Curves")


def final_groups(runs: pd.DataFrame, by: str | Sequence[str] | None = None, *, sizes: bool = True) -> Groups:
    """Runs with final losses (columns batch, tokens, loss and settings) by what tells groups apart beside their size, or by `by`.

    Without `sizes` these tell groups apart too. Raises FitError where there is no such column.
    """
    runs = rows_of(finals_given(runs), ("batch", "tokens", "loss"), "Final losses")
    cells = [c for c in ("batch", "tokens", *(("params",) if sizes else ())) if c in runs]
    rows = runs.drop(columns=[c for c in ("run",) if c in runs])
    return _groups(runs, rows, cells, by, "Runs") if "batch" in runs else Groups({"": runs}, (), ())


def _groups(
    frame: pd.DataFrame, rows: pd.DataFrame, cells: list[str], by: str | Sequence[str] | None, what: str
) -> Groups:
    columns = column_names("by", by)
    if columns:
        if lacks := [c for c in columns if c not in frame]:
            listed = ", ".join(str(c) for c in list(frame)[:12])
            raise FitError(
                f"There is no column {lacks[0]!r} to group by{nearest(lacks[0], frame)}; there are {listed}."
            )
        known = [c for c in columns if c in rows and c not in cells]
        apart = tell_apart(rows, [*cells, *known], split=False, what=what)
        apart = Apart(columns, apart.mixed, apart.notes)
    else:
        apart = tell_apart(rows, cells, what=what)
    if not apart.by:
        return Groups({"": frame}, (), apart.notes, apart.mixed)
    names = group_names(frame, apart.by)
    return Groups({str(n): own for n, own in frame.groupby(names, sort=False)}, apart.by, apart.notes, apart.mixed)


def _a_run(curves: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The curves with blanks of a run's settings filled from its other rows, and what each run and batch of it says, without
    repeats: what changes along a run is none of its settings."""
    curves = curves.copy(deep=False)
    if "run" not in curves:
        return curves, curves.drop(columns=[c for c in AT[1:] if c in curves])
    keys = ["run", "batch"]
    told = ["batch"]
    for column in [c for c in curves if may_tell(c) or c in ("lr", "seed")][:MOST_COLUMNS]:
        values = curves[column]
        if values.nunique() < 2:
            continue
        if values.isna().any() and values.notna().any():
            curves[column] = values.where(values.notna(), values.groupby(curves["run"]).transform("first"))
        each = curves.groupby(keys, sort=False, dropna=False)[column].nunique()
        if not (each > 1).any() or _side_by_side(curves, column):
            told.append(column)
    return curves, curves[["run", *told]].drop_duplicates().drop(columns="run")


def _side_by_side(curves: pd.DataFrame, column: str) -> bool:
    """Whether a name has rows at several values over one stretch of steps, and each value many: two runs under one name."""
    if "step" not in curves or curves[column].nunique() > 0.1 * len(curves):
        return False
    each: Iterator[tuple[object, pd.DataFrame]] = iter(curves.groupby(["run", "batch"], sort=False, dropna=False))
    for _, own in each:
        ends = own.groupby(column)["step"].agg(["min", "max"]).sort_values(["min", "max"]).to_numpy(float)
        if np.any(ends[1:, 0] < np.maximum.accumulate(ends[:, 1])[:-1]):
            return True
    return False


def chosen(groups: Groups, name: str | None) -> tuple[str, pd.DataFrame]:
    """The group of that name, or the first where there is none such."""
    at = name if name is not None and name in groups.parts else groups.first
    return at, groups.parts[at]


def read_said(groups: Groups, name: str) -> tuple[str, ...]:
    """For one group of several: which it is, and what else there is, in a sentence; nothing for one alone."""
    others: Sequence[str] = [n for n in groups.parts if n != name]
    if not others:
        return groups.notes
    more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
    are = "is" if len(others) == 1 else "are"
    return (*groups.notes, f"This reads {name}; there {are} also {', '.join(others[:NAMED])}{more}.")
