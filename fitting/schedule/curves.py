"""Logged curves with their learning rates as the law of a schedule takes them, the check on curves not shown, and schedules to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from data.alike import Alike
from data.schema import Runs
from fitting.arguments import MOST_RESAMPLES, MOST_SEED, a_count, a_share, in_short, is_one_of, one_number, rows_of
from fitting.band import Band
from fitting.errors import FitError
from fitting.plural import plural
from fitting.schedule.multi_power import CurveFit, Schedule, fit_curves, loss_curve
from fitting.shown import shown

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray

NEEDED = ("run", "steps", "lr", "loss")
LEAST_ROWS = 10
ALIKE = 1.05  # peaks within this factor of those fitted need no word
ANEW = 1e-3  # rates at one step that differ by more are of different runs
CLOSE = 1e-6  # rates that differ by a smaller share are the same, printed twice
# Refits behind each interval where curves are left out in turn, and the rows of each that are fitted: neighbours say much the same.
CHECK, CHECK_ROWS = 100, 60
MOST_STEPS = 10_000_000  # a rate for each of them is held
SHAPES = ("cosine", "wsd", "constant", "linear")


@shown()
@dataclass(frozen=True, eq=False)
class LoggedCurve(Alike):
    """One run's schedule, its steps (n,) and losses (n,), whether rates lie on a "line" or "stair" between rows, and notes."""

    run: str
    schedule: Schedule
    steps: Array
    loss: Array
    between: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Unseen:
    """A curve forecast without being shown: mean size of its log errors, that at its end (with sign), its final loss and the forecast.

    The final loss is the mean of the last five rows, as single evaluations scatter.
    """

    run: str
    error: float
    last: float
    loss: float
    final: Band

    @property
    def holds(self) -> bool:
        """Whether the interval holds the final loss."""
        return bool(self.final.low <= self.loss <= self.final.high)


