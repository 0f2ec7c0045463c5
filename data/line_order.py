"""Whether rows that may be checkpoints stand as a log writes them: along their counter, under settings that a schedule has."""

from __future__ import annotations

import numpy as np
import pandas as pd

WARMUP = 0.25  # the part of a run within which its learning rate may rise
_EVERY = 5  # rows of a log for each of which one may fall back: a resumed run, a late evaluation
_MOST = 0.9  # the share of runs that are in order


def in_order(runs: pd.Series, counter: pd.Series) -> bool:
    """Whether the rows of nearly every run, named by `runs` (n,), stand in the order of their counter (n,)."""
    by = counter.groupby(runs.to_numpy(), sort=False)
    falls = (by.diff() < 0).groupby(runs.to_numpy(), sort=False).sum()
    return float((falls <= (by.size() - 1) // _EVERY).mean()) >= _MOST


def listed(runs: pd.Series, counter: pd.Series) -> bool:
    """Whether the rows of every run stand in the order of a listing of files: 1000, 10000, 2000."""
    if not bool((counter == np.round(counter)).all()):
        return False
    return all([f"{v:.0f}" for v in c] == sorted(f"{v:.0f}" for v in c) for _, c in counter.groupby(runs.to_numpy()))


def varied(runs: pd.Series, rows: pd.DataFrame, counter: str, columns: list[str]) -> str:
    """Which of the settings in `columns` changes along a run as no schedule changes it; '' where none does.

    A learning rate falls after its warmup, a batch grows.
    """
    for column in columns:
        for _, own in rows.groupby(runs.to_numpy()):
            own = own[[counter, column]].dropna().sort_values(counter, kind="stable")
            change, at = np.diff(own[column].to_numpy()), own[counter].to_numpy()[1:]
            if column == "lr":
                odd = (change > 0) & (at > WARMUP * at.max(initial=0.0))
            elif column.startswith("batch"):
                odd = change < 0
            else:
                odd = change != 0
            if odd.any():
                return column
    return ""
