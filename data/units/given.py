"""What a person gave for a column's unit, checked."""

from __future__ import annotations

import numpy as np

from data.errors import DataError
from data.headers.logs import LOGS


def positive(given: float | str, column: str) -> float:
    """The factor that was given for a column's unit; DataError where it is none."""
    try:
        factor = float(given)
    except (TypeError, ValueError):
        factor = 0.0
    if not (np.isfinite(factor) and factor > 0):
        raise DataError(
            f"the unit of a column is a positive factor or one of {', '.join(LOGS)}; got {given!r} for {column}."
        )
    return factor
