"""Runs for a law with inputs or an output of its own: the columns that it names, as the file has them."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from data.errors import MappingNeeded, Question, ReadError
from data.frames import index_names, repeated, under_labels
from data.losses.other_laws import plain
from data.read import from_frame, read_files
from data.rows.history import distinct
from data.schema import HELD_OUT, NothingKept, Provenance, Runs
from data.states.roles import roles
from data.table import Table

Source: TypeAlias = str | os.PathLike[str] | pd.DataFrame | Sequence[str | os.PathLike[str] | pd.DataFrame]
NAMES = ("run", "name", "model")


def read_columns(
    source: Source, columns: Sequence[str], answers: Mapping[str, str | None] = MappingProxyType({})
) -> Runs:
    """The runs of one file or data frame (or a list of one) with these columns as positive numbers, in the units they are written in.

    A header is matched to a column whatever its case, with blanks for underscores; `answers` names the header of a column that
    is called otherwise. Rows are called by a column run, name or model, else by the index of a frame where it names them. One
    without a positive number in these columns is set aside with its reason. Rows that the file says are held out have that
    `role`, as in a table of losses. Raises `MappingNeeded` that names the columns a table lacks, `NothingKept` where no row is
    left.
    """
    table = _one_table(source)
    found = {plain(h): h for h in reversed(table.headers)}
    for column, header in answers.items():
        if header not in table.headers:
            raise ReadError(f"{table.name} has no column {header!r:.60}; it has {', '.join(table.headers[:12])}.")
        found[plain(column)] = header
    lacks = [c for c in columns if plain(c) not in found]
    if lacks:
        raise MappingNeeded(
            f"{table.name} has no column {' and no '.join(lacks)}; it has {', '.join(table.headers[:12])}. "
            "Rename the columns that are meant.",
            tuple(Question(f"columns.{c}", f"Which column holds {c}?", table.headers) for c in lacks),
        )
    frame = pd.DataFrame({c: table.numbers(found[plain(c)]).values for c in columns})
    if "flops" in found and "flops" not in columns:  # how far a forecast lies beyond the runs is told by it
        compute = table.numbers(found["flops"]).values
        frame["flops"] = np.where(np.isfinite(compute) & (compute > 0), compute, np.nan)
    frame.insert(0, "run", _names(source, table, found))
    notes = list(table.notes)
    if isinstance(source, pd.DataFrame) and not any(n in found for n in NAMES) and (again := repeated(source)):
        notes.append(again)
    held = roles(table, [found[plain(c)] for c in columns], None, True, notes)
    bad = {c: ~(np.isfinite(frame[c]) & (frame[c] > 0)) for c in columns}
    reason = [next((_why(c, frame[c][i]) for c in columns if bad[c][i]), "") for i in range(len(frame))]
    aside = np.array([bool(r) for r in reason], dtype=bool)
    if held is not None and (held.role[~aside] == HELD_OUT).any():
        frame["role"] = pd.Series(held.role, dtype="str")
    sources = [Provenance(c, found[plain(c)], "named by the law") for c in columns]
    out = Runs(
        frame[~aside].reset_index(drop=True),
        frame[aside].assign(reason=[r for r in reason if r]).reset_index(drop=True),
        table.name,
        tuple([*sources, held.source] if held is not None and "role" in frame else sources),
        tuple(notes),
        named=tuple(columns),
    )
    if isinstance(one := _only(source), pd.DataFrame):
        by_row: dict[Hashable, str] = {int(i): str(name) for i, name in zip(table.lines, frame["run"], strict=True)}
        out = under_labels(replace(out, labels=by_row), one, table)
    if not len(out):
        raise NothingKept(f"{table.name}: no row has positive numbers in {', '.join(columns)}.", out)
    return out


def _names(source: Source, table: Table, found: Mapping[str, str]) -> list[str]:
    """What the rows (n,) are called: by a column of names, by the index of a frame that has none, else by their numbers."""
    named = next((found[n] for n in NAMES if n in found), None)
    if named is not None:
        return distinct(list(map(str, table.text(named))))
    (one,) = [source] if isinstance(source, str | os.PathLike | pd.DataFrame) else source
    labels = index_names(one) if isinstance(one, pd.DataFrame) else None
    called = dict(enumerate(labels or (), 1))  # by lines, which rows keep where a table is turned
    lines = [int(k) for k in table.lines]
    return distinct([called.get(line, f"{table.name} {i}") for i, line in enumerate(lines, 1)])


def _why(column: str, value: float) -> str:
    """Why a row with this value of a column is not fitted."""
    return f"{column} is 0, and logarithms are fitted" if value == 0 else f"no positive {column}"


def _only(source: Source) -> Any:
    """What was given, where it is one file or frame, or a list of one."""
    if isinstance(source, str | os.PathLike | pd.DataFrame):
        return source
    return source[0] if len(source) == 1 else None


def _one_table(source: Source) -> Table:
    many = [source] if isinstance(source, str | os.PathLike | pd.DataFrame) else list(source)
    if len(many) == 1 and isinstance(many[0], pd.DataFrame):
        return from_frame(many[0], "table")
    paths = [one for one in many if not isinstance(one, pd.DataFrame)]
    tables = read_files(paths)[0] if len(many) == len(paths) == 1 else []
    if len(tables) != 1:
        raise ReadError(
            f"One table was expected for a law with columns of its own; {max(len(many), len(tables))} came. Join them first."
        )
    return tables[0]
