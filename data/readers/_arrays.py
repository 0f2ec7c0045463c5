"""Objects that hold a run's curve in arrays, or in a list of objects, turned into one row per element."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd

from data.errors import ReadError
from data.headers.names import loss_name, named
from data.headers.parts import header
from data.readers._array_lengths import Block, check_lengths
from data.readers._elements import as_name, as_number, is_number, keys_of, means, mostly_numbers, rises
from data.readers._limits import MAX_CELLS, MAX_COLUMNS, check_shape
from data.readers._nested import Parts, as_text, tail, take_apart
from data.rows.history import distinct
from data.rows.progress import PROGRESS, WHOLE
from data.table import Table, unique

#: What does not change along a run: an array of these holds runs, not checkpoints.
_RUN_LEVEL = frozenset((
    "run", "group", "family", "params", "params_total", "params_nonembed", "params_active", "seed", "width", "layers",
))  # fmt: skip
#: What may change along a run, but tells runs apart where nothing says how far it had come nor names it: a sweep.
_SWEPT = frozenset(("lr", "batch", "batch_sequences", "weight_decay", "warmup_steps", "schedule", "dataset", "seq_len"))
INDEX = "index"  # the position in an array, where nothing else says how far a run had come

Row = dict[str, Any]


@dataclass(frozen=True)
class Exploded:
    """Rows as a table holds them. `objects` (n,) is the position of the object that each row comes from.

    `order` names the column along which the rows of one object are a run's checkpoints, '' where no object holds a
    curve or where the elements are runs of their own.
    """

    rows: list[Row]
    objects: list[int]
    order: str
    notes: tuple[str, ...]


def table_of(
    objects: Sequence[Row], *, name: str, format: str, numbers: Sequence[int] | None = None, notes: Sequence[str] = ()
) -> Table:
    """The table in the objects, a row each or a row for each element of their curves. `numbers` are theirs in the file.

    Raises ReadError when it is more than is read, or holds nothing.
    """
    if not any(objects):
        raise ReadError(f"{name} holds no values; expected one object per run.")
    found = explode(objects, name, numbers)
    rows = found.rows
    keys = list(dict.fromkeys(key for row in rows for key in row))
    check_shape(name, len(rows), len(keys))
    cells = {k: c for k in keys if not _is_nothing(c := [row.get(k) for row in rows])}
    written = {k: pd.Series(c, dtype=object) for k, c in cells.items()}
    if not written:
        raise ReadError(f"{name} holds no values; expected one object per run.")
    names = dict(zip(written, unique(list(written)), strict=True))
    frame = pd.DataFrame({names[k]: c for k, c in written.items()}, index=pd.RangeIndex(len(rows)))
    alone = len(objects) == 1
    numbered = np.arange(1, len(objects) + 1) if numbers is None else np.asarray(numbers)
    lines = np.arange(1, len(rows) + 1) if alone else numbered[found.objects]
    return Table(
        frame,
        name,
        format,
        lines.astype(np.int64),
        (*notes, *found.notes),
        one_run=PurePath(name).stem if alone and found.order else "",
        order=names.get(found.order, ""),
    )


def _is_nothing(cells: list[Any]) -> bool:
    return all(c is None or c is pd.NA or c is pd.NaT or (isinstance(c, float) and c != c) for c in cells)


def explode(objects: Sequence[Row], name: str, numbers: Sequence[int] | None = None) -> Exploded:
    """The rows in the objects: one for each plain object, one for each element of an object's arrays.

    Arrays become rows where they are as long as an array of losses; others stay in one cell as text, and are noted.
    `numbers` are the objects' numbers in the file, for the names of runs without one. Raises ReadError beyond the
    cells that are read, before the rows are made.
    """
    parts: list[Parts] = []
    stored = 0
    for o in objects:
        parts.append(take_apart(o))
        stored += len(parts[-1])
        if stored > MAX_CELLS or len(parts[-1]) > MAX_COLUMNS:
            raise _too_much(name, stored > MAX_CELLS)
    _check(parts, name)
    settings = _settings(parts)
    log = _is_log(parts)
    blocks = [[] if log else _blocks(p, settings) for p in parts]
    curves = [b for b in blocks if b]
    if not curves:
        kept = _kept([(p, set()) for p in parts])
        return Exploded([_plain(p, set()) for p in parts], list(range(len(parts))), "", kept)
    used = [{key for keys, _ in b for key in keys} for b in blocks]
    for i, (p, object_blocks) in enumerate(zip(parts, blocks, strict=True)):
        check_lengths(
            p, object_blocks, name if len(parts) == 1 else f"{name}, object {numbers[i] if numbers else i + 1}"
        )
    order = _order(curves)
    own = any(means(k) == "run" for p in parts for k in p.plain)
    levels = _RUN_LEVEL if order or own else _RUN_LEVEL | _SWEPT
    are_runs = any(_varies(rows, levels) for object_blocks in curves for _, rows in object_blocks)
    order = "" if are_runs else order
    if not are_runs and not order:
        order = _free(INDEX, parts, curves)
        for b in curves:
            for _, rows in b:
                rows[:] = [{order: i} | row for i, row in enumerate(rows, start=1)]
    if not are_runs and len(parts) > 1:
        _name(parts, numbers or range(1, len(parts) + 1))
    again = set() if are_runs else _said_again(parts, blocks)
    out: list[Row] = []
    source: list[int] = []
    totals: dict[str, None] = {}
    for k, (p, object_blocks) in enumerate(zip(parts, blocks, strict=True)):
        outer = _plain(p, used[k])
        if not object_blocks:
            out.append(outer)
            source.append(k)
            continue
        inner = {key for _, rows in object_blocks for row in rows for key in row}
        outer = _final(outer, inner)
        ends = {key: v for key, v in outer.items() if loss_name(key) is not None and not are_runs}
        along = {key: v for key, v in outer.items() if key not in ends}
        ends = {key: v for key, v in ends.items() if key not in again}
        totals |= dict.fromkeys(k for k in along if means(k) in PROGRESS and k not in inner)
        for _, rows in object_blocks:
            out += [row | {key: v for key, v in along.items() if key not in row} for row in rows]
            source += [k] * len(rows)
        if ends:  # a plain loss beside a curve is the loss at its end
            out[-1] = out[-1] | {key: v for key, v in ends.items() if key not in out[-1]}
    notes = list(_kept(list(zip(parts, used, strict=True))))
    if are_runs:
        notes.insert(0, "Arrays were read as one row per element: each element is a run of its own.")
    else:
        what = f"{len(curves):,} runs hold their curves" if len(curves) > 1 else "The run holds its curve"
        said = f"{what} in arrays: one row per element, the last of them the run."
        if order == INDEX or order.startswith(f"{INDEX} ("):
            said = f"{said[:-1]}; nothing says at which step each was measured, so {order!r} counts them."
        notes.insert(0, said)
        if totals:
            notes.insert(1, f"The whole run's value stands in every row of its curve: {', '.join(totals)}.")
    return Exploded(out, source, order, tuple(notes))


def is_curve(parts: Parts) -> bool:
    """Whether the object holds arrays or lists of objects that are a run's checkpoints."""
    blocks = _blocks(parts)
    return bool(blocks) and not any(_varies(rows) for _, rows in blocks)


