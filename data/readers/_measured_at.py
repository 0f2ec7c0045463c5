"""Losses of several amounts of data or compute side by side (loss@1B, loss@2B): turned into one row a cell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from data.cells.markup import words
from data.cells.values import number
from data.headers.names import loss_name, named
from data.readers._limits import check_shape
from data.readers._matrix import SAID
from data.schema import COUNTS
from data.table import Table, unique, without_misfits

#: `loss@1B`, `val loss @ 2e9 tokens (bits)`, `ppl at 4B tokens`.
_AT = re.compile(
    r"(?P<base>.*?[A-Za-z)\]])[ _]*(?:@|\bat\b)[ _]*(?:(?P<key>[A-Za-z]{1,7})[ _]*=[ _]*)?"
    r"(?P<value>[0-9][0-9.,]*(?:e\+?[0-9]+)?[ _]*[kmbgt]?)"
    r"[ _]*(?P<unit>tokens?|toks?|flops?|params?)?[ _]*(?P<tail>[(\[][^()\[\]]*[)\]])?",
    re.IGNORECASE,
)
_AXES = {
    "tokens": re.compile(r"D|data|tokens?|toks?", re.IGNORECASE),
    "flops": re.compile(r"C|flops?|compute|budget", re.IGNORECASE),
    "params": re.compile(r"N|params?|parameters?|size", re.IGNORECASE),
}
_LONGEST = 120  # signs of a header that is looked at
_LEAST = {"tokens": 1e6, "flops": 1e15, "params": 1e3}  # what is smaller counts steps or shots


@dataclass(frozen=True)
class _Spread:
    """The columns of cells: for each loss its header at every value of the axis, and how the headers write that value."""

    axis: str
    losses: dict[str, dict[float, str]]
    written: dict[float, str]


def measured_at(table: Table) -> Table:
    """The table with one row a cell where losses of several amounts stand side by side; else as it is.

    What else stands in a row is said of each of its cells. Raises ReadError beyond the size that is read.
    """
    found = _found(table)
    if found is None:
        return table
    table = without_misfits(table)
    n, k = len(table.frame), len(found.written)
    gone = {h for by_value in found.losses.values() for h in by_value.values()}
    rest = [h for h in table.headers if h not in gone]
    check_shape(table.name, n * k, len(rest) + len(found.losses) + 2)
    run = next((h for h in rest if any(c == "run" and s >= 0.6 for c, s in named(h))), None)
    called = rows_called(table, rest, run)
    blocks = []
    for value, text in found.written.items():
        block = {h: table.frame[h].astype(object) for h in rest}
        at = [f"{name} at {text} {SAID[found.axis]}" for name in called]
        block[run or "run"] = pd.Series(at, dtype=object)
        block[found.axis] = pd.Series([f"{value:.12g}".replace(".", table.decimal)] * n, dtype=object)
        for base, by_value in found.losses.items():
            cells = table.frame[by_value[value]].astype(object) if value in by_value else [None] * n
            block[base] = pd.Series(cells, dtype=object)
        blocks.append(pd.DataFrame(block))
    rows = np.arange(n * k).reshape(k, n).T.ravel()  # the cells of a row one below the other
    frame = pd.concat(blocks, ignore_index=True).iloc[rows].reset_index(drop=True)
    written = np.zeros(len(frame), dtype=bool)
    for base in found.losses:
        written |= np.array([c is not None and c == c and str(c).strip() != "" for c in frame[base]])
    empty = int((~written).sum())
    frame, lines = frame[written].reset_index(drop=True), np.repeat(table.lines, k)[written]
    frame.columns = unique([str(c) for c in frame.columns])
    shown = ", ".join(sorted(gone, key=table.headers.index)[:3]) + (", ..." if len(gone) > 3 else "")
    note = f"A grid of losses ({shown}) was read as one run a cell: {SAID[found.axis]} along."
    note += f" {empty} empty cell{' is no run' if empty == 1 else 's are no runs'}." if empty else ""
    return replace(table, frame=frame, lines=lines, notes=(*table.notes, note), either_way=False)


def _found(table: Table) -> _Spread | None:
    """The columns of cells; None where there are none, or where another column holds the axis or a loss already."""
    matches: dict[str, re.Match[str]] = {}
    for header in table.headers:
        match = _AT.fullmatch(words(header).strip()) if len(header) <= _LONGEST else None
        if match and loss_name(_base(match)) is not None and table.numbers(header).share >= 0.5:
            matches[header] = match
        elif loss_name(header) is not None:
            return None
    others = [h for h in table.headers if h not in matches]
    have = {c for h in others for c, s in named(h) if s >= 0.6 and table.numbers(h).share >= 0.5}
    values = {h: number(m["value"].replace("_", ""), table.decimal) for h, m in matches.items()}
    axis = _axis(list(matches.values()), list(values.values()))
    if not axis or not all(np.isfinite(v) and v >= _LEAST[axis] for v in values.values()):
        return None
    if have & ({axis} if axis != "params" else set(COUNTS)) or any(h.lower() == axis for h in others):
        return None
    losses: dict[str, dict[float, str]] = {}
    for header, match in matches.items():
        by_value = losses.setdefault(_base(match), {})
        if values[header] in by_value:
            return None
        by_value[values[header]] = header
    written = {values[h]: m["value"].strip() for h, m in matches.items()}
    if len(written) < 2 or any(b.lower() in (h.lower() for h in others) for b in losses):
        return None
    return _Spread(axis, losses, written)


def _base(match: re.Match[str]) -> str:
    return " ".join(filter(None, (match["base"].strip(), match["tail"])))


def _axis(matches: Sequence[re.Match[str]], values: Sequence[float]) -> str:
    """What the values along count, '' where neither words nor sizes tell."""
    said = {m[g] for m in matches for g in ("key", "unit") if m[g]}
    axes = {next((a for a, form in _AXES.items() if form.fullmatch(text)), "") for text in said}
    if axes:
        return axes.pop() if len(axes) == 1 else ""
    if len(values) < 2:
        return ""
    if min(values) >= _LEAST["flops"]:
        return "flops"
    return "tokens" if max(values) < _LEAST["flops"] else ""


def rows_called(table: Table, rest: Sequence[str], run: str | None) -> list[str]:
    """A name for each row: that of its run or model, else its line; with its seed where there is one and no run is named."""
    family = next((h for h in rest if any(c == "family" and s >= 0.6 for c, s in named(h))), None)
    header = run or (family if family and table.numbers(family).share < 0.9 else None)
    names = list(table.text(header)) if header else [""] * len(table.frame)
    called = [str(n) or f"row {line}" for n, line in zip(names, table.lines, strict=True)]
    seed = next((h for h in rest if any(c == "seed" and s >= 0.9 for c, s in named(h))), None)
    if seed and len(set(called)) < len(called):
        called = [f"{n}, seed {s}" if s else n for n, s in zip(called, table.text(seed), strict=True)]
    return called
