"""What was set on the Probe page, read from plain values that may be stale or somebody else's."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Annotated, Any

from dashboard import state
from data.plain import As, Before, Kept, With, at_most, between, one_of, text, usable, whole

LEAST_DIAL, MOST_DIAL = 9.0, 20.0  # log10 FLOP of the most expensive run
MOST_CORES = 1024
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")


def _is_object(x: Any) -> Any:
    if not isinstance(x, dict) or not all(isinstance(name, str) for name in x):
        raise ValueError("should be an object")
    return x


@dataclass(frozen=True)
class ProbeSettings(Kept):
    """The sweep that is being laid out, and what holds for every sweep of this workspace.

    `sweep` is the JSON as `data.probe.sweep` reads it, None for what the dial derives; `dial` log10 of the FLOP of its most expensive run.
    `name` is the next sweep's, "" for one that is free; `cores` how many runs are on the CPU at once; `devices` "" for the GPUs that
    there are, else the CPU, or "cpu". `on_end` is a command that is run when a sweep ends, "" for none. `most_runs`, `most_hours`
    and `keep_free` (GB of disk) limit what is launched; `folders` are those outside the workspace that corpora may lie in. `where` is
    "slurm" for runs that a cluster makes, `cluster` what they are given there, as `data.probe.jobs.settings` reads it, and `elsewhere`
    the folder of runs that are made by hand.
    """

    sweep: Annotated[Any, Before(_is_object)] | None = None
    dial: Annotated[float, between(LEAST_DIAL, MOST_DIAL)] = 12.0
    name: Annotated[str, text(0, 60)] = ""
    cores: Annotated[int, As(Annotated[float, between(1, MOST_CORES)], whole)] = 1
    devices: Annotated[str, text(0, 100)] = ""
    on_end: Annotated[str, text(0, 1000)] = ""
    most_runs: Annotated[int, As(Annotated[float, between(1, 10_000)], whole)] = 200
    most_hours: Annotated[float, between(0.01, 1e5)] = 72.0
    keep_free: Annotated[float, With(strict=True, ge=0, le=1e6)] = 2.0
    where: Annotated[str, one_of(("", "slurm"))] = ""
    cluster: Annotated[Any, Before(_is_object)] | None = None
    elsewhere: Annotated[str, text(0, 1000)] = ""
    folders: Annotated[tuple[Annotated[str, text(1, 1000)], ...], at_most(20)] = ()


def settings() -> ProbeSettings:
    """What was set in this workspace; each setting that makes no sense is at its default."""
    return usable(ProbeSettings, state.setting("probe"))


def change(what: str, **values: Any) -> None:
    """Keep settings of this page, as one step that undo calls `what`."""
    state.change(what, {"probe": replace(settings(), **values).written() or None})


#: What a sweep may be called, as the page says it before and after.
NAMES = "Letters, digits, - and _: at most 60, a letter or a digit first."


def is_name(text: str) -> bool:
    """Whether a sweep may be called so: its folder is. What the page calls one to come is none's name."""
    return NAME.fullmatch(text) is not None and text.lower() != "new"
