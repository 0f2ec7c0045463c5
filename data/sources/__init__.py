"""Where a set of runs comes from, one kind a file: a bundled set, an upload. A new kind is one file here and nothing else.

A file declares a class that is a `RunSource`, with the word that its keys begin with as `KIND`, and `found(place)`, which lists what
there is of it. Whoever shows, stores or names a set of runs goes by its `key`; only here is one put together and taken apart.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

from data.reading import Reading
from data.table import Table


@dataclass(frozen=True)
class RunSource:
    """One set of runs that can be opened. `name` is its own within its kind, `title` what a menu calls it.

    `sentence` says what it is and where it is from, `file` what its file was called, which several may be. `mine` says whether
    it is the user's own, `copied` whether what is kept here is a copy of a file. `true_floor` is the entropy of its text in nats per
    token where that is known, `batch_sweep` the bundled set with a ladder of batch sizes on the same text, if there is one.
    """

    name: str
    title: str
    sentence: str = ""
    file: str = ""

    KIND: ClassVar[str] = ""
    mine: ClassVar[bool] = False
    copied: ClassVar[bool] = False

    @property
    def key(self) -> str:
        """How settings and addresses refer to it: its kind and its name."""
        return key_of(self.KIND, self.name)

    @property
    def removable(self) -> bool:
        """Whether it may be taken out of the workspace and leaves what it was made of as it is."""
        return self.copied

    @property
    def true_floor(self) -> float | None:
        """The lowest loss there is, nats per token, where it is known."""
        return None

    @property
    def batch_sweep(self) -> str:
        """The name of the bundled set with a ladder of batch sizes on the same text; '' for none."""
        return ""

    @property
    def version(self) -> str:
        """What is another as soon as the same set holds other runs; '' for one that never changes."""
        return ""

    def table(self) -> Table | None:
        """The file as it is, for a set whose columns a person maps; None for one that is runs already. It may take long."""
        return None

    def read(self, answers: Mapping[str, Any], table: Table | None = None) -> Reading:
        """The runs under these answers to what the table leaves open; `table` is what `table()` gave."""
        raise NotImplementedError

    def code(self, answers: Mapping[str, Any]) -> tuple[str, str]:
        """Python that gives the same runs in a notebook: an import, and a line that calls them `runs`."""
        raise NotImplementedError

    def called(self, title: str) -> Self:
        """The same set under another title."""
        return replace(self, title=title)


@dataclass(frozen=True)
class HeldFile:
    """A file that a workspace holds: the sha256 of its contents, its title there, its own name, its bytes and how to get them."""

    sha256: str
    title: str
    name: str
    size: int
    content: Callable[[], bytes]


@dataclass(frozen=True)
class Place:
    """Where to look for sets of runs: the files that a workspace holds, the newest first, folders of sweeps trained here, and sweeps
    that lie elsewhere, by their own folders."""

    files: tuple[HeldFile, ...] = ()
    probes: tuple[Path, ...] = ()
    elsewhere: tuple[Path, ...] = ()


def all_sources(place: Place) -> tuple[RunSource, ...]:
    """Every set of runs that can be opened: the user's own first, then what ships; titles differ, and the older keeps its own."""
    found: list[RunSource] = []
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        found += importlib.import_module(f"{__name__}.{info.name}").found(place)
    listed = sorted(found, key=lambda source: not source.mine)
    mine = [source for source in listed if source.mine]
    return told_apart(listed, [*listed[len(mine) :], *reversed(mine)])


def key_of(kind: str, name: str) -> str:
    """The key of a set of this kind."""
    return f"{kind}:{name}"


def name_of(key: str) -> str:
    """The name within its kind of the set with this key."""
    return key.partition(":")[2]


def told_apart(listed: Iterable[RunSource], by_age: Iterable[RunSource]) -> tuple[RunSource, ...]:
    """The same with titles that differ, as a menu needs them; the older of two keeps its own."""
    named: dict[str, str] = {}
    for source in by_age:
        title, again = source.title, 1
        while title in named.values():
            again += 1
            title = f"{source.title} ({again})"
        named[source.key] = title
    return tuple(source.called(named[source.key]) for source in listed)
