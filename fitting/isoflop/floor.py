"""Loss along the frontier, E + A C^-gamma, through the lowest point of each budget, for every resample at once.

For a given gamma the best E and A are a linear fit, so only gamma is searched: on a grid, then between its points. The
residuals are weighted by 1 / loss^2, which makes them relative ones, as in the other fits, to second order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize.elementwise import find_minimum

from data.alike import Alike
from fitting.band import LEVEL, Band, from_draws
from fitting.errors import FitError

Array = np.ndarray

# Points below which three parameters say nothing about themselves.
LEAST_POINTS = 4
# Published exponents of loss in compute lie between 0.04 and 0.2; the grid is wide on both sides.
GRID = np.log(np.geomspace(0.002, 2.0, 61))


@dataclass(frozen=True, eq=False)
class Floor(Alike):
    """E + A (C / centre)^-gamma: `values` (3,) are E, A in nats and gamma; `draws` (R, 3) those of the resamples."""

    values: Array
    centre: float
    draws: Array = field(default_factory=lambda: np.empty((0, 3)))

    def at(self, flops: Any, level: float = LEVEL) -> Band:
        """The loss at a budget in FLOP, a number or an array (K,), in nats per token."""
        x = np.log(np.asarray(flops, float) / self.centre)

        def loss(v: Array) -> Array:
            e, a, g = (np.reshape(v[:, i], (-1,) + (1,) * np.ndim(x)) for i in range(3))
            return e + a * np.exp(-g * x)

        return from_draws(loss(self.values[None, :])[0], loss(self.draws), level)


def floor(flops: Array, loss: Array, draws: Array | None = None, *, pinned: float | None = None) -> Floor:
    """The frontier through losses (B,) at budgets (B,), and through those of each resample (R, B), NaN where missing.

    `pinned` holds E at a value; 0 is a plain power law. Raises FitError with fewer than four points, or where the loss
    does not fall with compute.
    """
    if len(flops) < LEAST_POINTS:
        raise FitError(
            f"E + A C^-gamma has 3 parameters and needs the lowest loss of at least {LEAST_POINTS} budgets; there are "
            f"{len(flops)}. Add budgets."
        )
    log_c = np.log(np.asarray(flops, float))
    centre = float(log_c.mean())
    best = _solve(log_c - centre, np.asarray(loss, float)[None, :], pinned)[0]
    if not best[1] > 0:
        raise FitError(
            "The lowest loss of these budgets does not fall with compute, so there is no frontier to follow. Look for runs "
            "that failed, or budgets of different data."
        )
    spread = np.empty((0, 3))
    if draws is not None and len(draws):
        enough = np.isfinite(draws).sum(axis=1) >= LEAST_POINTS
        spread = _solve(log_c - centre, draws[enough], pinned)
    return Floor(best, float(np.exp(centre)), spread)


def _solve(x: Array, loss: Array, pinned: float | None) -> Array:
    """(R, 3) of E, A, gamma for losses (R, B)."""
    known = np.isfinite(loss)
    y = np.where(known, loss, 1.0)
    w = known / y**2

    def cost(log_gamma: Array, r: Array) -> tuple[Array, Array, Array]:
        z = np.exp(-np.exp(log_gamma)[:, None] * x)
        total, zw = w[r].sum(axis=1), w[r] * z
        sz, szz, sy, szy = zw.sum(axis=1), (zw * z).sum(axis=1), (w * y)[r].sum(axis=1), (zw * y[r]).sum(axis=1)
        a = (szy - sz * sy / total) / (szz - sz * sz / total)
        e = (sy - a * sz) / total
        held = np.full_like(e, 0.0 if pinned is None else pinned)
        outside = e < 0.0 if pinned is None else np.ones(len(e), bool)
        e = np.where(outside, held, e)
        a = np.where(outside, (szy - held * sz) / szz, a)
        return np.sum(w[r] * (e[:, None] + a[:, None] * z - y[r]) ** 2, axis=1), e, a

    rows = np.arange(len(y))
    k = np.argmin(np.stack([cost(np.full(len(y), g), rows)[0] for g in GRID]), axis=0)
    inner = np.clip(k, 1, len(GRID) - 2)
    cell = (GRID[inner - 1], GRID[inner], GRID[inner + 1])
    found = find_minimum(lambda g, r: cost(g, r)[0], cell, args=(rows,))
    log_gamma = np.where(found.success, found.x, GRID[k])  # the lowest cost at the grid's end has no cell
    _, e, a = cost(log_gamma, rows)
    return np.stack([e, a, np.exp(log_gamma)], axis=1)
