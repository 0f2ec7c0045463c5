"""A table that is the copy of an earlier one with some losses changed: the same run with two losses, which counts once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

_LOSSES = ("loss", "loss_error", "flops_convention")
_LEAST = 2  # rows that stand wholly again, from which two tables are copies


def edited(
    frame: pd.DataFrame, why: np.ndarray, lines: np.ndarray, copies: Mapping[int, int], losses: np.ndarray
) -> dict[int, str]:
    """The rows of later tables, by position, that are a run of an earlier one with another loss, each with its reason.

    `copies` are the lines that stand wholly alike in an earlier table, each with that of the first. What they agree in are the
    columns by which rows are the same run. Nothing where fewer rows stand again than have another loss: those are other runs.
    """
    at = {int(line): i for i, line in enumerate(lines)}
    pairs = [(at[late], at[first]) for late, first in copies.items() if late in at and first in at]
    if len(pairs) < _LEAST:
        return {}
    keys = [c for c in frame if c not in _LOSSES and _agree(frame[c], pairs)]
    if not {"params", "tokens"} <= set(keys):
        return {}
    ends, begins = max(copies.values()), min(copies)  # of the first table, and of those below it
    group = frame.groupby(keys, dropna=False, sort=False).ngroup().to_numpy()
    first: dict[int, int] = {}
    out: dict[int, str] = {}
    for i in np.flatnonzero(why == ""):
        line, key = int(lines[i]), int(group[i])
        if line < begins:
            first.setdefault(key, int(i))
        if key in first and line > ends and line != int(lines[first[key]]) and losses[i] != losses[first[key]]:
            one = first[key]
            out[int(i)] = (
                f"another loss ({losses[i]:g}) of a row in line {int(lines[one])} ({losses[one]:g}), whose table is copied"
            )
    return out if len(out) <= len(pairs) else {}


def _agree(column: pd.Series, pairs: list[tuple[int, int]]) -> bool:
    """Whether a column says the same in both rows of every pair, blanks among them."""
    late, first = (column.iloc[[p[k] for p in pairs]].reset_index(drop=True) for k in (0, 1))
    return bool(((late == first) | (late.isna() & first.isna())).all())
