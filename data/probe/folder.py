"""What a run leaves in its folder, and how: the folder is the truth about the run, whoever started it and whatever died since.

`spec.json` says what it is, `status.json` how it stands, `log.jsonl` what was measured, a line each, `checkpoint.npz` where it goes
on from. Files are written beside and renamed; a line that was torn by a crash is passed over.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from data.errors import DataError
from data.plain import PlainError, one_of, plain, read
from data.probe.process import Process, boot
from data.probe.spec import Spec, spec
from data.whole_file import write_whole

#: How a run stands. "lost" is what others conclude of one that says it runs and does not.
STATES = ("queued", "running", "done", "failed", "diverged", "cancelled", "lost")
ENDED = ("done", "failed", "diverged", "cancelled")

SPEC, STATUS, LOG, CHECKPOINT, LOCK = "spec.json", "status.json", "log.jsonl", "checkpoint.npz", "run.lock"
#: Seconds after its last word from which a run is lost whose process is gone, and one of which this machine cannot know.
LATE_HERE, LATE_ELSEWHERE = 20.0, 600.0
LEFT_OVER = 60.0  # seconds after which a file that was never renamed is what a process left that died


@dataclass(frozen=True)
class Status:
    """How a run stands: a state, a sentence where there is something to say, how far it is, and when it last said so (seconds)."""

    state: Annotated[str, one_of(STATES)]
    sentence: str = ""
    step: int = 0
    steps: int = 0
    tokens: int = 0
    heartbeat: float = 0.0
    began: float = 0.0
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
        return spec(_json(self.path / SPEC))

    @property
    def status(self) -> Status:
        """How the run stands; queued where nothing is written yet. Raises DataError for a file that makes no sense."""
        if not (self.path / STATUS).exists():
            return Status("queued")
        try:
            return read(Status, _json(self.path / STATUS))
        except PlainError as fault:
            raise DataError(f"{self.path / STATUS} cannot be read: {fault}.") from None

    def declare(self, what: Spec) -> None:
        """Write down what the run is. Raises DataError where the folder is another run's."""
        self.path.mkdir(parents=True, exist_ok=True)
        if (self.path / SPEC).exists() and (other := self.spec).key != what.key:
            raise DataError(f"{self.path} holds another run ({other.name or other.key}); choose another folder.")
        write_whole(self.path / SPEC, json.dumps(plain(what), indent=1, allow_nan=False).encode())

    @contextmanager
    def taken(self) -> Iterator[None]:
        """The right to make the run, which one process has at a time and loses when it dies. Raises BusyError."""
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
        return standing(self.status)

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
        """Write down how the run stands."""
        write_whole(self.path / STATUS, json.dumps(plain(status), allow_nan=False).encode())

    def rows(self) -> Iterator[dict[str, Any]]:
        """What was measured, in order; a torn line ends it."""
        if not (self.path / LOG).exists():
            return
        with (self.path / LOG).open(encoding="utf-8") as lines:
            for line in lines:
                try:
                    row = json.loads(line)
                except ValueError:
                    return
                if not line.endswith("\n") or not isinstance(row, dict):
                    return
                yield row

    def append(self, row: Mapping[str, Any]) -> None:
        """Add what was measured, as one whole line."""
        line = (json.dumps(row, allow_nan=False) + "\n").encode()
        with (self.path / LOG).open("ab", buffering=0) as out:
            if out.write(line) != len(line):
                raise OSError(f"{self.path / LOG} took part of a line")

    def keep_until(self, step: int) -> None:
        """Drop what was measured after a step: a run that goes on from there measures it again."""
        self.write_rows(row for row in self.rows() if row.get("step", 0) <= step)

    def write_rows(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write what was measured anew, all of it."""
        write_whole(self.path / LOG, "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows).encode())

    def settle(self) -> None:
        """Have what was measured on the disk: a checkpoint that is written after it never knows more than the log."""
        with suppress(FileNotFoundError), (self.path / LOG).open("rb") as log:
            os.fsync(log.fileno())


def standing(said: Status) -> Status:
    """What a run says of itself, and "lost" where it says that it runs and is not heard of any more."""
    if said.state != "running":
        return said
    named, silent = Process.read(said.process), now() - said.heartbeat
    here = named is not None and named.boot == boot()
    if silent <= (LATE_HERE if here else LATE_ELSEWHERE) or (here and named is not None and named.alive):
        return said
    why = "Its process is gone" if here else f"Nothing was heard of it for {silent / 60:,.0f} minutes"
    sentence = f"{why}; it goes on from its checkpoint when it is started again."
    return replace(said, state="lost", sentence=sentence, process="")


def now() -> float:
    """The time, seconds since 1970."""
    return time.time()


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path} is missing.") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from None
