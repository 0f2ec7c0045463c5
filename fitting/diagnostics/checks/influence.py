"""Does the fit rest on one run? Every run is left out: in one step for all, exactly for those that step calls the strongest."""

from __future__ import annotations

import numpy as np

from fitting.diagnostics.checks.evidence import FEW_STEPS, Evidence
from fitting.solver.solver import Problem, minimise, slopes
from fitting.status import Verdict

Array = np.ndarray

# Runs left out and refitted exactly.
STRONGEST = 6
# On a longer table one run moves nothing unless it stands alone, which the first step shows.
MOST_RUNS = 3000
# A parameter's error without a run, over its error with it, from which on the parameter rests on that run.
RESTS = 3.0
# Standard errors by which one run may move a parameter before that is said.
MOVES = 3.0


def leave_out(prob: Problem, theta: Array, runs: Array) -> Array:
    """Where the fit goes, (k, p), from `theta` (p,) when each of the runs, by index (k,), is left out alone."""
    weights = np.ones((len(runs), prob.n))
    weights[np.arange(len(runs)), runs] = 0.0
    return minimise(prob, np.tile(theta, (len(runs), 1)), weights, most=FEW_STEPS).theta


def influence(e: Evidence) -> Verdict | None:
    """Whether one run alone holds a parameter where it is, or is all that tells it."""
    n, p = e.jacobian.shape
    free = [k for k in range(p) if e.where.bounds[0][k] < e.theta[k] < e.where.bounds[1][k]]
    if e.refused or e.is_exact or n <= p + 1 or e.basis.shape[1] < p or not free:
        return None
    title = "Influence of single runs"
    unit = np.linalg.norm(e.jacobian, axis=0)
    inverse = np.linalg.inv((e.jacobian / unit).T @ (e.jacobian / unit))
    reach = e.jacobian / unit @ inverse  # (n, p): how far a unit residual of each run moves each parameter
    spare = np.maximum(1.0 - np.sum(e.basis**2, axis=1), 1e-6)
    variance = np.diag(inverse)
    # Variance of each parameter without each run, over that with it (Sherman and Morrison 1950).
    grows = np.sqrt(1.0 + reach**2 / spare[:, None] / variance)[:, free]
    run, which = np.unravel_index(int(np.argmax(grows)), grows.shape)
    if grows[run, which] > RESTS:
        name = e.law.names[free[int(which)]]
        return Verdict(
            "influence", title, "caution",
            f"{name} depends on the run {e.table.runs[int(run)]}: without that run, the standard error would be "
            f"{grows[run, which]:.2g} times as large.",
            "Repeat that run, or add runs near it.",
        )  # fmt: skip
    if n > MOST_RUNS:
        return Verdict("influence", title, "pass", f"No single run of {n:,} determines a parameter.")
    step = np.abs(reach * (e.clipped / spare)[:, None]) / np.sqrt(variance)
    chosen = np.argsort(-np.max(step[:, free], axis=1), kind="stable")[:STRONGEST]
    theta = leave_out(e.prob, e.theta, chosen)
    # The error where the fit goes, too: along a curved valley it may be many times the one where it was.
    there = np.linalg.norm(np.linalg.pinv(slopes(e.prob, theta)[1]), axis=1)
    error = e.noise * np.maximum(np.sqrt(variance) / unit, there)
    moved = (np.abs(theta - e.theta) / error)[:, free]
    k, which = np.unravel_index(int(np.argmax(moved)), moved.shape)
    i = free[int(which)]
    before, after = (e.where.natural(t)[i] for t in (e.theta, theta[k]))
    found = f"Leaving out {e.table.runs[int(chosen[k])]} moves {e.law.names[i]} from {before:.4g} to {after:.4g}"
    if moved[k, which] < MOVES:
        return Verdict("influence", title, "pass", f"{found}, the largest effect of one run.")
    return Verdict(
        "influence", title, "caution", f"{found}, {moved[k, which]:.2g} standard errors.",
        "Check that run, or repeat it; What if shows how far a plan moves without that run.",
    )  # fmt: skip
