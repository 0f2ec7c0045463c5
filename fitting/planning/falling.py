"""Where a function that falls crosses zero, for thousands of them at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray

STEPS, CLOSE, LONGEST = 16, 1e-11, 3.0
HALVINGS = 60


def falls_to_zero(over: Callable[[Array], Array], start: Array, ends: tuple[float, float]) -> Array:
    """The zeros (R, K) of `over`, by secants from `start` (R, K); NaN where they lead out of `ends` or nowhere."""
    out = np.full(start.shape, np.nan)
    open_ = np.isfinite(start)
    x0 = np.clip(start, ends[0], ends[1] - 1.0)
    x1 = x0 + 0.25
    with np.errstate(all="ignore"):
        h0, h1 = over(x0), over(x1)
        for _ in range(STEPS):
            slope = (h1 - h0) / (x1 - x0)
            step = np.where(slope < 0, np.clip(-h1 / slope, -LONGEST, LONGEST), np.nan)
            there = open_ & (np.abs(step) < CLOSE)
            out = np.where(there, x1 + step, out)
            open_ &= ~there & np.isfinite(step) & (x1 + step >= ends[0]) & (x1 + step <= ends[1])
            if not open_.any():
                break
            x0, h0, x1 = x1, h1, np.where(open_, x1 + step, x1)
            h1 = over(x1)
    return out


def halved(
    over: Callable[[Array], Array], shape: tuple[int, ...], ends: tuple[float, float], times: int = HALVINGS
) -> Array:
    """The zeros (R, K) of `over` between two ends, infinite where it is still above zero at the upper one, halved so many `times`."""
    low, high = (np.full(shape, end) for end in ends)
    never = over(high) > 0
    for _ in range(times):
        middle = 0.5 * (low + high)
        above = over(middle) > 0
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.where(never, np.inf, 0.5 * (low + high))
