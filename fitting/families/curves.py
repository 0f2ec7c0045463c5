"""Each family's best loss at any budget, for every refit at once: how budgets compare, and where two families cross.

A curve is kept as values and slopes on a grid of log budgets. The slope is exact (at the best split the loss changes
with the budget as if only tokens did: the envelope theorem), so that a cubic between nodes is right to 1e-7 in log
budget; the losses at the nodes are numerical optima, for any law of size and tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize.elementwise import find_root

from data.alike import Alike
from fitting.accounting import Accounting
from fitting.autodiff import Dual, partials_of
from fitting.law import Law
from fitting.planning.allocation import optimum, valley

Array = np.ndarray

PER_DECADE = 8
BLOCK_ELEMENTS = 60_000


@dataclass(frozen=True, eq=False)
class Curves(Alike):
    """Best loss (R, G) and its slope in log budget (R, G), at log budgets (G,) that are evenly spaced."""

    log_flops: Array
    loss: Array
    slope: Array

    @property
    def step(self) -> float:
        """The distance between nodes, in log budget."""
        return float(self.log_flops[1] - self.log_flops[0])

    def times(self, factor: Array) -> Curves:
        """The curves with each loss times a factor (R, 1)."""
        return Curves(self.log_flops, self.loss * factor, self.slope * factor)

    def at(self, log_flops: Array) -> Array:
        """The best loss (R, K) at log budgets (K,) inside the grid."""
        place = (np.asarray(log_flops, float) - self.log_flops[0]) / self.step
        j = np.clip(place.astype(int), 0, len(self.log_flops) - 2)
        return _cubic(*self._ends(slice(None), j), place - j)

    def budget(self, loss: Array) -> Array:
        """The log budget (R, K) at which each curve reaches losses (R, K); +-infinity where none on the grid does."""
        j = np.zeros(np.shape(loss), int)
        for row, target, at in zip(self.loss, loss, j, strict=True):
            at[:] = np.searchsorted(-row, -target) - 1
        last = len(self.log_flops) - 1
        inside = np.clip(j, 0, last - 1)
        ends = self._ends(np.arange(len(loss))[:, None], inside)
        t = _solve(ends, loss)
        found = self.log_flops[inside] + t * self.step
        found = np.where(loss > self.loss[:, :1], -np.inf, found)
        found = np.where(loss < self.loss[:, -1:], np.inf, found)
        return np.where(np.isfinite(loss) & np.isfinite(self.loss).all(axis=1, keepdims=True), found, np.nan)

    def _ends(self, rows: Any, j: Array) -> tuple[Array, Array, Array, Array]:
        return (
            self.loss[rows, j], self.loss[rows, j + 1], self.slope[rows, j] * self.step, self.slope[rows, j + 1] * self.step,
        )  # fmt: skip


def curves(law: Law, values: Array, accounting: Accounting, log_flops: Array) -> Curves:
    """The curves of a law with parameters (R, p) at log budgets (G,), FLOPs counted as `accounting` counts them."""
    shape = (len(values), len(log_flops))
    loss, slope = np.empty(shape), np.empty(shape)
    size = max(1, BLOCK_ELEMENTS // len(log_flops))
    for first in range(0, len(values), size):
        rows = slice(first, first + size)
        loss[rows], slope[rows] = _best(law, values[rows], accounting.rows(rows), np.exp(log_flops))
    return Curves(log_flops, loss, slope)


def _best(law: Law, values: Array, accounting: Accounting, flops: Array) -> tuple[Array, Array]:
    named = {k: values[:, i, None] for i, k in enumerate(law.names)}
    if law.inputs == ("flops",):
        out = law({"flops": Dual(flops, {0: flops})}, named)
    else:
        best = optimum(valley(law, values, flops, accounting))
        out = law({"params": best.params, "tokens": Dual(best.tokens, {0: best.tokens})}, named)
    return out.value, partials_of(out)[0]


def _cubic(a: Array, b: Array, da: Array, db: Array, t: Array) -> Array:
    """Hermite's cubic with ends a, b and end slopes da, db, at t from 0 to 1."""
    u = 1.0 - t
    return u * u * (a * (1 + 2 * t) + da * t) + t * t * (b * (1 + 2 * u) - db * u)


def _solve(ends: tuple[Array, Array, Array, Array], target: Array) -> Array:
    """Where the cubic equals `target`, which lies between its ends."""
    at = (np.zeros(np.shape(target)), np.ones(np.shape(target)))
    found = find_root(lambda t, target, a, b, da, db: _cubic(a, b, da, db, t) - target, at, args=(target, *ends))
    return np.asarray(found.x)


def crossings(one: Curves, other: Curves, low: float, high: float) -> tuple[Array, Array, Array]:
    """Where `one` and `other` cross between two log budgets: row, log budget, and the sign of one - other before.

    Each answer is (m,) for m crossings in all rows together, in order of row and budget.
    """
    inside = (one.log_flops >= low - one.step) & (one.log_flops <= high + one.step)
    gap, slope = (one.loss - other.loss)[:, inside], (one.slope - other.slope)[:, inside] * one.step
    sign = np.sign(gap)
    rows, j = np.nonzero((sign[:, :-1] * sign[:, 1:] < 0) | (sign[:, 1:] == 0) & (sign[:, :-1] != 0))
    ends = gap[rows, j], gap[rows, j + 1], slope[rows, j], slope[rows, j + 1]
    at = one.log_flops[inside][j] + _solve(ends, np.zeros(len(rows))) * one.step
    within = (at >= low) & (at <= high)
    return rows[within], at[within], sign[rows, j][within]
