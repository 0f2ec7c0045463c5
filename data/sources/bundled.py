"""A set of runs that ships with the project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from data.library import Entry, bundled, load
from data.reading import Reading
from data.sources import Place, RunSource, key_of
from data.table import Table


@dataclass(frozen=True)
class Bundled(RunSource):
    """One entry of the library."""

    KIND: ClassVar[str] = "bundled"

    @property
    def entry(self) -> Entry:
        """What the library says of it."""
        return next(entry for entry in bundled() if entry.key == self.name)

    @property
    def true_floor(self) -> float | None:
        """The entropy of the text, where the language was made."""
        return self.entry.true_floor

    @property
    def batch_sweep(self) -> str:
        """The entry with a ladder of batch sizes on the same text."""
        return self.entry.batch_sweep

    def read(self, answers: Mapping[str, Any], table: Table | None = None) -> Reading:
        """Its runs; nothing of it is open."""
        return Reading(load(self.name))

    def code(self, answers: Mapping[str, Any]) -> tuple[str, str]:
        """The library's own call."""
        return "from data import load", f"runs = load({self.name!r})"


def found(place: Place) -> tuple[Bundled, ...]:
    """Every bundled set of runs, the one to show first in front; they are the same everywhere."""
    return tuple(Bundled(entry.key, entry.title, entry.sentence) for entry in bundled())


def bundled_key(name: str) -> str:
    """The key of the bundled set of this name."""
    return key_of(Bundled.KIND, name)
