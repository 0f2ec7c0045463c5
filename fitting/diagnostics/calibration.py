"""Intervals calibrated by a nested bootstrap: how often the plain ones hold, and ends that hold as often as they say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from fitting.accounting import Accounting
from fitting.arguments import MOST_RESAMPLES, MOST_SEED, a_count, one_number, takes
from fitting.band import LEVEL, quantiles
from fitting.diagnostics.double_bootstrap import Ranks, ranks
from fitting.diagnostics.refit_problem import refit_problem
from fitting.errors import FitError
from fitting.planning.allocation import optimum, valley
from fitting.result import Fit
from fitting.same_runs import Columns, RunsLike, Units, whole_table
from fitting.solver.solver import Problem, slopes
from fitting.solver.threads import one_thread
from fitting.uncertainty.calibrated import DECISIONS, TAIL, Calibrated, Calibration
from fitting.uncertainty.error_model import noise
from fitting.uncertainty.interval_method import Choice

if TYPE_CHECKING:
    from fitting.law import Law

Array = np.ndarray

# Beyond this forty thousand refits take over a minute (240 runs: 7.5 s, measured), and so many runs have no need of it.
MOST_RUNS = 2000
# Where no budget is named: the reach that the coverage table of the README is counted at.
BEYOND = 100.0
# The step in log C over which the exponent of the best size is read off.
STEP = 0.5


@takes(fit=Fit)
def calibrate(
    fit: Fit,
    runs: RunsLike,
    *,
    outer: int = 200,
    inner: int = 200,
    seed: int = 0,
    flops: float | None = None,
    progress: Callable[[float], None] | None = None,
    columns: Columns = None,
    units: Units = None,
) -> Calibration:
    """How often the fit's 95 % intervals hold in tables simulated from it, and the ends that hold in 95 % of them.

    Each of `outer` tables is simulated from the fit at the same inputs, with noise as its intervals draw it (for `runs`
    and `groups`, by drawing those). Repeated for each: the fit, what its residuals say of the noise, and `inner` draws.
    Not repeated: the choice of law, method, grouping and delta, and which runs are on a frontier. Decisions are at a budget
    of `flops` (default: `BEYOND` times the largest run's). `progress` is told the share that is done. See
    `fitting.diagnostics.double_bootstrap`.

    Raises FitError, in one sentence, for a fit with a prior or without draws, for too many runs, and for other runs.
    """
    why = refusal(fit)
    if why:
        raise FitError(why)
    outer, inner = (a_count(name, x, MOST_RESAMPLES) for name, x in (("outer", outer), ("inner", inner)))
    seed = a_count("seed", seed, MOST_SEED)
    budget = BEYOND * fit.ranges.get("flops", (np.nan, np.nan))[1] if flops is None else one_number("flops", flops)
    table, column = whole_table(runs, fit.law, columns, units), fit.settings.grouping
    again = refit_problem(fit, table, "calibrate")
    if not (column == "run" or column in again.table.groupings):
        raise FitError("The runs are not those that were fitted; fit them again, then calibrate.")

    def ask(values: Array) -> Array:
        return np.column_stack([values, decisions(fit.law, values, budget, fit.accounting)])

    with one_thread():
        labels = np.arange(fit.n) if column == "run" else again.table.groupings[column]
        how = _choice(fit, again.prob, again.theta, labels)
        found = ranks(again.prob, again.theta, how, ask, outer, inner, seed, progress)
        return Calibration(outer, inner, seed, budget, _quantities(fit, found, ask))


def refusal(fit: Fit) -> str:
    """Why this fit's intervals cannot be calibrated, in a sentence with what to do; "" where they can."""
    s = fit.settings
    if s.weights != "none":
        return "Calibration simulates tables whose runs are alike, and this fit weights its runs. Fit without weights, then calibrate."
    if len(fit.draws) == 0:
        return "There are no refits, so there are no intervals to calibrate. Ask for refits, or choose a law these runs can hold."
    if s.prior != "none" or s.intervals == "posterior":
        return (
            "This fit has a prior from published sweeps, and its intervals are those of the posterior: tables simulated from the "
            'fit would not show the prior\'s part. Fit without the prior (prior "none"), and calibrate that fit.'
        )
    if fit.n > MOST_RUNS:
        return (
            f"Calibrating refits thousands of simulated tables, which would take minutes with {fit.n:,} runs; "
            f"it is offered up to {MOST_RUNS:,} runs. With so many, use the plain intervals."
        )
    return ""


def decisions(law: Law, values: Array, flops: float, accounting: Accounting) -> Array:
    """What parameters (R, p) decide at a budget, (R, k): `DECISIONS` for a law of params and tokens, else none."""
    if set(law.inputs) != {"params", "tokens"} or not np.isfinite(flops):
        return np.empty((len(values), 0))
    best = optimum(valley(law, values, flops * np.exp([-STEP / 2, 0.0, STEP / 2]), accounting))
    with np.errstate(all="ignore"):
        exponent = np.log(best.params[:, 2] / best.params[:, 0]) / STEP
    return np.stack([exponent, best.params[:, 1], best.loss[:, 1]], axis=1)


def _choice(fit: Fit, prob: Problem, best: Array, labels: Array) -> Choice:
    """The way the fit's intervals were made, with the noise behind its residuals."""
    s = fit.settings
    if s.intervals in ("runs", "groups"):
        return Choice(s.intervals, s.grouping, labels, s.intervals_reason)
    left, jac = slopes(prob, best[None, :])
    groups = labels if s.intervals == "components" else None
    return Choice(s.intervals, s.grouping, labels, s.intervals_reason, noise(left[0], jac[0].T, groups, prob.delta))


def _quantities(fit: Fit, found: Ranks, ask: Callable[[Array], Array]) -> tuple[Calibrated, ...]:
    """Each quantity that has a number in every draw, plain and calibrated."""
    values, spread = ask(fit.values[None, :])[0], ask(fit.draws)
    plain = quantiles(spread, (TAIL, 1.0 - TAIL))
    low, high = found.interval(spread, LEVEL)
    shares, held = found.ends(LEVEL), found.held(LEVEL)
    names = [(name, "parameter") for name in fit.law.names] + [(name, "decision") for name in DECISIONS]
    return tuple(
        Calibrated(
            name, kind, float(values[k]), (float(plain[0][k]), float(plain[1][k])), float(low[k]), float(high[k]),
            (float(shares[0][k]), float(shares[1][k])), float(held[k]),
        )
        for k, (name, kind) in enumerate(names[: len(values)])
        if np.all(np.isfinite([values[k], plain[0][k], plain[1][k], shares[0][k], shares[1][k]]))
    )  # fmt: skip
