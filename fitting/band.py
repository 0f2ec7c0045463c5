"""A value with its interval, and the quantiles of draws that intervals end at."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fitting.arguments import a_level
from fitting.shown import banded, in_lines

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
LEVEL = 0.95  # the share that an interval holds where no other is asked for


@dataclass(frozen=True, eq=False)
class Band:
    """A value with an interval at `level`; numbers, or arrays of one shape. `notes` are sentences to know before using it.

    An interval holds its own value at every level: an end that quantiles of draws leave beyond it, as where draws lie on one
    side of a bound or the level is low, is moved to it. Intervals of one value that lie inside each other still do then.
    """

    value: Any
    low: Any
    high: Any
    level: float
    notes: tuple[str, ...] = ()
    #: The index of the frame of places that was asked at; no field, so that exports hold what they promise.
    index: ClassVar[Any] = None

    def __post_init__(self) -> None:
        """Whoever makes a band was asked for a level: FitError where that is no share. Its ends are moved to hold its value."""
        a_level(self.level)
        if not np.all((self.low <= self.value) & (self.value <= self.high)):
            missing = np.isnan(self.value)  # it lies nowhere
            for name, reach in (("low", np.minimum), ("high", np.maximum)):
                end = getattr(self, name)
                object.__setattr__(self, name, as_number(np.where(missing, end, reach(end, self.value))))

    def __iter__(self) -> Any:
        return iter((self.value, self.low, self.high))

    def __eq__(self, other: object) -> Any:
        """Whether another band says the same: value, ends, level and notes; a missing end is like another missing one."""
        if not isinstance(other, Band):
            return NotImplemented
        ours, theirs = (self.value, self.low, self.high, self.level), (other.value, other.low, other.high, other.level)
        alike = all(np.array_equal(a, b, equal_nan=True) for a, b in zip(ours, theirs, strict=True))
        return alike and self.notes == other.notes

    def __hash__(self) -> int:
        """By its level and notes: bands that are equal have the same."""
        return hash((self.level, self.notes))

    def __format__(self, spec: str) -> str:
        """`f"{band:.3g}"`: 3.24 (3.20 to 3.28), and as many of these as the band has values."""
        spec = spec or ".4g"
        ends = (np.ravel(np.asarray(x, float)) for x in (self.value, self.low, self.high))
        return ", ".join(f"{v:{spec}} ({low:{spec}} to {high:{spec}})" for v, low, high in zip(*ends, strict=True))

    def __repr__(self) -> str:
        """What a notebook shows: the value and its interval, the first and last of several, and the first of its notes."""
        said = [f"Band: {banded(self)}, {100 * self.level:.4g} % interval"]
        return in_lines([*said, *(f"  {note}" for note in self.notes)])

    def to_frame(self) -> pd.DataFrame:
        """The columns value, low and high, a row for each value, under the index of the frame of places if one was given."""
        import pandas as pd

        ends = {name: np.ravel(np.asarray(getattr(self, name), float)) for name in ("value", "low", "high")}
        return pd.DataFrame(ends, index=self.index)

    def under(self, index: Any) -> Band:
        """The same with the index (n,) of the frame that its places (n,) were given in."""
        kept = copy(self)
        object.__setattr__(kept, "index", index)
        return kept

    def above(self, floor: float | None) -> Band:
        """The same with its ends no lower than `floor`, below which nothing lies; the value stays what it was found to be.

        The one interval that need not hold its value: one below the floor is known to be wrong.
        """
        if floor is None:
            return self
        cut = copy(self)
        for name in ("low", "high"):
            object.__setattr__(cut, name, as_number(np.maximum(getattr(self, name), floor)))
        return cut

    def within(self, limits: tuple[float, float] | None, what: str) -> Band:
        """The same with value and ends no lower and no higher than `limits`, and a note where that moves one of them."""
        if limits is None:
            return self
        value, low, high = (as_number(np.clip(x, *limits)) for x in self)
        moved = [bool(np.any((x < limits[0]) | (x > limits[1]))) for x in self]
        if not any(moved):
            return self
        span = f"the range of the {what.lower()}, {limits[0]:g} to {limits[1]:g}"
        said = (
            f"The formula leaves {span}: the prediction is cut there, where the law does not hold."
            if moved[0]
            else f"The interval is cut to {span}."
        )
        return replace(self, value=value, low=low, high=high, notes=(*self.notes, said))

    def holding(self, inner: Band) -> Band:
        """The same, with ends no further in than another band's."""
        return replace(
            self, low=as_number(np.minimum(self.low, inner.low)), high=as_number(np.maximum(self.high, inner.high))
        )


