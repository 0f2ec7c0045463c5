"""What the Batch page is about: steps to a loss by batch size, whole runs, grids of learning rate and batch, gradient norms."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import numbers, state
from data.errors import DataError
from data.schema import Runs
from data.steps import holds_steps, steps_table
from data.table import Table
from fitting import FitError
from fitting.batch import (
    AlongLoss,
    CriticalBatch,
    HeldOut,
    NoiseScale,
    RateLaws,
    TrajectoryFit,
    along_loss,
    critical_batch,
    curves,
    fit_trajectory,
    held_out,
    noise_scale,
    rate_laws,
    steps_to_target,
)
from fitting.batch.decayed import decayed_by_size
from fitting.batch.targets import one_ladder

RESAMPLES = 4000
ABOVE = (1.0, 1.02, 1.05)  # times the loss that every batch reaches: where curves are read when nobody said
MOST_TARGETS = 6
OVERHEAD = 0.2  # Zhang et al. 2024
LOSSES, SPAN = (
    8,
    1.1,
)  # the law along loss is read at so many losses, up to so many times the lowest that every batch reaches
NORMS = ("grad_sq_small", "grad_sq_big", "batch_small", "batch_big")
LADDER = "bundled:probe-batch-ladder"


@dataclass(frozen=True, eq=False)
class Sweep:
    """Critical batches by group, in order; those that could not be fitted with the reason in `refused`.

    `unit` is what a batch counts. `places` says for a group where it stands (parameters, or the target loss), and `along` which
    of the two. `reach` is the lowest loss that every batch comes down to and the lowest of all, for curves. `read_from` is "steps",
    "curves" or "final losses".
    """

    found: Mapping[str, CriticalBatch]
    notes: Mapping[str, tuple[str, ...]]
    refused: Mapping[str, str]
    unit: str
    along: str
    places: Mapping[str, float]
    reach: tuple[float, float] | None = None
    read_from: str = "steps"


def settings() -> dict[str, Any]:
    """What was set on this page for the data chosen: targets, base, overhead."""
    held = state.setting(f"batch:{state.chosen().key}", {})
    return held if isinstance(held, dict) else {}


def change(what: str, **values: Any) -> None:
    """Keep a setting of this page for the data chosen."""
    state.change(what, {f"batch:{state.chosen().key}": {**settings(), **values}})


def overhead() -> float:
    """The overhead over linear scaling that Zhang's critical batch stands at, as a share."""
    value = settings().get("overhead", OVERHEAD)
    return float(value) if isinstance(value, int | float) and 0 < value <= 10 else OVERHEAD


def base(sweep: Sweep) -> float:
    """The batch that linear scaling starts from: the one set, else the smallest measured."""
    value = settings().get("base")
    if isinstance(value, int | float) and value > 0 and math.isfinite(value):
        return float(value)
    return float(min(f.batch.min() for f in sweep.found.values()))


def targets() -> tuple[float, ...]:
    """The losses asked for, lowest first; none where nobody asked."""
    held = settings().get("targets", ())
    usable = [float(t) for t in held if isinstance(t, int | float) and t > 0] if isinstance(held, list | tuple) else []
    return tuple(sorted(set(usable)))[:MOST_TARGETS]


def current() -> Sweep | Exception | None:
    """The sweep that the data chosen hold, the trouble in its place, or None where they hold none."""
    read = state.reading()
    if read.table is not None and holds_steps(read.table):
        return _from_steps(state.chosen().key, read.table)
    runs = read.runs
    if runs is None:
        return None
    if _curves(runs) is not None:
        return _from_curves(runs.digest, targets(), len(runs), runs)
    return _from_final(runs.digest, targets(), len(runs), runs)


def has_curves() -> bool:
    """Whether the data chosen hold training curves at three batch sizes or more."""
    runs = state.reading().runs
    return runs is not None and _curves(runs) is not None


