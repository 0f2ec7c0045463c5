"""Which sign is the decimal one in a text table: evidence of each column is weighed, and a loss decides what is left open."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from data.cells.markup import words
from data.cells.values import decimal_sign, number, signs
from data.headers.names import loss_name
from data.table import Table

COMMA = "Numbers are written with a decimal comma."
_ROWS = 2_000
_CELLS = 20_000
_HEADERS = 40  # rows among which the header is looked for
_MOST = 1_000.0  # a loss or perplexity of thousands with three digits behind the sign is one of a few


def decimal_of(rows: Sequence[Sequence[str]], separator: str) -> str:
    """The decimal sign, '.' or ',', of the rows of a text table whose cells stand between `separator`.

    A column counts once, however many rows it has: one of losses such as 6.190 says nothing by itself where another of
    counts such as 70,451,200 says all. Where no column decides, losses are read as what a loss can be.
    """
    some = list(itertools.islice(rows, _ROWS))
    width = max(map(len, some), default=0)
    most = max(1, _CELLS // max(width, 1))
    columns = [[row[j] for row in some[:most] if j < len(row)] for j in range(min(width, _CELLS))]
    said = [signs(column) for column in columns]
    votes = {sign: sum(s[sign] > s[{",": ".", ".": ","}[sign]] for s in said) for sign in (",", ".")}
    if votes[","] != votes["."]:
        return "," if votes[","] > votes["."] else "."
    if votes["."]:
        return decimal_sign(itertools.chain.from_iterable(columns), separator)
    if not any(s["?"] for s in said):
        return "."
    for row in some[:_HEADERS]:
        for j, cell in enumerate(row[:width]):
            if not cell.strip() or len(cell) > 200 or loss_name(words(cell.strip())) is None:
                continue
            # Below the name, or behind it in a table on its side.
            for cells in (columns[j], row[1:]) if j == 0 else (columns[j],):
                possible = [s for s in (",", ".") if _can_be_losses(cells, s)]
                counted = signs(cells[:_CELLS])
                if len(possible) == 1 and (counted["?"] or counted["!"]):
                    return possible[0]
    return decimal_sign(itertools.chain.from_iterable(columns), separator)


def decimal_of_cells(rows: Sequence[Sequence[Any]]) -> str:
    """The decimal sign of the cells that are text, among others that are numbers already."""
    return decimal_of([[c if isinstance(c, str) else "" for c in row] for row in itertools.islice(rows, _ROWS)], ",")


def with_decimal_sign(table: Table) -> Table:
    """The table with the decimal sign that its cells of text speak for, and a note where it is the comma."""
    some = {h: table.first(h, _ROWS) for h in table.headers}
    texts = [h for h in table.headers if any(isinstance(c, str) and "," in c for c in some[h])]
    others = [h for h in table.headers if h not in texts and any(isinstance(c, str) and "." in c for c in some[h])]
    if not texts:
        return table
    columns = [some[h] for h in (*texts, *others)]
    if decimal_of_cells([[*texts, *others], *zip(*columns, strict=True)]) == ".":
        return table
    return replace(table, decimal=",", notes=(*table.notes, COMMA))


def _can_be_losses(cells: Sequence[str], decimal: str) -> bool:
    values = [v for v in (number(c, decimal) for c in cells if c.strip()) if v == v]
    return bool(values) and max(map(abs, values)) <= _MOST
