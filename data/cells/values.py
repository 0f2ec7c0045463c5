"""Reading what people write in cells as numbers: 125M, 1.3B, 2.5e19, 300 B, 1,234,567, 11% and **3.24 ± 0.01**."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd

from data.cells.digits import EAST, SUFFIXES, plain_number
from data.cells.markup import bare
from data.cells.stated import Reading, counts_all, reading, settled

__all__ = ["BLANK", "SUFFIXES", "Numbers", "decimal_sign", "number", "numbers"]

BLANK = frozenset(("", "-", "--", "—", "–", "na", "n/a", "#n/a", "null", "none", "nil", "?", "tbd", "."))

#: A column whose first so many different cells are text has no marked numbers: marks are looked for in linear but not in no time.
MOST_TEXT = 5000


def number(text: str, decimal: str = ".") -> float:
    """The number that `text` stands for, marks around it and an error behind it aside; NaN when it stands for none.

    `decimal` is the file's decimal sign, which decides what 1,234 and 1.234 mean where both readings are possible.
    Never raises.
    """
    return _number(text, decimal) if len(text) <= _LONGEST else _number.__wrapped__(text, decimal)


@lru_cache(maxsize=20_000)
def _number(text: str, decimal: str) -> float:
    value = plain_number(text, decimal)
    if math.isnan(value) and len(text) > 1:
        found = reading(text, decimal)
        return value if found is None else found.value
    return value


_LONGEST = 60  # characters of a cell whose number is kept


@dataclass(frozen=True)
class Numbers:
    """A column read as numbers. `values` (n,) float64, NaN where there is none; `blank` (n,) where nothing was written.

    `bad` (n,) marks text that is no number. `written` says whether suffixes, separators or per cents had to be read.
    `errors` (n,) are those stated with the values (3.24 ± 0.01), in their unit, NaN where there is none; None where no cell
    has one. `notes` say which marks were taken off and what was left out, each in a sentence. `whole` says whether values are
    all that the cells say, marks aside: no errors and nothing left out. `own` (n,) marks values in their column's own unit,
    which their cells name themselves; None where no cell does. `other` (n,) are the numbers with the decimal sign that the
    file does not use, of cells such as 3,125 that have both readings; NaN elsewhere, None where no cell has. `unsure` are
    cells that were not read since both are possible, by position, with what is said of each. `decimal` is the column's own
    decimal sign where it is not its file's.
    """

    values: np.ndarray
    blank: np.ndarray
    bad: np.ndarray
    written: str = ""
    errors: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    whole: bool = True
    own: np.ndarray | None = None
    other: np.ndarray | None = None
    unsure: Mapping[int, str] = field(default_factory=dict)
    decimal: str = ""

    def scaled(self, factor: float) -> np.ndarray:
        """The values (n,) times the factor of their unit, but for those whose cells name their own."""
        if factor == 1.0:
            return self.values
        return self.values * factor if self.own is None else np.where(self.own, self.values, self.values * factor)

    @cached_property
    def share(self) -> float:
        """The share of the written cells that are numbers; 0 when nothing is written."""
        filled = int((~self.blank).sum())
        return 0.0 if not filled else 1.0 - int(self.bad.sum()) / filled


def numbers(column: pd.Series | np.ndarray, decimal: str = ".") -> Numbers:
    """The column's cells as numbers, whatever they were written as; an array is one of objects. Never raises."""
    if isinstance(column, np.ndarray):
        return _of_objects(column, decimal)
    if isinstance(column.dtype, pd.BooleanDtype) or column.dtype == bool:
        none = np.zeros(len(column), dtype=bool)
        return Numbers(np.full(len(column), np.nan), none, ~none)
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_complex_dtype(column.dtype):
        blank = column.isna().to_numpy(dtype=bool)
        values = column.to_numpy(dtype="float64", na_value=np.nan)
        if not isinstance(column.dtype, np.dtype):  # a nullable column tells "nothing there" from "not a number"
            return Numbers(values, blank, np.zeros(len(column), dtype=bool))
        return Numbers(values, np.isnan(values), np.zeros(len(column), dtype=bool))
    return _of_objects(column.astype(object).to_numpy(), decimal)


