"""Did the solver arrive, and do the refits hold?"""

from __future__ import annotations

import numpy as np

from fitting.band import LEVEL
from fitting.diagnostics.checks.evidence import Evidence
from fitting.plural import out_of, plural
from fitting.solver.solver import EXACT
from fitting.status import Verdict

# The k-th of R refits is their quantile of k / (R + 1): with fewer than these none lies at the ends of an interval.
ENOUGH = round(2.0 / (1.0 - LEVEL)) - 1


def converged(e: Evidence) -> Verdict:
    """Whether the solver ended where no step lowers the objective."""
    promise = float(e.tried.promise[e.best])
    title = "Optimum"
    if bool(e.tried.converged[e.best]) and promise < 1e-9:
        return Verdict(
            "converged", title, "pass", f"No step lowers the objective by more than {max(promise, 1e-16):.0e} of it."
        )
    return Verdict(
        "converged", title, "fail", f"The solver stopped where a step can still lower the objective by {promise:.0e} of it.",
        "Set aside runs far from the law, or raise delta, and fit again.",
    )  # fmt: skip


def one_minimum(e: Evidence) -> Verdict:
    """Whether every start ends at the same optimum."""
    title = "Multiple starts"
    found = e.tried.objective[e.tried.converged]
    lowest = e.tried.objective[e.best]
    apart = int(np.sum(found > lowest * (1 + 1e-6) + EXACT * len(e.residuals)))
    if apart == 0 and e.unidentified.groups:
        said = f"All {len(found)} starts converge to the same objective; where they end along what is not identified differs."
        return Verdict("one_minimum", title, "pass", said)
    if apart == 0:
        return Verdict("one_minimum", title, "pass", f"All {len(found)} starts converge to the same optimum.")
    return Verdict(
        "one_minimum", title, "caution",
        f"{out_of(apart, len(found), 'start', 'converges', 'converge')} to a worse local minimum; the best optimum found is shown.",
        "A larger delta smooths the objective; check whether the constants change.",
    )  # fmt: skip


def refits(e: Evidence) -> Verdict | None:
    """Whether the refits, of the bootstrap or of the posterior, converge inside the bounds."""
    count, title = len(e.refits.converged), "Refits for the intervals"
    if count == 0:
        return None
    if count < ENOUGH:
        return Verdict(
            "refits", title, "caution",
            f"{plural(count, 'refit')} cannot give 95 % intervals, whose ends take {ENOUGH} at least: they end at the outermost refits.",
            "Ask for more resamples, such as the 4,000 of the default.",
        )  # fmt: skip
    good = float(np.mean(e.refits.converged))
    low, high = e.where.bounds
    edge = float(np.mean(np.any((e.refits.theta <= low + 1e-9) | (e.refits.theta >= high - 1e-9), axis=1)))
    if good < 0.98 or edge > 0.2:
        parts = ((1 - good, "did not converge"), (edge, "ended at a bound"))
        bad = [f"{100 * share:.3g} % {what}" for share, what in parts if share]
        return Verdict(
            "refits", title, "caution" if good > 0.9 and edge < 0.5 else "fail",
            f"Of {count:,} refits {' and '.join(bad)}.",
            "The runs are too few for this law: add runs, or choose a law with fewer parameters.",
        )  # fmt: skip
    return Verdict("refits", title, "pass", f"{100 * good:.4g} % of {count:,} refits converged inside the bounds.")