def whole() -> TrajectoryFit | FitError | None:
    """The law of the whole run through the curves of the data chosen, why there is none, or None without curves."""
    runs = state.reading().runs
    return None if runs is None or _curves(runs) is None else _whole(runs.digest, len(runs), runs)


def check() -> HeldOut | FitError | None:
    """The largest size predicted from the smaller ones, where the curves have three sizes or more."""
    fit = whole()
    if not isinstance(fit, TrajectoryFit) or len(fit.curves.sizes) < 3:
        return None
    runs = state.current_runs()
    return _check(runs.digest, len(runs), fit)


def along() -> AlongLoss | None:
    """How the critical batch grows as the loss falls, from curves of one ladder; None where that can't be told."""
    runs = state.reading().runs
    return None if runs is None or _curves(runs) is None else _along(runs.digest, targets(), len(runs), runs)


def along_of(runs: Runs) -> AlongLoss | None:
    """The same for other curves than those chosen."""
    return None if _curves(runs) is None else _along(runs.digest, (), len(runs), runs)


def grid() -> RateLaws | None:
    """Laws of learning rate and batch refitted from the data chosen, where these hold a grid of both."""
    runs = state.reading().runs
    if runs is None or not {"params", "tokens", "lr", "batch", "loss"} <= set(runs.kept):
        return None
    return _grid(runs.digest, len(runs), runs)


def norms() -> NoiseScale | None:
    """The gradient noise scale along training, where the data chosen hold gradient norms over two batch sizes."""
    from data.library import table

    read, key = state.reading(), state.chosen().key
    if key == LADDER:
        frame = table("probe-noise-scale")
    elif read.table is not None and set(NORMS) <= set(read.table.headers):
        held = read.table
        frame = pd.DataFrame({c: held.numbers(c).values for c in NORMS})
    elif read.runs is not None and read.runs.history is not None and set(NORMS) <= set(read.runs.history):
        frame = read.runs.history.dropna(subset=list(NORMS))
        frame = frame[frame["run"] == frame["run"].iloc[0]] if len(frame) else frame
    else:
        return None
    try:
        return noise_scale(*(frame[c] for c in NORMS))
    except FitError:
        return None


def seq_len() -> float:
    """Tokens in a sequence of the data chosen; nan where they don't say, or say several."""
    runs = state.reading().runs
    if runs is None or "seq_len" not in runs.kept:
        return math.nan
    known = runs.kept["seq_len"].dropna().unique()
    return float(known[0]) if len(known) == 1 else math.nan


def is_steps(table: Table | None) -> bool:
    """Whether an upload is a table of steps to a target, which this page is for."""
    return table is not None and holds_steps(table)


def _curves(runs: Runs) -> Any:
    frame = runs.history
    if frame is None or not {"batch", "steps", "loss"} <= set(frame):
        return None
    return frame.rename(columns={"steps": "step"}) if frame["batch"].nunique() >= 3 else None


def _frame(runs: Runs) -> pd.DataFrame:
    frame = _curves(runs)
    blank = [c for c in ("params", "lr") if c in frame and frame[c].isna().all()]
    return frame.drop(columns=blank)


@st.cache_resource(max_entries=16, show_spinner="Reading critical batches off final losses")
def _from_final(digest: str, asked: tuple[float, ...], count: int, _runs: Runs) -> Sweep | None:
    read, refused = [], {}
    for wanted in dict.fromkeys((asked, ())):
        try:
            read = decayed_by_size(_runs.kept, wanted)
            break
        except FitError as error:
            if wanted:
                refused[", ".join(f"{t:g}" for t in wanted)] = str(error)
    if not read:
        return None
    one = len({size for _, size, _ in read}) == 1
    named = {name.removeprefix("loss "): (size, each) for name, size, each in read}
    return Sweep(
        {name: each.found for name, (_, each) in named.items()},
        {
            name: (*(() if one else (f"At a loss of {each.target:.4g}.",)), *each.found.notes)
            for name, (_, each) in named.items()
        },
        refused,
        "tokens",
        "loss" if one else "params",
        {name: each.target if one else size for name, (size, each) in named.items()},
        None,
        "final losses",
    )


