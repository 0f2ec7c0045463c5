"""A prior: what is believed of some parameters before any run is seen, as a penalty beside the fit's own objective.

Residuals of real sweeps are not independent, so a run says less than it seems to: against a prior it counts as 1 / 4
(`CAUTION` squared). Runs of more compute are nearer to what is asked about and count for more (`TOWARDS_LARGE`). Both
were measured, beside the widths they lead to, on public sweeps (`tests/benchmarks/forecast`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from fitting.solver.parametrization import Coordinates

Array = np.ndarray

CAUTION = 2.0
TOWARDS_LARGE = 0.5
EFFICIENT = 1.345  # where delta stands against the noise when it is scaled to it


@dataclass(frozen=True)
class Penalty:
    """Log-normal beliefs about some of a fit's internal coordinates: m of p of them.

    `index` (m,) says which coordinates; `linear` (m,) those that are moved as they are rather than in logarithms;
    `centre` (m,) or (R, m) and `spread` (m,) are of the logarithm. `weight` is the variance of log-loss noise, which
    turns a squared distance in spreads into the units of the objective.
    """

    index: Array
    linear: Array
    centre: Array
    spread: Array
    weight: float

    def rows(self, rows: Any) -> Penalty:
        """The same for some of the refits."""
        return self if self.centre.ndim == 1 else replace(self, centre=self.centre[rows])

    def distance(self, theta: Array) -> tuple[Array, Array]:
        """How many spreads each belief is off (R, m) at coordinates (R, p), and the slope of that (R, m)."""
        x = theta[:, self.index]
        safe = np.maximum(x, 1e-9)  # a floor of zero has no logarithm; the prior keeps away from it
        z = (np.where(self.linear, np.log(safe), x) - self.centre) / self.spread
        return z, np.where(self.linear, 1.0 / safe, 1.0) / self.spread

    def cost(self, theta: Array) -> Array:
        """What the beliefs add to the objective, (R,)."""
        return 0.5 * self.weight * np.sum(self.distance(theta)[0] ** 2, axis=1)

    def redrawn(self, rng: np.random.Generator, count: int) -> Penalty:
        """The same with centres (count, m) drawn from the beliefs, one for each refit: draws then hold their doubt too."""
        drawn = self.centre + self.spread * rng.standard_normal((count, len(self.spread)))
        return replace(self, centre=drawn)


def penalty(where: Coordinates, noise: float, delta: float) -> Penalty:
    """What the law's declaration has as prior, as a penalty beside Huber's objective at `delta`.

    `noise` is the standard deviation of the table's log losses.
    """
    index = [i for i, p in enumerate(where.law.params) if p.prior]
    priors = [where.law.params[i].prior for i in index]
    floors = np.array([where.law.params[i].is_floor for i in index])
    centre = np.log([b.centre for b in priors if b]) + np.where(floors, np.log(where.lowest), 0.0)
    spread = np.log([b.factor for b in priors if b])
    return Penalty(np.array(index), floors, centre, spread, (CAUTION * noise) ** 2 * _unit(delta / noise))


def _unit(cut: float) -> float:
    """The objective's own unit of information, in variances, with delta at `cut` deviations of normal noise.

    The variance of its slope over its mean curvature, relative to what that is at 1.345: with delta far below the noise the
    objective is delta times a sum of absolute residuals, and a prior in units of squares would drown it.
    """

    def ratio(c: float) -> float:
        inside = math.erf(c / math.sqrt(2.0))
        density = math.exp(-0.5 * c * c) / math.sqrt(2.0 * math.pi)
        return (inside - 2.0 * c * density + c * c * (1.0 - inside)) / inside

    return ratio(min(cut, 10.0)) / ratio(EFFICIENT)


def weights(inputs: Any) -> Array:
    """How much each run counts, (n,) with mean one, for inputs (n,) each: more with size and data."""
    w = np.exp(TOWARDS_LARGE * np.sum(np.log(np.array(list(inputs))), axis=0))
    return np.asarray(w / w.mean())