def _of_objects(cells: np.ndarray, decimal: str) -> Numbers:
    n = len(cells)
    types = set(map(type, cells))
    values = np.full(n, np.nan)
    blank = np.zeros(n, dtype=bool)
    if decimal == "." and types <= {str}:
        try:  # the common case: every cell is plainly a number
            plainly = cells.astype("float64")
            if not _underscored(cells):
                return Numbers(plainly, blank, blank)
        except ValueError:
            pass
    blank = np.fromiter(map(_is_blank, cells), dtype=bool, count=n)
    if decimal == "." and types <= {str, int, float, type(None)}:
        try:
            values[~blank] = np.fromiter(map(float, cells[~blank]), dtype="float64", count=int((~blank).sum()))
            if not _underscored(cells):
                return Numbers(values, blank, np.zeros(n, dtype=bool))
        except (ValueError, OverflowError):
            pass
        values[:] = np.nan
    known: dict[str, tuple[float, bool]] = {}
    marked: dict[str, Reading] = {}
    others: dict[str, float] = {}
    other: np.ndarray | None = None
    bad = np.zeros(len(cells), dtype=bool)
    seen = False
    mark, either = (",", "?") if decimal == "." else (".", "!")
    example = ""
    plain = lost = 0
    for i in np.flatnonzero(~blank):
        cell = cells[i]
        if isinstance(cell, (int, float)) and not isinstance(cell, bool):
            values[i] = _as_float(cell)
            plain += 1
            continue
        if not isinstance(cell, str):
            bad[i] = True
            continue
        if cell not in known:
            value, core = plain_number(cell, decimal), cell
            found = reading(cell, decimal) if math.isnan(value) and (marked or lost < MOST_TEXT) else None
            lost += found is None and math.isnan(value)
            if found is not None:
                marked[cell] = found
                value, core = found.value, found.core
            known[cell] = value, math.isnan(value) and not _says_nan(cell)
            if not example and any(_how_written(core)):
                seen = True
                example = "" if known[cell][1] else cell.strip()
            if mark in core and math.isfinite(value) and _speaks_for(core.lstrip("+-~\u2248 ")) == either:
                others[cell] = plain_number(core, mark)
        values[i], bad[i] = known[cell]
        if cell in others:
            other = np.full(n, np.nan) if other is None else other
            other[i] = others[cell]
        plain += not bad[i] and cell not in marked
    if others:
        said = signs(known)
        if said[mark] and not said[decimal]:  # 345.5 is no thousands: nor is 1.234 above it
            again = _of_objects(cells, mark)
            called = {",": "comma", ".": "point"}[mark]
            cell = next(iter(others))
            note = f"the {called} is this column's decimal sign, so that {_quoted(cell)} is {others[cell]:g}"
            return replace(again, decimal=mark, notes=(note, *again.notes))
    if bad.any() and any(map(counts_all, marked)):
        for i in np.flatnonzero(bad):
            if isinstance(cells[i], str) and (found := reading(cells[i], decimal, in_all=True)):
                marked[cells[i]] = found
                values[i], bad[i] = found.value, math.isnan(found.value)
    errors, notes = _stated(cells, marked, plain) if marked else (None, ())
    return Numbers(
        values,
        blank,
        bad,
        f"values such as {example}" if seen and example else "",
        errors,
        notes,
        not any(r.form for r in marked.values()),
        other=other,
    )


def _underscored(cells: np.ndarray) -> bool:
    """Whether an underscore stands in a cell (n,) that `float` reads: it takes it out wherever it stands, and 1_3 would be 13."""
    try:
        return "_" in "".join(cells)
    except TypeError:
        return any(type(c) is str and "_" in c for c in cells)


def _stated(cells: np.ndarray, marked: Mapping[str, Reading], plain: int) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """The errors that the marked cells state (n,), or None, and what is to be said of the marks."""
    forms, left = settled([marked[c] for c in cells if isinstance(c, str) and c in marked], plain)
    first = {form: next((c for c, r in marked.items() if r.form == form), None) for form in ("", "digits", "brackets")}
    notes = []
    cell: str | None
    if (cell := first[""]) is not None:
        notes.append(f"marks around numbers were taken off, as in {_quoted(cell)}")
    for form, cell in first.items():
        if form and cell is not None and forms[form]:
            r = marked[cell]
            notes.append(f"numbers in brackets were read as errors, {_quoted(cell)} as {r.value:g} ± {r.error:g}")
    if left is not None:
        cell = next(c for c, r in marked.items() if r is left)
        notes.append(f"what stands behind the number in {_quoted(cell)} was left out, since it is not plainly an error")
    errors = None
    if any(forms[r.form] for r in marked.values()):
        errors = np.full(len(cells), np.nan)
        for i, cell in enumerate(cells):
            stated = marked.get(cell) if isinstance(cell, str) else None
            if stated is not None and forms[stated.form]:
                errors[i] = stated.error
    return errors, tuple(notes)


