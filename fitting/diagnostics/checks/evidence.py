"""What the checks of a fit look at: the table, the solution and its rivals, the refits, and what the law leaves over."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from fitting.diagnostics.identification import NONE, Unidentified, unidentified
from fitting.diagnostics.influence_spread import spread_of_influence
from fitting.law import Law
from fitting.solver.fit_data import Arrays
from fitting.solver.solver import Problem, Solution, slopes

Array = np.ndarray

# A residual counts as this many robust deviations at most, so that one odd run is an outlier and not a trend.
CLIP = 3.0
# Steps of a refit made by a check: a table on which more are needed is told by that alone.
FEW_STEPS = 100


class Evidence:
    """One fit as its checks see it: `tried` holds every start's end, `refits` the resamples', `residuals` (n,) log f - log L.

    Checks that refit pass over a fit that is `refused`. `alike` (n,) labels runs whose noise is taken to be shared.
    """

    def __init__(
        self,
        table: Arrays,
        prob: Problem,
        tried: Solution,
        refits: Solution,
        residuals: Array,
        refused: bool = False,
        alike: Array | None = None,
    ):
        self.table, self.prob, self.tried, self.refits, self.residuals = table, prob, tried, refits, residuals
        self.refused = refused
        self.alike = alike if alike is not None and len(alike) == len(residuals) else table.groups
        self.where = prob.coordinates
        self.law: Law = self.where.law
        self.best = tried.best()
        self.theta = tried.theta[self.best]

    @cached_property
    def unidentified(self) -> Unidentified:
        """The parameters that these runs cannot tell; none of a refused fit, which is said to be so."""
        return NONE if self.refused else unidentified(self.prob, self.theta, self.residuals, self.tried.theta)

    @cached_property
    def draws(self) -> Array:
        """The refits' parameters, (R, p)."""
        return self.where.natural(self.refits.theta)

    def named(self, values: Array) -> dict[str, Array]:
        """Parameters (p,) or (R, p) by name, (1, 1) or (R, 1) each."""
        return {k: np.atleast_2d(values)[:, i, None] for i, k in enumerate(self.law.names)}

    @cached_property
    def scale(self) -> float:
        """Robust standard deviation of single residuals: 1.4826 times their median distance from the median.

        The p smallest are left out: a fit with a small delta passes through as many runs as it has parameters.
        """
        far = np.sort(np.abs(self.residuals - np.median(self.residuals)))
        return 1.4826 * float(np.median(far[min(self.law.p, len(far) // 2) :]))

    @cached_property
    def noise(self) -> float:
        """What a run's noise is worth to the parameters, as a standard deviation: that of the influence over its slope."""
        slope, square = spread_of_influence(self.prob, self.clipped)
        return float(np.sqrt(square) / slope)

    @cached_property
    def basis(self) -> Array:
        """Orthonormal columns (n, k) spanning what small changes of the parameters can do to the log residuals."""
        jac = self.jacobian
        u, s, _ = np.linalg.svd(jac / np.maximum(np.linalg.norm(jac, axis=0), 1e-300), full_matrices=False)
        return u[:, s > 1e-8 * s[0]]

    @cached_property
    def clipped(self) -> Array:
        """Residuals (n,) held to `CLIP` robust deviations from their median."""
        middle = float(np.median(self.residuals))
        reach = CLIP * self.scale
        return np.clip(self.residuals, middle - reach, middle + reach) if reach > 0 else self.residuals

    @cached_property
    def left_over(self) -> Array:
        """Clipped residuals (n,) after a least-squares step of the parameters: a robust fit leaves a little that one would take."""
        r: Array = self.clipped - self.basis @ (self.basis.T @ self.clipped)
        return r

    @cached_property
    def jacobian(self) -> Array:
        """Derivatives of the log residuals in each internal coordinate, (n, p), at the optimum."""
        jac: Array = slopes(self.prob, self.theta[None, :])[1][0].T
        return jac

    @property
    def is_exact(self) -> bool:
        """Whether the law passes through the runs to rounding, so that nothing is left to look at."""
        return self.scale < 1e-9

    @cached_property
    def logs(self) -> dict[str, Array]:
        """Logarithms of the inputs, centred and to unit spread, (n,) each."""
        return {k: (np.log(x) - np.mean(np.log(x))) / np.std(np.log(x)) for k, x in self.table.inputs.items()}
