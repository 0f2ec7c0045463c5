"""Settings that a log leaves out, or writes as 0, on all the rows of one split: the rate of a step stands beside training losses."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.cells.values import BLANK
from data.rows.groups import numbered, sizes
from data.table import Table

_NOTHING = BLANK | {"nan"}


def left_out(table: Table, header: str, kinds: pd.Series) -> np.ndarray:
    """Which rows (n,) say nothing of a setting: blank, and 0 where a split has nothing else and the others never have it.

    `kinds` (n,) is the split of each row, '' where a row says none.
    """
    text = table.text(header)
    blank = np.array([cell.lower() in _NOTHING for cell in text], dtype=bool)
    zero = table.numbers(header).values == 0.0
    known = kinds.to_numpy() != ""
    own = numbered(kinds.to_numpy()[known])
    silent = np.zeros(len(text), dtype=bool)
    silent[known] = (np.bincount(own, (blank | zero)[known]) == sizes(own))[own]
    if (zero & ~silent).any() or silent[known].all():
        return blank
    return np.asarray(blank | (zero & silent))


def of_one_split(table: Table, header: str, kinds: pd.Series) -> bool:
    """Whether a setting is said on the rows of some splits and on no row of another, so that it tells no runs apart there."""
    known = kinds.to_numpy() != ""
    own = numbered(kinds.to_numpy()[known])
    all_blank = np.bincount(own, left_out(table, header, kinds)[known]) == sizes(own)
    return bool(all_blank.any()) and not bool(all_blank.all())
