"""The floor's profile: what it costs to hold the floor anywhere else, and where the exponents go meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from data.alike import Alike
from fitting.arguments import takes
from fitting.band import LEVEL
from fitting.diagnostics.checks.floor import MOST_RUNS, profile
from fitting.diagnostics.refit_problem import refit_problem
from fitting.errors import FitError
from fitting.result import Fit
from fitting.same_runs import Columns, RunsLike, Units, whole_table
from fitting.shown import shown
from fitting.solver.solver import minimise
from fitting.solver.threads import one_thread

if TYPE_CHECKING:
    pass

Array = np.ndarray

POINTS = 33
# How far beyond the interval's ends the curve is drawn, in widths of the interval.
BEYOND = 0.4
SETTLED = 150


@shown()
@dataclass(frozen=True, eq=False)
class FloorProfile(Alike):
    """Floors held (k,), rising, with what each costs: `rise` (k,) of twice the log likelihood, and the exponents by name (k,).

    `value` is the floor as fitted and `low` to `high` its interval at `level`: where the rise stays below `limit`. An end
    that is open (`ends`) is the end of what is possible, zero or the losses themselves, and no end of the interval.
    """

    name: str
    floors: Array
    rise: Array
    exponents: dict[str, Array]
    value: float
    low: float
    high: float
    ends: tuple[bool, bool]
    limit: float
    level: float

    @property
    def sentence(self) -> str:
        """What the curve says, in one sentence."""
        a, b = (f"{v:.3g}" for v in (self.low, self.high))
        where = {
            (True, True): f"{a} to {b}", (False, True): f"everything below {b}", (True, False): f"everything above {a}",
            (False, False): "unbounded",
        }[self.ends]  # fmt: skip
        moved = []
        for name, along in self.exponents.items():
            first, last = np.interp([self.low, self.high], self.floors, along)
            moved.append(f"{name} ({first:.2g} to {last:.2g})")
        said = f"The {100 * self.level:.0f} % profile interval of {self.name} is {where}"
        return f"{said}; over that interval {' and '.join(moved)} change with it." if moved else f"{said}."


@takes(fit=Fit)
def floor_profile(
    fit: Fit, runs: RunsLike, level: float = LEVEL, *, columns: Columns = None, units: Units = None
) -> FloorProfile:
    """The floor held at each of `POINTS` values about its interval, everything else fitted again to the runs it was fitted to.

    The rise is in the unit that makes it a likelihood ratio's for these residuals (Ronchetti 1982), as in the checks.
    Raises FitError for a law without a floor, a fit too exact to have a profile, and other runs than were fitted.
    """
    law = fit.law
    at = next((i for i, p in enumerate(law.params) if p.is_floor), None)
    if at is None:
        raise FitError(f"{law.title} has no floor to profile.")
    again = refit_problem(fit, whole_table(runs, law, columns, units), "ask what the floor costs")
    prob, where = again.prob, again.where
    left = -fit.residuals if prob.scale is None else -fit.residuals * prob.scale
    with one_thread():
        coarse = profile(prob, again.theta, left, level)
        if coarse is None:
            raise FitError(
                f"No profile is drawn: the law passes through the runs exactly, or there are over {MOST_RUNS:,} of them."
            )
        room = BEYOND * max(coarse.high - coarse.low, 1e-3 * where.lowest)
        first, last = max(coarse.low - room, 0.0), min(coarse.high + room, float(where.bounds[1][at]))
        floors = np.unique(np.concatenate([np.linspace(first, last, POINTS), np.clip([fit.values[at]], first, last)]))
        start = np.stack([np.interp(floors, coarse.floors, along) for along in coarse.theta.T], axis=1)
        start[:, at] = floors
        solved = minimise(prob, start, held=(at,), most=SETTLED)
    limit = float(special.ndtri((1.0 + level) / 2.0) ** 2)
    rise = 2.0 * coarse.unit * np.maximum(solved.objective - min(coarse.lowest, solved.objective.min()), 0.0)
    natural = where.natural(solved.theta)
    held = {exponent for p in law.params if p.anchor is not None for exponent in p.anchor.exponents}
    exponents = {name: natural[:, i] for i, name in enumerate(law.names) if name in held}
    ends = (coarse.low > float(coarse.floors[0]), coarse.high < float(coarse.floors[-1]))
    return FloorProfile(
        law.names[at], floors, rise, exponents, float(fit.values[at]), coarse.low, coarse.high, ends, limit, level
    )
