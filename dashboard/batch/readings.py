"""Critical batches off tables of steps and off final losses, by group, as the Batch page shows them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import streamlit as st

from dashboard.batch.frames import counted
from dashboard.batch.words import final_said
from dashboard.error_messages import in_words, once
from data.errors import DataError
from data.schema import Runs
from data.steps.columns import one_loss
from data.steps.tables import steps_table
from data.table import Table
from fitting import FitError
from fitting.batch import AlongLoss, CriticalBatch, critical_batch
from fitting.batch.along_finals import decayed_along
from fitting.batch.decayed import decayed_by_size
from fitting.batch.groups import final_groups

RESAMPLES = 4000


@dataclass(frozen=True, eq=False)
class Sweep:
    """Critical batches by group, in order; those that could not be fitted with the reason in `refused`.

    `unit` is what a batch counts. `places` says for a group where it stands (parameters, or the target loss), and `along` which
    of the two. `reach` is the lowest loss that every batch comes down to and the lowest of all, for curves. `read_from` is "steps",
    "curves" or "final losses"; `read_at` the loss that each group's steps lead to, where their names do not say it. `law` is how the
    critical batch grows, where one law through final losses says it. `method` says what was read and why, '' for tables of steps.
    `by` are the columns that groups are named after, where a table of steps says them.
    `own_unit` is what the data themselves count in, whatever they are shown in.
    """

    found: Mapping[str, CriticalBatch]
    notes: Mapping[str, tuple[str, ...]]
    refused: Mapping[str, str]
    unit: str
    along: str
    places: Mapping[str, float]
    reach: tuple[float, float] | None = None
    read_from: str = "steps"
    read_at: Mapping[str, float] = field(default_factory=dict)
    law: AlongLoss | None = None
    method: str = ""
    by: tuple[str, ...] = ()
    own_unit: str = "tokens"


@st.cache_resource(max_entries=16, show_spinner="Fitting critical batches to final losses")
def from_final(
    identity: str, asked: tuple[float, ...], unit: str, by: str | None, _runs: Runs
) -> Sweep | FitError | None:
    read, refused, trouble = [], {}, None
    runs = counted(_runs.kept, ("batch", "tokens"), unit, _runs)
    groups = final_groups(runs)
    also = (*groups.by, by) if by in groups.mixed else None
    for wanted in dict.fromkeys((asked, ())):
        try:
            read = decayed_by_size(runs, wanted, by=also)
            break
        except FitError as error:
            trouble = error
            if wanted:
                refused[", ".join(f"{t:g}" for t in wanted)] = in_words(error)
    if not read:
        return trouble
    one = all(name.startswith("loss ") for name, _, _ in read)  # else by size or group
    named = {name.removeprefix("loss "): (size, each) for name, size, each in read}
    return Sweep(
        {name: each.found for name, (_, each) in named.items()},
        {name: each.found.notes for name, (_, each) in named.items()},
        refused,
        unit,
        "loss" if one else "params",
        {name: each.target if one else size for name, (size, each) in named.items() if one or math.isfinite(size)},
        None,
        "final losses",
        {} if one else {name: each.target for name, (_, each) in named.items()},
        decayed_along([each for _, _, each in read]) if one else None,
        final_said(_runs),
    )


@st.cache_resource(max_entries=16, show_spinner="Fitting critical batches")
def from_steps(key: str, unit: str | None, by: str | None, _table: Table) -> Sweep | Exception:
    try:
        read = steps_table(_table)
        if by in read.mixed:
            read = steps_table(_table, (*read.by, by))
    except DataError as error:
        return error
    own, read = read.unit, read.counted_in(unit or read.unit)
    groups = {
        name: (g["batch"].to_numpy(), g["steps"].to_numpy(), 0.0)
        for name in dict.fromkeys([*read.notes, *read.frame["group"]])
        for g in [read.frame[read.frame["group"] == name]]
    }
    sweep, loss = fitted(groups, read.notes, read.unit, "params", read.sizes, None), one_loss(_table)
    if isinstance(sweep, Exception):
        return sweep
    return replace(
        sweep, own_unit=own, by=read.by, read_at={} if math.isnan(loss) else dict.fromkeys(sweep.found, loss)
    )


@st.cache_resource(max_entries=16, show_spinner=False)
def mixed_in_steps(key: str, _table: Table) -> tuple[str, ...]:
    return steps_table(_table).mixed


@st.cache_resource(max_entries=16, show_spinner=False)
def sequence_in_steps(key: str, _table: Table) -> float:
    """Tokens in a sequence of a table of steps; nan where it does not say, or says several."""
    try:
        return steps_table(_table).seq_len
    except DataError:
        return math.nan


def fitted(
    groups: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray | float]],
    notes: Mapping[str, tuple[str, ...]],
    unit: str,
    along: str,
    places: Mapping[str, float],
    reach: tuple[float, float] | None,
    refused: dict[str, str] | None = None,
    read_from: str = "steps",
    method: str = "",
) -> Sweep | Exception:
    found, why = {}, dict(refused or {})
    for name, (batch, steps, doubt) in groups.items():
        try:
            found[name] = critical_batch(batch, steps, doubt=doubt, resamples=RESAMPLES)
        except FitError as error:
            why[name] = once((*notes.get(name, ()), in_words(error)))
    if not found:
        return FitError(once(why.values()) or "No row holds a batch size and steps.")
    said = {name: (*notes.get(name, ()), *f.notes) for name, f in found.items()}
    return Sweep(found, said, why, unit, along, places, reach, read_from, method=method)