def is_history(rows: Sequence[Row]) -> bool:
    """Whether the objects (already flat) are checkpoints of one run: a progress that rises, nothing of a run's own."""
    return not _varies(rows) and not any(means(k) in _RUN_LEVEL for k in keys_of(rows)) and bool(_rising([rows]))


def holds_loss(rows: Sequence[Row]) -> bool:
    """Whether some object has a loss in numbers."""
    keys = [k for k in keys_of(rows) if loss_name(k) is not None]
    return any(mostly_numbers([row.get(k) for row in rows]) for k in keys)


def flat(record: Row) -> Row:
    """An object as one row, its lists in one cell each."""
    return _plain(take_apart(record), set())


# Blocks ---------------------------------------------------------------------------------------------------------------


def _settings(each: Sequence[Parts]) -> frozenset[str]:
    """Arrays that are not a part of any curve: in some object they are of another length than its curves."""
    out: set[str] = set()
    for parts in each:
        if parts.arrays:
            lengths = _lengths(parts)
            out |= {k for k, v in parts.arrays.items() if len(v) not in lengths and means(k) not in PROGRESS}
    return frozenset(out)


def _blocks(parts: Parts, settings: frozenset[str] = frozenset()) -> list[Block]:
    """The object's curves, each as rows: arrays as long as an array of losses, and lists of objects with losses.

    Curves of different lengths stand below one another, each under names of its own.
    """
    if not parts.arrays and not parts.records:
        return []
    out: list[Block] = []
    for n in _lengths(parts):
        keys = tuple(k for k, v in parts.arrays.items() if len(v) == n and k not in settings)
        columns = [parts.arrays[k] for k in keys]
        if not keys:
            continue
        out.append((keys, [dict(zip(keys, values, strict=True)) for values in zip(*columns, strict=True)]))
    # Steps are steps in all of several blocks.
    out = [(keys, _shared(rows) if len(out) > 1 else _of_folders(rows, parts.plain)) for keys, rows in out]
    lists = {k: [flat(r) for r in v] for k, v in parts.records.items()}
    lists = {k: rows for k, rows in lists.items() if holds_loss(rows)}
    for key, rows in lists.items():
        if len(lists) > 1 or out:  # what was measured keeps the name of its list; steps are steps in all of them
            rows = [{k if means(k) in PROGRESS else f"{key}/{k}": v for k, v in r.items()} for r in rows]
        out.append(((key,), rows))
    return out


