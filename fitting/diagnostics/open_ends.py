"""Which ends of a parameter's range fit the runs as well as its best value: its profile likelihood, where it could be open.

An end is open where the parameter held near it, all others fitted again, raises the objective by less than a 95 % interval
of the profile allows. The certificate is a refit, so an end that the runs exclude is never called open. That a flat valley is
found takes more than the slopes at the optimum, which are steep wherever noise was fitted: every refit that an end costs
nothing is a place to start from for the ends still shut. So it is found that without the second of two terms the exponent of
the second may be anything, or without a break its place. Where the parabola of the optimum puts every end far out of reach, and no
other start ended elsewhere as low, none is refitted: this is measured, not proved.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from scipy import special

from fitting.band import LEVEL
from fitting.diagnostics.influence_spread import spread_of_influence
from fitting.solver.solver import EXACT, Problem, minimise, objective, slopes

Array = np.ndarray

# How near an end of its range a parameter is held, in shares of the range.
NEAR_END = 0.02
# Steps of a refit, and its precision in shares of the rise that decides.
FEW_STEPS, NEAR_ENOUGH = 60, 0.02
# Places of one round from which the ends still shut are tried: of valleys within the interval the lowest.
PLACES = 6
# An end that a parabola puts this many times beyond what is allowed waits until a nearer one is open. A valley hidden from the slopes
# at the optimum has others beside it that are not: of 634 fits with an open end, simulated and public, the nearest end lay at 181 at
# most (over-training, six to ten runs), and at 300 one of them lost one end of several,
# where the parabola itself has an end open. There none waits.
FAR = 500.0
# A whisper on the diagonal of unit columns, so that a direction of no slope has an end that is near.
SINGULAR = 1e-10


def open_ends(
    prob: Problem, theta: Array, cut: float, rivals: Array | None = None, known: Collection[int] = ()
) -> tuple[Array, Array]:
    """Whether the lower and the upper end (p,) each of every coordinate's range is open at the optimum `theta` (p,).

    An end is open where it raises the objective by less than `cut`. `rivals` (k, p) are other optima, some of which may be as
    good; coordinates `known` to be open are not looked at.
    """
    low, high = prob.coordinates.bounds
    p = len(theta)
    least = float(objective(prob, theta[None, :])[0])
    tolerance = NEAR_ENOUGH * cut / max(least + cut, 1e-300)
    ends = np.stack([low + NEAR_END * (high - low), high - NEAR_END * (high - low)])
    is_open = np.zeros((2, p), bool)
    is_open[:, list(known)] = True
    rise = parabola(prob, theta, ends)
    put_off = (rise > FAR * cut) & (rise.min() >= cut)  # none where the parabola itself has an end open
    places = theta[None, :]
    if rivals is not None and len(rivals):
        costs = objective(prob, rivals)
        near = rivals[costs < least + cut]
        apart = np.max(np.abs(near - theta) / (high - low), axis=1, initial=0.0) > NEAR_END
        places = np.vstack([places, near[apart][:PLACES]])
    if len(places) > 1:
        put_off[:] = False
    start, side, at = _held(places, ends, ~is_open & ~put_off)
    while len(start):
        held = np.zeros(start.shape, bool)
        held[np.arange(len(start)), at] = True
        solved = minimise(prob, start, held=held, most=FEW_STEPS, tolerance=tolerance)
        good = solved.objective < least + cut
        if not good.any():
            break
        order = np.argsort(solved.objective[good], kind="stable")
        _, first = np.unique(side[good][order] * p + at[good][order], return_index=True)
        is_open[side[good], at[good]] = True
        found = solved.theta[good][order][np.sort(first)][:PLACES]
        late = _held(theta[None, :], ends, ~is_open & put_off)
        start, side, at = (np.concatenate(x) for x in zip(_held(found, ends, ~is_open), late, strict=True))
        put_off[:] = False
    return is_open[0], is_open[1]


def _held(places: Array, ends: Array, which: Array) -> tuple[Array, Array, Array]:
    """Starts (k, p) at each of the places (m, p) with one coordinate at `which` (2, p) of its ends (2, p), its side and index (k,)."""
    side, at = np.nonzero(which)
    start = np.repeat(places, len(side), axis=0)
    side, at = np.tile(side, len(places)), np.tile(at, len(places))
    start[np.arange(len(start)), at] = ends[side, at]
    return start, side, at


def parabola(prob: Problem, theta: Array, ends: Array) -> Array:
    """By how much the objective would rise at ends (2, p) were it a parabola, all other coordinates fitted again."""
    left, jac = slopes(prob, theta[None, :])
    weights = prob.weighed(None)
    bend = jac[0] @ (jac[0] if weights is None else jac[0] * weights).T * spread_of_influence(prob, left[0])[0]
    if prob.prior is not None:
        slope = prob.prior.distance(theta[None, :])[1][0]
        bend[prob.prior.index, prob.prior.index] += prob.prior.weight * slope**2
    if not np.all(np.isfinite(bend)):
        return np.zeros(ends.shape)
    unit = np.sqrt(np.diag(bend))
    unit[~(unit > 0)] = 1.0
    inverse = np.linalg.inv(bend / (unit[:, None] * unit) + SINGULAR * np.eye(len(unit)))
    return np.asarray(0.5 * ((ends - theta) * unit) ** 2 / np.diag(inverse))


def allowed(prob: Problem, residuals: Array) -> float:
    """By how much the objective may rise within a 95 % interval of one parameter's profile.

    Twice the rise is chi-squared with one degree of freedom in the unit of the residuals' influence (Ronchetti 1982), and F where
    the n - p degrees that noise is known from are few. Beside a prior the unit is the posterior's.
    """
    if prob.prior is not None:
        return 0.5 * float(special.chdtri(1, 1.0 - LEVEL)) * prob.prior.weight
    slope, square = spread_of_influence(prob, residuals)
    unit = square / slope if slope > 0 else EXACT
    degrees = max(1, prob.n - prob.coordinates.law.p)
    return 0.5 * float(special.stdtrit(degrees, 0.5 * (1.0 + LEVEL))) ** 2 * (unit if np.isfinite(unit) else EXACT)
