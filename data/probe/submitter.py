"""Whoever has runs made: this machine's queue, or a cluster's. A page and a command need no more of either than is said here."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from data.probe.folder import Folder
from data.probe.spec import Spec


@dataclass(frozen=True)
class Standing:
    """How a run stands, by its folder and by whoever has it made. `sweep` is the one it lies in; others may have it, too.

    `place` is where it runs: a slot, a job's number. One that is `stopping` was cancelled, and has not ended yet.
    """

    key: str
    sweep: str
    folder: Folder
    state: str  # as `data.probe.folder.STATES` has them
    sentence: str = ""
    place: str = ""
    stopping: bool = False


class Submitter(Protocol):
    """Has the runs whose folders lie under `root` made. All raise DataError where the queue cannot be used."""

    look_every: float  # seconds from one look at the states to the next that the queue can bear

    @property
    def root(self) -> Path: ...

    def submit(self, sweep: str, specs: Iterable[Spec]) -> list[Standing]:
        """Have runs made; those that are made or on their way already are left so, in whatever sweep."""

    def states(self) -> list[Standing]:
        """How every run stands."""

    def tend(self, keys: Collection[str] = ()) -> str:
        """What has to be done from time to time while runs are awaited; why none of these (of all) that wait will begin, or ''."""

    def cancel(self, keys: Iterable[str]) -> None:
        """Take runs out of the queue, and end those that run."""

    def retry(self, keys: Iterable[str]) -> None:
        """Have those made again that ended otherwise than done; they go on from their checkpoints."""