def _shared(rows: list[Row]) -> list[Row]:
    """The rows with what says how far training had come under the runs table's own name for it."""
    names: dict[str, str] = {}
    for column in PROGRESS:
        keys = [k for k in keys_of(rows) if column in (means(k), means(k.rsplit("/", 1)[-1]))]
        if len(keys) == 1:
            names[keys[0]] = column
    return [{names.get(k, k): v for k, v in row.items()} for row in rows]


def _of_folders(rows: list[Row], taken: Iterable[str]) -> list[Row]:
    """The rows with what says how far training had come under its name without its folders, history/step as step.

    Only where it rises, one name says it and nothing in `taken` has it.
    """
    names: dict[str, str] = {}
    for column in PROGRESS:
        keys = [k for k in keys_of(rows) if column in (means(k), means(tail(k)))]
        free = len(keys) == 1 and means(keys[0]) != column and tail(keys[0]) not in {*taken, *keys_of(rows)}
        if free and rises([row.get(keys[0]) for row in rows]):
            names[keys[0]] = tail(keys[0])
    return [{names.get(k, k): v for k, v in row.items()} for row in rows] if names else rows


def _lengths(parts: Parts) -> list[int]:
    """The lengths of the arrays that become rows."""
    losses = [v for k, v in parts.arrays.items() if loss_name(k) is not None and mostly_numbers(v)]
    ends = [v for k, v in parts.plain.items() if loss_name(k) is not None and is_number(v)]
    if ends:  # beside a loss of the whole run an array may hold its parts, by domain or by task
        paced = {len(v) for k, v in parts.arrays.items() if {means(k), means(tail(k))} & set(PROGRESS) and rises(v)}
        losses = [v for v in losses if len(v) in paced or _ends_at(v, ends)]
    lengths = list(dict.fromkeys(map(len, losses)))
    return lengths if lengths or ends else _without_loss(parts)


def _ends_at(values: Sequence[Any], ends: Sequence[Any]) -> bool:
    """Whether the last number of an array, or its least, is one of these losses."""
    read = np.array([as_number(v) for v in values])
    read = read[np.isfinite(read)]
    return bool(len(read)) and any(
        abs(x - e) <= 0.005 * abs(e) for x in (read[-1], read.min()) for e in map(as_number, ends)
    )


def _is_log(each: Sequence[Parts]) -> bool:
    """Whether the objects are the steps of a log, of which none holds a curve: a counter that rises from one to the next."""
    if len(each) < 2:
        return False
    rows = [p.plain for p in each if p.arrays or p.records]
    counters = [k for k in keys_of(rows[:1]) if means(k) == "steps" and header(k).words.endswith(_COUNTERS)]
    return any(rises([row.get(k) for row in rows]) for k in counters) and not _varies(rows)


_COUNTERS = ("step", "iter", "iteration", "itr")


def _without_loss(parts: Parts) -> list[int]:
    """The length of the arrays where none is called a loss but one says how far training had come."""
    counts: dict[int, int] = {}
    for v in parts.arrays.values():
        if len(v) >= 3 and mostly_numbers(v):
            counts[len(v)] = counts.get(len(v), 0) + 1
    progress = [
        len(v) for k, v in parts.arrays.items() if means(k) in PROGRESS and counts.get(len(v), 0) >= 2 and rises(v)
    ]
    return list(dict.fromkeys(progress))[:1]


def _check(parts: Sequence[Parts], name: str) -> None:
    """ReadError where the rows would have more cells than are read."""
    cells = 0
    for p in parts:
        if p.arrays or p.records:
            lengths = [len(v) for v in p.arrays.values()]
            for n in _lengths(p):
                cells += n * (lengths.count(n) + len(p.plain) + 1)
            cells += sum(len(v) * (len(p.plain) + 2) for v in p.records.values())
            if cells > MAX_CELLS:
                raise _too_much(name, True)


