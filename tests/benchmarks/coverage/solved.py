"""A table fitted as `fit` does it, by the functions that it calls, without the words it says about the result.

A fit of 24 runs spends more time on its checks than on itself; two thousand tables a cell have no use for them.
`tests/fitting/uncertainty/test_coverage.py` holds this to `fit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from fitting.estimate import _tried
from fitting.law import Law
from fitting.solver.huber_scale import scaled_delta
from fitting.solver.initial_values import starts
from fitting.solver.parametrization import coordinates
from fitting.solver.solver import Problem, problem, slopes
from fitting.uncertainty.bootstrap import drawn
from fitting.uncertainty.interval_method import Choice, choose_intervals

Array = np.ndarray


@dataclass(frozen=True)
class Solved:
    """Best values (p,), their draws (R, p) and how those were made; the problem, and its best coordinates (p,)."""

    values: Array
    draws: Array
    how: Choice
    prob: Problem
    theta: Array


def solved(
    law: Law,
    inputs: Mapping[str, Array],
    loss: Array,
    groupings: Mapping[str, Array],
    *,
    delta: float | str = "auto",
    intervals: str = "auto",
    resamples: int = 4000,
    seed: int = 0,
) -> Solved:
    """The fit of `law` to inputs and losses (n,). The settings are those of `fit`."""
    where = coordinates(law, inputs, loss)
    prob = problem(where, inputs, loss, np.inf if isinstance(delta, str) else delta)
    if isinstance(delta, str):
        prob = replace(prob, delta=scaled_delta(prob))
    tried = _tried(prob, starts(prob), seed)
    best = tried.theta[tried.best()]
    r, jac = slopes(prob, best[None, :])
    how = choose_intervals(intervals, None, groupings, r[0], jac[0].T, prob.delta)
    draws, _ = drawn(prob, best, how, resamples, seed)
    return Solved(where.natural(best), where.natural(draws.theta), how, prob, best)
