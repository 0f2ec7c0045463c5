"""Which rows cannot be fitted, and why: each is set aside with its reason, none is dropped."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from data.cells import Numbers
from data.schema import COLUMNS, NEEDED
from data.stated import is_bound

#: Nats per token beyond which a run has diverged: a uniform guess over 485 million tokens loses less.
GUESSING = 20.0


def reasons(frame: pd.DataFrame, read: Mapping[str, Numbers], cells: Mapping[str, pd.Series]) -> np.ndarray:
    """Why each row is set aside, '' where it is kept: (n,) text. The first reason found is the one given.

    `read` and `cells` are the file's own columns behind the needed ones, to tell blank from text from NaN.
    """
    out = np.full(len(frame), "", dtype=object)
    for column in NEEDED:
        if column not in frame:
            continue
        values = frame[column].to_numpy()
        word = "FLOP count" if column == "flops" else column
        found = read.get(column)
        if found is not None:
            for i in np.flatnonzero(found.bad & (out == "")):
                cell = cells[column].iloc[i]
                out[i] = f"{word} is {'a bound and ' if is_bound(cell) else ''}not a number ({_short(cell)})"
            nothing = found.blank & np.isnan(values)
        else:
            nothing = np.isnan(values)
        _mark(out, nothing, f"no {word}")
        _mark(out, ~np.isfinite(values), f"{word} is not finite" + (" (diverged)" if column == "loss" else ""))
        _mark(out, values == 0, f"{word} is zero")
        _mark(out, values < 0, f"{word} is negative")
        if column == "loss" and np.nanmedian(np.append(values, 0.0)) < GUESSING:
            # With a vocabulary the bound is known; where most losses lie beyond it, they are something else.
            bound = np.log(frame["vocab"]) + 1.0 if "vocab" in frame else np.full(len(frame), GUESSING)
            bound = np.where(bound > 0, bound, GUESSING)
            _mark(out, values > bound, "loss is above that of guessing (diverged)")
    return out


def copies(frame: pd.DataFrame) -> np.ndarray:
    """The position of the earlier row that each row repeats in every measured value, -1 where there is none: (n,).

    Run, group and the file's own extra columns do not count: the same numbers under another name are still a copy.
    Rows with the same inputs and another loss are repeats of an experiment, not copies.
    """
    keys = [c for c in COLUMNS if c in frame and c not in ("run", "group", "flops_convention")]
    first = np.full(len(frame), -1)
    again = frame.duplicated(keys, keep="first").to_numpy()
    if again.any():
        groups = frame.groupby(keys, dropna=False, sort=False).ngroup().to_numpy()
        _, earliest, inverse = np.unique(groups, return_index=True, return_inverse=True)
        first[again] = earliest[inverse][again]
    return first


def shared_losses(frame: pd.DataFrame) -> str:
    """A sentence about losses that stand, to the last digit, under different inputs; '' when there are none.

    Two runs do not measure the same seven digits by chance: rows were mixed up, or one run was entered twice.
    """
    loss = frame["loss"].to_numpy()
    digits = loss != np.round(loss, 5)  # losses rounded to five places agree by chance
    inputs = [c for c in ("params", "tokens", "lr", "batch", "seed") if c in frame]
    some = frame[digits]
    if not inputs or frame["loss"].nunique() < 0.6 * len(frame):  # read off a picture, losses come in few shades
        return ""
    kinds = some[["loss", *inputs]].drop_duplicates().groupby("loss").size()
    n = int((kinds > 1).sum())
    if not n:
        return ""
    at = kinds[kinds > 1].index[0]
    who = ", ".join(some.loc[some["loss"] == at, "run"].head(3))
    stand = "loss stands" if n == 1 else "losses stand"
    return f"{n} {stand} to the last digit under different inputs (for example {who}): were rows mixed up?"


def _mark(out: np.ndarray, where: np.ndarray, reason: str) -> None:
    out[where & (out == "")] = reason


def _short(cell: object) -> str:
    text = " ".join(str(cell).split())
    text = "".join(c for c in text if c.isprintable())
    return repr(text if len(text) <= 20 else text[:19] + "…")
