"""How a table counts FLOPs beside 6ND: a ratio that levels off as models grow, and how far it is in doubt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Array = np.ndarray

STEPS = 60


@dataclass(frozen=True)
class Accounting:
    """How a table counts FLOPs: C / 6ND = least + sign e^(offset + slope x) + second e^(-(1 + slope) x), from its own rows.

    x is log N - centre. `least` is what is left of it in large models; with a `least` of 0 it is a power of N. Where width grows
    as N^w, attention falls beside 6ND with slope -w and a vocabulary with -(1 - w): a table that counts both has a `second`.
    A ratio that rises (`sign` -1) is never below `lowest`. `spread` is the standard deviation of log ratios around the form.
    `draws` are (least, weight with its sign, slope, second) of forms that these rows leave open as well, for intervals.
    """

    offset: float = 0.0
    slope: float = 0.0
    centre: float = 0.0
    spread: float = 0.0
    least: float = 0.0
    sign: float = 1.0
    lowest: float = 0.0
    second: float = 0.0
    draws: tuple[tuple[float, float, float, float], ...] = ()

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
        return np.where(self.sign < 0, np.log(max(self.lowest, 1e-300)), level)

    def ratio(self, params: Any) -> Any:
        """C / 6ND at a model size."""
        if self._plain:
            return np.exp(self.offset + self.slope * (np.log(params) - self.centre))
        return np.maximum(self.least + sum(self._parts(params)), self.lowest)

    def elasticity(self, params: Any) -> Any:
        """d log(C / 6ND) / d log N at a model size."""
        if self._plain:
            return self.slope
        first, second = self._parts(params)
        whole = self.least + first + second
        with np.errstate(all="ignore"):
            each = (self.slope * first - (1.0 + self.slope) * second) / whole
            return np.where(whole > self.lowest, each, 0.0)

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
        each = np.resize(np.array(self.draws), (count, 4))
        least, weight, slope, second = (each[:, k, None] for k in range(4))
        with np.errstate(divide="ignore"):
            offset = np.log(np.abs(weight))
        own: dict[str, Any] = {
            "offset": offset,
            "slope": slope,
            "least": least,
            "sign": np.sign(weight),
            "second": second,
        }
        return replace(self, **own, draws=())

    def rows(self, rows: Any) -> Accounting:
        """The forms of some of the draws, of those that `drawn` gave."""
        if np.ndim(self.offset) == 0:
            return self
        names = ("offset", "slope", "least", "sign", "second")
        return replace(self, **{k: getattr(self, k)[rows] for k in names})

    def _parts(self, params: Any) -> tuple[Any, Any]:
        x = np.log(params) - self.centre
        return self.sign * np.exp(self.offset + self.slope * x), self.second * np.exp(-(1.0 + self.slope) * x)

    @property
    def _plain(self) -> bool:
        return np.ndim(self.least) == 0 and self.least == 0.0 and np.ndim(self.offset) == 0
