"""What the elements of arrays and the names of keys say: numbers, a progress that rises, the column that is meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from data.cells.values import number
from data.headers.names import named


def keys_of(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The names in the rows, in order of first appearance."""
    return list(dict.fromkeys(k for row in rows for k in row))


def means(key: str) -> str:
    """The canonical column that the name most likely means, '' where none."""
    found = named(key)
    return found[0][0] if found and found[0][1] >= 0.6 else ""


def is_number(value: Any) -> bool:
    """Whether the value is a number; yes and no are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def as_number(value: Any) -> float:
    """The value as a number, NaN where it is none."""
    if isinstance(value, str):
        return number(value)
    try:
        return float(value) if is_number(value) else np.nan
    except OverflowError:
        return np.nan


def mostly_numbers(values: Sequence[Any]) -> bool:
    """Whether at least half of what is written is numbers."""
    filled = [v for v in values if v is not None]
    good = sum(is_number(v) or (isinstance(v, str) and _written(v)) for v in filled)
    return bool(filled) and good >= 0.5 * len(filled)


def _written(text: str) -> bool:
    return not np.isnan(number(text)) or text.strip().lower() == "nan"


def as_name(value: Any) -> str:
    """The value as a run's name, '' where it cannot be one."""
    return " ".join(str(value).split())[:300] if isinstance(value, (str, int, float)) else ""


def rises(values: Sequence[Any]) -> bool:
    """Whether the numbers never fall and some rise; a single one does."""
    read = np.array([as_number(v) for v in values])
    steps = np.diff(read)
    return bool(np.isfinite(read).all() and (steps >= 0).all() and (len(read) == 1 or steps.any()))
