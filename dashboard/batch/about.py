"""What the Batch page's files say they are of: the table with its digest, the curves read, and the settings."""

from __future__ import annotations

from typing import Any

from dashboard import state
from dashboard.batch import settings as batch_settings
from dashboard.batch import state as batch_state
from dashboard.batch.readings import RESAMPLES, Sweep


def chosen() -> dict[str, Any]:
    """The table chosen and its digest, as the files of the other pages say them; {} where none is read."""
    read = state.reading()
    if read.runs is not None:
        return {"table": read.runs.name, "digest": read.runs.digest}
    return {} if read.table is None else {"table": read.table.name, "digest": read.table.digest}


def curves() -> dict[str, Any]:
    """The same with the digest of the curves, and the group of them that is read where there are several."""
    runs, (group, names) = state.current_runs(), batch_state.groups()
    about = {**chosen(), "digest_of_curves": runs.curves_digest}
    return {**about, "curves_of": group, "there_are_also": [n for n in names if n != group]} if names else about


def of(sweep: Sweep) -> dict[str, Any]:
    """What the critical batches are of: table, curves, and every setting that they hang on."""
    read = state.reading()
    table = read.table if sweep.read_from == "steps" else None
    about = (
        curves() if sweep.read_from == "curves"
        else chosen() if table is None
        else {"table": table.name, "digest": table.digest}
    )  # fmt: skip
    how: dict[str, Any] = {
        "read_from": sweep.read_from, "batches_in": sweep.unit, "group_by": batch_settings.settings().by,
        "overhead": batch_settings.settings().overhead, "base": batch_state.base(sweep), "resamples": RESAMPLES,
    }  # fmt: skip
    if sweep.read_from != "steps":
        how["losses"] = list(batch_settings.settings().targets) or "auto"
    if sweep.read_from == "curves":
        how["smoothing"] = batch_settings.settings().smooth
    return {**about, **({"groups_are_of": list(sweep.by)} if sweep.by else {}), "settings": how}


def groups(sweep: Sweep) -> dict[str, str]:
    """What each group is called away from the page, where neither the curves chosen nor the loss stand beside it."""
    whose = batch_state.groups()[0] if sweep.read_from == "curves" else ""
    out = {}
    for name in (*sweep.found, *sweep.refused):
        loss = f"loss {name}" if sweep.along == "loss" else ""
        if name in sweep.read_at:
            loss = f"loss {sweep.read_at[name]:.4g}"
        own = whose if sweep.along == "loss" else name
        out[name] = ", ".join(part for part in (own, loss) if part) or "all"
    return out
