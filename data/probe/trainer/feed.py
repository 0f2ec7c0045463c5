"""The sequences of a run in their order, drawn some way ahead: to draw many at once costs less than to draw as often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Array = np.ndarray

AHEAD = 65_536  # tokens that are drawn at once


@dataclass
class Ahead:
    """`draw(first, count)` are sequences by their number in the run, (count, length + 1); there are `until` in all."""

    draw: Callable[[int, int], Array]
    until: int
    _first: int = 0
    _held: Array | None = None

    def take(self, first: int, count: int) -> Array:
        """The sequences `first` to `first + count`."""
        at = first - self._first
        if self._held is None or at < 0 or at + count > len(self._held):
            self._held, self._first, at = self._drawn(first, count), first, 0
        return self._held[at : at + count]

    def _drawn(self, first: int, count: int) -> Array:
        one = self.draw(first, count)
        more = min(AHEAD // max(1, one.shape[1]), self.until - first) - count
        if self._held is None or more <= 0:  # who asks once is not made to wait for more
            return one
        return np.concatenate([one, self.draw(first + count, more)])