def logged_curves(
    frame: pd.DataFrame | Runs, params: float | None = None, warmup: int | None = None
) -> list[LoggedCurve]:
    """The curves of one model in `frame` (columns run, steps, lr, loss; params where there are several sizes), or in a runs table.

    Runs held out (`role`) are left out. Without `warmup` it ends where a logged rate first stops rising, or where rows begin
    if none rises. Raises FitError for missing columns, several sizes of which none is named, or no curve with rows enough.
    """
    if isinstance(frame, Runs):
        frame = frame.fitted.kept if frame.fitted.history is None else frame.fitted.history
    frame = rows_of(frame, ("steps", "lr", "loss", "params"), "Curves")
    params = None if params is None else one_number("params", params)
    warmup = None if warmup is None else a_count("warmup", warmup, MOST_STEPS)
    lacks = [c for c in NEEDED if c not in frame]
    if lacks:
        has = ", ".join(in_short(str(c)) for c in list(frame.columns)[:12]) or "no columns"
        raise FitError(
            f"A law of schedules needs loss curves with the columns {', '.join(NEEDED)}; there is no {' and no '.join(lacks)}. "
            + (
                f"It has {has}. Log the learning rate beside each loss."
                if "lr" in lacks
                else f'It has {has}. Rename those that are meant: frame.rename(columns={{...: "{lacks[0]}"}}).'
            )
        )
    if "params" in frame:
        sizes = sorted(frame["params"].dropna().unique())
        if params is not None:
            frame = frame[np.isclose(frame["params"], params, rtol=0.01)]
            if not len(frame):
                raise FitError(f"No run has {params:.4g} parameters; there are {', '.join(f'{s:.4g}' for s in sizes)}.")
        elif len(sizes) > 1:
            raise FitError(
                f"A law of schedules is that of one model; these runs have {', '.join(f'{s:.4g}' for s in sizes)} parameters. "
                "Name one of them as params."
            )
    read: list[tuple[str, Array, Array, Array]] = []
    repeats: dict[str, tuple[str, ...]] = {}
    for name, own in _named(frame).groupby("run", sort=False):
        logged = own[(own[["steps", "lr", "loss"]] > 0).all(axis=1)]
        own = logged.drop_duplicates("steps", keep="last").sort_values("steps")
        if len(own) >= LEAST_ROWS:
            steps, lr, loss = (own[c].to_numpy(float) for c in ("steps", "lr", "loss"))
            read.append((str(name), steps, lr, loss))
            if again := len(logged) - len(own):
                repeats[str(name)] = (
                    f"{name} logs {again} of its rows at a step logged before; the later row counts.",
                )
    if not read:
        raise FitError(f"No run has {LEAST_ROWS} rows with a positive step, learning rate and loss.")
    ends = [_warmed(steps, lr) for _, steps, lr, _ in read]
    shown = [int(steps[i]) for (_, steps, _, _), i in zip(read, ends, strict=True) if i > 0]
    notes: tuple[str, ...] = ()
    if warmup is None:
        # One length for all: the law puts what warm-up does into its constants.
        warmup = int(np.median(shown)) if shown else min(int(steps[0]) for _, steps, _, _ in read)
        if not shown:
            notes = (
                f"No row shows the warm-up, so it is taken to end where rows begin, at step {warmup}; tell it if it is shorter.",
            )
    return [_logged(*one, warmup, notes + repeats.get(one[0], ())) for one in read]


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows under the name of their run: where each row has a name of its own, they are one run that went back and on."""
    if len(frame) < LEAST_ROWS or frame["run"].nunique() < len(frame):
        return frame
    rates = frame.groupby("steps")["lr"]
    again = frame["steps"].duplicated().sum()
    if again > len(frame) / 2 or (rates.max() > rates.min() * (1.0 + ANEW)).any():
        raise FitError(
            f"{again} of {len(frame)} rows repeat a step, and no column names their run: they look like several runs. Add a column run."
        )
    return frame.assign(run="the run")


def _warmed(steps: Array, lr: Array) -> int:
    """The row at which a rate that rises from the first row on has risen, 0 where it does not rise."""
    rising = np.diff(lr) > CLOSE * lr[:-1]
    first = int(np.argmin(rising)) if not np.all(rising) else len(rising)
    return first if first > 1 or (first == 1 and lr[1] > 1.5 * lr[0]) else 0


def _logged(run: str, steps: Array, lr: Array, loss: Array, warmup: int, notes: tuple[str, ...]) -> LoggedCurve:
    keep = steps >= max(1, warmup)
    steps, lr, loss = steps[keep], lr[keep], loss[keep]
    if len(steps) < LEAST_ROWS:
        raise FitError(
            f"{run} has {plural(len(steps), 'row')} after the warm-up of {plural(warmup, 'step')}; {LEAST_ROWS} or more are needed."
        )
    moved = np.abs(np.diff(lr)) > CLOSE * lr[:-1]
    # A rate that changes between two rows and is level on both sides jumped; a decay changes it in one row after another.
    between = "stair" if np.any(moved) and not np.any(moved[1:] & moved[:-1]) else "line"
    return LoggedCurve(run, Schedule.through(warmup, steps, lr, between), steps.astype(int), loss, between, notes)


def fit_logged(curves: Sequence[LoggedCurve], resamples: int = 400, seed: int = 0) -> CurveFit:
    """The law of these curves, as `fit_curves` has it."""
    if not isinstance(curves, list | tuple) or not all(isinstance(one, LoggedCurve) for one in curves):
        raise FitError(f"A law of schedules is fitted to what logged_curves gives; it was {in_short(curves)}.")
    resamples, seed = a_count("resamples", resamples, MOST_RESAMPLES), a_count("seed", seed, MOST_SEED)
    return fit_curves([(c.schedule, c.steps, c.loss) for c in curves], resamples=resamples, seed=seed)


def check(
    curves: Sequence[LoggedCurve], known: Sequence[LoggedCurve], fit: CurveFit, level: float = 0.9
) -> list[Unseen]:
    """Curves forecast without being shown: those of `curves` not `known`, or where all are, each in turn from the others.

    A curve without which the others can't tell the law is left out; fewer than three known ones are not taken apart.
    """
    rest = [c for c in curves if all(c is not k for k in known)]
    if rest:
        return [_unseen(c, fit, level) for c in rest]
    out: list[Unseen] = []
    for c in known if len(known) >= 3 else ():
        try:
            others = fit_logged([_thinned(k) for k in known if k is not c], CHECK)
        except FitError:
            continue
        out.append(_unseen(c, others, level))
    return out


def _thinned(curve: LoggedCurve) -> LoggedCurve:
    rows = np.unique(np.linspace(0, len(curve.steps) - 1, min(len(curve.steps), CHECK_ROWS)).astype(int))
    return replace(curve, steps=curve.steps[rows], loss=curve.loss[rows])


def _unseen(curve: LoggedCurve, fit: CurveFit, level: float) -> Unseen:
    off = np.log(loss_curve(curve.schedule, curve.steps, fit.params) / curve.loss)
    last = curve.steps[-5:]
    band = fit.predict(curve.schedule, last, level, "run")
    final = Band(float(np.mean(band.value)), float(np.mean(band.low)), float(np.mean(band.high)), level)
    loss = float(np.mean(curve.loss[-5:]))
    return Unseen(curve.run, float(np.mean(np.abs(off))), float(np.log(final.value / loss)), loss, final)


def unlike(schedule: Schedule, known: Sequence[LoggedCurve]) -> tuple[str, ...]:
    """What a schedule asks of the law that no curve fitted shows, a sentence each."""
    peaks = [float(c.schedule.lr.max()) for c in known]
    peak, low, high = float(schedule.lr.max()), min(peaks), max(peaks)
    notes = []
    if not low / ALIKE <= peak <= high * ALIKE:
        shown = f"{high:.3g}" if high <= low * ALIKE else f"{low:.3g} to {high:.3g}"
        why = ", and knows no rate at which training diverges" if peak > high else ""
        notes.append(
            f"A peak of {peak:.3g} is unlike the {shown} of the curves fitted: the law is extrapolated there{why}."
        )
    most = max(len(c.schedule.lr) for c in known)
    if len(schedule.lr) > most:
        notes.append(f"{len(schedule.lr):,} steps are {len(schedule.lr) / most:.2g} times the longest curve fitted.")
    return tuple(notes)


def ahead(shape: str, steps: int, peak: float, warmup: int, end: float = 0.1, cooldown: float = 0.2) -> Schedule:
    """A schedule of `steps` steps, warm-up included, that rises to `peak` and comes down to `end` of it as its shape says.

    "cosine" and "linear" from the end of warm-up on; "wsd" in a line over the last `cooldown` of all steps; "constant" never.
    Raises FitError for another shape, where nothing follows the warm-up, or for shares outside 0 to 1.
    """
    steps, warmup = a_count("steps", steps, MOST_STEPS), a_count("warmup", warmup, MOST_STEPS)
    peak, end, cooldown = one_number("peak", peak), a_share("end", end, 0.1), a_share("cooldown", cooldown, 0.2)
    if not is_one_of(shape, SHAPES):
        raise FitError(f"A schedule is one of {', '.join(SHAPES)}; it was {in_short(shape)}.")
    after = steps - warmup
    if after < 1:
        raise FitError(
            f"The warm-up takes {warmup} steps, so a schedule of {steps} has none after it. Ask for more steps."
        )
    gone = np.arange(1, after + 1) / after
    if shape == "wsd":
        gone = np.clip((np.arange(1, after + 1) - after + cooldown * steps) / (cooldown * steps), 0.0, 1.0)
    fallen = {"cosine": 0.5 * (1.0 - np.cos(np.pi * gone)), "constant": np.zeros(after)}.get(shape, gone)
    return Schedule.after(warmup, peak * (1.0 - (1.0 - end) * fallen))
