"""How long runs were to train, with a unit behind the number: 4800ba, 2.5e9tok, 1ep and 1000sp, as Composer writes them."""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd

from data.headers.names import named
from data.headers.parts import header as take_apart
from data.table import Table

_HEADER = re.compile(r"\b(?:max |train(?:ing)? |total )?(?:train(?:ing)? )?(?:duration|timestamp)$")
_CELL = re.compile(
    r"\s*([0-9][0-9_,]*(?:\.[0-9]+)?(?:e\+?[0-9]{1,2})?)\s*(ba|tok|ep|sp|batch(?:es)?|tokens?|epochs?|samples?|steps?|iter)\s*",
    re.IGNORECASE,
)
_MEANS = {"ba": "steps", "st": "steps", "it": "steps", "to": "tokens", "ep": "epochs", "sp": "samples", "sa": "samples"}
_WORDS = {"steps": "batches", "tokens": "tokens", "epochs": "epochs", "samples": "samples"}
_LONGEST = 40


def durations(table: Table) -> Table:
    """The table with such a column as numbers of what its cells count, told as that, and a note.

    All cells of the column name one unit; where another column is plainly the same count, or the units differ, it stays.
    """
    for header in table.headers:
        if not _HEADER.search(take_apart(header).path) or header in table.told:
            continue
        cells = table.text(header)
        read = [_CELL.fullmatch(c) if len(c) <= _LONGEST else None for c in cells]
        kinds = {_MEANS[m[2][:2].lower()] for m in read if m}
        if len(kinds) != 1 or any(c and m is None for c, m in zip(cells, read, strict=True)):
            continue
        column = kinds.pop()
        others = {c for h in table.headers if h != header for c, sure in named(h)[:1] if sure >= 0.8}
        if column in others:
            column = "total_steps" if column == "steps" and "total_steps" not in others else ""
        if not column:
            continue
        values = [m[1].replace("_", "").replace(",", "") if m else None for m in read]
        first = next(c for c in cells if c)
        counted = _WORDS.get(column, "batches")
        note = f"{header!r} says how long each run was to train, {first!r}: it was read in {counted}."
        return replace(
            table,
            frame=table.frame.assign(**{header: pd.Series(values, dtype=object, index=table.frame.index)}),
            told={**table.told, header: (column, f"its cells count {counted}")},
            notes=(*table.notes, note),
        )
    return table
