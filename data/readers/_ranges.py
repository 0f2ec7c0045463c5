"""Stages of one run: epochs, steps or tokens written as ranges that follow on each other (1-10, 11-20, 21-25)."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np

from data.cells.values import number
from data.headers.names import loss_name, named
from data.schema import COUNTS
from data.table import Table

_MOST_ROWS = 500  # of a table that somebody wrote
_COUNTERS = ("epochs", "steps", "tokens", "total_steps")
_LIKE_THEM = re.compile(r"(?:epoch|step|iteration|iter|token)s?(?: range)?|range|stage|phase", re.IGNORECASE)
_OF_RUNS = frozenset(("run", "family", "group", "seed", *COUNTS))
_RANGE = re.compile(
    r"(?:(?:epoch|step|iter(?:ation)?|ep|token)s? ?:? ?)?(?P<low>[0-9][0-9.,]*)(?P<unit> ?[kKmMbBtT])?"
    r" ?(?:[-\u2010-\u2015\u2192~]+|->|to|\.{2,3}) ?(?P<high>[0-9][0-9.,]*(?P<end> ?[kKmMbBtT])?)(?: ?(?:epoch|step|token)s?)?"
)


def with_ranges_ended(table: Table) -> Table:
    """The table as one run's history, each row at the end of its range; as it is where no column holds ranges that follow on
    each other, or where a column of names, sizes or seeds has more than one value.
    """
    if not 2 <= len(table.frame) <= _MOST_ROWS or table.order or table.one_run or table.either_way:
        return table
    if not any(loss_name(h) is not None for h in table.headers):
        return table
    meant = {h: {c for c, _ in named(h)[:1]} for h in table.headers}
    if any(meant[h] & _OF_RUNS and len(set(table.written(h))) > 1 for h in table.headers):
        return table
    for header in table.headers:
        if not (meant[header] & set(_COUNTERS) or _LIKE_THEM.fullmatch(header.strip())):
            continue
        ends = _ends(table.written(header), table.decimal)
        if ends:
            cells = table.frame.assign(**{header: np.array(ends, dtype=object)})
            note = (
                f"{header[:60]!r} holds ranges that follow on each other ({str(table.text(header).iloc[0])[:30]!r}, ...): they are "
                "stages of one run, each read at its end."
            )
            return replace(table, frame=cells, one_run=table.stem, notes=(*table.notes, note))
    return table


def _ends(cells: list[str], decimal: str) -> list[str]:
    """The upper ends of ranges as they are written; [] unless each begins where the one before it ends, or one behind it."""
    out: list[str] = []
    before = math.nan
    for cell in cells:
        match = _RANGE.fullmatch(cell)
        if not match:
            return []
        low, high = (
            number(match["low"] + (match["unit"] or match["end"] or ""), decimal),
            number(match["high"], decimal),
        )
        if match["low"].strip("0.,") == "":
            low = 0.0
        follows = not out or (low - before in (0.0, 1.0) and low <= high)
        if not follows or not (low < high or out):
            return []
        out.append(match["high"])
        before = high
    return out
