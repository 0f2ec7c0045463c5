"""Six constants from small runs: Kaplan's L(N, S) fitted to training curves of several sizes and batches at once.

First in the recipe's order (arXiv 2403.06563: floors from the lowest losses, the critical batch from a ladder of batches,
the rest from all curves), then from there and from a grid of other starts jointly, by least squares of log loss in which
every run counts alike. Evaluations of one run share their luck, so intervals come from refits in which whole runs'
residuals are drawn anew.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from data.alike import Alike
from fitting.amounts import count as amount
from fitting.arguments import MOST_RESAMPLES, MOST_SEED, a_count, an_input, together
from fitting.band import LEVEL, Band, from_draws
from fitting.batch.critical import critical_batch
from fitting.batch.curves import AFTER, Curves, curves
from fitting.batch.descent import descend
from fitting.batch.targets import steps_to_target
from fitting.batch.trajectory import NAMES, Trajectory, log_loss, slopes
from fitting.errors import FitError
from fitting.same_runs import RunsLike
from fitting.shown import banded, shown

if TYPE_CHECKING:
    pass

Array = np.ndarray
Anchors = tuple[float, float, float]

FLOORS = (0.6, 0.85, 0.97)  # shares of the lowest loss that a start takes as the floor
SLOPES, GROWTH, BATCHES = (0.6,), (1.0, 5.0), (0.3, 3.0)
FIRST, KEEP, ROUNDS, REFIT = 8, 3, 60, 6
# Floor, alpha_N, transient, alpha_S, critical batch, 1 / alpha_B: how far a coordinate may go from the middle of the runs.
LOW = np.array([-3.0, np.log(1e-3), -12.0, np.log(0.03), -14.0, np.log(0.05)])
HIGH = np.array([0.0, np.log(3.0), 5.0, np.log(6.0), 14.0, np.log(60.0)])
CHUNK = 200
SETTLING, SETTLED = 12, 1e-5  # rounds at most, and the change of log steps at which ramps are counted
FEW = 12
LEVERAGE = 0.1  # what of a run's residual a fit leaves at least, so that a run fitted to the dot is not blown up


def _in_lines(fit: TrajectoryFit) -> Iterator[str]:
    """What a notebook shows: the runs, and the constants that they tell with their intervals."""
    unit = f", batch in {fit.law.unit}" if fit.law.unit else ""
    yield f"Training-curve law L(N, S) of {len(fit.curves.names)} runs{unit}"
    told = [name for name in NAMES if not (fit.law.one_size and name in ("N_c", "alpha_N"))]
    for i in (0, 3):
        yield "  " + "; ".join(f"{name} {banded(fit.law.constant(name))}" for name in told[i : i + 3])


@shown(_in_lines)
@dataclass(frozen=True, eq=False)
class TrajectoryFit(Alike):
    """A fitted law, the `curves` it comes from, log residuals (n,) (run less law), and the constants of the `recipe` alone.

    `recipe` is None where the curves hold no ladder of batches to begin with.
    """

    law: Trajectory
    curves: Curves
    residuals: Array
    recipe: Trajectory | None

    @property
    def noise(self) -> float:
        """Standard deviation of log loss around the law, for the degrees of freedom that the constants took."""
        free = 5 if self.law.one_size else 6
        return float(np.sqrt(np.sum(self.residuals**2) / max(1, len(self.residuals) - free)))

    def predict(self, params: Any, batch: Any, steps: Any, level: float = LEVEL) -> Band:
        """The losses of one new run: the law's curve, with a band that adds the noise of single evaluations."""
        law = self.law
        asked = {"params": params, "batch": batch, "steps": steps}
        n, b, s = together({k: np.atleast_1d(an_input(k, v)) for k, v in asked.items()}).values()
        best = np.exp(log_loss(law.centred, law.anchors, n, b, s))
        drawn = log_loss(law.drawn.reshape(len(law.drawn), *(1,) * n.ndim, 6), law.anchors, n, b, s)
        rng = np.random.default_rng(1)
        runs = len(self.curves.names)
        noise = self.residuals * np.sqrt(runs / max(1.0, runs - 0.5 * len(law.centred)))
        return from_draws(best, np.exp(drawn + rng.choice(noise, drawn.shape)), level)


