"""Grids of losses: a size in each row, a budget or an amount of data in each column, a loss in each cell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from data.cells.markup import words
from data.cells.values import number
from data.errors import ReadError
from data.headers.names import loss_name, named
from data.headers.parts import scale_in
from data.readers._curves import along_a_counter
from data.rows.progress import evenly
from data.schema import COUNTS

_EVEN = 10  # places at regular intervals, or twice as many at others, from which a model's cells may be its curve
_LEAST = 3  # rows of a grid that is refused where nothing says what it holds
_MOST = 200  # rows and columns of a grid that people write
_SMALLEST = 1e3  # of the sizes of models along a grid
_PLAIN = 3.0  # tokens per parameter that tell sizes from tokens along a grid of budgets
_LOSS = (0.2, 20.0)  # between which nearly all cells lie: nats or bits of a language model
_AXES = {
    "tokens": re.compile(r"(?:D|data|tokens?|toks?)", re.IGNORECASE),
    "flops": re.compile(r"(?:C|flops?|compute|budget)", re.IGNORECASE),
    "params": re.compile(r"(?:N|params?|parameters?|size|model(?: size)?)", re.IGNORECASE),
    "lr": re.compile(r"(?:(?:peak |max )?(?:lr|learning[ _]?rate)|η)", re.IGNORECASE),
    "batch size": re.compile(r"(?:(?:global )?batch(?:[ _]?size)?|bsz?|B)", re.IGNORECASE),
    "steps": re.compile(r"(?:steps?|iterations?|iters?)", re.IGNORECASE),
    "epochs": re.compile(r"epochs?", re.IGNORECASE),
    "weight decay": re.compile(r"(?:weight[ _]?decay|wd)", re.IGNORECASE),
}
SAID = {"tokens": "tokens", "flops": "FLOPs", "params": "parameters"}  # as the runs' names say it
_SIZED = frozenset((*COUNTS, "family", "run", "group", "flops"))  # rows whose columns may be told by their size
_CORNER = re.compile(r"\s*[\\/|↓→↘×]+\s*|\s+(?:vs\.?|by|x)\s+")
_ROW = re.compile(
    r"(?:(?P<base>.*?[A-Za-z)\]])\s*(?:@|\bat\b)\s*)?(?:(?P<name>[A-Za-z]{1,7})\s*=\s*)?"
    r"(?P<value>[0-9][0-9.,]*(?:e\+?[0-9]+)?\s*[kmbgtpe]?)\s*(?P<unit>tokens?|toks?|t|flops?)?",
    re.IGNORECASE,
)
_LEAST_TOKENS = 1e6  # a smaller amount behind an @ counts steps or shots
_UNIT = re.compile(r"(.*?)\s*([(\[][^()\[\]]{1,12}[)\]])?")
_ROUND = str.maketrans("[]", "()")
NO_LOSSES = re.compile(
    r"\b(?:acc(?:uracy)?|scores?|time|hours?|seconds?|speed|throughput|mfu|memory|std|error|gap)\b", re.IGNORECASE
)
_SAID = re.compile(
    r"(?:(?P<name>[A-Za-z ]{1,12}?)\s*[=:]\s*|@\s*)?(?P<value>[0-9][0-9.,]*(?:e[+-]?[0-9]+)?\s*[kmbgtpe]?)"
    r"\s*(?P<unit>tokens?|toks?|t|flops?)?",
    re.IGNORECASE,
)


def matrix(
    rows: Sequence[Sequence[Any]], lines: Sequence[int], decimal: str = "."
) -> tuple[list[list[Any]], list[int], str] | None:
    """The rows of a grid as one row a run under a header of their own, the line of each, and a note; None where they are no grid.

    `lines` are the positions of the rows in their file. Raises ReadError for a grid whose first cell does not say what it holds.
    """
    lines = [i for i, r in zip(lines, rows, strict=True) if any(_text(c) for c in r)]
    rows = [r for r in rows if any(_text(c) for c in r)]
    captions = next((i for i, r in enumerate(rows) if sum(bool(_text(c)) for c in r) > 1), 0)
    caption, rows = " ".join(_text(c) for r in rows[:captions] for c in r if _text(c)), _trimmed(rows[captions:])
    lines = lines[captions:]
    if not 3 <= len(rows) <= _MOST or not 3 <= len(rows[0]) <= _MOST or NO_LOSSES.search(caption):
        return None
    head = [_text(c) for c in rows[0]]
    found = [_SAID.fullmatch(h) for h in head[1:]]
    if not np.isnan(number(head[0], decimal)) or not all(found):
        return None
    values = [number(m["value"], decimal) for m in found if m]
    if len(set(values)) < len(values) or not all(np.isfinite(values)):
        return None
    sizes = [_text(r[0]) if r else "" for r in rows[1:]]
    if along_a_counter(head[0], [number(size, decimal) for size in sizes]) and all(_of_a_curve(m) for m in found if m):
        return None  # curves of models or settings, each in a column
    down = _amounts(sizes, decimal)
    if down is None:
        axis = _axis(head, [m for m in found if m], values) if head[0] else ""
        if all(m and m["value"][-1].isalpha() for m in found):
            axis = _sizes_along(head[0], values, [number(size, decimal) for size in sizes], axis)
    elif any(m["name"] or m["unit"] for m in found if m) or (
        set(_CORNER.split(head[0])) - {""} and not _of_models(head[0])
    ):
        return None
    else:  # the rows say their amount, so the columns are the models
        axis, sizes = "params", list(down.amounts)
    body = np.array(
        [[number(_text(r[j]) if j < len(r) else "", decimal) for j in range(1, len(head))] for r in rows[1:]]
    )
    known = body[np.isfinite(body)]
    if not all(sizes) or len(known) < 0.5 * body.size or not len(known):
        return None
    if not (np.median(known) >= _LOSS[0] and np.mean((known >= _LOSS[0]) & (known <= _LOSS[1])) > 0.9):
        return None
    if not axis:
        if all(np.isfinite(number(size, decimal)) for size in sizes) and len(set(sizes)) == len(sizes) >= _LEAST:
            raise ReadError(
                "The table looks like a grid of losses, and its first cell does not say what its rows and its columns count "
                f"({head[0][:40]!r}). Write both there, as in N \\ D, params / tokens or N (M) \\ lr."
            )
        return None
    first = _corner(head[0])[0].strip() or "params"
    first = down.axis if down else axis_called(first) or first
    if first.partition(" (")[0] == axis.partition(" (")[0]:
        return None
    named_by = any(c in ("run", "family") for c, _ in named(first)) and all(np.isnan(number(s, decimal)) for s in sizes)
    along = axis.partition(" (")[0]
    sides = [s.strip().lower() for s in _corner(head[0])]
    first, axis = ("epoch" if a == "epochs" and "epoch" in sides else a for a in (first, axis))  # counted one by one
    stepped = first.partition(" (")[0] == "steps"
    curves = _as_a_log(first, [number(size, decimal) for size in sizes]) or _as_a_log(axis, values)
    out: list[list[Any]] = [["run", first, axis, down.loss if down and down.loss else _loss(caption)]]
    origin = [lines[0]]
    for size, row, line in zip(sizes, rows[1:], lines[1:], strict=True):
        for j, value in enumerate(values, start=1):
            cell = _text(row[j]) if j < len(row) else ""
            if cell:
                called = size if named_by else f"row {line + 1}"
                written = found[j - 1]
                text = written["value"].strip() if written else ""
                out.append(
                    [
                        f"{text} at {size} steps" if stepped else f"{called} at {text} {SAID.get(along, along)}",
                        size,
                        f"{value:.12g}".replace(".", decimal),
                        row[j],
                    ]
                )
                origin.append(line)
    out = [row[1:] for row in out] if curves else out  # names would say that each cell is a run
    return out, origin, f"A grid of losses was read as one run a cell: {head[0]!r} down, {axis} along."


def _as_a_log(axis: str, places: Sequence[float]) -> bool:
    """Whether places along one side of a grid of steps, tokens, FLOPs or epochs are as many as those of curves; any of one `epoch` are."""
    if axis.partition(" (")[0] not in ("steps", "tokens", "flops", "epochs") or not np.isfinite(places).all():
        return axis == "epoch"
    return len(places) >= 2 * _EVEN or (len(places) >= _EVEN and evenly(pd.Series(places)))


def _of_a_curve(head: re.Match[str]) -> bool:
    """Whether a header beside a counter is a model's size, or a setting by its name: 20M, N=20M, lr=1e-3."""
    if head["name"]:
        return axis_called(head["name"]) not in ("tokens", "flops")
    return head["value"][-1].isalpha() and not head["unit"]


