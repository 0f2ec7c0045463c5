"""Final losses over batches and data as one law in which the critical batch grows with the data.

L = E + K D_min^-beta, D = D_min (1 + B / B_crit), B_crit = c D_min^k: a run of D tokens at batch B comes as low as D_min tokens
do at small batches. The hyperbola is McCandlish's (arXiv 1812.06162), the power law of B_crit that of Power Lines (arXiv 2505.13738),
with D_min the least data. At k = 0 the critical batch is the same at every loss. Where the runs say so the power is one of D itself,
B_crit = c D^k: then steps against batch bend more slowly than a hyperbola, and B_crit is told where D = 2 D_min, as it is by that.
"""

from __future__ import annotations

import itertools
from functools import cached_property

import numpy as np
from scipy.special import expit, fdtrc

from fitting.batch.critical import FAR
from fitting.batch.descent import descend
from fitting.errors import FitError
from fitting.uncertainty.error_model import noise

Array = np.ndarray

FLOORS, EXPONENTS = (0.5, 0.8, 0.95), (0.15, 0.4, 1.0)
BENDS, POWERS = (-2.0, 0.0, 2.0), (0.0, 0.5, 0.9)
GROWTH = (-0.9, 2.0)  # of the critical batch with the data; papers find 0 to .5, and 1 is a least number of steps
# With k of 1 or more, few steps reach no loss at all: D has a least value. Below this slope of log D in log D_min it goes on in a line.
FLATTEST = 0.005
ROUNDS, REFIT, TURNS = 80, 14, 40
CLOSER = 2.0  # the log-likelihood by which a power of a run's own data must be nearer to be taken
EXACT = 1e-18  # mean squares of log losses, below which nothing is left to explain
SCATTER = (
    0.01  # how unlikely the scatter between batches is under the runs' own noise before batches are taken to share luck
)


