"""Runs for a law with inputs or an output of its own: the columns that it names, as the file has them."""

from __future__ import annotations

import os
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from data.errors import DataError, MappingNeeded, Question, ReadError
from data.extras import extras
from data.frames import index_names, repeated, under_labels
from data.given import a_mapping, a_source, in_short, names_of
from data.losses.other_laws import plain
from data.read import from_frame, read_files
from data.rows.history import distinct
from data.schema import COLUMNS, HELD_OUT, NothingKept, Provenance, Runs
from data.states.roles import roles
from data.table import Table

Source: TypeAlias = str | os.PathLike[str] | pd.DataFrame | Sequence[str | os.PathLike[str] | pd.DataFrame] | Table
NAMES = ("run", "name", "model")
# Numbers of the runs table that say which runs belong together, and by compute how far a forecast lies beyond them, whatever their
# unit; other numbers keep their own names, since a law that takes them from the runs table would take them in its unit.
TOGETHER = ("params", "flops")
_AGAIN = re.compile(r" \(\d+\)$")  # what a table adds to a header that stands in it before


def read_columns(
    source: Source, columns: Sequence[str], answers: Mapping[str, str | None] = MappingProxyType({})
) -> Runs:
    """The runs of one file, data frame (or a list of one) or table with these columns as positive numbers, in the units written.

    A header is matched to a column whatever its case, with blanks for underscores; `answers` names the header of a column that
    is called otherwise. What else the file has is carried along, to group runs by and to leave some out. Rows are called by a
    column run, name or model, else by the index of a frame where it names them. One without a positive number in the columns asked
    for is set aside with its reason. Rows that the file says are held out have that `role`, as in a table of losses. Raises
    `MappingNeeded` that names the columns a table lacks or asks which of several of one name is meant, `NothingKept` where no row is
    left.
    """
    columns = names_of(columns, "columns", '["samples", "coverage"]')
    table = _one_table(source)
    found = {plain(h): h for h in reversed(table.headers)}
    given = a_mapping("answers", answers, '{"samples": "tries"}')
    known = {plain(c) for c in (*columns, *COLUMNS, *NAMES)}
    for column, header in given.items():
        if plain(column) not in known:
            raise DataError(f"there is no column {in_short(column)} to read; the law has {', '.join(columns)}.")
        if header is None:
            found.pop(plain(column), None)
            continue
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
    _one_each(table, [c for c in columns if plain(c) not in {plain(key) for key in given}])
    frame = pd.DataFrame({c: table.numbers(found[plain(c)]).values for c in columns})
    frame.insert(0, "run", _names(source, table, found))
    notes = list(table.notes)
    if isinstance(source, pd.DataFrame) and not any(n in found for n in NAMES) and (again := repeated(source)):
        notes.append(again)
    used = [found[plain(c)] for c in columns]
    held = roles(table, used, None, True, notes)
    more = _beside(table, found, [*used, *([held.header] if held else []), *_name(found)], list(columns))
    frame = pd.concat([frame, pd.DataFrame({c: values.array for c, (_, values) in more.items()})], axis=1)
    bad = {c: ~(np.isfinite(frame[c]) & (frame[c] > 0)) for c in columns}
    reason = [next((_why(c, frame[c][i]) for c in columns if bad[c][i]), "") for i in range(len(frame))]
    aside = np.array([bool(r) for r in reason], dtype=bool)
    if held is not None and (held.role[~aside] == HELD_OUT).any():
        frame["role"] = pd.Series(held.role, dtype="str")
    sources = [Provenance(c, found[plain(c)], "named by the law") for c in columns]
    sources += [Provenance(c, header, "as the file has it") for c, (header, _) in more.items() if c != header]
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


def _one_each(table: Table, columns: Sequence[str]) -> None:
    """Nothing, where no two columns that say different things are called like one that is read; else MappingNeeded asks which."""
    questions = []
    for column in columns:
        called = [h for h in table.headers if plain(_AGAIN.sub("", h)) == plain(column)]
        values = [table.numbers(h).values for h in called]
        if any(not np.array_equal(values[0], other, equal_nan=True) for other in values[1:]):
            questions.append(
                Question(
                    f"columns.{column}", f"Which column holds {column}: {', '.join(called)}?", tuple(called), called[0]
                )
            )
    if questions:
        raise MappingNeeded(f"{table.name}: " + " ".join(q.text for q in questions), tuple(questions))


def _name(found: Mapping[str, str]) -> list[str]:
    """The header of the column that names the rows; none where there is none."""
    return [found[n] for n in NAMES if n in found][:1]


def _beside(
    table: Table, found: Mapping[str, str], used: Sequence[str], columns: Sequence[str]
) -> dict[str, tuple[str, pd.Series]]:
    """Other columns (n,) than those used, each with its header, by name: by those of the runs table if their unit does not matter."""
    new: dict[str, tuple[str, pd.Series]] = {}
    for name, column in COLUMNS.items():
        if name in ("role", *columns) or (header := found.get(name)) is None or header in used:
            continue
        if name in TOGETHER:
            x = table.numbers(header).values
            positive = np.isfinite(x) & (x > 0)
            if positive.any():
                new[name] = header, pd.Series(np.where(positive, x, np.nan))
        elif column.kind == "text" and (text := table.text(header)).ne("").any():
            new[name] = header, text
    return new | extras(table, {*used, *(header for header, _ in new.values())}, ["run", *columns, *new])


def _names(source: Source, table: Table, found: Mapping[str, str]) -> list[str]:
    """What the rows (n,) are called: by a column of names, by the index of a frame that has none, else by their numbers."""
    for header in _name(found):
        return distinct(list(map(str, table.text(header))))
    labels = index_names(one) if isinstance(one := _only(source), pd.DataFrame) else None
    called = dict(enumerate(labels or (), 1))  # by lines, which rows keep where a table is turned
    lines = [int(k) for k in table.lines]
    return distinct([called.get(line, f"{table.name} {i}") for i, line in enumerate(lines, 1)])


def _why(column: str, value: float) -> str:
    """Why a row with this value of a column is not fitted."""
    return f"{column} is 0, and logarithms are fitted" if value == 0 else f"no positive {column}"


def _only(source: Source) -> Any:
    """What was given, where it is one file or frame, or a list of one."""
    if isinstance(source, str | os.PathLike | pd.DataFrame | Table):
        return source
    return source[0] if len(source) == 1 else None


def _one_table(source: Source) -> Table:
    if isinstance(source, Table):
        return source
    given = a_source(source)
    if isinstance(given, pd.DataFrame):
        return from_frame(given, "table")
    tables = read_files(given)[0] if len(given) == 1 else []
    if len(tables) != 1:
        raise ReadError(
            f"One table was expected for a law with columns of its own; {max(len(given), len(tables))} came. Join them first."
        )
    return tables[0]
