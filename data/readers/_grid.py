"""From rows of cells to a table: where the header is, which rows repeat it, which are headings and which are blank."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from data.cells.markup import words
from data.cells.values import _is_blank, number
from data.errors import ReadError
from data.headers.names import recognised
from data.middle import median
from data.plural import plural
from data.readers._apart import apart
from data.readers._beside import parted
from data.readers._curves import heads_curves
from data.readers._header_rows import join_header_columns, join_header_rows
from data.readers._limits import MAX_TEXT, check_shape
from data.readers._matrix import matrix
from data.readers._ragged import doubled, lacks_first, misfits
from data.readers._sections import sections
from data.readers._tables import one_table
from data.readers._transposed import TURNED, lies_on_its_side, turned
from data.readers._unit_rows import is_unit_row
from data.readers._wide import wide
from data.table import Table, kept_of, unique

_SAID = 4  # lines of words above and below a table that may say what it holds
_LOOK = 40  # rows among which the header is looked for
Rows = Sequence[Sequence[Any]]
_LONGEST_SIDE = 1_000  # rows of a table that may lie on its side


def grid(
    rows: Sequence[Sequence[Any]],
    *,
    name: str,
    format: str,
    notes: Sequence[str] = (),
    decimal: str = ".",
    separated: bool = False,
    hidden: Collection[int] = (),
) -> Table:
    """The table in rows of cells, as a text file or a sheet holds them. Raises ReadError when there is none.

    `separated` says that cells were cut at a sign, so that one too many moves those behind it; `hidden` are the positions of rows that
    the file does not show.
    """
    rows, said = parted(rows)
    rows, also, copies = one_table(rows, decimal)
    notes = [*notes, *said, *also]
    lines = [i for i, row in enumerate(rows) if not all(map(_is_empty, row)) and not _is_ruled(row)]
    if not lines:
        raise ReadError(f"{name} is empty; expected a table with one row per training run.")
    above, below = _words_around(rows, lines)
    around = [*above, *below]
    rows, named_by = join_header_rows(rows, lines, decimal)
    if named_by > 1:
        notes.append(f"The column names stand in {named_by} rows, which were joined.")
        lines = [i for i in lines if not all(map(_is_empty, rows[i]))]
    spread = matrix([rows[i] for i in lines], lines, decimal) if len(lines) < _LONGEST_SIDE else None
    if spread:
        rows, origin, note = spread
        notes, lines = [*notes, note], list(range(len(rows)))
    sideways: Rows = [rows[i] for i in lines] if len(lines) < _LONGEST_SIDE else []
    sideways = join_header_columns(sideways, decimal) if named_by < 2 else sideways
    if lies_on_its_side(sideways, decimal) == "yes":
        rows = turned(sideways, decimal)
        notes.append(TURNED)
        lines = list(range(len(rows)))
        separated = False
    width = max(len(rows[i]) for i in lines)
    check_shape(name, len(lines), width)
    at = _header_row([rows[i] for i in lines[:_LOOK]], width, decimal)
    headers, body, before = _headed(rows, lines, at, width, decimal, notes)
    above, around = (before, [*before, *around]) if at else (above, around)
    odd: dict[int, str] = {}
    if separated and at is not None:
        headers, odd = _with_its_cells(rows, lines[at], body, headers, name, notes)
    columns = _columns(rows, body, width)
    filled = [j for j in range(width) if headers[j] or not all(_is_empty(c) for c in columns[j])]
    names = unique([words(headers[j]) for j in filled])
    frame, kept = kept_of(names, [columns[j] for j in filled], len(body))
    at_lines = np.asarray([origin[i] for i in body] if spread else body, dtype=np.int64) + 1
    marked = {i + 1: "hidden" for i in hidden}
    copies = {} if TURNED in notes else {i + 1: j + 1 for i, j in copies.items()}
    said_around = tuple(t for t in dict.fromkeys(around) if t)
    table = Table(frame, name, format, at_lines, tuple(notes), decimal, misfits=odd, kept=kept)
    table = replace(table, said=said_around, above=tuple(above), marked=marked, copies=copies)
    return wide(apart(sections(table)))


def _headed(
    rows: Rows, lines: list[int], at: int | None, width: int, decimal: str, notes: list[str]
) -> tuple[list[str], list[int], list[str]]:
    """The column names (width,) of the header `at` that place of `lines`, the lines below it, and what those before it say."""
    if at is None:
        notes.append("The file has no row of column names.")
        return [f"column {i}" for i in range(1, width + 1)], lines, []
    headers = [_text(c) for c in rows[lines[at]]] + [""] * (width - len(rows[lines[at]]))
    body = lines[at + 1 :]
    before = [_text(" ".join(map(_text, rows[i]))) for i in lines[max(0, at - _SAID) : at]]
    if at:
        left = f"{plural(at, 'line')} before them {_were(at)} left out."
        notes.append(f"The column names are in line {lines[at] + 1}; {left}")
    if body and is_unit_row(rows[body[0]], decimal):
        units = [_text(c) for c in rows[body[0]]]
        headers = [f"{h} ({u})" if u else h for h, u in zip(headers, units + [""] * width, strict=False)]
        body = body[1:]
        notes.append("The second line holds the units.")
    plain = [h.casefold() for h in headers]
    repeated = {i for i in body if _repeats(rows[i], plain)}
    if repeated:
        body = [i for i in body if i not in repeated]
        again_row = plural(len(repeated), "repeated row")
        notes.append(f"{again_row} of column names {_were(len(repeated))} left out.")
    return headers, body, before


def _with_its_cells(
    rows: Rows, at: int, body: list[int], headers: list[str], name: str, notes: list[str]
) -> tuple[list[str], dict[int, str]]:
    """The column names over the cells that they head, where lines were cut at a sign, and why lines fit none of it."""
    header, cells = rows[at], [rows[i] for i in body]
    if lacks_first(header, cells, _is_empty):
        notes.append("The first column has no name; the column names stand above the others.")
        return ["", *headers[:-1]], {}
    if gone := doubled(header, cells, _is_empty):
        notes.append("Separators between the column names stand twice: the names were counted without the blank ones.")
        return [h for j, h in enumerate(headers) if j not in gone] + [""] * len(gone), {}
    return headers, {body[i] + 1: reason for i, reason in misfits(header, cells, name, _is_empty).items()}


def _words_around(rows: Rows, lines: list[int]) -> tuple[list[str], list[str]]:
    """What the lines of words right above the table say, and those below it."""

    def alone(i: int) -> bool:
        return sum(not _is_empty(c) for c in rows[i]) == 1

    first = next((k for k, i in enumerate(lines) if not alone(i)), len(lines))
    last = next((k for k in range(len(lines) - 1, -1, -1) if not alone(lines[k])), -1)
    below = lines[last + 1 : last + 1 + _SAID] if last >= first else []
    one, other = (
        [next(_text(c) for c in rows[i] if not _is_empty(c)) for i in at]
        for at in (lines[max(0, first - _SAID) : first], below)
    )
    return one, other


def _columns(rows: Sequence[Sequence[Any]], body: list[int], width: int) -> list[list[Any]]:
    padded = [r if len(r) == width else [*r, *[""] * (width - len(r))] for r in (rows[i] for i in body)]
    return [list(c) for c in zip(*padded, strict=True)] if padded else [[] for _ in range(width)]


def _header_row(rows: list[Sequence[Any]], width: int, decimal: str) -> int | None:
    """The position of the row of column names, or None when even the first rows are data."""
    best, best_score = None, 0.0
    usual = median([sum(not _is_empty(c) for c in r) for r in rows])
    for i, row in enumerate(rows):
        texts = [_text(c) for c in row if not _is_empty(c)]
        if heads_curves(texts):
            return i
        named = [t for t in texts if np.isnan(number(t, decimal)) and len(t) < 300]
        if not texts or len(named) < max(1, 0.6 * len(texts)) or len(texts) < 0.5 * min(usual, width):
            continue
        known = sum(recognised(words(t)) for t in named[:200])
        # Names that are known decide; among equals the fuller row, and then the earlier one.
        score = known + 0.5 * len(set(named)) / width + (0.25 if i == 0 else 0.0) + (0.01 if len(texts) > 1 else 0.0)
        if score > best_score + 1e-9:
            best, best_score = i, score
    return best


def _repeats(row: Sequence[Any], headers: list[str]) -> bool:
    if headers[0] and row and isinstance(row[0], str) and row[0] and not row[0].isspace():
        cell = row[0].casefold()
        if cell != headers[0] and " ".join(cell[:MAX_TEXT].split()) != headers[0]:
            return False  # nearly every row, said quickly
    first = next((j for j, c in enumerate(row) if not _is_empty(c)), len(row))
    if first >= len(headers) or _text(row[first]).casefold() != headers[first]:
        return False
    filled = [(j, _text(c).casefold()) for j, c in enumerate(row) if not _is_empty(c)]
    return len(filled) >= 2 and all(j < len(headers) and text == headers[j] for j, text in filled)


def _is_ruled(row: Sequence[Any]) -> bool:
    """Whether the row is the line below the header of a Markdown table."""
    if row and isinstance(row[0], str) and row[0][:1].isalnum():
        return False  # nearly every row, said quickly
    first = next((c for c in row if not _is_empty(c)), None)
    if not isinstance(first, str) or not _RULE.fullmatch(first.strip()):
        return False
    return all(_is_empty(c) or (isinstance(c, str) and _RULE.fullmatch(c.strip())) for c in row)


_RULE = re.compile(r":?-{2,}:?")


def _is_empty(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and (not cell or cell.isspace()))


def _text(cell: Any) -> str:
    return "" if cell is None or _is_blank(cell) else " ".join(str(cell)[:MAX_TEXT].split())


def _were(n: int) -> str:
    return "was" if n == 1 else "were"
