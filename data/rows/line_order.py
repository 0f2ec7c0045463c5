"""Whether rows that may be checkpoints stand as a log writes them: along their counter, under settings that a schedule has."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from data.errors import MappingNeeded, Question
from data.mapping import Mapping
from data.rows.groups import Array, each, kinds, numbered, sizes, steps
from data.rows.progress import evenly, usable
from data.rows.resumes import went_back

FEW, MANY = (
    10,
    20,
)  # evenly spaced rows without a word on what they are: below FEW runs, from MANY a log, between them asked
VARIED = ("lr", "batch_sequences", "weight_decay", "batch")  # settings that a person varies from run to run
WARMUP = 0.25  # the part of a run within which its learning rate may rise
_EVERY = 5  # rows of a log for each of which one may fall back: a resumed run, a late evaluation
_MOST = 0.9  # the share of runs that are in order


@dataclass(frozen=True)
class Rows:
    """What rows are. `names` (n,) are their runs' names; `progress` the column along which they are checkpoints, or ''.

    `kind`: "runs" (every row its own), "history" (rows are checkpoints), "group" (a name stands for several runs), "repeats"
    (a few names occur again), "lines" (no names: rows are named by their line). `why` explains, as a sentence's end.
    `question` asks a person who may know better. `doubt` says why rows of one name may be those of runs that nothing tells apart.
    """

    kind: str
    names: pd.Series
    progress: str = ""
    why: str = ""
    question: Question | None = None
    doubt: str = ""


def stands_in_order(runs: pd.Series | Array, counter: pd.Series) -> bool:
    """Whether the rows of nearly every run, named by `runs` (n,), stand in the order of their counter (n,)."""
    own = numbered(runs)
    falls = np.bincount(own, steps(own, counter.to_numpy()) < 0)
    return bool(np.mean(falls <= (sizes(own) - 1) // _EVERY) >= _MOST)


def of_one_training(runs: Array, epochs: pd.Series) -> bool:
    """Whether the epochs (n,) of every run, by the numbers `runs` (n,), are 1, 2, 3 or 0, 1, 2 and so on, in any order of lines."""
    if epochs.isna().any():
        return False
    order = np.argsort(epochs.to_numpy(), kind="stable")
    every = (epochs.to_numpy()[order][at] for at in each(runs[order]))
    return all(len(own) > 1 and own[0] in (0, 1) and bool((np.diff(own) == 1).all()) for own in every)


def _listed(runs: Array, counter: Array) -> bool:
    """Whether the rows of every run, by its number, stand in the order of a listing of files: 1000, 10000, 2000."""
    if not bool((counter == np.round(counter)).all()):
        return False
    every = ([f"{v:.0f}" for v in counter[at]] for at in each(runs))
    return all(own == sorted(own) for own in every)


def _varied(runs: Array, rows: pd.DataFrame, counter: str, columns: list[str]) -> str:
    """Which of the settings in `columns` changes along a run, by its number in `runs` (n,), as no schedule changes it; '' where none does.

    A learning rate falls after its warmup, a batch grows. In a log whose rows lie evenly a rate may do as it likes.
    """
    place = rows[counter].to_numpy()
    for column in columns:
        if column == "lr" and all(len(at) > 2 and evenly(place[at]) for at in each(runs)):
            continue
        value = rows[column].to_numpy()
        known = np.flatnonzero(~np.isnan(place) & ~np.isnan(value))
        order = known[np.lexsort((place[known], runs[known]))]
        own, at = runs[order], place[order]
        change = steps(own, value[order])
        if column == "lr":
            end = np.full(int(runs.max(initial=-1)) + 1, -np.inf)
            np.maximum.at(end, own, at)
            odd = (change > 0) & (at > WARMUP * end[own])
        else:
            odd = (change < 0) if column.startswith("batch") else ~np.isnan(change) & (change != 0)
        if odd.any():
            return column
    return ""


def own_plans(runs: Rows, key: pd.Series | Array, rows: pd.DataFrame, mapping: Mapping, table: str) -> Rows | None:
    """Rows of one name or setting, by `key`, as runs where each was planned to a length of its own; None where they were not.

    Raises `MappingNeeded` where the plans rise evenly, as a counter does.
    """
    steps = mapping.guesses.get("steps")
    if steps is None or "planned" not in steps.how or not usable(rows, "steps"):
        return None
    own, place = numbered(key), rows["steps"].to_numpy()
    many = sizes(own)
    if (kinds(own, place) < many).any() or not 1 < np.median(many) < FEW:
        return None
    text = f"{steps.header!r} differs from row to row of one name or setting: are the rows runs of their own lengths, or checkpoints?"
    if many.min() > 2 and all(evenly(place[at]) for at in each(own)):
        raise MappingNeeded(f"{table}: {text}", (Question("rows", text, ("runs", "checkpoints"), "runs"),))
    why = "its planned steps differ from row to row"
    return Rows(runs.kind, runs.names, why=why, question=Question("rows", text, ("runs", "checkpoints"), "runs", False))


def if_in_order(
    history: Rows, runs: Rows, key: pd.Series | Array, rows: pd.DataFrame, mapping: Mapping, table: str
) -> Rows:
    """Rows as checkpoints where those of one run, by `key`, stand as a log has them; as runs where neither order nor settings do.

    Raises `MappingNeeded` where one of the two does. From `MANY` rows a run they are a log in any order.
    """
    c, own = history.progress, numbered(key)
    if np.median(sizes(own)) >= MANY:
        return history
    odd = _varied(own, rows, c, [s for s in VARIED if s in rows and s in mapping.guesses])
    again = c == "steps" and "tokens" in rows and stands_in_order(own, rows["tokens"])  # of resumed runs
    ordered = again or stands_in_order(own, rows[c])
    if ordered and not odd:
        return history
    header = mapping.header(c)
    also = f", and {mapping.header(odd)!r} changes as no schedule changes it" if odd else ""
    how = "rise along" if ordered else "do not stand in the order of"
    text = f"Rows of one name or setting {how} {header!r}{also}: are they checkpoints of one run, or runs of their own?"
    if odd and not ordered:
        return Rows(
            runs.kind, runs.names, why=runs.why, question=Question("rows", text, ("runs", "checkpoints"), "runs", False)
        )
    if not odd and _listed(own, rows[c].to_numpy()):
        text = f"Rows of one name or setting stand in the order of names along {header!r}: are they checkpoints of one run, or runs?"
        return replace(history, question=Question("rows", text, ("checkpoints", "runs"), "checkpoints", False))
    place = rows[c].to_numpy()
    guess = "checkpoints" if not odd and all(evenly(place[at]) for at in each(own)) else "runs"
    raise MappingNeeded(f"{table}: {text}", (Question("rows", text, ("checkpoints", "runs"), guess),))


def if_resumed(history: Rows, runs: Rows, rows: pd.DataFrame, mapping: Mapping, table: str) -> Rows | None:
    """Rows of one setting as the log of a run that was resumed; None where their counter never falls, or often.

    Raises `MappingNeeded` where few rows fall to a place that was not passed, or near the beginning.
    """
    c = history.progress
    falls, passed = went_back(rows[c])
    if not falls:
        return None
    if passed or len(rows) >= MANY:
        return if_in_order(history, runs, history.names[rows.index], rows, mapping, table)
    text = f"{mapping.header(c)!r} rises and falls back: are the rows checkpoints of one run that was resumed, or runs of their own?"
    raise MappingNeeded(f"{table}: {text}", (Question("rows", text, ("checkpoints", "runs"), "checkpoints"),))


def few_epochs(history: Rows, runs: Rows, key: Array, rows: pd.DataFrame, mapping: Mapping, table: str) -> Rows:
    """Rows `of_one_training` as its checkpoints, with the question whether they are; raises as `if_in_order` does."""
    header = mapping.header(history.progress)
    text = (
        f"Rows of one setting count {header!r} from its first: are they checkpoints of one run, or runs of their own?"
    )
    asked = Question("rows", text, ("checkpoints", "runs"), "checkpoints", False)
    return if_in_order(replace(history, question=asked), runs, key, rows, mapping, table)
