"""Did the solver arrive, and do the refits hold?"""

from __future__ import annotations

import numpy as np

from fitting.diagnostics.checks.evidence import Evidence
from fitting.solver.solver import EXACT
from fitting.status import Verdict


def converged(e: Evidence) -> Verdict:
    """Whether the solver ended where no step lowers the objective."""
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


def one_minimum(e: Evidence) -> Verdict:
    """Whether every start ends at the same optimum."""
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


def refits(e: Evidence) -> Verdict | None:
    """Whether refits to data drawn anew settle, inside the bounds."""
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
            f"Of {count:,} refits to data drawn anew {100 * (1 - good):.0f} % did not settle and {100 * edge:.0f} % ran into a bound.",
            "The intervals are wide for a reason: too few runs hold the law up.",
        )  # fmt: skip
    return Verdict(
        "refits", title, "ok", f"{100 * good:.4g} % of {count:,} refits to data drawn anew settled inside the bounds."
    )
