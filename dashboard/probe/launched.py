"""What was said of a sweep when it was launched, kept in its folder, and what its runs took beside it.

A later estimate knows more runs than the launch did: what is compared with what happened is what was said then.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dashboard import numbers
from dashboard.probe.estimate import at_once, measured_evaluation, measured_memory, measured_start, measured_step
from dashboard.probe.outlook import Outlook
from data.plural import plural
from data.probe.found import Probe
from data.whole_file import write_whole

FILE = "estimate.json"  # in a sweep's folder
MOST_BYTES = 10_000_000
#: What is said of a run: seconds of its process until the first step, of a step and of an evaluation; bytes of the process.
PARTS = {"step": "a step", "evaluation": "an evaluation", "start": "the start", "memory": "memory"}
PAUSE = 60.0  # seconds without a run at work that no queue leaves between two; assumed
WHOLE = "seconds"  # and in all, its own part where several runs share a process
AT_ONCE = (
    "at_once"  # how many runs were to share its process: what is said and measured of others is nothing to compare
)
MEASURED = {
    "step": measured_step, "evaluation": measured_evaluation, "start": measured_start, "memory": measured_memory,
}  # fmt: skip


@dataclass(frozen=True)
class Launch:
    """What was said at the last launch: in how many seconds the runs `keys` would be done, None where nobody could say; and `PARTS`
    and `WHOLE` of each run that was ever launched in the sweep, by its key."""

    seconds: float | None = None
    keys: tuple[str, ...] = ()
    runs: dict[str, dict[str, float]] = field(default_factory=dict)


def remember(sweep: Path, found: Outlook) -> None:
    """Keep what is said of the runs that a launch is to make; of runs that were launched before it stays what was said then."""
    if not found.left:
        return
    runs = {
        one.spec.key: {
            "step": one.step_seconds, "evaluation": one.eval_seconds, "start": one.start_seconds, "memory": one.memory,
            WHOLE: one.seconds, AT_ONCE: one.at_once,
        }
        for one in found.left
    }  # fmt: skip
    about = {"seconds": found.seconds, "keys": [*runs], "runs": runs | launch_of(sweep).runs}
    sweep.mkdir(parents=True, exist_ok=True)
    write_whole(sweep / FILE, json.dumps(about, allow_nan=False).encode())


def launch_of(sweep: Path) -> Launch:
    """What was said at the launches of a sweep; nothing where no such file can be read."""
    path = sweep / FILE
    try:
        if path.stat().st_size > MOST_BYTES:
            return Launch()
        about = json.loads(path.read_bytes())
        runs = {
            str(key): {name: float(one[name]) for name in (*PARTS, WHOLE, AT_ONCE) if _is_time(one.get(name))}
            for key, one in about["runs"].items()
        }
        seconds = float(about["seconds"]) if _is_time(about["seconds"]) else None
        return Launch(seconds, tuple(map(str, about["keys"])), runs)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Launch()  # a comparison less, and nothing else that is lost


def compared(launch: Launch, made: Iterable[Probe]) -> str:
    """What the steps, evaluations, starts and memory of finished runs were of what was said, as a clause; '' where nothing was measured.

    Ratios are measured over said, of all runs in a process: the median, and the lowest and highest where they differ.
    """
    found: dict[str, list[float]] = {name: [] for name in PARTS}
    runs = 0
    for one in made:
        said = launch.runs.get(one.what.key, {}) if one.what is not None and one.status.state == "done" else {}
        parts = PARTS if at_once(one) == said.get(AT_ONCE) else ("start",)
        each = {name: took / said[name] for name in parts if said.get(name) and (took := MEASURED[name](one))}
        runs += bool(each)
        for name, ratio in each.items():
            found[name].append(ratio)
    memory = found.pop("memory")
    clauses = [f"{PARTS[name]} took {_times(ratios)}" for name, ratios in found.items() if ratios]
    if not clauses:
        return f"in {plural(runs, 'run')} memory was {_times(memory)} what was said beforehand" if memory else ""
    first, *rest = clauses
    times = [f"{first} as long as was said beforehand", *(one.replace(" took", "") for one in rest)]
    whole = ", ".join(times[:-1]) + " and " + times[-1] if len(times) > 1 else times[0]
    return f"in {plural(runs, 'run')} {whole}{f', with {_times(memory)} the memory' if memory else ''}"


def whole(launch: Launch, found: Sequence[Probe]) -> str:
    """How long the runs of the last launch took, from the start of the first to the end of the last, and what was said, as a sentence.

    '' where not all of them are done, and where one was interrupted: the time that it stood still is nobody's estimate.
    """
    made = [one for one in found if one.what is not None and one.what.key in launch.keys]
    starts = [[float(row["start_seconds"]) for row in one.rows if row.get("start_seconds")] for one in made]
    if not made or len(made) < len(launch.keys) or any(one.status.state != "done" for one in made):
        return ""
    if any(len(one) != 1 for one in starts):
        return ""
    spans = sorted((one.status.began - start, one.status.heartbeat) for one, (start,) in zip(made, starts, strict=True))
    began, last = spans[0]
    for begins, ends in spans:
        if begins - last > PAUSE:  # those that waited were cancelled, and resumed later
            return ""
        last = max(last, ends)
    seconds = last - began
    said = f", where about {numbers.roughly(launch.seconds)} was said at the launch" if launch.seconds else ""
    return f"Training took {numbers.roughly(seconds)}{said}."


def afterwards(sweep: Path, found: Sequence[Probe]) -> str:
    """What the runs of a sweep took beside what was said at its launch, as sentences; '' where nothing is to be said."""
    launch = launch_of(sweep)
    each = compared(launch, found)
    return f"{whole(launch, found)} {f'{each[0].upper()}{each[1:]}.' if each else ''}".strip()


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def _times(ratios: Sequence[float]) -> str:
    low, middle, high = (f"{float(f'{x:.2g}'):,g}" for x in (min(ratios), float(np.median(ratios)), max(ratios)))
    return f"{middle} times" if low == high else f"{middle} times ({low} to {high})"
