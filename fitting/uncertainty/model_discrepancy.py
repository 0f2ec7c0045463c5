"""What a forecast adds to the noise: what nearby runs leave over, and doubt about the law's form.

Three things a law of few parameters does not know. Runs near each other lie off it together (their leftovers are a smooth
function of size and data: a Gaussian process, Kennedy and O'Hagan 2001), so a new run close to them shares that and one
far off may be as far off in its own way. Beyond the largest run the law's own doubt counts for more. And the form itself is
off by an amount that does not fall with the noise: more with distance in compute, and more where size and data are mixed as
in no run (`fitting.uncertainty.mixture`), inside the range of compute too. How much was measured by leaving runs of public sweeps out,
the largest and the oddest mixed: `tests/benchmarks/forecast`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from scipy import linalg

from data.alike import Alike
from data.plain import Finite, Whole, With, array_of
from fitting.accounting import Log
from fitting.uncertainty.mixture import Mixture

Array = np.ndarray

# How far leftovers reach along each input, in e-folds: runs of one size share more than runs on one amount of data.
REACH = {"params": 3.0, "tokens": 1.0}
# Shares of structure to noise that are tried, and runs beyond which the largest stand for all; of a saved fit so many are read.
RATIOS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8)
MOST_RUNS, MOST_READ = 400, 1000
# Leftovers are cut at so many deviations, and beyond FAR of them a run says nothing of its neighbours.
CUT, FAR = 4.0, 8.0
# The law's own doubt counts for so much at the largest run, with a prior and without, and grows from there as
# (1 + log of the distance in compute) ^ GROWTH. Draws of a fit with a prior hold some of the form's doubt themselves.
WITH_PRIOR, WITHOUT, GROWTH = 0.55, 1.2, 0.25
# The form's own error, one deviation in log loss: for each e-fold of compute beyond the largest run, and for each e-fold that
# the mixture of size and data lies outside that of the runs.
FORM_BEYOND, FORM_MIXED = 0.0025, 0.012
# The furthest distance at which public sweeps had runs to check that against, in times the largest run's compute.
CHECKED = 100.0


@dataclass(frozen=True, eq=False)
class Doubt(Alike):
    """What is needed to widen a forecast: where runs lie (n, k) over their reach, and their leftovers (n,) in log loss.

    `ratio` is the variance of what neighbours share over that of the rest, `noise` the standard deviation of the rest;
    `share` is how much the law's own doubt counts at the largest run. `scale` (n,) is one over each run's noise in that unit,
    and leftovers are then times it; None where runs are alike. `mixture` is how the runs mix size and data, for a law of both.
    """

    inputs: tuple[str, ...]
    places: Annotated[Array, array_of(list[Finite], MOST_READ)]
    left: Annotated[Array, array_of(Finite, MOST_READ)]
    ratio: Annotated[Log, With(ge=0)]
    noise: Annotated[Log, With(ge=0)]
    share: Annotated[Log, With(ge=0)]
    scale: Annotated[Array, array_of(Annotated[Finite, With(gt=0)], MOST_READ)] | None = None
    mixture: Annotated[Mixture, Whole()] | None = None

    def runs(self, name: str) -> Array:
        """Where the runs lie along an input, (n,), in its own unit."""
        return np.asarray(np.exp(self.places[:, self.inputs.index(name)] * REACH.get(name, 1.0)))

    def growth(self, beyond: Array) -> Array:
        """How much the law's own doubt counts at compute `beyond` times the largest run's."""
        return np.asarray(self.share * (1.0 + np.log(np.maximum(beyond, 1.0))) ** GROWTH)

    def form(self, where: Mapping[str, Array], beyond: Array) -> Array:
        """How far the form may be off at inputs (m,) each and compute `beyond` (m,) times the largest run's: one deviation."""
        far = FORM_BEYOND * np.log(np.maximum(beyond, 1.0))
        return far if self.mixture is None else np.hypot(far, FORM_MIXED * self.mixture.outside(where))

    def at(self, where: Mapping[str, Array]) -> tuple[Array, Array]:
        """What neighbours leave over at inputs (m,) each, in log loss (m,), and its variance (m,)."""
        x = np.stack([np.log(where[k]) / REACH.get(k, 1.0) for k in self.inputs], axis=1)
        if self.ratio == 0.0:
            return np.zeros(len(x)), np.zeros(len(x))
        across, (root, pull) = _kernel(x, self.places), self._solved
        if self.scale is not None:
            across = across * self.scale
        known = self.ratio * np.sum(
            linalg.solve_triangular(root, across.T, lower=True, check_finite=False) ** 2, axis=0
        )
        variance = self.ratio * self.noise**2 * np.maximum(0.0, 1.0 - known)
        return self.ratio * (across @ pull), variance

    @property
    def noise_found(self) -> float:
        """The noise that follows from the leftovers and the ratio; LinAlgError where nothing does."""
        return float(np.sqrt(np.mean(self.left * self._solved[1])))

    @cached_property
    def _solved(self) -> tuple[Array, Array]:
        """The lower root (n, n) of the leftovers' covariance in the unit of the noise, and that covariance solved for them (n,)."""
        among = _kernel(self.places, self.places)
        if self.scale is not None:
            among = among * np.outer(self.scale, self.scale)
        root = np.linalg.cholesky(self.ratio * among + np.eye(len(self.left)))
        return root, linalg.cho_solve((root, True), self.left)


def doubt(
    inputs: Mapping[str, Array], residuals: Array, spread: float, share: float, scale: Array | None = None,
    mixture: Mixture | None = None,
) -> Doubt:  # fmt: skip
    """What leftovers (n,), log f - log L, show at inputs (n,) each; `spread` is a run's standard deviation, for cutting.

    With a `scale` (n,) the leftovers are times it, each in the unit of its own run's noise.
    """
    names = tuple(inputs)
    x = np.stack([np.log(inputs[k]) / REACH.get(k, 1.0) for k in names], axis=1)
    near = np.abs(residuals) <= FAR * spread
    if not near.any():  # a spread that fits none of the runs says nothing of which are broken
        near = np.ones(len(residuals), bool)
    inputs = {k: v[near] for k, v in inputs.items()}
    scale = None if scale is None else scale[near]
    x, left = x[near], np.clip(-residuals[near], -CUT * spread, CUT * spread)
    if len(left) > MOST_RUNS:  # the ones nearest to what is asked about
        largest = np.argsort(np.sum(np.log(np.array(list(inputs.values()))), axis=0))[-MOST_RUNS:]
        x, left = x[largest], left[largest]
        scale = None if scale is None else scale[largest]
    among = _kernel(x, x) if scale is None else _kernel(x, x) * np.outer(scale, scale)
    values, vectors = np.linalg.eigh(among)
    turned = (vectors.T @ left) ** 2
    likeliest, chosen = -np.inf, (0.0, 0.0)
    for ratio in RATIOS:
        inflation = ratio * np.maximum(values, 0.0) + 1.0
        variance = float(np.mean(turned / inflation))
        likelihood = -0.5 * (len(left) * np.log(max(variance, 1e-300)) + float(np.sum(np.log(inflation))))
        if likelihood > likeliest:
            likeliest, chosen = likelihood, (ratio, float(np.sqrt(variance)))
    return Doubt(names, x, left, *chosen, share, scale, mixture)


def _kernel(a: Array, b: Array) -> Array:
    distance = np.sum((a[:, None, :] - b[None, :, :]) ** 2, axis=2)
    return np.asarray(np.exp(-0.5 * distance))
