"""A column that says in which unit each row's parameters, tokens or compute are: `tokens, tokens unit` over 1.6, B."""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd

from data.cells.values import BLANK
from data.headers.names import named
from data.headers.parts import header as take_apart
from data.schema import COUNTS
from data.table import Table, unique
from data.units.factors import DIMENSION, factor

_UNIT = re.compile(r"(?:(?P<of>.+) )?units?(?: of (?:the )?(?P<behind>.+))?")
_ITSELF = re.compile(r"(?:tokens?|toks?|params?|parameters?|flops?|units?|raw|1|count)?", re.IGNORECASE)
#: What amounts of text are counted in beside tokens: none of it can be turned into them without being told how many there are.
_TEXT = re.compile(
    r"(?:[kmgt]i?)?(?:b|bytes?)|chars?|characters?|letters?|words?|docs?|documents?|pages?|sentences?|lines?|examples?"
    r"|samples?|sequences?|seqs?|epochs?|steps?|iters?|iterations?",
    re.IGNORECASE,
)
_MEANT = (*COUNTS, "tokens", "flops")


def unit_cells(table: Table) -> Table:
    """The table with such units written behind their numbers, as a cell's own unit: 1.6 B; what is no unit of the column makes
    a cell that is no number (3.2B bytes), so that its row is set aside with that.
    """
    frame, notes = table.frame, list(table.notes)
    for header in table.headers:
        found = _UNIT.fullmatch(take_apart(header).path)
        target = _target(table, header, found["of"] or found["behind"] or "") if found else None
        if target is None:
            continue
        column = next(c for c, _ in named(target) if c in _MEANT)
        units = table.written(header)
        said = dict.fromkeys(u for u in units if u)
        known = {u: _known(u, column) for u in said}
        if not said or not all(k is not None for k in known.values()) or not any(known.values()):
            continue
        cells = table.cells(target)
        written = [
            c
            if not known.get(u) or c is None or str(c).strip().lower() in (*BLANK, "nan")
            else f"{_text(c)} {known[u]}"
            for c, u in zip(cells, units, strict=True)
        ]
        frame = frame.assign(**{target: pd.Series(written, index=frame.index, dtype=object)})
        if named(target)[0][0] not in _MEANT and not all(known.values()):  # `data` may be a name as well
            name = unique([*map(str, frame.columns), f"{target} {column}"])[-1]
            frame = frame.rename(columns={target: name})
        notes.append(f"{target!r} is in the units that {header!r} says ({', '.join(list(said)[:4])}).")
    return table if frame is table.frame else replace(table, frame=frame, notes=tuple(notes))


def _target(table: Table, header: str, of: str) -> str | None:
    """The column of counts that a column of units speaks for: the one it names, or the one to its left."""
    counts = [h for h in table.headers if h != header and any(c in _MEANT and s >= 0.6 for c, s in named(h))]
    if of:
        same = [h for h in counts if take_apart(h).path == of]
        return same[0] if len(same) == 1 else None
    left = table.headers[: table.headers.index(header)]
    return left[-1] if left and left[-1] in counts else None


def _known(unit: str, column: str) -> str | None:
    """What is written behind the number for a unit: '' for the column's own, None for what is no unit."""
    if _ITSELF.fullmatch(unit):
        return ""
    if len(unit) > 30:
        return None
    if factor(unit, DIMENSION[column]) is not None and not _bytes(unit, column):
        return unit
    return f"in {unit}" if column == "tokens" and _TEXT.fullmatch(unit) else None


def _bytes(unit: str, column: str) -> bool:
    """Whether a unit of tokens is one of bytes: GB, and bytes, but not B, the billion."""
    return column == "tokens" and len(unit) > 1 and _TEXT.fullmatch(unit) is not None


def _text(cell: object) -> str:
    return (
        repr(cell)
        if isinstance(cell, float) and cell != int(cell)
        else str(int(cell) if isinstance(cell, float) else cell)
    )
