"""Tables of the same columns under headings: whether the same runs stand there again with other losses, and what tells them apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from data.cells.markup import words
from data.cells.values import number
from data.headers.headings import HEADING, names_a_setting, numbered, says_unit, says_where_measured, unused
from data.headers.names import loss_name, named
from data.schema import COUNTS

__all__ = ["HEADING", "clash", "repeated", "says_unit", "says_unused", "told_apart"]

_MOST = 50  # tables that are compared with each other
_AGAIN = 0.5  # the share of a table's runs that stand in another one too
Rows = Sequence[Sequence[Any]]


def says_unused(heading: str) -> bool:
    """Whether a heading says that the rows below it do not count."""
    return bool(unused(heading))


def clash(headings: Sequence[str], columns: Sequence[str], tables: Sequence[Rows]) -> bool:
    """Whether two tables name the same runs, alike in all but the loss, with other losses, and no setting stands in a heading.

    Where no column names runs, those of one size and the same data are the same under headings of splits and texts.
    """
    losses = {j for j, h in enumerate(columns) if loss_name(h) is not None}
    called = [j for j, h in enumerate(columns) if any(c in ("run", "family") for c, _ in named(h))]
    if len(tables) > _MOST or all(map(names_a_setting, headings)):
        return False
    if not called and not (sized(columns) and any(map(says_where_measured, headings))):
        return (
            False  # without names the same size and data are the same run where headings say where losses were measured
        )
    names = [words(str(row[j])[:200]) for j in called for rows in tables for row in rows if j < len(row) and row[j]]
    sizes = sum(not math.isnan(number(n)) for n in names) > len(names) / 2
    if sizes and not any(map(says_where_measured, headings)):
        return False  # families of models by their sizes
    losses = losses or {len(columns) - 1}
    found = []
    for rows in tables:
        own: dict[tuple[str, ...], tuple[str, ...]] = {}
        for row in rows:
            cells = _cells(row)
            key = tuple(c for j, c in enumerate(cells) if j not in losses)
            own[key] = tuple(c for j, c in enumerate(cells) if j in losses)
        found.append(own)
    for one, other in combinations(found, 2):
        again = [k for k in one if k in other and one[k] != other[k]]
        if again and len(again) >= _AGAIN * min(len(one), len(other)):
            return True
    return False


def sized(columns: Sequence[str]) -> bool:
    """Whether columns say both how large a run's model is and how far it was trained."""
    meant = {c for h in columns for c, _ in named(h)[:1]}
    return bool(meant & set(COUNTS)) and bool(meant & {"tokens", "flops", "steps", "samples"})


def repeated(columns: Sequence[str], tables: Sequence[Mapping[int, Sequence[Any]]]) -> dict[int, int]:
    """The rows of each table, by their positions, that agree wholly with one of an earlier table, and the first such row.

    Where no column names runs, rounded losses agree by chance: there at least half of one of the two tables must stand again.
    """
    called = any(c in ("run", "family") for h in columns for c, _ in named(h)[:1])
    out: dict[int, int] = {}
    seen: list[dict[tuple[str, ...], int]] = []
    for table in tables if 1 < len(tables) <= _MOST else ():
        own: dict[tuple[str, ...], int] = {}
        for i, row in table.items():
            own.setdefault(_cells(row), i)
        for other in seen:
            again = [key for key in own if key in other]
            if called or (len(again) > 1 and len(again) >= _AGAIN * min(len(own), len(other))):
                out |= {own[key]: other[key] for key in again if own[key] not in out}
        seen.append(own)
    return {i: out.get(j, j) for i, j in out.items()}


def _cells(row: Sequence[Any]) -> tuple[str, ...]:
    """The texts of a row's cells, up to the last that holds something."""
    cells = [words(str(c).strip()[:200]).casefold() if c is not None else "" for c in row]
    while cells and not cells[-1]:
        cells.pop()
    return tuple(cells)


def told_apart(tables: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """A heading of its own for each table: the one above it, the lines further up where those are alike, else its number."""
    out = [heading for heading, _ in tables]
    if len(set(out)) < len(out) or not all(out):
        longer = [" / ".join(above)[:80] or heading for heading, above in tables]
        out = longer if len(set(longer)) == len(longer) and all(longer) else out
    alike = len(set(out)) < len(out)
    return [numbered(h, i) if alike or not h else h for i, h in enumerate(out, start=1)]
