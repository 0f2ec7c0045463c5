"""Columns of a file that mean nothing to the runs table, carried along under their own names."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from data.draft import MAX_EXTRAS
from data.schema import COLUMNS
from data.table import Table


def extras(table: Table, used: Collection[str], taken: Collection[str]) -> dict[str, tuple[str, pd.Series]]:
    """The first columns (n,) that are not `used`, each with its header, by names that are not `taken` nor the runs table's.

    One that holds nothing but plain numbers is numbers, any other text; an empty one is left out.
    """
    new: dict[str, tuple[str, pd.Series]] = {}
    for header in [h for h in table.headers if h not in used][:MAX_EXTRAS]:
        name = header
        while name in taken or name in new or name in COLUMNS or name == "reason":
            name += " (file)"
        found = table.numbers(header)
        if found.share == 1.0 and not found.written and found.whole:
            new[name] = header, pd.Series(found.values)
        elif not found.blank.all():
            new[name] = header, table.text(header)
    return new
