"""Probes as runs: what their folders hold, as a table that is read as any other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from data.errors import DataError
from data.probe.folder import Folder
from data.probe.spec import Spec

#: What a state of a run's folder is called in a table of runs.
_SAID = {"done": "finished", "failed": "failed", "diverged": "diverged", "cancelled": "cancelled"}


def table(folders: Iterable[Folder], *, curves: bool = True) -> pd.DataFrame:
    """A row for each evaluation of each run, or the last of each alone; runs without any have a row with their state.

    Names of columns are those of the runs table. A folder that says of no run is passed over.
    """
    rows: list[dict[str, Any]] = []
    for folder in folders:
        try:
            what, status = folder.spec, folder.status
        except DataError:
            continue
        measured = list(folder.rows())
        kept = measured if curves else measured[-1:]
        about = _about(what, folder) | {"state": _SAID.get(status.state, "running")}
        rows += [about | _of(row) for row in kept] or [about]
    return pd.DataFrame(rows)


def _about(what: Spec, folder: Folder) -> dict[str, Any]:
    counts = what.counts
    return {
        "run": what.name or folder.path.name,
        "group": folder.path.parent.name,
        "params_total": counts.total,
        "params_nonembed": counts.nonembed,
        "width": what.width,
        "depth": what.depth,
        "heads": what.shape.heads,
        "seq_len": what.seq_len,
        "vocab": what.vocab,
        "dataset": " + ".join(pool.corpus for pool in what.pools) or what.corpus,
        "optimizer": what.optimiser,
        "parametrisation": what.parametrisation,
        "schedule": what.schedule,
        "seed": what.seed,
        "peak_lr": what.rate,
        **{f"pool_{i}": pool.corpus for i, pool in enumerate(what.pools)},
        **{f"share_pool_{i}": pool.share for i, pool in enumerate(what.pools)},
    }


def _of(row: dict[str, Any]) -> dict[str, Any]:
    names = {"step": "steps", "batch": "batch_sequences"}
    return {names.get(k, k): v for k, v in row.items() if isinstance(v, int | float)}
