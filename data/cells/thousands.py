"""Thousands written with the file's own decimal sign: 1.143 beside 117 and 425, where 1,143 is meant.

As it stands such a cell lies far below its column, and with its sign as one of thousands amid the others or next above
them. Both are possible, so the cell is not read. So it is with 1.6 among hundreds of millions, in billions by mistake.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Pairs
from dataclasses import replace

import numpy as np
import pandas as pd

from data.cells.markup import bare
from data.cells.values import Numbers
from data.schema import COUNTS

_THREE = {sign: re.compile(rf"[+~≈]?\s*[1-9][0-9]{{0,2}}{re.escape(sign)}[0-9]{{3}}") for sign in ".,"}
_FEWER = 100.0  # how many times a row's tokens per parameter must differ from every other's before they are doubted
_RARE = (0.5, 2000.0)  # tokens per parameter, between which a run is no wonder by itself
_ALIKE = 3.0  # how near the others they come a thousand times as large

#: What no thousand is written in: parts of one, and losses.
NEVER = ("rate", "loss")


@np.errstate(all="ignore")
def with_thousands_doubted(found: Numbers, cells: pd.Series | np.ndarray, decimal: str) -> Numbers:
    """The numbers without cells of just three decimals that stand among whole numbers as a thousand times as many would.

    They are in `unsure` then. `cells` (n,) are those that the numbers were read from, `decimal` is the file's decimal sign.
    """
    values = found.values
    small = np.isfinite(values) & (values >= 1) & (values < 1000)
    if not small.any() or (cells.dtype != object and not isinstance(cells.dtype, pd.StringDtype)):
        return found
    texts = np.asarray(cells.astype(object))
    signed = np.fromiter((isinstance(c, str) and decimal in c for c in texts), dtype=bool, count=len(texts))
    good = np.isfinite(values) & (values > 0)
    if not (signed & small).any() or not (good & ~signed).any():
        return found  # nearly every column: all cells have decimals, or none has
    three = np.zeros(len(texts), dtype=bool)
    for i in np.flatnonzero(signed & small):
        three[i] = bool(_THREE[decimal].fullmatch(bare(texts[i])))
    sure = values[good & ~three]
    if not three.any() or (good & signed & ~three).any() or (sure != np.round(sure)).any():
        return found
    odd = three & (values < sure.min()) & (values * 1000.0 * values < sure.min() * sure.max())
    if not odd.any():
        return found
    unsure = {int(i): f"may be {values[i]:g} or {1000.0 * values[i]:g}" for i in np.flatnonzero(odd)}
    return replace(found, values=np.where(odd, np.nan, values), unsure={**found.unsure, **unsure})


def all_in_threes(found: Numbers, cells: pd.Series, decimal: str) -> bool:
    """Whether every cell has just three decimals, as thousands have: 1.000, 2.000 and 4.000 of steps."""
    written = [c for c, v in zip(cells.astype(object), found.values, strict=True) if np.isfinite(v)]
    cells_of = (bare(c) if isinstance(c, str) else "" for c in written)
    read = map(_THREE[decimal].match, cells_of)  # one by one: the first that is none ends it
    return len(written) > 1 and all(m is not None and not m.string[m.end() :][:1].isdigit() for m in read)


@np.errstate(all="ignore")
def a_thousand_off(found: Pairs[str, Numbers], scaled: Pairs[str, np.ndarray]) -> dict[str, dict[int, str]]:
    """The cells that set a run's tokens per parameter a thousand times apart from every other's, with what is said of each.

    `found` are the file's numbers by column, `scaled` (n,) those in units of the runs table. By column and position; nothing
    where the slip may be in either column, or where runs differ by as much anyhow.
    """
    count = next((c for c in COUNTS if c in scaled), None)
    if count is None or "tokens" not in scaled:
        return {}
    passes = scaled["tokens"] / scaled[count]
    good = np.isfinite(passes) & (passes > 0)
    out: dict[str, dict[int, str]] = {}
    for column, times in (("tokens", 1000.0), (count, 1e-3)):
        values = found[column].values
        whole = values == np.round(values)
        odd = np.flatnonzero(good & ~whole)
        if len(odd) == 1 and good.sum() > 2:  # one cell alone may have slipped
            i, others = odd[0], good.copy()
            others[i] = False
            low, high = float(passes[others].min()), float(passes[others].max())
            few = passes[i] < min(low / _FEWER, _RARE[0])
            far = few if column == "tokens" else passes[i] > max(high * _FEWER, _RARE[1])
            if far and low / _ALIKE <= passes[i] * times <= high * _ALIKE:
                said = (
                    f"may be {values[i]:g} or {1000.0 * values[i]:g}: as it stands the run has {passes[i]:.2g} tokens"
                )
                out.setdefault(column, {})[int(i)] = f"{said} per parameter, the others {low:.2g} to {high:.2g}"
    return out