@dataclass(frozen=True)
class _Amounts:
    """What the rows of a grid say of themselves: loss @ 1B, 5B tokens, C=1e19."""

    axis: str  # "tokens" | "flops"
    amounts: tuple[str, ...]
    loss: str


def _amounts(texts: Sequence[str], decimal: str) -> _Amounts | None:
    """The amount of tokens or compute in the name of each row; None where a name says none in words or behind an @."""
    found = [_ROW.fullmatch(t) for t in texts]
    axes, bases = set(), set()
    for m in found:
        if m is None or not np.isfinite(number(m["value"], decimal)):
            return None
        words = next((w for w in (m["unit"], m["name"]) if w), "")
        base = (m["base"] or "").strip()
        if (base and loss_name(base) is None) or not (words or base):
            return None
        small = number(m["value"], decimal) < _LEAST_TOKENS
        axes.add("tokens" if words.lower() == "t" else axis_called(words) if words else "" if small else "tokens")
        bases.add(base)
    if len(axes) != 1 or len(bases) != 1 or not axes <= {"tokens", "flops"}:
        return None
    return _Amounts(axes.pop(), tuple(m["value"].strip() for m in found if m), bases.pop())


def _of_models(corner: str) -> bool:
    """Whether a corner names models or the loss, or both sides of a grid the sizes among them."""
    sides = [s.strip() for s in _CORNER.split(corner) if s.strip()]
    sized = [bool(axis_called(s).startswith("params") or {c for c, _ in named(s)} & _SIZED) for s in sides]
    return any(sized) or all(loss_name(s) is not None for s in sides)


