"""How the critical batch grows: one power law through critical batches measured at several sizes, losses or amounts of data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from data.alike import Alike
from fitting.arguments import a_level, an_input, as_numbers, in_short
from fitting.band import LEVEL, Band
from fitting.errors import FitError
from fitting.shown import shown

Array = np.ndarray

NEAR = 1.01  # losses of one ladder may be as near as 1.05 and tell; nearer than this nothing does


@shown()
@dataclass(frozen=True, eq=False)
class Growth(Alike):
    """y = c x^k through points (m,): `slope` is k, `log_middle` log y at the geometric middle of x, with their covariance.

    Intervals are Student's t with m - 2 degrees of freedom: the scatter of the points holds what was measured badly too.
    """

    x: Array
    y: Array
    slope: float
    log_middle: float
    spread: float

    @property
    def freedom(self) -> int:
        """Degrees of freedom that are left for the scatter."""
        return len(self.x) - 2

    @property
    def _room(self) -> float:
        log = np.log(self.x)
        return float(np.sum((log - log.mean()) ** 2))

    def _band(self, value: Any, error: Any, level: float) -> tuple[Any, Any, Any]:
        level = a_level(level)
        reach = float(special.stdtrit(self.freedom, 0.5 * (1.0 + level))) * error if self.freedom > 0 else np.inf
        return value, value - reach, value + reach

    def exponent(self, level: float = LEVEL) -> Band:
        """k with its interval."""
        value, low, high = self._band(self.slope, self.spread / float(np.sqrt(self._room)), level)
        return Band(value, low, high, level)

    @property
    def coefficient(self) -> float:
        """c: y at x = 1, which is seldom near the points."""
        return float(np.exp(self.log_middle - self.slope * np.mean(np.log(self.x))))

    def error_at(self, x: Any) -> Any:
        """The standard error of log y at other x."""
        log = np.log(an_input("x", x)) - np.mean(np.log(self.x))
        return self.spread * np.sqrt(1.0 / len(self.x) + log**2 / self._room)

    def at(self, x: Any, level: float = LEVEL) -> Band:
        """y at other x, with the band of the law."""
        log = np.log(an_input("x", x)) - np.mean(np.log(self.x))
        value, low, high = self._band(self.log_middle + self.slope * log, self.error_at(x), level)
        middle, least, most = (np.exp(v) if np.ndim(v) else float(np.exp(v)) for v in (value, low, high))
        return Band(middle, least, most, level)


def _points(name: str, x: Any) -> Array:
    found = as_numbers(x)
    if found is None:
        raise FitError(f"{name} are numbers, one for each critical batch; it was {in_short(x)}.")
    return found.ravel()


def growth(x: Sequence[float] | Array, y: Sequence[float] | Array) -> Growth:
    """The power law through points (m,) by least squares of logarithms. Raises FitError for fewer than three usable ones, or
    places so near each other that the noise of one would be a power of hundreds.
    """
    a, b = _points("x", x), _points("y", y)
    if a.shape != b.shape:
        raise FitError(f"A place is needed for each critical batch; there are {a.size} and {b.size}.")
    usable = np.isfinite(a) & np.isfinite(b) & (a > 0) & (b > 0)
    a, b = a[usable], b[usable]
    if len(np.unique(a)) < 3:
        raise FitError(
            f"How the critical batch grows needs it at three places or more; there are {len(np.unique(a))} with a finite one."
        )
    if a.max() < NEAR * a.min():
        raise FitError(
            f"The places lie within a factor of {a.max() / a.min():.4g} of one another, too near to tell how anything grows. Add others."
        )
    log_x, log_y = np.log(a), np.log(b)
    off = log_x - log_x.mean()
    slope = float(off @ log_y / (off @ off))
    left = log_y - log_y.mean() - slope * off
    return Growth(a, b, slope, float(log_y.mean()), float(np.sqrt(left @ left / max(1, len(a) - 2))))
