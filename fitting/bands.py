"""A value with its interval, and the quantiles of draws that intervals end at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fitting.arguments import a_level

Array = np.ndarray


@dataclass(frozen=True)
class Band:
    """A value with an interval at `level`; numbers, or arrays of one shape. `notes` are sentences to know before using it."""

    value: Any
    low: Any
    high: Any
    level: float
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Whoever makes a band was asked for a level: FitError where that is no share."""
        a_level(self.level)

    def __iter__(self) -> Any:
        return iter((self.value, self.low, self.high))

    def above(self, floor: float | None) -> Band:
        """The same with its ends no lower than `floor`, below which nothing lies; the value stays what it was found to be."""
        if floor is None:
            return self
        return replace(self, low=_no_less(self.low, floor), high=_no_less(self.high, floor))

    def around_value(self) -> Band:
        """The same, as wide as holds its own value: what lies at the end of what may be has draws on one side only."""
        return self._reaching(self.value, self.value)

    def holding(self, inner: Band) -> Band:
        """The same, with ends no further in than another band's."""
        return self._reaching(inner.low, inner.high)

    def _reaching(self, down: Any, up: Any) -> Band:
        low, high = np.minimum(self.low, down), np.maximum(self.high, up)
        if np.ndim(low) == 0:
            return replace(self, low=float(low), high=float(high))
        return replace(self, low=low, high=high)


def _no_less(end: Any, floor: float) -> Any:
    raised = np.maximum(end, floor)
    return float(raised) if np.ndim(raised) == 0 else raised


def quantiles(draws: Array, at: tuple[float, float]) -> tuple[Array, Array]:
    """Two quantiles over the first axis. Infinities count as values; a column with missing draws has no quantile.

    FitError for the ends of an interval at a level that is no share.
    """
    if not 0.0 <= at[0] <= at[1] <= 1.0:
        a_level(at[1] - at[0])
    if len(draws) == 0:
        nothing = np.full(draws.shape[1:], np.nan)
        return nothing, nothing
    if np.all(np.isfinite(draws)):
        low, high = np.quantile(
            draws, at, axis=0, method="weibull"
        )  # fair for few draws too: the k-th of R is k / (R + 1)
    else:
        with np.errstate(invalid="ignore"):
            low, high = np.quantile(draws, at, axis=0, method="inverted_cdf")
    return low, high
