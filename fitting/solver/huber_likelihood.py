"""The likelihood behind Huber's loss: p(x) proportional to exp(-huber(x / s)) / s, with the scale s fitted.

Besiroglu et al. 2024 (arXiv 2404.10102, section 3) test constants with it. Held in log-loss units, delta gives the same
optimum as the objective; in units of s, as they have it (0.001 s), it makes the density Laplace's in all but name.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import optimize, special

from fitting.solver.solver import huber

Array = np.ndarray

# Besiroglu et al. 2024 hold delta at this share of the fitted scale.
SHARE = 1e-3


def log_normaliser(d: float) -> float:
    """Log of the integral of exp(-huber_d(x)): a normal middle out to d, exponential tails beyond."""
    if math.isinf(d):
        return 0.5 * math.log(2 * math.pi)
    return math.log(math.sqrt(2 * math.pi) * math.erf(d / math.sqrt(2)) + 2 * math.exp(-0.5 * d * d) / d)


def log_likelihood(residuals: Array, delta: float) -> float:
    """The most that log residuals (n,) can have as their log likelihood over all scales, with delta in log-loss units."""
    cost = float(np.sum(huber(residuals, delta)))
    n = len(residuals)
    if math.isinf(delta):
        return -0.5 * n * (math.log(2 * math.pi * 2 * cost / n) + 1)
    return _highest(lambda s: -cost / s**2 - n * (math.log(s) + log_normaliser(delta / s)))


def log_likelihood_in_scales(residuals: Array, share: float = SHARE) -> float:
    """The same with delta a share of the scale itself, as Besiroglu et al. 2024 write the density."""
    n = len(residuals)
    return _highest(lambda s: -float(np.sum(huber(residuals / s, share))) - n * (math.log(s) + log_normaliser(share)))


def _highest(of_scale) -> float:  # type: ignore[no-untyped-def]
    """The maximum over the scale, looked for between 1e-12 and 1e2 in logs."""
    grid = np.linspace(math.log(1e-12), math.log(1e2), 65)
    values = [of_scale(math.exp(u)) for u in grid]
    k = int(np.argmax(values))
    found = optimize.minimize_scalar(
        lambda u: -of_scale(math.exp(u)),
        bounds=(grid[max(k - 1, 0)], grid[min(k + 1, len(grid) - 1)]),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return -float(found.fun)


def chance(statistic: float, freedom: int) -> float:
    """The chance of a chi-squared at least this large."""
    return float(special.chdtrc(freedom, statistic))
