"""Lines of a printed table below an empty one: which of their words stand under which of its columns."""

from __future__ import annotations

import math
import re

from data.cells.values import number

Rows = list[list[str]]

_WORDS = re.compile(r"\S+")
_FAR = 1_000_000  # beyond any line


def below(lines: list[str], at: int, cut: Rows, start: int, stop: int) -> Rows:
    """The cells of the lines from `start` to `stop` as they stand below the columns of `cut`, rows from line `at` on; [] for others.

    A line does where its words stand below at least two columns, none between them, with numbers where most cells are some.
    """
    spans = _spans(lines[at : at + len(cut)], cut)
    if not spans:
        return []
    body = [row for row in cut[1:] if len(row) == len(spans)]
    counted = {j for j in range(len(spans)) if body and 2 * sum(not math.isnan(number(r[j])) for r in body) > len(body)}
    out: Rows = []
    for line in lines[start:stop]:
        cells, sure = [""] * len(spans), True
        for m in _WORDS.finditer(line):
            over = [j for j, (a, b) in enumerate(spans) if a < m.end() and m.start() < b]
            sure = sure and len(over) == 1
            if sure:
                cells[over[0]] = f"{cells[over[0]]} {m[0]}".strip()
        filled = [j for j, c in enumerate(cells) if c]
        good = [j for j in filled if j in counted and not math.isnan(number(cells[j]))]
        fits = sure and len(filled) > 1 and good and 2 * len(good) >= len(counted & set(filled))
        out.append(cells if fits else [])
    return out


def _spans(lines: list[str], cut: Rows) -> list[tuple[int, int]]:
    """From where to where each column's cells stand, its name among them; [] where cells are not found in their lines."""
    width = len(cut[0])
    out: list[tuple[int, int]] = [(_FAR, 0)] * width
    for line, row in zip(lines, cut, strict=True):
        at = 0
        for j, cell in enumerate(row if len(row) == width else ()):
            found = line.find(cell, at) if cell else -1
            if cell and found < 0:
                return []
            if cell:
                at = found + len(cell)
                out[j] = min(out[j][0], found), max(out[j][1], at)
    return [] if any(a > b for a, b in out) else out


def edges_of(blank: list[bool], least: int) -> list[int]:
    """The positions behind runs of at least so many blank positions, those at either end aside."""
    out: list[int] = []
    j, widest = 0, len(blank)
    while j < widest:
        k = j
        while k < widest and blank[k]:
            k += 1
        if k - j >= least and j > 0 and k < widest:
            out.append(k)
        j = max(k, j + 1)
    return out
