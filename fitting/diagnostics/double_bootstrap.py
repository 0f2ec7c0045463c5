"""The bootstrap of the bootstrap: where the truth of simulated tables ranks among the draws that each of them gets.

A table simulated from a fit has a known truth, the fit. The whole procedure is repeated on it: refitted, its noise judged
anew, refitted again to data drawn from that. Where intervals mean what they say, the truth's rank among those last refits
is uniform; where it is not, its quantiles say at which shares of the draws an interval should end instead (Beran 1987,
Biometrika 74, 457; Hall and Martin 1988, Biometrika 75, 661).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from data.alike import Alike
from fitting.band import LEVEL, quantiles
from fitting.errors import FitError
from fitting.solver.solver import BLOCK_ELEMENTS, Problem, minimise, residuals, slopes
from fitting.uncertainty.bootstrap import blocks
from fitting.uncertainty.error_model import noise
from fitting.uncertainty.interval_method import Choice

Array = np.ndarray

# At least so many steps of progress. Fewer refits at a time than fill a core's cache would cost more than they tell.
STEPS = 10
# A rank needs no certified optimum: refits stop within a thousandth of a standard error, or after so many steps.
NEAR, MOST_STEPS = 1e-8, 80
# With fewer, 2.5 % lies beyond the lowest rank there is.
LEAST = 40


@dataclass(frozen=True, eq=False)
class Ranks(Alike):
    """Where the truth ranks among the draws of each of K tables, for q quantities: shares (K, q) of `inner` draws.

    `low` counts draws that equal the truth as below it, `high` as above: they differ where both lie at a bound. A quantity
    that some table knows no number of is NaN there.
    """

    low: Array
    high: Array
    inner: int

    def held(self, level: float = LEVEL) -> Array:
        """The share (q,) of tables whose plain interval at `level` holds the truth."""
        tail = 0.5 * (1.0 - level)
        return np.asarray(np.mean((self.low >= tail) & (self.high <= 1.0 - tail), axis=0))

    def ends(self, level: float = LEVEL) -> tuple[Array, Array]:
        """The shares of the draws, (q,) each, where an interval must end to hold the truth in `level` of the tables.

        An end is 0 or 1 where the truth lies beyond every draw of too many tables: wider than draws can say. A quantity whose
        end would lie across the middle of its draws keeps the plain ones: refits stand about a truth at a bound otherwise
        than about a truth elsewhere, and no share of them puts that right (Andrews 2000, Econometrica 68, 399).
        """
        tail = 0.5 * (1.0 - level)
        low, high = quantiles(self.low, (tail, 1.0 - tail))[0], quantiles(self.high, (tail, 1.0 - tail))[1]
        beyond = 1.0 / (self.inner + 1.0)
        low, high = np.where(low < beyond, 0.0, low), np.where(high > 1.0 - beyond, 1.0, high)
        across = (low > 0.5) | (high < 0.5)
        return np.where(across, tail, low), np.where(across, 1.0 - tail, high)

    def interval(self, draws: Array, level: float = LEVEL) -> tuple[Array, Array]:
        """The interval's ends (q,) among draws (R, q) of the quantities; infinite where they lie beyond the draws."""
        beyond = 1.0 / (len(draws) + 1.0)
        low, high = self.ends(level)
        at = [
            (quantiles(draws[:, k, None], (a, b)) if np.isfinite(a + b) else (np.full(1, np.nan),) * 2)
            for k, (a, b) in enumerate(zip(low, high, strict=True))
        ]
        first, last = (np.array([pair[side][0] for pair in at]) for side in (0, 1))
        return np.where(low < beyond, -np.inf, first), np.where(high > 1.0 - beyond, np.inf, last)


def ranks(
    prob: Problem,
    best: Array,
    how: Choice,
    ask: Callable[[Array], Array],
    outer: int,
    inner: int,
    seed: int,
    progress: Callable[[float], None] | None = None,
) -> Ranks:
    """The ranks of the fit `best` (p,) among `inner` refits of each of `outer` tables simulated from it as `how` draws them.

    `ask` turns parameters (R, p) into the quantities (R, q) that are ranked. Repeated for every table: the fit, what its
    residuals say of the noise and of the share that groups have in common, and the draws. Kept: the method, the grouping,
    and Huber's delta. `progress` is told the share that is done. Raises FitError for fewer than `LEAST` tables or draws.
    """
    if min(outer, inner) < LEAST:
        raise FitError(
            f"Calibrating takes at least {LEAST} tables and {LEAST} refits of each; asked were {outer} x {inner}."
        )
    truth = ask(prob.coordinates.natural(best)[None, :])[0]
    rng = np.random.default_rng([seed, 3])
    tables = _tables(prob, best, how, outer, rng)
    refitted = _refitted(prob, best, tables, how)
    size = max(1, min(BLOCK_ELEMENTS // (prob.n * inner), -(-outer // STEPS)))
    low, high = [], []
    for first in range(0, outer, size):
        part = slice(first, min(first + size, outer))
        drawn = np.concatenate(
            [
                _redrawn(prob, theta, table, how, inner, rng)
                for theta, table in zip(refitted[part], tables[part], strict=True)
            ]
        )
        found = _refitted(prob, np.repeat(refitted[part], inner, axis=0), drawn, how)
        asked = ask(prob.coordinates.natural(found)).reshape(-1, inner, len(truth))
        below, same = np.sum(asked < truth, axis=1), np.sum(asked == truth, axis=1)
        unknown = np.where(np.isnan(asked).any(axis=1), np.nan, 0.5)
        low.append((below + same + unknown) / (inner + 1.0))
        high.append((below + unknown) / (inner + 1.0))
        if progress is not None:
            progress(min(1.0, (first + size) / outer))
    return Ranks(np.concatenate(low), np.concatenate(high), inner)


def _tables(prob: Problem, best: Array, how: Choice, count: int, rng: np.random.Generator) -> Array:
    """Tables as the method draws them from a fit, (count, n): their log losses, or how often each holds each run."""
    if how.noise is None:
        return np.concatenate(list(blocks(how.labels, count, int(rng.integers(2**31)), count)))
    law = prob.log_loss + residuals(prob, best[None, :])[0]
    return np.asarray(law - how.noise.errors(rng, count)[0])


def _refitted(prob: Problem, start: Array, tables: Array, how: Choice) -> Array:
    """The refits (R, p) to tables (R, n), from starts (p,) or (R, p)."""
    if how.noise is None:
        return minimise(
            prob, np.broadcast_to(start, (len(tables), start.shape[-1])), tables, (), MOST_STEPS, NEAR
        ).theta
    many = replace(prob, log_loss=tables)
    return minimise(many, np.broadcast_to(start, (len(tables), start.shape[-1])), None, (), MOST_STEPS, NEAR).theta


def _redrawn(prob: Problem, theta: Array, table: Array, how: Choice, count: int, rng: np.random.Generator) -> Array:
    """Tables (count, n) drawn from one simulated table (n,), refitted as `theta` (p,), by the same method."""
    if how.noise is None:
        first = np.unique(how.labels, return_index=True)[1]
        share = table[first] / table[first].sum()
        return rng.multinomial(len(first), share, size=count)[:, how.labels].astype(float)
    law, jac = slopes(prob, theta[None, :])
    left = law[0] + prob.log_loss - table
    groups = how.labels if how.noise.between_dof else None
    errors = noise(left, jac[0].T, groups, prob.delta).errors(rng, count)[0]
    return np.asarray(table + left - errors)
