"""Grids of losses: a size in each row, a budget or an amount of data in each column, a loss in each cell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from data.cells import number
from data.markup import words
from data.names import named

_MOST = 200  # rows and columns of a grid that people write
_LOSS = (0.2, 20.0)  # between which nearly all cells lie: nats or bits of a language model
_AXES = {
    "tokens": re.compile(r"(?:D|data|tokens?|toks?)", re.IGNORECASE),
    "flops": re.compile(r"(?:C|flops?|compute|budget)", re.IGNORECASE),
    "params": re.compile(r"(?:N|params?|parameters?|size|model(?: size)?)", re.IGNORECASE),
}
SAID = {"tokens": "tokens", "flops": "FLOPs", "params": "parameters"}  # as the runs' names say it
_SAID = re.compile(
    r"(?:(?P<name>[A-Za-z ]{1,12}?)\s*[=:]\s*|@\s*)?(?P<value>[0-9][0-9.,]*(?:e[+-]?[0-9]+)?\s*[kmbgtpe]?)"
    r"\s*(?P<unit>tokens?|toks?|t|flops?)?",
    re.IGNORECASE,
)


def matrix(
    rows: Sequence[Sequence[Any]], lines: Sequence[int], decimal: str = "."
) -> tuple[list[list[Any]], list[int], str] | None:
    """The rows of a grid as one row a run under a header of their own, the line of each, and a note; None where they are no grid.

    `lines` are the positions of the rows in their file.
    """
    lines = [i for i, r in zip(lines, rows, strict=True) if any(_text(c) for c in r)]
    rows = [r for r in rows if any(_text(c) for c in r)]
    if not 3 <= len(rows) <= _MOST or not 3 <= len(rows[0]) <= _MOST:
        return None
    head = [_text(c) for c in rows[0]]
    found = [_SAID.fullmatch(h) for h in head[1:]]
    if not head[0] or not np.isnan(number(head[0], decimal)) or not all(found):
        return None
    values = [number(m["value"], decimal) for m in found if m]
    if len(set(values)) < len(values) or not all(np.isfinite(values)):
        return None
    axis = _axis(head, [m for m in found if m], values)
    sizes = [_text(r[0]) if r else "" for r in rows[1:]]
    body = np.array(
        [[number(_text(r[j]) if j < len(r) else "", decimal) for j in range(1, len(head))] for r in rows[1:]]
    )
    known = body[np.isfinite(body)]
    if not axis or not all(sizes) or len(known) < 0.5 * body.size or not len(known):
        return None
    if not (np.median(known) >= _LOSS[0] and np.mean((known >= _LOSS[0]) & (known <= _LOSS[1])) > 0.9):
        return None
    first = re.split(r"\s*[\\/|↓→]+\s*", head[0])[0].strip() or "params"
    first = "params" if _AXES["params"].fullmatch(first) and first.upper() == "N" else first
    named_by = any(c in ("run", "family") for c, _ in named(first)) and all(np.isnan(number(s, decimal)) for s in sizes)
    out: list[list[Any]] = [["run", first, axis, "loss"]]
    origin = [lines[0]]
    for size, row, line in zip(sizes, rows[1:], lines[1:], strict=True):
        for j, value in enumerate(values, start=1):
            cell = _text(row[j]) if j < len(row) else ""
            if cell:
                called = size if named_by else f"row {line + 1}"
                written = found[j - 1]
                text = written["value"].strip() if written else ""
                out.append([f"{called} at {text} {SAID[axis]}", size, f"{value:.12g}".replace(".", decimal), row[j]])
                origin.append(line)
    return out, origin, f"A grid of losses was read as one run a cell: {head[0]!r} down, {axis} along."


def _axis(head: Sequence[str], found: Sequence[re.Match[str]], values: Sequence[float]) -> str:
    """What the columns of a grid count, '' where neither words nor sizes tell."""
    names = {(m["name"] or "").strip() for m in found} - {""}
    units = {(m["unit"] or "").strip() for m in found} - {""}
    corner = re.split(r"\s*[\\/|↓→]+\s*", head[0])
    for said in (*names, *units, *corner[1:]):
        for axis, pattern in _AXES.items():
            if pattern.fullmatch(said.strip()) or (axis == "tokens" and said.lower() == "t"):
                return axis if axis != "params" else ""
    if names or units:
        return ""
    if min(values) >= 1e15:
        return "flops"
    return "tokens" if min(values) >= 1e6 and max(values) < 1e15 else ""


def _text(cell: Any) -> str:
    return "" if cell is None else words(" ".join(str(cell)[:80].split()))
