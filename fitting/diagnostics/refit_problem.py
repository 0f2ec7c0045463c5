"""The problem that a fit solved, set up again from its runs, for whatever is asked of both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from fitting.result import Fit
from fitting.same_runs import fitted_arrays, of_fit
from fitting.solver.fit_data import Arrays
from fitting.solver.parametrization import Coordinates, coordinates
from fitting.solver.solver import Problem, problem
from fitting.solver.threads import one_thread
from fitting.solver.weighting import scales
from fitting.uncertainty.map_fit import map_fit

if TYPE_CHECKING:
    import pandas as pd

    from data.schema import Runs

Array = np.ndarray


@dataclass(frozen=True)
class RefitProblem:
    """The runs that were fitted, their arrays, and what the fit solved: `runs_alone` is its problem without a prior."""

    fit: Fit
    runs: Runs
    table: Arrays
    runs_alone: Problem

    @cached_property
    def prob(self) -> Problem:
        """The problem as it was fitted, with the prior where the fit started from one."""
        if self.fit.settings.prior == "none":
            return self.runs_alone
        with one_thread():
            return map_fit(self.runs_alone, self.fit.settings.given_delta).prob

    @property
    def where(self) -> Coordinates:
        """The coordinates of the problem."""
        return self.runs_alone.coordinates

    @cached_property
    def theta(self) -> Array:
        """The fit (p,) in these coordinates."""
        return self.where.internal(self.fit.values)


def refit_problem(fit: Fit, runs: Runs | pd.DataFrame, then: str) -> RefitProblem:
    """The problem of a fit with its delta and weights, grouped as its intervals are where the table has that column.

    Raises FitError, which says to fit again and `then` go on, for other runs than those that were fitted.
    """
    table_of_runs = of_fit(fit, runs)
    group, weights = fit.settings.grouping, fit.settings.weights
    table = fitted_arrays(fit, table_of_runs, then, group if group != "run" and group in table_of_runs.kept else None)
    scale = None if weights == "none" else scales(table, weights, table_of_runs.name)
    where = coordinates(fit.law, table.inputs, table.loss)
    return RefitProblem(fit, table_of_runs, table, problem(where, table.inputs, table.loss, fit.settings.delta, scale))
