"""Which job of Slurm was given a run, kept in the run's folder, and how its last task ended.

The former is written before the job is, so that none is submitted twice; the latter is left by the batch script, as Slurm knows it for
minutes alone where there is no accounting.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from data.errors import DataError
from data.plain import Count, PlainError, With, plain, read, text
from data.probe.plain_file import loaded
from data.whole_file import write_whole

FILE, LEFT = "slurm.json", "slurm_ended.json"


@dataclass(frozen=True)
class Record:
    """A task of an array. `name` is the array's own, by which its number is found again where none was written down."""

    name: Annotated[str, text(1, 200)]
    index: Count
    job: str = ""
    submitted: float = 0.0  # seconds since 1970
    attempts: int = 1
    cancelled: bool = False

    @property
    def task(self) -> str:
        """As Slurm's commands name it."""
        return f"{self.job}_{self.index}"


@dataclass(frozen=True)
class Ending:
    """How a task ended: the code of its batch script, as a shell has it, and when, seconds since 1970."""

    job: str
    index: Count
    code: Annotated[int, With(strict=True, ge=0, le=255)]
    at: float = 0.0


def left(folder: Path, what: Record) -> Ending | None:
    """How the task ended that was given a run; None where its script has left no word, or another task's."""
    try:
        found = read(Ending, loaded(folder / LEFT))
    except (PlainError, DataError):
        return None
    return found if what.job and (found.job, found.index) == (what.job, what.index) else None


def recorded(folder: Path) -> Record | None:
    """What is written down of a run; None where it was never submitted. Raises DataError for a file that makes no sense."""
    path = folder / FILE
    if not path.exists():
        return None
    try:
        return read(Record, loaded(path))
    except PlainError as fault:
        raise DataError(f"{path} cannot be read: {fault}.") from None


def record(folder: Path, what: Record) -> None:
    """Write down which job was given a run."""
    write_whole(folder / FILE, json.dumps(plain(what)).encode())
