"""What the Batch page is about: steps to a loss by batch size, whole runs, grids of learning rate and batch, gradient norms."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import numbers, state
from dashboard.batch import settings as batch_settings
from dashboard.batch.frames import curves_in, length, sized
from dashboard.batch.groups import Which, chosen_of, groups_of, ladder_of
from dashboard.batch.readings import RESAMPLES, Sweep, fitted, from_final, from_steps, mixed_in_steps, sequence_in_steps
from dashboard.batch.words import curves_said, reading_said
from dashboard.error_messages import in_words
from data.errors import DataError
from data.schema import Runs
from data.sources.bundled import bundled_key
from data.steps.tables import holds_steps
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
from fitting.batch.groups import chosen, final_groups, read_said
from fitting.batch.rows import in_sequences
from fitting.batch.targets import lowest_by_batch, one_ladder

ABOVE = (1.0, 1.02, 1.05)  # times the loss that every batch reaches: where curves are read when nobody said
ZHANG_BASE = 256.0  # sequences: where Zhang et al. 2024 begin
LOSSES, SPAN = (
    8,
    1.1,
)  # the law along loss is read at so many losses, up to so many times the lowest that every batch reaches
STEP_NAMES = ("step", "steps", "iteration", "iterations", "iter", "global_step")
NORMS = ("grad_sq_small", "grad_sq_big", "batch_small", "batch_big")
LADDER = bundled_key("probe-batch-ladder")


def base(sweep: Sweep) -> float:
    """The batch that linear scaling starts from, in the sweep's unit, the same one whichever that is.

    The one set; of a table that counts in sequences Zhang's 256 among those measured; else the smallest.
    """
    if (said := batch_settings.settings().base) is not None:
        return said
    low, high = (end([end(f.batch) for f in sweep.found.values()]) for end in (min, max))
    if sweep.own_unit != "sequences":
        return float(low)
    zhang = ZHANG_BASE if sweep.unit == "sequences" else ZHANG_BASE * seq_len()
    return zhang if low <= zhang <= high else float(low)


def current() -> Sweep | Exception | None:
    """The sweep that the data chosen hold, the trouble in its place, or None where they hold none."""
    read, asked = state.reading(), batch_settings.settings().targets
    if read.table is not None and holds_steps(read.table):
        return from_steps(state.chosen().key, batch_settings.settings().unit, batch_settings.settings().by, read.table)
    runs = read.runs
    if runs is None:
        return None
    if curves_in(runs) is not None:
        return _from_curves(runs.curves_digest, asked, unit(), batch_settings.settings().smooth, _which(), runs)
    return from_final(runs.identity, asked, unit(), batch_settings.settings().by, runs)


def unit() -> str:
    """What batches of runs are counted in: tokens, unless sequences were asked for and have one known length, or are all that is known."""
    runs = state.reading().runs
    if runs is not None and in_sequences(runs):
        return "sequences"
    return "sequences" if batch_settings.settings().unit == "sequences" and math.isfinite(seq_len()) else "tokens"


def has_curves() -> bool:
    """Whether the data chosen hold training curves at three batch sizes or more."""
    runs = state.reading().runs
    return runs is not None and curves_in(runs) is not None


def has_batches() -> bool:
    """Whether the data chosen hold curves that end at three batch sizes or more, so that other losses may be read off them."""
    runs = state.reading().runs
    return runs is not None and has_curves() and len(lowest_by_batch(ladder_of(runs, unit(), _which()))) >= 3


def groups() -> tuple[str, tuple[str, ...]]:
    """The group of curves that is read, and all that there are; none where the data hold one alone."""
    runs = state.reading().runs
    found = None if runs is None else groups_of(runs.curves_digest, unit(), batch_settings.settings().by, runs)
    if found is None or len(found.parts) < 2:
        return "", ()
    return chosen(found, batch_settings.settings().group)[0], tuple(found.parts)


def ungrouped() -> tuple[str, ...]:
    """The columns in which rows or runs at one batch differ that count as one group, until somebody groups by one."""
    read = state.reading()
    try:
        if read.table is not None and holds_steps(read.table):
            return mixed_in_steps(state.chosen().key, read.table)
    except DataError:
        return ()
    runs = read.runs
    if runs is None:
        return ()
    found = groups_of(runs.curves_digest, unit(), None, runs)
    return (final_groups(runs.kept) if found is None else found).mixed


def _which() -> Which:
    return Which(batch_settings.settings().group, batch_settings.settings().by)


def whole() -> TrajectoryFit | FitError | None:
    """The law of the whole run through the curves of the data chosen, why there is none, or None without curves."""
    runs = state.reading().runs
    if runs is None or curves_in(runs) is None:
        return None
    return _whole(runs.curves_digest, unit(), batch_settings.settings().warm_up, _which(), runs)


def check() -> HeldOut | FitError | None:
    """The largest size predicted from the smaller ones, where the curves have three sizes or more."""
    fit = whole()
    if not isinstance(fit, TrajectoryFit) or len(fit.curves.sizes) < 3:
        return None
    runs = state.current_runs()
    return _check(runs.curves_digest, unit(), batch_settings.settings().warm_up, _which(), fit)


def along() -> AlongLoss | None:
    """How the critical batch grows as the loss falls, from curves of one ladder; None where that can't be told."""
    runs = state.reading().runs
    if runs is None or curves_in(runs) is None:
        return None
    asked, group = batch_settings.settings().targets, _which()
    return _along(runs.curves_digest, asked, unit(), batch_settings.settings().smooth, group, runs)