def _trimmed(rows: list[Sequence[Any]]) -> list[Sequence[Any]]:
    """The rows without the blank columns that bars at their ends leave."""
    if not rows or not 0 < max(map(len, rows)) <= _MOST:
        return rows
    filled = [j for j in range(max(map(len, rows))) if any(j < len(r) and _text(r[j]) for r in rows)]
    return [r[filled[0] : filled[-1] + 1] for r in rows] if filled else rows


def _corner(text: str) -> list[str]:
    """The names in a corner, of the rows first: N / D, and N D where arrows were taken off."""
    sides = _CORNER.split(text)
    apart = text.split()
    return apart if len(sides) == 1 and len(apart) == 2 and all(map(axis_called, apart)) else sides


def axis_called(side: str) -> str:
    """One side of the corner under a name that is known, its unit kept; '' where it is none."""
    found = _UNIT.fullmatch(side.strip())
    if found is None:
        return ""
    name = next((axis for axis, pattern in _AXES.items() if pattern.fullmatch(found[1].strip())), "")
    unit = (found[2] or "").translate(_ROUND)
    return f"{name} {unit}".strip() if name else ""


def _loss(caption: str) -> str:
    """What the cells of a grid are called under a caption: where and in which unit it says that they were measured."""
    said = loss_name(caption) if caption else None
    if said is None:
        return "loss"
    return f"{said.split} loss".strip() + (f" ({said.unit})" if said.unit else "")


def _axis(head: Sequence[str], found: Sequence[re.Match[str]], values: Sequence[float]) -> str:
    """What the columns of a grid count, '' where neither words nor sizes tell."""
    names = {(m["name"] or "").strip() for m in found} - {""}
    units = {(m["unit"] or "").strip() for m in found} - {""}
    corner = _corner(head[0])
    for said in (*names, *units, *corner[1:]):
        axis = "tokens" if said.lower() == "t" else axis_called(said)
        if axis:
            return axis
    means = {c for c, sure in named(head[0]) if sure >= 0.6}
    if len(corner) == 1 and loss_name(head[0]) is not None:
        return ""  # it says what the cells are, and of neither side what it counts
    if names or units or (len(corner) == 1 and means and not means & _SIZED):
        return ""  # step above 125M and 350M: those are sizes, and no tokens
    if min(values) >= 1e15:
        return "flops"
    return "tokens" if min(values) >= 1e6 and max(values) < 1e15 else ""


def _sizes_along(corner: str, values: Sequence[float], down: Sequence[float], axis: str) -> str:
    """What sizes such as 125M along a grid count whose corner names its rows alone: beside tokens they are the models'.

    Beside FLOPs they are parameters or tokens, whichever leaves more tokens than parameters; '' where that is not plain, as
    beside tokens where the corner may name the columns.
    """
    rows = axis_called(corner).partition(" (")[0] if len(_corner(corner)) == 1 else ""
    unit = scale_in(corner, rows)[0] if rows else 1.0  # 0.5 beside Tokens (B)
    down = [unit * d for d in down]
    told = bool(np.isfinite(down).all()) and min(down) > 0 and min(values) >= _SMALLEST
    if rows == "tokens" and not axis:
        return "params" if told and float(np.median(down) / np.median(values)) >= _PLAIN else ""
    if rows != "flops" or axis == "flops" or not told:
        return axis
    ratio = float(np.median([c / (6.0 * v * v) for c in down for v in values]))
    return "params" if ratio >= _PLAIN else "tokens" if ratio <= 1 / _PLAIN else ""


def _text(cell: Any) -> str:
    return "" if cell is None else words(" ".join(str(cell)[:80].split()))
