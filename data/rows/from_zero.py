"""Curves that begin at 0: a row before any training, under the highest loss, among places that rise."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.errors import MappingNeeded, Question
from data.mapping import Mapping
from data.rows.groups import Array, each
from data.rows.line_order import Rows
from data.rows.progress import usable

_COUNTED = ("steps", "tokens", "samples", "flops")
LEAST = 3  # rows of a curve, the one at 0 among them


def from_zero(history: Rows, key: Array, rows: pd.DataFrame, mapping: Mapping, table: str) -> Rows | None:
    """Rows (n,) as the checkpoints of `history`'s runs where those of each `key` (n,), a number, begin at 0; None where none does.

    No run ends before it begins: a loss at 0 tokens is one of a curve. Raises `MappingNeeded` where only some begin so.
    """
    for c in (c for c in _COUNTED if c in mapping.guesses and usable(rows, c)):
        place, losses = rows[c].to_numpy(), rows["loss"].to_numpy()
        begins = [_begins(place[at], losses[at]) for at in each(key)] if (place == 0).any() else []
        if not any(begins):
            continue
        text = f"Rows of one setting begin at 0 under {mapping.header(c)!r}: are they checkpoints of one run, or runs of their own?"
        asked = Question("rows", text, ("checkpoints", "runs"), "checkpoints")
        if all(begins):
            return Rows(
                "history", history.names, c, history.why, Question(asked.key, text, asked.options, asked.guess, False)
            )
        raise MappingNeeded(f"{table}: {text}", (asked,))
    return None


def _begins(place: Array, losses: Array) -> bool:
    """Whether rows (n,) are a few that rise from 0, where the loss is highest."""
    rises = len(place) >= LEAST and place[0] == 0 and bool((np.diff(place) > 0).all())
    return rises and bool(losses[0] == np.max(losses, where=~np.isnan(losses), initial=-np.inf))
