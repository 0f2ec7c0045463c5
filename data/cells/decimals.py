"""With how many digits numbers were written, and whether two of them are one number that was rounded."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np

_PLACES = 10  # decimals beyond which a number was computed and not written
_LEAST = 2  # decimals that a loss is taken to have: noughts behind it are not kept, and 3.0 is not 2.8
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


def tolerances(losses: np.ndarray, column: np.ndarray) -> np.ndarray:
    """How far each loss (n,) in nats may lie from what was measured, by the digits with which its `column` (m,) was written.

    The column may have been written in nats, bits or as a perplexity: it is in the unit in which it has the fewest decimals.
    """
    with np.errstate(all="ignore"):
        found = []
        for written, slope, least in (
            (column, np.ones(len(losses)), _LEAST),
            (column / math.log(2), np.full(len(losses), 1 / math.log(2)), _LEAST),
            (np.exp(column), np.exp(losses), _LEAST - 1),
        ):
            places = _most_places(written)
            found.append((places, 0.5 * 10.0 ** -max(places, least) / slope))
        places, out = min(found, key=lambda f: f[0])
    return np.maximum(out * 1.0001, 1e-9) if places <= _PLACES else np.full(len(losses), 1e-9)


def _most_places(values: np.ndarray) -> int:
    """The decimals that the longest of the values (n,) needs."""
    values = values[np.isfinite(values)]
    for places in range(_PLACES + 1):
        if (np.abs(values - np.round(values, places)) <= 1e-11 * np.maximum(np.abs(values), 1)).all():
            return places
    return _PLACES + 1