def _too_much(name: str, cells: bool) -> ReadError:
    if cells:
        return ReadError(f"{name} has more than {MAX_CELLS:,} cells; export fewer columns or thin out the history.")
    return ReadError(f"{name} has more than {MAX_COLUMNS:,} columns; at most that many are read.")


def _order(curves: Sequence[list[Block]]) -> str:
    """The name under which every block of every object says how far the run had come, or ''."""
    return _rising([rows for object_blocks in curves for _, rows in object_blocks])


def _rising(blocks: Sequence[Sequence[Row]]) -> str:
    for column in PROGRESS:
        for key in keys_of(blocks[0]):
            if means(key) == column and all(rises([row.get(key) for row in rows]) for rows in blocks):
                return key
    return ""


def _varies(rows: Sequence[Row], levels: frozenset[str] = _RUN_LEVEL) -> bool:
    """Whether something that is a run's own takes several values among the rows."""
    keys = [k for k in keys_of(rows) if means(k) in levels]
    return any(len({str(row.get(k)) for row in rows if row.get(k) is not None}) > 1 for k in keys)


def _final(outer: Row, inner: Iterable[str]) -> Row:
    """The object's plain values; one that says how far training came in all is set apart from the curve's own."""
    inner = set(inner)
    along = {means(k) for k in inner} & set(PROGRESS)
    return {f"{k}{WHOLE}" if means(k) in along and k not in inner else k: v for k, v in outer.items()}


def _said_again(parts: Sequence[Parts], blocks: Sequence[list[Block]]) -> set[str]:
    """Losses beside the curves that are, in every object, the last value of one: a summary says nothing new."""
    out: set[str] = set()
    other: set[str] = set()
    for p, object_blocks in zip(parts, blocks, strict=True):
        losses = {k: v for k, v in p.plain.items() if loss_name(k) is not None}
        lasts = [
            _last(rows, k) for _, rows in object_blocks for k in keys_of(rows) if losses and loss_name(k) is not None
        ]
        for key, v in losses.items():
            (out if as_number(v) in lasts else other).add(key)
    return out - other


def _last(rows: Sequence[Row], key: str) -> float:
    return next((as_number(row[key]) for row in reversed(rows) if row.get(key) is not None), np.nan)


def _name(parts: Sequence[Parts], numbers: Sequence[int]) -> None:
    """See that every object has a run's name of its own, so that its rows stay together."""
    sure: dict[str, float] = {}
    for p in parts:
        for key in p.plain:
            if named(key) and named(key)[0][0] == "run":
                sure[key] = named(key)[0][1]
    best = max(sure, key=lambda k: sure[k], default="")
    names = [as_name(p.plain.get(best)) for p in parts]
    if best and all(names) and len(set(names)) == len(names):
        return
    if sure.get(best, 0.0) < 1.0:
        best = "run"
    names = distinct([n or f"row {i}" for n, i in zip(names, numbers, strict=True)])
    for p, n in zip(parts, names, strict=True):
        p.plain = {best: n, **{k: v for k, v in p.plain.items() if k != best}}


# Cells ----------------------------------------------------------------------------------------------------------------


def _plain(parts: Parts, used: set[str]) -> Row:
    """The object's values as cells: arrays and lists that did not become rows stand in one cell each."""
    out = dict(parts.plain)
    out.update({k: as_text(v) for k, v in parts.arrays.items() if k not in used})
    out.update({k: as_text(v) for k, v in parts.records.items() if k not in used})
    out.update({k: v for k, v in parts.other.items() if v})
    return out


def _kept(each: Sequence[tuple[Parts, set[str]]]) -> tuple[str, ...]:
    """The note on arrays that did not become rows."""
    left: dict[str, None] = {}
    for parts, used in each:
        for k in (*parts.arrays, *parts.records, *(k for k, v in parts.other.items() if v)):
            if k not in used and len(left) < 1000:
                left[k] = None
    if not left:
        return ()
    shown = ", ".join(k[:60] for k in list(left)[:5]) + (f" and {len(left) - 5} more" if len(left) > 5 else "")
    noun = "array is" if len(left) == 1 else "arrays are"
    return (f"{len(left):,} {noun} kept as text and not as rows: {shown}.",)


def _free(name: str, parts: Sequence[Parts], curves: Sequence[list[Block]]) -> str:
    taken = {k for p in parts for k in p.plain} | {k for b in curves for _, rows in b for row in rows for k in row}
    k, out = 2, name
    while out in taken:
        out, k = f"{name} ({k})", k + 1
    return out
