"""Reading what people write in cells as numbers: 125M, 1.3B, 2.5e19, 300 B, 1,234,567, 2,1E+14 and 11%."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

#: What a number may carry behind it, as a power of ten. "m" is million: nobody writes a model's size in thousandths.
SUFFIXES = {
    "k": 3, "thousand": 3, "thousands": 3,
    "m": 6, "mm": 6, "mn": 6, "mio": 6, "million": 6, "millions": 6,
    "b": 9, "bn": 9, "g": 9, "billion": 9, "billions": 9,
    "t": 12, "tn": 12, "trillion": 12, "trillions": 12,
    "p": 15, "peta": 15, "exa": 18, "z": 21, "zetta": 21,
}  # fmt: skip

BLANK = frozenset(("", "-", "--", "—", "–", "na", "n/a", "#n/a", "null", "none", "nil", "?", "tbd", "."))

_WORDS = r"(?:tokens?|toks?|params?|parameters?|flops?|nats?|steps?|sequences?|seqs?)"
_FORM = re.compile(
    rf"""[~≈]?\s*
    (?P<sign>[+-]?)\s*
    (?:(?P<mantissa>[0-9][0-9.,'_]*|[.,][0-9]+)(?:[eE](?P<exp>[+-]?[0-9]+))?
       (?:\s*[x×*·]\s*10\s*(?:\^|\*\*)\s*(?P<power>[+-]?[0-9]+))?
     | 10\s*(?:\^|\*\*)\s*(?P<bare>[+-]?[0-9]+))
    \s*(?P<percent>%)?
    \s*(?P<suffix>[a-z]+?)??\s*(?P<word>{_WORDS})?""",
    re.VERBOSE | re.IGNORECASE,
)
#: Digits grouped by threes, by decimal sign.
_GROUPS = {
    ".": re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?$"),
    ",": re.compile(r"[0-9]{1,3}(\.[0-9]{3})+(,[0-9]*)?$"),
}
_SPACED_GROUPS = re.compile(r"(?<=[0-9]) (?=[0-9]{3}(?![0-9]))")
_SPACES = {0x00A0: " ", 0x202F: " ", 0x2009: " ", 0x2212: "-"}  # no-break, narrow and thin space; the minus sign
_LONGEST = 60  # no number is written in more characters than this


def number(text: str, decimal: str = ".") -> float:
    """The number that `text` stands for; NaN when it stands for none. Never raises.

    `decimal` is the file's decimal sign, which decides what 1,234 and 1.234 mean where both readings are possible.
    """
    if len(text) > _LONGEST:
        return math.nan
    text = text.strip().translate(_SPACES)
    if decimal == ".":
        try:
            return float(text)
        except ValueError:
            pass
    elif "." not in text and text.count(",") <= 1:
        try:
            return float(text.replace(",", "."))
        except ValueError:
            pass
    match = _FORM.fullmatch(_SPACED_GROUPS.sub("", text))
    if not match:
        return {"inf": math.inf, "+inf": math.inf, "infinity": math.inf, "-inf": -math.inf}.get(text.lower(), math.nan)
    suffix = (match["suffix"] or "").lower()
    if suffix and suffix not in SUFFIXES:
        return math.nan
    power = int(match["exp"] or 0) + int(match["power"] or match["bare"] or 0) + SUFFIXES.get(suffix, 0)
    digits = "1" if match["bare"] else _plain(match["mantissa"], decimal, bool(match["exp"]))
    if not digits:
        return math.nan
    # Through text and not through a product with a power of ten: 2.1E+14 must be the float that 210e12 is.
    value = float(f"{match['sign']}{digits}e{power}")
    return value / 100.0 if match["percent"] else value


def _plain(digits: str, decimal: str, has_exponent: bool) -> str:
    """The digits with a point and no separators; '' when they are in no known order.

    Groups of three after a comma or point are thousands, unless that sign is the file's decimal sign.
    """
    digits = digits.replace("_", "").replace("'", "")
    if "," in digits and "." in digits:
        sign = "," if digits.rfind(",") > digits.rfind(".") else "."
    elif "," in digits:
        grouped = digits.count(",") > 1 or (decimal == "." and not has_exponent and _GROUPS["."].match(digits))
        sign = "." if grouped else ","
    elif "." in digits:
        grouped = digits.count(".") > 1 or (decimal == "," and not has_exponent and _GROUPS[","].match(digits))
        sign = "," if grouped else "."
    else:
        return digits
    other = "," if sign == "." else "."
    if other in digits and not _GROUPS[sign].match(digits):
        return ""
    return digits.replace(other, "").replace(sign, ".")


@dataclass(frozen=True)
class Numbers:
    """A column read as numbers. `values` (n,) float64, NaN where there is none; `blank` (n,) where nothing was written.

    `bad` (n,) marks text that is no number. `written` says whether suffixes, separators or per cents had to be read.
    """

    values: np.ndarray
    blank: np.ndarray
    bad: np.ndarray
    written: str = ""

    @property
    def share(self) -> float:
        """The share of the written cells that are numbers; 0 when nothing is written."""
        filled = int((~self.blank).sum())
        return 0.0 if not filled else 1.0 - int(self.bad.sum()) / filled


def numbers(column: pd.Series, decimal: str = ".") -> Numbers:
    """The column's cells as numbers, whatever they were written as. Never raises."""
    if isinstance(column.dtype, pd.BooleanDtype) or column.dtype == bool:
        none = np.zeros(len(column), dtype=bool)
        return Numbers(np.full(len(column), np.nan), none, ~none)
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_complex_dtype(column.dtype):
        blank = column.isna().to_numpy(dtype=bool)
        values = column.to_numpy(dtype="float64", na_value=np.nan)
        if not isinstance(column.dtype, np.dtype):  # a nullable column tells "nothing there" from "not a number"
            return Numbers(values, blank, np.zeros(len(column), dtype=bool))
        return Numbers(values, np.isnan(values), np.zeros(len(column), dtype=bool))
    cells = column.astype(object).to_numpy()
    n = len(cells)
    types = set(map(type, cells))
    values = np.full(n, np.nan)
    blank = np.zeros(n, dtype=bool)
    if decimal == "." and types <= {str}:
        try:  # the common case: every cell is plainly a number
            return Numbers(np.fromiter(map(float, cells), dtype="float64", count=n), blank, blank)
        except ValueError:
            pass
    blank = np.fromiter(map(_is_blank, cells), dtype=bool, count=n)
    if decimal == "." and types <= {str, int, float, type(None)}:
        try:
            values[~blank] = np.fromiter(map(float, cells[~blank]), dtype="float64", count=int((~blank).sum()))
            return Numbers(values, blank, np.zeros(n, dtype=bool))
        except (ValueError, OverflowError):
            values[:] = np.nan
    known: dict[str, tuple[float, bool]] = {}
    bad = np.zeros(len(cells), dtype=bool)
    seen: set[str] = set()
    for i in np.flatnonzero(~blank):
        cell = cells[i]
        if isinstance(cell, (int, float)) and not isinstance(cell, bool):
            values[i] = _as_float(cell)
            continue
        if not isinstance(cell, str):
            bad[i] = True
            continue
        if cell not in known:
            value = number(cell, decimal)
            known[cell] = value, math.isnan(value) and cell.strip().lower() not in ("nan", "+nan", "-nan")
            seen.update(_how_written(cell))
        values[i], bad[i] = known[cell]
    return Numbers(values, blank, bad, "" if not seen else "values such as " + ", ".join(_examples(known)))


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
    if re.search(r"[a-z%]", cell, re.IGNORECASE) and not re.fullmatch(r"[-+0-9.]+e[-+]?[0-9]+|nan|inf", cell, re.I):
        yield "suffix"
    if "," in cell:
        yield "comma"


def _examples(known: dict[str, tuple[float, bool]]) -> list[str]:
    good = [k.strip() for k, (_, bad) in known.items() if not bad and list(_how_written(k))]
    return good[:1]


def decimal_sign(cells: Iterable[str], separator: str = ",") -> str:
    """The decimal sign, '.' or ',', that the cells speak for; `separator` is what stands between them in the file.

    1,5 and 0,123 and 1.234,5 speak for the comma, 1.5 and 0.123 and 1,234.5 for the point; 1,234 and 1.234 for neither.
    Where nothing decides, commas in a file whose cells are not separated by commas are decimal.
    """
    comma = point = unsure = 0
    for cell in cells:
        text = cell.strip().lstrip("+-")
        if not text[:1].isdigit() and text[:1] not in (",", "."):
            continue
        if re.fullmatch(r"([0-9]{1,3}(\.[0-9]{3})+|[0-9]*),[0-9]+(e[+-]?[0-9]+)?", text, re.IGNORECASE):
            if re.fullmatch(r"[1-9][0-9]{0,2},[0-9]{3}", text):
                unsure += 1
            else:
                comma += 1
        elif re.fullmatch(r"([0-9]{1,3}(,[0-9]{3})+|[0-9]*)\.[0-9]+(e[+-]?[0-9]+)?", text, re.IGNORECASE):
            point += not re.fullmatch(r"[1-9][0-9]{0,2}\.[0-9]{3}", text)
    if comma or point:
        return "," if comma > point else "."
    return "," if unsure and separator != "," else "."
