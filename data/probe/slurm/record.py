"""Which job of Slurm was given a run, kept in the run's folder: written before the job is, so that none is submitted twice."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from data.errors import DataError
from data.plain import Count, PlainError, plain, read, text
from data.probe.plain_file import loaded
from data.whole_file import write_whole

FILE = "slurm.json"


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
