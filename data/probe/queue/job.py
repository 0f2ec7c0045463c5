"""A run as a queue has it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """A run in the queue. `key` is what the run is, `name` its folder's below the sweep's; `place` the order of submission.

    `sweep` is the one in whose folder it lies; others may have it, too (`shared.py`).
    """

    key: str
    name: str
    sweep: str
    place: int
    priority: int
    state: str  # as `data.probe.folder.STATES` has them
    slot: str
    process: str
    attempts: int
    sentence: str
    queued: float
    started: float
    ended: float

    @property
    def stopping(self) -> bool:
        """Whether it was cancelled and has not ended yet."""
        return self.state == "running" and self.sentence == "cancel"
