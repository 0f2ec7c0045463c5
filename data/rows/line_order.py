"""Whether rows that may be checkpoints stand as a log writes them: along their counter, under settings that a schedule has."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from data.errors import MappingNeeded, Question
from data.mapping import Mapping
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


def stands_in_order(runs: pd.Series, counter: pd.Series) -> bool:
    """Whether the rows of nearly every run, named by `runs` (n,), stand in the order of their counter (n,)."""
    by = counter.groupby(runs.to_numpy(), sort=False)
    falls = (by.diff() < 0).groupby(runs.to_numpy(), sort=False).sum()
    return float((falls <= (by.size() - 1) // _EVERY).mean()) >= _MOST


def of_one_training(runs: pd.Series, epochs: pd.Series) -> bool:
    """Whether the epochs (n,) of every run, named by `runs` (n,), are 1, 2, 3 or 0, 1, 2 and so on, in any order of lines."""
    if epochs.isna().any():
        return False
    order = np.argsort(epochs.to_numpy(), kind="stable")
    by = epochs.iloc[order].groupby(runs.to_numpy()[order], sort=False)
    return all(len(own) > 1 and own.iloc[0] in (0, 1) and bool((own.diff().iloc[1:] == 1).all()) for _, own in by)


def _listed(runs: pd.Series, counter: pd.Series) -> bool:
    """Whether the rows of every run stand in the order of a listing of files: 1000, 10000, 2000."""
    if not bool((counter == np.round(counter)).all()):
        return False
    return all([f"{v:.0f}" for v in c] == sorted(f"{v:.0f}" for v in c) for _, c in counter.groupby(runs.to_numpy()))


def _varied(runs: pd.Series, rows: pd.DataFrame, counter: str, columns: list[str]) -> str:
    """Which of the settings in `columns` changes along a run as no schedule changes it; '' where none does.

    A learning rate falls after its warmup, a batch grows. In a log whose rows lie evenly a rate may do as it likes.
    """
    even = all(len(c) > 2 and evenly(c) for _, c in rows[counter].groupby(runs.to_numpy()))
    for column in columns:
        if column == "lr" and even:
            continue
        own = pd.DataFrame({"run": runs.to_numpy(), "at": rows[counter].to_numpy(), "is": rows[column].to_numpy()})
        own = own.dropna().sort_values(["run", "at"], kind="stable")
        by = own.groupby("run", sort=False)
        change = by["is"].diff()
        if column == "lr":
            odd = (change > 0) & (own["at"] > WARMUP * by["at"].transform("max"))
        else:
            odd = (change < 0) if column.startswith("batch") else (change.fillna(0.0) != 0)
        if odd.any():
            return column
    return ""


def own_plans(runs: Rows, key: pd.Series, rows: pd.DataFrame, mapping: Mapping, table: str) -> Rows | None:
    """Rows of one name or setting, by `key`, as runs where each was planned to a length of its own; None where they were not.

    Raises `MappingNeeded` where the plans rise evenly, as a counter does.
    """
    steps = mapping.guesses.get("steps")
    if steps is None or "planned" not in steps.how or not usable(rows, "steps"):
        return None
    by = rows["steps"].groupby(key)
    if (by.nunique() < by.size()).any() or not (1 < float(by.size().median()) < FEW):
        return None
    text = f"{steps.header!r} differs from row to row of one name or setting: are the rows runs of their own lengths, or checkpoints?"
    if by.size().min() > 2 and all(evenly(own) for _, own in by):
        raise MappingNeeded(f"{table}: {text}", (Question("rows", text, ("runs", "checkpoints"), "runs"),))
    why = "its planned steps differ from row to row"
    return Rows(runs.kind, runs.names, why=why, question=Question("rows", text, ("runs", "checkpoints"), "runs", False))


def if_in_order(history: Rows, runs: Rows, key: pd.Series, rows: pd.DataFrame, mapping: Mapping, table: str) -> Rows:
    """Rows as checkpoints where those of one run, by `key`, stand as a log has them; as runs where neither order nor settings do.

    Raises `MappingNeeded` where one of the two does. From `MANY` rows a run they are a log in any order.
    """
    c = history.progress
    if float(key.groupby(key).size().median()) >= MANY:
        return history
    odd = _varied(key, rows, c, [s for s in VARIED if s in rows and s in mapping.guesses])
    again = c == "steps" and "tokens" in rows and stands_in_order(key, rows["tokens"])  # of resumed runs
    ordered = again or stands_in_order(key, rows[c])
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
    if not odd and _listed(key, rows[c]):
        text = f"Rows of one name or setting stand in the order of names along {header!r}: are they checkpoints of one run, or runs?"
        return replace(history, question=Question("rows", text, ("checkpoints", "runs"), "checkpoints", False))
    guess = "checkpoints" if not odd and all(evenly(own) for _, own in rows[c].groupby(key)) else "runs"
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


def few_epochs(history: Rows, runs: Rows, key: pd.Series, rows: pd.DataFrame, mapping: Mapping, table: str) -> Rows:
    """Rows `of_one_training` as its checkpoints, with the question whether they are; raises as `if_in_order` does."""
    header = mapping.header(history.progress)
    text = (
        f"Rows of one setting count {header!r} from its first: are they checkpoints of one run, or runs of their own?"
    )
    asked = Question("rows", text, ("checkpoints", "runs"), "checkpoints", False)
    return if_in_order(replace(history, question=asked), runs, key, rows, mapping, table)
