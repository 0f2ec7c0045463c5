"""What the folders of runs say of the queue, so that its file can be made again where it was lost.

Order is that of submission within each sweep. A run at work is found by the process that its folder names; its slot is found again by
whoever serves the queue. What else only the file knows of a sweep is kept in its folder (`kept.py`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from data.errors import DataError
from data.probe import found
from data.probe.folder import ENDED, Status, now, standing
from data.probe.process import Process, boot
from data.probe.queue.kept import kept
from data.probe.spec import Spec
from data.probe.together import alike


@dataclass(frozen=True)
class Entry:
    """A run's folder as the queue has it."""

    what: Spec
    sweep: str
    name: str
    status: Status


def traits(one: Spec) -> tuple[str, str, str, float]:
    """What the order of jobs needs to know of a run: its key, what it can be made at once with, and what it begins from."""
    try:
        like = alike(one)
    except DataError:  # more steps than can be counted: the run itself will say so
        like = ""
    return one.key, like, one.trunk, one.trunk_tokens


def entries(root: Path) -> list[Entry]:
    """The runs in the folders below a root, in the order in which each sweep was submitted."""
    each = [entry for sweep in sorted({path.parents[1] for path in root.glob("*/*/spec.json")}) for entry in _of(sweep)]
    return sorted(each, key=lambda one: one.what.key != one.name)  # copies after what they are of


def _of(sweep: Path) -> Iterator[Entry]:
    place = {key: i for i, key in enumerate(found.keys(sweep))}
    for path in sorted((one.parent for one in sweep.glob("*/spec.json")), key=lambda p: (place.get(p.name, 0), p.name)):
        one = found.probe(path)
        if one.what is None or one.fault:
            continue  # a folder of something else
        yield Entry(one.what, sweep.name, path.name, _stands(one.folder.status))


def _stands(said: Status) -> Status:
    """How a run stands by its folder: one whose process is gone is queued, and lost where another machine may still make it."""
    if said.state in (*ENDED, "queued"):
        return replace(said, process="")
    named = Process.read(said.process)
    if named is not None and named.alive:
        return said
    elsewhere = named is None or named.boot != boot()
    heard = elsewhere and standing(said).state == "running"
    return replace(said, state="lost" if heard else "queued", process="", heartbeat=0.0)


def put(held: sqlite3.Connection, root: Path, listed: list[Entry]) -> int:
    """Put what the folders hold and the file does not into it; returns how many there were.

    A run that lies in another sweep than it did is followed there.
    """
    for sweep in found.names_of_sweeps(root):
        known = kept(root / sweep)
        new = held.execute("insert or ignore into sweeps (name, held) values (?, ?)", (sweep, known.held)).rowcount
        if new and known.given_up:
            held.execute("insert or ignore into given_up values (?)", (sweep,))
    rows = held.execute("select key, sweep, name from jobs").fetchall()
    gone = {key for key, sweep, name in rows if not found.is_run(root / sweep / name)}
    added = 0
    first = {sweep: kept(root / sweep).priority for sweep in {one.sweep for one in listed}}
    for one in listed:
        key = one.what.key
        held.execute("insert or ignore into traits values (?, ?, ?, ?)", traits(one.what))
        held.execute("insert or ignore into sweeps (name) values (?)", (one.sweep,))
        if key in gone:
            held.execute(
                "update jobs set sweep = ?, name = ? where key = ? and state <> 'running'", (one.sweep, one.name, key)
            )
        (place,) = held.execute("select coalesce(max(place), 0) + 1 from jobs").fetchone()
        added += held.execute(
            "insert or ignore into jobs (key, name, sweep, place, priority, state, process, sentence, queued, started, ended) "
            "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                key, one.name, one.sweep, place, first[one.sweep].get(key, 0), one.status.state, one.status.process,
                one.status.sentence, now(), one.status.began, one.status.heartbeat if one.status.state in ENDED else 0.0,
            ),
        ).rowcount  # fmt: skip
    return added
