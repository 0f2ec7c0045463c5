"""What can be opened in a workspace: its sweeps and uploads, then what is bundled."""

from __future__ import annotations

import time
from functools import lru_cache, partial
from pathlib import Path

from dashboard.workspace import store
from dashboard.workspace.store import Upload, Workspace
from data.probe.found import added
from data.sources import HeldFile, Place, RunSource, all_sources


def clusters(here: Workspace) -> Path:
    """The folder of the sweeps that Slurm trains for a workspace: apart, as this machine's queue takes up all runs beside it."""
    return here.folder / "slurm"


def sources(here: Workspace) -> tuple[RunSource, ...]:
    """Every set of runs, the workspace's own first and of these the newest first; how the runs of a sweep stand is half a second old."""
    roots = (store.probes(here), clusters(here))
    tick = int(2 * time.monotonic()) if any(root.is_dir() for root in roots) else 0
    return _sources(here, store.uploads(here), roots, "".join(map(added, roots)), tick)


@lru_cache(maxsize=64)  # a page asks fifty times
def _sources(
    here: Workspace, held: tuple[Upload, ...], roots: tuple[Path, ...], folders: str, tick: int
) -> tuple[RunSource, ...]:
    files = tuple(
        HeldFile(one.sha256, one.title, one.name, one.size, partial(store.content, here, one.sha256))
        for one in reversed(held)
    )
    return all_sources(Place(files, roots))
