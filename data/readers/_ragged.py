"""Rows of a text table with more cells than the header: a separator inside a value moved what stands behind it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from data.errors import ReadError

Row = Sequence[Any]


def lacks_first(header: Row, body: Sequence[Row], is_empty: Callable[[Any], bool]) -> bool:
    """Whether the header says nothing of the first column, the numbers or names of the rows, as R writes tables."""
    width = _width(header, is_empty)
    if len(header) != width or not body or any(_width(row, is_empty) != width + 1 for row in body):
        return False
    first, second = ([str(row[j]).strip() for row in body] for j in (0, 1))
    if all(re.fullmatch(r"[0-9]{3}", cell) for cell in second):
        return False  # 1,000: a number with a comma in it
    return first in ([str(i) for i in range(start, start + len(body))] for start in (0, 1))


def doubled(header: Row, body: Sequence[Row], is_empty: Callable[[Any], bool]) -> list[int]:
    """The positions of blank names that no column belongs to, as two tabs between names leave them: every row lacks as many."""
    width = _width(header, is_empty)
    blank = [j for j in range(1, width) if is_empty(header[j])]
    return blank if blank and body and all(_width(row, is_empty) == width - len(blank) for row in body) else []


def misfits(header: Row, body: Sequence[Row], name: str, is_empty: Callable[[Any], bool]) -> dict[int, str]:
    """The positions in `body` of the rows with more cells than the header, each with the reason to set it aside.

    Blank cells at the end are none. Raises ReadError when every row is longer: then no column is known.
    """
    width = _width(header, is_empty)
    out: dict[int, str] = {}
    for i, row in enumerate(body):
        if len(row) <= width:
            continue
        n = _width(row, is_empty)
        # A remark without a column name may stand behind the columns where the header ends in a separator too.
        if n > width and (len(row) > len(header) or _is_digits(row[n - 1])):
            out[i] = f"more cells than column names ({n} under {width}): a separator may stand inside a value"
    if out and len(out) == len(body):
        n = _width(body[0], is_empty)
        raise ReadError(
            f"{name} has more cells in every row ({n} in the first) than column names ({width}); "
            "put quotes around values with a separator inside, or name every column."
        )
    return out


def _width(row: Row, is_empty: Callable[[Any], bool]) -> int:
    n = len(row)
    while n and is_empty(row[n - 1]):
        n -= 1
    return n


def _is_digits(cell: Any) -> bool:
    return isinstance(cell, str) and bool(re.fullmatch(r"\s*[+-]?[0-9.]+([eE][+-]?[0-9]+)?\s*", cell))
