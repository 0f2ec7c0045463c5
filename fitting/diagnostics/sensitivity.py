"""How far do the choices behind a fit move the decision? Each choice in turn: the best size and the loss at one budget."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from data.alike import Alike
from fitting.accounting import Accounting
from fitting.arguments import one_number, takes
from fitting.band import LEVEL, Band
from fitting.diagnostics.case_deletion import runs_to_drop
from fitting.diagnostics.refit_problem import RefitProblem, refit_problem
from fitting.errors import FitError
from fitting.planning.decision import Decision, decide
from fitting.planning.planner import plan
from fitting.result import Fit
from fitting.same_runs import Columns, RunsLike, Units, whole_table
from fitting.shown import shown
from fitting.solver.fit_data import accounting, arrays
from fitting.solver.huber_scale import scaled_delta
from fitting.solver.initial_values import starts
from fitting.solver.parametrization import coordinates
from fitting.solver.solver import Problem, minimise, problem
from fitting.solver.threads import one_thread
from fitting.solver.weighting import refuse
from fitting.uncertainty.bootstrap import refits, weights

if TYPE_CHECKING:
    pass

Array = np.ndarray

# Huber's delta in log loss: Hoffmann et al. 2022 use 1e-3; the rest span from absolute values to squares.
DELTAS = (1e-4, 1e-3, 1e-2, float("inf"))
DROPPED = (1, 2, 3, 4, 5, 10)
COUNTS = {
    "params_total": "total parameters",
    "params_nonembed": "non-embedding parameters",
    "params_active": "active parameters",
    "params_body": "matrices only",
}
# Refits for the interval of another resampling unit: enough to compare widths, not to quote an end.
RESAMPLES = 200
SETTLED = 150
DROPS = "Runs left out"
FLOOR = "Fixed floor"
WORDS = {
    "Huber delta": "the choice of delta",
    DROPS: "single runs",
    FLOOR: "the floor",
    "Parameter count": "the parameter count",
    "FLOP count": "the FLOP count",
}


@dataclass(frozen=True)
class Choice:
    """What one other choice makes of the decision: best size (None for a law of compute alone) and loss at the budget.

    `kind` groups choices of one sort. `params_interval` and `loss_interval` are given where the choice changes the
    intervals and not the values. `ruled_out`: these runs speak against the choice, such as a floor outside its interval.
    """

    kind: str
    label: str
    params: float | None
    loss: float
    params_interval: tuple[float, float] | None = None
    loss_interval: tuple[float, float] | None = None
    ruled_out: bool = False


@shown()
@dataclass(frozen=True, eq=False)
class Sensitivity(Alike):
    """The decision at a budget, its intervals, and what every other choice makes of it; `sentence` names the strongest."""

    flops: float
    params: Band | None
    loss: Band
    choices: tuple[Choice, ...]
    sentence: str


@takes(fit=Fit)
def sensitivity(
    fit: Fit,
    runs: RunsLike,
    flops: float,
    level: float = LEVEL,
    *,
    columns: Columns = None,
    units: Units = None,
) -> Sensitivity:
    """How the best size and the loss at `flops` move with each choice that papers make and seldom report.

    `runs` is the table that was fitted. Delta, the runs that move the decision most left out (which, is found as by
    Broderick, Giordano and Meager 2020, arXiv 2011.14999), the resampling unit, the parameter count, the FLOP count and
    the floor held are changed one at a time; everything else stays as in `fit`.
    Raises FitError where the law cannot split a budget, as `plan` does, or the table is not the one that was fitted.
    """
    refuse(fit, "Sensitivity")
    flops = one_number("flops", flops)
    base = plan(fit, flops=flops, level=level)
    again = refit_problem(fit, whole_table(runs, fit.law, columns, units), "compute the sensitivity")
    with one_thread():
        found = tuple(_choices(_Case(again, float(flops)), level))
    return Sensitivity(float(flops), base.params, base.loss, found, _sentence(base.params, base.loss, found))


class _Case:
    """The problem as it was fitted, and the decision that follows from coordinates near it."""

    def __init__(self, again: RefitProblem, flops: float):
        self.fit, self.runs, self.table, self.flops = again.fit, again.runs, again.table, flops
        self.prob, self.theta = again.prob, again.theta

    @cached_property
    def begin(self) -> Array:
        """Where a refit of much the same problem begins: at this fit, and at the most promising places beside it."""
        return np.vstack([self.theta[None, :], starts(self.prob, 3)])

    def decide(self, prob: Problem, theta: Array, count: Accounting | None = None) -> Decision:
        """The decision for coordinates (R, p) of a problem."""
        law = self.fit.law
        return decide(law, prob.coordinates.natural(np.atleast_2d(theta)), self.flops, count or self.fit.accounting)

    def refit(self, prob: Problem, *, near: bool = True) -> Array:
        """The optimum (p,) of another problem, from this fit's own (where it is `near`) and the most promising starts."""
        solved = minimise(prob, self.begin if near else starts(prob), most=SETTLED)
        return solved.theta[solved.best()]