def _quoted(cell: str) -> str:
    shown = "".join(c if c.isprintable() else " " for c in cell.strip())
    return repr(shown if len(shown) <= 40 else shown[:39] + "…")


def _says_nan(cell: str) -> bool:
    return len(cell) < 40 and "nan" in cell.lower() and bare(cell).lower() in ("nan", "+nan", "-nan")


def _as_float(cell: float) -> float:
    try:
        return float(cell)
    except OverflowError:
        return math.inf if cell > 0 else -math.inf


def _is_blank(cell: Any) -> bool:
    if cell is None or cell is pd.NaT or cell is pd.NA:
        return True
    if isinstance(cell, str):
        return len(cell) < 6 and cell.strip().lower() in BLANK
    return isinstance(cell, float) and math.isnan(cell)


def _how_written(cell: str) -> Iterable[str]:
    if re.search(rf"[a-zа-я%{EAST}]", cell, re.IGNORECASE) and not re.fullmatch(
        r"[-+0-9.]+e[-+]?[0-9]+|nan|inf", cell, re.I
    ):
        yield "suffix"
    if "," in cell or "_" in cell:
        yield "comma"


def decimal_sign(cells: Iterable[str], separator: str = ",") -> str:
    """The decimal sign, '.' or ',', that the cells speak for; `separator` is what stands between them in the file.

    1,5 and 0,123 and 1.234,5 speak for the comma, 1.5 and 0.123 and 1,234.5 and 1,234,567 for the point; 1,234 and 1.234
    for neither. Marks around a number do not matter. Where nothing decides, commas in a file whose cells are not separated
    by commas are decimal.
    """
    said = signs(cells)
    if said[","] or said["."]:
        return "," if said[","] > said["."] else "."
    return "," if said["?"] and separator != "," else "."


def signs(cells: Iterable[str]) -> dict[str, int]:
    """How many cells speak for the decimal sign ',' or '.', and how many are 1,234 ('?') or 1.234 ('!') and may be either."""
    out = dict.fromkeys((",", ".", "?", "!"), 0)
    for cell in cells:
        text = cell.strip().lstrip("+-~\u2248 ")
        said = _speaks_for(text) if text[:1].isdigit() or text[:1] in (",", ".") else ""
        if not said and ("," in text or "." in text):
            found = reading(text)
            said = _speaks_for(found.core.lstrip("+-~\u2248 ")) if found is not None else ""
        if said:
            out[said] += 1
    return out


# Digits and what may stand behind them: 1.16×10^7, 1,2 Mrd., 3.5e-4.
_MANTISSA = re.compile(
    r"([0-9.,]*[0-9])(?: ?e[+-]?[0-9]+|\s*[x×*·]\s*10\s*(?:\^|\*\*).{1,6}|\s*[a-zа-я%][a-zа-яõ. /]{0,20}"
    rf"|\s*[{EAST}]{{1,2}})",
    re.IGNORECASE,
)


def _speaks_for(text: str) -> str:
    """The decimal sign that one number speaks for: ',' or '.', '?' for 1,234, '!' for 1.234, '' for what is no number."""
    if len(text) > 60 or ("," not in text and "." not in text):
        return ""
    found = _MANTISSA.fullmatch(text)
    text = found[1] if found else text
    for sign, other in (",.", ".,"):
        if sign in text and _GROUPED[sign].fullmatch(text):
            return other
    for sign, either in ((",", "?"), (".", "!")):
        if sign in text and _PARTED[sign].fullmatch(text):
            return either if _EITHER[sign].fullmatch(text) else sign
    return ""


_GROUPED = {s: re.compile(rf"[1-9][0-9]{{0,2}}({re.escape(s)}[0-9]{{3}}){{2,}}") for s in ",."}
_PARTED = {
    s: re.compile(
        rf"([0-9]{{1,3}}({re.escape(o)}[0-9]{{3}})+|[0-9]*){re.escape(s)}[0-9]+(e[+-]?[0-9]+)?", re.IGNORECASE
    )
    for s, o in (",.", ".,")
}
_EITHER = {s: re.compile(rf"[1-9][0-9]{{0,2}}{re.escape(s)}[0-9]{{3}}") for s in ",."}
