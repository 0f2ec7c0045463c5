"""Does it matter here which parameters are counted, and are the models built alike? Neither is seen by a law of N and D."""

from __future__ import annotations

import numpy as np

from fitting.diagnostics.checks.evidence import Evidence
from fitting.plural import out_of
from fitting.solver.initial_values import starts
from fitting.solver.parametrization import coordinates
from fitting.solver.solver import Problem, minimise, problem
from fitting.status import Verdict
from fitting.uncertainty.map_fit import map_fit

Array = np.ndarray

# Where the two counts are asked: this many times the largest run's compute, mixed as that run was.
BEYOND = 10.0
SETTLED = 150
TITLE = "Count of parameters"
COUNTS = {
    "params": "parameters as first counted", "params_total": "total parameters", "params_nonembed": "non-embedding parameters",
    "params_active": "active parameters",
}  # fmt: skip
# Width over depth this many times off the runs' middle. Within it the loss of one size moves by under one percent (Kaplan et
# al. 2020, arXiv 2001.08361, figure 5: under 3 % over a factor of 40).
ODD = 3.0


def counts(e: Evidence) -> Verdict | None:
    """Whether counting the parameters otherwise, as the table also does, forecasts a loss outside this fit's interval."""
    if e.refused or not e.table.counts or not {"params", "tokens"} <= set(e.law.inputs) or not len(e.draws):
        return None
    n, d = (e.table.inputs[k] for k in ("params", "tokens"))
    last = int(np.argmax(n * d))
    at = {k: x[last : last + 1] for k, x in e.table.inputs.items()}
    at |= {k: at[k] * np.sqrt(BEYOND) for k in ("params", "tokens")}
    mine = float(np.ravel(e.law(at, e.named(e.where.natural(e.theta))))[0])
    low, high = np.quantile(np.ravel(e.law(at, e.named(e.draws))), (0.025, 0.975))
    said = []
    for count, other in e.table.counts.items():
        there = at | {"params": _as_counted(n, other, at["params"])}
        said.append((float(np.ravel(e.law(there, _refitted(e, other)))[0]), COUNTS.get(count, count)))
    loss, count = max(said, key=lambda x: abs(np.log(x[0] / mine)))
    found = (
        f"With {count} the forecast at {BEYOND:g} times the largest run's compute, of a run with the tokens per parameter of the largest, "
        f"is {loss:.4g}; this fit forecasts {mine:.4g} ({low:.4g} to {high:.4g})."
    )
    if low <= loss <= high:
        return Verdict("counts", TITLE, "pass", found)
    return Verdict(
        "counts", TITLE, "caution", found,
        "Check which count forecasts your largest runs better: the interval does not cover the choice of count.",
    )  # fmt: skip


def proportions(e: Evidence) -> Verdict | None:
    """Whether some models are built far deeper or wider than the others: what that costs is in no interval."""
    ratio = e.table.aspect
    if ratio is None or "params" not in e.law.inputs:
        return None
    known = np.isfinite(ratio)
    middle = float(np.median(ratio[known]))
    odd = np.flatnonzero(known & (np.abs(np.log(np.where(known, ratio, middle) / middle)) > np.log(ODD)))
    title = "Aspect ratio"
    span = f"width over depth from {np.nanmin(ratio):.3g} to {np.nanmax(ratio):.3g}, median {middle:.3g}"
    if not len(odd):
        return Verdict("proportions", title, "pass", f"The models have similar aspect ratios: {span}.")
    names = ", ".join(e.table.runs[i] for i in odd[:5]) + (f" and {len(odd) - 5} more" if len(odd) > 5 else "")
    return Verdict(
        "proportions", title, "caution",
        f"{out_of(len(odd), len(ratio), 'model', 'has', 'have')} an aspect ratio over {ODD:g} times off the median ({span}): {names}.",
        "The law does not model aspect ratio: leave these runs out, or plan models shaped like the rest.",
    )  # fmt: skip


def _as_counted(n: Array, other: Array, at: Array) -> Array:
    """The other count (m,) of models of size `at` (m,): what the larger has over the smaller is a power of the smaller.

    Embeddings are vocabulary times width, and width is near the cube root of size.
    """
    small, large = (other, n) if np.mean(other) < np.mean(n) else (n, other)
    more = large - small
    known = more > 0
    if known.sum() < 2 or np.ptp(np.log(small[known])) < 1e-9:
        return np.asarray(at * np.exp(np.mean(np.log(other / n))))
    x, y = np.log(small[known]), np.log(more[known])
    slope = float(np.clip(np.polyfit(x, y, 1)[0], 0.0, 1.0))  # what is left out never outgrows the rest
    weight = float(np.mean(y - slope * x))
    grid = np.geomspace(small.min() / 1e3, small.max() * 1e6, 4000)
    total = grid + np.exp(weight) * grid**slope
    if small is n:
        return np.asarray(np.exp(np.interp(np.log(at), np.log(grid), np.log(total))))
    return np.asarray(np.exp(np.interp(np.log(at), np.log(total), np.log(grid))))


def _refitted(e: Evidence, params: Array) -> dict[str, Array]:
    """The law's best parameters by name, (1, 1) each, for the same runs with sizes (n,) counted otherwise."""
    inputs = e.table.inputs | {"params": params}
    prob: Problem = problem(coordinates(e.law, inputs, e.table.loss), inputs, e.table.loss, e.prob.delta, e.prob.scale)
    if e.prob.prior is not None:
        held = map_fit(prob, e.prob.delta)
        prob, begin = held.prob, held.starts
    else:
        begin = starts(prob)
    solved = minimise(prob, begin, most=SETTLED)
    return e.named(prob.coordinates.natural(solved.theta[solved.best()]))
