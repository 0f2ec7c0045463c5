"""What a run leaves in its folder, and how: the folder is the truth about the run, whoever started it and whatever died since.

`spec.json` says what it is, `status.json` how it stands, `log.jsonl` what was measured, a line each, `checkpoint.npz` where it goes
on from. Files are written beside and renamed; a line that cannot be read is passed over (`log.py`). A link in place of the folder is not
followed: it may lead anywhere.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from data.errors import DataError
from data.plain import PlainError, With, one_of, plain, read
from data.probe.log import kept_until, read_log
from data.probe.plain_file import loaded
from data.probe.process import Process, boot, host
from data.probe.spec import MOST_STEPS, Spec, spec
from data.whole_file import write_whole

#: How a run stands. "lost" is what others conclude of one that says it runs and does not.
STATES = ("queued", "running", "done", "failed", "diverged", "cancelled", "lost")
ENDED = ("done", "failed", "diverged", "cancelled")

SPEC, STATUS, LOG, CHECKPOINT, LOCK = "spec.json", "status.json", "log.jsonl", "checkpoint.npz", "run.lock"
#: Seconds after its last word from which a run is lost whose process is gone, and one of which this machine cannot know.
LATE_HERE, LATE_ELSEWHERE = 20.0, 600.0
AHEAD = 60.0  # seconds by which the clocks of two machines may differ
GOES_ON, ANEW = "it goes on from its checkpoint", "having no checkpoint yet, it begins anew"
LEFT_OVER = 60.0  # seconds after which a file that was never renamed is what a process left that died
_COUNT = With(strict=True, ge=0, le=MOST_STEPS)


@dataclass(frozen=True)
class Status:
    """How a run stands: a state, a sentence where there is something to say, how far it is, and when it last said so (seconds)."""

    state: Annotated[str, one_of(STATES)]
    sentence: str = ""
    step: Annotated[int, _COUNT] = 0
    steps: Annotated[int, _COUNT] = 0
    tokens: Annotated[int, With(strict=True, ge=0, le=10**15)] = 0
    heartbeat: Annotated[float, With(allow_inf_nan=False)] = 0.0
    began: Annotated[float, With(allow_inf_nan=False)] = 0.0
    process: str = ""  # who runs it, as `data.probe.process` names a process
    device: str = ""


class BusyError(DataError):
    """A run that another process makes."""


@dataclass(frozen=True)
class Folder:
    """A run's folder."""

    path: Path

    @property
    def spec(self) -> Spec:
        """What the run is. Raises DataError where nothing says so."""
        path = self.path / SPEC
        try:
            return spec(loaded(path))
        except DataError as error:
            raise DataError(str(error).replace("A probe's spec", str(path), 1)) from None

    @property
    def status(self) -> Status:
        """How the run stands; queued where nothing is written yet. Raises DataError for a file that makes no sense."""
        if not (self.path / STATUS).exists():
            return Status("queued")
        try:
            return read(Status, loaded(self.path / STATUS))
        except PlainError as fault:
            raise DataError(f"{self.path / STATUS} cannot be read: {fault}.") from None

    def declare(self, what: Spec) -> None:
        """Write down what the run is. Raises DataError where the folder is another run's, or a link."""
        self.check_is_no_link()
        self.path.mkdir(parents=True, exist_ok=True)
        if (self.path / SPEC).exists() and (other := self.spec).key != what.key:
            raise DataError(f"{self.path} holds another run ({other.name or other.key}); choose another folder.")
        write_whole(self.path / SPEC, json.dumps(plain(what), indent=1, allow_nan=False).encode())

    def check_is_no_link(self) -> None:
        """Raise DataError where the folder is a link, through which files would be written elsewhere."""
        if self.path.is_symlink():
            raise DataError(
                f"{self.path} is a link, and a run's folder is none. Put the folder itself there, or remove the link."
            )

    @contextmanager
    def taken(self) -> Iterator[None]:
        """The right to make the run, which one process has at a time and loses when it dies. Raises BusyError, DataError for a link."""
        self.check_is_no_link()
        with (self.path / LOCK).open("a") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BusyError(f"Another process makes the run in {self.path}.") from None
            self._tidy()
            yield

    def _tidy(self) -> None:
        """Remove what processes left that died while they wrote."""
        for path in self.path.glob(".*.part"):
            with suppress(OSError):
                if now() - path.stat().st_mtime > LEFT_OVER:
                    path.unlink()

    @property
    def standing(self) -> Status:
        """How the run stands, by what is known of its process. Raises DataError as `status`."""
        return standing(self.status, self.goes_on)

    @property
    def goes_on(self) -> str:
        """What the run does when it is started again, as a clause."""
        return GOES_ON if (self.path / CHECKPOINT).exists() else ANEW

    def kept(self, tokens: float) -> Path:
        """Where the state after so many tokens is kept for other runs."""
        return self.path / f"kept-{tokens:.0f}.npz"

    def drop_kept(self) -> None:
        """Remove what was kept for other runs."""
        for path in self.path.glob("kept-*.npz"):
            with suppress(OSError):
                path.unlink()

    def beside(self, key: str) -> Folder | None:
        """The folder of the run with this key, in this sweep or another of the same root; None where there is none."""
        near = [self.path.parent / key, *sorted(self.path.parent.parent.glob(f"*/{key}"))]
        return next((Folder(path) for path in near if (path / SPEC).exists()), None)

    def say(self, status: Status) -> None:
        """Write down how the run stands. Raises DataError for a link."""
        self.check_is_no_link()
        write_whole(self.path / STATUS, json.dumps(plain(status), allow_nan=False).encode())

    def rows(self) -> Iterator[dict[str, Any]]:
        """What was measured, in order, as far as it can be read."""
        yield from read_log(self.path / LOG).rows

    def append(self, row: Mapping[str, Any]) -> None:
        """Add what was measured, as one whole line."""
        line = (json.dumps(row, allow_nan=False) + "\n").encode()
        with (self.path / LOG).open("ab", buffering=0) as out:
            if out.write(line) != len(line):
                raise OSError(f"{self.path / LOG} took part of a line")

    def keep_until(self, step: int) -> None:
        """Drop what was measured after a step, and a torn line: a run that goes on from there measures it again."""
        path = self.path / LOG
        write_whole(path, kept_until(path.read_bytes(), step) if path.exists() else b"")

    def write_rows(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write what was measured anew, all of it."""
        write_whole(self.path / LOG, "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows).encode())

    def empty(self) -> None:
        """Forget how the run stood, what it measured and where it would go on: it is made anew. Raises BusyError, DataError for a link."""
        with self.taken():
            for name in (STATUS, CHECKPOINT, LOG):
                (self.path / name).unlink(missing_ok=True)

    def settle(self) -> None:
        """Have what was measured on the disk: a checkpoint that is written after it never knows more than the log."""
        with suppress(FileNotFoundError), (self.path / LOG).open("rb") as log:
            os.fsync(log.fileno())


def standing(said: Status, goes_on: str = GOES_ON) -> Status:
    """What a run says of itself, and "lost" where it says that it runs and is not heard of any more; `goes_on` is what it does then."""
    if said.state != "running":
        return said
    named, silent = Process.read(said.process), since(said.heartbeat)
    here = named is not None and named.boot == boot()
    if here and named is not None and (named.alive or silent <= LATE_HERE):
        return said
    booted = named is not None and not here and bool(named.host) and named.host == host()
    if not here and not booted and silent <= LATE_ELSEWHERE:
        return said
    why = "Its process is gone" if here or booted else f"Nothing was heard of it for {silent / 60:,.0f} minutes"
    if not here and not booted and silent == math.inf:
        why = "Its last word is of a time to come, by the clock of this machine"
    sentence = f"{why}; {goes_on} when it is started again."
    return replace(said, state="lost", sentence=sentence, process="")


def since(then: float) -> float:
    """Seconds since a time that a file says, 0 or more; infinity for one to come, but for what clocks may differ by."""
    passed = now() - then
    return max(0.0, passed) if passed >= -AHEAD else math.inf


def now() -> float:
    """The time, seconds since 1970."""
    return time.time()
