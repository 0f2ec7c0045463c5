"""Columns of printed text that the numbers show and the names above them do not: names of several words, one space apart."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from data.cells.markup import words
from data.headers.names import recognised

_APART = re.compile(r"\S+(?: \S+)*")
_WORDS = re.compile(r"\S+")
_MOST_WORDS = 60  # of one header
_MOST_COLUMNS = 40
Span = tuple[int, int]


def by_body(lines: Sequence[str]) -> list[list[str]] | None:
    """The lines cut where the rows below the header are, its words shared out to the columns they stand above; or None.

    Where a word may belong to either of two columns, that which makes more names known decides.
    """
    spans = [[m.span() for m in _APART.finditer(line)] if line.strip("-") else [] for line in lines[1:]]
    width = max(map(len, spans), default=0)
    if not 2 <= width <= _MOST_COLUMNS or any(len(row) not in (0, 1, width) for row in spans):
        return None
    body = [row for row in spans if len(row) == width]
    columns = [(min(row[j][0] for row in body), max(row[j][1] for row in body)) for j in range(width)]
    if any(a[1] > b[0] for a, b in itertools.pairwise(columns)):
        return None
    head = [m.span() for m in _WORDS.finditer(lines[0])]
    if not width - 1 <= len(head) <= _MOST_WORDS:
        return None
    names = max((_shared(lines[0], head, columns[k:]) for k in (0, 1)), key=lambda n: n[0])
    if names[0] < 2:
        return None
    lacking = width - len(names[1])
    cells = [[line[a:b] for a, b in row] for line, row in zip(lines[1:], spans, strict=True)]
    cells = [row if row or not line.strip() else [line.strip()] for row, line in zip(cells, lines[1:], strict=True)]
    return [[""] * lacking + names[1], *cells]


def _shared(line: str, head: Sequence[Span], columns: Sequence[Span]) -> tuple[float, list[str]]:
    """The header's words parted into as many names as there are columns, each above its own, and how many are known."""
    none: tuple[float, list[str]] = (0.0, [])
    best: list[tuple[float, list[str]] | None] = [(0.0, [])] + [None] * len(head)  # by the words that are used
    for low, high in columns:
        after: list[tuple[float, list[str]] | None] = [None] * (len(head) + 1)
        for i, here in enumerate(best):
            if here is None:
                continue
            for k in range(i, min(i + 8, len(head))):
                start, stop = head[i][0], head[k][1]
                if start >= high:
                    break
                if stop <= low:
                    continue
                name = line[start:stop]
                points = here[0] + recognised(words(name)) - (1.0 if name[0] in "([" else 0.0)
                points -= 1e-3 * min(abs(start - low), abs(stop - high))
                found = after[k + 1]
                if found is None or points > found[0]:
                    after[k + 1] = points, [*here[1], name]
        best = after
    return best[-1] or none
