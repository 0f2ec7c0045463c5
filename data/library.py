"""Named sets of runs that ship with the project: what a newcomer sees first, read without any network."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from data.errors import DataError
from data.given import in_short
from data.read import read_runs
from data.schema import Runs

PUBLISHED = Path(__file__).with_name("published")


@dataclass(frozen=True)
class Truth:
    """The law that a simulated set was drawn from: its key in `fitting`, its parameters, the noise of the log loss."""

    law: str
    params: Mapping[str, float]
    noise: float


@dataclass(frozen=True)
class Entry:
    """One bundled table: `sentence` says what it is, `source` where it comes from, `made` how, at length; `licence` is the
    notice that must go with others' runs.

    `true_floor` is the entropy of the text in nats per token where it is known, `truth` the law behind a simulated set.
    `batch_sweep` is the entry with a ladder of batch sizes on the same text, if there is one. `kind` is "runs", or "table"
    for published numbers that are no runs.
    """

    key: str
    title: str
    sentence: str
    source: str
    made: str = ""
    licence: str = ""
    kind: str = "runs"
    simulated: bool = False
    true_floor: float | None = None
    truth: Truth | None = None
    batch_sweep: str = ""
    read: Mapping[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The table's file."""
        return PUBLISHED / f"{self.key.replace('-', '_')}.csv"

    def load(self) -> Runs:
        """The runs of this entry."""
        return load(self.key)


@cache
def _entries() -> tuple[Entry, ...]:
    found = []
    for path in sorted(PUBLISHED.glob("*.toml")):
        said = tomllib.loads(path.read_text("utf-8"))
        truth = said.pop("truth", None)
        order = said.pop("order", 100)
        entry = Entry(key=path.stem.replace("_", "-"), truth=Truth(**truth) if truth else None, **said)
        found.append((order, entry))
    return tuple(entry for _, entry in sorted(found, key=lambda e: (e[0], e[1].key)))


def bundled() -> list[Entry]:
    """The bundled sets of runs, the one to show first in front."""
    return [e for e in _entries() if e.kind == "runs"]


def tables() -> list[Entry]:
    """The bundled tables of published numbers that are no runs."""
    return [e for e in _entries() if e.kind == "table"]


def load(key: str) -> Runs:
    """The bundled runs called `key`. Raises `DataError` naming the keys there are."""
    for entry in bundled():
        if isinstance(key, str) and entry.key == key:
            runs = read_runs(entry.path, **entry.read)
            # Nobody has chosen anything yet: the set's own description names these columns.
            sources = (replace(s, how=s.how.replace("chosen by you", "named by the set")) for s in runs.sources)
            return replace(runs, name=entry.title, sources=tuple(sources))
    raise DataError(f"no bundled set is called {in_short(key)}; there are {', '.join(e.key for e in bundled())}.")


def table(key: str) -> pd.DataFrame:
    """The bundled table of published numbers called `key`. Raises `DataError` naming the keys there are."""
    for entry in tables():
        if isinstance(key, str) and entry.key == key:
            return pd.read_csv(entry.path)
    raise DataError(f"no bundled table is called {in_short(key)}; there are {', '.join(e.key for e in tables())}.")
