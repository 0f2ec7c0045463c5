"""Resampling: every refit sees the same runs with other weights, and all refits advance together.

Drawing n runs with replacement is the same as giving each run a multinomial weight (Efron 1979), so that thousands of
refits share one table and one batch of arrays. With a grouping, whole groups are drawn: checkpoints of one run, or runs
of one size, are not independent, and intervals that treat them so come out too narrow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from fitting.solver.initial_values import starts
from fitting.solver.solver import Problem, Solution, joined, minimise, residuals
from fitting.uncertainty.error_model import Noise
from fitting.uncertainty.interval_method import Choice

Array = np.ndarray

# Stragglers times starts times runs beyond which a second try would take longer than everything before it.
MOST_AGAIN = 1_000_000
# So it is with more than this share of stragglers (and this many): the law has a parameter that these runs do not hold.
MOST_LATE, SOME_LATE = 0.1, 40
# Weights held at once: 160 MB. Four thousand resamples of a hundred thousand runs would be 3 GB.
MOST_WEIGHTS = 20_000_000


def weights(groups: Array, resamples: int, seed: int) -> Array:
    """How often each run is drawn in each resample, (R, n) floats, for group labels (n,) as integers 0..G-1."""
    return np.concatenate(list(blocks(groups, resamples, seed, max(1, resamples))))


def blocks(groups: Array, resamples: int, seed: int, size: int) -> Iterator[Array]:
    """The same weights, at most `size` resamples at a time; at least one block, even of none."""
    count = int(groups.max()) + 1
    rng = np.random.default_rng(seed)
    for first in range(0, max(1, resamples), size):
        drawn = rng.multinomial(count, np.full(count, 1.0 / count), size=min(size, resamples - first))
        yield drawn[:, groups].astype(float)


def resampled(prob: Problem, best: Array, groups: Array, resamples: int, seed: int) -> Solution:
    """The refits of `resamples` draws of the groups (n,), a block at a time so that a long table fits in memory."""
    size = max(1, MOST_WEIGHTS // prob.n)
    return joined([refits(prob, best, w) for w in blocks(groups, resamples, seed, size)])


def drawn(prob: Problem, best: Array, how: Choice, resamples: int, seed: int) -> tuple[Solution, Array]:
    """The refits that intervals come from, and one new run's noise (R,) for each where the method has a say in it."""
    if how.noise is None:
        return resampled(prob, best, how.labels, resamples, seed), np.empty(0)
    return redrawn(prob, best, how.noise, resamples, seed)


def redrawn(prob: Problem, best: Array, noise: Noise, resamples: int, seed: int) -> tuple[Solution, Array]:
    """The refits to the fit's own losses with `resamples` draws of new noise, and one new run's noise (R,) for each."""
    scale = np.ones(1) if prob.scale is None else prob.scale
    law = prob.log_loss + residuals(prob, best[None, :])[0] / scale
    rng = np.random.default_rng(seed)
    size = max(1, MOST_WEIGHTS // prob.n)
    parts, alone = [], []
    for first in range(0, max(1, resamples), size):
        errors, single = noise.errors(rng, min(size, resamples - first))
        parts.append(refits(prob, best, None, log_losses=law - errors / scale))
        # The error of a new run is like that of one of these.
        alone.append(single if prob.scale is None else single / rng.choice(scale, size=single.shape))
    return joined(parts), np.concatenate(alone)[:, 0]


def refits(
    prob: Problem,
    best: Array,
    run_weights: Array | None,
    fresh: Array | None = None,
    *,
    log_losses: Array | None = None,
) -> Solution:
    """The refits to other run weights (R, n), or to other log losses (R, n), each started from the fit to all runs.

    Stragglers go on, and start afresh: from `fresh` (k, p), or from the grid where none are given.
    """
    many = prob if log_losses is None else replace(prob, log_loss=log_losses)
    given = run_weights if log_losses is None else log_losses
    assert given is not None
    sol = minimise(many, np.tile(best, (len(given), 1)), run_weights)
    late = np.flatnonzero(~sol.converged)
    if fresh is None:
        fresh = starts(prob) if len(late) else np.empty((0, len(best)))
    hopeless = len(late) > max(SOME_LATE, MOST_LATE * len(sol.theta))
    if len(late) == 0 or hopeless or len(late) * len(fresh) * prob.n > MOST_AGAIN:
        return sol  # so many stragglers are the table's doing, and the verdicts say so
    tries = np.concatenate([sol.theta[late, None, :], np.tile(fresh, (len(late), 1, 1))], axis=1)
    count = tries.shape[1]
    each = np.repeat(late, count)
    heavy = None if run_weights is None else run_weights[each]
    again = minimise(many.rows(each), tries.reshape(-1, len(best)), heavy)
    pick = np.argmin(again.objective.reshape(len(late), count), axis=1) + np.arange(len(late)) * count
    better = again.objective[pick] <= sol.objective[late]
    rows, took = late[better], pick[better]
    for name in ("theta", "objective", "promise", "converged"):
        getattr(sol, name)[rows] = getattr(again, name)[took]
    return sol
