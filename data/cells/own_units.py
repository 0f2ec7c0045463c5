"""Units that stand in a cell itself: 0.3m of a rate, 30m of time, 4 PFLOPs, 1.4B under a header that says millions.

What a letter means hangs on what the column counts (`data.units.factors`), and a cell's own unit goes before the header's.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd

from data.cells.digits import EAST, INSIDE, SUFFIXES
from data.cells.markup import bare
from data.cells.stated import reading
from data.cells.values import Numbers, number
from data.units.factors import factor

_LONGEST = 60
_LETTERED = re.compile(rf"[a-zA-Z%×\u00b5\u03bcа-яА-Я{EAST}]\W*(?:[(\[][^()\[\]]*[)\]]\s*)?$")
_FUSED = re.compile(INSIDE)
_OWN = re.compile(
    r"(?P<digits>[~\u2248]?\s*[+-]?\s*[0-9.,][0-9.,'_ ]*(?:e[+-]?[0-9]+)?(?:\s*[x×*·]\s*10\s*(?:\^|\*\*)\s*[+-]?[0-9]+)?)"
    rf"\s*(?P<unit>(?:[a-zA-Z\u00b5\u03bc][a-zA-Zõ ./-]{{0,24}}|[а-я]{{3,10}}\.?|[{EAST}]{{1,2}}|[%×]))",
    re.IGNORECASE,
)


def with_own_units(found: Numbers, cells: pd.Series | np.ndarray, decimal: str, dimension: str) -> Numbers:
    """The numbers with each cell's own unit read as a column of this dimension means it, and marked in `own`.

    A cell whose letter is no unit of the dimension (2M of devices) is no number.
    """
    if not (found.written or found.bad.any()):
        return found
    values, bad = found.values.copy(), found.bad.copy()
    own = np.zeros(len(values), dtype=bool)
    known: dict[str, tuple[float, bool] | None] = {}
    said_any = False
    for i, cell in enumerate(cells.astype(object)):
        if not isinstance(cell, str) or found.blank[i] or len(cell) > _LONGEST:
            continue
        if not (_LETTERED.search(cell) or _FUSED.fullmatch(cell.strip())):
            continue
        if cell not in known:
            known[cell] = _own(cell, values[i], decimal, dimension)
        said = known[cell]
        if said is None:
            continue
        values[i], own[i] = said
        said_any = True
        if math.isnan(said[0]):
            bad[i] = True
        else:
            bad[i] = False
    if not said_any:
        return found
    return replace(found, values=values, bad=bad, own=own if own.any() else None)


def _own(cell: str, plain: float, decimal: str, dimension: str) -> tuple[float, bool] | None:
    """The value of a cell with its own unit, and whether it has one; None where it has none and stays as it was read."""
    if dimension != "count" and _FUSED.fullmatch(cell.strip()):
        return math.nan, False  # 2m30 of time is not 2.3 million
    marked = reading(cell, decimal)
    match = _OWN.fullmatch(marked.core.strip() if marked else bare(cell))
    if match is None:
        return None
    unit = match["unit"].strip()
    digits = number(match["digits"].strip(), decimal)
    if unit == "%" or (math.isnan(digits)):
        return None if math.isnan(digits) else (plain, True)
    if dimension == "few" and unit in ("x", "X", "×"):
        return digits, False  # 20x under tokens per parameter, or under multiples of the usual ratio
    times = factor(unit, dimension)
    first = unit.split()[0].lower()
    if dimension == "count":
        # The grammar of cells has read it already, through text: 1.3B is the float 1.3e9.
        return (plain, True) if not math.isnan(plain) and (first in SUFFIXES or times is not None) else None
    if times is None:
        return (math.nan, False) if first in SUFFIXES and not math.isnan(plain) else None
    if dimension == "compute" and times == 1.0:
        return None
    power = math.log10(times)
    exact = (
        float(f"{digits!r}e{round(power)}")
        if abs(power - round(power)) < 1e-9 and repr(digits).replace(".", "").isdigit()
        else None
    )
    return (exact if exact is not None else digits * times), True
