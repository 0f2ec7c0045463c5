"""Have the runs of a sweep made on a Slurm cluster, in the folders that this machine's queue would use."""

from __future__ import annotations

import contextlib
import fcntl
import json
import re
import secrets
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from data.errors import DataError
from data.plain import plain
from data.probe import members, names
from data.probe.folder import ENDED, BusyError, Folder, Status, now, since
from data.probe.found import probe
from data.probe.jobs.settings import Settings, settings_in
from data.probe.jobs.text import job
from data.probe.output import OUTPUT, last_line
from data.probe.queue.ended import tell
from data.probe.slurm.ask import Seen, SilentError, SlurmError, accounted, most_tasks, queue, told
from data.probe.slurm.record import FILE, Record, left, record, recorded
from data.probe.slurm.words import stands
from data.probe.spec import Spec
from data.probe.submitter import Standing
from data.whole_file import write_whole

SETTINGS, LOCK = "slurm.json", "slurm.lock"  # beside the sweeps: what runs are given, and who submits
AT_ONCE = 200  # tasks that one command is told of
SUBMITTING = 60.0  # seconds in which a submission has its number
_SAFE = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class _Run:
    """A run's folder with all that is known of it."""

    folder: Folder
    status: Status
    record: Record | None
    seen: Seen | None
    state: str
    sentence: str

    @property
    def key(self) -> str:
        return self.folder.path.name


