"""Rows whose numbers are the means, medians or sums of the rows above them, whatever they are called and in which language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from data.cells.markup import words
from data.headers.names import loss_name
from data.middle import median
from data.table import Table

Array = np.ndarray

SURE = 1e4  # by how much less likely than one a coincidence of all numbers must be
NAMED = 30.0  # the same where the row's name has a word for it
_LOSS = 10.0  # of it, what the losses must bring
_STARTS = 50  # rows at which a block may begin
_ROWS, _COLUMNS = 1_000, 40  # people sum up tables that they can look over
_NAMES = 3  # columns in front that may hold the row's name

#: Words for a mean, a median or a sum anywhere in a name.
_WORDS = re.compile(
    r"(?<![^\W\d_])(?:avg|averages?|averaged|means?|median\w?|total[ei]?|totals?|sums?|aggregate|overall|all"
    r"|durchschnitt|mittel|mittelwert|gesamt|summe|moyennes?|m[ée]diane?|somme|media|medio|mediana|promedio|suma|totales"
    r"|m[ée]dias?|soma|somma|totale|gemiddelden?|totaal|som|[śs]rednia|razem|og[óo]łem|pr[ůu]m[ěe]r|celkem|ortalama|toplam"
    r"|medel|medelv[äa]rde|snitt|gennemsnit|gjennomsnitt|keskiarvo|yhteens[äa]|[áa]tlag|[öo]sszesen|trung b[ìi]nh|t[ổo]ng"
    r"|rata[ -]rata|среднее|средняя|средние|медиана|сумма|итого|всего|середнє|разом|сума)(?![^\W\d_])"
    r"|[øØΣ∑]|x̄|平均|均值|中位|合计|合計|总计|總計|小计|小計|总和|汇总|平均値|中央値|평균|합계|총계|중앙값|متوسط|ממוצע|औसत|ค่าเฉลี่ย",
    re.IGNORECASE,
)


def says_amount(text: str) -> bool:
    """Whether a name has a word for a mean, a median or a sum of others."""
    return len(text) <= 120 and bool(_WORDS.search(words(text)))


@dataclass(frozen=True, eq=False)
class _Column:
    values: Array  # (n,)
    written: Sequence[str]  # (n,) as text
    is_loss: bool

    @cached_property
    def digit(self) -> Array:
        """One of the last digit that is written (n,)."""
        return _last_digit(self.written, self.values)


def amounting(table: Table, cells: Array) -> dict[int, str]:
    """The rows whose every number is the mean, the median or the sum of the rows of their block above, each with its reason.

    To the digits written, in two columns that vary at least, and so closely that chance does not explain it. `cells` (n, k) are
    the table's as text. A row whose settings another has too may be its repeat, unless its name has a word for an amount.
    """
    n = len(table.frame)
    columns = _columns(table) if 3 <= n <= _ROWS else []
    if len(columns) < 2:
        return {}
    blank = np.all([~np.isfinite(c.values) for c in columns], axis=0)
    found: dict[int, str] = {}
    starts = [0, *(int(i) + 1 for i in np.flatnonzero(blank))][:_STARTS]
    at = 0
    while at < len(starts) and len(starts) <= _STARTS:
        start = starts[at]
        at += 1
        left = np.ones(n, dtype=bool)
        left[:start] = False
        left[list(found)] = False
        for i, what in _in_block(columns, left, cells):
            if i not in found:
                found[i] = f"the {what} of rows above it, not a run"
                starts += [i + 1, start]  # the next block begins below it, and this one may go on without it
                break
    return found


def _columns(table: Table) -> list[_Column]:
    out = []
    for header in table.headers[:_COLUMNS]:
        if header in table.from_name:
            continue
        found = table.numbers(header)
        values = found.values
        if found.share > 0.5 and np.isfinite(values).sum() > 2 and not _numbers_off(values):
            out.append(_Column(values, table.written(header), loss_name(header) is not None))
    return out


def _numbers_off(values: Array) -> bool:
    """Whether the values (n,) number the rows off."""
    with np.errstate(all="ignore"):
        steps = np.diff(values)
    return bool(len(steps)) and bool((steps == 1).all()) and values[0] in (0, 1)


_WRITTEN = re.compile(r"[0-9][0-9.,'_ ]*")


def _last_digit(cells: Sequence[str], values: Array) -> Array:
    """One of the last digit that each cell (n,) writes, in the unit of its value; zeros at the end of a whole number are none."""
    out = np.full(len(values), np.nan)
    for i, (cell, value) in enumerate(zip(cells, values, strict=True)):
        found = _WRITTEN.search(cell)
        if found is None or not np.isfinite(value) or value == 0:
            continue
        text = re.sub(r"[.,]0$", "", found[0].rstrip(" .,'_"))  # as a float is printed
        digits = re.sub(r"[^0-9]", "", text).lstrip("0")
        if not re.search(r"[.,][0-9]{1,2}$|[.,][0-9]{4,}$|\.[0-9]{3}$", text):
            digits = digits.rstrip("0")
        places = max(len(digits), 1)
        out[i] = 10.0 ** (np.floor(np.log10(abs(value))) - min(places, 15) + 1)
    return out


@np.errstate(all="ignore")
def _in_block(columns: list[_Column], left: Array, cells: Array) -> list[tuple[int, str]]:
    """The first row of `left` (n,) that amounts to those of `left` before it, and to what; none or one."""
    n = len(left)
    fits = left.copy()
    chance, of_losses = np.zeros(n), np.full(n, -np.inf if any(c.is_loss for c in columns) else np.inf)
    varied = np.zeros(n, dtype=int)
    settings: list[Array] = []
    kinds = np.full(n, "", dtype=object)
    read: list[tuple[_Column, Array, Array]] = []
    for c in columns:
        known = left & np.isfinite(c.values)
        values = np.where(known, c.values, 0.0)
        many = np.cumsum(known) - known
        sums = np.cumsum(values) - values
        low = _before(np.where(known, c.values, np.inf), np.minimum)
        high = _before(np.where(known, c.values, -np.inf), np.maximum)
        middle = np.full(n, np.nan)
        last = np.flatnonzero(left)[-1:]
        for i in last:
            others = c.values[known & (np.arange(n) < i)]
            middle[i] = median(others)
        step = median(c.digit[known & np.isfinite(c.digit)])
        tolerance = 0.5 * (c.digit + min(step, np.inf)) * (1 + 1e-6)
        here = known & (many >= 2)
        varies = here & (high > low)
        mean = here & (np.abs(c.values - sums / many) <= tolerance)
        half = here & (np.abs(c.values - middle) <= tolerance)
        total = here & (np.abs(c.values - sums) <= 0.5 * (c.digit + many * step) * (1 + 1e-6))
        fits &= ~known | mean | half | total
        if not fits.any():  # nearly every table, at its first column
            return []
        of = np.where(varies, np.log10(np.maximum((high - low) / (2 * tolerance), 1.0)), 0.0)
        chance += of
        settings += [] if c.is_loss or not varies.any() else [c.values]
        if c.is_loss:
            of_losses = np.where(varies, np.maximum(of_losses, of), of_losses)
        varied += varies
        read.append((c, tolerance, varies))
        said = np.where(mean, "means", np.where(half, "medians", "sums"))
        kinds = np.where(varies & (kinds == ""), said, kinds)
    maybe = fits & (varied >= 2) & (chance >= np.log10(NAMED))
    sure = (of_losses >= np.log10(_LOSS)) & (chance >= np.log10(SURE))
    for i in np.flatnonzero(maybe):
        above = left & (np.arange(n) < i)
        if sum(_by_chance(c, above, tolerance[i]) for c, tolerance, varies in read if varies[i]) < np.log10(NAMED):
            continue  # one row far from all others makes any number look close
        again = any(all(v[k] == v[i] for v in settings) for k in np.flatnonzero(above))
        if (sure[i] and not again) or any(says_amount(str(cell)) for cell in cells[i][:_NAMES]):
            return [(int(i), str(kinds[i]))]
    return []


def _by_chance(column: _Column, above: Array, tolerance: float) -> float:
    """The digits by which a value would have to miss by chance, by how far the values above it (mask (n,)) mostly lie apart."""
    values = column.values[above & np.isfinite(column.values)]
    apart = median(np.abs(values - median(values)))
    return float(np.log10(max(apart / tolerance, 1.0))) if tolerance > 0 else 0.0


def _before(values: Array, extreme: np.ufunc) -> Array:
    """The extreme of the values (n,) above each."""
    out = np.full(len(values), np.nan)
    out[1:] = extreme.accumulate(values)[:-1]
    return out
