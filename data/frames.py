"""Data frames as tables: their headers, their cells, and what their index says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from data.cells.cleaned import clean
from data.columns.active_shares import with_active_counted
from data.columns.embeddings import with_embeddings_added
from data.errors import ReadError
from data.mapping import Mapping as ColumnMapping
from data.readers._arrays import table_of
from data.readers._arrow import without_arrow
from data.readers._decimal import with_decimal_sign
from data.readers._header_rows import joined_names
from data.readers._limits import check_shape
from data.readers._shapes import oriented, shaped
from data.recognition import recognise
from data.rows.identity import OF_INDEX
from data.schema import Runs
from data.table import Table, unique


def recognised(
    frame: pd.DataFrame, name: str, orientation: str | None, answers: dict[str, Any]
) -> tuple[Table, ColumnMapping]:
    """A data frame as a table and which column is which; its index names the runs where no column does and it can."""
    columns: Mapping[str, str | None] = answers["columns"] or {}
    table = oriented(from_frame(frame, name), orientation, columns)
    mapping = recognise(table, **answers)
    labels = None if mapping.header("run") is not None or "run" in columns else index_names(frame)
    if labels is None and mapping.header("run") is None and "run" not in columns and (note := repeated(frame)):
        return replace(table, notes=(*table.notes, note)), mapping
    if labels is None or not set(_headers(list(frame.columns))) & set(table.headers):
        return table, mapping
    if (
        not frame.index.map(type).isin([str]).all()
    ):  # numbers and dates may be those of rows: they name, and tell nothing apart
        return replace(table, called=dict(enumerate(labels, 1))), mapping
    header = "index" if frame.index.name is None else " ".join(str(frame.index.name).split())
    if frame.index.name is None:
        if "index" in map(str, frame.columns):
            return replace(table, called=dict(enumerate(labels, 1))), mapping
        again = oriented(from_frame(frame.assign(index=labels), name), orientation, columns)
    else:
        again = table
    if header not in again.headers or any(g.header == header for g in mapping.guesses.values()):
        return table, mapping
    named = recognise(again, **{**answers, "columns": {**columns, "run": header}})
    run = replace(named.guesses["run"], how=OF_INDEX)
    return again, replace(named, guesses={**named.guesses, "run": run})


def under_labels(runs: Runs, frame: pd.DataFrame, table: Table) -> Runs:
    """Runs of a frame with the labels of its index in place of the numbers of its rows; none where a row is not a run, or labels repeat."""
    by_row = runs.labels
    alike = bool(set(_headers(list(frame.columns))) & set(table.headers)) and list(table.lines) == list(
        range(1, len(frame) + 1)
    )
    no_labels = isinstance(frame.index, pd.MultiIndex) or not frame.index.is_unique or frame.index.hasnans
    if not by_row or not alike or no_labels:
        return replace(runs, labels=None)
    return replace(runs, labels={label: by_row[i] for i, label in enumerate(frame.index, 1) if i in by_row})


def repeated(frame: pd.DataFrame) -> str:
    """Why an index of texts names no runs, as a sentence, where a name in it stands twice; '' elsewhere."""
    index = frame.index
    if isinstance(index, pd.MultiIndex) or not len(index) or not index.map(type).isin([str]).all():
        return ""
    twice = index[index.duplicated()]
    return (
        f"the index names several rows {twice[0]!r:.60}, so rows are called by their numbers; give each a name of its own, or a column run"
        if len(twice)
        else ""
    )


def index_names(frame: pd.DataFrame) -> list[str] | None:
    """What the index of a frame calls its rows (n,); None for the default one, several levels, and names that repeat or lack.

    An index of numbers that has a name is a column like others.
    """
    index = frame.index
    if isinstance(index, pd.MultiIndex) or index.equals(pd.RangeIndex(len(index))) or index.hasnans:
        return None
    if index.name is not None and not index.map(type).isin([str]).all():
        return None
    labels = [clean(" ".join(str(label).split())) for label in index]
    return labels if all(labels) and len(set(labels)) == len(labels) else None


def from_frame(frame: pd.DataFrame, name: str = "table") -> Table:
    """A data frame as a table; its index is kept as a column when it has a name."""
    if frame.index.name is not None or isinstance(frame.index, pd.MultiIndex):
        frame = frame.reset_index(allow_duplicates=True)
    check_shape(name, len(frame), frame.shape[1])
    if not len(frame):
        raise ReadError(f"{name} has no rows; expected one row per training run.")
    frame = _without_decimals(without_arrow(frame.reset_index(drop=True)))
    if any(isinstance(cell, (list, tuple, np.ndarray)) for cell in _first_cells(frame)):
        return _with_lists(frame, name)
    frame.columns = unique(_headers(list(frame.columns)))
    table = shaped(with_decimal_sign(Table(frame, name, "data frame", np.arange(1, len(frame) + 1))))
    return with_active_counted(with_embeddings_added(table))


def _without_decimals(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with decimal numbers, as databases give them, as the floats that they are nearest to."""
    of = [i for i in range(frame.shape[1]) if frame.iloc[:, i].dtype == object]
    of = [i for i in of if any(isinstance(cell, Decimal) for cell in frame.iloc[:, i])]
    if not of:
        return frame
    columns = [frame.iloc[:, i] for i in range(frame.shape[1])]
    for i in of:
        cells = [float(cell) if isinstance(cell, Decimal) and not cell.is_snan() else cell for cell in columns[i]]
        plain = all(isinstance(cell, float) or cell is None for cell in cells)
        columns[i] = pd.Series(cells, dtype=float if plain else object)
    out = pd.concat(columns, axis=1)
    out.columns = frame.columns
    return out


def _headers(labels: list[Any]) -> list[str]:
    """The columns' names as one text each, the levels of several joined."""
    if not any(isinstance(label, tuple) for label in labels):
        return [" ".join(str(label).split()) for label in labels]
    return joined_names([[str(c) for c in label] if isinstance(label, tuple) else [str(label)] for label in labels])


def _first_cells(frame: pd.DataFrame) -> Iterator[Any]:
    """The first cell with something in it of each column of objects."""
    for i in range(frame.shape[1]):
        column = frame.iloc[:, i]
        if column.dtype == object:
            at = column.first_valid_index()
            if at is not None:
                yield column.iloc[int(at)]


def _with_lists(frame: pd.DataFrame, name: str) -> Table:
    """A data frame that holds curves in its cells."""
    columns = {str(c): [_plain(v) for v in frame.iloc[:, i].astype(object)] for i, c in enumerate(frame.columns)}
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return table_of(rows, name=name, format="data frame")


def _plain(cell: Any) -> Any:
    """A cell as JSON would hold it."""
    if isinstance(cell, (list, tuple, np.ndarray)):
        return [_plain(v) for v in np.asarray(cell, dtype=object).tolist()]
    if isinstance(cell, np.generic):
        cell = cell.item()
    return None if cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and cell != cell) else cell
