"""With how many digits numbers were written, and whether two of them are one number that was rounded."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np

_PLACES = 10  # decimals beyond which a number was computed and not written
_FEWEST = 2  # significant digits that a count is taken to have: 5e8 is 500 million and not 520


def counts_agree(a: float, b: float) -> bool:
    """Whether two counts are one number, the one with fewer digits rounded."""
    if not (math.isfinite(a) and math.isfinite(b)):
        return a == b
    return abs(a - b) <= max(half_unit(a), half_unit(b)) * 1.0001


def half_unit(x: float) -> float:
    """Half of the last digit with which a count is written, 0 of zero."""
    if x == 0 or not math.isfinite(x):
        return 0.0
    _, digits, exponent = Decimal(f"{x:.12g}").normalize().as_tuple()
    return 0.5 * 10.0 ** (int(exponent) - max(0, _FEWEST - len(digits)))


def tolerances(losses: np.ndarray) -> np.ndarray:
    """How far each loss (n,) in nats may lie from what was measured, by the digits with which the column was written.

    The column may have been written in nats, bits or as a perplexity: it is in the unit in which it has the fewest decimals.
    """
    best, out = _PLACES + 1, np.full(len(losses), 1e-9)
    with np.errstate(all="ignore"):
        for values, slope in (
            (losses, np.ones(len(losses))),
            (losses / math.log(2), np.full(len(losses), 1 / math.log(2))),
            (np.exp(losses), np.exp(losses)),
        ):
            places = _most_places(values)
            if places < best:
                best, out = places, 0.5 * 10.0**-places / slope
    return np.maximum(out * 1.0001, 1e-9)


def _most_places(values: np.ndarray) -> int:
    """The decimals that the longest of the values (n,) needs."""
    values = values[np.isfinite(values)]
    for places in range(_PLACES + 1):
        if (np.abs(values - np.round(values, places)) <= 1e-11 * np.maximum(np.abs(values), 1)).all():
            return places
    return _PLACES + 1
