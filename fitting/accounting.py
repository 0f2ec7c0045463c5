"""How a table counts FLOPs beside 6ND: a ratio that levels off as models grow, and how far it is in doubt."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np

from data.plain import After, Finite, With, at_most, one_of

Array = np.ndarray

STEPS = 60
NEWTON = 7  # from within log 2 of the root: to the last digit
MOST_DRAWS = 100_000


def _bounded(ratio: float) -> float:
    if ratio and abs(math.log(abs(ratio))) > E_FOLDS:
        raise ValueError("should be a ratio of FLOPs as a table can count them")
    return ratio


# A logarithm of a ratio or of a size, and a ratio: e^300 of either is damage.
E_FOLDS = 300
Log = Annotated[Finite, With(ge=-E_FOLDS, le=E_FOLDS)]
Ratio = Annotated[Finite, After(_bounded)]
NotNegative = Annotated[Finite, With(ge=0), After(_bounded)]


def working(log_n: Any, idle: Any, width: Any) -> Any:
    """log u where N = u + idle u^width, all around one centre. A sum of two powers bends one way: Newton's steps do not turn."""
    with np.errstate(divide="ignore"):
        log_u = np.minimum(log_n, np.where(idle > 0, (log_n - np.log(idle)) / width, np.inf))
    for _ in range(NEWTON):
        over = idle * np.exp((width - 1.0) * log_u)
        off = log_u + np.log1p(over) - log_n
        log_u = log_u - off / (1.0 + (width - 1.0) * over / (1.0 + over))
    return log_u


@dataclass(frozen=True)
class Accounting:
    """How a table counts FLOPs: C / 6ND = least + sign e^(offset + slope x) + second e^(-(1 + slope) x), from its own rows.

    x is log N - centre. `least` is what is left of it in large models; with a `least` of 0 it is a power of N. Where width grows
    as N^w, attention falls beside 6ND with slope -w and a vocabulary with -(1 - w): a table that counts both has a `second`.
    Where sizes count a vocabulary that does no such work, N is u (1 + idle e^(-(1 + slope) x)), x is log u - centre, and the
    ratio is the above over N / u. A ratio that rises without (`sign` -1) is never below `lowest`. `spread` is the standard
    deviation of log ratios around the form. `draws` are (least, weight with its sign, slope, second, idle) of forms that these
    rows leave open as well, for intervals.
    """

    offset: Log = 0.0
    slope: Log = 0.0
    centre: Log = 0.0
    spread: Annotated[Log, With(ge=0)] = 0.0
    least: NotNegative = 0.0
    sign: Annotated[Finite, one_of((-1.0, 1.0))] = 1.0
    lowest: NotNegative = 0.0
    second: NotNegative = 0.0
    idle: NotNegative = 0.0
    draws: Annotated[tuple[tuple[Ratio, Ratio, Log, Ratio, Ratio], ...], at_most(MOST_DRAWS)] = ()

    @property
    def is_six_nd(self) -> bool:
        """Whether it is 6ND itself."""
        return not (self.offset or self.slope or self.least)

    @property
    def log_least(self) -> Any:
        """The log of C / 6ND in a model as large as a budget may be of, or less."""
        if self._plain:
            return self.offset
        level = np.where(self.least > 0, np.log(np.maximum(self.least, 1e-300)), self.offset)
        level = np.where(self.idle > 0, np.minimum(level, np.log(self.ratio(np.exp(self.centre)))), level)
        return np.where(self.sign < 0, np.log(max(self.lowest, 1e-300)), level)

    def ratio(self, params: Any) -> Any:
        """C / 6ND at a model size."""
        if self._plain:
            return np.exp(self.offset + self.slope * (np.log(params) - self.centre))
        first, second, over = self._parts(params)
        whole = (self.least + first + second) / (1.0 + over)
        return np.where(self.sign < 0, np.maximum(whole, self.lowest), whole)

    def elasticity(self, params: Any) -> Any:
        """d log(C / 6ND) / d log N at a model size."""
        if self._plain:
            return self.slope
        first, second, over = self._parts(params)
        whole = self.least + first + second
        with np.errstate(all="ignore"):
            each = (self.slope * first - (1.0 + self.slope) * second) / whole
            counted = -(1.0 + self.slope) * over / (1.0 + over)
            each = np.where(over > 0, (each - counted) / (1.0 + counted), each)
            return np.where((self.sign > 0) | (whole > self.lowest), each, 0.0)

    def flops(self, params: Any, tokens: Any) -> Any:
        """Training FLOPs of a run in the table's own convention."""
        return 6.0 * params * tokens * self.ratio(params)

    def params(self, flops: Any, tokens: Any) -> Any:
        """The model size at which a budget in the table's convention buys so many tokens."""
        wanted = np.log(flops / 6.0) - np.log(tokens)
        if self._plain:
            return np.exp((wanted - self.offset + self.slope * self.centre) / (1.0 + self.slope))
        # From where the ratio has levelled off; log FLOPs bend one way only, so that Newton's steps do not turn back.
        log_n = wanted - np.where(self.least > 0, np.log(np.maximum(self.least, 1e-300)), self.offset)
        for _ in range(STEPS):
            n = np.exp(log_n)
            off = log_n + np.log(self.ratio(n)) - wanted
            step = np.clip(off / np.maximum(1.0 + self.elasticity(n), 1e-3), -8.0, 8.0)
            log_n = log_n - step
            if np.max(np.abs(step), initial=0.0) < 1e-13:
                break
        return np.exp(log_n)

    def tokens(self, flops: Any, params: Any) -> Any:
        """Tokens that a budget in the table's convention buys at a model size."""
        return flops / (6.0 * params * self.ratio(params))

    def drawn(self, count: int) -> Accounting:
        """For so many draws of a law one form each, its numbers (count, 1); itself where nothing is open."""
        if not self.draws or not count:
            return self
        # Laws' draws come in no order, nor do these: laid beside one another they are independent.
        each = np.resize(np.array(self.draws), (count, 5))
        least, weight, slope, second, idle = (each[:, k, None] for k in range(5))
        with np.errstate(divide="ignore"):
            offset = np.log(np.abs(weight))
        sign = np.where(weight < 0, -1.0, 1.0)
        own: dict[str, Any] = {
            "offset": offset,
            "slope": slope,
            "least": least,
            "sign": sign,
            "second": second,
            "idle": idle,
        }
        return replace(self, **own, draws=())

    def rows(self, rows: Any) -> Accounting:
        """The forms of some of the draws, of those that `drawn` gave."""
        if np.ndim(self.offset) == 0:
            return self
        names = ("offset", "slope", "least", "sign", "second", "idle")
        return replace(self, **{k: getattr(self, k)[rows] for k in names})

    def _parts(self, params: Any) -> tuple[Any, Any, Any]:
        """The two terms beside `least`, and how much larger N is than u, as a share of u."""
        x = np.log(params) - self.centre
        if np.any(self.idle):
            x = working(x, self.idle, -self.slope)
        z = np.exp(-(1.0 + self.slope) * x)
        return self.sign * np.exp(self.offset + self.slope * x), self.second * z, self.idle * z

    @property
    def _plain(self) -> bool:
        return np.ndim(self.least) == 0 and self.least == 0.0 and np.ndim(self.offset) == 0
