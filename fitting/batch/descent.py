"""Least squares for many sets of parameters at once: Levenberg and Marquardt with bounds, each set at its own pace."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray

CLOSE = 1e-10
LONGEST = 1.0  # a step, in coordinates that are logarithms


def descend(
    at: Callable[[Array], tuple[Array, Array]],
    c: Array,
    y: Array,
    low: Array,
    high: Array,
    rounds: int,
    weight: Array | float = 1.0,
    close: float = CLOSE,
) -> Array:
    """The weighted sums of squares (R,) reached from `c` (R, p), which is changed in place.

    `at` gives values (R, n) and derivatives (R, n, p), each row by its own parameters alone; `y` is (n,) or (R, n), `weight`
    (n,), `low` and `high` (p,). A set that has come to rest is not asked about again.
    """
    value, slope = at(c)
    left = value - y
    cost = np.sum(weight * left**2, axis=1)
    going, damping = np.arange(len(c)), np.full(len(c), 1e-3)
    for _ in range(rounds):
        turned = np.swapaxes(slope * np.reshape(weight, (-1, 1)), 1, 2)
        inner = turned @ slope
        outer = np.einsum("rpn,rn->rp", turned, left)
        diagonal = np.einsum("rpp->rp", inner)
        lift = damping[:, None] * diagonal + 1e-12 * diagonal.max(axis=1, keepdims=True) + 1e-300
        step = np.linalg.solve(inner + lift[:, :, None] * np.eye(c.shape[1]), outer[:, :, None])[:, :, 0]
        new = np.clip(c[going] - np.clip(step, -LONGEST, LONGEST), low, high)
        value, tilt = at(new)
        off = value - (y if y.ndim == 1 else y[going])
        with np.errstate(invalid="ignore"):
            tried = np.sum(weight * off**2, axis=1)
        better = tried < cost[going]
        c[going[better]], cost[going[better]] = new[better], tried[better]
        left[better], slope[better] = off[better], tilt[better]
        damping = np.where(better, 0.1 * damping, 8.0 * damping)
        rest = (np.abs(step).max(axis=1) < close) | (damping > 1e4)
        if rest.all():
            break
        if rest.any():
            going, damping, left, slope = (x[~rest] for x in (going, damping, left, slope))
    return cost
