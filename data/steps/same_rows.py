"""Rows of a table of steps that were entered twice: alike in every column, a name or a seed among them where there is one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.cells.cleaned import clean
from data.table import Table


def same_rows(table: Table) -> tuple[np.ndarray, str]:
    """Which rows (n,) say in every column what an earlier one says, and a sentence about them, '' where there are none.

    Runs measured again differ in their steps, or in the name or the seed that tells them apart: a row that differs in nothing tells
    nothing new, and counted again it makes an interval too narrow.
    """
    written = pd.DataFrame({k: [clean(str(v)) for v in table.text(h)] for k, h in enumerate(table.headers)})
    said = (written != "").any(axis=1).to_numpy()
    again = written.duplicated(keep="first").to_numpy() & said
    if not again.any():
        return again, ""
    late = int(np.flatnonzero(again)[0])
    first = int(np.flatnonzero((written == written.iloc[late]).all(axis=1))[0])
    count = int(again.sum())
    many = (
        f"{count:,} row is an identical copy of another"
        if count == 1
        else f"{count:,} rows are identical copies of others"
    )
    which = f"line {table.lines[late]} of line {table.lines[first]}"
    return again, (
        f"{many} ({which if count == 1 else f'such as {which}'}) and {'is' if count == 1 else 'are'} set aside; for runs made "
        "again add a column seed."
    )
