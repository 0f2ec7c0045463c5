"""Numbers that nobody reads and that part curves: constant along a stretch of rows, whose counter begins anew where they change."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from data.headers.names import loss_name
from data.headers.parts import header as take_apart
from data.mapping import Mapping
from data.rows.groups import repeats
from data.table import Table

MOST_COLUMNS = 60
MOST_ROWS = 100_000
LEAST = 3  # rows of a stretch

#: What changes where one run is resumed, or counts something along it.
_OF_ONE_RUN = re.compile(
    r"\b(?:attempts?|restarts?|resum\w*|sessions?|jobs?|pid|segments?|parts?|tr(?:y|ies)|phase|stage|epochs?|chunks?|shards?|files?|hosts?"
    r"|nodes?|gpus?|devices?|ranks?|workers?|layers?|heads?|index|idx|id|row|line|position|evals?|val|test|time|date|day|hour|count(?:er)?"
    r"|best|saved?|checkpoint|ckpt|grad|norm|memory|mem|speed|throughput|acc(?:uracy)?|score|section|table|page)\b"
)


def restarting(table: Table, mapping: Mapping, measured: np.ndarray, place: pd.Series, runs: pd.Series) -> str:
    """The header of unread numbers under each of which the rows of `runs` (n,) rise along `place` (n,) from a beginning of
    their own; '' where none is.

    The rows of one number stand in one stretch of three or more, and the place falls back at the next one.
    """
    if len(table.frame) > MOST_ROWS or not repeats(runs[measured]):
        return ""
    taken = {g.header for g in mapping.guesses.values()}
    for header in [h for h in table.headers[:MOST_COLUMNS] if h not in taken and h not in table.from_name]:
        words = take_apart(header).path.lower()
        if loss_name(header) is not None or not words or _OF_ONE_RUN.search(words):
            continue
        values = table.numbers(header).values
        if not np.isfinite(values[measured]).all():
            continue
        rows = pd.DataFrame({"run": runs, "is": values, "at": place})[measured]
        if rows["at"].notna().all() and _parts(rows):
            return header
    return ""


def _parts(rows: pd.DataFrame) -> bool:
    """Whether the values `is` of each `run` stand in stretches along which `at` rises, and falls back where the next begins."""
    by = rows.groupby("run", sort=False)
    step, several = by["at"].diff(), by["is"].nunique()
    change = (by["is"].diff() != 0) & step.notna()
    stays = step.notna() & ~change
    if not change.any() or not (step[stays] > 0).all() or not (step[change] < 0).all():
        return False
    if (change.groupby(rows["run"], sort=False).sum() + 1 != several).any():
        return False
    parted = rows[rows["run"].map(several) > 1]
    return int(parted.groupby(["run", "is"]).size().min()) >= LEAST