def critical_at(loss: float) -> CriticalBatch | FitError:
    """The critical batch from steps to one loss, off the curves of the data chosen, or why it can't be read there."""
    runs = state.current_runs()
    return _critical_at(runs.curves_digest, loss, unit(), batch_settings.settings().smooth, _which(), runs)


def along_of(runs: Runs) -> AlongLoss | None:
    """The same for other curves than those chosen, in tokens and as they were logged."""
    return None if curves_in(runs) is None else _along(runs.curves_digest, (), "tokens", 0.0, Which(), runs)


def grid() -> RateLaws | None:
    """Laws of learning rate and batch refitted from the data chosen, where these hold a grid of both."""
    found = _rates()
    return found if isinstance(found, RateLaws) else None


def batches() -> bool:
    """Whether the data chosen say at which batch sizes their runs were trained: then more of these help more than longer logs of norms."""
    runs = state.reading().runs
    return runs is not None and any(c in runs.kept for c in ("batch", "batch_sequences"))


def lacking() -> str:
    """Why the data chosen say nothing of batch sizes, in a sentence or two."""
    runs = state.reading().runs
    if runs is None:
        return ""
    column, unit = "batch", "tokens"
    if "batch" not in runs.kept and "batch_sequences" in runs.kept:
        column, unit = "batch_sequences", "sequences"
    every = runs.kept if runs.history is None or column not in runs.history else runs.history
    if column not in every or not len(known := every[column].dropna()):
        return "No column was read as batch sizes; if one holds them, choose it on the Runs page."
    low, high, many = known.min(), known.max(), known.nunique()
    if many == 1:
        return f"All runs have a batch of {numbers.count(low)} {unit}; three batch sizes or more are needed."
    if many == 2:
        return f"The runs have two batch sizes, {numbers.count(low)} and {numbers.count(high)} {unit}; three or more are needed."
    if unit == "sequences":
        return "Batches are counted in sequences, and no column has the tokens of a sequence: add seq_len."
    found = _rates()
    about = f"The runs have {many} batch sizes from {numbers.count(low)} to {numbers.count(high)} tokens, but "
    if isinstance(found, FitError):
        return f"{about}no size was trained at three of them on three amounts of data. {found}"
    return f"{about}neither training curves, nor final losses of one size at three of them on three amounts of data."


def _rates() -> RateLaws | FitError | None:
    runs = state.reading().runs
    if runs is None or not {"params", "tokens", "lr", "batch", "loss"} <= set(runs.kept):
        return None
    return _grid(runs.identity, runs)


def norms() -> NoiseScale | None:
    """The gradient noise scale along training, where the data chosen hold gradient norms over two batch sizes."""
    found = norms_or_why()
    return found if isinstance(found, NoiseScale) else None


def norms_or_why() -> NoiseScale | FitError | None:
    """The same, or why the norms there are say nothing; None where there are none."""
    read = state.reading()
    if read.runs is not None and read.runs.history is not None and set(NORMS) <= set(read.runs.history):
        frame = read.runs.history.dropna(subset=list(NORMS))
        frame = frame[frame["run"] == frame["run"].iloc[0]] if len(frame) else frame
    elif read.table is not None and set(NORMS) <= set(read.table.headers):
        held = read.table
        steps = [h for h in held.headers if h.strip().lower() in STEP_NAMES][:1]
        frame = pd.DataFrame({c: held.numbers(c).values for c in (*NORMS, *steps)}).rename(
            columns=dict.fromkeys(steps, "steps")
        )
    else:
        return None
    try:
        frame = frame.rename(columns={"step": "steps"})
        small, big, few, many = (frame[c] for c in NORMS)
        return noise_scale(small, big, few, many, frame.get("steps"))
    except FitError as error:
        return error


