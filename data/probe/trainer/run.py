"""Runs from their first step or from where they stopped: the same weights bit for bit, whenever they were stopped on the way."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from data.errors import DataError
from data.probe.folder import Folder, Status, now
from data.probe.together import alike
from data.probe.trainer.device import Device
from data.probe.trainer.distributed import Ranks
from data.probe.trainer.evaluate import measured
from data.probe.trainer.measure.energy import Meter
from data.probe.trainer.state import Run, joined
from data.probe.trainer.step import DivergedError, step

KEEP_EVERY = 30.0  # seconds from one checkpoint to the next
KEEP_SHARE = 0.01  # of the time at most that goes into checkpoints, however large they are
SAY_EVERY = 5.0  # seconds from one heartbeat to the next
ABOVE = 1.0  # nats above those of a guess from which a loss is of a run that has diverged
STOPPED = "Stopped on request; it goes on from its checkpoint."


def make(
    folder: Folder,
    device: Device,
    *,
    process: str = "",
    steps: int | None = None,
    keep_every: float = KEEP_EVERY,
    ranks: Ranks = Ranks(),  # noqa: B008
) -> Status:
    """Make the run of a folder, or go on with it, to its end or for so many steps; returns how it stands then.

    A signal to end leads to a checkpoint: the run stands as queued and goes on from there when it is made again.
    """
    return make_all([folder], device, process=process, steps=steps, keep_every=keep_every, ranks=ranks)[0]


def make_all(
    folders: Sequence[Folder],
    device: Device,
    *,
    process: str = "",
    steps: int | None = None,
    keep_every: float = KEEP_EVERY,
    ranks: Ranks = Ranks(),  # noqa: B008
    born: float = 0.0,
) -> list[Status]:
    """Make runs of one shape at once; one that stands further than others waits until they have caught up.

    `born` is when the process began that makes them alone, seconds since 1970: what it took until the first step is logged.
    """
    if len({alike(folder.spec) for folder in folders}) > 1:
        raise DataError("Runs that are made at once have one shape, data, length and optimiser; these do not.")
    made = Making(device, process, keep_every, ranks, Meter.begin(device), born)
    for folder in folders:
        try:
            run = Run.begin(folder.spec, device)
            run.restore(folder, ranks)
        except DataError as error:
            if len(folders) == 1:
                raise
            made.status[folder.path] = Status("failed", str(error), heartbeat=now())
            folder.say(made.status[folder.path])
        else:
            made.add(folder, run)
    with _asked() as stop:
        made.all(stop, steps)
    return [made.status[folder.path] for folder in folders]


@dataclass
class Making:
    """Runs that are made in this process, with their folders; `status` is how each stands, by its folder's path."""

    device: Device
    process: str
    keep_every: float
    ranks: Ranks
    meter: Meter
    born: float = 0.0
    status: dict[object, Status] = field(default_factory=dict)
    _runs: list[tuple[list[Folder], Run]] = field(default_factory=list)
    _began: float = field(default_factory=now)
    _said: float = -math.inf
    _start: float | None = None  # seconds until the first step, until they are logged
    _kept: float = field(default_factory=time.monotonic)
    _wait: float = 0.0

    def add(self, folder: Folder, run: Run) -> None:
        """One more to make."""
        self._runs.append(([folder], run))
        self._say([folder], run, "running")

    def all(self, stop: Callable[[], bool], steps: int | None = None) -> None:
        """Make them to their ends, each for so many steps at most, or until asked to stop."""
        last = {
            id(folders[0]): len(run.plan) if steps is None else min(len(run.plan), run.done + steps)
            for folders, run in self._runs
        }
        while self._runs:
            least = min(run.done for _, run in self._runs)
            first = [one for one in self._runs if one[1].done == least]
            later = [one for one in self._runs if one[1].done > least]
            folders, run = [f for fs, _ in first for f in fs], joined([run for _, run in first])
            until = min([last[id(f)] for f in folders] + [run.done for _, run in later])
            stopped = self._group(folders, run, until, stop)
            ended = [] if stopped else [one for one in self._runs if one[1].done >= last[id(one[0][0])]]
            self._runs = later + [one for one in self._runs if all(one is not end for end in ended)]
            for fs, one in ended:
                self._end(fs, one, "done" if one.done == len(one.plan) else "queued")
            if stopped:
                for fs, one in self._runs:
                    self._end(fs, one, "queued", STOPPED)
                return

    def _group(self, folders: list[Folder], run: Run, until: int, stop: Callable[[], bool]) -> bool:
        """Make runs that stand at one step until another; leaves those that go on in `_runs`. Returns whether to stop."""
        stopped = False
        while run.done < until and not stopped:
            try:
                stopped = self._turn(folders, run, stop())
            except DivergedError as fault:
                for i, sentence in fault.said.items():
                    self._say([folders[i]], run, "diverged", sentence)
                left = [i for i in range(len(run)) if i not in fault.said]
                if not left:
                    self._runs = []
                    return False
                folders, run = [folders[i] for i in left], run.only(left)
        self._runs = [([f], run.only([i])) if len(run) > 1 else ([f], run) for i, f in enumerate(folders)]
        return stopped

    def _turn(self, folders: list[Folder], run: Run, asked: bool) -> bool:
        """One step and what is due after it; returns whether to stop."""
        if asked and self.ranks.world == 1:
            return True
        if time.monotonic() - self._said > SAY_EVERY:  # a clock that is set back silences nobody
            self._say(folders, run, "running")
            self._said = time.monotonic()
        if self.born:
            self._start, self.born = now() - self.born, 0.0
        stopped = step(run, self.ranks, asked)
        apart: dict[int, str] = {}
        if run.done in run.plan.evaluated:
            started = {} if self._start is None else {"start_seconds": self._start}
            self._start = None
            trained = [since.last for since in run.since]
            for i, row in enumerate(measured(run, self.ranks, self.meter)):
                if self.ranks.first:
                    folders[i].append(row | started)
                if said := _diverged(trained[i], row.get("loss", math.inf), math.log(run.spec.vocab) + ABOVE):
                    apart[i] = f"{said} at step {run.done}."
        if self.ranks.first:
            run.save(folders, kept=True)
        if apart:
            raise DivergedError("; ".join(apart.values()), apart)
        if time.monotonic() - self._kept > max(self.keep_every, self._wait):
            self._save(folders, run)
        return stopped

    def _save(self, folders: Sequence[Folder], run: Run) -> None:
        began = time.monotonic()
        if self.ranks.first:
            taken = self.meter.lap(self.device) or 0.0
            for since in run.since:
                since.energy += taken / len(run)
            run.save(folders)
        self._kept = time.monotonic()
        self._wait = (self._kept - began) / KEEP_SHARE if self.keep_every >= 1 else 0.0

    def _end(self, folders: Sequence[Folder], run: Run, state: str, sentence: str = "") -> None:
        self._save(folders, run)
        self._say(folders, run, state, sentence)

    def _say(self, folders: Sequence[Folder], run: Run, state: str, sentence: str = "") -> None:
        for folder in folders:
            found = Status(
                state, sentence, run.done, len(run.plan), run.plan.after(run.done), now(), self._began,
                self.process if state == "running" else "", self.device.name,
            )  # fmt: skip
            self.status[folder.path] = found
            if self.ranks.first:
                folder.say(found)


def _diverged(trained: float, held_out: float, most: float) -> str:
    """What says that a run has diverged, as the beginning of a sentence; '' where nothing does.

    A held-out loss above that of guessing says it beside such a training loss: alone it says that the run knows its few tokens by heart.
    """
    if not math.isfinite(held_out):
        return "The held-out loss was no finite number"
    return (
        f"The training loss was {trained:.3g} and the held-out loss {held_out:.3g}"
        if min(trained, held_out) > most
        else ""
    )


@contextmanager
def _asked() -> Iterator[Callable[[], bool]]:
    """A function that says whether the process was asked to end."""
    asked: list[int] = []
    signals = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)
    before = {s: signal.signal(s, lambda number, _: asked.append(number)) for s in signals}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
