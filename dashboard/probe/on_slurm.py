"""What runs are made on where Slurm has them: the device, how many at once, and that in words, for the page and the command alike."""

from __future__ import annotations

from dashboard.probe.estimate import Target
from data.plural import plural
from data.probe.jobs.settings import Settings


def target(what: Settings, price: float | None) -> Target:
    """The device of each run: a task of its own on what it is given, at a price of an hour of a GPU."""
    return Target("cuda", "", price, alone=True) if what.gpus else Target("cpu", "", None, alone=True)


def at_once(what: Settings, runs: int) -> int:
    """How many of so many runs Slurm is asked to have at work at once."""
    return max(1, min(what.throttle or runs, runs))


def words(slots: int) -> str:
    """So many at once, as the end of a sentence; how long they wait for Slurm is nobody's estimate."""
    return f"{plural(slots, 'Slurm job')} at once"
