"""Excel workbooks (.xlsx): the sheet with the most runs, values and not formulas, unpacked under count."""

from __future__ import annotations

import datetime
import io
import math
import warnings
import zipfile
from typing import Any

from data.errors import ReadError
from data.readers._decimal import COMMA, decimal_of_cells
from data.readers._grid import grid
from data.readers._limits import MAX_CELLS, MAX_COLUMNS, MAX_INFLATED, MAX_RATIO, size
from data.readers._tables import holds_runs
from data.table import Table

title = "an Excel workbook"
suffixes = (".xlsx", ".xlsm")

_MEMBERS = 2_000  # files inside a workbook
_SHEETS = 50
_CHUNK = 2**20


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
            for sheet in book.worksheets[:_SHEETS]:
                sheets[str(sheet.title)] = _rows(sheet, name, sum(len(r) for rows in sheets.values() for r in rows))
        except ReadError:
            raise
        except Exception as e:  # the library raises whatever its parsers raise
            raise ReadError(f"{name} is a damaged Excel workbook ({type(e).__name__}).") from None
    filled = {t: rows for t, rows in sheets.items() if sum(any(c is not None for c in r) for r in rows) > 0}
    if not filled:
        raise ReadError(f"{name} has no sheet with anything on it; expected a table with one row per run.")
    runs = {t: holds_runs(rows) for t, rows in filled.items()} if len(filled) > 1 else dict.fromkeys(filled, True)
    best = max(filled, key=lambda t: (runs[t], sum(sum(c is not None for c in r) > 1 for r in filled[t])))
    notes = []
    if len(filled) > 1:
        others = ", ".join(repr(t[:40]) for t in filled if t != best)
        notes.append(f"The sheet {best[:40]!r} was read; the workbook has {len(filled) - 1} more ({others[:200]}).")
    if formulas:
        notes.append("Cells with formulas count with the values last saved; one never calculated is blank.")
    decimal = decimal_of_cells(filled[best])
    if decimal == ",":
        notes.append(COMMA)
    return grid(filled[best], name=name, format="Excel", notes=notes, decimal=decimal)


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


def _rows(sheet: Any, name: str, before: int) -> list[list[Any]]:
    """The cells of a sheet, row by row, as many as are really there: a sheet's stated dimensions are not believed.

    `before` cells were read from other sheets; the limit is on all of them together.
    """
    if not hasattr(sheet, "reset_dimensions"):
        return []  # a chart sheet
    sheet.reset_dimensions()
    rows: list[list[Any]] = []
    walked = blank = 0
    stored = before
    for row in sheet.iter_rows(values_only=True):
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


def _cell(cell: Any) -> Any:
    if isinstance(cell, (datetime.datetime, datetime.date, datetime.time)):
        return cell.isoformat()
    if isinstance(cell, datetime.timedelta):
        return cell.total_seconds()
    if isinstance(cell, float) and not math.isfinite(cell):
        return str(cell)
    return cell