@shown()
@dataclass(frozen=True, eq=False)
class HeldOut(Alike):
    """Runs of the largest size laid beside a law fitted to the smaller ones: `curves`, and the `predicted` losses of a run there."""

    fit: TrajectoryFit
    curves: Curves
    predicted: Band

    @property
    def errors(self) -> Array:
        """Predicted over measured loss, less one (n,)."""
        return np.asarray(self.predicted.value / self.curves.loss - 1.0)

    @property
    def covered(self) -> float:
        """The share of evaluations inside their interval."""
        inside = (self.predicted.low <= self.curves.loss) & (self.curves.loss <= self.predicted.high)
        return float(np.mean(inside))

    @property
    def sentence(self) -> str:
        """What the check says, for a person."""
        d, size = self.curves, float(self.curves.params[0])
        last = np.array([np.flatnonzero(d.run == r)[-1] for r in range(len(d.names))])
        beyond = size / float(self.fit.curves.params.max())
        return (
            f"Fitted to smaller runs, the law misses the {len(d.names)} {'run' if len(d.names) == 1 else 'runs'} of "
            f"{amount(size)} parameters, {beyond:.3g} times the largest fitted, "
            f"by {100 * np.mean(np.abs(self.errors)):.2g} % of loss along the way and "
            f"{100 * np.mean(np.abs(self.errors[last])):.2g} % at the end; {100 * self.covered:.0f} % of evaluations lie inside the "
            f"{100 * self.predicted.level:.0f} % band."
        )


def held_out(frame: RunsLike | Curves, *, after: float = AFTER, resamples: int = 1000, seed: int = 0) -> HeldOut:
    """The largest size left out, predicted from the smaller ones along its whole curves.

    Raises FitError where fewer than two sizes would be left to fit, or too few runs.
    """
    data = frame if isinstance(frame, Curves) else curves(frame, after)
    if len(data.sizes) < 3:
        raise FitError(
            f"Leaving out the largest size takes three sizes or more, so that two tell how the floor falls; there are {len(data.sizes)}."
        )
    largest = data.params == data.sizes[-1]
    fit, apart = fit_trajectory(data.only(~largest), resamples=resamples, seed=seed), data.only(largest)
    apart = apart.counted(_critical_along(fit.law, apart))
    return HeldOut(fit, apart, fit.predict(apart.params, apart.batch, apart.step))


def fit_trajectory(
    frame: RunsLike | Curves,
    *,
    unit: str = "tokens",
    setup: str = "",
    after: float = AFTER,
    resamples: int = 1000,
    seed: int = 0,
) -> TrajectoryFit:
    """The law of the whole run from training curves.

    `frame`: a path, a DataFrame or `Runs`; columns run, params, batch, step or steps, loss, and lr where several were tried.
    `unit`: what a batch counts, "tokens" or "sequences".
    `setup`: how the runs were trained, a text that the law carries along.
    `after`: where warm-up ends; a step from 1 on, a share of the run below 1.
    `resamples`: how many refits give the intervals.
    `seed`: that of the refits; the same seed gives the same intervals.

    With one model size the floor is that size's own and says nothing of others. Raises FitError for missing columns or too few
    runs.
    """
    resamples, seed = a_count("resamples", resamples, MOST_RESAMPLES), a_count("seed", seed, MOST_SEED)
    data = frame if isinstance(frame, Curves) else curves(frame, after)
    one = len(data.sizes) == 1
    middles = tuple(float(np.exp(np.mean(np.log(v)))) for v in (data.params, data.step, data.loss))
    problem = _Problem(data, cast(Anchors, middles), one)
    recipe = _recipe(problem)
    starts = problem.starts(recipe)
    cost = problem.solve(starts, problem.y, FIRST)
    best = starts[np.argsort(cost)[:KEEP]]
    cost = problem.solve(best, problem.y, ROUNDS)
    centred = best[int(np.argmin(cost))]
    if any(data.ramps):
        problem, centred = _settled(problem, centred)
        data, recipe = problem.data, _recipe(problem)
    value, jacobian = problem.at(centred[None, :])
    left = value[0] - problem.y
    drawn = _refits(problem, centred, left, jacobian[0][:, problem.free], resamples, seed)
    notes = (*data.notes, *_notes(problem, centred, drawn))
    law = Trajectory(centred, drawn, problem.anchors, unit, setup, notes, one)
    first = None if recipe is None else Trajectory(recipe, np.empty((0, 6)), problem.anchors, unit, setup, (), one)
    return TrajectoryFit(law, data, -left, first)


