"""The process that starts jobs: at most one a slot, and only one such process for a queue.

Which job runs where is written down before its process is started, and a run's own folder lets one trainer in at a time: whatever
dies in between, no slot has two jobs and no folder two trainers.
"""

from __future__ import annotations

import contextlib
import fcntl
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil

from data.errors import DataError
from data.probe.environment import without_secrets
from data.probe.exits import BUSY, GO_ON
from data.probe.folder import CHECKPOINT, ENDED, SPEC, BusyError, Folder, Status, now, since
from data.probe.output import OUTPUT, ended_how, last_line
from data.probe.process import Process, boot
from data.probe.queue import housed
from data.probe.queue.job import Job
from data.probe.queue.shared import having
from data.probe.queue.slots import Slot, foreign
from data.probe.queue.store import Store
from data.probe.together import most

LOCK = "queue.lock"
#: Seconds in which a job that fails has failed fast, as one has that makes no step in any time; so many of those in a row hold a sweep.
FAST, FAILURES = 10.0, 3
#: How a process ends that somebody ended: by these signals, which no fault of its own brings about but a want of memory.
KILLED = frozenset(-one for one in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
KILLS = 2  # in a row without a new checkpoint, with which a run has failed
LOOK_EVERY = 1.0  # seconds
MOMENT = 0.5  # seconds for which the lock may be held by those who only ask
GRACE = 20.0  # seconds that a job has to end by itself after it was asked to


class AlreadyServedError(DataError):
    """Another process serves this queue."""


@contextmanager
def served(root: Path, patience: float = 0.0) -> Iterator[None]:
    """The right to start this queue's jobs, which one process has at a time. Raises AlreadyServedError.

    Whoever only asks whether there is such a process has it for a moment: who means to serve tries for some seconds.
    """
    root.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + patience
    with (root / LOCK).open("a") as held:
        while True:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() >= until:
                    raise AlreadyServedError(f"Another process serves the queue in {root}.") from None
                time.sleep(0.01)
        yield


def is_served(root: Path) -> bool:
    """Whether a process serves this queue."""
    try:
        with served(root):
            return False
    except AlreadyServedError:
        return True


def environment(slot: Slot) -> dict[str, str]:
    """What a job finds in its environment: ours without secrets, one thread a core, and its slot's device alone."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    return {
        **without_secrets(),
        **threads,
        "CUDA_VISIBLE_DEVICES": slot.visible,
        "ISOFLOP_DEVICE": slot.device,
        "PYTHONUNBUFFERED": "1",
    }


def command(folder: Folder) -> list[str]:
    """The command that makes a run."""
    return [sys.executable, "-m", "data.probe.trainer", str(folder.path / SPEC), str(folder.path)]


def stacked(folders: Sequence[Folder]) -> list[str]:
    """The command that makes several runs in one process."""
    return [sys.executable, "-m", "data.probe.trainer", "--stack", *(str(folder.path) for folder in folders)]


@dataclass
class Server:
    """Whoever serves a queue: its store, its slots, and the children it has not waited for."""

    store: Store
    slots: list[Slot]
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    asked_at: dict[str, float] = field(default_factory=dict)  # by the clock of this process, which nobody sets
    began_at: dict[str, float] = field(default_factory=dict)
    said_in: dict[str, Path] = field(default_factory=dict)  # where a job's process writes, if not into its own folder
    lies_in: dict[str, str] = field(default_factory=dict)  # the slot of each child

    def take_back(self) -> None:
        """What an earlier server started runs on: take it as ours where its process lives, else put it in the queue again."""
        self.store.rebuild()
        for job in self.store.jobs():
            if job.state == "lost" and (self._living(job) or not self._heard_of(job)):
                self.store.retry([job.key])
        for job in self.store.jobs():
            if job.state == "running" and not self._living(job):
                self._settle(job, "lost")

    def turn(self) -> None:
        """One look: what has ended leaves its slot, and what may run is started."""
        housed.again(self.store, self.slots, self.children, self.lies_in)
        for job in self.store.jobs():
            if job.state == "running":
                self._look_after(job)
        running = {job.slot.partition("/")[0] for job in self.store.jobs() if job.state == "running"}
        free = [slot for slot in self.slots if slot.name not in running and not foreign(slot, False)]
        for i, slot in enumerate(free):
            if found := self.store.assign_many(slot.name, partial(self._most, slot, len(free) - i)):
                self._start(found, slot)

    def _most(self, slot: Slot, free: int, job: Job, waiting: int) -> int:
        """How many of so many jobs of a kind go to one slot: what is fastest, and no more than leaves work for the other slots."""
        try:
            return min(most(self.store.folder(job).spec, slot.device), -(-waiting // free))
        except DataError:
            return 1

    @property
    def idle(self) -> bool:
        """Whether nothing runs and nothing may be started."""
        jobs = self.store.jobs()
        stopped = self.store.stopped(jobs)
        return not any(job.state == "running" or (job.state == "queued" and job.key not in stopped) for job in jobs)

    def _start(self, jobs: Sequence[Job], slot: Slot) -> None:
        folders = [self.store.folder(job) for job in jobs]
        told = command(folders[0]) if len(folders) == 1 else stacked(folders)
        try:
            for folder in folders:
                folder.check_is_no_link()
            with (folders[0].path / OUTPUT).open("ab") as out:
                child = subprocess.Popen(
                    told, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                    env=environment(slot), cwd=Path(__file__).parents[3], start_new_session=True,
                )  # fmt: skip
        except (OSError, DataError) as error:
            for job in jobs:
                self.store.ended(job.key, "failed", f"It could not be started: {str(error).rstrip('.')}.")
            return
        for job in jobs:
            self.children[job.key], self.said_in[job.key], self.lies_in[job.key] = child, folders[0].path, job.slot
            self.began_at[job.key] = time.monotonic()
            self.store.runs_as(job.key, str(Process.of(child.pid) or ""))

    def _living(self, job: Job) -> Process | None:
        """The process that makes a job's run: the one we know, or the one that its folder names."""
        named = [job.process]
        with contextlib.suppress(DataError):
            named.append(self.store.folder(job).status.process)
        return next((p for name in named if (p := Process.read(name)) and p.alive), None)

    def _heard_of(self, job: Job) -> bool:
        """Whether a job's folder says that it runs, if only on another machine."""
        with contextlib.suppress(DataError):
            return self.store.folder(job).standing.state == "running"
        return False

    def _look_after(self, job: Job) -> None:
        child = self.children.get(job.key)
        if child is not None and child.poll() is None:
            self._cancel_if_asked(job, child.pid)
            return
        if child is None and (living := self._living(job)):
            self._cancel_if_asked(job, living.pid)
            return
        self.children.pop(job.key, None)
        if child is not None and self._living(job):
            return  # another trainer has the folder: it is watched by its name from now on
        self._settle(job, "failed" if child is not None else "lost", child.returncode if child is not None else None)

    def _settle(self, job: Job, otherwise: str, code: int | None = None) -> None:
        """Write down how a job that runs no more has ended, by what its folder says."""
        cancelled = job.sentence == "cancel" or job.key in self.asked_at
        self.asked_at.pop(job.key, None)
        began = self.began_at.pop(job.key, None)
        took = time.monotonic() - began if began is not None else since(job.started)
        folder = self.store.folder(job)
        try:
            status = folder.status
        except DataError as error:
            status = Status("running", str(error))
        if cancelled and status.state != "done":
            state, sentence = (
                "cancelled",
                f"Cancelled at step {status.step:,} of {status.steps:,}." if status.steps else "Cancelled.",
            )
        elif status.state in ENDED:
            state, sentence = status.state, status.sentence
        elif status.state == "queued" and code in (0, GO_ON):
            state, sentence = "queued", status.sentence
        elif code == BUSY or _busy(folder):  # an earlier queue's trainer that has not said yet that it runs
            state, sentence = "queued", "Another process had its folder; it is tried again."
        elif otherwise == "lost" or code in KILLED:
            state, sentence = self._killed(job, folder, status, code)
        else:
            state, sentence = "failed", ended_how(code, last_line(self.said_in.get(job.key, folder.path) / OUTPUT))
        if state not in ("queued", status.state):
            with contextlib.suppress(OSError, DataError):
                folder.say(Status(state, sentence, status.step, status.steps, status.tokens, now(), status.began))
        self.store.ended(job.key, state, sentence)
        if state == "done" and (trunk := self.store.trunk_without_need(job.key)):
            trunk.drop_kept()
        if state in ("failed", "diverged", "done"):
            fast = state == "failed" and (not status.step or took < FAST)
            why = f"{FAILURES} runs in a row failed before their first step or within {FAST:g} seconds. The last: {sentence}"
            for sweep in having(self.store.root, [job])[job.key]:
                if self.store.fast_failures(sweep, failed=fast) >= FAILURES:
                    self.store.hold(sweep, why)

    def _killed(self, job: Job, folder: Folder, status: Status, code: int | None) -> tuple[str, str]:
        """What becomes of a run whose process was killed (or is gone, of which no code is known): it goes on, or begins anew.

        That is not its fault, unless it comes to nothing again at once, as what runs out of memory does. A machine that was started
        again says nothing of a run.
        """
        named = Process.read(status.process)
        moved, here = _moved_on(folder, job), named is not None and named.boot == boot()
        if (moved or here or code is not None) and self.store.killed(job.key, again=not moved) >= KILLS:
            last = last_line(self.said_in.get(job.key, folder.path) / OUTPUT)
            return "failed", ended_how(-signal.SIGKILL if code is None else code, last)
        return "queued", f"Its process was {'gone' if code is None else 'killed'}; {folder.goes_on}."

    def _cancel_if_asked(self, job: Job, pid: int) -> None:
        if job.sentence != "cancel":
            return
        with contextlib.suppress(psutil.Error):
            if job.key not in self.asked_at:
                self.asked_at[job.key] = time.monotonic()
                psutil.Process(pid).terminate()
            elif time.monotonic() - self.asked_at[job.key] > GRACE:
                psutil.Process(pid).kill()


def _busy(folder: Folder) -> bool:
    """Whether another process has the folder. A stack makes the runs that it can have, and its code is theirs."""
    try:
        with folder.taken():
            return False
    except (DataError, OSError) as error:
        return isinstance(error, BusyError)


def _moved_on(folder: Folder, job: Job) -> bool:
    """Whether a job's checkpoint is of this attempt: what ran out of memory would do so again at once, and leaves none."""
    with contextlib.suppress(OSError):
        return (folder.path / CHECKPOINT).stat().st_mtime > job.started
    return False


def serve(
    root: Path, slots: list[Slot], *, until_idle: bool = False, watched: Callable[[Store], None] = lambda _: None
) -> None:
    """Serve a queue, for good or until nothing is left to run. Raises AlreadyServedError."""
    with served(root, MOMENT):
        server = Server(Store(root), slots)
        server.take_back()
        while True:
            server.turn()
            watched(server.store)
            if until_idle and server.idle:
                return
            time.sleep(LOOK_EVERY)
