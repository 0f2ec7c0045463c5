"""Amounts of data written as products: 4 × 5B and 5B x4 of tokens, which are 20B. Of parameters 8x7B is none."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from data.cells.values import number
from data.headers.names import named
from data.table import Table

_AMOUNT = r"(?P<amount>[0-9][0-9.,]{0,11})\s*(?P<unit>[kKmMbBtT]|bn|BT|MT)\s*(?:tokens?|toks?)?"
_TIMES = r"(?P<times>[1-9][0-9]{0,2})"
_FORMS = (re.compile(rf"\s*{_TIMES}\s*[x×*·]\s*{_AMOUNT}\s*"), re.compile(rf"\s*{_AMOUNT}\s*[x×*·]\s*{_TIMES}\s*"))
_SIGN = re.compile("[x×*·]")
_LONGEST = 40


def products(table: Table) -> Table:
    """The table with such cells of its columns of tokens multiplied out, and a note."""
    frame, notes = table.frame, list(table.notes)
    for header in [h for h in table.headers if (found := named(h)) and found[0][0] == "tokens"]:
        cells = table.raw(header)
        if not isinstance(cells, np.ndarray) and not isinstance(cells.dtype, pd.StringDtype):
            continue
        new = {
            c: p for c in dict.fromkeys(table.cells(header)) if isinstance(c, str) and (p := _product(c, table.decimal))
        }
        if new:
            first = next(iter(new))
            notes.append(f"{header!r}: products were multiplied out, {first[:_LONGEST]!r} as {new[first]}.")
            frame = frame.assign(
                **{header: pd.Series([new.get(c, c) if isinstance(c, str) else c for c in cells], dtype=object)}
            )
    return table if frame is table.frame else replace(table, frame=frame, notes=tuple(notes))


def _product(cell: str, decimal: str) -> str:
    """The product that a cell states, in the unit of its amount; '' where it states none."""
    if len(cell) > _LONGEST or not _SIGN.search(cell):
        return ""
    found = next((m for f in _FORMS if (m := f.fullmatch(cell))), None)
    amount = number(found["amount"], decimal) if found else float("nan")
    if found is None or amount != amount:
        return ""
    return f"{amount * int(found['times']):.12g}{found['unit']}".replace(".", decimal)
