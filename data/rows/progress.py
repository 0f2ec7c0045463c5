"""How a column moves over the rows of a table: forward along runs, back where one was resumed, at regular intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.rows.groups import Array, kinds, missing, numbered

#: What moves forward along a run, in the order in which it is looked for.
WHOLE = " (final)"  # how the header of a value ends that is the whole run's, on each row of its curve
PROGRESS = ("steps", "tokens", "samples", "flops", "epochs", "wall_seconds")
LEAST = 5  # rows from which a rising column alone makes a log: fewer are as likely runs
EVEN = 1.5  # the largest distance over the smallest, in checkpoints written at regular intervals


def usable(rows: pd.DataFrame, column: str) -> bool:
    """Whether nearly every row has a value of the column."""
    return column in rows and len(rows) > 0 and float(np.mean(~missing(rows[column].to_numpy()))) > 0.9


def rises(names: pd.Series | Array, values: pd.Series) -> bool:
    """Whether rows under one name stand at different places along `values`; a resumed run may log a place twice."""
    place = values.to_numpy()
    known = ~missing(place)
    if not known.any():
        return False
    places = kinds(numbered(np.asarray(names)[known]), place[known])  # of each name
    return bool(places.sum() > 0.5 * known.sum() and np.mean(places > 1) > 0.5)


def ascending(values: pd.Series) -> bool:
    """Whether values never fall and rise from row to row more often than not."""
    v = values.to_numpy(dtype="float64")
    step = np.diff(v[np.isfinite(v)])
    return bool(len(step)) and bool((step >= 0).all()) and float(np.mean(step > 0)) >= 0.5


def begins_anew(rows: pd.DataFrame) -> bool:
    """Whether steps go back here and there while the tokens rise in every row, as in the log of a run that was resumed."""
    if not {"tokens", "steps"} <= set(rows.columns) or len(rows) < LEAST or rows["tokens"].isna().any():
        return False
    falls = int((np.diff(rows["steps"].to_numpy(dtype=float)) < 0).sum())
    return bool((np.diff(rows["tokens"].to_numpy(dtype=float)) > 0).all()) and 0 < falls <= len(rows) / 3


def evenly(values: pd.Series | Array) -> bool:
    """Whether the places lie at regular intervals, the first and the last aside."""
    step = np.diff(np.unique(np.asarray(values, dtype="float64")))
    inner = step[1:-1] if len(step) > 4 else step
    return bool(len(inner)) and float(inner.max()) <= EVEN * float(inner.min())
