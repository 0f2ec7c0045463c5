"""What is done when a sweep has ended: a command that the user chose is run with a sentence as its last argument.

`on_end.json` in the queue's folder holds the command as a list of its words; no shell reads it. `open.json` names the sweeps that have
not ended, so that a queue that comes up again tells of those that ended meanwhile.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.probe.queue.job import Job
from data.probe.queue.shared import by_sweep
from data.probe.queue.store import Store
from data.whole_file import write_whole

COMMAND, OPEN, LOG = "on_end.json", "open.json", "on_end.log"
MOST_WORDS = 100
_ORDER = ("done", "failed", "diverged", "cancelled", "queued")


@dataclass
class Teller:
    """Whoever looks at a queue after each of its turns and tells of the sweeps that have ended."""

    root: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __call__(self, store: Store) -> None:
        """Tell of what has ended since the last look."""
        each, held = by_sweep(self.root, store.jobs()), store.held()
        now = {
            sweep
            for sweep, jobs in each.items()
            if any(job.state == "running" or (job.state == "queued" and sweep not in held) for job in jobs)
        }
        before = set(_list(self.root / OPEN))
        if now != before:
            with contextlib.suppress(OSError):
                write_whole(self.root / OPEN, json.dumps(sorted(now)).encode())
        for sweep in sorted(before - now):
            if mine := each.get(sweep):
                self._tell(sweep, said(sweep, mine, held.get(sweep, "")))
        self.started[:] = [one for one in self.started if one.poll() is None]

    def _tell(self, sweep: str, sentence: str) -> None:
        command = _list(self.root / COMMAND)
        if not command:
            return
        with contextlib.suppress(OSError), (self.root / LOG).open("ab") as out:
            try:
                self.started.append(
                    subprocess.Popen(
                        [*command, sentence], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                        start_new_session=True, env={**os.environ, "ISOFLOP_SWEEP": sweep},
                    )
                )  # fmt: skip
            except OSError as error:
                out.write(f"{command[0]} could not be run: {error}.\n".encode())


def said(sweep: str, jobs: Sequence[Job], held: str = "") -> str:
    """How a sweep has ended, as a sentence."""
    counted = Counter(job.state for job in jobs)
    if held:
        return f"{sweep} is held, with {counted['done']} of {len(jobs)} runs done: {held}"
    states = ", ".join(f"{counted[state]} {state}" for state in _ORDER if counted[state])
    return f"{sweep} has ended: {f'all {len(jobs)} runs are done' if counted['done'] == len(jobs) > 1 else states}."


def choose(root: Path, command: Sequence[str]) -> None:
    """Keep the command for the queue in a folder; none for no words."""
    if command or (root / COMMAND).exists():
        write_whole(root / COMMAND, json.dumps(list(command)[:MOST_WORDS]).encode(), private=True)


def _list(path: Path) -> list[str]:
    """The texts that a file lists; none where it lists none."""
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []
