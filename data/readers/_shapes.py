"""The shapes that tables come in beside one run a row: on their side, long, and with seeds or amounts of data side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from data.errors import NO_COLUMN, DataError
from data.readers._at_places import at_places
from data.readers._curves import curves
from data.readers._devices import with_devices
from data.readers._durations import durations
from data.readers._measured_at import measured_at
from data.readers._pairs import paired
from data.readers._products import products
from data.readers._ranges import with_ranges_ended
from data.readers._seeds import seeded
from data.readers._settings_beside import with_settings_down
from data.readers._tidy import tidy
from data.readers._trainer_products import trainer_products
from data.readers._transposed import turn, upright
from data.readers._two_losses import two_losses
from data.readers._unit_cells import unit_cells
from data.readers._unset import without_unset
from data.readers._wide import wide
from data.table import Table


def shaped(table: Table) -> Table:
    """The table with one row per run, or per run and step. Raises ReadError for a long table of unknown runs."""
    if table.order or table.one_run:  # its reader knows what the rows are
        return with_counts(with_devices(without_unset(products(two_losses(table)))))
    return with_ranges_ended(
        with_counts(
            with_devices(
                without_unset(
                    at_places(
                        measured_at(
                            with_settings_down(
                                curves(seeded(tidy(unit_cells(paired(products(two_losses(upright(wide(table)))))))))
                            )
                        )
                    )
                )
            )
        )
    )


def with_counts(table: Table) -> Table:
    """The table with what trainers count in ways of their own told as columns of the runs table."""
    return trainer_products(durations(table))


def oriented(table: Table, orientation: str | None, columns: Mapping[str, str | None] | None = None) -> Table:
    """The table read as a person says its runs stand, "rows" or "columns"; as it is where nobody says, or need not.

    `columns` are a person's answers: where one is a column of the file that was read as a run or a place of one, or a column that
    may be several things is none of them, the table is taken as the file has it.
    """
    if orientation not in (None, "rows", "columns"):
        raise DataError(f"orientation is 'rows' or 'columns'; got {orientation!r}.")
    table = _as_in_the_file(table, columns or {})
    if not table.either_way or orientation is None:
        return table
    return replace(table, either_way=False) if orientation == "rows" else turn(table)


def _as_in_the_file(table: Table, columns: Mapping[str, str | None]) -> Table:
    before = table.before
    if before is None:
        return table
    named = any(h in before.headers and h not in table.headers for h in columns.values() if h)
    refused = [c for c, h in columns.items() if h is None or h == NO_COLUMN]
    if named or any(set(open_.columns) <= set(refused) for open_ in table.open_columns.values()):
        return replace(before, stem=table.stem, label=table.label, place=table.place, alone=table.alone)
    return table
