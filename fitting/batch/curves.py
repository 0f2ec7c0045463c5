"""Training curves made ready for a law of the whole run: after warm-up, at each batch's best learning rate, a few rows a run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from data.alike import Alike
from data.rows.by_batch import SAME_BATCH
from fitting.arguments import a_count, any_number, rows_of
from fitting.batch.ladder import NEEDED, NUMBERS, Run, ladder
from fitting.batch.rows import curves_given
from fitting.errors import FitError
from fitting.plural import plural
from fitting.same_runs import RunsLike
from fitting.shown import shown

if TYPE_CHECKING:
    pass

Array = np.ndarray

AFTER = 0.1
ROWS = 24  # a run: neighbouring evaluations share their noise and say the same
LATE = 3.0  # learning rates are judged by losses over the last stretch of steps, of such a factor
LEAST_RUNS, LEAST_ROWS, MOST_ROWS = 4, 4, 1_000_000
MOST_RAMP = 0.5  # what a ramp may take beyond the steps at the last batch that would see as much, as a share of those up to a row


@dataclass(frozen=True, eq=False)
class Ramp(Alike):
    """The steps (k,) of a run before it came to its last batch, and the batch (k,) of each part of them."""

    steps: Array
    batch: Array

    def beyond(self, last: Array, crit: Array) -> Array:
        """The steps at the batch `last` (n,) that make the same progress, less those that see as much, by critical batches (n,)."""
        b, c = last[:, None], crit[:, None]
        return np.asarray(np.sum(self.steps * self.batch / b * ((b + c) / (self.batch + c) - 1.0), axis=1))


@shown()
@dataclass(frozen=True, eq=False)
class Curves(Alike):
    """Rows of the runs kept: `params`, `batch`, `step`, `loss` (n,), and `run` (n,) as an index into `names`.

    `notes` says what was chosen and left out, a sentence each. `ramps` holds, for each name, how its batch changed, if it did; its
    steps are then what was seen over the last batch, until `counted`, and `seen` (n,) keeps those.
    """

    params: Array
    batch: Array
    step: Array
    loss: Array
    run: Array
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    ramps: tuple[Ramp | None, ...] = ()
    seen: Array | None = None

    @property
    def sizes(self) -> Array:
        """The model sizes there are, in order."""
        return np.unique(self.params)

    def only(self, rows: Array) -> Curves:
        """The same for some of the rows (n,) bool, with runs numbered anew."""
        kept, run = np.unique(self.run[rows], return_inverse=True)
        params, batch, step, loss = (v[rows] for v in (self.params, self.batch, self.step, self.loss))
        ramps = tuple(self.ramps[k] for k in kept) if self.ramps else ()
        seen = None if self.seen is None else self.seen[rows]
        return Curves(params, batch, step, loss, run, tuple(self.names[k] for k in kept), self.notes, ramps, seen)

    def counted(self, crit: Array) -> Curves:
        """The same with a ramp's steps by the progress that they make, as of a run of the last batch throughout.

        `crit` (n,) is the critical batch at the loss of each row: steps to that loss are S_min (1 + crit / B).
        """
        seen = self.step if self.seen is None else self.seen
        step = seen.copy()
        for k, ramp in enumerate(self.ramps):
            if ramp is not None:
                own = self.run == k
                step[own] += ramp.beyond(self.batch[own], crit[own])
        return replace(self, step=step, seen=seen)


def curves(frame: RunsLike, after: float = AFTER, rows: int = ROWS) -> Curves:
    """The curves of `frame` (columns run, batch, step or steps, loss; params where sizes differ; lr where several were tried).

    A path and `Runs` are read as well: their checkpoints.

    Rows up to `after` are left out as warm-up: a step if 1 or more, below that a share of the run. Of several learning rates
    at one size and batch the one stays whose loss is lowest (geometric mean) over the last two thirds of the steps that all of
    them took. More than `rows` rows a run become means over stretches even in log step. Raises FitError for missing columns
    or too few runs.
    """
    frame = rows_of(curves_given(frame), NUMBERS, "Training curves")
    after = any_number("after", after, "a step, or a share of each run below 1")
    if not (rows := a_count("rows", rows, MOST_ROWS)):
        raise FitError("rows is how many rows stay of a run, 1 or more; it was 0.")
    lacks = [c for c in NEEDED if c not in frame]
    if lacks:
        raise FitError(f"Training curves need the columns {', '.join(NEEDED)}; there is no {' and no '.join(lacks)}.")
    if not after >= 0:
        raise FitError(f"after is a step, or a share of each run below 1; it was {after!r}.")
    frame = frame.assign(params=frame.get("params", 1.0))
    frame = frame.dropna(subset=[*NEEDED, "params"])
    frame = frame[(frame[["params", "batch", "step", "loss"]] > 0).all(axis=1)]
    tried: dict[tuple[float, float], list[tuple[str, float, Array, Array]]] = {}
    told = ladder(frame)
    ramps: dict[str, Ramp] = {}
    heavy, aside = 0, list[str]()
    for run in told.runs:
        step, loss, batch = run.step, run.loss, float(np.median(run.batch))
        if run.ramps:
            batch, there, ramp = _ramp(run)
            if ramp is not None:
                step, ramps[run.name] = run.examples / batch, ramp
            heavy += int(np.sum(there & (run.step > (1.0 + MOST_RAMP) * step)))
            there &= run.step <= (1.0 + MOST_RAMP) * step
            step, loss = step[there], loss[there]
            if not len(step):
                aside.append(run.name)
                continue
        tried.setdefault((run.size, batch), []).append((run.name, run.rate, step, loss))
    notes, kept = list(told.notes), []
    if changed := sum(run.ramps for run in told.runs):
        notes.append(
            f"{changed} run{'s change their' if changed > 1 else ' changes its'} batch on the way: rows at the last batch stay, and steps "
            "before count by the progress that they make, by the critical batch found."
        )
    if heavy:
        notes.append(
            f"{plural(heavy, 'row')} so soon after a ramp that it is a large share of the steps {'is' if heavy == 1 else 'are'} set aside"
            f"{', and with them all of ' + ', '.join(aside) if aside else ''}."
        )
    at_edge, dropped = [], 0
    for (size, batch), several in sorted(tried.items(), key=lambda item: item[0]):
        chosen, edge = _best(several)
        dropped += len(several) - len(chosen)
        if edge:
            at_edge.append(f"{batch:g}")
        for name, _, step, loss in chosen:
            begin = after if after >= 1 else after * step[-1]
            late = step > begin if after else step > 0
            if late.sum() >= LEAST_ROWS:
                kept.append((name, size, batch, *_thinned(step[late], loss[late], rows)))
    batches = {k[2] for k in kept}
    if len(kept) < LEAST_RUNS or len(batches) < 3:
        raise FitError(
            f"A training-curve law needs {LEAST_RUNS} runs or more over three batch sizes, each with {LEAST_ROWS} evaluations after "
            f"warm-up; there are {len(kept)} over {len(batches)}. Add runs, or lower what counts as warm-up."
        )
    notes.append(
        f"The first {f'{after:g} steps' if after >= 1 else f'{100 * after:g} %'} of each run are left out as warm-up."
        if after
        else "No rows are left out as warm-up."
    )
    if dropped:
        notes.append(
            f"At each size and batch the best learning rate stays; {plural(dropped, 'run')} at others {'is' if dropped == 1 else 'are'} "
            "left out."
        )
    if at_edge:
        notes.append(
            f"At batch {', '.join(dict.fromkeys(at_edge))} it is an end of those tried, so training could be faster there."
        )
    counts = [len(k[3]) for k in kept]
    index = np.repeat(np.arange(len(kept)), counts)
    return Curves(
        np.repeat([k[1] for k in kept], counts),
        np.repeat([k[2] for k in kept], counts),
        np.concatenate([k[3] for k in kept]),
        np.concatenate([k[4] for k in kept]),
        index,
        tuple(k[0] for k in kept),
        tuple(notes),
        tuple(ramps.get(k[0]) for k in kept) if ramps else (),
    )


def _ramp(run: Run) -> tuple[float, Array, Ramp | None]:
    """The last batch of a run, the rows (n,) from which on it stays, and the steps before those; None where there are none."""
    batch = float(run.batch[-1])
    off = np.flatnonzero(np.abs(run.batch - batch) > SAME_BATCH * batch)
    last = int(off[-1]) if len(off) else -1  # none: it changes before the first row
    there = np.arange(len(run.step)) > last
    steps, of = (v[: last + 2].ravel() for v in run.pieces)
    some = (steps > 0) & (of > 0)
    return batch, there, Ramp(steps[some], of[some]) if some.any() else None


def _best(several: list[tuple[str, float, Array, Array]]) -> tuple[list[tuple[str, float, Array, Array]], bool]:
    """The runs at the best of the rates tried, and whether it is an end of them."""
    rates = sorted({r for _, r, _, _ in several if np.isfinite(r)})
    if len(rates) < 2:
        return several, False
    common = min(step[-1] for _, _, step, _ in several)
    scores: dict[float, list[float]] = {}
    for _, rate, step, loss in several:
        late = (step <= common) & (step >= common / LATE)
        scores.setdefault(rate, []).append(float(np.mean(np.log(loss[late]))) if late.any() else np.inf)
    best = min(scores, key=lambda r: float(np.mean(scores[r])))
    return [one for one in several if one[1] == best], best in (rates[0], rates[-1])


def _thinned(step: Array, loss: Array, rows: int) -> tuple[Array, Array]:
    """At most `rows` rows: geometric means over stretches even in log step."""
    if len(step) <= rows:
        return step, loss
    log = np.log(step)
    slot = np.minimum((rows * (log - log[0]) / (log[-1] - log[0])).astype(int), rows - 1)
    count = np.bincount(slot, minlength=rows)
    some = count > 0
    at, mean = (np.exp(np.bincount(slot, v, rows)[some] / count[some]) for v in (log, np.log(loss)))
    return at, mean