class Horizons:
    """The law over runs (n,): coordinates log E, log beta, log K, log B_crit (both at the middle of the runs), k.

    `by_own` says that the critical batch is a power of a run's own data, not of the least data that would do.
    """

    def __init__(self, batch: Array, tokens: Array, loss: Array, by_own: bool = False) -> None:
        self.y, self.by_own = np.log(loss), by_own
        if len(loss) <= 5:
            raise FitError(f"{len(loss)} runs are too few for 5 constants of loss against batch and data. Add runs.")
        self.sizes, self.which = np.unique(batch, return_inverse=True)
        self.middle, self.middle_b = float(np.mean(np.log(tokens))), float(np.mean(np.log(batch)))
        self.log_d, self.log_b = np.log(tokens) - self.middle, np.log(batch) - self.middle_b
        # The critical batch of any run may lie so far beyond the batches, and no further: there it is none.
        self.ends = self.log_b.min() - FAR, self.log_b.max() + FAR
        self.low = np.array([self.y.min() - 12.0, np.log(0.02), -14.0, self.ends[0], GROWTH[0]])
        self.high = np.array([self.y.min(), np.log(5.0), 4.0, self.ends[1], GROWTH[1]])

    def least(self, c: Array) -> tuple[Array, Array, Array]:
        """Log D_min of every run (R, n) at `c` (R, p), with the derivatives by log B_crit and by k."""
        g, k = c[:, 3:4], c[:, 4:5]
        over = self.log_b - g
        if self.by_own:
            bend = over - k * self.log_d
            return self.log_d - np.logaddexp(0.0, bend), expit(bend), expit(bend) * self.log_d
        # Where the slope 1 - k s comes down to its least: s there, and log D_min and log D of that place.
        steep = k > 1.0 - FLATTEST
        share = np.where(steep, (1.0 - FLATTEST) / np.where(steep, k, 1.0), 0.5)
        edge = np.where(steep, (over - np.log(share / (1.0 - share))) / np.where(steep, k, 1.0), -np.inf)
        lowest = np.where(steep, edge - np.log1p(-share), -np.inf)
        inside = self.log_d >= lowest
        x = np.maximum(np.broadcast_to(self.log_d, over.shape), edge)
        for _ in range(TURNS):  # convex and rising, begun at its right: Newton's steps never pass the root
            u = over - k * x
            off = x + np.logaddexp(0.0, u) - self.log_d
            step = off / np.maximum(1.0 - k * expit(u), FLATTEST)
            x = np.where(inside, np.maximum(x - step, edge), x)
            if np.max(np.abs(np.where(inside, step, 0.0)), initial=0.0) < 1e-12:
                break
        with np.errstate(invalid="ignore"):
            at = np.where(inside, x, edge)
            x = np.where(inside, x, edge + (self.log_d - lowest) / FLATTEST)
        s = expit(over - k * at)
        turn = s / np.maximum(1.0 - k * s, FLATTEST)
        return x, turn, turn * at

    def at(self, c: Array) -> tuple[Array, Array]:
        """Log losses (R, n) and derivatives (R, n, p) at `c` (R, p)."""
        e, beta = np.exp(c[:, :1]), np.exp(c[:, 1:2])
        x, by_bend, by_power = self.least(c)
        k = np.exp(np.clip(c[:, 2:3] - beta * x, -200.0, 200.0))
        loss = e + k
        part = k / loss
        slope = np.stack([e / loss, -part * beta * x, part, -part * beta * by_bend, -part * beta * by_power], axis=-1)
        return np.log(loss), slope

    @cached_property
    def best(self) -> tuple[Array, float]:
        """The best coordinates (p,) and the sum of squares there."""
        starts = [
            [floor, np.log(beta), level + np.log(-np.expm1(floor - level)), bend, power]
            for share, beta, bend, power in itertools.product(FLOORS, EXPONENTS, BENDS, POWERS)
            for floor, level in [(self.y.min() + np.log(share), float(np.mean(self.y)))]
        ]
        c = np.clip(np.array(starts), self.low, self.high)
        cost = descend(self.at, c, self.y, self.low, self.high, ROUNDS)
        k = int(np.argmin(cost))
        return c[k], float(cost[k])

    def fit(self, resamples: int, seed: int) -> tuple[Array, Array, Array, bool]:
        """The best coordinates (p,), those of refits (R, p), residuals (n,), and whether batches share luck of their own."""
        best = self.best[0]
        value, slope = self.at(best[None])
        left = value[0] - self.y
        scattered = self._scattered(left)
        drawn_from = noise(left, slope[0], self.which if scattered else None)
        errors = drawn_from.errors(np.random.default_rng(seed), resamples)[0]
        draws = np.tile(best, (resamples, 1))
        if resamples:
            descend(self.at, draws, value[0] - errors, self.low, self.high, REFIT, close=1e-6)
        return best, draws, left, scattered

    def _scattered(self, left: Array) -> bool:
        """Whether residuals (n,) differ from batch to batch more than within them, by the ratio of variances."""
        count = np.bincount(self.which)
        mean = np.bincount(self.which, left) / count
        between, within = float(np.sum(count * mean**2)), float(np.sum((left - mean[self.which]) ** 2))
        free, rest = len(count) - 3, len(left) - len(count) - 2  # the bend, its growth and one level are fitted
        if free < 1 or rest < 1 or np.max(np.abs(left)) < 1e-9:
            return False
        return bool(fdtrc(free, rest, between / free / (within / rest)) < SCATTER)

    def needed(self, c: Array, target: float) -> Array:
        """Log of the data that each batch needs to a loss (R, m), infinite at or below the floor."""
        x, bend = self._place(c, target)
        known = np.isfinite(x)[:, None]
        x, over = np.where(known, x[:, None], 0.0), np.log(self.sizes) - self.middle_b - bend[:, None]
        more = np.logaddexp(0.0, over)
        if self.by_own:
            k, more = c[:, 4:5], np.zeros_like(over)
            for _ in range(TURNS):  # concave and rising, begun at its left
                u = over - k * (more - np.log(2.0))  # the bend is told where data are twice the least
                step = (np.logaddexp(0.0, u) - more) / (1.0 + k * expit(u))
                more += step
                if np.max(np.abs(step), initial=0.0) < 1e-12:
                    break
        return np.where(known, x + more + self.middle, np.inf)

    def natural(self, c: Array, target: float) -> Array:
        """S_min and E_min at a loss (R, 2); a bend at an end of where it may lie as the limit it stands for: one of them zero."""
        x, bend = self._place(c, target)
        near = 0.1
        with np.errstate(over="ignore"):
            s, e = np.exp(x - bend + self.middle - self.middle_b), np.exp(x + self.middle)
        s = np.where(bend > self.ends[1] - near, 0.0, s)
        return np.column_stack([s, np.where(bend < self.ends[0] + near, 0.0, e)])

    def seen(self, best: Array, target: float, left: Array) -> Array:
        """Log of the data that each batch itself shows at a loss (m,): the law's, moved by what its runs near there are off."""
        x, bend = self._place(best[None], target)
        out = self.needed(best[None], target)[0]
        over, k = np.log(self.sizes) - self.middle_b - bend, best[4]
        if self.by_own:
            rise = 1.0 + k * expit(over - k * (out - self.middle - x - np.log(2.0)))
        else:
            rise = 1.0 / np.maximum(1.0 - k * expit(over), FLATTEST)
        steep = (1.0 - np.exp(best[0]) / target) * np.exp(best[1]) * rise
        for j in range(len(self.sizes)):
            own = self.which == j
            apart = (self.log_d[own] + self.middle - out[j]) / np.log(2.0)
            weight = np.exp(-0.5 * (apart**2 - np.min(apart**2)))
            out[j] -= np.clip(
                float(weight @ left[own] / weight.sum()) / steep[j], -FAR, FAR
            )  # near the floor nothing is told
        return out

    def _place(self, c: Array, target: float) -> tuple[Array, Array]:
        """Log of the least data and of the critical batch at a loss (R,) each, beside the middle of the runs."""
        over = target - np.exp(c[:, 0])
        with np.errstate(all="ignore"):
            x = np.where(over > 0, (c[:, 2] - np.log(over)) / np.exp(c[:, 1]), np.inf)
            twice = np.log(2.0) if self.by_own else 0.0
            return x, np.where(np.isfinite(x), c[:, 3] + c[:, 4] * (x + twice), 0.0)


def horizons(batch: Array, tokens: Array, loss: Array) -> Horizons:
    """The law whose critical batch is a power of the least data, or of a run's own where final losses are nearer to that."""
    least, own = (Horizons(batch, tokens, loss, by_own) for by_own in (False, True))
    nearer = own.best[1] < least.best[1] * np.exp(-2.0 * CLOSER / len(loss))
    return own if nearer and least.best[1] > EXACT * len(loss) else least
