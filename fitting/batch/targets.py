"""Steps to a loss, read off training curves: the first crossing, interpolated in logarithms, at each batch's best learning rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fitting.batch.ladder import SAME_BATCH, Run, ladder
from fitting.result import FitError

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray

# Rows within so many e-folds of a crossing, so many at least, say where it is when each of them is noisy.
AROUND, LEAST_AROUND, TURNS = 0.25, 25, 4
# A best rate at the end of its sweep is no best: the batch might have done with fewer steps at a rate beyond it.
SIDES = {"low": "lowest", "high": "highest", "": ""}


@dataclass(frozen=True)
class Reached:
    """What it took to reach `target`: per batch size (m,) the fewest steps, the run and its learning rate.

    `edge` (m,) says "low" or "high" where the best of several rates is the end of the sweep, so that steps may be too many.
    `missed` are batch sizes none of whose runs came so low. `begun` are those left out since a curve of theirs begins at or below
    the target, with how many curves do: when such a run reached it, its log does not say. `remarks` say how rows were told apart.
    """

    target: float
    batch: Array
    steps: Array
    run: tuple[str, ...]
    rate: Array
    edge: tuple[str, ...]
    missed: tuple[float, ...]
    begun: tuple[tuple[float, int], ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know before fitting, a sentence each."""
        out = list(self.remarks)
        for side in ("low", "high"):
            at = [f"{b:g}" for b, e in zip(self.batch, self.edge, strict=True) if e == side]
            if at:
                out.append(
                    f"At batch {', '.join(at)} the best learning rate is the {SIDES[side]} tried, so fewer steps may do there."
                )
        if self.missed:
            listed = ", ".join(f"{b:g}" for b in self.missed)
            out.append(f"No run at batch {listed} came down to {self.target:g}; left out.")
        if self.begun:
            out.append(f"{_begun(self.begun, self.target)}; left out.")
        return tuple(out)


def steps_to_target(curves: pd.DataFrame, target: float, smooth: float = 0.0) -> Reached:
    """The fewest steps to a loss of `target` at each batch size, from `curves` with columns run, batch, step, loss and maybe lr.

    A run reaches the target where its curve first goes below; between two evaluations log step is linear in log loss, and where
    many evaluations near there go up and down a parabola through them says where. Rows are
    told apart, ordered and counted once by `fitting.batch.ladder`; runs that differ in their seed alone count by the mean of their
    log steps, where more than half of them reach the target. The steps of a run whose batch changes are what it has seen over the
    batch at which it reaches the target. A batch with a curve that begins at or below the target is left out.
    `smooth` is the weight of the past in an exponential mean of the loss over evaluations, 0 for none: with noisy evaluations
    the first crossing comes too early. Raises FitError when a column is missing, no run comes so low, or all begin there.
    """
    if not 0.0 <= smooth < 1.0:
        raise FitError(f"smooth is a weight from 0 to below 1; it was {smooth!r}.")
    told = ladder(curves)
    found: dict[float, list[_Try]] = {}
    begun: dict[float, int] = {}
    ramps, lowest, highest = 0, np.inf, 0.0
    for run in told.runs:
        loss = _smoothed(run.loss, smooth)
        lowest, highest = min(lowest, float(loss.min())), max(highest, float(loss[0]))
        taken, batch, changed = _taken(run, loss, target)
        ramps += changed
        found.setdefault(batch, []).append(_Try(taken, run.rate, run.seed, run.name))
        if taken == -np.inf:
            begun[batch] = begun.get(batch, 0) + 1
    known = {b: _best(tries) for b, tries in sorted(found.items()) if b not in begun}
    reached = {b: best for b, best in known.items() if np.isfinite(best.steps)}
    left = tuple(sorted(begun.items()))
    if not reached and begun:
        raise FitError(
            f"{_begun(left, target)}, and no other comes down to it: choose a target below {highest:.4g}, the highest first loss."
        )
    if not reached:
        raise FitError(
            f"No run comes down to a loss of {target:g}; the lowest there is {lowest:.4g}. Choose a higher target."
        )
    remarks = list(told.notes)
    if ramps:
        remarks.append(
            f"{ramps} run{'s change their' if ramps > 1 else ' changes its'} batch on the way: steps are what was seen, over the batch at "
            "which the loss is reached."
        )
    edges = tuple(_edge(best.rate, [one.rate for one in found[b]]) for b, best in reached.items())
    return Reached(
        float(target),
        np.array(list(reached)),
        np.exp([best.steps for best in reached.values()]),
        tuple(best.name for best in reached.values()),
        np.array([best.rate for best in reached.values()]),
        edges,
        tuple(b for b in known if b not in reached),
        left,
        tuple(remarks),
    )


