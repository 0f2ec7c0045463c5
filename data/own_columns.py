"""Runs for a law with inputs or an output of its own: the columns that it names, as the file has them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

from data.errors import MappingNeeded, Question, ReadError
from data.read import from_frame, read_files
from data.rows.history import distinct
from data.schema import NothingKept, Provenance, Runs
from data.table import Table

NAMES = ("run", "name", "model")


def read_columns(
    source: str | os.PathLike[str] | pd.DataFrame,
    columns: Sequence[str],
    answers: Mapping[str, str | None] = MappingProxyType({}),
) -> Runs:
    """The runs of one file or data frame with these columns as positive numbers, in the units they are written in.

    A header is matched to a column whatever its case, with blanks for underscores; `answers` names the header of a column that
    is called otherwise. A row without a positive number in one of them is set aside with its reason. Raises `MappingNeeded`
    that names the columns a table lacks, `NothingKept` where no row is left.
    """
    table = from_frame(source, "table") if isinstance(source, pd.DataFrame) else _one_file(source)
    found = {_plain(h): h for h in reversed(table.headers)}
    for column, header in answers.items():
        if header not in table.headers:
            raise ReadError(f"{table.name} has no column {header!r:.60}; it has {', '.join(table.headers[:12])}.")
        found[_plain(column)] = header
    lacks = [c for c in columns if _plain(c) not in found]
    if lacks:
        raise MappingNeeded(
            f"{table.name} has no column {' and no '.join(lacks)}; it has {', '.join(table.headers[:12])}. "
            "Rename the columns that are meant.",
            tuple(Question(f"columns.{c}", f"Which column holds {c}?", table.headers) for c in lacks),
        )
    frame = pd.DataFrame({c: table.numbers(found[_plain(c)]).values for c in columns})
    named = next((found[n] for n in NAMES if n in found), None)
    names = [f"{table.name} {i + 1}" for i in range(len(frame))] if named is None else list(table.text(named))
    frame.insert(0, "run", distinct(list(map(str, names))))
    bad = {c: ~(np.isfinite(frame[c]) & (frame[c] > 0)) for c in columns}
    reason = [next((f"no positive {c}" for c in columns if bad[c][i]), "") for i in range(len(frame))]
    aside = np.array([bool(r) for r in reason])
    out = Runs(
        frame[~aside].reset_index(drop=True),
        frame[aside].assign(reason=[r for r in reason if r]).reset_index(drop=True),
        table.name,
        tuple(Provenance(c, found[_plain(c)], "named by the law") for c in columns),
        named=tuple(columns),
    )
    if not len(out):
        raise NothingKept(f"{table.name}: no row has positive numbers in {', '.join(columns)}.", out)
    return out


def _one_file(source: str | os.PathLike[str]) -> Table:
    tables, _ = read_files([source])
    if len(tables) != 1:
        raise ReadError(
            f"One file was expected for a law with columns of its own; {len(tables)} came. Join them first."
        )
    return tables[0]


def _plain(header: str) -> str:
    return "_".join(str(header).casefold().split())
