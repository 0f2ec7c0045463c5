"""Is the floor known? Its bootstrap interval beside its profile: what it costs to hold the floor elsewhere and refit the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from data.alike import Alike
from fitting.band import LEVEL, quantiles
from fitting.diagnostics.checks.evidence import FEW_STEPS, Evidence
from fitting.diagnostics.influence_spread import spread_of_influence
from fitting.solver.solver import Problem, minimise, objective, slopes
from fitting.status import Verdict

Array = np.ndarray

# A profile costs two dozen refits; on a longer table than this the bootstrap's interval stands alone.
MOST_RUNS = 3000
# Where a profile crosses its level is told by rises of some thousandths of the objective.
NEAR_ENOUGH = 1e-9
# How far from the optimum to look, in half-widths that the curvature there promises: on until the interval's end is passed.
REACHES = ((0.5, 1.1), (1.6, 2.5), (4.0, 8.0), (20.0, 1e3))
# Floors no likelier than this share of the lowest loss are as good as none.
NEARLY_NONE = 0.02


@dataclass(frozen=True, eq=False)
class Profile(Alike):
    """Floors held (k,), the objective each costs (k,), the lowest there is, and the interval that follows.

    `theta` (k, p) is where the other parameters go, and `unit` turns twice a rise of the objective into a chi-squared.
    """

    floors: Array
    objective: Array
    lowest: float
    low: float
    high: float
    theta: Array
    unit: float


def profile(prob: Problem, theta: Array, residuals: Array, level: float = LEVEL) -> Profile | None:
    """The floor's profile around the optimum `theta` (p,); None where the law has no floor or the fit is exact.

    The interval holds the floors where twice the rise of the objective, in the unit that makes it chi-squared for these
    residuals (Ronchetti 1982: mean slope over mean square of the influence), stays below the quantile. Ends that are not
    reached are the ends of what is possible: zero, or the mean loss.
    """
    at = next((i for i, p in enumerate(prob.coordinates.law.params) if p.is_floor), None)
    slope, square = spread_of_influence(prob, residuals)
    unit = slope / square
    if at is None or prob.n > MOST_RUNS or not np.isfinite(unit):
        return None
    root = float(special.ndtri((1.0 + level) / 2.0))
    ends = (0.0, min(1.02 * prob.coordinates.lowest, float(prob.coordinates.bounds[1][at])))
    step, along = _direction(prob, theta, at, np.sqrt(square) / slope)
    floors, found = np.array([theta[at]]), theta[None, :]
    costs = objective(prob, found)
    for reach in REACHES:
        new = np.clip(theta[at] + step * root * np.array([-reach[1], -reach[0], reach[0], reach[1]]), *ends)
        below, above = _crossed(costs, unit, root)
        new = new[((new < floors[0]) & (not below)) | ((new > floors[-1]) & (not above))]
        if len(new) == 0:
            break
        near = found[np.where(new < floors[0], 0, len(found) - 1)]
        start = near + (new - near[:, at])[:, None] * along
        start[:, at] = new
        solved = minimise(prob, start, held=(at,), most=FEW_STEPS, tolerance=NEAR_ENOUGH)
        order = np.argsort(np.concatenate([floors, new]), kind="stable")
        floors, found = np.concatenate([floors, new])[order], np.concatenate([found, solved.theta])[order]
        costs = np.concatenate([costs, solved.objective])[order]
    rise = np.sqrt(2 * unit * np.maximum(costs - costs.min(), 0)) - root
    inside = np.flatnonzero(rise <= 0)
    first, last = int(inside[0]), int(inside[-1])
    low = floors[0] if first == 0 else _between(floors, rise, first - 1)
    high = floors[-1] if last == len(floors) - 1 else _between(floors, rise, last)
    return Profile(floors, costs, float(costs.min()), float(low), float(high), found, unit)


def _direction(prob: Problem, theta: Array, at: int, sigma: float) -> tuple[float, Array]:
    """One standard error of the floor by the local curvature, and how the other parameters follow it, (p,)."""
    jac = slopes(prob, theta[None, :])[1][0]
    unit = np.maximum(np.linalg.norm(jac, axis=1), 1e-100)  # a parameter that nothing depends on here
    inverse = np.linalg.pinv((jac / unit[:, None]) @ (jac / unit[:, None]).T, rcond=1e-10) / np.outer(unit, unit)
    return float(sigma * np.sqrt(inverse[at, at])), inverse[:, at] / inverse[at, at]


def _between(x: Array, y: Array, k: int) -> float:
    for end in (k, k + 1):
        if not np.isfinite(y[end]):  # the formula overflows there: the floor that far is as much as is known
            return float(x[end])
    return float(x[k] - y[k] * (x[k + 1] - x[k]) / (y[k + 1] - y[k]))


def _crossed(costs: Array, unit: float, root: float) -> tuple[bool, bool]:
    """Whether the interval's end lies within the floors looked at, on either side."""
    rise = 2 * unit * (costs - costs.min())
    return bool(rise[0] > root**2), bool(rise[-1] > root**2)


