"""A line of settings above the lines of a log: {"type": "config", "n_params": 25000000} and then {"step": 100, "loss": 4.5}."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from data.headers.names import loss_name
from data.headers.parts import header
from data.readers._elements import is_number, means
from data.readers._nested import take_apart

Row = dict[str, Any]

#: What a run is set up with, of which a line of its log says nothing.
_SETTINGS = frozenset((
    "params", "params_total", "params_nonembed", "params_active", "batch", "batch_sequences", "batch_device", "grad_accum",
    "seq_len", "total_steps", "layers", "width", "heads", "vocab", "devices", "data_parallel", "warmup_steps", "weight_decay",
))  # fmt: skip
#: What a line says of itself and not of its run.
_OF_THE_LINE = frozenset(
    ("type", "event", "kind", "_type", "record", "time", "timestamp", "_timestamp", "ts", "level", "msg")
)
_COUNTERS = ("step", "iter", "iteration", "itr")


@dataclass(frozen=True)
class _Line:
    """What the names of an object's values say: all of them, those of settings, whether it logs a loss or a step."""

    names: frozenset[str]
    settings: frozenset[str]
    loss: bool
    step: bool


def brought_down(rows: Sequence[Row], lines: Sequence[int]) -> tuple[list[Row], list[int], str]:
    """The objects (n,) without those that hold settings alone, whose values stand in each object below them; and a sentence.

    `lines` are the objects' numbers in the file. A line of settings logs no loss and no step, and lines below it do without
    saying its settings again.
    """
    same = list(rows), list(lines), ""
    if len(rows) < 2 or not _holds_settings(_line(rows[0])):
        return same
    known: dict[tuple[str, ...], _Line] = {}
    kinds = [known[k] if (k := tuple(row)) in known else known.setdefault(k, _line(row)) for row in rows]
    apart = [_holds_settings(kind) for kind in kinds]
    logged = frozenset[str]().union(*(k.names for k, a in zip(kinds, apart, strict=True) if not a))
    if not kinds[0].settings - logged or not any(k.loss for k in kinds):
        return same
    out: list[Row] = []
    kept: list[int] = []
    settings: Row = {}
    blocks: list[tuple[Row, int]] = []
    at: list[int] = []
    before = False
    for row, line, own in zip(rows, lines, apart, strict=True):
        if own:
            said = {k: v for k, v in row.items() if k.lower() not in _OF_THE_LINE}
            settings = settings | said if before else said
            blocks[len(blocks) - before :] = [(settings, line)]
            at.append(line)
        else:
            out.append(settings | row)
            kept.append(line)
        before = own
    if not out:
        return same
    _name(out, kept, blocks)
    shown = ", ".join(map(str, at[:5])) + (f" and {len(at) - 5} more" if len(at) > 5 else "")
    verb = "Line {} holds" if len(at) == 1 else "Lines {} hold"
    return out, kept, f"{verb.format(shown)} the settings of the lines below."


def _name(rows: list[Row], lines: Sequence[int], blocks: Sequence[tuple[Row, int]]) -> None:
    """Name the rows below each of several settings by its line, the first of those that are alike, where nothing names runs."""
    if len(blocks) < 2 or any(means(k) == "run" for row in rows[:1] for k in take_apart(row).plain):
        return
    i = 0
    for k, line in enumerate(lines):
        while i + 1 < len(blocks) and blocks[i + 1][1] < line:
            i += 1
        first = next(at for settings, at in blocks if settings == blocks[i][0])
        rows[k] = {"run": f"line {first}"} | rows[k]


def _holds_settings(line: _Line) -> bool:
    return bool(line.settings) and not line.loss and not line.step


def _line(row: Row) -> _Line:
    parts = take_apart(row)
    loss = any(loss_name(k) is not None and (is_number(v) or isinstance(v, str)) for k, v in parts.plain.items())
    curves = any(loss_name(k) is not None for k in parts.arrays) or bool(parts.records)
    step = any(means(k) == "steps" and header(k).words.endswith(_COUNTERS) for k in parts.plain)
    settings = frozenset(k for k in parts.plain if means(k) in _SETTINGS)
    return _Line(frozenset(parts.plain), settings, loss or curves, step)