def seq_len() -> float:
    """Tokens in a sequence of the data chosen; nan where they don't say, or say several."""
    read = state.reading()
    if read.table is not None and holds_steps(read.table):
        return sequence_in_steps(state.chosen().key, read.table)
    return math.nan if read.runs is None else length(read.runs)


def instead_of_runs(table: Table | None) -> tuple[str, str] | None:
    """What an upload is that holds no runs but something for this page, in two sentences; None for any other."""
    if table is None:
        return None
    if holds_steps(table):
        return "These are steps to a loss, not runs.", "They give the critical batch."
    if set(NORMS) <= set(table.headers) and "loss" not in table.headers:
        return "These are gradient norms, not runs.", "They give the gradient noise scale along training."
    return None


@st.cache_resource(max_entries=8, show_spinner="Fitting the training-curve law")
def _whole(digest: str, unit: str, warm_up: float, group: Which, _runs: Runs) -> TrajectoryFit | FitError:
    try:
        return fit_trajectory(curves(sized(chosen_of(_runs, unit, group)[1]), warm_up), unit=unit)
    except FitError as error:
        return error


@st.cache_resource(max_entries=8, show_spinner="Leaving the largest size out")
def _check(digest: str, unit: str, warm_up: float, group: Which, _fit: TrajectoryFit) -> HeldOut | FitError:
    try:
        return held_out(_fit.curves)
    except FitError as error:
        return error


@st.cache_resource(max_entries=16, show_spinner=False)
def _along(
    digest: str, asked: tuple[float, ...], unit: str, smooth: float, group: Which, _runs: Runs
) -> AlongLoss | None:
    frame = ladder_of(_runs, unit, group)
    lowest = max(lowest_by_batch(frame).values())
    wanted = asked if len(asked) >= 3 else np.geomspace(1.002 * lowest, SPAN * lowest, LOSSES)
    read = []
    for target in wanted:
        try:
            read.append(steps_to_target(frame, float(target), smooth))
        except FitError:
            continue
    try:
        return along_loss(read)
    except FitError:
        return None


@st.cache_resource(max_entries=64, show_spinner=False)
def _critical_at(
    digest: str, loss: float, unit: str, smooth: float, group: Which, _runs: Runs
) -> CriticalBatch | FitError:
    frame = ladder_of(_runs, unit, group)
    try:
        reached = steps_to_target(frame, loss, smooth)
        return critical_batch(reached.batch, reached.steps, doubt=reached.doubt, resamples=RESAMPLES)
    except FitError as error:
        return error


@st.cache_resource(max_entries=8, show_spinner="Refitting laws of learning rate and batch")
def _grid(identity: str, _runs: Runs) -> RateLaws | FitError:
    try:
        return rate_laws(_runs.kept)
    except FitError as error:
        return error


@st.cache_resource(max_entries=16, show_spinner="Reading steps to a loss off the curves")
def _from_curves(
    digest: str, asked: tuple[float, ...], unit: str, smooth: float, group: Which, _runs: Runs
) -> Sweep | Exception:
    name, own = chosen_of(_runs, unit, group)
    curves, size = one_ladder(own)
    lowest = lowest_by_batch(curves)
    if len(lowest) < 3:
        return FitError(
            f"A critical batch needs curves that end at three batch sizes or more; there {'is' if len(lowest) == 1 else 'are'} "
            f"{len(lowest)}{f' of {name}' if name else ''}. Add runs at other batch sizes."
        )
    found = groups_of(digest, unit, group.by, _runs)
    said = () if found is None else read_said(found, name)
    said += (
        ()
        if math.isnan(size)
        else (f"Of several model sizes, the curves of {numbers.count(size)} parameters are read.",)
    )
    reach = max(lowest.values()), min(lowest.values())
    wanted = asked or tuple(dict.fromkeys(math.ceil(100 * reach[0] * times) / 100 for times in ABOVE))
    groups, notes, refused = {}, {}, {}
    for target in wanted:
        name = f"{target:g}"
        try:
            reached = steps_to_target(curves, target, smooth)
        except FitError as error:
            refused[name] = in_words(error)
            continue
        groups[name] = reached.batch, reached.steps, reached.doubt
        notes[name] = (*said, *reached.notes, *reading_said(_runs))
    method = curves_said(own["run"].nunique(), _runs)
    return fitted(groups, notes, unit, "loss", {f"{t:g}": t for t in wanted}, reach, refused, "curves", method)
