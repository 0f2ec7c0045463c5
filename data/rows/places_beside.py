"""A column beside the runs' names that says of each row how far its run had come: step_183, final, 25 % of training."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from data.filenames.steps import end_of, place_of, places
from data.headers.parts import header as take_apart
from data.mapping import Mapping
from data.rows.groups import only, repeats
from data.rows.progress import PROGRESS, rises, usable
from data.table import Table

MOST_COLUMNS = 60
MOST_ROWS = 100_000
_CHECKPOINT = re.compile(r"\b(?:checkpoints?|ckpts?|snapshots?|revision)\b")
_SHARE = re.compile(
    r"(?:percent|pct|fraction|frac|share|part)(?: ?of)?(?: the| its)? (?:training|train|run|schedule|pretraining)"
    r"(?: (?:done|completed?|progress))?"
    r"|(?:training|train|run|pretraining) (?:progress|completed?|done|fraction|frac)(?: (?:percent|pct|fraction))?"
    r"|(?:percent|pct|fraction|frac) (?:trained|done|completed?|finished)|progress(?: (?:percent|pct))?"
)


def places_beside(table: Table, mapping: Mapping, runs: pd.Series, frame: pd.DataFrame, measured: np.ndarray) -> str:
    """The header of a column that names places along each of `runs` (n,), in whose order a column moves; '' where none does.

    `measured` (n,) are the rows that count.
    """
    own = only(runs, measured)
    if len(frame) > MOST_ROWS or not repeats(own):
        return ""
    rows = only(frame, measured)
    moving = [c for c in PROGRESS if usable(rows, c) and rises(own, rows[c])]
    if not moving:
        return ""
    taken = {g.header for g in mapping.guesses.values()}
    for header in [h for h in table.headers[:MOST_COLUMNS] if h not in taken and h not in table.from_name]:
        at = _along(table, header)
        if at is None:
            continue
        found = pd.DataFrame({"run": own, "at": at[measured], "along": rows[moving[0]]})
        if found.isna().any(axis=None) or found.duplicated(["run", "at"]).any():
            continue
        found = found.sort_values("at", kind="stable")
        if bool((found.groupby("run")["along"].diff().dropna() > 0).all()):
            return header
    return ""


def _along(table: Table, header: str) -> np.ndarray | None:
    """How far along its run each row (n,) is by a column's cells, in a unit of its own; None where they do not say."""
    words = take_apart(header.replace("%", " percent ")).path
    if _SHARE.fullmatch(words):
        values = table.numbers(header).values
        within = np.isfinite(values).all() and values.min() >= 0.0 and values.max() <= 100.0
        return values if within else None
    cells = table.text(header)
    if not _CHECKPOINT.search(words) or not places(cells):
        return None
    found = {c: np.inf if end_of(c) is not None else p[1] if (p := place_of(c)) else np.nan for c in cells.unique()}
    return cells.map(found).to_numpy(dtype="float64")
