"""Cells that answer a header with yes or no, as people and programs write it; a cell that does neither speaks for itself alone."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from data.cells.cleaned import clean
from data.cells.digits import plain_number
from data.cells.markup import words
from data.states import words as state_words

_SAID = {
    **dict.fromkeys((w.strip() for w in state_words.YES.split(",")), True),
    **dict.fromkeys((w.strip() for w in state_words.NO.split(",")), False),
}
_NOTHING = frozenset(("-", "—", "–", "?", "nan", "none", "null", "n/a", "na", "tbd", "<na>"))
#: What stands behind an answer: `no (diverged)`, `no: OOM`.
_BEHIND = re.compile(r"\s*(?:[(,;:–—]|[.!]+$|\s-+\s)\s*(.*?)\)?\s*$")
_TICKS = frozenset("✓✔✅☑")


@dataclass(frozen=True)
class Answers:
    """A column (n,) read as answers: `said` yes, no or None; `behind` what stands behind the answer, '' where nothing does.

    `other` are the cells that are neither an answer nor empty. `ticked`: every cell is a tick or empty, as in a list.
    `counts`: cells are numbers, others than 0 and 1 among them.
    """

    said: list[bool | None]
    behind: list[str]
    other: list[str]
    ticked: bool = False
    counts: bool = False

    def __bool__(self) -> bool:
        """Whether some cell is an answer."""
        return any(a is not None for a in self.said)


def written(column: pd.Series) -> list[str]:
    """The cells of a column (n,) as text, '' where nothing is said."""
    cells = [
        "" if c is pd.NA or c != c or c is None else clean(str(c).replace("\ufe0f", "").strip())
        for c in column.astype(object)
    ]
    return ["" if c.lower() in _NOTHING else c for c in cells]


def answers(column: pd.Series) -> Answers:
    """What each cell answers. An x is a tick among empty cells and a cross among ticks."""
    cells = written(column)
    cells = [words(c) or c if any(sign in c for sign in "*_`") else c for c in cells]
    plain = [_BEHIND.sub("", c).lower() for c in cells]
    known = {p: _SAID[p] for p in set(plain) if p in _SAID}
    if "x" in plain:
        known["x"] = not known
    ticks = {p for p in plain if p}
    said = [known.get(p) for p in plain]
    behind = [m[1] if a is not None and (m := _BEHIND.search(c)) else "" for c, a in zip(cells, said, strict=True)]
    other = [c for c, a in zip(cells, said, strict=True) if c and a is None]
    counts = any(map(_is_number, other)) and all(_is_number(p) for p in known)
    return Answers(said, behind, other, bool(ticks) and (ticks == {"x"} or ticks <= _TICKS), counts)


def clear(column: pd.Series) -> list[bool | None] | None:
    """Each cell as yes or no, None where nothing is written; no list where some cell is neither."""
    found = answers(column)
    return found.said if found and not found.other and not found.counts else None


def _is_number(cell: str) -> bool:
    return not math.isnan(plain_number(cell, "."))


def shown(cells: Iterable[str]) -> str:
    """The first of some cells, for a sentence."""
    cell = " ".join(next(iter(cells)).split())[:30]
    return repr(cell) if cell else "a blank cell"
