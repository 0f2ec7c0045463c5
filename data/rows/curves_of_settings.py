"""Rows without names that may be the curves of several settings: a size's rows at many places of its tokens or FLOPs."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from data.errors import MappingNeeded, Question
from data.headers.parts import header as take_apart
from data.mapping import Mapping
from data.rows.groups import Array, blank, different, each, kinds, numbered, sizes
from data.rows.line_order import FEW, MANY, VARIED
from data.rows.progress import LEAST, PROGRESS, evenly, rises, usable
from data.schema import COUNTS

_NEARLY = 0.9  # the share of settings of which it holds

#: A header that says its rows are checkpoints.
CHECKPOINT = re.compile(r"\b(?:checkpoints?|ckpts?)\b")


def curve_keys(rows: pd.DataFrame, keys: Sequence[str], column: str) -> list[str] | None:
    """The columns under whose values no place of a column stands twice: `keys`, with the settings that part the rows into curves.

    A batch or rate that differs in nearly every row, as that of a schedule does, parts none. None where a setting of the rows has
    too few places, or stands twice at one, as the runs of a sweep at one length do.
    """
    varied = [c for c in VARIED if c in rows and different(rows[c]) > 1]
    for more in (varied, *([c] for c in varied), []):
        key = group_of(rows, [*keys, *more])
        many = sizes(key)
        if not np.median(many) >= LEAST:
            continue
        if np.mean(kinds(key, rows[column]) == many) >= _NEARLY:
            return [*keys, *more]
    return None


def ask_of_curves(
    rows: pd.DataFrame, keys: Sequence[str], planned: Sequence[str], mapping: Mapping, table: str
) -> None:
    """Raise `MappingNeeded` where the rows of each setting, by `keys`, are as many as those of a log.

    Sweeps plan up to nine lengths of a size, mostly in ratios: public ones have 4 to 11. From `FEW` places at regular intervals,
    and from `MANY` at others, a curve is as likely. `planned` are the columns that may count what a run has seen.
    """
    for column in planned:
        own = curve_keys(rows, [*keys], column)
        if own is None:
            continue
        key, place = group_of(rows, own), rows[column].to_numpy()
        spaced = float(np.mean([len(at) > 2 and evenly(place[at]) for at in each(key)])) >= _NEARLY
        many = int(np.median(sizes(key)))
        if many < (FEW if spaced else MANY):
            return
        how = "at regular intervals of" if spaced else "along"
        header = mapping.header(column)
        text = f"The {many} rows of one setting rise {how} {header!r}: are they checkpoints of one run, or runs of their own?"
        guess = "checkpoints" if spaced else "runs"
        raise MappingNeeded(f"{table}: {text}", (Question("rows", text, ("checkpoints", "runs"), guess),))


def ask_of_checkpoints(names: pd.Series, rows: pd.DataFrame, mapping: Mapping, table: str) -> None:
    """Raise `MappingNeeded` where rows that a column called checkpoint tells apart share a size and rise along another column."""
    if not names_checkpoints(mapping):
        return
    same = [c for c in (*COUNTS, "seed", "dataset") if c in rows]
    key = group_of(rows, [*(["family"] if "family" in rows and not blank(rows["family"]).any() else []), *same])
    along = next((c for c in PROGRESS if c in mapping.guesses and usable(rows, c) and rises(key, rows[c])), "")
    if not along or len(sizes(numbered(key, names))) < len(names):
        return
    text = (
        f"{mapping.header('run')!r} names rows of one size that rise along {mapping.header(along)!r}: are they checkpoints of one run, "
        "or runs of their own?"
    )
    raise MappingNeeded(f"{table}: {text}", (Question("rows", text, ("checkpoints", "runs"), "checkpoints"),))


def names_checkpoints(mapping: Mapping) -> bool:
    """Whether the column of names says that they are those of checkpoints."""
    header = mapping.header("run")
    return header is not None and bool(CHECKPOINT.search(take_apart(header).words))


def group_of(rows: pd.DataFrame, columns: Sequence[str]) -> Array:
    """The number of the setting of each row (n,), by what stands in these columns."""
    if not columns:
        return np.zeros(len(rows), dtype=np.int64)
    return numbered(*(rows[c] for c in columns))