def bounds(e: Evidence) -> Verdict:
    """Whether a parameter ended at the edge of what is plausible."""
    low, high = e.where.bounds
    reach = 1e-6 * (high - low)
    below, above = e.theta <= low + reach, e.theta >= high - reach
    title = "Parameters at a bound"
    if not (below | above).any():
        return Verdict("bounds", title, "pass", "Every parameter is inside its plausible range.")
    found, do = [], []
    at = [(p, below[i]) for i, p in enumerate(e.law.params) if below[i] or above[i]]
    floors = [p.name for p, is_low in at if p.is_floor and is_low]
    powers = [
        f"{p.name} ended at its {'lower' if is_low else 'upper'} bound, {p.range[0 if is_low else 1]:g}"
        for p, is_low in at
        if p.anchor is None and p.name not in floors and p.log
    ]
    others = [p.name for p, _ in at if p.name not in floors and not (p.anchor is None and p.log)]
    if floors:
        found.append(
            f"{floors[0]} is zero: these runs show no floor, so the {e.law.output.title.lower()} predicted far beyond them may be too low"
        )
        do.append("add larger runs, or fit a law without a floor")
    if powers:
        found.append(f"{' and '.join(powers)}, so the runs do not identify it")
        do.append("add runs over a wider range of the input it belongs to, or fit a law without that term")
    if others:
        found.append(f"{' and '.join(others)} ended at the edge of the plausible range, so the runs do not identify it")
        do.append("choose a law with fewer parameters, or add runs that vary what this parameter describes")
    todo = "; ".join(do)
    return Verdict("bounds", title, "fail", "; ".join(found) + ".", f"{todo[0].upper()}{todo[1:]}.")


def floor(e: Evidence) -> Verdict | None:
    """Whether the floor is told from no floor at all, by resampling and by its profile."""
    for i, p in enumerate(e.law.params):
        if not p.is_floor or e.unidentified.has_ridge(p.name):
            continue
        title, output = "Floor", e.law.output.title.lower()
        value, lowest = float(e.theta[i]), e.where.lowest
        ends = []
        spans = []
        if len(e.draws):
            low, high = quantiles(e.draws[:, i, None], (0.025, 0.975))
            ends.append((float(low[0]), float(high[0])))
            spans.append(f"95 % {low[0]:.3g} to {high[0]:.3g}")
        if not e.refused and (held := profile(e.prob, e.theta, e.residuals)) is not None:
            ends.append((held.low, held.high))
            spans.append(f"{'by its profile' if spans else '95 % by its profile'} {held.low:.3g} to {held.high:.3g}")
        span = ", ".join([f"{p.name} = {value:.3g}", *spans])
        least, most = (min(a for a, _ in ends), max(b for _, b in ends)) if ends else (value, value)
        if least <= NEARLY_NONE * lowest:
            return Verdict(
                "floor", title, "fail", f"{span}: a law with no floor at all fits these runs about as well.",
                f"Do not use the floor, nor predictions of {output} far beyond the largest run; add runs closer to the floor.",
            )  # fmt: skip
        if most - least > 0.25 * lowest:
            return Verdict(
                "floor", title, "caution", f"{span}: known only within {100 * (most - least) / lowest:.0f} % of the lowest {output}.",
                "Larger runs narrow its interval most.",
            )  # fmt: skip
        where = "below" if value < lowest else "among the runs, beside"
        return Verdict("floor", title, "pass", f"{span}, {where} the lowest {output} {lowest:.3g}.")
    return None
