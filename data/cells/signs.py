"""Cells written with another decimal sign than their file's: 3,125 among losses with points, 2.799 among decimal commas.

As thousands such a cell stands far from its column and with the other sign amid it. A loss is then read with the other
sign, since as it stands it is none; of a count both are possible, and the cell is not read.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data.cells.values import Numbers

_BEYOND = 20.0  # times the largest of the plain values: what a loss in nats, bits or perplexity of the same runs is not
_AMID = 2.0  # times the largest, or a share of the smallest


def with_signs_settled(found: Numbers, loss: bool) -> Numbers:
    """The numbers with cells of another decimal sign read by it where the column holds losses, else left out in `unsure`."""
    other = found.other
    if other is None:
        return found
    values = found.values
    open_ = np.isfinite(other) & np.isfinite(values)
    sure = values[np.isfinite(values) & ~open_ & (values > 0)]
    if not (sure != np.round(sure)).any():
        return found  # 4,000 beside 2 and 5 has no decimal sign
    amid = (other >= sure.min() / _AMID) & (other <= sure.max() * _AMID)
    odd = open_ & amid & (values > _BEYOND * sure.max())
    if not odd.any():
        return found
    first = int(np.flatnonzero(odd)[0])
    if loss:
        many = int(odd.sum())
        which = "one value is" if many == 1 else f"{many} values are"
        said = f"{which} written with another decimal sign: {values[first]:,g} would be {other[first]:g}, as it is read"
        return replace(found, values=np.where(odd, other, values), notes=(*found.notes, said))
    if (open_ & ~odd).any():
        return found  # the column has thousands: 4,120 beside 33,200 and 28.3
    if not _three_places(sure).any():
        odd &= _three_places(np.where(odd, other, 0.0))  # nobody writes 33.200 beside 28.3
    unsure = {int(i): f"may be {values[i]:g} or {other[i]:g}" for i in np.flatnonzero(odd)}
    return replace(found, values=np.where(odd, np.nan, values), unsure={**found.unsure, **unsure})


def _three_places(values: np.ndarray) -> np.ndarray:
    """Which values (n,) need three decimals."""
    return np.abs(values * 100.0 - np.round(values * 100.0)) > 1e-6 * np.maximum(np.abs(values), 1.0)
