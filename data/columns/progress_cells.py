"""A column of progress whose cells say what was done of a plan (12k/40k), where no other column counts along the runs."""

from __future__ import annotations

import re

import numpy as np

from data.cells.parts_done import of_a_plan, parts_done
from data.columns.settled import Offers
from data.errors import NO_COLUMN, Question
from data.headers.parts import header as take_apart
from data.table import Table

_COUNTERS = ("steps", "tokens", "samples", "epochs", "total_steps")
_PROGRESS = re.compile(r"\b(?:progress|completion|completed|done|state|status)\b")
_STEPS = re.compile(r"\b(?:steps?|iters?|iterations?|updates?)\b")


def settle_progress(table: Table, offers: Offers, settled: set[str]) -> list[Question]:
    """Take what was done for the steps where the header says so, else ask; nothing where another column says it."""
    if settled & set(_COUNTERS) or any(column in _COUNTERS for column, _ in offers):
        return []
    for header in table.headers:
        path = take_apart(header).path
        if not (_PROGRESS.search(path) and of_a_plan(header)):
            continue
        done, _ = parts_done(table.text(header), header, table.decimal)
        if 2 * np.isfinite(done).sum() < len(done) or table.numbers(header).share < 0.5:
            continue
        if _STEPS.search(path):
            offers["steps", header] = 0.9, "its cells say what was done of the planned steps"
            return []
        cell = table.text(header)[np.isfinite(done)].iloc[0]
        text = f"Does {header!r} count training steps? Its cells say what was done of a plan ({cell[:30]!r}), and no other column does."
        return [Question("columns.steps", text, (header, NO_COLUMN), header)]
    return []
