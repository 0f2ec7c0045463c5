"""The losses at the learning rates tried at one width, and the parabolas in the log rate that go through those around the lowest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.alike import Alike

Array = np.ndarray

WINDOWS = (3, 4, 5)  # rates that a parabola goes through


@dataclass(frozen=True, eq=False)
class Tried(Alike):
    """The k learning `rates` tried at one width, ascending, with the geometric mean `losses` (k,) of their `runs` (k,)."""

    rates: Array
    losses: Array
    runs: Array

    @property
    def span(self) -> tuple[float, float]:
        """The rates that a parabola through four goes from and to."""
        k = min(WINDOWS[1], len(self.rates))
        first = int(_first(np.log(self.losses)[None], k)[0])
        return float(self.rates[first]), float(self.rates[first + k - 1])

    def parabola(self, lr: float | Array) -> Array:
        """The loss at learning rates of any shape by the mean of the parabolas; it holds around the best rate alone."""
        x, y = np.log(self.rates), np.log(self.losses)
        middle, found = x.mean(), []
        for k in WINDOWS:
            k = min(k, len(x))
            first = int(_first(y[None], k)[0])
            found.append(np.polyfit(x[first : first + k] - middle, y[first : first + k], 2))
        out: Array = np.exp(np.polyval(np.mean(found, axis=0), np.log(lr) - middle))
        return out


def vertex(rate: Array, losses: Array, k: int) -> Array:
    """Where parabolas through the k log rates around the lowest of each row of log `losses` (R, n) are lowest (R,); an end where they
    are not."""
    first = _first(losses, k)
    out = np.empty(len(losses))
    for start in np.unique(first):
        of = first == start
        x = rate[start : start + k]
        middle = x.mean()
        c2, c1, _ = np.polyfit(x - middle, losses[of, start : start + k].T, 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            at = middle - c1 / (2.0 * c2)
        towards = np.where(losses[of][:, 0] < losses[of][:, -1], rate[0], rate[-1])
        out[of] = np.where(c2 > 0, np.clip(at, rate[0], rate[-1]), towards)
    return out


def _first(losses: Array, k: int) -> Array:
    """The first of the k rates around the lowest of each row of `losses` (R, n), (R,)."""
    n = losses.shape[1]
    lowest = np.argmin(losses, axis=1)
    if k % 2:
        return np.clip(lowest - (k - 1) // 2, 0, n - k)
    # Of the two ways to take an even number the one towards the lower neighbour.
    left = np.take_along_axis(losses, np.maximum(lowest - 1, 0)[:, None], 1)[:, 0]
    right = np.take_along_axis(losses, np.minimum(lowest + 1, n - 1)[:, None], 1)[:, 0]
    return np.clip(np.where(left < right, lowest - k // 2, lowest - k // 2 + 1), 0, n - k)
