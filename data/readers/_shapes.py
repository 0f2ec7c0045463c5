"""The shapes that tables come in beside one run a row: on their side, and long."""

from __future__ import annotations

from data.readers._tidy import tidy
from data.readers._transposed import upright
from data.table import Table


def shaped(table: Table) -> Table:
    """The table with one row per run, or per run and step. Raises ReadError for a long table of unknown runs."""
    if table.order or table.one_run:  # its reader knows what the rows are
        return table
    return tidy(upright(table))
