"""NaN along a curve: what was not evaluated at a step, or where a run diverged."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from data.headers.names import loss_name
from data.headers.parts import header as take_apart
from data.losses.recognise import PLAIN
from data.plural import agreeing
from data.table import Table

#: A loss that stays a number when the run has diverged.
_KEPT = re.compile(r"\b(?:best|min(?:imum)?|lowest|least|target|baseline)\b")

_OFTEN = 0.5  # as many NaN among the measured losses of a curve are those of a logger; fewer are steps that went wrong


def training_losses(table: Table, loss: str) -> list[np.ndarray]:
    """The values (n,) of the table's training losses beside its loss, NaN where a cell says so, infinite where it is blank."""
    out = []
    for header in table.headers:
        name = loss_name(header)
        if header == loss or name is None or _KEPT.search(take_apart(header).path):
            continue
        found = table.numbers(header, "loss")
        if (name.split == "train" or take_apart(header).words in PLAIN) and np.isfinite(found.values).any():
            out.append(np.where(found.blank | found.bad, np.inf, found.values))
    return out


def in_turn(table: Table, loss: str) -> bool:
    """Whether each row has a number for the loss or for a training loss and NaN for the other, so that NaN stands for a blank."""
    found = table.numbers(loss, "loss")
    said = np.isnan(found.values) & ~found.blank & ~found.bad
    number = np.isfinite(found.values)
    if not said.any() or number.sum() < 2 or not (said | number).all():
        return False
    return any(
        (np.isfinite(other) == said).all() and not np.isinf(other[number]).any()
        for other in training_losses(table, loss)
    )


def not_measured(
    loss: np.ndarray, nan: np.ndarray, blank: np.ndarray, names: pd.Series, order: np.ndarray, training: list[np.ndarray], notes: list[str]
) -> np.ndarray:  # fmt: skip
    """Which of the rows (n,) whose loss is `nan` were not evaluated, by their runs' curves along `order` (n,).

    They were where the training loss is still a number at the end of the run, or goes on being one as often as before; without
    a training loss, where the loss ends in no more NaN than stand somewhere between two of its numbers. Else it diverged.
    """
    out = np.zeros(len(loss), dtype=bool)
    early = inner = 0
    for rows in _each(names, order):
        if not nan[rows].any() or np.isinf(loss[rows]).any():
            continue
        written = loss[rows][~blank[rows]]
        between, behind = _gaps(written)
        others = [v for t in training if len(v := t[rows][~np.isinf(t[rows])]) and np.isfinite(v).any()]
        alive = [b <= a for a, b in map(_gaps, others)] or [between > 0 and behind <= between]
        seldom = not behind and not others and nan[rows].sum() < np.isfinite(written).sum() * _OFTEN
        if not any(alive) or seldom:
            continue
        out[rows] = nan[rows]
        early += 0 < behind < len(written)
        inner += behind == 0
    if early:
        runs = agreeing(early, "run ends", "runs end")
        notes.append(
            f"{runs} in NaN for a loss that was not evaluated there, as at other steps or beside a training loss that is a number: "
            f"the last measured loss {'counts' if early == 1 else 'of each counts'}."
        )
    if inner:
        runs = agreeing(inner, "run says", "runs say")
        notes.append(f"{runs} NaN between measured losses: taken as not evaluated there.")
    return out


def _each(names: pd.Series, order: np.ndarray) -> Iterator[np.ndarray]:
    """The positions of each run's rows along the order, rows without a place left out."""
    codes = pd.factorize(names)[0]
    placed = np.flatnonzero(np.isfinite(order))
    rank = placed[np.lexsort((placed, order[placed], codes[placed]))]
    yield from (np.split(rank, np.flatnonzero(np.diff(codes[rank])) + 1) if len(rank) else ())


def _gaps(values: np.ndarray) -> tuple[int, int]:
    """The most values (n,) in a row that are no numbers between two that are, and how many stand behind the last number."""
    at = np.flatnonzero(np.isfinite(values))
    if not len(at):
        return 0, len(values)
    return int(np.diff(at).max() - 1) if len(at) > 1 else 0, len(values) - 1 - int(at[-1])
