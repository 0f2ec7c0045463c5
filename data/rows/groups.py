"""Groups of rows on arrays: their numbers, sizes and different values, where a table of ten rows costs what ten rows cost.

A frame's own groupby costs a hundred times as much on so few rows, and a read asks for dozens of groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias, TypeVar

import numpy as np
import pandas as pd

Array: TypeAlias = np.ndarray
Column: TypeAlias = pd.Series | Array
Rows = TypeVar("Rows", pd.Series, pd.DataFrame)

FEW = 100  # values up to which a dictionary is faster than a hash table of arrays
_NOTHING = object()  # what stands for NaN among the keys of a dictionary: NaN is like no other NaN


def numbered(*columns: Column) -> Array:
    """The number of each row's group (n,) by what stands in the columns (n,), in order of first appearance; NaN is like NaN."""
    if len(columns) == 1 and len(columns[0]) > FEW:
        return np.asarray(pd.factorize(columns[0], use_na_sentinel=False)[0])
    if len(columns[0]) > FEW:
        found = numbered(columns[0])
        for column in columns[1:]:
            more = numbered(column)
            found = numbered(found * (int(more.max()) + 1) + more)
        return found
    cells = [_keys(c) for c in columns]
    seen: dict[object, int] = {}
    rows = cells[0] if len(cells) == 1 else list(zip(*cells, strict=True))
    return np.array([seen.setdefault(row, len(seen)) for row in rows], dtype=np.int64)


def different(values: Column) -> int:
    """How many different values stand in a column (n,), NaN aside."""
    if len(values) > FEW:
        return len(pd.unique(values[~pd.isna(values)]))
    return len(set(_keys(values)) - {_NOTHING})


def repeats(values: Column) -> bool:
    """Whether a value stands in two places of a column (n,), NaN among them."""
    return len(values) > 1 and int(numbered(values).max()) < len(values) - 1


def only(rows: Rows, where: Array) -> Rows:
    """The rows of a frame or column that a mask (n,) holds, themselves where it holds all: for reading alone."""
    return rows if where.all() else rows[where]


def missing(values: Array) -> Array:
    """Which of the values (n,) are missing."""
    return np.asarray(np.isnan(values) if values.dtype.kind == "f" else pd.isna(values))


def sizes(groups: Array) -> Array:
    """How many rows each group (n,) has: (k,)."""
    return np.bincount(groups)


def kinds(groups: Array, values: Column) -> Array:
    """How many different values (n,), NaN aside, stand in each group (n,): (k,)."""
    many = int(groups.max(initial=-1)) + 1
    if len(groups) <= FEW:
        pairs = set(zip(groups.tolist(), _keys(values), strict=True))
        return np.bincount(np.array([g for g, v in pairs if v is not _NOTHING], dtype=np.int64), minlength=many)
    known = ~pd.isna(np.asarray(values))
    if not known.any():
        return np.zeros(many, dtype=np.int64)
    of, which = groups[known], numbered(values[known])
    base = int(which.max()) + 1
    return np.bincount(pd.unique(of * base + which) // base, minlength=many)


def vary(groups: Array, values: Column) -> bool:
    """Whether a group (n,) has more than one value (n,), NaN aside."""
    if len(groups) > FEW:
        return bool((kinds(groups, values) > 1).any())
    first: dict[int, object] = {}
    return any(
        v is not _NOTHING and first.setdefault(g, v) != v for g, v in zip(groups.tolist(), _keys(values), strict=True)
    )


def each(groups: Array) -> Iterator[Array]:
    """The positions of each group's rows, in order, group by group (n,)."""
    order = np.argsort(groups, kind="stable")
    return iter(np.split(order, np.cumsum(sizes(groups))[:-1]) if len(groups) else ())


def steps(groups: Array, values: Array) -> Array:
    """The difference of each value (n,) to the one before it in its group (n,), NaN for the first of each: (n,)."""
    order = np.argsort(groups, kind="stable")
    out = np.full(len(groups), np.nan)
    inside = np.diff(groups[order]) == 0
    out[order[1:][inside]] = np.diff(values[order])[inside]
    return out


def blank(texts: Column) -> Array:
    """Which of the texts (n,) are ''."""
    return np.asarray(np.asarray(texts, dtype=object) == "", dtype=bool)


def _keys(column: Column) -> list[object]:
    """The values of a column (n,) as keys of a dictionary."""
    values = column.to_numpy() if isinstance(column, pd.Series) else column
    found: list[object] = values.tolist()
    if values.dtype.kind in "iub":
        return found
    return [v if v is not None and v is not pd.NA and v == v else _NOTHING for v in found]
