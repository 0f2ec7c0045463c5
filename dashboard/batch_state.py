"""What the Batch page is about: steps to a loss by batch size, from a table of them or from training curves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from dashboard import state
from data.errors import DataError
from data.schema import Runs
from data.steps import holds_steps, steps_table
from data.table import Table
from fitting import FitError
from fitting.batch import CriticalBatch, critical_batch, steps_to_target

RESAMPLES = 4000
ABOVE = (1.0, 1.02, 1.05)  # times the loss that every batch reaches: where curves are read when nobody said
MOST_TARGETS = 6
OVERHEAD = 0.2  # Zhang et al. 2024


@dataclass(frozen=True, eq=False)
class Sweep:
    """Critical batches by group, in order; those that could not be fitted with the reason in `refused`.

    `unit` is what a batch counts. `places` says for a group where it stands (parameters, or the target loss), and `along` which
    of the two. `reach` is the lowest loss that every batch comes down to and the lowest of all, for curves.
    """

    found: Mapping[str, CriticalBatch]
    notes: Mapping[str, tuple[str, ...]]
    refused: Mapping[str, str]
    unit: str
    along: str
    places: Mapping[str, float]
    reach: tuple[float, float] | None = None


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
    if runs is None or _curves(runs) is None:
        return None
    return _from_curves(runs.digest, targets(), len(runs), runs)


def is_steps(table: Table | None) -> bool:
    """Whether an upload is a table of steps to a target, which this page is for."""
    return table is not None and holds_steps(table)


def _curves(runs: Runs) -> Any:
    frame = runs.history
    if frame is None or not {"batch", "steps", "loss"} <= set(frame):
        return None
    return frame.rename(columns={"steps": "step"}) if frame["batch"].nunique() >= 3 else None


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
    curves = _curves(_runs)
    lowest = curves.groupby("batch")["loss"].min()
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
        groups[name], notes[name] = (reached.batch, reached.steps), reached.notes
    return _fitted(groups, notes, "tokens", "loss", {f"{t:g}": t for t in wanted}, reach, refused)


def _fitted(
    groups: Mapping[str, tuple[np.ndarray, np.ndarray]],
    notes: Mapping[str, tuple[str, ...]],
    unit: str,
    along: str,
    places: Mapping[str, float],
    reach: tuple[float, float] | None,
    refused: dict[str, str] | None = None,
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
    return Sweep(found, said, why, unit, along, places, reach)
