"""Whether two results say the same: by their fields, arrays by their numbers and frames by their cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pandas as pd


def alike(a: Any, b: Any) -> bool:
    """Whether two values of one type hold the same; a NaN is the same as a NaN."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return bool(a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))
    if isinstance(a, pd.DataFrame):
        return bool(a.equals(b))
    if is_dataclass(a):
        return all(alike(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    if isinstance(a, Mapping):
        return a.keys() == b.keys() and all(alike(a[k], b[k]) for k in a)
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(map(alike, a, b))
    return bool(a == b or (a != a and b != b))


class Alike:
    """A dataclass (with eq=False) that equals another of its type with the same in all fields; its texts give the hash."""

    def __eq__(self, other: object) -> bool:
        return alike(self, other)

    def __hash__(self) -> int:
        values = (getattr(self, f.name) for f in fields(self))  # type: ignore[arg-type]
        return hash(tuple(v for v in values if isinstance(v, str) or (isinstance(v, tuple) and all(map(_text, v)))))


def _text(x: object) -> bool:
    return isinstance(x, str)
