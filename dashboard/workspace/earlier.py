"""What was worked on before: the workspaces of this machine that hold files or sweeps, the newest first.

The address of a workspace is what opens it, and whoever lost that had lost a sweep at work from sight. They are listed where server and
browser are on this machine alone, where the page may start runs, too: from elsewhere 128 random bits stay the only way in.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dashboard.workspace import store
from dashboard.workspace.sources import clusters, opened
from dashboard.workspace.store import Workspace
from data.plural import plural
from data.probe.found import probes, run_folders, states, sweeps

MOST = 5  # that are listed
LONGEST = 30  # signs of a name, so that what follows it is seen, too
LOOKED_AT = 20  # of the newest folders that are opened to see what they hold


@dataclass(frozen=True)
class Earlier:
    """A workspace by its `id`: what it holds, `at_work` runs that wait or run, and when it was last changed, seconds since 1970."""

    id: str
    holds: tuple[str, ...]
    at_work: int
    changed: float

    @property
    def title(self) -> str:
        """What it is called in a list: what it holds, and how many runs are at work in it."""
        named = ", ".join(name if len(name) <= LONGEST else f"{name[:LONGEST]}…" for name in self.holds[:3]) + (
            f" and {len(self.holds) - 3} more" if len(self.holds) > 3 else ""
        )
        return f"{named}: {plural(self.at_work, 'run')} at work" if self.at_work else named


def earlier(but: str = "") -> tuple[Earlier, ...]:
    """The workspaces of this machine but this one that hold a file or a sweep: those with runs at work first, then the newest."""
    folders = [one for one in _folders() if store.IDENTITY.fullmatch(one.name) and one.name != but]
    newest = sorted(folders, key=_changed, reverse=True)[:LOOKED_AT]
    found = [known for one in newest if (known := _known(store.at(one.name))) is not None]
    return tuple(sorted(found, key=lambda one: (one.at_work == 0, -one.changed))[:MOST])


def _known(space: Workspace) -> Earlier | None:
    """What a workspace holds; None for one that holds neither files nor sweeps."""
    roots = (store.probes(space), clusters(space))
    trained = [one.name for root in roots for one in sweeps(root)]
    holds = (*trained, *(one.name for one in opened(space)), *(one.title for one in reversed(store.uploads(space))))
    if not holds:
        return None
    counted = states(probes(one for root in roots for one in run_folders(root)))
    return Earlier(space.id, tuple(holds), counted["queued"] + counted["running"], _changed(space.folder))


def _folders() -> list[Path]:
    try:
        return [one for one in (store.home() / "workspaces").iterdir() if one.is_dir() and not one.is_symlink()]
    except OSError:
        return []


def _changed(folder: Path) -> float:
    """When something was last set in a workspace, or a sweep begun."""
    found = [0.0]
    for path in (folder / "settings.json", folder / "probes", folder / "slurm"):
        try:
            found.append(path.stat().st_mtime)
        except OSError:
            continue
    return max(found)
