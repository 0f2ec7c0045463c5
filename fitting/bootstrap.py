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


def weights(groups: Array, resamples: int, seed: int) -> Array:
    """How often each run is drawn in each resample, (R, n) floats, for group labels (n,) as integers 0..G-1."""
    count = int(groups.max()) + 1
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1.0 / count), size=resamples)
    return drawn[:, groups].astype(float)


def refits(prob: Problem, best: Array, run_weights: Array) -> Solution:
    """The refit of every resample, started from the fit to all runs; stragglers are started afresh from the grid."""
    sol = minimise(prob, np.tile(best, (len(run_weights), 1)), run_weights)
    late = np.flatnonzero(~sol.converged)
    if len(late) == 0 or len(late) > 400:  # so many stragglers are the table's doing, and the verdicts say so
        return sol
    fresh = starts(prob)
    again = minimise(prob, np.tile(fresh, (len(late), 1)), np.repeat(run_weights[late], len(fresh), axis=0))
    by_refit = again.objective.reshape(len(late), len(fresh))
    pick = np.argmin(by_refit, axis=1) + np.arange(len(late)) * len(fresh)
    better = again.objective[pick] <= sol.objective[late] * (1 + 1e-12)
    rows, took = late[better], pick[better]
    for name in ("theta", "objective", "promise", "converged"):
        getattr(sol, name)[rows] = getattr(again, name)[took]
    return sol
