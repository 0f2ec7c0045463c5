"""What a sweep will cost, said before it is launched, and which limits that keeps."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dashboard import numbers
from dashboard.probe.estimate import Estimator, Target
from dashboard.probe.outlook import Outlook, outlook
from data.probe.found import Probe
from data.probe.spec import Spec

STATES = {"adamw": 2, "muon": 2, "sgd": 1, "adafactor": 1}  # tensors of a weight's size in a checkpoint beside it
FOLDER = 60_000.0  # bytes that a run's folder takes beside its checkpoint: logs of tens of evaluations; assumed
ROW = 1500.0  # and each evaluation


@dataclass(frozen=True)
class Price:
    """Of n runs that are left, on so many slots: FLOP (6ND) and tokens in all, seconds until the last has ended (None where not known),
    bytes of the largest process's memory and of all folders, dollars where an hour's price is known; the factor by which the seconds
    may be off, and where they are from; `outlook` has it run by run."""

    runs: int
    slots: int
    flops: float
    tokens: float
    seconds: float | None
    memory: float
    disk: float
    money: float | None
    factor: float
    how: str
    outlook: Outlook

    @property
    def time(self) -> str:
        """The seconds in words."""
        return "an unknown time" if self.seconds is None else numbers.roughly(self.seconds)


def price(
    specs: Sequence[Spec], slots: int, target: Target | None = None, known: Mapping[str, Probe] | None = None
) -> Price:
    """What is left of runs costs on slots of one kind; `known` are the runs of this machine by key, whose finished ones the times are
    learnt from."""
    known = known or {}
    own = tuple(one for one in known.values() if one.status.state == "done")
    found = outlook(specs, Estimator(target or Target(), own), slots, known, again=True)
    left = [one.spec for one in found.left]
    disk = sum(FOLDER + ROW * one.evals + 4.0 * one.counts.total * _tensors(one) * (1 + len(one.keep)) for one in left)
    money = [one.money for one in found.left]
    return Price(
        len(left), found.slots, found.flops, found.tokens, found.seconds,
        max((one.memory for one in found.left), default=0.0), disk, None if None in money else sum(m for m in money if m is not None),
        found.factor, found.how, found,
    )  # fmt: skip


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
    hours = 0.0 if found.seconds is None else found.seconds / 3600.0
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
            found.time,
            numbers.roughly(most_hours * 3600.0),
            f"The sweep takes about {found.time}; the limit is {numbers.roughly(most_hours * 3600.0)}."
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
