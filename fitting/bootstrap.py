"""Resampling: every refit sees the same runs with other weights, and all refits advance together.

Drawing n runs with replacement is the same as giving each run a multinomial weight (Efron 1979), so that thousands of
refits share one table and one batch of arrays. With a grouping, whole groups are drawn: checkpoints of one run, or runs
of one size, are not independent, and intervals that treat them so come out too narrow.
"""

from __future__ import annotations

import numpy as np

from fitting.solve import Problem, Solution, minimise
from fitting.starts import starts

Array = np.ndarray

# Stragglers times starts times runs beyond which a second try would take longer than everything before it.
MOST_AGAIN = 1_000_000


def weights(groups: Array, resamples: int, seed: int) -> Array:
    """How often each run is drawn in each resample, (R, n) floats, for group labels (n,) as integers 0..G-1."""
    count = int(groups.max()) + 1
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1.0 / count), size=resamples)
    return drawn[:, groups].astype(float)


def refits(prob: Problem, best: Array, run_weights: Array) -> Solution:
    """The refit of every resample, started from the fit to all runs; stragglers go on, and start afresh from the grid."""
    sol = minimise(prob, np.tile(best, (len(run_weights), 1)), run_weights)
    late = np.flatnonzero(~sol.converged)
    fresh = starts(prob) if len(late) else np.empty((0, len(best)))
    if len(late) == 0 or len(late) * len(fresh) * prob.n > MOST_AGAIN:
        return sol  # so many stragglers are the table's doing, and the verdicts say so
    tries = np.concatenate([sol.theta[late, None, :], np.tile(fresh, (len(late), 1, 1))], axis=1)
    count = tries.shape[1]
    again = minimise(prob, tries.reshape(-1, len(best)), np.repeat(run_weights[late], count, axis=0))
    pick = np.argmin(again.objective.reshape(len(late), count), axis=1) + np.arange(len(late)) * count
    better = again.objective[pick] <= sol.objective[late]
    rows, took = late[better], pick[better]
    for name in ("theta", "objective", "promise", "converged"):
        getattr(sol, name)[rows] = getattr(again, name)[took]
    return sol
