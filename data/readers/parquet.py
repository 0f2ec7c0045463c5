"""Parquet: columns as the file types them, its sizes looked at before and counted while anything is unpacked."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd

from data.errors import ReadError
from data.headers.names import loss_name
from data.readers._arrays import table_of
from data.readers._decimal import with_decimal_sign
from data.readers._limits import MAX_CELLS, MAX_INFLATED, MAX_TEXT, check_shape, size
from data.table import Table, unique

title = "a Parquet file"
suffixes = (".parquet", ".pq")

_BATCH = 4096  # rows unpacked at a time


def claims(content: bytes, name: str) -> float:
    """A Parquet file begins and ends with its signature."""
    return 1.0 if content[:4] == b"PAR1" and content[-4:] == b"PAR1" and len(content) >= 12 else 0.0


def read(content: bytes, name: str) -> Table:
    """The table in the file: numbers, yes and no, and text; curves in lists become rows, other lists and what is nested
    are left out and said so.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # No page header is believed beyond these sizes, and text stays in its dictionary, however often it is used.
        file = pq.ParquetFile(
            io.BytesIO(content), thrift_string_size_limit=2**24, thrift_container_size_limit=2**20, memory_map=False
        )
    except (pa.ArrowException, OSError) as e:
        raise ReadError(f"{name} is not a Parquet file that can be read ({_first_words(e)}).") from None
    meta = file.metadata
    check_shape(name, meta.num_rows, meta.num_columns)
    declared = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
    if declared > MAX_INFLATED:
        raise ReadError(f"{name} unpacks to {size(declared)}; at most {size(MAX_INFLATED)} are unpacked.")
    wanted, left, texts, lists = [], [], [], []
    for field in file.schema_arrow:
        t = field.type
        is_text = pa.types.is_string(t) or pa.types.is_large_string(t)
        if is_text or pa.types.is_dictionary(t):
            texts.append(field.name)
        plain = pa.types.is_integer(t) or pa.types.is_floating(t) or pa.types.is_boolean(t) or pa.types.is_decimal(t)
        dated = pa.types.is_timestamp(t) or pa.types.is_date(t)
        if is_text or plain or dated or (pa.types.is_dictionary(t) and pa.types.is_string(t.value_type)):
            wanted.append(field.name)
        elif (pa.types.is_list(t) or pa.types.is_large_list(t)) and _is_number(t.value_type):
            lists.append(field.name)
        elif not (pa.types.is_null(t)):
            left.append(field.name)
    if not any(loss_name(h) for h in lists):
        left, lists = [h for h in file.schema_arrow.names if h in {*left, *lists}], []
    wanted += lists
    if not wanted:
        raise ReadError(f"{name} has no column of numbers or text; expected one row per run.")
    notes = []
    if left:
        shown = ", ".join(left[:5]) + (f" and {len(left) - 5} more" if len(left) > 5 else "")
        notes.append(f"Columns that are neither numbers nor text were left out: {shown}.")
    try:
        columns = _columns(content, name, wanted, [t for t in texts if t in wanted], lists)
    except (pa.ArrowException, OSError) as e:
        raise ReadError(f"{name} is a damaged Parquet file ({_first_words(e)}).") from None
    if lists:
        return _curves(columns, name, notes)
    headers = unique([" ".join(h.split()) for h in columns])
    frame = pd.DataFrame(dict(zip(headers, columns.values(), strict=True)))
    return with_decimal_sign(Table(frame, name, "Parquet", np.arange(1, len(frame) + 1), tuple(notes)))


def _curves(columns: dict[str, pd.Series], name: str, notes: list[str]) -> Table:
    """The table in columns of which some hold a list in each row."""
    cells = {h: [_cell(v) for v in column.astype(object)] for h, column in columns.items()}
    rows = [dict(zip(cells, values, strict=True)) for values in zip(*cells.values(), strict=True)]
    return table_of(rows, name=name, format="Parquet", notes=notes)


def _cell(value: Any) -> Any:
    """A cell in which nothing there is None and not a number is said in words."""
    if isinstance(value, list):
        return [_cell(v) for v in value]
    if value is None or value is pd.NA:
        return None
    return "NaN" if isinstance(value, float) and value != value else value


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _columns(content: bytes, name: str, wanted: list[str], texts: list[str], lists: list[str]) -> dict[str, pd.Series]:
    """The wanted columns, unpacked a batch at a time and given up as soon as they exceed what is read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = pq.ParquetFile(io.BytesIO(content), read_dictionary=texts, thrift_string_size_limit=2**24, memory_map=False)
    batches: list[Any] = []
    cells = weight = 0
    for batch in file.iter_batches(batch_size=_BATCH, columns=wanted, use_threads=False):
        cells += batch.num_rows * batch.num_columns
        weight += batch.nbytes
        cells += sum(len(batch.column(h).flatten()) for h in lists)
        if cells > MAX_CELLS or weight > 2 * MAX_INFLATED:
            raise ReadError(f"{name} holds more than it says, beyond the {MAX_CELLS:,} cells that are read.")
        batches.append(batch)
    table = pa.Table.from_batches(batches) if batches else file.schema_arrow.empty_table().select(wanted)
    return {h: _series(table.column(i), table.schema.field(i).type) for i, h in enumerate(table.column_names)}


def _series(column: Any, kind: Any) -> pd.Series:
    """The column as numbers that tell null from NaN, or as text."""
    import pyarrow as pa

    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        missing = column.is_null().to_numpy(zero_copy_only=False).astype(bool)
        values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype("float64")
        return pd.Series(pd.arrays.FloatingArray(np.where(missing, np.nan, values), missing))
    if pa.types.is_boolean(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pd.Series(column.to_pylist(), dtype=object)
    if pa.types.is_dictionary(kind):
        out: list[Any] = []
        for chunk in column.chunks:
            words = [w if w is None else str(w)[:MAX_TEXT] for w in chunk.dictionary.to_pylist()]
            codes = chunk.indices.to_numpy(zero_copy_only=False)
            valid = ~chunk.is_null().to_numpy(zero_copy_only=False)
            out += [words[int(c)] if ok else None for c, ok in zip(codes, valid, strict=True)]
        return pd.Series(out, dtype=object)
    return pd.Series([None if v is None else str(v)[:MAX_TEXT] for v in column.to_pylist()], dtype=object)


def _first_words(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:80] + ("…" if len(text) > 80 else "")
