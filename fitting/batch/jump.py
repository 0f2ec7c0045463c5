"""Steps that lie higher from some batch on than the hyperbola through the others: another learning rate there, or another recipe."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc

Array = np.ndarray

UNLIKELY = 0.003  # under noise alone, over all the places where steps may jump
EXACT = 1e-12  # mean squares of log steps, below which nothing is left to explain


@dataclass(frozen=True)
class Jump:
    """Steps are `factor` times the hyperbola of the rest from the batch `batch` on."""

    batch: float
    factor: float


def jump(log_x: Array, log_y: Array, squares: float, grid: Array) -> Jump | None:
    """The jump up of log steps (n,) along log batches (n,) that noise does not explain, by the ratio of variances; else None.

    `squares` is the sum of squares about the hyperbola alone, `grid` (g,) log critical batches to try with a jump.
    """
    free, places = len(log_x) - 3, np.unique(log_x)[1:]
    if free < 1 or squares < EXACT * len(log_x):
        return None
    left = log_y - np.logaddexp(0.0, grid[:, None] - log_x)
    left -= left.mean(axis=1, keepdims=True)
    total = np.sum(left**2, axis=1)
    best, found = np.inf, None
    for place in places:
        above = (log_x >= place).astype(float)
        above -= above.mean()
        along, room = left @ above, float(above @ above)
        cost = np.where(along > 0, total - along**2 / room, np.inf)
        k = int(np.argmin(cost))
        if cost[k] < best:
            best, found = float(cost[k]), Jump(float(np.exp(place)), float(np.exp(along[k] / room)))
    other = max(best, EXACT * len(log_x) * 1e-3)
    if found is None or other >= squares or _one_alone(log_x, left, total) <= best:
        return None
    chance = 0.5 * len(places) * fdtrc(1, free, (squares - other) / (other / free))  # half: of jumps only those up
    return found if chance < UNLIKELY else None


def _one_alone(log_x: Array, left: Array, total: Array) -> float:
    """The least sum of squares with one batch but the last set apart: a single reading that is off is no jump of those beyond it."""
    best = np.inf
    for place in np.unique(log_x)[:-1]:
        alone = (log_x == place).astype(float)
        alone -= alone.mean()
        best = min(best, float(np.min(total - (left @ alone) ** 2 / float(alone @ alone))))
    return best
