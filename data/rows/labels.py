"""Names for runs from what tells them apart: a, seed 1."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.rows.groups import numbered, vary

TOLD = "told apart"  # the texts of columns that tell runs apart beside those of the runs table
#: What stays as it is along a run, so that rows which differ in it are of different runs.
CONSTANT = (
    TOLD, "params", "params_total", "params_nonembed", "params_active", "seed", "dataset", "schedule", "width", "layers", "experts",
    "top_k", "total_steps",
)  # fmt: skip


def run_labels(names: pd.Series | None, frame: pd.DataFrame, columns: list[str], stem: str = "") -> pd.Series:
    """A name for each row (n,) from the columns that tell runs apart: `a, seed 1`; the stem where there are none."""
    parts = [] if names is None else [list(map(str, names))]
    counted = False
    for c in columns:
        if c.startswith("params"):
            if counted:
                continue  # one count of the parameters says enough
            counted = True
        if c == TOLD:
            parts.append(list(map(str, frame[c])))
            continue
        word = {"params_total": "params", "params_nonembed": "params", "params_active": "params"}.get(c, c)
        parts.append([f"{word} {v:g}" if isinstance(v, float) else f"{word} {v}" for v in frame[c].to_numpy()])
    if not parts:
        return pd.Series([stem] * len(frame), dtype="str")
    return pd.Series([", ".join(row) for row in zip(*parts, strict=True)], dtype="str", index=frame.index)


def words_of(columns: list[str]) -> str:
    """What the columns that tell runs apart are called in a sentence."""
    if columns[0] == TOLD:
        return "texts"
    return "parameter counts" if columns[0].startswith("params") else columns[0].replace("_", " ")


def labels_of(family: pd.Series | None, frame: pd.DataFrame, keys: list[str], stem: str) -> pd.Series:
    """A name for each row (n,) by its model, by what else varies, or by both where neither alone tells all runs apart."""
    if family is not None and not varying(numbered(family), frame):
        return family
    label = run_labels(None, frame, keys, stem)
    if family is None or not vary(numbered(label), family):
        return label
    models = numbered(family)
    return run_labels(family, frame, [c for c in keys if vary(models, frame[c])])


def varying(groups: np.ndarray, rows: pd.DataFrame) -> list[str]:
    """The constant columns that differ among rows of one group (n,)."""
    return [c for c in CONSTANT if c in rows and vary(groups, rows[c])]
