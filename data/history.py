"""Many rows under one name: the history of a run, a group of runs, or runs that share a name by accident."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.cells import numbers

#: What moves forward along a run, in the order in which it is looked for.
PROGRESS = ("steps", "tokens", "flops", "epochs")
_CONSTANT = (
    "params",
    "params_total",
    "params_nonembed",
    "params_active",
    "seed",
    "dataset",
    "schedule",
    "width",
    "layers",
)


@dataclass(frozen=True)
class Names:
    """What the column of run names turned out to be.

    `kind`: "runs" (every row its own), "history" (rows are checkpoints), "group" (a name for several runs), "repeats"
    (a few names occur again). `progress` is the column along which checkpoints are ordered; `why` explains.
    """

    kind: str
    progress: str = ""
    why: str = ""


def judge(names: pd.Series, frame: pd.DataFrame, measured: np.ndarray) -> Names:
    """What names (n,) are, judged by the rows that carry them; blank names are left out.

    Trackers write a row for every call: of rows at the same step, only those with a loss, `measured` (n,), count.
    """
    if names[names != ""].duplicated().any() and measured.any():
        known = ((names != "") & measured).to_numpy()
        if not names[known].duplicated().any():  # one loss a run, among rows of other things
            known = (names != "").to_numpy()
    else:
        known = (names != "").to_numpy()
    some, rows = names[known], frame[known]
    if not some.duplicated().any():
        return Names("runs")
    sizes = numbers(some)
    if sizes.share == 1.0 and sizes.written:
        return Names("group", why="the names are sizes")
    # Only names that repeat can say anything about what repeating means.
    again = some.duplicated(keep=False)
    some, rows = some[again], rows[again]
    codes = pd.factorize(some)[0]
    for column in _CONSTANT:
        if column in rows:
            values = rows[column]
            varies = values.groupby(codes).nunique(dropna=True) > 1
            if varies.any():
                what = "parameter counts" if column.startswith("params") else column
                return Names("group", why=f"the same name stands over different {what}")
    for column in PROGRESS:
        if column not in rows or rows[column].isna().all():
            continue
        values = rows[column]
        if values.isna().any() or pd.DataFrame({"c": codes, "v": values.to_numpy()}).duplicated().any():
            continue
        return Names("history", progress=column)
    return Names("repeats")


def is_one_history(steps: np.ndarray, frame: pd.DataFrame, measured: np.ndarray) -> bool:
    """Whether a table without run names is one run's log: a step counter that rises over its rows with a loss."""
    steps = steps[measured]
    if len(steps) < 5 or not np.isfinite(steps).all() or not (np.diff(steps) > 0).all():
        return False
    return all(frame[c].nunique(dropna=True) <= 1 for c in _CONSTANT if c in frame)


def last_of_each(names: np.ndarray, progress: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """The positions of the rows that stand for their runs, in order of first appearance: (r,).

    Each is the furthest row that has a loss written in it; the furthest of all where none has.
    """
    codes, order = pd.factorize(names)
    rank = np.lexsort((np.where(np.isnan(progress), -np.inf, progress), measured, codes))
    ends = np.flatnonzero(np.r_[np.diff(codes[rank]) != 0, True])
    chosen = rank[ends]
    return chosen[np.argsort(codes[chosen])] if len(order) else chosen


def distinct(names: list[str]) -> list[str]:
    """The names made unique: the second `a` becomes `a (2)`."""
    taken = set(names)
    seen: set[str] = set()
    counts: dict[str, int] = {}
    out = []
    for name in names:
        new = name
        if name in seen:
            k = counts.get(name, 1)
            while new in seen or new in taken:
                k += 1
                new = f"{name} ({k})"
            counts[name] = k
        seen.add(new)
        out.append(new)
    return out
