"""What is current on the Probe page: the sweep laid out, where sweeps are kept, the devices there are; cached by value."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard import state
from dashboard.plan import state as plan_state
from dashboard.plan.settings import DEFAULTS as PLAN_DEFAULTS
from dashboard.probe import corpora, derive, form
from dashboard.probe.estimate import Target
from dashboard.probe.price import Price, price
from dashboard.probe.settings import ProbeSettings, settings
from dashboard.workspace import store as workspace
from data.errors import DataError

if TYPE_CHECKING:
    from data.probe.found import Probe
    from data.probe.queue.slots import Slot
    from data.probe.spec import Spec

FIRST = "isoflop"  # the design of a workspace that chose none
MOST_OWN = 200  # finished runs that times are learnt from
MOST_STEPS = (
    20_000_000  # of a sweep in all: each step is planned one by one, about 0.1 s and 40 MB a million; assumed enough
)
DEVICES_FOR = 5.0  # seconds for which what nvidia-smi said holds


def root() -> Path:
    """The folder of this workspace's sweeps and of their queue, which may not exist yet."""
    return workspace.probes(state.space())


def values(asked: ProbeSettings | None = None) -> dict[str, Any]:
    """The JSON of the sweep that is laid out: what was written, else what the dial derives."""
    asked = asked or settings()
    return dict(asked.sweep) if asked.sweep is not None else derive.derived(FIRST, 10.0**asked.dial)


def allowed(asked: ProbeSettings) -> list[Path]:
    """The folders that corpora may lie in."""
    return [state.space().folder, *map(Path, asked.folders)]


def laid(sweep: dict[str, Any]) -> tuple[Spec, ...] | DataError:
    """The runs of a sweep, or what is wrong with it, as a sentence."""
    asked = settings()
    if why := corpora.refused(sweep, allowed(asked)):
        return DataError(why)
    return _laid(form.written(sweep))


@st.cache_resource(max_entries=8, show_spinner=False)
def _laid(written: str) -> tuple[Spec, ...] | DataError:
    from data.probe.schedule import count_steps
    from data.probe.sweep import sweep

    try:
        specs = tuple(sweep(form.parsed(written)))
        steps = sum(map(count_steps, specs))
    except DataError as error:
        return error
    if steps > MOST_STEPS:
        return DataError(
            f"The sweep has {steps:,} steps in all; at most {MOST_STEPS:,} are laid out here. "
            "Take a larger batch, fewer tokens or fewer runs."
        )
    return specs


def torch() -> str:
    """The version of torch that runs would be trained with; '' where it is not installed."""
    if importlib.util.find_spec("torch") is None:
        return ""
    try:
        return importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return "of unknown version"


def cores() -> int:
    """How many cores this machine lends to this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@st.cache_data(ttl=DEVICES_FOR, max_entries=8, show_spinner=False)
def _slots(cpus: int, only: tuple[str, ...]) -> list[tuple[Slot, str]]:
    from data.probe.queue.slots import foreign, slots

    return [(slot, foreign(slot, False)) for slot in slots(cpus, only=only)]


def slots(asked: ProbeSettings) -> list[tuple[Slot, str]]:
    """What jobs can run on under these settings, each with why it is not free for them; '' where it is."""
    return _slots(asked.cores, only(asked))


def free_slots(asked: ProbeSettings) -> list[Slot]:
    """Those that are free for our jobs."""
    return [slot for slot, why in slots(asked) if not why]


def priced(specs: Sequence[Spec], free: Sequence[Slot]) -> Price:
    """What runs that are yet to be made cost on these slots, by the finished runs of this workspace where there are any."""
    kind = "cuda" if any(slot.device == "cuda" for slot in free) else "cpu"
    title = next((slot.title for slot in free if slot.device == kind), "")
    return price(specs, len(free), Target(kind, title, an_hour() if kind == "cuda" else None), known())


def known() -> dict[str, Probe]:
    """The runs of this workspace's sweeps by key, not all of those that are done where there are many."""
    from data.probe.found import probes, run_folders

    found, done = {}, 0
    for one in probes(run_folders(root())):
        done += one.status.state == "done"
        if one.what is not None and (one.status.state != "done" or done <= MOST_OWN):
            found[one.what.key] = one
    return found


def only(asked: ProbeSettings) -> tuple[str, ...]:
    """The devices that are named, as the queue takes them; none for those it finds."""
    return tuple(filter(None, (one.strip() for one in asked.devices.split(","))))


def an_hour() -> float | None:
    """The price of a device's hour in dollars, where one was set on the Plan page."""
    asked = plan_state.settings()
    if asked.price != PLAN_DEFAULTS.price or state.setting("devices") is not None:
        return asked.hour or None
    return None