@dataclass
class SlurmQueue:
    """Runs as tasks of arrays. `given` is what each is given; left out, what the folder was begun with."""

    root: Path
    given: Settings | None = None
    look_every: float = 5.0
    _silent: str = field(default="", repr=False)

    @property
    def settings(self) -> Settings:
        """What runs are given. Raises DataError where the folder's own cannot be read."""
        if self.given is None and (self.root / SETTINGS).exists():
            self.given = settings_in(self.root / SETTINGS)
        return self.given or Settings()

    def submit(self, sweep: str, specs: Iterable[Spec]) -> list[Standing]:
        """Submit the runs that were never submitted, and those that were lost; others are on their way, or have ended."""
        listed = list(specs)
        names.checked(sweep)
        with self._submitting():
            members.check(self.root / sweep)  # before anything is made: it may not be readable
            known = {path.parent.name: path.parent for path in self.root.glob("*/*/spec.json")}
            for one in listed:
                Folder(known.get(one.key, self.root / sweep / one.key)).declare(one)
            members.join(self.root / sweep, (one.key for one in listed))
            keys = {one.key: place for place, one in enumerate(listed)}
            runs = sorted((r for r in self._runs(strict=True) if r.key in keys), key=lambda r: keys[r.key])
            begun = [run for run in runs if run.state == "lost" or (run.record is None and run.state not in ENDED)]
            self._array(sweep, begun)
        return [one for one in self.states() if one.key in keys]

    def states(self) -> list[Standing]:
        """How every run stands."""
        return [*map(_standing, self._runs())]

    def tend(self, keys: Collection[str] = ()) -> str:
        """Write down how runs ended that did not say so themselves, while Slurm still knows it, and tell of the sweeps that have ended."""
        runs = self._runs()
        for run in runs:
            if run.record is not None and run.state in (*ENDED, "lost") and run.state != run.status.state:
                self._settle(run)
        if not self._silent:
            tell(self.root, map(_standing, runs))
        return ""

    def cancel(self, keys: Iterable[str]) -> None:
        """Cancel tasks, and write it down: one that had not begun never writes anything itself."""
        with self._submitting():
            chosen = {
                run.key: (run.folder.path, run.record)
                for run in self._chosen(keys, ("queued", "running"))
                if run.record is not None and run.seen is not None
            }
            for path, what in chosen.values():
                record(path, replace(what, cancelled=True))
            try:
                self._tell(["scancel"], [what for _, what in chosen.values()])
            except SlurmError:
                for path, what in chosen.values():
                    record(path, what)
                raise
            for run in self._runs():
                if run.state == "cancelled" and run.key in chosen:
                    self._settle(run)

    def retry(self, keys: Iterable[str]) -> None:
        """Submit runs again that ended otherwise than done; they go on from their checkpoints. One with a damaged log is made anew."""
        listed = set(keys)
        with self._submitting():
            anew = [run for run in self._chosen(listed, ("done",)) if probe(run.folder.path).damaged]
            for run in anew:
                run.folder.empty()
            chosen = {run.key: replace(run, status=Status("queued")) for run in anew}
            chosen |= {run.key: run for run in self._chosen(listed, ("failed", "diverged", "cancelled", "lost"))}
            by_sweep: dict[str, list[_Run]] = {}
            for run in chosen.values():
                by_sweep.setdefault(run.folder.path.parent.name, []).append(run)
            for sweep, runs in by_sweep.items():
                self._array(sweep, runs)

    def requeue(self, keys: Iterable[str]) -> None:
        """Have runs write a checkpoint and stand in the queue again, as they do before their time is up."""
        self._tell(["scancel", "--batch", "--signal=USR1"], [run.record for run in self._chosen(keys, ("running",))])

    def _chosen(self, keys: Iterable[str], states: tuple[str, ...]) -> list[_Run]:
        listed = set(keys)
        return [r for r in self._runs(strict=True) if r.key in listed and r.state in states]

    def _runs(self, *, strict: bool = False) -> list[_Run]:
        """Every run below the root, in the order of submission. Raises SlurmError where `strict` and Slurm does not answer."""
        try:
            found, silent = queue(), ""
        except SlurmError as error:
            if strict:
                raise
            found, silent = [], str(error)
        by_task = {(one.job, one.index): one for one in found}
        by_name = {(one.name, one.index): one for one in found}
        runs: list[tuple[Folder, Status, Record | None, Seen | None]] = []
        for path in sorted(self.root.glob("*/*/spec.json")):
            folder = Folder(path.parent)
            what, seen = None, None
            try:
                folder.check_is_no_link()
                what = recorded(folder.path)
                status = folder.status
            except DataError as error:
                status = Status("failed", str(error))
            if what is not None:
                seen = by_task.get((what.job, what.index)) if what.job else by_name.get((what.name, what.index))
                if seen is not None and not what.job:  # whoever submitted it died before its number was written down
                    what = replace(what, job=seen.job)
                    record(folder.path, what)
            runs.append((folder, status, what, seen))
        self._silent = silent
        if not silent:
            gone = {w.job for _, s, w, seen in runs if w and w.job and seen is None and s.state not in ENDED}
            past = {(one.job, one.index): one for one in accounted(gone)}
            runs = [(f, s, w, seen or (past.get((w.job, w.index)) if w else None)) for f, s, w, seen in runs]
        made = [_Run(f, s, w, seen, *_stands(f, s, w, seen, silent)) for f, s, w, seen in runs]
        return sorted(made, key=lambda r: (r.record.submitted, r.record.index) if r.record else (0.0, 0))

    def _array(self, sweep: str, runs: list[_Run]) -> None:
        """Submit runs that nobody makes, in as few arrays as the cluster allows. It is written down before and after."""
        runs = [run for run in runs if self._queued(run)]
        if not runs:
            return
        size = most_tasks()
        write_whole(self.root / SETTINGS, json.dumps(plain(self.settings), indent=1).encode(), private=True)
        for first in range(0, len(runs), size):
            part = runs[first : first + size]
            name = f"isoflop-{_SAFE.sub('-', sweep)[:60]}-{secrets.token_hex(4)}"
            text = job("slurm", [run.folder.path for run in part], self.settings, root=self.root, name=name)
            made = [
                Record(name, index, submitted=now(), attempts=run.record.attempts + 1 if run.record else 1)
                for index, run in enumerate(part)
            ]
            for run, what in zip(part, made, strict=True):
                record(run.folder.path, what)
            try:
                said = told("sbatch", "--parsable", given=text).strip().partition(";")[0]
                if not said.isdigit():
                    raise SlurmError(f"sbatch printed {said!r:.60} instead of a job's number.")
            except SilentError:
                raise  # it may have taken them: they are looked for by their name
            except SlurmError:
                for run in part:  # as it was before
                    if run.record is not None:
                        record(run.folder.path, run.record)
                    else:
                        (run.folder.path / FILE).unlink(missing_ok=True)
                raise
            for run, what in zip(part, made, strict=True):
                record(run.folder.path, replace(what, job=said))

    def _queued(self, run: _Run) -> bool:
        """Write down that a run waits, so that nothing is said of its last end; False where it is being made."""
        try:
            with run.folder.taken():
                if run.status != Status("queued"):
                    run.folder.say(replace(run.status, state="queued", sentence="", process=""))
        except BusyError:
            return False
        return True

    def _settle(self, run: _Run) -> None:
        with contextlib.suppress(DataError, OSError), run.folder.taken():
            status = run.folder.status
            if status.state not in ENDED or run.state == "cancelled":
                run.folder.say(replace(status, state=run.state, sentence=run.sentence, heartbeat=now(), process=""))

    def _tell(self, command: list[str], tasks: list[Record | None]) -> None:
        named = [one.task for one in tasks if one is not None and one.job]
        for first in range(0, len(named), AT_ONCE):
            told(*command, *named[first : first + AT_ONCE])

    @contextmanager
    def _submitting(self) -> Iterator[None]:
        """One process at a time gives jobs to Slurm for a folder."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / LOCK).open("a") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield


def _standing(run: _Run) -> Standing:
    task = f"job {run.record.task}" if run.record and run.record.job else ""
    node = f" on {run.seen.node}" if run.seen and run.seen.node else ""
    stopping = run.state == "running" and run.record is not None and run.record.cancelled
    return Standing(
        run.key, run.folder.path.parent.name, run.folder, run.state, run.sentence, f"{task}{node}", stopping
    )


def _stands(folder: Folder, status: Status, what: Record | None, seen: Seen | None, silent: str) -> tuple[str, str]:
    if what is not None and not what.job and seen is None:
        if silent or since(what.submitted) < SUBMITTING:
            return "queued", silent or "It is being submitted."
        return "lost", "It was not submitted: whoever did so ended before."
    if what is not None and (seen is None or seen.state == "FAILED") and (by := left(folder.path, what)):
        state = "FAILED" if by.code else "COMPLETED"
        seen = replace(seen or Seen(what.job, what.index, state), code=by.code)  # squeue may not say the code
    last = last_line(folder.path / OUTPUT) if seen else ""
    return stands(status, what, seen, silent, last, folder.goes_on)


def begun_at(root: Path) -> bool:
    """Whether the runs of a folder are a cluster's."""
    return (root / SETTINGS).exists()
