"""Spreadsheets with headings between the runs: a row `12M`, a row `200 steps`, then the runs that belong to both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from data.headers.names import loss_name
from data.plural import agreeing
from data.readers._limits import MAX_CELLS
from data.table import REASON, Table


def sections(table: Table) -> Table:
    """The table with headings of sections moved to `aside` and their values written into the rows below them.

    A heading leaves most of what a run fills blank and fills something that no run does. The table comes back as it is
    where headings are not plainly there: at least two of them, and at most a third of the rows.
    """
    frame = table.frame
    n, width = frame.shape
    if n < 6 or width < 3 or n * width > MAX_CELLS:
        return table
    filled = np.column_stack([_filled(table.cells(h)) for h in table.headers])
    if filled.all():
        return table
    patterns, counts = np.unique(filled, axis=0, return_counts=True)
    usual = patterns[np.argmax(counts)]
    core = int(usual.sum())
    if core < 3:
        return table
    # A run fills most of the usual columns; what no such row fills belongs to the headings.
    covers = filled[:, usual].sum(axis=1)
    run = covers >= 0.5 * core
    only_headings = filled.any(axis=0) & ~filled[run].any(axis=0) if run.any() else np.zeros(width, bool)
    heading = ~run & filled[:, only_headings].any(axis=1)
    # A column that a few runs fill too, next to many headings, is still the headings' own.
    often = filled[heading].sum(axis=0) if heading.any() else np.zeros(width, int)
    shared = (~usual) & (often >= 2) & (filled[run].sum(axis=0) <= 0.2 * often)
    mostly = only_headings | shared
    heading = ~run & filled[:, mostly].any(axis=1)
    if not 2 <= int(heading.sum()) <= n / 3 or not mostly.any():
        return table
    if any(loss_name(str(h)) is not None for h, m in zip(frame.columns, mostly, strict=True) if m):
        return table  # rows of evaluations among rows of steps, as a logger writes them: no heading says a loss
    body = frame.copy()
    headers = [h for h, m in zip(frame.columns, mostly, strict=True) if m]
    for h in headers:
        column = frame[h].where(filled[:, list(frame.columns).index(h)])
        # A heading for a larger section does not carry the values of the smaller one above it.
        body[h] = column.ffill().where(~heading, frame[h])
        body[h] = body[h].where(body[h].notna(), "")
    reason = np.full(int(heading.sum()), "a heading between runs, not a run", dtype=object)
    aside = frame[heading].reset_index(drop=True).assign(**{REASON: reason})
    rows = agreeing(int(heading.sum()), "row is a heading", "rows are headings")
    note = (
        f"{rows} between the runs; what they say "
        f"({', '.join(headers[:3])}{', ...' if len(headers) > 3 else ''}) was taken down into the rows below them."
    )
    return replace(
        table,
        frame=pd.DataFrame(body[~heading].reset_index(drop=True), dtype=object),
        lines=table.lines[~heading],
        aside=aside,
        aside_lines=table.lines[heading],
        brought_down=frozenset(headers),
        notes=(*table.notes, note),
    )


def _filled(cells: np.ndarray) -> np.ndarray:
    """Where something is written: (n,) bool."""
    if set(map(type, cells)) <= {str, type(None)}:
        return np.fromiter(map(bool, cells), bool, len(cells))
    return np.fromiter((not (c is None or c == "" or c != c) for c in cells), bool, len(cells))
