"""Which sign is the decimal one in a text table: evidence of each column is weighed, and a loss decides what is left open."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from data.cells import decimal_sign, number, signs
from data.markup import words
from data.names import loss_name

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


def _can_be_losses(cells: Sequence[str], decimal: str) -> bool:
    values = [v for v in (number(c, decimal) for c in cells if c.strip()) if v == v]
    return bool(values) and max(map(abs, values)) <= _MOST
