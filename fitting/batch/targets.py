"""Steps to a loss, read off training curves: the first crossing, interpolated in logarithms, at each batch's best learning rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.alike import Alike
from fitting.arguments import any_number, one_number
from fitting.batch.critical import solve
from fitting.batch.groups import curve_groups
from fitting.batch.ladder import Run, ladder
from fitting.batch.ramps import as_constant, open_progress, progress
from fitting.batch.rows import curves_given
from fitting.errors import FitError
from fitting.shown import shown

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray

# Rows within so many e-folds of a crossing, so many at least, say where it is when each of them is noisy.
AROUND, LEAST_AROUND, TURNS = 0.25, 25, 4
DOUBT = 0.01  # of a run's steps: less is not worth a sentence
SETTLING, SETTLED = 60, 1e-9  # rounds at most, and the change of log B_crit at which ramps are counted
# A best rate at the end of its sweep is no best: the batch might have done with fewer steps at a rate beyond it.
SIDES = {"low": "lowest", "high": "highest", "": ""}


@shown()
@dataclass(frozen=True, eq=False)
class Reached(Alike):
    """What it took to reach `target`: per batch size (m,) the fewest steps, the run and its learning rate.

    `edge` (m,) says "low" or "high" where the best of several rates is the end of the sweep, so that steps may be too many.
    `missed` are batch sizes none of whose runs came so low. `begun` are those left out since a curve of theirs begins at or below
    the target, with how many curves do: when such a run reached it, its log does not say. `remarks` say how rows were told apart.
    Of a run whose batch changes `batch` and `steps` are those of a run of one batch that makes the same progress, so that
    `critical_batch` may take them as they are, and `last` is the batch that it ends at. `doubt` (m,) is by how much its log steps may
    be more or less, and all runs' alike, for not knowing when between two rows the batch changed: `critical_batch` takes it too.
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
    last: tuple[float, ...] = ()
    doubt: Array | float = 0.0

    @property
    def ends(self) -> tuple[float, ...]:
        """The batch that each run ends at (m,): `batch` but for ramps."""
        return self.last or tuple(float(b) for b in self.batch)

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know before fitting, a sentence each."""
        out = list(self.remarks)
        for side in ("low", "high"):
            at = [f"{b:g}" for b, e in zip(self.ends, self.edge, strict=True) if e == side]
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
    log steps, where more than half of them reach the target. A run whose batch changes counts as one of a batch between that
    makes the same progress by the critical batch found here (`fitting.batch.ramps`); of fewer than three batches, by what it has seen
    over the batch at which it reaches the target. A column tokens, in any unit, says when a batch changed between two rows, and that one
    rose where the column of batches is a config's. A batch
    with a curve that begins at or below the target is left out. Curves of several groups (`fitting.batch.groups`) count as one, and
    that is said.
    `smooth` is the weight of the past in an exponential mean of the loss over evaluations, 0 for none: with noisy evaluations
    the first crossing comes too early. Raises FitError when a column is missing, no run comes so low, or all begin there.
    """
    curves = curves_given(curves)
    target = one_number("target", target, "a positive number, a loss")
    smooth = any_number("smooth", smooth, "a weight from 0 to below 1")
    if not 0.0 <= smooth < 1.0:
        raise FitError(f"smooth is a weight from 0 to below 1; it was {smooth!r}.")
    told = ladder(curves)
    if not told.runs:
        raise FitError("Training curves need rows with a positive batch, step and loss; there are none.")
    paths = [_path(run, _smoothed(run.loss, smooth), target) for run in told.runs]
    lowest = min((float(p.loss.min()) for p in paths), default=np.inf)
    highest = max((float(p.loss[0]) for p in paths), default=0.0)
    begun: dict[float, int] = {}
    for path in paths:
        if path.taken == -np.inf:
            begun[path.last] = begun.get(path.last, 0) + 1
    left = tuple(sorted(begun.items()))
    found = {key: tries for key, tries in _tries(paths, target, np.inf).items() if key[1] not in begun}
    reached = _reached(found)
    if not reached and begun:
        raise FitError(
            f"{_begun(left, target)}, and no other comes down to it: choose a target below {highest:.4g}, the highest first loss."
        )
    if not reached:
        raise FitError(
            f"No run comes down to a loss of {target:g}; the lowest there is {lowest:.4g}. Choose a higher target."
        )
    remarks = [*curve_groups(curves, sizes=True).as_one("curve_groups"), *told.notes]
    if ramps := sum(path.changed for path in paths):
        reached, settled = _settled([p for p in paths if p.last not in begun], target, reached)
        remarks.append(_ramps_said(ramps, settled))
        if (most := max(best.doubt for best in reached.values())) > DOUBT:
            remarks.append(_doubt_said(most))
    ordered = sorted(reached.items(), key=lambda item: (item[1].batch, item[0]))
    lasts = {last for _, last in reached}
    return Reached(
        float(target),
        np.array([best.batch for _, best in ordered]),
        np.exp([best.steps for _, best in ordered]),
        tuple(best.name for _, best in ordered),
        np.array([best.rate for _, best in ordered]),
        tuple(_edge(best.rate, [one.rate for one in found[key]]) for key, best in ordered),
        tuple(sorted({last for _, last in found} - lasts)),
        left,
        tuple(remarks),
        tuple(last for (_, last), _ in ordered),
        np.array([best.doubt for _, best in ordered]),
    )


