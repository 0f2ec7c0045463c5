"""Excel workbooks (.xlsx): the sheet with the most runs, values and not formulas, unpacked under count."""

from __future__ import annotations

import datetime
import io
import math
import re
import warnings
import zipfile
from collections.abc import Callable
from typing import Any

from data.cells.markup import words
from data.errors import ReadError
from data.headers.names import recognised
from data.readers._decimal import COMMA, decimal_of_cells
from data.readers._grid import grid
from data.readers._joined import settings_by_name
from data.readers._limits import MAX_CELLS, MAX_COLUMNS, MAX_INFLATED, MAX_RATIO, size
from data.readers._tables import best_score
from data.table import Table

title = "an Excel workbook"
suffixes = (".xlsx", ".xlsm")

_MEMBERS = 2_000  # files inside a workbook
_SHEETS = 50
_CHUNK = 2**20
_MOST_JOINED = 5_000  # rows of sheets that are joined


def claims(content: bytes, name: str) -> float:
    """A zip archive that holds a workbook."""
    if not content.startswith(b"PK\x03\x04"):
        return 0.0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return 1.0 if any(n.lower() == "xl/workbook.xml" for n in archive.namelist()[:_MEMBERS]) else 0.0
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError):
        return 0.9 if b"xl/w" in content or name.lower().endswith(suffixes) else 0.0