def _settled(problem: _Problem, centred: Array) -> tuple[_Problem, Array]:
    """The problem with ramps counted by the critical batch that follows from it, and its optimum from `centred` (6,)."""
    one = len(problem.free) < 6
    for _ in range(SETTLING):
        law = Trajectory(centred, np.empty((0, 6)), problem.anchors, "", one_size=one)
        new = problem.data.counted(_critical_along(law, problem.data))
        moved = float(np.max(np.abs(np.log(new.step / problem.data.step))))
        problem = _Problem(new, problem.anchors, one)
        at = np.clip(centred[None, :], problem.low, problem.high)
        problem.solve(at, problem.y, ROUNDS)
        centred = at[0]
        if moved < SETTLED:
            break
    return problem, centred


def _critical_along(law: Trajectory, data: Curves) -> Array:
    """The critical batch at the loss of each row (n,), by the law's best constants."""
    return np.asarray(law.b_crit(data.loss).value)


class _Problem:
    """Weighted least squares of log loss, many sets of constants at a time."""

    def __init__(self, data: Curves, anchors: Anchors, one: bool) -> None:
        self.data, self.anchors = data, anchors
        self.y = np.log(data.loss)
        counts = np.bincount(data.run)
        self.weight = (len(data.run) / len(counts) / counts)[data.run]
        self.free = np.array([0, 2, 3, 4, 5] if one else [0, 1, 2, 3, 4, 5])
        middle = np.array([self.y.max(), 0.0, self.y.mean(), 0.0, np.mean(np.log(data.batch)), 0.0])
        self.low, self.high = middle + LOW, middle + HIGH

    def at(self, c: Array) -> tuple[Array, Array]:
        """Log losses (R, n) and derivatives (R, n, 6) at `c` (R, 6); with one size none by alpha_N, which then stays."""
        d = self.data
        return slopes(c[:, None, :], self.anchors, d.params, d.batch, d.step)

    def solve(self, c: Array, y: Array, rounds: int) -> Array:
        """`descend` from `c` (R, 6), changed in place, on `y` (n,) or (R, n)."""
        return descend(self.at, c, y, self.low, self.high, rounds, self.weight)

    def starts(self, recipe: Array | None) -> Array:
        """Places to begin (R, 6): the recipe's, and a grid."""
        d = self.data
        lowest = np.array([self.y[d.params == n].min() for n in d.sizes])
        log_n = np.log(d.sizes / self.anchors[0])
        a_n = 0.08
        if len(lowest) > 1:
            a_n = max(0.005, -float(np.polyfit(log_n, lowest, 1)[0]))
        at_anchor = float(np.mean(lowest + a_n * log_n))
        out = [] if recipe is None else [recipe]
        for share, a_s, k, b in itertools.product(FLOORS, SLOPES, GROWTH, BATCHES):
            floor = at_anchor + np.log(share)
            over = np.mean(self.y) - floor
            middle = np.mean(np.log(d.batch)) + np.log(b)
            t = np.mean(self.y) + np.log(-np.expm1(-max(over, 0.01))) - a_s * np.logaddexp(0.0, np.log(b))
            out.append(np.array([floor, np.log(a_n), t, np.log(a_s), middle, np.log(k)]))
        return np.clip(np.array(out), self.low, self.high)


