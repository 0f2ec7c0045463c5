"""Tables of a web page: rows and cells by their tags, cells over several columns or rows as merged cells."""

from __future__ import annotations

import html
import re

from data.errors import ReadError
from data.readers._decimal import decimal_of
from data.readers._grid import grid
from data.readers._limits import MAX_CELLS, MAX_COLUMNS, MAX_TEXT
from data.readers._text import decode, is_text, without_comments
from data.table import Table

title = "a web page with a table"
suffixes: tuple[str, ...] = ()  # in a folder of runs a page is a report, not a table

_TAG = re.compile(r"<(/?)(table|tr|td|th|caption|h[1-6]|script|style)\b([^<>]{0,2000})>", re.IGNORECASE)
_OTHER = re.compile(
    r"</?(?:a|div|img|input|label|svg|path|button|ul|li|ol|thead|tbody|tfoot|col|colgroup)\b[^<>]{0,2000}>", re.I
)
_HIDDEN = re.compile(
    r"\bdisplay\s*:\s*none|\bvisibility\s*:\s*(?:hidden|collapse)|(?:^|\s)hidden(?:\s*=|\s|/|$)", re.IGNORECASE
)
_LINED = re.compile(r"\bline-through\b", re.IGNORECASE)
_SPAN = {s: re.compile(rf"\b{s}\s*=\s*[\"']?\s*([0-9]{{1,4}})", re.IGNORECASE) for s in ("colspan", "rowspan")}
_BEGINS = re.compile(rb"^[ \t]*<table\b", re.MULTILINE)
_LOOK = 2**20
_MOST_DOWN = 1_000  # rows that a cell may span


def claims(content: bytes, name: str) -> float:
    """Text with the tags of a table, of its rows and of their cells."""
    head = content[:_LOOK].lower()
    if b"<table" not in head or b"<tr" not in head or (b"<td" not in head and b"<th" not in head):
        return 0.0
    begins = head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") or _BEGINS.search(
        head
    )  # not inside a cell of other text
    return 0.5 if begins and is_text(content) else 0.0


def read(content: bytes, name: str) -> Table:
    """The table of runs among the page's tables."""
    text, note = decode(content)
    commented = "<!--" in text
    rows, hidden = _rows(without_comments(text) if commented else text, name)
    if not any(len(row) > 1 for row in rows):
        raise ReadError(f"{name} is a web page without a table of several columns; expected one row per run.")
    decimal = decimal_of(rows, "|")
    notes = [
        *([note] if note else []),
        *(["What stands between <!-- and --> was left out."] if commented else []),
        *(["Numbers are written with a decimal comma."] if decimal == "," else []),
    ]
    return grid(rows, name=name, format="HTML", notes=notes, decimal=decimal, hidden=hidden)


def _rows(text: str, name: str) -> tuple[list[list[str]], list[int]]:
    """The rows of all tables, a blank one between two, headings and captions as rows of one cell, and which are not shown."""
    rows: list[list[str]] = []
    row: list[str] | None = None
    below: dict[int, tuple[str, int]] = {}
    open_at, open_tag, spans, cells = -1, "", "", 0
    hidden: list[int] = []
    style = ""

    def end_cell(stop: int) -> None:
        nonlocal open_at, cells, row
        if open_at < 0:
            return
        said = _plain(text[open_at:stop])
        open_at = -1
        if open_tag not in ("td", "th"):
            rows.extend(([], [said]))
            return
        if _LINED.search(style) or _LINED.search(spans):
            said = f"<s>{said}</s>" if said else said
        row = [] if row is None else row
        _bring_down(row, below)
        across, down = (_span(spans, s) for s in ("colspan", "rowspan"))
        at = len(row)
        row += [said, *[""] * (min(across, MAX_COLUMNS) - 1)]
        if down > 1:
            for j in range(at, len(row)):
                below[j] = row[j], min(down, _MOST_DOWN) - 1
        cells += len(row) - at
        if len(row) > MAX_COLUMNS or cells > MAX_CELLS:
            raise ReadError(f"{name} has more than {MAX_CELLS:,} cells or {MAX_COLUMNS:,} columns, more than are read.")

    def end_row() -> None:
        nonlocal row
        if row is not None:
            _bring_down(row, below)
            if _HIDDEN.search(style):
                hidden.append(len(rows))
            rows.append(row)
        row = None

    skip = ""
    for m in _TAG.finditer(text):
        closes, tag = bool(m[1]), m[2].lower()
        if skip:
            skip = "" if closes and tag == skip else skip
            continue
        end_cell(m.start())
        if tag in ("script", "style"):
            skip = "" if closes else tag
        elif tag in ("td", "th", "caption") or tag.startswith("h"):
            if not closes:
                open_at, open_tag, spans = m.end(), tag, m[3]
        else:
            end_row()
            style = m[3] if tag == "tr" and not closes else ""
            if tag == "table":
                below.clear()
                rows.append([])
    end_cell(len(text))
    end_row()
    return rows, hidden


def _bring_down(row: list[str], below: dict[int, tuple[str, int]]) -> None:
    """Add to a row the cells that stand over its next columns from rows above."""
    while len(row) in below:
        text, left = below.pop(len(row))
        if left > 1:
            below[len(row)] = text, left - 1
        row.append(text)


def _span(attributes: str, name: str) -> int:
    found = _SPAN[name].search(attributes)
    return max(1, int(found[1])) if found else 1


def _plain(inside: str) -> str:
    """A cell's text; tags that say how a word or number is written stay, and are read like other marks."""
    text = _OTHER.sub(" ", inside[:MAX_TEXT])
    return " ".join((html.unescape(text) if "<" not in text else text).split())
