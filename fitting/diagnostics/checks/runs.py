"""Are these the runs to say it with: how many, how varied, told apart, and none far off?"""

from __future__ import annotations

import numpy as np

from fitting.amounts import times
from fitting.diagnostics.checks.evidence import Evidence
from fitting.plural import out_of
from fitting.status import Verdict

# Up to four passes over the data are worth about as much as new data; later ones soon less (Muennighoff et al. 2023, arXiv
# 2305.16264). The margin is for token counts that are rounded.
LIKE_NEW, ROUNDED = 4.0, 1.05


def enough(e: Evidence) -> Verdict:
    """Whether there are runs enough for so many parameters."""
    n, p, groups = len(e.residuals), e.law.p, int(e.table.groups.max()) + 1
    title = "Number of runs"
    units = f"{n} runs" if groups == n else f"{n} runs in {groups} groups"
    if groups < 2 * p:
        return Verdict(
            "enough",
            title,
            "caution",
            f"{units} for {p} parameters: with so few runs per parameter, intervals are approximate.",
            "Add runs.",
        )
    return Verdict("enough", title, "pass", f"{units} for {p} parameters.")


def variety(e: Evidence) -> Verdict:
    """Whether every input takes several values over a range."""
    title = "Variety of the runs"
    thin = []
    for name, x in e.table.inputs.items():
        distinct, span = len(np.unique(np.round(np.log(x), 2))), float(x.max() / x.min())
        if distinct < 4 or span < 4:
            thin.append(f"{distinct} distinct {name} over a factor of {times(span)}")
    if not thin:
        spans = ", ".join(f"{k} over a factor of {times(x.max() / x.min())}" for k, x in e.table.inputs.items())
        return Verdict("variety", title, "pass", f"{spans[0].upper()}{spans[1:]}.")
    return Verdict(
        "variety",
        title,
        "fail",
        f"Only {' and '.join(thin)}.",
        "At least four values over a factor of four are needed.",
    )


def confounded(e: Evidence) -> Verdict | None:
    """Whether the inputs vary apart from each other."""
    if len(e.table.inputs) < 2:
        return None
    (a, x), (b, y) = list(e.table.inputs.items())[:2]
    r = round(float(np.corrcoef(np.log(x), np.log(y))[0, 1]), 3) + 0.0  # no "-0.00"
    title = "Collinearity of the inputs"
    if abs(r) > 0.99:
        return Verdict(
            "confounded", title, "fail", f"{a} and {b} rise together (correlation of logs {r:.3f}): their effects are not identified.",
            f"Add runs with other {b} at fixed {a}; until then the law holds only along this line.",
        )  # fmt: skip
    if abs(r) > 0.9:
        return Verdict(
            "confounded", title, "caution", f"{a} and {b} mostly rise together (correlation of logs {r:.2f}).",
            f"Runs with other {b} at fixed {a} would narrow the exponents most.",
        )  # fmt: skip
    return Verdict("confounded", title, "pass", f"Correlation of log {a} and log {b} is {r:.2f}.")


def repeated_data(e: Evidence) -> Verdict | None:
    """Whether runs went over their data so often that a law which counts every token as new is wrong about them."""
    if e.table.passes is None or not {"tokens", "flops"} & set(e.law.inputs):
        return None
    many = e.table.passes[e.table.passes > ROUNDED]
    if len(many) == 0:
        return None
    title, n = "Repeated data", len(e.residuals)
    found = f"{len(many)} of {n} runs repeat their data, up to {times(many.max())} times over"
    if "unique_tokens" in e.law.inputs:
        return Verdict("repeated_data", title, "pass", f"{found}, and this law discounts repeated tokens.")
    often = int(np.sum(many > LIKE_NEW * ROUNDED))
    if often == 0:
        return Verdict(
            "repeated_data",
            title,
            "pass",
            f"{found}: up to four times is about as good as new (Muennighoff et al. 2023).",
        )
    return Verdict(
        "repeated_data", title, "caution",
        f"{found} ({often} over four times), and this law counts every repeat as new tokens.",
        "Fit the data-constrained law, or leave out runs of more than four passes: later ones are worth less (Muennighoff et al. 2023).",
    )  # fmt: skip


def outliers(e: Evidence) -> Verdict:
    """Which runs lie far off the law."""
    r = e.residuals
    centre = np.median(r)
    sigma = e.scale
    far = np.flatnonzero(np.abs(r - centre) > 6 * max(sigma, 1e-12))
    title = "Runs far off the law"
    if len(far) == 0 or sigma < 1e-9:
        return Verdict(
            "outliers",
            title,
            "pass",
            f"Every run is within six robust deviations of the law ({100 * sigma:.2g} % of the {e.law.output.title.lower()} each).",
        )
    worst = far[np.argsort(-np.abs(r[far]))]
    names = ", ".join(e.table.runs[i] for i in worst[:5]) + (f" and {len(worst) - 5} more" if len(worst) > 5 else "")
    return Verdict(
        "outliers", title, "caution", f"{out_of(len(far), len(r), 'run', 'lies', 'lie')} over six robust deviations from the law: {names}.",
        "Look at them on the Runs page; exclude one only for a reason other than its loss.",
    )  # fmt: skip