def _recipe(problem: _Problem) -> Array | None:
    """The constants in the recipe's order: floors from lowest losses, the critical batch from a ladder, then all curves."""
    import pandas as pd

    d = problem.data
    lowest = np.array([d.loss[d.params == n].min() for n in d.sizes])
    log_n = np.log(d.sizes / problem.anchors[0])
    a_n, floor = 0.08, float(np.log(lowest[0]))
    if len(lowest) > 1:
        slope, floor = np.polyfit(log_n, np.log(lowest), 1)
        a_n = max(0.005, -float(slope))
    ladder = max(d.sizes, key=lambda n: len(np.unique(d.batch[d.params == n])))
    own = d.params == ladder
    frame = pd.DataFrame({"run": d.run[own], "batch": d.batch[own], "step": d.step[own], "loss": d.loss[own]})
    reach = frame.groupby("batch")["loss"].agg(["min", "max"])
    points = []
    for target in np.geomspace(reach["min"].max() * 1.002, max(reach["max"].min(), reach["min"].max() * 1.01), 6):
        try:
            reached = steps_to_target(frame, float(target))
            found = critical_batch(reached.batch, reached.steps, resamples=0)
        except FitError:
            continue
        with np.errstate(divide="ignore"):
            b = float(found.best[1] / found.best[0])
        if 0 < b < np.inf:
            points.append((float(target), b))
    if len(points) < 3:
        return None
    loss, b = np.log(np.array(points)).T
    k = max(0.1, -float(np.polyfit(loss, b, 1)[0]))
    middle = float(np.mean(b + k * (loss - np.log(problem.anchors[2]))))
    # S_min of every row by the ladder's law; then log(L - floor) is a line in it.
    floors = np.exp(floor - (a_n if len(lowest) > 1 else 0.0) * np.log(d.params / problem.anchors[0]))
    floors = np.minimum(floors, 0.98 * d.loss)
    critical = np.exp(middle - k * (problem.y - np.log(problem.anchors[2])))
    s_min = d.step / (1.0 + critical / d.batch)
    over = np.log(d.loss - floors)
    slope, t = np.polyfit(np.log(s_min / problem.anchors[1]), over, 1)
    c = np.array([floor, np.log(a_n), t, np.log(max(0.05, -slope)), middle, np.log(k)])
    return np.clip(c, problem.low, problem.high)


def _refits(problem: _Problem, centred: Array, left: Array, jacobian: Array, resamples: int, seed: int) -> Array:
    """Refits (R, 6): each run's residuals, raised to what they were before the law bent towards them, times a number of its own.

    Whatever evaluations of a run share is kept whole (a wild bootstrap by cluster, Cameron, Gelbach and Miller 2008, with the
    residuals of CR3, Bell and McCaffrey 2002); Student's t for runs less one widens all of it when runs are few.
    """
    d = problem.data
    rng = np.random.default_rng(seed)
    root = np.sqrt(problem.weight)
    q = np.linalg.qr(jacobian * root[:, None])[0]
    raised = np.empty_like(left)
    runs = len(d.names)
    for r in range(runs):
        rows = d.run == r
        u, s, _ = np.linalg.svd(q[rows], full_matrices=False)
        e = root[rows] * left[rows]
        lift = 1.0 / np.maximum(1.0 - s**2, LEVERAGE) - 1.0
        raised[rows] = (e + u @ (lift * (u.T @ e))) / root[rows]
    scale = np.sqrt((runs - 1) / rng.chisquare(runs - 1, (resamples, 1)))
    errors = raised * (rng.standard_normal((resamples, runs)) * scale)[:, d.run]
    fitted = problem.y + left
    out = np.tile(centred, (resamples, 1))
    for begin in range(0, resamples, CHUNK):
        part = out[begin : begin + CHUNK]
        problem.solve(part, fitted - errors[begin : begin + CHUNK], REFIT)
    return out


def _notes(problem: _Problem, centred: Array, drawn: Array) -> list[str]:
    d, out = problem.data, []
    runs = len(d.names)
    if len(d.sizes) == 1:
        out.append(
            "All runs have one size, so the floor is this size's lowest loss, and other sizes are not identified (no N_c, no alpha_N)."
        )
    if runs < FEW:
        out.append(f"Only {runs} runs: evaluations of one run are not independent, so intervals are wide.")
    if len(drawn) and np.mean((drawn[:, 5] <= problem.low[5] + 0.01) | (drawn[:, 5] >= problem.high[5] - 0.01)) > 0.025:
        out.append(
            "The scaling of the critical batch with the loss is hardly identified by these runs: the interval of alpha_B has an open "
            "end. Add batch sizes on both sides of the critical batch, trained to lower losses."
        )
    if centred[0] <= problem.low[0] + 0.01:
        out.append("These runs show no floor: they are far from converged. Add longer runs.")
    return out
