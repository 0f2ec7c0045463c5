"""Weights and exponents: which numbers to quote when the two can hardly be told apart."""

from __future__ import annotations

import numpy as np

from fitting.band import quantiles
from fitting.diagnostics.checks.evidence import Evidence
from fitting.status import Verdict
from fitting.term_contributions import contribution, with_exponent

# Refits below which a correlation is not worth saying.
ENOUGH = 50


def weights(e: Evidence) -> Verdict | None:
    """How far each weight is correlated with its exponent, and what its term is worth at the middle of the runs instead."""
    if len(e.draws) < ENOUGH:
        return None
    worst: tuple[float, str, str, float, float] | None = None
    for i, p in enumerate(e.law.params):
        if p.anchor is None or not p.anchor.exponent:
            continue
        if p.name in e.unidentified.names:
            continue
        with np.errstate(all="ignore"):
            log_weight = np.log(e.draws[:, i])
        usable = np.isfinite(log_weight)
        if usable.sum() < ENOUGH:
            continue
        by = {x: with_exponent(log_weight, e.draws[:, e.law.names.index(x)]) for x in p.anchor.exponents}
        if not (by := {x: r for x, r in by.items() if not np.isnan(r)}):
            continue
        nearest = max(by, key=lambda x: abs(by[x]))
        r = by[nearest]
        at = {x: float(np.sqrt(np.prod(e.table.ranges[x]))) for x, _ in p.anchor.factors}
        named = {name: e.draws[usable, j] for j, name in enumerate(e.law.names)}
        with np.errstate(all="ignore"):  # an unsound fit may leave a constant open by more than a float holds
            ends = [
                quantiles(x[:, None], (0.025, 0.975)) for x in (e.draws[usable, i], contribution(e.law, p, named, at))
            ]
            alone, term = (float(high[0] / low[0]) if low[0] > 0 else np.inf for low, high in ends)
        if worst is None or abs(r) > abs(worst[0]):
            worst = r, p.name, nearest, alone, term
    if worst is None:
        return None
    r, weight, exponent, alone, term = worst
    title = "Weights and exponents"
    if abs(r) < 0.9 or not np.isfinite([alone, term]).all():
        return Verdict(
            "weights", title, "pass", f"{weight} and {exponent} are separately identified (correlation {r:.2f})."
        )
    return Verdict(
        "weights", title, "pass",
        f"The term of {weight} and {exponent} is known within a factor of {_times(term)} at the middle of the runs; {weight} alone, "
        f"whose correlation with {exponent} is {r:.4f}, within {_times(alone)}.",
        f"Quote the combined term, below the constants, not {weight} alone.",
    )  # fmt: skip


def _times(factor: float) -> str:
    return f"{factor:.0f}" if 10 <= factor < 1e4 else f"{factor:.2g}"
