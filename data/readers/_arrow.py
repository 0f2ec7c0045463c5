"""A data frame's Arrow columns as those of numpy and of objects, which everything after works on."""

from __future__ import annotations

import pandas as pd


def without_arrow(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame (n, k) with the columns of pandas' Arrow types as pyarrow gives them to numpy: nulls are NaN among numbers."""
    columns = [frame.iloc[:, i] for i in range(frame.shape[1])]
    if not any(_is_arrow(column) for column in columns):
        return frame
    out = pd.concat([_own(column) if _is_arrow(column) else column for column in columns], axis=1)
    return out.set_axis(frame.columns, axis=1)


def _kind(column: pd.Series) -> object:
    """The type of a column's values, which a categorical one keeps with its categories."""
    kind = column.dtype
    return kind.categories.dtype if isinstance(kind, pd.CategoricalDtype) else kind


def _is_arrow(column: pd.Series) -> bool:
    return isinstance(_kind(column), pd.ArrowDtype)


def _own(column: pd.Series) -> pd.Series:
    import pyarrow as pa

    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.dtype.categories.dtype)
    return pd.Series(pa.array(column).to_pandas().array, index=column.index)