@st.cache_resource(max_entries=8, show_spinner="Fitting the whole run")
def _whole(digest: str, count: int, _runs: Runs) -> TrajectoryFit | FitError:
    try:
        return fit_trajectory(curves(_frame(_runs)), unit="tokens")
    except FitError as error:
        return error


@st.cache_resource(max_entries=8, show_spinner="Leaving the largest size out")
def _check(digest: str, count: int, _fit: TrajectoryFit) -> HeldOut | FitError:
    try:
        return held_out(_fit.curves)
    except FitError as error:
        return error


@st.cache_resource(max_entries=16, show_spinner=False)
def _along(digest: str, asked: tuple[float, ...], count: int, _runs: Runs) -> AlongLoss | None:
    frame, _ = one_ladder(_curves(_runs))
    lowest = float(frame.groupby("batch")["loss"].min().max())
    wanted = asked if len(asked) >= 3 else np.geomspace(1.002 * lowest, SPAN * lowest, LOSSES)
    read = []
    for target in wanted:
        try:
            read.append(steps_to_target(frame, float(target)))
        except FitError:
            continue
    try:
        return along_loss(read)
    except FitError:
        return None


@st.cache_resource(max_entries=8, show_spinner="Refitting laws of learning rate and batch")
def _grid(digest: str, count: int, _runs: Runs) -> RateLaws | None:
    try:
        return rate_laws(_runs.kept)
    except FitError:
        return None


@st.cache_resource(max_entries=16, show_spinner="Fitting critical batches")
def _from_steps(key: str, _table: Table) -> Sweep | Exception:
    try:
        read = steps_table(_table)
    except DataError as error:
        return error
    groups = {
        str(name): (g["batch"].to_numpy(), g["steps"].to_numpy()) for name, g in read.frame.groupby("group", sort=False)
    }
    return _fitted(groups, {}, read.unit, "params", read.sizes, None)


@st.cache_resource(max_entries=16, show_spinner="Reading steps to a loss off the curves")
def _from_curves(digest: str, asked: tuple[float, ...], count: int, _runs: Runs) -> Sweep | Exception:
    curves, size = one_ladder(_curves(_runs))
    lowest = curves.groupby("batch")["loss"].min()
    said = (
        () if math.isnan(size) else (f"Of several sizes, this reads the curves of {numbers.count(size)} parameters.",)
    )
    reach = float(lowest.max()), float(lowest.min())
    wanted = asked or tuple(dict.fromkeys(math.ceil(100 * reach[0] * times) / 100 for times in ABOVE))
    groups, notes, refused = {}, {}, {}
    for target in wanted:
        name = f"{target:g}"
        try:
            reached = steps_to_target(curves, target)
        except FitError as error:
            refused[name] = str(error)
            continue
        groups[name], notes[name] = (reached.batch, reached.steps), (*said, *reached.notes)
    return _fitted(groups, notes, "tokens", "loss", {f"{t:g}": t for t in wanted}, reach, refused, "curves")


def _fitted(
    groups: Mapping[str, tuple[np.ndarray, np.ndarray]],
    notes: Mapping[str, tuple[str, ...]],
    unit: str,
    along: str,
    places: Mapping[str, float],
    reach: tuple[float, float] | None,
    refused: dict[str, str] | None = None,
    read_from: str = "steps",
) -> Sweep | Exception:
    found, why = {}, dict(refused or {})
    for name, (batch, steps) in groups.items():
        try:
            found[name] = critical_batch(batch, steps, resamples=RESAMPLES)
        except FitError as error:
            why[name] = str(error)
    if not found:
        return FitError(" ".join(why.values()) or "No row holds a batch size and steps.")
    said = {name: (*notes.get(name, ()), *f.notes) for name, f in found.items()}
    return Sweep(found, said, why, unit, along, places, reach, read_from)
