"""A fit that starts from what published sweeps say: its optimum, and draws that hold the doubt that runs and prior leave.

Draws are refits to losses with noise added, each with its own draw of the prior's centres (randomise, then optimise:
Bardsley et al. 2014). In a linear model they are the posterior; here they also follow its curved valleys.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from data.alike import Alike
from fitting.solver.huber_scale import EFFICIENT, LEAST, robust_spread
from fitting.solver.initial_values import starts
from fitting.solver.prior import CAUTION, penalty, weights
from fitting.solver.solver import NEAR, Problem, Solution, joined, minimise, residuals

Array = np.ndarray

ROUNDS = 3
# The noise assumed before any residual is seen: between a clean sweep's and a rough one's.
NOISE, WIDE = 0.02, 0.05
# Residuals are cut at this many deviations before they stand for noise: one broken run is no sign of what others do.
CUT = 4.0
# A draw may stop this near its optimum, in shares of its objective: a millionth of how far draws lie apart.
NEAR_ENOUGH = 1e-8
# A run this many deviations off the law counts for nothing in where the law goes, and less the nearer it is to that
# (Beaton and Tukey 1974): a forecast must not hang on five broken runs. It stays in every figure, and the checks name it.
FAR = 8.0
# Deviance that the prior costs, runs counted as the prior counts them, from which on runs and prior contradict each other.
# Measured: at most 1.4 on 19 public tables of language models, 4.7 on runs of a language made of four-token words.
CONTRADICTED = 4.0
# And how far the fit may end from the prior, in squared deviations: 99 % of chi-squared with one degree for each of the
# general law's four. At most 4.2 on the same tables.
FURTHEST = 13.3


@dataclass(frozen=True, eq=False)
class MapFit(Alike):
    """The problem with its prior, delta and each run's importance, and starts (k, p), the best first.

    `noise` is the standard deviation of log-loss residuals that prior and widths go by; `wider` (j, p) are more starts, for
    a fit without the prior.
    """

    prob: Problem
    starts: Array
    noise: float
    wider: Array

    @cached_property
    def contradicted(self) -> bool:
        """Whether these runs say plainly that they are not like the published ones.

        They do where they are followed much better without the prior (in deviance), or the fit ends far from the prior all
        the same. It takes a fit more, so it is found when asked for.
        """
        prior, begin = self.prob.prior, np.vstack([self.starts, self.wider])
        assert prior is not None
        held, loose = minimise(self.prob, begin), minimise(replace(self.prob, prior=None), begin)
        own = prior.cost(held.theta[[held.best()]])[0]
        paid = held.objective.min() - own - loose.objective.min()
        unit = 2.0 / prior.weight
        return bool(unit * paid > CONTRADICTED or unit * own > FURTHEST)


def map_fit(prob: Problem, delta: float | None) -> MapFit:
    """The problem with the law's prior; delta and the noise found together with the fit where `delta` is None."""
    where, n = prob.coordinates, prob.n
    prob = replace(prob, importance=weights(prob.inputs))
    noise, first = NOISE, np.empty((0, where.law.p))
    prob = replace(prob, delta=WIDE if delta is None else delta)
    grid = np.empty((0, where.law.p))
    dof = np.sqrt(n / max(1, n - where.law.p))
    for _ in range(ROUNDS):
        prob = replace(prob, prior=penalty(where, noise, prob.delta))
        if not len(first):
            grid = first = starts(prob)
        found = minimise(prob, first)
        order = np.argsort(found.objective, kind="stable")
        first = found.theta[order[: max(1, len(order) // 2)]]
        left = residuals(prob, first[:1])[0]
        spread = max(LEAST, robust_spread(left))
        noise = spread * dof
        each = weights(prob.inputs) * np.maximum(0.0, 1.0 - (left / (FAR * noise)) ** 2) ** 2
        prob = replace(prob, importance=each * (n / each.sum()))
        if delta is None:
            prob = replace(prob, delta=EFFICIENT * spread)
    prob = replace(prob, prior=penalty(where, noise, prob.delta))
    return MapFit(prob, first, noise, grid)


def posterior(b: MapFit, best: Array, resamples: int, seed: int, block: int) -> Solution:
    """Refits (R, p) from `best` (p,) to losses and prior centres with noise added, `block` at a time."""
    rng = np.random.default_rng(seed)
    left = residuals(b.prob, best[None, :])[0]
    left = np.clip(left - np.median(left), -CUT * b.noise, CUT * b.noise)
    left = left * np.sqrt(b.prob.n / max(1, b.prob.n - len(best)))
    prior = b.prob.prior
    assert prior is not None
    parts = []
    for start in range(0, max(1, resamples), block):
        count = min(block, resamples - start)
        noise = CAUTION * rng.choice(left - left.mean(), size=(count, b.prob.n))
        drawn = replace(
            b.prob,
            log_loss=b.prob.log_loss + noise,
            delta=CAUTION * b.prob.delta,
            prior=prior.redrawn(rng, count),
        )
        parts.append(minimise(drawn, np.tile(best, (count, 1)), tolerance=NEAR_ENOUGH, caution=NEAR))
    return joined(parts)
