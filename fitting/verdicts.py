"""The checks made of every fit, each a line a person can act on: did it converge, and can these runs say this at all?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fitting.coordinates import Coordinates
from fitting.law import Law
from fitting.result import Verdict, quantiles
from fitting.solve import EXACT, Solution
from fitting.table import Arrays

Array = np.ndarray


class Evidence:
    """What the checks look at: the table, the solution and its rivals, the refits and the residuals."""

    def __init__(
        self, table: Arrays, where: Coordinates, best: int, tried: Solution, refits: Solution, residuals: Array
    ):
        self.table, self.where, self.best, self.tried, self.refits, self.residuals = (
            table, where, best, tried, refits, residuals,
        )  # fmt: skip
        self.law: Law = where.law
        self.theta = tried.theta[best]
        self.draws = where.natural(refits.theta)


def verdicts(e: Evidence) -> tuple[Verdict, ...]:
    """All checks that apply to this fit, in the order a person would ask."""
    return tuple(v for check in CHECKS if (v := check(e)) is not None)


def _converged(e: Evidence) -> Verdict:
    promise = float(e.tried.promise[e.best])
    title = "Optimum"
    if bool(e.tried.converged[e.best]) and promise < 1e-9:
        return Verdict(
            "converged", title, "ok", f"No step lowers the objective by more than {max(promise, 1e-16):.0e} of it."
        )
    return Verdict(
        "converged", title, "fail", f"The solver stopped where a step still promises {promise:.0e} of the objective.",
        "Set aside runs far from the law, or raise delta, and fit again.",
    )  # fmt: skip


def _one_minimum(e: Evidence) -> Verdict:
    title = "Other starts"
    found = e.tried.objective[e.tried.converged]
    lowest = e.tried.objective[e.best]
    apart = int(np.sum(found > lowest * (1 + 1e-6) + EXACT * len(e.residuals)))
    if apart == 0:
        return Verdict("one_minimum", title, "ok", f"All {len(found)} starts end at the same optimum.")
    return Verdict(
        "one_minimum", title, "note",
        f"{apart} of {len(found)} starts end in a worse local minimum; the best one found is shown.",
        "A larger delta smooths the objective; see whether the numbers move.",
    )  # fmt: skip


def _bounds(e: Evidence) -> Verdict:
    low, high = e.where.bounds
    reach = 1e-6 * (high - low)
    at = [p for i, p in enumerate(e.law.params) if e.theta[i] <= low[i] + reach[i] or e.theta[i] >= high[i] - reach[i]]
    title = "Parameters at a bound"
    if not at:
        return Verdict("bounds", title, "ok", "Every parameter is inside its plausible range.")
    floors = [p.name for i, p in enumerate(e.law.params) if p in at and p.is_floor and e.theta[i] <= reach[i]]
    others = [p.name for p in at if p.name not in floors]
    found, do = [], []
    if floors:
        found.append(
            f"{floors[0]} is zero: these runs show no floor, so a loss predicted far beyond them may be too low"
        )
        do.append("add larger runs, or fit a law without a floor")
    if others:
        found.append(f"{' and '.join(others)} ended at the edge of what is plausible, so the runs do not hold it")
        do.append("choose a law with fewer parameters, or add runs that vary what this parameter describes")
    todo = "; ".join(do)
    return Verdict("bounds", title, "fail", "; ".join(found) + ".", f"{todo[0].upper()}{todo[1:]}.")


def _floor(e: Evidence) -> Verdict | None:
    for i, p in enumerate(e.law.params):
        if not p.is_floor:
            continue
        low, high = quantiles(e.draws[:, i, None], (0.025, 0.975))
        title = "Floor"
        value, lowest = float(e.theta[i]), e.where.lowest
        span = f"{p.name} = {value:.3g}, 95 % {low[0]:.3g} to {high[0]:.3g}"
        if low[0] <= 0.02 * lowest:
            return Verdict(
                "floor", title, "fail", f"{span}: a law with no floor at all fits these runs about as well.",
                "Do not read the floor, nor losses far beyond the largest run; add runs closer to the floor.",
            )  # fmt: skip
        if high[0] - low[0] > 0.25 * lowest:
            return Verdict(
                "floor", title, "note", f"{span}: known only within {100 * (high[0] - low[0]) / lowest:.0f} % of the lowest loss.",
                "Larger runs narrow it most.",
            )  # fmt: skip
        where = "below" if value < lowest else "among the losses, beside"
        return Verdict("floor", title, "ok", f"{span}, {where} the lowest loss {lowest:.3g}.")
    return None


def _variety(e: Evidence) -> Verdict:
    title = "Variety of the runs"
    thin = []
    for name, x in e.table.inputs.items():
        distinct, span = len(np.unique(np.round(np.log(x), 2))), float(x.max() / x.min())
        if distinct < 4 or span < 4:
            thin.append(f"{distinct} distinct {name} over a factor of {span:.3g}")
    if not thin:
        spans = ", ".join(f"{k} over a factor of {x.max() / x.min():.3g}" for k, x in e.table.inputs.items())
        return Verdict("variety", title, "ok", f"{spans[0].upper()}{spans[1:]}.")
    return Verdict(
        "variety",
        title,
        "fail",
        f"Only {' and '.join(thin)}.",
        "At least four values over a factor of four are needed.",
    )


def _confounded(e: Evidence) -> Verdict | None:
    if len(e.table.inputs) < 2:
        return None
    (a, x), (b, y) = list(e.table.inputs.items())[:2]
    r = round(float(np.corrcoef(np.log(x), np.log(y))[0, 1]), 3) + 0.0  # no "-0.00"
    title = "Inputs told apart"
    if abs(r) > 0.99:
        return Verdict(
            "confounded", title, "fail", f"{a} and {b} rise together (correlation of logs {r:.3f}): one cannot be told from the other.",
            f"Add runs with other {b} at the same {a}; until then only the loss along this line can be read.",
        )  # fmt: skip
    if abs(r) > 0.9:
        return Verdict(
            "confounded", title, "note", f"{a} and {b} mostly rise together (correlation of logs {r:.2f}).",
            f"Runs with other {b} at the same {a} would narrow the exponents most.",
        )  # fmt: skip
    return Verdict("confounded", title, "ok", f"Correlation of log {a} and log {b} is {r:.2f}.")


def _refits(e: Evidence) -> Verdict | None:
    count = len(e.refits.converged)
    if count == 0:
        return None
    good = float(np.mean(e.refits.converged))
    low, high = e.where.bounds
    edge = float(np.mean(np.any((e.refits.theta <= low + 1e-9) | (e.refits.theta >= high - 1e-9), axis=1)))
    title = "Resampled fits"
    if good < 0.98 or edge > 0.2:
        return Verdict(
            "refits", title, "note" if good > 0.9 and edge < 0.5 else "fail",
            f"Of {count:,} refits to resampled runs {100 * (1 - good):.0f} % did not settle and {100 * edge:.0f} % ran into a bound.",
            "The intervals are wide for a reason: too few runs hold the law up.",
        )  # fmt: skip
    return Verdict(
        "refits", title, "ok", f"{100 * good:.4g} % of {count:,} refits to resampled runs settled inside the bounds."
    )


def _outliers(e: Evidence) -> Verdict:
    r = e.residuals
    centre = np.median(r)
    sigma = 1.4826 * float(np.median(np.abs(r - centre)))
    far = np.flatnonzero(np.abs(r - centre) > 6 * max(sigma, 1e-12))
    title = "Runs far off the law"
    if len(far) == 0 or sigma < 1e-9:
        return Verdict(
            "outliers",
            title,
            "ok",
            f"Every run is within six robust deviations of the law ({100 * sigma:.2g} % of the loss each).",
        )
    worst = far[np.argsort(-np.abs(r[far]))]
    names = ", ".join(e.table.runs[i] for i in worst[:5]) + (f" and {len(worst) - 5} more" if len(worst) > 5 else "")
    return Verdict(
        "outliers", title, "note", f"{len(far)} of {len(r)} runs lie over six robust deviations from the law: {names}.",
        "Look at them on the Runs page; exclude one only for a reason other than its loss.",
    )  # fmt: skip


def _enough(e: Evidence) -> Verdict:
    n, p, groups = len(e.residuals), e.law.p, int(e.table.groups.max()) + 1
    title = "Number of runs"
    units = f"{n} runs" if groups == n else f"{n} runs in {groups} groups"
    if groups < 2 * p:
        return Verdict(
            "enough",
            title,
            "note",
            f"{units} for {p} parameters: intervals this close to the limit are rough.",
            "Add runs.",
        )
    return Verdict("enough", title, "ok", f"{units} for {p} parameters.")


CHECKS: tuple[Callable[[Evidence], Verdict | None], ...] = (
    _converged,
    _one_minimum,
    _refits,
    _enough,
    _variety,
    _confounded,
    _bounds,
    _floor,
    _outliers,
)
