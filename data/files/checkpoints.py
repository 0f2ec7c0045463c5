"""Files of one run's checkpoints, told by their folders or names (step_1000/eval.json, gpt-step_1000.json), as one table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

import numpy as np
import pandas as pd

from data.errors import ReadError
from data.filenames.columns import with_places
from data.filenames.steps import end_of, model_of, of_a_checkpoint, place_of
from data.headers.names import loss_name, named
from data.readers._limits import check_shape
from data.rows.labels import CONSTANT
from data.table import Table, unique, without_misfits

NAMES = "checkpoint"  # the header of the column that says which file a row comes from
LENGTHS = "run"  # the same where these may be runs of several lengths: 1000steps
_NUMBER = re.compile(r"[0-9]{1,15}")
_FOLDER = re.compile(r"(?:check ?points?|ckpts?|steps?|iters?|iterations?)", re.IGNORECASE)


@dataclass(frozen=True)
class _Part:
    """A file of checkpoints: its position, the name of its place, and how far along that is."""

    at: int
    place: str
    along: float


@dataclass(frozen=True)
class Joined:
    """The tables after files of one run became one: each with the parts of its path, its file, and what was said."""

    tables: list[Table]
    places: list[tuple[str, ...]]
    files: list[str]
    notes: tuple[str, ...] = ()


def one_per_run(tables: Sequence[Table], places: Sequence[tuple[str, ...]], files: Sequence[str]) -> Joined:
    """The tables (n,) with those of one run's checkpoints joined, in the order of the first file of each.

    `places` are the parts of each file's path, `files` their paths. Files are of one run where their paths differ in a step
    alone, each has a loss, and sizes and plans agree.
    """
    groups: dict[tuple[str, ...], list[_Part]] = {}
    for i, file in enumerate(files):  # the whole path: parts of it may be cut off
        path = PurePath(file)
        key, place, along, _ = _apart((*path.parts[:-1], path.stem))
        groups.setdefault(key, []).append(_Part(i, place, along))
    made: dict[int, tuple[Table, tuple[str, ...], str]] = {}
    gone: set[int] = set()
    notes: list[str] = []
    for group in groups.values():
        if len({p.along for p in group if np.isfinite(p.along)}) < 2 or not all(_has_loss(tables[p.at]) for p in group):
            continue
        ordered = sorted(group, key=lambda p: p.along)
        owner = _apart(places[ordered[0].at])[3]
        above = {part for p in ordered for part in places[p.at] if not _NUMBER.fullmatch(part)}
        plain = any(map(of_a_checkpoint, (*above, *(p.place for p in ordered))))
        if not plain and any(len(tables[p.at].frame) > 1 for p in ordered):
            continue  # curves of runs of several lengths
        joined = _joined([tables[p.at] for p in ordered], ordered, owner[-1], NAMES if plain else LENGTHS, notes)
        if joined is not None:
            made[min(p.at for p in group)] = joined, owner, files[ordered[-1].at]
            gone |= {p.at for p in group}
    if not made:
        return Joined(list(tables), list(places), list(files))
    out = [made.get(i, (tables[i], places[i], files[i])) for i in range(len(tables)) if i in made or i not in gone]
    return Joined([t for t, _, _ in out], [p for _, p, _ in out], [f for _, _, f in out], tuple(notes))


def _apart(parts: tuple[str, ...]) -> tuple[tuple[str, ...], str, float, tuple[str, ...]]:
    """A path without the step in it, the name of the part that said it, how far along it is (inf for an end or none), and the
    path of the run."""
    for i in range(len(parts) - 1, -1, -1):
        name = parts[i]
        model, place = model_of(name), place_of(name)
        if _NUMBER.fullmatch(name) and i and _FOLDER.fullmatch(parts[i - 1]):
            model, place = "", ("steps", float(name))
        along = np.inf if place is None else place[1]
        if model is None or place is None:
            model, along = end_of(name), np.inf
        if model is not None:
            before = (*parts[:i], *((model,) if model else ()))
            owner = before
            while owner and _FOLDER.fullmatch(owner[-1]):
                owner = owner[:-1]
            return (*before, *parts[i + 1 :]), name, along, owner or before or (name,)
    return parts, parts[-1], np.inf, parts


def _has_loss(table: Table) -> bool:
    return any(loss_name(h) is not None and table.numbers(h).share > 0 for h in table.headers)


def _joined(tables: list[Table], group: list[_Part], stem: str, called: str, notes: list[str]) -> Table | None:
    """The tables of one run, from its first checkpoint to its last, as one; None where they are not plainly of one run.

    `called` is the header of the column for the names of the files."""
    if len({t.decimal for t in tables}) > 1 or any(t.either_way for t in tables):
        return None
    single = all(len(t.frame) == 1 for t in tables)
    curves = all(t.one_run or not any(_means(h, "run") for h in t.headers) for t in tables) and not single
    if curves and (whole := _holds_all(tables)) is not None:
        notes.append(
            f"{len(tables) - 1} of {len(tables)} files of {stem} hold what {group[whole].place} holds: they are one run's, and "
            "the latter is read."
        )
        return replace(tables[whole], one_run=stem if tables[whole].one_run else "", stem=stem, name=tables[whole].name)
    if (single or curves) and not _alike(tables):
        return None
    plain = [without_misfits(t) for t in tables]
    frames = [t.frame for t in plain]
    if single and not any(_means(h, "run") for t in tables for h in t.headers):
        header = unique([*dict.fromkeys(str(c) for f in frames for c in f), called])[-1]
        frames = [f.assign(**{header: p.place}) for f, p in zip(frames, group, strict=True)]
    frame = pd.concat(frames, ignore_index=True)
    try:
        check_shape(stem, len(frame), frame.shape[1])
    except ReadError:
        return None
    orders = {t.order for t in plain}
    order = orders.pop() if len(orders) == 1 and curves else ""
    asides = [t.aside for t in plain if t.aside is not None]
    lines = [t.aside_lines for t in plain if t.aside_lines is not None]
    last = plain[-1]
    table = replace(
        last,
        frame=frame,
        lines=np.arange(1, len(frame) + 1, dtype=np.int64),
        notes=tuple(dict.fromkeys(n for t in plain for n in t.notes)),
        aside=pd.concat(asides, ignore_index=True) if asides else None,
        aside_lines=np.concatenate(lines) if lines else None,
        one_run=stem if order and all(t.one_run for t in plain) else "",
        order=order,
        stem=stem,
        from_name={h: said for t in plain for h, said in t.from_name.items()},
        brought_down=frozenset(h for t in plain for h in t.brought_down),
    )
    whose = "its checkpoints" if called == NAMES else "runs or of checkpoints"
    notes.append(f"{len(tables)} files of {stem} are named by the steps of {whose} and were read as one table.")
    steps = [p.along for p, t in zip(group, plain, strict=True) for _ in range(len(t.frame))]
    return with_places(table, steps, [p.place for p in group])


def _means(header: str, column: str) -> bool:
    return any(c == column and sure >= 0.8 for c, sure in named(header)[:1])


def _alike(tables: list[Table]) -> bool:
    """Whether sizes, seeds and plans are the same in all tables, where they say them."""
    said: dict[str, set[str]] = {}
    for table in tables:
        for header in table.headers:
            column = (
                table.from_name[header][0] if header in table.from_name else next((c for c, _ in named(header)), "")
            )
            if column in CONSTANT:
                said.setdefault(header, set()).update(v for v in table.text(header).unique() if v)
    return all(len(values) == 1 for values in said.values())


def _holds_all(tables: list[Table]) -> int | None:
    """The position of the last table that holds the rows of every other, as a log that is written anew at each checkpoint does."""
    most = max(range(len(tables)), key=lambda i: (len(tables[i].frame), i))
    whole = tables[most]
    moving = [h for h in whole.headers if whole.text(h).nunique() > 1]
    for table in tables:
        if table is whole:
            continue
        moving_here = [h for h in table.headers if h in whole.headers and (h in moving)]
        if not moving_here or any(h not in whole.headers for h in table.headers if loss_name(h) is not None):
            return None
        rows = set(zip(*(whole.text(h) for h in moving_here), strict=True))
        if not set(zip(*(table.text(h) for h in moving_here), strict=True)) <= rows:
            return None
    return most
