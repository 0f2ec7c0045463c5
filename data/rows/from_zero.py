"""Curves that begin at 0: a row before any training, under the highest loss, among places that rise."""

from __future__ import annotations

import pandas as pd

from data.errors import MappingNeeded, Question
from data.mapping import Mapping
from data.rows.line_order import Rows
from data.rows.progress import usable

_COUNTED = ("steps", "tokens", "samples", "flops")
LEAST = 3  # rows of a curve, the one at 0 among them


def from_zero(history: Rows, key: pd.Series, rows: pd.DataFrame, mapping: Mapping, table: str) -> Rows | None:
    """Rows (n,) as the checkpoints of `history`'s runs where those of each `key` begin at 0; None where none does.

    No run ends before it begins: a loss at 0 tokens is one of a curve. Raises `MappingNeeded` where only some begin so.
    """
    for c in (c for c in _COUNTED if c in mapping.guesses and usable(rows, c)):
        begins = _begins(key, rows[c], rows["loss"])
        if not begins.any():
            continue
        text = f"Rows of one setting begin at 0 under {mapping.header(c)!r}: are they checkpoints of one run, or runs of their own?"
        asked = Question("rows", text, ("checkpoints", "runs"), "checkpoints")
        if begins.all():
            return Rows(
                "history", history.names, c, history.why, Question(asked.key, text, asked.options, asked.guess, False)
            )
        raise MappingNeeded(f"{table}: {text}", (asked,))
    return None


def _begins(key: pd.Series, place: pd.Series, loss: pd.Series) -> pd.Series:
    """Of the rows of each key, by its number, whether they are a few that rise from 0, where the loss is highest."""

    def of_one(at: pd.Series) -> bool:
        own, losses = place[at.index], loss[at.index]
        apart = own.nunique() == len(own) >= LEAST
        return bool(apart and own.is_monotonic_increasing and own.iloc[0] == 0 and losses.iloc[0] == losses.max())

    return key.groupby(key).apply(of_one)
