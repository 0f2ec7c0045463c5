"""Tables beside each other on one sheet: those of the same columns go below each other, settings of the same runs to their rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from data.cells.markup import words
from data.cells.values import _is_blank, number
from data.headers.names import loss_name, named, recognised

_MOST_ROWS = 20_000
_MOST_BLOCKS = 20
Rows = Sequence[Sequence[Any]]


def parted(rows: Rows) -> tuple[Rows, tuple[str, ...]]:
    """The rows with tables beside each other, which a blank column parts, put in order; as they are where there is one.

    A table whose first column holds the names of the first table's runs in another order is brought to that order; others
    are put below it, as if they stood there.
    """
    at = next((i for i, row in enumerate(rows[:10]) if sum(not _is_blank(c) for c in row) > 3), None)
    if at is None or len(rows) > _MOST_ROWS:
        return rows, ()
    again = _repeated(rows[at])
    if not again and all(not _is_blank(c) for c in rows[at]):
        return rows, ()
    width = max(map(len, rows[at:]))
    filled = [any(j < len(row) and not _is_blank(row[j]) for row in rows[at:]) for j in range(width)]
    edges = [j for j in range(width) if filled[j] and (not j or not filled[j - 1])]
    ends = [j + 1 for j in range(width) if filled[j] and (j + 1 == width or not filled[j + 1])]
    blocks = again or list(zip(edges, ends, strict=True))
    if not again and not (2 <= len(blocks) <= _MOST_BLOCKS and all(_is_table(rows, at, a, b) for a, b in blocks)):
        return rows, ()
    first, *others = [[list(row[a:b]) for row in rows[at:]] for a, b in blocks]
    beside: list[list[Any]] = [list(row) for row in first]
    for row in beside:
        row += [""] * (blocks[0][1] - blocks[0][0] - len(row))
    below: list[list[Any]] = []
    brought = 0
    for block in others:
        names, own = ([_name(row) for row in table[1:]] for table in (beside, block))
        same = sorted(filter(None, names)) == sorted(filter(None, own)) and len(set(own)) == len(own)
        if same and not again:
            rest = dict(zip(own, block[1:], strict=True))
            size = max(map(len, block)) - 1
            beside[0] += [*block[0][1:], *[""] * size][:size]
            for row, name in zip(beside[1:], names, strict=True):
                row += [*rest.get(name, [])[1:], *[""] * size][:size]
            brought += 1
        else:
            below += [[], *block]
    notes = []
    if brought:
        tables = "A table" if brought == 1 else f"{brought} tables"
        notes.append(
            f"{tables} beside the first one {'names' if brought == 1 else 'name'} the same runs and was joined by these names."
        )
    if below:
        notes.append(
            f"{len(blocks) - brought} tables stand beside each other; they were read as if they stood below each other."
        )
    return [*rows[:at], *beside, *below], tuple(notes)


def _repeated(header: Sequence[Any]) -> list[tuple[int, int]]:
    """Where tables of the same column names begin and end in a row of names, with or without a blank one between; else nothing.

    Not so where the names say how far a run had come: those are curves of several runs, which nothing would tell apart below
    each other; nor where a table has names of runs behind a blank column, which are looked at one by one.
    """
    names = ["" if _is_blank(c) else words(str(c)[:200].strip()).casefold() for c in header]
    while names and not names[-1]:
        names.pop()
    for size in range(2, len(names) // 2 + 1):
        one, gap = names[:size], int(names[size] == "")
        if "" in one or len(set(one)) < size or (len(names) + gap) % (size + gap):
            continue
        times = (len(names) + gap) // (size + gap)
        if names != (one + [""] * gap) * (times - 1) + one or not 2 <= times <= _MOST_BLOCKS:
            continue
        means = [m[0][0] if (m := named(n)) else "" for n in one]
        known = sum(map(recognised, one))
        if known < 2 or any(number(n) == number(n) for n in one) or not any(loss_name(n) for n in one):
            return []
        if "steps" in means or "epochs" in means or (gap and means[0] in ("run", "family")):
            return []
        return [(i * (size + gap), i * (size + gap) + size) for i in range(times)]
    return []


def _is_table(rows: Rows, at: int, start: int, stop: int) -> bool:
    """Whether the columns from `start` to `stop` are a table of their own: names of runs first, two known names, numbers."""
    header = [words(str(c)[:200]) for c in rows[at][start:stop] if not _is_blank(c)]
    if len(header) < 2 or sum(map(recognised, header)) < 2 or any(number(h) == number(h) for h in header):
        return False
    means = named(header[0])
    return bool(means) and means[0][0] in ("run", "family")


def _name(row: Sequence[Any]) -> str:
    return "" if not row or _is_blank(row[0]) else words(str(row[0])[:200].strip())
