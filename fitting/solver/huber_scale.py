"""Huber's delta scaled to the noise: the robust spread of a fit's own residuals, found with the fit.

A delta of 1.345 standard deviations keeps 95 % of least squares' efficiency under normal noise and still does not let an
odd run steer (Huber 1964; Holland and Welsch 1977). The field's fixed 1e-3 lies far below most tables' noise, which makes
the objective the sum of absolute residuals: worth a third fewer runs, and full of kinks.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fitting.solver.initial_values import starts
from fitting.solver.solver import Problem, minimise, residuals

Array = np.ndarray

EFFICIENT = 1.345
ROUNDS = 3
# Losses are logged to four or five digits: below this, spread is rounding, and the objective all kinks.
LEAST = 1e-4


def robust_spread(residuals: Array) -> float:
    """The standard deviation of normal noise with the median absolute deviation of these residuals (n,)."""
    return 1.4826 * float(np.median(np.abs(residuals - np.median(residuals))))


def scaled_delta(prob: Problem) -> float:
    """1.345 times the robust spread of the residuals, from least squares and three fits each at the last one's delta."""
    squares = replace(prob, delta=np.inf)
    found = minimise(squares, starts(squares, 2))
    theta = found.theta[found.best()][None, :]
    delta = np.inf
    for round in range(ROUNDS):
        if round:
            theta = minimise(replace(prob, delta=delta), theta).theta
        left = residuals(prob, theta)[0]
        if not np.all(np.isfinite(left)):
            break
        delta = max(LEAST, EFFICIENT * robust_spread(left))
    return float(delta)
