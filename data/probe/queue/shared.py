"""Which sweeps have a job: the one in whose folder it lies, and those that list it. What is done to one of them minds the others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Protocol, TypeVar

from data.probe import found
from data.probe.queue.job import Job


class Run(Protocol):
    """A run as a queue has it, this machine's or a cluster's."""

    @property
    def key(self) -> str: ...
    @property
    def sweep(self) -> str: ...
    @property
    def state(self) -> str: ...


R = TypeVar("R", bound=Run)


def having(root: Path, jobs: Iterable[Run]) -> dict[str, list[str]]:
    """The sweeps that have each of these jobs, by its key: the one that it lies in first."""
    names = {job.key: [job.sweep] for job in jobs}
    for sweep in found.names_of_sweeps(root):
        for key in found.keys(root / sweep):
            if sweep not in names.get(key, (sweep,)):
                names[key].append(sweep)
    return names


def by_sweep(root: Path, jobs: Iterable[R]) -> dict[str, list[R]]:
    """Jobs by the sweeps that have them; one that several have stands in each."""
    listed = list(jobs)
    names = having(root, listed)
    each: dict[str, list[R]] = {}
    for job in listed:
        for sweep in names[job.key]:
            each.setdefault(sweep, []).append(job)
    return each


def stopped(root: Path, jobs: Iterable[Job], held: Mapping[str, str]) -> dict[str, str]:
    """Those of these jobs that wait and will not begin, as every sweep that has them is held; and why."""
    names = having(root, (job for job in jobs if job.state == "queued")) if held else {}
    return {key: held[sweeps[0]] for key, sweeps in names.items() if all(sweep in held for sweep in sweeps)}


def left_to_others(root: Path, sweep: str, jobs: Iterable[Job], given_up: Collection[str] = ()) -> dict[str, str]:
    """The jobs of a sweep that go on when all of it is cancelled, by their keys, each with the sweep that goes on with it.

    That is one whose other runs are not all cancelled and that was not `given_up` itself. Whoever cancels a run by itself ends it for all.
    """
    each = by_sweep(root, jobs)
    mine = {job.key: job.state in ("queued", "running", "lost") for job in each.pop(sweep, [])}
    alive = [
        name
        for name, its in each.items()
        if name not in given_up and any(job.key not in mine and job.state != "cancelled" for job in its)
    ]
    return {job.key: name for name in alive for job in each[name] if mine.get(job.key)}