def read(content: bytes, name: str) -> Table:
    """The table on the sheet that has most rows, of those with a loss beside a count first; the note says which of several."""
    import openpyxl

    formulas = _unpack_under_count(content, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles and extensions, which do not matter here
        try:
            book = openpyxl.load_workbook(
                io.BytesIO(content), read_only=True, data_only=True, keep_links=False, keep_vba=False
            )
            sheets: dict[str, list[list[Any]]] = {}
            unseen = {str(s.title) for s in book.worksheets if getattr(s, "sheet_state", "visible") != "visible"}
            struck = _struck_styles(book)
            for sheet in book.worksheets[:_SHEETS]:
                before = sum(len(r) for rows in sheets.values() for r in rows)
                sheets[str(sheet.title)] = _rows(sheet, name, before, struck)
            parts = {str(s.title): str(getattr(s, "_worksheet_path", "")) for s in book.worksheets[:_SHEETS]}
        except ReadError:
            raise
        except Exception as e:  # the library raises whatever its parsers raise
            raise ReadError(f"{name} is a damaged Excel workbook ({type(e).__name__}).") from None
    filled = {t: rows for t, rows in sheets.items() if sum(any(c is not None for c in r) for r in rows) > 0}
    if not filled:
        raise ReadError(f"{name} has no sheet with anything on it; expected a table with one row per run.")
    several = len(filled) > 1
    scores = {t: best_score(rows) if several else (True, True) for t, rows in filled.items()}
    runs = {t: score[0] for t, score in scores.items()}
    best = max(
        filled,
        key=lambda t: (
            runs[t] and t not in unseen,
            runs[t],
            t not in unseen,
            scores[t][1],  # sizes before the curves of runs
            sum(sum(c is not None for c in r) > 1 for r in filled[t]),
        ),
    )
    notes = []
    alike = [t for t in filled if runs[t] and t not in unseen and _columns(filled[t]) == _columns(filled[best])]
    rows, hidden = filled[best], _hidden_rows(content, parts[best])
    if len(alike) > 1 and best in alike:
        rows, hidden = [], []
        for t in alike:
            rows += [[t], *([] if _columns(filled[t][:1]) else [[]])]
            hidden += [i + len(rows) for i in _hidden_rows(content, parts[t])]
            rows += [*filled[t], []]
        shown = ", ".join(repr(t[:40]) for t in alike[:5]) + (" …" if len(alike) > 5 else "")
        notes.append(
            f"{len(alike)} sheets of the same columns ({shown}) were read one below the other; lines are counted so."
        )
    others = [t for t in filled if t != best and t not in alike]
    for t in [t for t in others if t not in unseen] if len(alike) < 2 else []:
        joined, new = _with_settings(rows, filled[t])
        if new:
            rows, others = joined, [o for o in others if o != t]
            notes.append(f"The sheet {t[:40]!r} names the same runs: {', '.join(new)[:80]} joined by name.")
    if others:
        listed = ", ".join(repr(t[:40]) + (" (hidden)" if t in unseen else "") for t in others)
        read = "" if len(alike) > 1 else f"The sheet {best[:40]!r} was read; "
        notes.append(f"{read or 'Beside them '}the workbook has {len(others)} more ({listed[:200]}).")
    if formulas:
        notes.append("Cells with formulas count with the values last saved; one never calculated is blank.")
    if best in unseen:
        notes.append(f"The sheet {best[:40]!r} is hidden in the workbook.")
    decimal = decimal_of_cells(rows)
    if decimal == ",":
        notes.append(COMMA)
    return grid(rows, name=name, format="Excel", notes=notes, hidden=hidden, decimal=decimal)


def _columns(rows: list[list[Any]]) -> tuple[str, ...]:
    """The names in the first row of several cells, () where they are no names of columns that are known."""
    first = next((row for row in rows[:10] if sum(c is not None for c in row) > 1), [])
    names = tuple(words(str(c).strip()[:200]).casefold() if c is not None else "" for c in first)
    return names if sum(map(recognised, names)) > 1 else ()


def _with_settings(rows: list[list[Any]], settings: list[list[Any]]) -> tuple[list[list[Any]], list[str]]:
    """The rows of a sheet with what another sheet says of the same runs, and the names of its columns; [] where they do not match."""
    parts = []
    for sheet in (rows, settings):
        filled = [i for i, row in enumerate(sheet) if sum(c is not None for c in row) > 1]
        if not 1 < len(filled) <= _MOST_JOINED or not _columns([sheet[filled[0]]]):
            return rows, []
        parts.append(filled)
    found = settings_by_name([rows[i] for i in parts[0]], [settings[i] for i in parts[1]])
    if found is None:
        return rows, []
    new, cells = found
    width = max(len(rows[i]) for i in parts[0])
    out = list(rows)
    for i, added in zip(parts[0], [new, *cells], strict=True):
        out[i] = [*out[i], *[None] * (width - len(out[i])), *added]
    return out, new


_ROW = re.compile(rb"<(?:[a-z]{1,8}:)?row\b[^<>]{0,2000}>")
_NUMBER = re.compile(rb"\sr\s*=\s*[\"']([0-9]{1,7})[\"']")
_UNSEEN = re.compile(rb"\shidden\s*=\s*[\"'](?:1|true)[\"']")


def _hidden_rows(content: bytes, part: str) -> list[int]:
    """The positions of the rows that the sheet at that place of the archive does not show, by a filter or by hand."""
    out: list[int] = []
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(part.lstrip("/")) as f:
            tail, at = b"", 0
            while chunk := f.read(_CHUNK):
                window = tail + chunk
                end = 0
                for row in _ROW.finditer(window):
                    number = _NUMBER.search(row[0])
                    at, end = int(number[1]) if number else at + 1, row.end()
                    if _UNSEEN.search(row[0]):
                        out.append(at - 1)
                tail = window[max(end, len(window) - 4_096) :]
    except (KeyError, zipfile.BadZipFile, OSError, ValueError, EOFError):
        return []
    return out


def _struck_styles(book: Any) -> frozenset[int]:
    """The numbers of the cell styles whose font is struck through."""
    fonts = {i for i, font in enumerate(getattr(book, "_fonts", ())) if getattr(font, "strike", None)}
    return frozenset(i for i, style in enumerate(getattr(book, "_cell_styles", ())) if fonts and style.fontId in fonts)


def _unpack_under_count(content: bytes, name: str) -> bool:
    """Unpack every member once, counting, and throw the bytes away; returns whether a sheet has formulas.

    Directories lie, so the sizes they state are checked first and the bytes that come out are counted too. A document
    type inside a workbook serves nobody but an attack on the XML parser, and ends it here.
    """
    limit = min(MAX_INFLATED, max(MAX_RATIO * len(content), 10 * _CHUNK))
    formulas = False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) > _MEMBERS:
                raise ReadError(f"{name} holds {len(members):,} files; a workbook has at most {_MEMBERS:,}.")
            stated = sum(m.file_size for m in members)
            if stated > limit:
                raise ReadError(_too_big(name, stated, len(content)))
            total = 0
            for member in members:
                if member.flag_bits & 1:
                    raise ReadError(f"{name} is protected by a password; save it without one.")
                tail = b""
                with archive.open(member) as f:
                    while chunk := f.read(_CHUNK):
                        total += len(chunk)
                        if total > limit:
                            raise ReadError(_too_big(name, total, len(content)))
                        window = tail + chunk
                        plain = window.replace(b"\x00", b"")  # XML may be written in two bytes a letter
                        if member.filename.endswith((".xml", ".rels")) and (
                            b"<!DOCTYPE" in plain or b"<!ENTITY" in plain
                        ):
                            raise ReadError(
                                f"{name} defines XML entities, which no spreadsheet does; it was not opened."
                            )
                        if "worksheets/" in member.filename:
                            formulas = formulas or b"<f>" in window or b"<f " in window
                        tail = chunk[-32:]
    except ReadError:
        raise
    except Exception as e:
        raise ReadError(f"{name} is a damaged Excel workbook ({type(e).__name__}).") from None
    return formulas


