"""Runs that a file itself says are held out of fits: a column `role`, `split` or `held out` that says it plainly."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from data.cells.yes_no import clear
from data.errors import DataError
from data.schema import FITTED, HELD_OUT, Provenance

_ROLE = re.compile(r"(?:(?:run|fit|fitting|row) )?roles?")
_SPLIT = re.compile(r"(?:(?:fit|fitting|run) )?(?:split|set)")
_FLAG = re.compile(r"(?:is )?(?:held ?out|hold ?out)(?: run)?")
_OUT = frozenset(("held out", "heldout", "holdout", "hold out", "held back", "withheld"))
_IN = frozenset(
    (
        "fitted",
        "fit",
        "fitting",
        "in fit",
        "in the fit",
        "used in fit",
        "used for fit",
        "used for fitting",
        "for fitting",
        "in sample",
    )
)
_TRAIN = frozenset(("train", "training", "used", "in"))  # of a run, where the column is its role; of a loss elsewhere
_TEST = frozenset(
    (
        "test",
        "testing",
        "validation",
        "val",
        "valid",
        "eval",
        "evaluation",
        "forecast",
        "prediction",
        "extrapolation",
        "out of sample",
        "out",
    )
)  # of a run, where a person has named the column, or its role is train or fitted otherwise
_OTHERS = frozenset(
    (
        "teacher",
        "student",
        "worker",
        "master",
        "leader",
        "follower",
        "baseline",
        "ours",
        "proxy",
        "target",
        "draft",
        "verifier",
    )
)  # roles of models and of machines, which say nothing of a fit

_ROLES = _OUT | _IN | _TRAIN | _TEST | {""}

# `held-out run`, `the held out set`, `held out for testing`: as `held out` alone.
_AROUND = re.compile(r"^(?:the|is|was) | (?:run|row|point|set)s?$|(?<=out) (?:for|from|of) .*$")

# How notes on a column of roles go on where it holds no run out, or where others of its words than those known are of runs fitted.
NOT_READ, NOT_ROLES = "no run is held out by it", "it is not read as their roles"
OTHERS_FITTED = "these are held out, all others fitted"
DOUBTED = (NOT_READ, NOT_ROLES, OTHERS_FITTED)
NONE_LEFT = "which leaves none to fit: it is left out of account"
WRITE = f"Write {HELD_OUT!r} in the rows meant and {FITTED!r} in the others"
MOST_SAID = 3  # words of a column that are said one by one


class Cells(Protocol):
    """What is read of a table: its headers, and its cells as text."""

    @property
    def headers(self) -> tuple[str, ...]:
        """The names of its columns."""

    def text(self, header: str) -> pd.Series:
        """The column under `header` (n,) as text, '' where nothing is written."""


@dataclass(frozen=True, eq=False)
class Roles:
    """`header` is the column that says it, `role` (n,) that of each row."""

    header: str
    role: np.ndarray

    @property
    def source(self) -> Provenance:
        """How the column `role` was got."""
        return Provenance("role", self.header, "its cells say which runs are held out")


def roles(
    table: Cells,
    taken: Collection[str],
    named: str | None,
    rows_are_runs: bool,
    notes: list[str],
    runs: pd.Series | None = None,
) -> Roles | None:
    """What the table says of rows held out; None where it says nothing.

    `named` is the column that a person says it is. Another counts only where every cell is one of the words, or blank, which
    is fitted; under `role` also where some say held out in so many words and none `test`. Only where `rows_are_runs`, since they
    may speak of a loss, does a yes and no under `held out` count, and under `role` `train`, words not known, and `test` in fewer
    than half of the runs beside `train` or `fitted`. So it does where rows are checkpoints of the `runs` (n,), if a column says one
    thing of each. Columns in `taken` hold something else. Raises DataError for a cell of `named` that says neither.
    """
    if named is not None:
        return _read(table, named, _OUT | _TEST, _IN | _TRAIN, notes, sure=True)
    for header in (h for h in table.headers if h not in taken):
        found = None
        if _ROLE.fullmatch(words := _words(header)) or _SPLIT.fullmatch(words):
            said = _of_runs([_said(c) for c in table.text(header)], runs) if runs is not None or rows_are_runs else None
            trained = said is not None and bool(_ROLE.fullmatch(words))
            out = _OUT | _TEST if trained and _parts_runs(said or []) else _OUT
            found = _read(table, header, out, _IN | _TRAIN if trained else _IN, notes, of_runs=trained)
        elif (rows_are_runs or runs is not None) and _FLAG.fullmatch(words):
            flags = clear(table.text(header))
            if flags and _of_runs([str(a) for a in flags], runs) is not None:
                found = _held(header, np.array([a is True for a in flags], dtype=bool), notes)
        if found is not None:
            return found
    return None


def _of_runs(said: list[str], runs: pd.Series | None) -> list[str] | None:
    """What is said of each run, where rows are runs or the checkpoints of `runs`; None where several things are said of one."""
    if runs is None:
        return said
    each = dict(zip(runs, said, strict=True))
    return list(each.values()) if all(each[run] == s for run, s in zip(runs, said, strict=True)) else None


def held_out_rows(frame: pd.DataFrame, taken: Collection[str] = ()) -> tuple[np.ndarray, list[str]]:
    """Which rows (n,) of a frame are held out, as `roles` reads it, and the columns that say nothing but roles.

    Rows are runs, or the checkpoints of those in a column `run` that repeats names. A column `role` that says held out of some
    rows holds these out whatever it says of others.
    """
    run = frame["run"] if "run" in frame and isinstance(frame["run"], pd.Series) else None
    again = run is not None and bool(run.duplicated().any())
    cells = _Frame(frame)
    spoken = [
        h
        for h in cells.headers
        if h not in taken and _ROLE.fullmatch(_words(h)) and {_said(c) for c in cells.text(h)} <= _ROLES
    ]
    found = roles(cells, taken, None, not again, [], run if again else None)
    if found is not None:
        return np.asarray(found.role == HELD_OUT, dtype=bool), list(dict.fromkeys([*spoken, found.header]))
    if "role" in frame and isinstance(frame["role"], pd.Series):
        return np.array([isinstance(cell, str) and _said(cell) in _OUT for cell in frame["role"]], dtype=bool), spoken
    return np.zeros(len(frame), dtype=bool), spoken


@dataclass(frozen=True, eq=False)
class _Frame:
    """The cells of a data frame."""

    frame: pd.DataFrame

    @property
    def headers(self) -> tuple[str, ...]:
        """The names of columns that are one of their name."""
        named = [c for c in self.frame.columns if isinstance(c, str)]
        return tuple(c for c in named if named.count(c) == 1)

    def text(self, header: str) -> pd.Series:
        """The column under `header` as text, '' where nothing is written."""
        cells = self.frame[header]
        return cells.astype(object).where(cells.notna(), "").astype(str)


def _read(
    table: Cells,
    header: str,
    out: frozenset[str],
    fitted: frozenset[str],
    notes: list[str],
    *,
    sure: bool = False,
    of_runs: bool = False,
) -> Roles | None:
    said = [_said(cell) for cell in table.text(header)]
    held = np.array([s in out for s in said], dtype=bool)
    other = next((s for s in said if s and s not in out and s not in fitted), None)
    if other and sure:
        raise DataError(
            f"{header!r} says {other!r:.40}; a role is {FITTED!r} or {HELD_OUT!r}. {WRITE}, or name another column."
        )
    if other and held.any():
        first = f"{header!r} says {other!r:.40} of some rows and held out of others"
        if of_runs and not held.all() and not _TEST & set(said):
            notes.append(f"{first}: {OTHERS_FITTED}. {WRITE} if others are meant.")
            return _held(header, held, notes)
        notes.append(f"{first}: {NOT_ROLES}. {WRITE}.")
    elif other and (any(s in fitted for s in said) or (of_runs and not _OTHERS & set(said))):
        notes.append(_unread(table, header, said, fitted))
    return None if other else _held(header, held, notes)


def _parts_runs(said: list[str]) -> bool:
    """Whether some runs say test and more say train, or fitted, and none anything else: losses of two splits are as many of each."""
    tests = sum(s in _TEST | _OUT for s in said)
    fitted = any(s in _TRAIN | _IN for s in said)
    return fitted and 0 < 2 * tests < len(said) and all(not s or s in _TEST | _OUT | _TRAIN | _IN for s in said)


def _unread(table: Cells, header: str, said: list[str], fitted: frozenset[str]) -> str:
    """That no run is held out by a column of some words for it, which words those are, and how to say which are."""
    first = dict(zip(reversed(said), reversed(list(table.text(header))), strict=True))
    listed = [f"{first[s].strip()!r:.40}" for s in dict.fromkeys(said) if s and s not in fitted]
    words = (
        f"{', '.join(listed[:MOST_SAID])}{f' and {len(listed) - MOST_SAID} more' if len(listed) > MOST_SAID else ''}"
    )
    beside = next((f" beside {first[s].strip()!r:.40}" for s in said if s in fitted), "")
    how = (
        f"Name it as the column role (columns={{'role': {header!r}}}) to hold those rows out"
        if all(s in _TEST | fitted for s in said if s) and not all(s in _TEST for s in said)
        else f"{WRITE} to hold them out"
    )
    of = "of every row" if len(set(said)) == 1 else f"of some rows{beside}"
    return f"{header!r} says {words} {of}, and {NOT_READ}. {how}."


def _held(header: str, held: np.ndarray, notes: list[str]) -> Roles | None:
    if held.all():
        notes.append(f"{header!r} holds every row out, {NONE_LEFT}.")
    return None if held.all() or not held.any() else Roles(header, np.where(held, HELD_OUT, FITTED).astype(object))


def _said(cell: str) -> str:
    """The words of a cell without those around them that make no difference."""
    return _AROUND.sub("", _AROUND.sub("", _words(cell)))


def _words(text: str) -> str:
    return " ".join(re.sub(r"[^a-z]+", " ", text.lower()).split())
