"""Jupyter notebooks (.ipynb): the tables that their cells print, the first that holds runs before the others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from data.errors import ReadError
from data.headers.names import loss_name, named
from data.readers import delimited, html
from data.readers._limits import MAX_TEXT
from data.readers._text import decode, is_text
from data.schema import COUNTS
from data.table import Table

title = "a notebook"
suffixes: tuple[str, ...] = ()  # in a folder of runs a notebook is a report, not a table

_MOST = 200  # outputs and texts of a notebook that are looked at
_LONGEST = 20 * MAX_TEXT  # characters of one of them
_SIZED = frozenset((*COUNTS, "tokens", "flops", "steps"))


def claims(content: bytes, name: str) -> float:
    """A JSON document that says which format of notebooks it follows."""
    start = content.lstrip()[:1] == b"{" and is_text(content)
    return 0.95 if start and b'"nbformat"' in content and b'"cells"' in content else 0.0


def read(content: bytes, name: str) -> Table:
    """The table of runs among those that the notebook shows. Raises ReadError where it shows none."""
    text, _ = decode(content)
    try:
        book = json.loads(text)
    except ValueError as e:
        raise ReadError(f"{name} is a damaged notebook ({type(e).__name__}).") from None
    tables: list[tuple[int, Table]] = []
    for at, shown, page in _shown(book):
        try:
            found = (html if page else delimited).read(shown.encode("utf-8", "replace"), name)
        except ReadError:
            continue
        if len(found.frame) and len(found.headers) > 1 and any(named(h) or loss_name(h) for h in found.headers):
            tables.append((at, found))
    if not tables:
        raise ReadError(
            f"{name} is a notebook whose cells show no table of runs; run it so that it prints one, or export the table as CSV."
        )
    at, best = max(tables, key=lambda t: (_score(t[1]), -tables.index(t)))
    more = (
        f"; {len(tables) - 1} other {'table was' if len(tables) == 2 else 'tables were'} left out"
        if len(tables) > 1
        else ""
    )
    note = f"The table that cell {at} of the notebook shows was read{more}."
    return replace(best, format="notebook", notes=(note, *best.notes))


def _score(table: Table) -> tuple[bool, bool]:
    """Whether a table can hold runs: a loss with numbers beside a count, or one of them."""
    loss = any(loss_name(h) is not None and table.numbers(h).share > 0.5 for h in table.headers)
    count = any(c in _SIZED and sure >= 0.6 for h in table.headers for c, sure in named(h)[:1])
    return loss and count, loss


def _shown(book: Any) -> Iterator[tuple[int, str, bool]]:
    """What the cells show, with the number of the cell and whether it is a web page: a frame's table before its plain text."""
    cells = book.get("cells") if isinstance(book, dict) else None
    n = 0
    for at, cell in enumerate(cells if isinstance(cells, list) else (), start=1):
        if not isinstance(cell, dict):
            continue
        found: list[tuple[str, bool]] = []
        if cell.get("cell_type") == "markdown":
            found.append((_joined(cell.get("source")), False))
        outputs = cell.get("outputs")
        for output in outputs if isinstance(outputs, list) else ():
            data = output.get("data") if isinstance(output, dict) else None
            page = _joined(data.get("text/html")) if isinstance(data, dict) else ""
            if "<table" in page:
                found.append((page, True))
            elif isinstance(data, dict):
                found.append((_joined(data.get("text/markdown")) or _joined(data.get("text/plain")), False))
            elif isinstance(output, dict):
                found.append((_joined(output.get("text")), False))
        for text, is_page in found:
            if (is_page or "\n" in text) and len(text) <= _LONGEST:
                yield at, text, is_page
                n += 1
            if n >= _MOST:
                return


def _joined(text: Any) -> str:
    """What a notebook holds as one text or as a list of lines."""
    if isinstance(text, list):
        return "".join(line for line in text if isinstance(line, str))
    return text if isinstance(text, str) else ""
