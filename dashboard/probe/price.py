"""What a sweep will cost, said before it is launched, and which limits that keeps."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dashboard import numbers
from data.probe.cost import cost
from data.probe.spec import Spec

STATES = {"adamw": 2, "muon": 2, "sgd": 1, "adafactor": 1}  # tensors of a weight's size in a checkpoint beside it
FOLDER = 60_000.0  # bytes that a run's folder takes beside its checkpoint: logs of tens of evaluations; assumed
ROW = 1500.0  # and each evaluation


@dataclass(frozen=True)
class Price:
    """Of n runs on so many slots: FLOP and tokens in all, seconds until the last has ended, bytes of the largest run's memory and of
    all folders, and dollars where an hour's price is known."""

    runs: int
    slots: int
    flops: float
    tokens: float
    seconds: float
    memory: float
    disk: float
    money: float | None = None


def price(specs: Sequence[Spec], slots: int, an_hour: float | None = None) -> Price:
    """What runs cost together; `an_hour` is the price of a device's hour in dollars."""
    whole = cost(specs)
    slots = max(1, slots)
    seconds = spread([cost([one]).seconds for one in specs], slots)
    disk = sum(FOLDER + ROW * one.evals + 4.0 * one.counts.total * _tensors(one) for one in specs)
    money = None if an_hour is None else whole.seconds / 3600.0 * an_hour
    return Price(len(specs), slots, whole.flops, whole.tokens, seconds, whole.memory, disk, money)


def spread(seconds: Sequence[float], slots: int) -> float:
    """Seconds until the last of these jobs, in this order, has ended on so many slots, each taking the next as it comes free."""
    free = [0.0] * max(1, slots)
    for each in seconds:
        first = min(range(len(free)), key=free.__getitem__)
        free[first] += each
    return max(free)


def _tensors(one: Spec) -> int:
    return 1 + STATES.get(one.optimiser, 2) + len(one.averages)


@dataclass(frozen=True)
class Limit:
    """One limit: what it is of, what the sweep takes and what there is, in words, and why it is not kept; '' where it is."""

    of: str
    taken: str
    most: str
    why: str = ""


def limits(found: Price, root: Path, most_runs: int, most_hours: float, keep_free: float) -> tuple[Limit, ...]:
    """The limits on a launch into the folder `root`; `keep_free` is in GB."""
    free = free_bytes(root)
    hours = found.seconds / 3600.0
    room = free - keep_free * 1e9
    return (
        Limit(
            "runs",
            f"{found.runs:,}",
            f"{most_runs:,}",
            f"The sweep has {found.runs:,} runs; at most {most_runs:,} are launched at once."
            if found.runs > most_runs
            else "",
        ),
        Limit(
            "time",
            numbers.duration(found.seconds),
            numbers.duration(most_hours * 3600.0),
            f"The sweep takes about {numbers.duration(found.seconds)}; the limit is {numbers.duration(most_hours * 3600.0)}."
            if hours > most_hours
            else "",
        ),
        Limit(
            "disk",
            size(found.disk),
            f"{size(max(room, 0.0))} free beyond {keep_free:g} GB",
            f"The sweep takes about {size(found.disk)} of disk; {size(max(free, 0.0))} are free and {keep_free:g} GB are to stay so."
            if found.disk > room
            else "",
        ),
    )


def free_bytes(path: Path) -> float:
    """Free bytes of the disk that a folder is on, or will be."""
    there = next((one for one in (path, *path.parents) if one.exists()), Path("/"))
    return float(shutil.disk_usage(there).free)


def size(count: float) -> str:
    """Bytes in words: `3.1 MB`."""
    for unit, each in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= each:
            return f"{count / each:,.{0 if count >= 10 * each else 1}f} {unit}"
    return f"{count:.0f} bytes"
