"""Which runs the queue will make in one process, and when, told before they are queued: as `serve` and `store` decide it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import islice

from data.errors import DataError
from data.probe.folder import CHECKPOINT
from data.probe.found import Probe
from data.probe.schedule import planned
from data.probe.spec import Spec
from data.probe.together import alike, most

AGAIN = ("failed", "diverged", "cancelled")  # states in which a run is left alone until it is asked for again


@dataclass(frozen=True)
class Left:
    """A run that is to be made: the steps that it need not make, of how many, and where those are another run's yet to come, whose."""

    spec: Spec
    begin: int = 0
    steps: int = 0
    trunk: str = ""


@dataclass(frozen=True)
class Process:
    """One process: which of the runs it makes, by number, and when it begins and ends, in seconds from the start."""

    runs: tuple[int, ...]
    began: float
    ended: float


def left(specs: Sequence[Spec], found: Mapping[str, Probe], *, again: bool = False) -> list[Left]:
    """The runs that are not done, by the folders that were found (by key).

    Those that failed, diverged or were cancelled are made only `again`, and so are those that are done and damaged: anew.
    """
    anew = {
        one.key
        for one in specs
        if one.key in found and found[one.key].status.state == "done" and found[one.key].damaged
    }
    skipped = () if again else AGAIN
    chosen = [
        one
        for one in specs
        if one.key not in found or (again and one.key in anew) or found[one.key].status.state not in ("done", *skipped)
    ]
    coming = {one.key for one in chosen}
    out = []
    for one in chosen:
        plan, known, trunk = planned(one), found.get(one.key), found.get(one.trunk)
        if known is not None and one.key not in anew and (known.folder.path / CHECKPOINT).exists():
            out.append(Left(one, min(known.status.step, len(plan)), len(plan)))
            continue
        kept = trunk is not None and trunk.folder.kept(one.trunk_tokens).exists()
        begin = plan.step_at(one.trunk_tokens) if one.trunk and (kept or one.trunk in coming) else 0
        out.append(Left(one, begin, len(plan), one.trunk if begin and not kept else ""))
    return out


def processes(
    runs: Sequence[Left],
    slots: int,
    device: str,
    seconds: Callable[[Sequence[Left]], float],
    *,
    alone: bool = False,
) -> list[Process]:
    """The processes that make these runs, in the order in which they begin, each slot taking the next that may as it comes free.

    `seconds` is what a process takes that makes runs at once; `alone` has each made by a process of its own. A run waits until its
    trunk has come to where it leaves it.
    """
    number = {one.spec.key: i for i, one in enumerate(runs)}
    kinds = ["" if alone else _kind(one, device) for one in runs]
    waiting = dict.fromkeys(range(len(runs)))
    of_kind: dict[str, dict[int, None]] = {}
    for i, kind in enumerate(kinds):
        of_kind.setdefault(kind, {})[i] = None
    branches: dict[int, list[int]] = {}  # of each trunk that is to be made
    for i, one in enumerate(runs):
        if one.trunk in number:
            branches.setdefault(number[one.trunk], []).append(i)
    opens = {
        i: math.inf for of in branches.values() for i in of
    }  # when a branch may begin: never before its trunk has begun
    moments: list[float] = []  # those times, of branches whose trunk has begun
    free, now = [0.0] * max(1, slots), 0.0
    made: list[Process] = []

    def reached(trunk: int, branch: int, by: Process) -> float:
        """When a trunk comes to where a branch leaves it."""
        of = runs[trunk]
        steps = planned(of.spec).step_at(runs[branch].spec.trunk_tokens) - of.begin
        return by.began + min(1.0, max(0.0, steps / max(1, of.steps - of.begin))) * (by.ended - by.began)

    while waiting:
        idle = [k for k, until in enumerate(free) if until <= now]
        for place, slot in enumerate(idle):
            if (first := next((i for i in waiting if opens.get(i, 0.0) <= now), None)) is None:
                break
            at_once, others = most(runs[first].spec, device), len(idle) - place
            open_now = (i for i in of_kind[kinds[first]] if opens.get(i, 0.0) <= now)
            like = list(islice(open_now, at_once * others)) if kinds[first] else [first]  # more change nothing
            chosen = tuple(like[: max(1, min(at_once, -(-len(like) // others)))])
            made.append(Process(chosen, now, now + seconds([runs[i] for i in chosen])))
            free[slot] = made[-1].ended
            for i in chosen:
                del waiting[i], of_kind[kinds[i]][i]
                for branch in branches.get(i, ()):
                    opens[branch] = reached(i, branch, made[-1])
                    heappush(moments, opens[branch])
        while moments and moments[0] <= now:
            heappop(moments)
        later = [at for at in (*free, *moments[:1]) if now < at < math.inf]
        if not later:
            break  # a run that waits for one that waits for it: no sweep is laid out so
        now = min(later)
    return made


def _kind(one: Left, device: str) -> str:
    """What runs that can be made at once with this one have in common; '' where it is best made alone."""
    try:
        return alike(one.spec) if most(one.spec, device) > 1 else ""
    except DataError:
        return ""
