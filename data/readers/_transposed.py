"""Tables on their side: the names of the columns down the first column, and a run in each column beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from data.cells.values import number
from data.filenames.steps import model_of
from data.headers.names import loss_name, named, recognised
from data.headers.parts import header as take_apart
from data.readers._curves import SHIRT
from data.readers._tidy import VALUES
from data.schema import COLUMNS
from data.table import Table, unique

_MOST_NAMES = 1_000  # names down a first column that are looked at; no run has more settings
_NAMES_RUNS = re.compile(
    r"(?:.* )?(?:labels?|names?|metrics?|quantity|quantities|fields?|keys?|variables?|columns?|column [0-9]+|models?|runs?|configs?"
    r"|configurations?|settings?|hparams?|hyperparameters?|items?|property|properties|statistics?|stats?|unnamed [0-9]+|index|values?"
    r"|size|variants?|entry|experiments?|attributes?|features?|number|no|nr|sweeps?|summary|parameter name|type)"
)
_NEEDED = frozenset(("params", "params_total", "params_nonembed", "params_active", "tokens", "flops"))


def lies_on_its_side(rows: Sequence[Sequence[Any]], decimal: str = ".") -> str:
    """How rows of cells lie, their header among them: "yes" on their side, "no", or "either" where both can be read.

    On its side is a table with names of columns down its first column, a loss or two counts among them with numbers
    beside them, and with none along its first row.
    """
    if len(rows) > _MOST_NAMES:
        return "no"
    first = [next((c for c in row if _filled(c)), None) for row in rows]
    if not any(isinstance(c, str) and recognised(_text(c)) for c in first[1:]):
        return "no"  # nearly every table, said quickly
    rows = _cells(rows)
    if len(rows) < 2:
        return "no"
    names = [_text(row[0]) if row else "" for row in rows]
    down = [n for n in dict.fromkeys(names[1:]) if n]
    if down and all(model_of(n) is not None for n in down):
        return "no"  # checkpoints, perhaps with their losses: epoch=3-step=1000-val_loss=3.2
    head = [t for t in map(_text, rows[0][1:_MOST_NAMES]) if t]
    if _is_values(names[0], head, decimal):
        down, head = [*down, names[0]], []  # the first row is a row of values: runs have no names
    known = [n for n in down if recognised(n)]
    if all(len(n) == 1 for n in known) and sum(map(recognised, head)) >= 2:
        return "no"  # models called S, M and L under a header of names: the letters mean sizes, not columns
    if head and all(len(h) == 1 or SHIRT.fullmatch(h) for h in head) and sum(len(n) > 1 for n in known) >= 2:
        head = []  # models called S, M, L and XL again, with names of columns down the first column
    repeats = len([n for n in names[1:] if n]) > 1.25 * len(down) or not down
    if repeats or not _speaks(down, rows, decimal):
        return "no"
    sized = any(loss_name(n) for n in down) and any(named(n)[0][0] in _NEEDED for n in down if named(n))
    least = 0.2 if sized else 0.4
    if any(not np.isnan(number(n, decimal)) for n in down) or sum(map(recognised, down)) < least * len(down):
        return "no"
    if len(head) > 1 and any(VALUES.fullmatch(take_apart(h).words) or _means_step(h) for h in head):
        return "no"  # a long table of one run, each quantity of which was measured once
    along = sum(map(recognised, head))
    if along == 0 or (along == 1 and len(head) > 3 and not any(loss_name(h) for h in head)):
        return "yes"
    return "either" if _is_loss(head) or along >= 2 else "yes"


def _is_values(name: str, cells: Sequence[str], decimal: str) -> bool:
    """Whether a first row is values and no names of runs: all are numbers, or at least half where its name is that of a number."""
    good = [not np.isnan(number(t, decimal)) for t in cells]
    if not good:
        return False
    if not recognised(name):  # beta2 or grad norm; what is called a label or nothing may name runs by their sizes
        return bool(name) and not _NAMES_RUNS.fullmatch(take_apart(name).words) and (all(good) or _repeats(cells))
    counted = loss_name(name) is not None or COLUMNS[named(name)[0][0]].kind == "number"
    return all(good) or (counted and 2 * sum(good) >= len(good))


def _repeats(cells: Sequence[str]) -> bool:
    """Whether cells stand twice, as settings do and names of runs do not."""
    return len(set(cells)) < len(cells) and not any(map(recognised, cells))


def _speaks(down: Sequence[str], rows: Sequence[Sequence[Any]], decimal: str) -> bool:
    """Whether the names down the first column say of a loss or of counts, with numbers beside them."""
    values: dict[str, list[str]] = {}
    for row in rows:
        if row:
            values.setdefault(_text(row[0]), [t for t in map(_text, row[1:_MOST_NAMES]) if t])
    good = [n for n in down if values.get(n) and np.mean([not np.isnan(number(t, decimal)) for t in values[n]]) >= 0.5]
    losses = [n for n in good if loss_name(n) is not None]
    counts = {named(n)[0][0] for n in good if named(n)} & _NEEDED
    return (bool(losses) and sum(map(recognised, good)) >= 2) or len(counts) >= 2


def _means_step(head: str) -> bool:
    found = named(head)
    return bool(found) and found[0][0] in ("steps", "run") and found[0][1] >= 0.8


def _is_loss(head: Sequence[str]) -> bool:
    return any(loss_name(h) is not None for h in head)


def turned(rows: Sequence[Sequence[Any]], decimal: str = ".") -> list[list[Any]]:
    """The rows as columns: the first is the header, `run` and then the names down the first column."""
    rows = _cells(rows)
    width = max(map(len, rows))
    padded = [[*row, *[None] * (width - len(row))] for row in rows]
    columns = [c for c in map(list, zip(*padded, strict=True)) if any(map(_filled, c))]
    first = [_text(c) for c in columns[0]]
    is_data = _is_values(first[0], [_text(c[0]) for c in columns[1:] if _filled(c[0])], decimal)
    if len(columns) > 2 and re.fullmatch(r"units?|einheit|unité", _text(columns[1][0]).strip(), re.IGNORECASE):
        said = [_text(c) for c in columns[1]]  # a column of units is none of runs
        first = [first[0], *(f"{n} ({u})" if n and u else n for n, u in zip(first[1:], said[1:], strict=True))]
        columns = [columns[0], *columns[2:]]
    if is_data:
        return [first, *columns[1:]]
    if len(columns) == 2:  # one run: the header over its values is no name of it
        return [first[1:], columns[1][1:]]
    return [["run", *first[1:]], *columns[1:]]


def _cells(rows: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """The rows without blank ones, lines of text above the table, and blank columns in front of it."""
    rows = [row for row in rows if any(map(_filled, row))]
    filled = [sum(map(_filled, row)) for row in rows]
    start = next((i for i, n in enumerate(filled) if n > 1), 0)
    rows = rows[start:]
    front = min((next(j for j, c in enumerate(row) if _filled(c)) for row in rows), default=0)
    return [row[front:] for row in rows] if front else rows


TURNED = "The column names stand in the first column: each other column was read as a run."


def upright(table: Table) -> Table:
    """The table with its runs in rows, where it lies on its side; marked `either_way` where it can be read both ways."""
    few = len(table.headers) and len(table.frame) < _MOST_NAMES
    first = table.cells(table.headers[0]) if few else ()
    if not any(isinstance(c, str) and recognised(_text(c)) for c in first):
        return table
    lies = lies_on_its_side(_rows(table), table.decimal)
    if lies == "yes":
        return turn(table)
    return replace(table, either_way=True) if lies == "either" else table


def turn(table: Table) -> Table:
    """The table with its columns as rows."""
    header, *body = turned(_rows(table), table.decimal)
    names = unique([_text(c) for c in header])
    columns = {n: pd.Series([row[j] for row in body], dtype=object) for j, n in enumerate(names)}
    frame = pd.DataFrame(columns, index=pd.RangeIndex(len(body)))
    lines = np.arange(2, len(body) + 2)
    return replace(table, frame=frame, lines=lines, notes=(*table.notes, TURNED), either_way=False)


def _rows(table: Table) -> list[list[Any]]:
    """The table's cells row by row, its header first."""
    rows = zip(*(table.cells(h) for h in table.headers), strict=True)
    return [list(table.headers), *([None if c is pd.NA or c != c else c for c in row] for row in rows)]


def _filled(cell: Any) -> bool:
    return not (cell is None or (isinstance(cell, str) and not cell.strip()))


def _text(cell: Any) -> str:
    return " ".join(str(cell)[:300].split()) if _filled(cell) else ""
