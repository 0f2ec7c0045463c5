"""Laws with columns of their own: which of them the file chosen has all columns of, so that the page fits them as `isoflop fit` does."""

from __future__ import annotations

from collections.abc import Callable

from data.losses.other_laws import able
from data.table import Table
from fitting.law import Law
from fitting.laws import all_laws


def keys(table: Callable[[], Table | None]) -> list[str]:
    """The keys of such laws; none where there is none, whatever the table, which is then not asked for."""
    if not any(law.own_columns for law in all_laws().values()):
        return []
    held = table()
    return [] if held is None else able(held.headers)


def chosen(key: str, table: Callable[[], Table | None]) -> Law | None:
    """The law with this key if it is one of them."""
    law = all_laws().get(key)
    return law if law is not None and law.own_columns and key in keys(table) else None
