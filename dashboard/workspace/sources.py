"""What can be opened in a workspace: its sweeps and uploads, sweeps that it was opened on, then what is bundled."""

from __future__ import annotations

import time
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated, Any

from dashboard.workspace import store
from dashboard.workspace.store import Upload, Values, Workspace
from data.plain import each_usable, read_or
from data.probe.found import added
from data.sources import HeldFile, Place, RunSource, all_sources

OPENED = "opened folders"  # the setting that lists folders of sweeps elsewhere; `isoflop open` alone writes it
PATHS: Any = Annotated[list[str], each_usable(str)]


def opened(here: Workspace) -> tuple[Path, ...]:
    """The folders of sweeps elsewhere that a workspace was opened on, those that are there."""
    return tuple(path for said in read_or([], PATHS, store.values(here).get(OPENED)) if (path := Path(said)).is_dir())


def take_out(here: Workspace, source: RunSource) -> None:
    """Take an upload or a folder of sweeps elsewhere out of a workspace, as one step of undo; a folder itself is left as it is."""
    if source.copied:
        store.take_out(here, source.name)
        return

    def left(now: Values) -> Values:
        return {OPENED: [one for one in read_or([], PATHS, now.get(OPENED)) if one != source.name] or None}

    store.change(here, f"remove {source.title}", left)


def comes_back(here: Workspace, source: RunSource) -> bool:
    """Whether undo brings back a set of runs that is not in a workspace any more."""
    if source.copied:
        return any(held.source == source.key for held in store.taken_out(here))
    return source.removable and Path(source.name).is_dir()


def clusters(here: Workspace) -> Path:
    """The folder of the sweeps that Slurm trains for a workspace: apart, as this machine's queue takes up all runs beside it."""
    return here.folder / "slurm"


def sources(here: Workspace) -> tuple[RunSource, ...]:
    """Every set of runs, the workspace's own first and of these the newest first; how the runs of a sweep stand is half a second old."""
    roots = (store.probes(here), clusters(here))
    elsewhere = opened(here)
    tick = int(2 * time.monotonic()) if elsewhere or any(root.is_dir() for root in roots) else 0
    return _sources(here, store.uploads(here), roots, elsewhere, "".join(map(added, (*roots, *elsewhere))), tick)


@lru_cache(maxsize=64)  # a page asks fifty times
def _sources(
    here: Workspace,
    held: tuple[Upload, ...],
    roots: tuple[Path, ...],
    elsewhere: tuple[Path, ...],
    folders: str,
    tick: int,
) -> tuple[RunSource, ...]:
    files = tuple(
        HeldFile(one.sha256, one.title, one.name, one.size, partial(store.content, here, one.sha256))
        for one in reversed(held)
    )
    return all_sources(Place(files, roots, elsewhere))
