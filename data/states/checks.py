"""Which rows cannot be fitted, and why: each is set aside with its reason, none is dropped."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from data.cells.stated import is_bound
from data.cells.values import Numbers
from data.rows.groups import different, numbered, repeats
from data.schema import COLUMNS, COUNTS, NEEDED
from data.states.coincidence import beyond_chance
from data.units.factors import PLAUSIBLE

#: Nats per token beyond which a run has diverged: a uniform guess over 485 million tokens loses less.
GUESSING = 20.0
_NEAR = 1.2  # how far beyond the other losses one in another unit may lie
LEAST = 1e-6  # of parameters, tokens and FLOPs, which are counts: below it a unit was not meant either


def reasons(
    frame: pd.DataFrame,
    read: Mapping[str, Numbers],
    cells: Mapping[str, pd.Series],
    doubts: Mapping[str, Mapping[int, str]] | None = None,
) -> np.ndarray:
    """Why each row is set aside, '' where it is kept: (n,) text. The first reason found is the one given.

    `read` and `cells` are the file's own columns behind the needed ones, to tell blank from text from NaN. `doubts` are
    cells that may mean two numbers, by column and position.
    """
    out = np.full(len(frame), "", dtype=object)
    for column in (c for c in NEEDED if c in (doubts or {}) and c in frame):
        for i, said in doubts[column].items():  # type: ignore[index]
            out[i] = out[i] or f"{_called(column)} {said}"
    for column in NEEDED:
        if column not in frame:
            continue
        values = frame[column].to_numpy()
        word = _called(column)
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
        if column != "loss":
            _mark(out, values < LEAST, f"{word} is far below one")
        if column == "loss" and np.nanmedian(np.append(values, 0.0)) < GUESSING:
            # With a vocabulary the bound is known; where most losses lie beyond it, they are something else.
            bound = np.log(frame["vocab"]) + 1.0 if "vocab" in frame else np.full(len(frame), GUESSING)
            bound = np.where(bound > 0, bound, GUESSING)
            above = values > bound
            for unit, like in (
                ("a perplexity", np.log(values)),
                ("a hundred or thousand times the loss", _percent(values)),
            ):
                said = f"loss is above that of guessing: diverged, or {unit} among losses in another unit"
                _mark(out, above & _beside(like, values[~above]), said)
            _mark(out, above, "loss is above that of guessing (diverged)")
    for column in (c for c in NEEDED if c in PLAUSIBLE and c in frame):
        most = PLAUSIBLE[column][1]
        _mark(out, frame[column].to_numpy() > most, f"{_called(column)} is above {most:g}: its unit may be another")
    return out


def _percent(values: np.ndarray) -> np.ndarray:
    """What per cent or thousandths (n,) are of."""
    return values / np.where(values > 1_000, 1_000.0, 100.0)


def _beside(values: np.ndarray, losses: np.ndarray) -> np.ndarray:
    """Which values (n,) lie where the losses do, or little beyond."""
    losses = losses[losses > 0]
    return (values >= losses.min() / _NEAR) & (values <= losses.max() * _NEAR) if len(losses) else values < -np.inf


def _called(column: str) -> str:
    return "FLOP count" if column == "flops" else column


def copies(frame: pd.DataFrame, losses: np.ndarray, named: bool) -> np.ndarray:
    """The position of the earlier row that each row repeats, -1 where there is none: (n,).

    A copy agrees in every measured value, an unrounded loss among them: two runs do not measure the same six digits by
    chance, under whatever names. `losses` (n,) are as the file has them, before any unit was applied. Rows that agree in a
    rounded loss are repeats of an experiment, unless they agree in every column and in their name too: then a row was
    entered twice. `named` says whether the file names its runs.
    """
    known = (*COLUMNS, PARAMETRISATION)
    keys = [c for c in known if c in frame and c not in ("run", "group", "flops_convention", "role")]
    first = _earlier(frame, keys)
    short = ~_unrounded(losses) & (first >= 0)
    if short.any():
        same = _earlier(frame, [c for c in frame if c != "flops_convention"]) if named else np.full(len(frame), -1)
        first = np.where(short, same, first)
    return _but_for_blanks(frame, keys, losses, first)


def _but_for_blanks(frame: pd.DataFrame, keys: list[str], losses: np.ndarray, first: np.ndarray) -> np.ndarray:
    """The positions `first` (n,) with those of rows that agree with another wherever both say something, an unrounded loss among it.

    The emptier of two is the copy, as the workspace of a tracker is of its last experiment.
    """
    free = np.flatnonzero(_unrounded(losses) & (first < 0))
    if not repeats(losses[free]):
        return first
    again = pd.Series(losses[free]).duplicated(keep=False).to_numpy()
    out = first.copy()
    said = frame[keys].iloc[free[again]]
    blank = (said.isna() | (said == "")).to_numpy(dtype=bool)
    cells = said.astype(object).to_numpy()
    inputs = [i for i, c in enumerate(keys) if c in _INPUTS]
    for rows in pd.Series(np.arange(len(said))).groupby(losses[free[again]]).groups.values():
        kept: list[int] = []
        for i in sorted(rows[:_MOST_ALIKE], key=lambda r: (int(blank[r].sum()), r)):
            for k in kept:
                both = ~blank[i] & ~blank[k]
                if both[inputs].any() and not both.all() and (cells[i][both] == cells[k][both]).all():
                    out[free[again][i]] = free[again][k]
                    break
            else:
                kept.append(i)
    return out


#: At its base width muP is the standard parametrisation: both have runs there that agree in every digit and are no copies.
PARAMETRISATION = "parametrisation"
_INPUTS = frozenset((*COUNTS, "tokens", "flops", "steps"))
_MOST_ALIKE = 50  # rows of one loss that are compared with each other


def _earlier(frame: pd.DataFrame, keys: list[str]) -> np.ndarray:
    """The position of the first row that agrees with each row in these columns, -1 for the first itself: (n,)."""
    groups = numbered(*(frame[c] for c in keys))
    earliest = np.unique(groups, return_index=True)[1][groups]
    return np.where(earliest < np.arange(len(frame)), earliest, -1)


def _unrounded(values: np.ndarray) -> np.ndarray:
    """Which values (n,) are written with six significant digits or more."""
    with np.errstate(all="ignore"):
        places = 4 - np.floor(np.log10(np.abs(values)))  # five significant digits
        scaled = values * 10.0**places
        return np.isfinite(scaled) & (np.abs(scaled - np.round(scaled)) > 1e-6)  # a float holds sixteen


def shared_losses(frame: pd.DataFrame, written: np.ndarray | None = None) -> str:
    """A sentence about losses that stand, to the last digit, under different inputs; '' where chance explains them.

    Two runs seldom measure the same seven digits: rows were mixed up, or one run was entered twice. In a large table some
    do (`data.states.coincidence`). `written` (n,) are the losses in the file's own unit, where that is not nats.
    """
    inputs = [c for c in ("params", "tokens", "lr", "batch", "seed") if c in frame]
    if not inputs or different(frame["loss"]) < 0.6 * len(frame):  # read off a picture, losses come in few shades
        return ""
    losses = frame["loss"].to_numpy() if written is None else written
    mixed = beyond_chance(losses, numbered(*(frame[c] for c in inputs)))
    if not mixed.any():
        return ""
    found = frame[mixed]
    n = found["loss"].nunique()
    who = ", ".join(found.loc[found["loss"] == found["loss"].min(), "run"].head(3))
    stand = "loss stands" if n == 1 else "losses stand"
    return f"{n} {stand} to the last digit under different inputs (for example {who}): were rows mixed up?"


def apart(frame: pd.DataFrame) -> list[str]:
    """A sentence for each count in which one run stands a factor of 300 or more from every other: its unit may be another."""
    out = []
    for column, what in (("params", "parameters"), ("tokens", "tokens"), ("flops", "FLOP"), ("loss", "nats")):
        if column not in frame or len(frame) < 3:
            continue
        values = frame[column].to_numpy(dtype="float64")
        known = np.flatnonzero(np.isfinite(values) & (values > 0))
        order = known[np.argsort(values[known])]
        if len(order) < 3:
            continue
        logs = np.log10(values[order])
        far = 1.3 if column == "loss" else 2.5
        for i, gap in ((order[-1], logs[-1] - logs[-2]), (order[0], logs[1] - logs[0])):
            if gap >= far:
                run = frame["run"].iloc[i]
                out.append(
                    f"{run} has {values[i]:.3g} {what}, a factor of {10**gap:,.0f} from every other run: check its row."
                )
    return out


def _mark(out: np.ndarray, where: np.ndarray, reason: str) -> None:
    if where.any():
        out[where & (out == "")] = reason


def _short(cell: object) -> str:
    text = " ".join(str(cell).split())
    text = "".join(c for c in text if c.isprintable())
    return repr(text if len(text) <= 20 else text[:19] + "…")