def _too_big(name: str, unpacked: int, packed: int) -> str:
    return (
        f"{name} unpacks from {size(packed)} to more than {size(unpacked)}; workbooks of at most {size(MAX_INFLATED)} "
        f"and {MAX_RATIO} times their file are opened."
    )


def _rows(sheet: Any, name: str, before: int, struck: frozenset[int] = frozenset()) -> list[list[Any]]:
    """The cells of a sheet, row by row, as many as are really there: a sheet's stated dimensions are not believed.

    `before` cells were read from other sheets; the limit is on all of them together. Cells in a style of `struck` come out
    between ~~ and ~~.
    """
    if not hasattr(sheet, "reset_dimensions"):
        return []  # a chart sheet
    sheet.reset_dimensions()
    rows: list[list[Any]] = []
    walked = blank = 0
    stored = before
    for found in sheet.iter_rows(values_only=not struck):
        row = tuple(map(_with_strike(struck), found)) if struck else found
        width = len(row)
        while width and row[width - 1] is None:
            width -= 1
        if width > MAX_COLUMNS:
            raise ReadError(f"{name} has more than {MAX_COLUMNS:,} columns; at most that many are read.")
        walked += len(row) + 1
        stored += width
        blank = 0 if width else blank + 1
        if stored > MAX_CELLS or walked > 4 * MAX_CELLS:
            raise ReadError(f"{name} has more than {MAX_CELLS:,} cells; export fewer columns or thin out the history.")
        if blank > 100_000:
            break  # a cell far below everything: nothing of a table
        rows.append([_cell(c) for c in row[:width]])
    while rows and not rows[-1]:
        rows.pop()
    return rows


def _with_strike(struck: frozenset[int]) -> Callable[[Any], Any]:
    """What takes a cell for its value, with ~~ around it where its style is one of `struck`."""

    def value(cell: Any) -> Any:
        said = cell.value
        return f"~~{_cell(said)}~~" if said is not None and getattr(cell, "_style_id", -1) in struck else said

    return value


def _cell(cell: Any) -> Any:
    if isinstance(cell, (datetime.datetime, datetime.date, datetime.time)):
        return cell.isoformat()
    if isinstance(cell, datetime.timedelta):
        return cell.total_seconds()
    if isinstance(cell, float) and not math.isfinite(cell):
        return str(cell)
    return cell