def from_draws(value: Any, draws: Any, level: float = LEVEL, notes: tuple[str, ...] = ()) -> Band:
    """The band of a value of shape s from its draws (R, *s), between two of their quantiles; numbers where s is ().

    Its ends are NaN without draws. FitError for a level that is no share.
    """
    tail = 0.5 * (1.0 - a_level(level))
    low, high = quantiles(np.asarray(draws, float), (tail, 1.0 - tail))
    value, low, high = (as_number(np.asarray(a, float)) for a in (value, low, high))
    return Band(value, low, high, level, notes)


def band_of(best: Array, spread: Array, level: float = LEVEL, shape: tuple[int, ...] | None = None) -> Band:
    """A band from best values (1, k) and draws (R, k): a number where k is 1 and no shape is asked for."""
    if shape is None:
        shape = () if best.size == 1 else best.shape[1:]
    return from_draws(np.reshape(best[0], shape), np.reshape(spread, (len(spread), *shape)), level)


def as_number(end: Any) -> Any:
    """An array, or the number that one without a shape is."""
    return float(end) if np.ndim(end) == 0 else end


def quantiles(draws: Array, at: tuple[float, float]) -> tuple[Array, Array]:
    """Two quantiles over the first axis. Infinities count as values; a column with missing draws has no quantile.

    FitError for the ends of an interval at a level that is no share.
    """
    if not 0.0 <= at[0] <= at[1] <= 1.0:
        a_level(at[1] - at[0])
    if len(draws) == 0:
        nothing = np.full(draws.shape[1:], np.nan)
        return nothing, nothing
    whole = np.isfinite(draws).all(axis=0)
    if np.all(whole) or not np.any(whole):
        return _of_columns(draws, at, bool(np.all(whole)))
    out = np.empty((2, *whole.shape))
    for finite in (True, False):  # each column by itself: what a list holds beside it changes nothing
        out[:, whole == finite] = _of_columns(draws[:, whole == finite], at, finite)
    return out[0], out[1]


def _of_columns(draws: Array, at: tuple[float, float], finite: bool) -> tuple[Array, Array]:
    """Two quantiles of columns that are all finite, between draws, or of those that are not, at a draw."""
    if finite and draws.ndim == 1:
        return _of_one(draws, at)
    if finite:  # fair for few draws too: the k-th of R is k / (R + 1)
        low, high = np.quantile(draws, at, axis=0, method="weibull")
    else:
        with np.errstate(invalid="ignore"):
            low, high = np.quantile(draws, at, axis=0, method="inverted_cdf")
    return low, high


def _of_one(draws: Array, at: tuple[float, float]) -> tuple[Array, Array]:
    """The two numbers that `np.quantile` gives for one column (R,) by Weibull's rule, in a third of its time."""
    n = len(draws)
    places = [min(max(n * q + q - 1.0, 0.0), n - 1.0) for q in at]
    before = [int(place) for place in places]
    ordered = np.partition(draws, sorted({*before, *(min(k + 1, n - 1) for k in before)}))
    ends = []
    for place, k in zip(places, before, strict=True):
        share, a, b = place - k, ordered[k], ordered[min(k + 1, n - 1)]
        ends.append(b - (b - a) * (1.0 - share) if share >= 0.5 else a + (b - a) * share)
    return ends[0], ends[1]
