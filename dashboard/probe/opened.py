"""Sweeps that lie elsewhere, which the workspace was opened on: they are looked at alone, and managed where they were launched."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

from dashboard import state
from dashboard.probe import watching
from dashboard.probe.watching import Sweep
from data.probe.slurm.submit import begun_at
from data.sources.probe import Sweep as SweepSource

WHY = (
    "This page only shows these runs. They are managed from a terminal: the command that launched them follows them, and with --retry "
    "makes again those that failed or were cancelled."
)


def sweeps() -> list[Sweep]:
    """Each as it stands by its folder, under the title of its runs: no sweep of the workspace's own is called so."""
    found = [one for one in state.choices() if isinstance(one, SweepSource) and one.elsewhere]
    return [replace(watching.elsewhere(Path(one.name)), name=_name(one.title)) for one in found]


def command(sweep: Sweep) -> str:
    """The command that launches it, follows it and goes on with it."""
    out = sweep.folder.parent
    slurm = " --slurm" if begun_at(out) else ""
    return f"isoflop probe {shlex.quote(f'{sweep.folder.name}.json')} --out {shlex.quote(str(out))}{slurm}"


def _name(title: str) -> str:
    return f"{title} (2)" if title == "new" else title  # which is the page's word for a sweep to come
