"""A table of settings beside a table of results in one text: joined by the names of the runs, where these match one to one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from data.cells.markup import words
from data.headers.names import loss_name, named

Rows = Sequence[Sequence[Any]]


def settings_by_name(results: Rows, settings: Rows) -> tuple[list[str], list[list[Any]]] | None:
    """The further columns of a table of settings, and for each row of the results their cells; None where the two do not match.

    The first row of each are its column names. Both name their runs under the same name, each run once and all of them in both,
    and what the settings say no column of the results does.
    """
    head, other = (tuple(_plain(c) for c in table[0]) for table in (results, settings))
    keys = [j for j, h in enumerate(head) if h and any(c in ("run", "family") for c, _ in named(h)[:1])]
    if not keys or other.count(head[keys[0]]) != 1 or any(loss_name(h) is not None for h in other):
        return None
    key, at = keys[0], other.index(head[keys[0]])
    means = {named(h)[0][0] for h in head if named(h)}
    columns = [j for j, h in enumerate(other) if j != at and h]
    known = [named(other[j])[0][0] for j in columns if named(other[j])]
    if not known or set(known) & means or len(set(known)) < len(known) or {other[j] for j in columns} & set(head):
        return None
    names, own = [_cell(row, key) for row in results[1:]], [_cell(row, at) for row in settings[1:]]
    if not all(names) or len(set(names)) < len(names) or len(set(own)) < len(own) or set(names) != set(own):
        return None
    rows = dict(zip(own, settings[1:], strict=True))
    return [other[j] for j in columns], [[rows[n][j] if j < len(rows[n]) else "" for j in columns] for n in names]


def _plain(cell: Any) -> str:
    return "" if cell is None else words(str(cell).strip()[:200])


def _cell(row: Sequence[Any], at: int) -> str:
    return _plain(row[at]).casefold() if at < len(row) else ""