def _choices(case: _Case, level: float) -> Iterator[Choice]:
    yield from _deltas(case)
    yield from _dropped(case)
    yield from _floors(case, level)
    yield from _counts(case)
    yield from _conventions(case)
    yield from _units(case, level)


def _choice(kind: str, label: str, d: Decision, row: int = 0, factor: float = 1.0) -> Choice:
    size = None if d.params is None else float(d.params[row]) * factor
    return Choice(kind, label, size, float(d.loss[row]))


def _deltas(case: _Case) -> Iterator[Choice]:
    named = {d: "least squares" if np.isinf(d) else f"delta {d:g}" for d in DELTAS}
    if case.fit.settings.delta_rule != "auto":
        by_noise = scaled_delta(case.prob)
        named[by_noise] = f"delta {by_noise:.2g}, by noise"
    for delta, label in sorted(named.items()):
        if delta > 1e-9 and not np.isclose(delta, case.fit.settings.delta, rtol=1e-6):
            prob = replace(case.prob, delta=delta)
            yield _choice("Huber delta", label, case.decide(prob, case.refit(prob)))


def _dropped(case: _Case) -> Iterator[Choice]:
    """The k runs whose absence moves the decision most, upwards or downwards, whichever goes further."""
    most = len(case.fit.residuals) - case.fit.law.p - 2
    ks = [k for k in DROPPED if k <= min(most, len(case.fit.residuals) // 5)]
    if not ks:
        return

    def measure(theta: Array) -> Array:
        d = case.decide(case.prob, theta)
        return np.log(d.loss if d.params is None else d.params)

    order = runs_to_drop(case.prob, case.theta, measure)
    run_weights = np.ones((2 * len(ks), case.prob.n))
    for i, k in enumerate(ks):
        run_weights[2 * i, order[:k]] = 0.0
        run_weights[2 * i + 1, order[-k:]] = 0.0
    solved = minimise(case.prob, np.tile(case.theta, (2 * len(ks), 1)), run_weights, most=SETTLED)
    moved = np.abs(measure(solved.theta) - measure(case.theta[None, :]))
    d = case.decide(case.prob, solved.theta)
    for i, k in enumerate(ks):
        pick = 2 * i + int(moved[2 * i + 1] > moved[2 * i])
        left = order[:k] if pick % 2 == 0 else order[-k:]
        label = f"without {case.table.runs[left[0]]}" if k == 1 else f"without the {k} most influential"
        yield _choice(DROPS, label, d, pick)


def _floors(case: _Case, level: float) -> Iterator[Choice]:
    law = case.fit.law
    at = next((i for i, p in enumerate(law.params) if p.is_floor), None)
    if at is None:
        return
    name = law.names[at]
    values = {0.0: f"{name} fixed at 0"}
    band = case.fit.interval(name, level)
    if np.isfinite([band.low, band.high]).all():
        values |= {v: f"{name} fixed at {v:.4g}" for v in (band.low, band.high)}
    values = {v: label for v, label in values.items() if abs(v - band.value) > 1e-6}
    theta = np.tile(case.theta, (len(values), 1))
    theta[:, at] = list(values)
    solved = minimise(case.prob, theta, held=(at,), most=SETTLED)
    d = case.decide(case.prob, solved.theta)
    for row, (value, label) in enumerate(values.items()):
        out = value < band.low
        yield replace(_choice(FLOOR, f"{label}, rejected" if out else label, d, row), ruled_out=out)


def _counts(case: _Case) -> Iterator[Choice]:
    """Other parameter counts of the same models; the best size is said in the count that was fitted."""
    frame = case.runs.kept
    if case.fit.law.inputs != ("params", "tokens"):
        return
    for column, label in COUNTS.items():
        if column not in frame or not (frame[column].fillna(0) > 0).all():
            continue
        if np.allclose(frame[column], frame["params"], rtol=1e-3) or frame[column].nunique() < 3:
            continue
        try:
            other = arrays(replace(case.runs, kept=frame.assign(params=frame[column])), case.fit.law)
        except FitError:
            continue
        where = coordinates(case.fit.law, other.inputs, other.loss)
        prob = problem(where, other.inputs, other.loss, case.prob.delta)
        count = accounting(frame.assign(params=frame[column]))
        d = case.decide(prob, case.refit(prob, near=False), count)
        if d.params is not None:
            # A line in logs takes one count to the other, beyond the table too.
            slope, offset = np.polyfit(
                np.log(frame[column].to_numpy(float)), np.log(frame["params"].to_numpy(float)), 1
            )
            size = float(np.exp(offset + slope * np.log(d.params[0])))
            yield Choice("Parameter count", label, size, float(d.loss[0]))


def _conventions(case: _Case) -> Iterator[Choice]:
    a = case.fit.accounting
    if case.fit.law.inputs == ("params", "tokens") and not a.is_six_nd:
        yield _choice("FLOP count", "6ND", case.decide(case.prob, case.theta, Accounting()))


def _units(case: _Case, level: float) -> Iterator[Choice]:
    """The same values with intervals from another resampling unit: single runs, model sizes, or the table's own groups."""
    frame, n = case.runs.kept.set_index(case.runs.kept["run"].astype(str)), case.prob.n
    rows = frame.loc[list(case.table.runs)]
    units: dict[str, tuple[str, Array]] = {"single runs": ("run", np.arange(n))}
    for column, label in (("params", "model sizes"), ("group", "the column group"), ("family", "the column family")):
        if column in rows:
            values = np.round(np.log(rows[column]), 2) if column == "params" else rows[column].astype(str)
            units[label] = column, np.unique(values, return_inverse=True)[1]
    settings = case.fit.settings
    now = {"runs": "run", "groups": settings.grouping}.get(settings.intervals, "")
    tail = 50 * (1 - level)
    here = case.decide(case.prob, case.theta)
    for label, (column, groups) in units.items():
        count = int(groups.max()) + 1
        if column == now or not case.fit.law.p <= count <= n or (column != "run" and count > n / 2):
            continue
        drawn = refits(case.prob, case.theta, weights(groups, RESAMPLES, case.fit.settings.seed))
        d = case.decide(case.prob, drawn.theta)
        ends: list[Any] = [
            None if x is None else tuple(float(v) for v in np.percentile(x, [tail, 100 - tail], method="inverted_cdf"))
            for x in (d.params, d.loss)
        ]
        yield replace(
            _choice("Resampled by", label, here), params_interval=ends[0], loss_interval=ends[1]
        )  # fmt: skip


def _sentence(params: Band | None, loss: Band, choices: tuple[Choice, ...]) -> str:
    base = loss if params is None else params
    tried = [(c, float(v)) for c in choices if (v := c.loss if params is None else c.params) and not c.ruled_out]
    moved = {c.label: abs(np.log(v / base.value)) for c, v in tried if np.isfinite(v) and v > 0}
    if not moved or max(moved.values()) < 1e-6:
        return "No other choice changes the plan on these runs."
    strongest, value = max(tried, key=lambda t: moved.get(t[0].label, -1.0))
    what = "predicted loss" if params is None else "best size"
    name = strongest.label if strongest.kind == DROPS else f"with {strongest.label}"
    name += " runs" if name.endswith("most influential") else ""
    by = WORDS.get(strongest.kind, strongest.kind)
    head = f"The {what} depends most on {by}: it is {_times(value / base.value)} {name}."
    if not np.isfinite([base.low, base.high]).all():
        return head
    outside, m = sum(not base.low <= v <= base.high for _, v in tried), len(tried)
    if not outside:
        return f"{head} {f'All {m} choices tried leave' if m > 1 else 'That leaves'} it inside its interval."
    return f"{head} {outside} of {m} choices tried {'moves' if outside == 1 else 'move'} it outside its interval."


def _times(factor: float) -> str:
    if abs(factor - 1) < 0.2:
        return f"{100 * abs(factor - 1):.2g} % {'more' if factor > 1 else 'less'}"
    return f"{factor:.3g} times as large" if factor > 1 else f"{1 / factor:.3g} times smaller"