def lowest_by_batch(curves: pd.DataFrame) -> dict[float, float]:
    """The lowest loss that the runs of each batch come down to, a run whose batch changes at its last. Raises FitError as `ladder`."""
    out: dict[float, float] = {}
    for run in ladder(curves).runs:
        batch = float(run.batch[-1] if run.ramps else np.median(run.batch))
        out[batch] = min(out.get(batch, np.inf), float(run.loss.min()))
    return dict(sorted(out.items()))


@dataclass(frozen=True)
class _Try:
    """A run's log steps to the target, infinite where it does not come so low and minus infinite where it begins there."""

    steps: float
    rate: float
    seed: str
    name: str


def _best(tries: list[_Try]) -> _Try:
    """The fewest steps over the learning rates tried, those of seeds of one rate as their mean."""
    rates: dict[tuple[float, ...], list[_Try]] = {}
    for k, one in enumerate(tries):
        rates.setdefault((one.rate if np.isfinite(one.rate) else -1.0, *(() if one.seed else (float(k),))), []).append(
            one
        )
    means = []
    for several in rates.values():
        if len({one.seed for one in several}) < len(several):
            means += several
            continue
        there = [one for one in several if np.isfinite(one.steps)]
        steps = float(np.mean([one.steps for one in there])) if len(there) > len(several) / 2 else np.inf
        means.append(_Try(steps, several[0].rate, "", " and ".join(one.name for one in several)))
    return min(means, key=lambda one: one.steps)


def _taken(run: Run, loss: Array, target: float) -> tuple[float, float, bool]:
    """Log steps to the target, the batch they are counted at, and whether that is what was seen over it."""
    at = _crossing(np.log(run.step), np.log(loss), float(np.log(target)))
    k = min(int(np.searchsorted(np.log(run.step), at)), len(run.step) - 1)
    if not (np.isfinite(at) and np.ptp(run.batch[: k + 1]) > SAME_BATCH * run.batch[k]):
        return at, float(np.median(run.batch[: k + 1]) if np.isfinite(at) else run.batch[-1]), False
    batch = float(run.batch[k])
    share = (np.exp(at) - run.step[k - 1]) / (run.step[k] - run.step[k - 1])
    seen = run.examples
    return float(np.log((seen[k - 1] + share * (seen[k] - seen[k - 1])) / batch)), batch, True


def _begun(begun: tuple[tuple[float, int], ...], target: float) -> str:
    count = sum(n for _, n in begun)
    listed = ", ".join(f"{b:g}" for b, _ in begun)
    many = count > 1
    return (
        f"{count} curve{'s' if many else ''} at batch {listed} begin{'' if many else 's'} at or below a loss of {target:g}, so that when "
        f"{'they' if many else 'it'} reached it is not known"
    )


def one_ladder(curves: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """The curves of one model size and that size: the one with most batches, of those the largest; nan where sizes don't differ.

    Of several sizes at one batch the larger come down faster, and would pass for a better batch.
    """
    if "params" not in curves or curves["params"].nunique() < 2:
        return curves, np.nan
    batches = curves.groupby("params")["batch"].nunique()
    size = float(batches[batches == batches.max()].index.max())
    return curves[curves["params"] == size], size


def _smoothed(loss: Array, weight: float) -> Array:
    if weight == 0.0:
        return loss
    out = np.empty_like(loss)
    held = loss[0]
    for i, value in enumerate(loss):
        held = weight * held + (1.0 - weight) * value
        out[i] = held
    return out


def _crossing(log_step: Array, log_loss: Array, target: float) -> float:
    """Log of the step at which a curve first comes down to the target; infinite where it never does, minus where it begins there."""
    below = np.flatnonzero(log_loss <= target)
    if not len(below):
        return np.inf
    k = int(below[0])
    if k == 0:
        return -np.inf
    share = (log_loss[k - 1] - target) / (log_loss[k - 1] - log_loss[k])
    return _through_noise(log_step, log_loss, target, float(log_step[k - 1] + share * (log_step[k] - log_step[k - 1])))


def _through_noise(log_step: Array, log_loss: Array, target: float, first: float) -> float:
    """The crossing of a parabola through the rows around the first, where these go up and down; else the first.

    Of many noisy rows the first below the target is a lucky one, and comes the earlier the more rows a run has there.
    """
    at = first
    for _ in range(TURNS):
        near = np.abs(log_step - at) <= AROUND
        x, y = log_step[near], log_loss[near]
        if len(x) < LEAST_AROUND or np.all(np.diff(y) < 0):
            return first
        bend, slope, level = np.polyfit(x - at, y - target, 2)
        inside = slope**2 - 4.0 * bend * level
        if slope >= 0 or inside < 0:
            return first
        move = -2.0 * level / (slope - np.sqrt(inside))  # the root that a line would have
        if abs(move) > AROUND or at + move > log_step[-1]:
            return first
        at += float(move)
    return float(at)


def _edge(rate: float, rates: list[float]) -> str:
    tried = sorted({r for r in rates if np.isfinite(r)})
    if len(tried) < 2:
        return ""
    return "low" if rate == tried[0] else "high" if rate == tried[-1] else ""
