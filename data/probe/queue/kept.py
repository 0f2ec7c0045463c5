"""What only the queue's file knows of a sweep, kept in the sweep's folder, so that a file that is made again knows it, too."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from data.errors import DataError
from data.plain import PlainError, between, plain, read
from data.probe.plain_file import loaded
from data.whole_file import write_whole

FILE = "queue.json"
MOST = 10**9  # of a priority


@dataclass(frozen=True)
class Kept:
    """Why a sweep is held, '' where it is not; whether all of it was cancelled; the priorities of its runs, by key, but for 0."""

    held: str = ""
    given_up: bool = False
    priority: dict[str, Annotated[int, between(-MOST, MOST)]] = field(default_factory=dict)


def kept(sweep: Path) -> Kept:
    """What is kept of a sweep; nothing where that cannot be read."""
    try:
        return read(Kept, loaded(sweep / FILE))
    except (PlainError, DataError):
        return Kept()


def keep(held: sqlite3.Connection, root: Path, sweeps: Iterable[str]) -> None:
    """Write down what the queue's file has of these sweeps, within the transaction that changed it: one at a time does."""
    for sweep in sweeps:
        why = held.execute("select held from sweeps where name = ?", (sweep,)).fetchone()
        gone = held.execute("select 1 from given_up where name = ?", (sweep,)).fetchone()
        first = held.execute("select key, priority from jobs where sweep = ? and priority <> 0", (sweep,)).fetchall()
        what = Kept(why[0] if why else "", bool(gone), dict(first))
        if (root / sweep).is_dir() and not (root / sweep).is_symlink() and what != kept(root / sweep):
            with contextlib.suppress(OSError):
                write_whole(root / sweep / FILE, json.dumps(plain(what)).encode())
