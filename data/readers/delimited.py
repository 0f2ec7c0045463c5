"""Text tables: CSV, TSV, values between semicolons or bars, and LaTeX, in any common encoding."""

from __future__ import annotations

import csv
import io
import itertools
import re

from data.cells.spreadsheet import as_meant
from data.errors import ReadError
from data.readers._decimal import COMMA, decimal_of
from data.readers._grid import grid
from data.readers._latex import is_latex, latex_rows
from data.readers._layout import Layout, known_in, layout
from data.readers._limits import MAX_CELLS, MAX_COLUMNS, MAX_TEXT
from data.readers._log_lines import refuse_log
from data.readers._one_space import one_space
from data.readers._quotes import rows_of
from data.readers._text import decode, is_text, without_comments
from data.table import Table

title = "a text table"
suffixes = (".csv", ".tsv", ".tab", ".txt", ".psv")

_NAMES = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar", " ": "space"}
_UNIT_APART = re.compile(r"(?<=[0-9]) (?=[kKMBGT](?:\s|$))")  # 125 M, in a text whose cells stand one space apart
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[\w.+-]*[ \t]*$", re.MULTILINE)  # what stands around a table in a chat


def claims(content: bytes, name: str) -> float:
    """Any text may be a table, so every other format goes first."""
    return 0.1 if is_text(content) else 0.0


def read(content: bytes, name: str) -> Table:
    """The table in the text, its separator, header row and decimal sign found from the text itself."""
    text, note = decode(content)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "```" in text or "~~~" in text:
        text = _FENCE.sub("", text)
    commented = text.count("<!--")
    text = without_comments(text) if commented else text
    latex = is_latex(text)
    if not latex:
        refuse_log(text, name)
    separator = "&" if latex else _separator(text)
    laid = None if latex else _laid_out(text, separator)
    if text.count(separator) + text.count("\n") > 2 * MAX_CELLS:
        raise ReadError(f"{name} has more than {MAX_CELLS:,} cells; export fewer columns or thin out the history.")
    notes = [note] if note else []
    notes += ["What stands between <!-- and --> was left out."] if commented else []
    if latex:
        rows, said = latex_rows(text)
        _check(rows, name)
        notes += said
    elif laid is not None:
        rows, separator = laid.rows, "|" if laid.drawn else " "
        _check(rows, name)
        notes += laid.notes
    else:
        rows, said = _rows(text, separator, name)
        notes += said
    if "'" in text:  # what an export kept from being run
        rows = [[as_meant(cell) for cell in row] for row in rows]
    if max((len(r) for r in itertools.islice(rows, 50)), default=0) < 2 and (apart := one_space(text)):
        rows, separator = apart, " "
        _check(rows, name)
    if max((len(r) for r in itertools.islice(rows, 50)), default=0) < 2:
        raise ReadError(
            f"{name} is text without columns; expected values between commas, tabs or semicolons, one row per run."
        )
    decimal = decimal_of(rows, separator)
    if decimal == ",":
        notes.append(COMMA)
    kind = {",": "CSV", "\t": "TSV", "&": "LaTeX table"}.get(
        separator, f"{_NAMES.get(separator, separator)}-separated text"
    )
    return grid(rows, name=name, format=kind, notes=notes, decimal=decimal, separated=laid is None)


def _laid_out(text: str, separator: str) -> Layout | None:
    """The text's lines as cells where bars, or spaces that align them, cut them better than the separator does."""
    found = layout(text)
    if found is None or not found.known:
        return None
    if separator == " ":
        return found
    try:
        lines = list(itertools.islice((line for line in io.StringIO(text) if line.strip()), 60))
        known = [known_in(row) for row in csv.reader(lines, delimiter=separator, skipinitialspace=True) if len(row) > 1]
    except csv.Error:
        known = []
    return found if found.known + found.drawn > max(known, default=0) else None


def _rows(text: str, separator: str, name: str) -> tuple[list[list[str]], tuple[str, ...]]:
    notes: tuple[str, ...] = ()
    if separator == " ":
        rows = [line.split() for line in text.splitlines()]
        if len({len(row) for row in rows if row}) > 1:
            joined = [_with_units_joined(line).split() for line in text.splitlines()]
            rows = joined if len({len(row) for row in joined if row}) == 1 else rows
    else:
        # No cell is longer than the limit, and a quote that is never closed then ends in a sentence.
        csv.field_size_limit(MAX_TEXT)
        try:
            rows, notes = rows_of(text, separator)
        except csv.Error as e:
            what = f"a cell of more than {MAX_TEXT:,} characters" if "limit" in str(e) else str(e)
            raise ReadError(f"{name} is not a table that can be read: {what}; a quote may not be closed.") from None
    _check(rows, name)
    return rows, notes


def _check(rows: list[list[str]], name: str) -> None:
    """Nothing, where the rows are within the limits; else ReadError."""
    widest = max(map(len, rows), default=0)
    if widest > MAX_COLUMNS:
        raise ReadError(f"{name} has {widest:,} columns; tables of at most {MAX_COLUMNS:,} columns are read.")
    if len(rows) * widest > 4 * MAX_CELLS:
        raise ReadError(f"{name} has {len(rows):,} rows of up to {widest:,} columns, more than can be read.")
    if any(max(map(len, row), default=0) > MAX_TEXT for row in rows):
        raise ReadError(f"{name} has a cell of more than {MAX_TEXT:,} characters; expected one value to a cell.")


def _separator(text: str) -> str:
    """The sign between the cells: the one that splits most lines into the same number of cells, more than one."""
    lines = [line for line in itertools.islice(io.StringIO(text), 200) if line.strip()][:60]
    lines = [line[:MAX_TEXT] for line in lines]
    best, score = ",", 0.0
    for sign in (",", "\t", ";", "|"):
        counts: dict[int, int] = {}
        try:
            for row in rows_of("\n".join(line.rstrip("\n") for line in lines), sign)[0]:
                counts[len(row)] = counts.get(len(row), 0) + 1
        except csv.Error:
            continue
        several = {width: n for width, n in counts.items() if width > 1}
        if several:
            n = max(several.items(), key=lambda c: (c[1] * min(c[0], 4), c[0]))[1]
            # A comma inside numbers splits lines too, but into cells that a semicolon or tab already divided.
            points = n / max(sum(counts.values()), 1) * (1.2 if sign in "\t;" else 1.0)
            if points > score:
                best, score = sign, points
    if score == 0.0:
        widths = {len(line.split()) for line in lines}
        joined = {len(_with_units_joined(line).split()) for line in lines}
        if any(len(w) == 1 and w.pop() > 1 for w in (widths, joined)):
            return " "
    return best


def _with_units_joined(line: str) -> str:
    """The line with each number and the letter of its unit in one word: 125 M 2.5 B is 125M 2.5B."""
    return _UNIT_APART.sub("", line)