def lowest_by_batch(curves: pd.DataFrame) -> dict[float, float]:
    """The lowest loss that the runs of each batch come down to, a run whose batch changes at its last. Raises FitError as `ladder`."""
    out: dict[float, float] = {}
    for run in ladder(curves).runs:
        batch = float(run.batch[-1] if run.ramps else np.median(run.batch))
        out[batch] = min(out.get(batch, np.inf), float(run.loss.min()))
    return dict(sorted(out.items()))


@dataclass(frozen=True, eq=False)
class _Path:
    """A run on its way to the target: log steps to there as `_Try` has them, the batch there and the `last`, and whether the batch
    has `changed` before."""

    run: Run
    loss: Array
    taken: float
    batch: float
    last: float
    changed: bool


@dataclass(frozen=True)
class _Try:
    """A run's log steps to the target, infinite where it does not come so low and minus infinite where it begins there.

    `batch` and `steps` are those of the run of one batch that it counts as, `taken` its steps at the batch of its group, by which
    the runs of that are compared.
    """

    taken: float
    steps: float
    batch: float
    rate: float
    seed: str
    name: str
    doubt: float = 0.0


def _path(run: Run, loss: Array, target: float) -> _Path:
    at = _crossing(np.log(run.step), np.log(loss), float(np.log(target)))
    k = min(int(np.searchsorted(np.log(run.step), at)), len(run.step) - 1)
    last = float(run.batch[-1] if run.ramps else np.median(run.batch))
    if not np.isfinite(at):
        return _Path(run, loss, at, last, last, False)
    if run.changes_by(k):
        return _Path(run, loss, at, float(run.batch[k]), last, True)
    return _Path(run, loss, at, float(np.median(run.batch[: k + 1])), last, False)


def _tries(paths: list[_Path], target: float, crit: float) -> dict[tuple[float, float], list[_Try]]:
    """The runs by the batch at which they reach the target and the last, with a ramp's progress by the critical batch `crit`."""
    found: dict[tuple[float, float], list[_Try]] = {}
    for path in paths:
        found.setdefault((path.batch, path.last), []).append(_try(path, target, crit))
    return dict(sorted(found.items()))


def _try(path: _Path, target: float, crit: float) -> _Try:
    """Off a ramp the crossing is read in progress, in which the curve has no kink where the batch changes."""
    run, batch, steps = path.run, path.batch, path.taken
    taken, doubt = steps, 0.0
    if path.changed:
        done, squares = progress(run, crit)
        at = float(np.exp(_crossing(np.log(done), np.log(path.loss), float(np.log(target)))))
        doubt = float(np.interp(at, done, open_progress(run, crit))) / at
        taken = steps = float(np.log(at / batch)) if np.isinf(crit) else float(np.log(at * (1.0 + crit / batch)))
        if np.isfinite(crit):
            squared = float(np.interp(at, np.append(0.0, done), np.append(0.0, squares)))
            batch, counted = as_constant(at, squared, crit)
            steps = float(np.log(counted))
    return _Try(taken, steps, batch, run.rate, run.seed, run.name, doubt)


def _reached(found: dict[tuple[float, float], list[_Try]]) -> dict[tuple[float, float], _Try]:
    best = {key: _best(tries) for key, tries in found.items()}
    return {key: one for key, one in best.items() if np.isfinite(one.taken)}


def _settled(
    paths: list[_Path], target: float, reached: dict[tuple[float, float], _Try]
) -> tuple[dict[tuple[float, float], _Try], bool]:
    """The best runs with ramps counted by the critical batch that follows from them, and whether there is one; else as given."""
    before = np.nan
    for _ in range(SETTLING):
        batch, steps = np.log([b.batch for b in reached.values()]), np.array([b.steps for b in reached.values()])
        if len(np.unique(batch)) < 3:
            return reached, False
        log_crit = float(solve(batch, steps[None])[0, 1])
        if abs(log_crit - before) < SETTLED:
            break
        before = log_crit
        reached = _reached(_tries(paths, target, float(np.exp(log_crit))))
    return reached, True


def _ramps_said(count: int, settled: bool) -> str:
    said = f"{count} run{'s change their' if count > 1 else ' changes its'} batch on the way: "
    if not settled:
        return said + "steps are what was seen, over the batch at which the loss is reached."
    return said + (
        "each counts as a run of one batch that makes the same progress, a step of batch B making 1 / (1 + B_crit / B) with the "
        "critical batch found here."
    )


def _doubt_said(most: float) -> str:
    return (
        f"Rows lie so far apart, or begin so late, that when the batch changed is not known: steps may be {100 * most:.2g} % more or "
        "fewer, which the interval holds. A column of tokens seen, or more rows there, would tell."
    )


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
        there = [one for one in several if np.isfinite(one.taken)]
        name, batch = " and ".join(one.name for one in several), several[0].batch
        taken = steps = np.inf
        if len(there) > len(several) / 2:
            taken, steps = (float(np.mean(v)) for v in ([one.taken for one in there], [one.steps for one in there]))
            if len({one.batch for one in there}) > 1:
                batch = float(np.exp(np.mean(np.log([one.batch for one in there]))))
        doubt = float(np.mean([one.doubt for one in there])) if there else 0.0
        means.append(_Try(taken, steps, batch, several[0].rate, "", name, doubt))
    return min(means, key=lambda one: one.taken)


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
