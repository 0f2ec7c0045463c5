"""This machine's queue, as any submitter."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from data.probe.queue.launch import ensure_served
from data.probe.queue.shared import by_sweep
from data.probe.queue.store import Store
from data.probe.spec import Spec
from data.probe.submitter import Standing


@dataclass
class LocalQueue:
    """Runs on this machine's devices, or on those of them that are named: so many at once on its CPU."""

    root: Path
    cpus: int = 1
    devices: tuple[str, ...] = ()
    look_every: float = 1.0

    @property
    def store(self) -> Store:
        """The jobs."""
        return Store(self.root)

    def submit(self, sweep: str, specs: Iterable[Spec]) -> list[Standing]:
        """Queue runs."""
        keys = {job.key for job in self.store.submit(sweep, specs)}
        return [one for one in self.states() if one.key in keys]

    def states(self) -> list[Standing]:
        """How every job stands, in the order in which they are to run."""
        store = self.store
        return [
            Standing(
                job.key,
                job.sweep,
                store.folder(job),
                job.state,
                "Asked to stop." if job.stopping else job.sentence,
                job.slot,
                job.stopping,
            )
            for job in store.jobs()
        ]

    def tend(self, keys: Collection[str] = ()) -> str:
        """Have the queue served; why those that wait are held, whatever else runs."""
        jobs = self.store.jobs()
        waiting = [job for job in jobs if job.state == "queued"]
        stopped = self.store.stopped(waiting)
        if len(stopped) < len(waiting) or any(job.state == "running" for job in jobs):
            ensure_served(self.root, cpus=self.cpus, devices=self.devices)
        mine = [stopped.get(job.key, "") for job in waiting if not keys or job.key in keys]
        return mine[0] if mine and all(mine) else ""

    def cancel(self, keys: Iterable[str]) -> None:
        """Take jobs out of the queue; the process that serves it ends those that run."""
        if self.store.cancel(keys):
            ensure_served(self.root, cpus=self.cpus, devices=self.devices)

    def retry(self, keys: Iterable[str]) -> None:
        """Queue jobs again, and let their sweeps go on: those that have all of them, else those that have any."""
        store, listed = self.store, set(keys)
        store.retry(listed)
        keys_of = {name: {job.key for job in jobs} for name, jobs in by_sweep(self.root, store.jobs()).items()}
        some = [name for name, own in keys_of.items() if listed & own]
        for sweep in [name for name in some if listed <= keys_of[name]] or some:
            store.release(sweep)
