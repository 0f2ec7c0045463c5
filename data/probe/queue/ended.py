"""What is done when a sweep has ended: a command that the user chose is run with a sentence as its last argument.

The command is kept as a list of its words, which no shell reads, in the home folder of who chose it: a folder of runs that came from
elsewhere runs nothing. `open.json` names the sweeps that have not ended, so that a queue that comes up again tells of those that ended
meanwhile. So does whoever looks at a sweep on Slurm, which has no process of ours that lives on: the command is to be run on this
machine, and not where a cluster puts a job.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from data.errors import DataError
from data.home import home
from data.plural import plural
from data.probe.plain_file import loaded
from data.probe.queue.shared import Run, by_sweep
from data.whole_file import write_whole

COMMANDS, OPEN, LOG, LOCK = "commands_at_end", "open.json", "on_end.log", "on_end.lock"
MOST_WORDS = 100
_ORDER = ("done", "failed", "diverged", "cancelled", "lost", "queued")
_started: list[subprocess.Popen[bytes]] = []  # each is waited for once it has ended


def tell(root: Path, runs: Iterable[Run], held: Mapping[str, str] | None = None) -> None:
    """Tell of the sweeps below a root that have ended since the last look at their runs; `held` are those that do not go on, and why."""
    each, stopped = by_sweep(root, runs), held or {}
    now = {
        sweep
        for sweep, own in each.items()
        if any(one.state == "running" or (one.state == "queued" and sweep not in stopped) for one in own)
    }
    for sweep in sorted(_ended(root, now)):
        if mine := each.get(sweep):
            _run(root, sweep, said(sweep, mine, stopped.get(sweep, "")))
    _started[:] = [one for one in _started if one.poll() is None]


def _ended(root: Path, now: set[str]) -> set[str]:
    """The sweeps that were open at the last look and are no more; of several who look at once one is given them."""
    with contextlib.suppress(OSError), (root / LOCK).open("a") as only:
        fcntl.flock(only, fcntl.LOCK_EX)
        if now != (before := set(_list(root / OPEN))):
            write_whole(root / OPEN, json.dumps(sorted(now)).encode())
        return before - now
    return set()


def _run(root: Path, sweep: str, sentence: str) -> None:
    command = _list(command_of(root))
    if not command:
        return
    with contextlib.suppress(OSError), (root / LOG).open("ab") as out:
        try:
            _started.append(
                subprocess.Popen(
                    [*command, sentence], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                    start_new_session=True, cwd=root, env={**os.environ, "ISOFLOP_SWEEP": sweep},
                )
            )  # fmt: skip
        except (OSError, ValueError) as error:  # a word with a NUL in it
            out.write(f"{command[0]} could not be run: {error}.\n".encode())


def said(sweep: str, jobs: Sequence[Run], held: str = "") -> str:
    """How a sweep has ended, as a sentence."""
    counted = Counter(job.state for job in jobs)
    if held:
        return f"{sweep} is held, with {counted['done']} of {plural(len(jobs), 'run')} done: {held}"
    states = ", ".join(f"{counted[state]} {state}" for state in _ORDER if counted[state])
    return f"{sweep} has ended: {f'all {len(jobs)} runs are done' if counted['done'] == len(jobs) > 1 else states}."


def choose(root: Path, command: Sequence[str]) -> None:
    """Keep the command for the queue in a folder; none for no words."""
    path = command_of(root)
    if command or path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, json.dumps(list(command)[:MOST_WORDS]).encode(), private=True)


def command_of(root: Path) -> Path:
    """The file of the command that was chosen for a queue."""
    return home() / COMMANDS / f"{hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:32]}.json"


def _list(path: Path) -> list[str]:
    """The texts that a file lists; none where it lists none."""
    try:
        found: Any = loaded(path)
    except DataError:
        return []
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []
