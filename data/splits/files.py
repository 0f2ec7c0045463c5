"""Files that hold losses of the same runs on several splits or texts, train.csv and val.csv, as one table with a column for the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import PurePath

import numpy as np
import pandas as pd

from data.headers.names import loss_name, named
from data.headers.parts import header as take_apart
from data.losses.held_out import CORPUS
from data.schema import COUNTS
from data.splits.words import kind
from data.table import Table

FILE = "file"  # the header of the column that says which file a row comes from
_AGAIN = 0.5  # the share of a file's runs that stand in another one too
_MOST_ROWS = 20_000
_MOST_FILES = 20
_DATA = ("tokens", "flops", "samples")
_ALONG = ("steps", "epochs")


def one_of_splits(tables: Sequence[Table], files: Sequence[str]) -> tuple[list[int], Table] | None:
    """The positions of the tables (n,) that hold other losses of the same runs, and the one table that they are; None for none.

    The names of the files say a split or a text each, no column names runs, and the same sizes and data stand in them again.
    """
    folders = {str(PurePath(f).parent) for f in files}
    if len(folders) > 1 or not 2 <= len(tables) <= _MOST_FILES or sum(len(t.frame) for t in tables) > _MOST_ROWS:
        return None
    said = [where(PurePath(f).stem) for f in files]
    at = [i for i, s in enumerate(said) if s and _plain(tables[i])]
    at = [i for i in at if tables[i].headers == tables[at[0]].headers and tables[i].decimal == tables[at[0]].decimal]
    if len({said[i] for i in at}) < len(at):
        return None  # two files of one text are other runs
    pairs = [pair for pair in combinations(at, 2) if _again(tables[pair[0]], tables[pair[1]])]
    at = sorted({i for pair in pairs for i in pair})
    paths = [PurePath(files[i]) for i in at]
    return (at, _below([tables[i] for i in at], [p.name for p in paths], [p.stem for p in paths])) if at else None


def where(stem: str) -> str:
    """The split or the text that a file's name says; '' for none."""
    split = kind(stem)
    if split:
        return split
    found = CORPUS.search(take_apart(stem).path.lower())
    return found[0] if found else ""


def _plain(table: Table) -> bool:
    """Whether a table has a row a run and names none: a loss, sizes that differ, what they were trained on, and no steps."""
    if (
        table.one_run
        or table.order
        or table.either_way
        or table.before is not None
        or table.aside is not None
        or table.from_name
    ):
        return False
    meant = [{c for c, sure in named(h) if sure >= 0.6} for h in table.headers if loss_name(h) is None]
    means = set().union(*meant) if meant else set()
    if means & {"run", "family", *_ALONG} or not means & set(_DATA):
        return False
    sizes = [h for h in table.headers if loss_name(h) is None and any(c in COUNTS for c, _ in named(h)[:1])]
    return any(loss_name(h) for h in table.headers) and any(table.text(h).nunique() > 1 for h in sizes)


def _again(one: Table, other: Table) -> bool:
    """Whether half of the runs of one table stand in the other too, with another loss."""
    a, b = _runs(one), _runs(other)
    shared = [key for key in a if key in b and a[key] != b[key]]
    return len(shared) > 1 and len(shared) >= _AGAIN * min(len(a), len(b))


def _runs(table: Table) -> dict[tuple[object, ...], tuple[object, ...]]:
    """The losses of each row by all else that it says."""
    parts: tuple[list[list[object]], list[list[object]]] = [], []
    for header in table.headers:
        found = table.numbers(header)
        cells = found.values if found.share == 1.0 else table.text(header).to_numpy()
        parts[loss_name(header) is not None].append(list(cells))
    return dict(zip(zip(*parts[0], strict=True), zip(*parts[1], strict=True), strict=True))


def _below(tables: Sequence[Table], names: Sequence[str], stems: Sequence[str]) -> Table:
    """The tables below each other, a column for the file of each row; lines are counted through."""
    header = FILE
    while header in tables[0].headers:
        header += " "
    frames, lines = [], []
    misfits: dict[int, str] = {}
    marked: dict[int, str] = {}
    start = 0
    for table, stem in zip(tables, stems, strict=True):
        frames.append(table.frame.astype(object).assign(**{header: stem}))
        lines.append(table.lines + start)
        misfits |= {line + start: why for line, why in table.misfits.items()}
        marked |= {line + start: how for line, how in table.marked.items()}
        start += int(table.lines.max())
    shown = ", ".join(repr(n[:60]) for n in names[:5])
    note = f"{len(tables)} files hold the same sizes and data with other losses ({shown}): read one below the other, lines are counted so."
    return replace(
        tables[0],
        frame=pd.concat(frames, ignore_index=True),
        lines=np.concatenate(lines),
        name=", ".join(names[:3]),
        misfits=misfits,
        marked=marked,
        copies={},
        brought_down=tables[0].brought_down | {header},
        notes=(*dict.fromkeys(n for t in tables for n in t.notes), note),
    )
