"""Values of JSON that come from strangers, each of its kind or said to be damaged."""

from __future__ import annotations

import math
from typing import Any


class DamagedError(ValueError):
    """What is wrong with a value, as a short fragment of one line."""


def list_in(x: Any, most: int) -> list[Any]:
    """A list of at most so many."""
    if not isinstance(x, list) or len(x) > most:
        raise DamagedError(f"expected a list of at most {most}, found {x!r:.40}")
    return x


def mapping_in(x: Any) -> dict[str, Any]:
    """An object."""
    if not isinstance(x, dict):
        raise DamagedError(f"expected an object, found {x!r:.40}")
    return x


def text_in(x: Any) -> str:
    """Text."""
    if not isinstance(x, str):
        raise DamagedError(f"expected text, found {x!r:.40}")
    return x


def number_in(x: Any) -> float:
    """A number, or what stands for one that JSON has no word for."""
    if isinstance(x, bool) or not (x is None or isinstance(x, int | float) or x in ("inf", "-inf")):
        raise DamagedError(f"expected a number, found {x!r:.40}")
    return float("nan") if x is None else float(x)


def finite(x: Any) -> float:
    """A number that is finite."""
    number = number_in(x)
    if not math.isfinite(number):
        raise DamagedError(f"expected a finite number, found {x!r:.40}")
    return number


def ratio(x: Any) -> float:
    """A ratio, or a share of one at the middle of the sizes: one of e^300 is damage."""
    number = finite(x)
    if number:
        bounded(math.log(abs(number)))
    return number


def bounded(x: Any) -> float:
    """A logarithm of a ratio or of a size: e^300 of either is damage."""
    number = finite(x)
    if abs(number) > 300:
        raise DamagedError(f"no table counts FLOPs so: {number:.3g}")
    return number


def positive(x: Any) -> float:
    """A number above zero."""
    number = number_in(x)
    if not number > 0:
        raise DamagedError(f"expected a positive number, found {x!r:.40}")
    return number


def count_in(x: Any) -> int:
    """A whole number."""
    if isinstance(x, bool) or not isinstance(x, int) or x < 0:
        raise DamagedError(f"expected a whole number, found {x!r:.40}")
    return x


def range_in(x: Any) -> tuple[float, float]:
    """Two numbers above zero, the lower one first."""
    low, high = (finite(v) for v in (list_in(x, 2) if isinstance(x, list) and len(x) == 2 else (None, None)))
    if not 0 < low <= high:
        raise DamagedError(f"a range runs from {low:.3g} to {high:.3g}")
    return low, high
