"""A power law of compute through points that others measured: best values, bootstrap draws, and bands from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.alike import Alike
from fitting.band import LEVEL, Band, from_draws
from fitting.errors import FitError
from fitting.shown import shown

Array = np.ndarray


@shown()
@dataclass(frozen=True, eq=False)
class PowerLaw(Alike):
    """y = scale * (C / centre)^exponent. `draws` (R, 2) are (log scale, exponent) of the resamples that have one."""

    log_scale: float
    exponent: float
    centre: float
    draws: Array = field(default_factory=lambda: np.empty((0, 2)))

    @property
    def coefficient(self) -> float:
        """G in y = G C^exponent."""
        return float(np.exp(self.log_scale - self.exponent * np.log(self.centre)))

    def slope(self, level: float = LEVEL) -> Band:
        """The exponent with its interval."""
        return from_draws(self.exponent, self.draws[:, 1], level)

    def at(self, flops: Any, level: float = LEVEL) -> Band:
        """The value at a budget in FLOP, a number or an array (K,)."""
        x = np.log(np.asarray(flops, float) / self.centre)
        return from_draws(np.exp(self.log_scale + self.exponent * x), self.spread(flops), level)

    def over(self, other: PowerLaw, flops: Any, level: float = LEVEL) -> Band:
        """The ratio of this to another law of the same resamples, at a budget."""
        with np.errstate(all="ignore"):
            return from_draws(
                self.at(flops).value / other.at(flops).value, self.spread(flops) / other.spread(flops), level
            )

    def spread(self, flops: Any) -> Array:
        """The value of every draw at a budget, (R,) or (R, K)."""
        x = np.log(np.asarray(flops, float) / self.centre)
        with np.errstate(over="ignore"):
            return np.exp(np.add.outer(self.draws[:, 0], 0.0 * x) + np.multiply.outer(self.draws[:, 1], x))


def lines(x: Array, y: Array, weights: Array) -> Array:
    """Weighted least-squares lines of y (R, B) on x (B,), as (R, 2) height at x = 0 and slope.

    `weights` (R, B); NaN where fewer than two points have any weight. Points of no weight may be NaN.
    """
    y = np.where(weights > 0, y, 0.0)
    total = weights.sum(axis=1)
    apart = (weights > 0).sum(axis=1) >= 2
    with np.errstate(all="ignore"):
        middle = weights @ x / total
        mean = np.sum(weights * y, axis=1) / total
        off = weights * (x - middle[:, None])
        slope = np.sum(off * y, axis=1) / np.sum(off * (x - middle[:, None]), axis=1)
        out = np.stack([mean - slope * middle, slope], axis=1)
    out[~apart] = np.nan
    return out


def power_law(flops: Array, values: Array, weights: Array | None = None) -> PowerLaw:
    """The least-squares power law through values (n,) at budgets (n,), in logs; weights such as 1 / variance of log.

    Raises FitError where a budget, a value or a weight is missing or not positive, or fewer than two budgets differ.
    """
    c, y = np.asarray(flops, float), np.asarray(values, float)
    w = np.ones_like(c) if weights is None else np.asarray(weights, float)
    good = np.isfinite(c) & np.isfinite(y) & np.isfinite(w) & (c > 0) & (y > 0) & (w > 0)
    if not good.all():
        raise FitError(
            f"A power law needs a positive value and weight at each budget; {np.sum(~good)} of {len(c)} have none. "
            "Leave those out."
        )
    if len(np.unique(c)) < 2:
        raise FitError(f"A power law needs at least 2 different budgets; there are {len(np.unique(c))}. Add budgets.")
    nothing = np.empty((0, len(c)))
    return resampled(np.log(c), np.log(y), w, nothing, nothing)


def resampled(log_c: Array, log_y: Array, weights: Array, draws: Array, draw_weights: Array) -> PowerLaw:
    """The power law through log values (B,), and through those of each resample (R, B) with its own weights (R, B)."""
    centre = float(np.average(log_c, weights=weights))
    x = log_c - centre
    best = lines(x, log_y[None, :], weights[None, :])[0]
    spread = lines(x, draws, draw_weights)
    return PowerLaw(float(best[0]), float(best[1]), float(np.exp(centre)), spread[np.isfinite(spread).all(axis=1)])
