"""What runs are made on where Slurm has them: the device, how many at once, and that in words, for the page and the command alike."""

from __future__ import annotations

from pathlib import Path

from dashboard.probe.estimate import Target
from data.plural import plural
from data.probe.jobs.settings import Settings, settings_in
from data.probe.slurm.submit import SETTINGS


def target(what: Settings, price: float | None) -> Target:
    """The device of each run: a task of its own on what it is given, at a price of an hour of a GPU."""
    return Target("cuda", "", price, alone=True) if what.gpus else Target("cpu", "", None, alone=True)


def at_once(what: Settings, runs: int) -> int:
    """How many of so many runs Slurm is asked to have at work at once."""
    return max(1, min(what.throttle or runs, runs))


def words(slots: int) -> str:
    """So many at once, as the end of a sentence; how long they wait for Slurm is nobody's estimate."""
    return f"{plural(slots, 'Slurm job')} at once"


def begun_with(out: Path) -> str:
    """Which settings a folder of runs was begun with, and what of them jobs run; '' where it has none. Raises DataError."""
    file = out / SETTINGS
    if not file.exists():
        return ""
    lines = settings_in(file).setup
    return f"Jobs have the settings of {file}{', and run ' + '; '.join(lines) if lines else ''}."
