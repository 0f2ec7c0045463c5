"""The critical batch: from the steps that one loss takes at several batch sizes, how far more data a step still saves steps.

S(B) = S_min (1 + B_crit / B), which is (S / S_min - 1)(E / E_min - 1) = 1 with E = B S and B_crit = E_min / S_min
(McCandlish et al. 2018, arXiv 1812.06162, section 2.3). Zhang et al. 2024 (arXiv 2410.21676) mean another thing by the
word: the batch at which steps exceed linear scaling from a base batch by an overhead, x B_crit + (1 + x) B_base. Both
are here, under names of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import factorial
from typing import Any

import numpy as np
from scipy.special import fdtrc

from data.alike import Alike
from fitting.arguments import (
    MOST_RESAMPLES,
    MOST_SEED,
    a_count,
    a_level,
    an_input,
    as_numbers,
    at_fault,
    in_range,
    in_short,
    one_number,
)
from fitting.band import LEVEL, Band, from_draws
from fitting.batch.apart import MiddleRise, middle_rise
from fitting.batch.descent import descend
from fitting.batch.jump import Jump, jump
from fitting.errors import FitError
from fitting.shown import shown
from fitting.uncertainty.error_model import noise

Array = np.ndarray

LEAST_BATCHES, LEAST_SPAN = 4, 16.0  # laws.md of the trade: fewer or closer batches leave one side of the bend unseen
# A critical batch so many e-folds beyond the batches tried is none: steps fall as one over the batch, or not at all.
FAR = 9.0
RISE, FALL = 1.1, 2.0  # a rise of steps by such a factor, after a fall by such a one, that a hyperbola does not have
UNLIKELY = 0.01  # under noise alone, over the tests of a rise together
RISING, ORDERED, BENDING = 0.9, 0.2, 0.1  # shares of it: a line, the order of batches, a bend; most where most is found
GRID = 361
FINE = 1441
ROUNDS = 25


@shown()
@dataclass(frozen=True, eq=False)
class CriticalBatch(Alike):
    """Steps to one loss against batch size, fitted by least squares of log steps.

    `batch` and `steps` (n,) are what was fitted, `best` (2,) S_min and E_min (E_min in the unit of `batch` times steps; the one
    is 0 where steps fall as one over the batch throughout, the other where they do not fall), `draws` (R, 2) the same from
    refits to noise drawn anew, `residuals` (n,) log steps less the fitted ones, and `notes` what to know before using them, a
    sentence each.
    """

    batch: Array
    steps: Array
    best: Array
    draws: Array
    residuals: Array
    notes: tuple[str, ...] = ()

    @property
    def e_min(self) -> Band:
        """The fewest examples (or tokens: batch times steps) that reach the loss, at small batches."""
        return self.band(lambda s, e: e)

    @property
    def s_min(self) -> Band:
        """The fewest steps that reach the loss, at large batches."""
        return self.band(lambda s, e: s)

    @property
    def b_crit(self) -> Band:
        """McCandlish's critical batch, E_min / S_min: there a run takes twice the fewest steps and twice the fewest examples."""
        return self.band(lambda s, e: e / s)

    def overhead_batch(self, base: float, overhead: float = 0.2) -> Band:
        """Zhang's critical batch: where steps are `overhead` above what linear scaling from the batch `base` would take."""
        base, overhead = one_number("base", base), one_number("overhead", overhead, "a positive share, such as 0.2")
        return self.band(lambda s, e: overhead * e / s + (1.0 + overhead) * base)

    def steps_at(self, batch: Any, level: float = LEVEL) -> Band:
        """Steps to the loss at batch sizes, with their band."""
        at = _in_a_row(an_input("batch", batch))
        return self.band(lambda s, e: s + e / at, level)

    def examples_at(self, batch: Any, level: float = LEVEL) -> Band:
        """Examples to the loss at batch sizes: E_min (1 + B / B_crit), with their band."""
        at = _in_a_row(an_input("batch", batch))
        return self.band(lambda s, e: s * at + e, level)

    def band(self, quantity: Callable[[Array, Array], Any], level: float = LEVEL) -> Band:
        """The interval of any function of S_min and E_min, called with arrays that broadcast against its own."""
        level = a_level(level)
        with np.errstate(all="ignore"):
            value = np.asarray(quantity(*self.best[:, None]), float)
            drawn = np.asarray(quantity(*self.draws.T[:, :, None]), float)
        if value.size == 1:
            value, drawn = value.reshape(()), drawn.reshape(-1)
        return from_draws(value, drawn, level)

    @cached_property
    def sentence(self) -> str:
        """What these runs say, for a person."""
        value, low, high = self.b_crit
        if value == 0 or not np.isfinite(value):
            return " ".join(self.notes)
        beyond = "" if np.isfinite(high) else " or more"
        within = f"{low:,.3g} to {high:,.3g}" if np.isfinite(high) else f"{low:,.3g}{beyond}"
        return " ".join([f"The critical batch is {value:,.4g} (95 % {within}).", *self.notes])


def critical_batch(batch: Any, steps: Any, *, doubt: Any = 0.0, resamples: int = 4000, seed: int = 0) -> CriticalBatch:
    """The critical batch from steps to one loss at several batch sizes.

    `batch`: batch sizes (n,), in tokens or sequences a step; the critical batch is in the same unit. Three sizes at least.
    `steps`: optimiser steps to the loss (n,), each at its batch's own best learning rate.
    `doubt`: by how much log steps may be more, or all of them less (`Reached.doubt`), one number or (n,): half the refits take
        the one, half the other.
    `resamples`: how many refits give the intervals.
    `seed`: that of the refits; the same seed gives the same intervals.

    Intervals come from refits to simulated noise, whose scale is drawn too, so that they widen as Student's t does with few
    runs; an end is infinite, or zero, where the runs do not bound it. Steps that rise in the middle alone are told in `notes`.
    Raises FitError for fewer than three batch sizes, and where steps rise with the batch more than noise explains.
    """
    resamples, seed = a_count("resamples", resamples, MOST_RESAMPLES), a_count("seed", seed, MOST_SEED)
    x, y = (np.empty(0) if v is None else v.ravel() for v in (as_numbers(batch), as_numbers(steps)))
    if not x.size and not y.size and batch is not None and steps is not None:
        raise FitError("No run is left from which a critical batch could be read. Add runs that reached the loss.")
    if not x.size or x.shape != y.shape or not (np.all(in_range(x)) and np.all(in_range(y))):
        for name, given, values in (("batch", batch, x), ("steps", steps, y)):
            if not values.size or not np.all(in_range(values)):
                said = at_fault(given, ~in_range(np.asarray(as_numbers(given)))) if values.size else in_short(given)
                raise FitError(f"{name} are positive numbers, one for every run; it was {said}.")
        raise FitError(f"batch and steps have one number each for every run; there are {x.size} and {y.size}.")
    open_by = as_numbers(doubt)
    open_steps = np.empty(0) if open_by is None or open_by.size not in (1, x.size) else open_by.ravel()
    if not open_steps.size or not np.all((open_steps >= 0) & (open_steps <= FAR)):
        raise FitError(f"doubt is 0 or more and at most {FAR:g}, one number or one for every run.")
    open_steps = np.broadcast_to(open_steps, x.shape)
    sizes = np.unique(x)
    if len(sizes) < 3:
        raise FitError(
            f"A critical batch needs the steps to one loss at three batch sizes or more, and says little under {LEAST_BATCHES}; "
            f"there {'is' if len(sizes) == 1 else 'are'} {len(sizes)}. Add runs at other batch sizes."
        )
    log_x, log_y = np.log(x), np.log(y)
    solved = solve(log_x, log_y[None, :])[0]
    fitted = solved[0] + np.logaddexp(0.0, solved[1] - log_x)
    left = fitted - log_y
    rise, squares = _rise(log_x, log_y), float(np.sum(left**2))
    grid = np.linspace(log_x.min() - FAR, log_x.max() + FAR, FINE)
    jumped = jump(log_x, log_y, squares, grid)
    rises = rise is not None and _rises(log_x, log_y)
    if rise is not None and (rises or jumped is not None or _bends_up(log_x, log_y, squares, solved)):
        raise FitError(_no_hyperbola(rise))
    slopes = np.column_stack([np.ones_like(log_x), 1.0 / (1.0 + np.exp(log_x - solved[1]))])
    errors = noise(left, slopes).errors(np.random.default_rng(seed), resamples)[0]
    drawn = fitted - errors
    if np.any(open_steps):
        drawn += np.where(np.arange(resamples) % 2, 1.0, -1.0)[:, None] * open_steps
    draws = _natural(solve(log_x, drawn), log_x, drawn) if resamples else np.empty((0, 2))
    best = _natural(solved[None, :], log_x, log_y[None, :])[0]
    with np.errstate(divide="ignore"):
        notes = _notes(sizes, float(best[1] / best[0]))
    if rise is not None and best[1] == 0.0:
        notes[0] = _perhaps_noise(rise)
    if jumped is not None and jumped.factor >= RISE:
        notes.append(_jump_said(jumped))
    if rise is not None and (between := middle_rise(log_x, log_y, squares, grid, float(np.log(RISE)))) is not None:
        notes.append(_between_said(between))
    found = CriticalBatch(x, y, best, draws, -left, tuple(notes))
    if rise is not None and rise.fall >= np.log(FALL) and found.b_crit.low == 0.0:
        raise FitError(_no_hyperbola(rise))
    return found


@dataclass(frozen=True)
class _Rise:
    """The largest rise of mean steps along the batches: from the batch `low` to `high`, in logarithms, after a fall of `fall`."""

    low: float
    high: float
    fewest: float
    most: float
    fall: float


def _rise(log_x: Array, log_y: Array) -> _Rise | None:
    """Where mean steps rise the most from a batch to a larger one; None for less than `RISE`."""
    at, index = np.unique(log_x, return_inverse=True)
    mean = np.bincount(index, log_y) / np.bincount(index)
    lowest = np.minimum.accumulate(mean)
    end = int(np.argmax(mean - lowest))
    begin = int(np.argmin(mean[: end + 1]))
    if mean[end] - mean[begin] < np.log(RISE):
        return None
    low, high, fewest, most = np.exp([at[begin], at[end], mean[begin], mean[end]])
    return _Rise(float(low), float(high), float(fewest), float(most), float(mean[: begin + 1].max() - mean[begin]))


def _rises(log_x: Array, log_y: Array) -> bool:
    """Whether steps rise from the first batch to the last beyond what noise explains: at each of batches enough, or along a line
    in logarithms whose slope is so many of its errors (Student's t)."""
    at, index = np.unique(log_x, return_inverse=True)
    mean = np.bincount(index, log_y) / np.bincount(index)
    free = len(log_x) - 2
    if np.all(np.diff(mean) > 0) and 1.0 / factorial(len(at)) < ORDERED * UNLIKELY:  # one of so many orders
        return True
    slope, level = np.polyfit(log_x, log_y, 1)
    left = log_y - level - slope * log_x
    explained, rest = slope**2 * np.sum((log_x - log_x.mean()) ** 2), max(float(np.sum(left**2)), 1e-30)
    return bool(slope > 0 and 0.5 * fdtrc(1, free, explained / (rest / free)) < RISING * UNLIKELY)


def _bends_up(log_x: Array, log_y: Array, squares: float, solved: Array) -> bool:
    """Whether S_min (1 + B_crit / B + B / B_rise) is nearer to steps than the hyperbola beyond what noise explains."""
    free = len(log_x) - 3
    if free < 1 or squares < 1e-12 * len(log_x):
        return False
    middle, span = float(log_x.mean()), float(np.ptp(log_x))

    def at(c: Array) -> tuple[Array, Array]:
        terms = np.stack([np.zeros((len(c), len(log_x))), c[:, 1:2] - log_x, log_x - c[:, 2:3]], axis=-1)
        share = np.exp(terms - terms.max(axis=-1, keepdims=True))
        total = share.sum(axis=-1, keepdims=True)
        value = c[:, :1] + terms.max(axis=-1) + np.log(total[..., 0])
        share = share / total
        return value, np.stack([np.ones_like(value), share[..., 1], -share[..., 2]], axis=-1)

    begins = [[log_y.min(), b, r] for b in (middle - span, middle, solved[1]) for r in (middle, middle + span)]
    low = np.array([log_y.min() - 40.0, middle - span - FAR, middle - span - FAR])
    high = np.array([log_y.max() + 1.0, middle + span + FAR, middle + span + 4.0 * FAR])
    cost = descend(at, np.clip(np.array(begins, float), low, high), log_y, low, high, 60)
    other = max(float(cost.min()), 1e-30)
    return bool(fdtrc(1, free, (squares - other) / (other / free)) < BENDING * UNLIKELY) if other < squares else False


def _no_hyperbola(rise: _Rise) -> str:
    return (
        f"Steps rise with the batch, from {rise.fewest:,.4g} at {rise.low:,.4g} to {rise.most:,.4g} at {rise.high:,.4g}, where they can "
        "only fall: the hyperbola does not hold and no critical batch can be read. Check the learning rates of the larger batches, or "
        "leave these out."
    )


def _perhaps_noise(rise: _Rise) -> str:
    return (
        f"Steps do not fall with the batch: they rise from {rise.fewest:,.4g} at {rise.low:,.4g} to {rise.most:,.4g} at {rise.high:,.4g}, "
        "which may be noise. Then every batch is above the critical one: add smaller batches, and check the learning rates of the larger."
    )


def _in_a_row(batch: Array) -> Array:
    if batch.ndim > 1:
        raise FitError(
            f"batch is a positive number, or a list of them; it was a table of {' x '.join(map(str, batch.shape))}."
        )
    return batch


def _between_said(found: MiddleRise) -> str:
    at = ", ".join(f"{b:,.4g}" for b in found.apart)
    return (
        f"Steps rise from {found.fewest:,.4g} at batch {found.low:,.4g} to {found.most:,.4g} at {found.high:,.4g}, where they can only "
        f"fall, more than noise explains: those at {at} are off the hyperbola of the other batches. Do not rely on the critical batch. "
        "Check the learning rates there, or leave them out."
    )


def _jump_said(found: Jump) -> str:
    return (
        f"From batch {found.batch:,.4g} on steps are {found.factor:.3g} times the hyperbola of the other batches, more than noise "
        "explains: do not rely on the critical batch. Check the learning rates of those batches, or leave them out."
    )


def solve(log_x: Array, log_y: Array) -> Array:
    """Least squares for each row of log steps (R, n): log S_min and log B_crit (R, 2), the global optimum between the ends.

    For a given B_crit the best S_min is a mean, so what is left is one dimension: a grid, then Newton's steps in its cell.
    """
    grid = np.linspace(log_x.min() - FAR, log_x.max() + FAR, GRID)
    bend = np.logaddexp(0.0, grid[:, None] - log_x)
    bend -= bend.mean(axis=1, keepdims=True)
    centred = log_y - log_y.mean(axis=1, keepdims=True)
    cost = np.sum(bend**2, axis=1) - 2.0 * centred @ bend.T
    at = np.argmin(cost, axis=1)
    low, high = grid[np.maximum(at - 1, 0)], grid[np.minimum(at + 1, GRID - 1)]
    b = grid[at]
    for _ in range(ROUNDS):  # bisection of the slope's sign, helped by Newton: cannot leave the cell
        h = np.logaddexp(0.0, b[:, None] - log_x)
        share = 1.0 / (1.0 + np.exp(log_x - b[:, None]))
        r = h - h.mean(axis=1, keepdims=True) - centred
        moved = share - share.mean(axis=1, keepdims=True)
        slope = np.sum(r * moved, axis=1)
        curvature = np.sum(moved**2 + r * share * (1.0 - share), axis=1)
        low, high = np.where(slope < 0, b, low), np.where(slope < 0, high, b)
        with np.errstate(all="ignore"):
            step = b - slope / curvature
        b = np.where(np.isfinite(step) & (step > low) & (step < high), step, 0.5 * (low + high))
    s = np.mean(log_y - np.logaddexp(0.0, b[:, None] - log_x), axis=1)
    return np.column_stack([s, b])


def _natural(solved: Array, log_x: Array, log_y: Array) -> Array:
    """S_min and E_min (R, 2), with a bend at the grid's ends as the limit it stands for: one of them zero."""
    s, e = np.exp(solved[:, 0]), np.exp(solved[:, 0] + solved[:, 1])
    near = 2.0 * (np.ptp(log_x) + 2.0 * FAR) / (GRID - 1)
    none, linear = solved[:, 1] < log_x.min() - FAR + near, solved[:, 1] > log_x.max() + FAR - near
    flat, falling = np.exp(log_y.mean(axis=1)), np.exp((log_y + log_x).mean(axis=1))
    s_min = np.where(linear, 0.0, np.where(none, flat, s))
    return np.column_stack([s_min, np.where(none, 0.0, np.where(linear, falling, e))])


def _notes(sizes: Array, b_crit: float) -> list[str]:
    out = []
    if b_crit == 0.0:
        out.append("Steps do not fall with the batch: every batch is above the critical one. Add smaller batches.")
    elif not np.isfinite(b_crit):
        out.append(
            "Steps fall as one over the batch throughout: the critical batch is beyond the largest. Add larger batches."
        )
    elif b_crit > sizes[-1]:
        out.append("Every batch is below the critical one, so it is known from below alone. Add larger batches.")
    elif b_crit < sizes[0]:
        out.append("Every batch is above the critical one, so it is known from above alone. Add smaller batches.")
    if len(sizes) < LEAST_BATCHES or sizes[-1] < LEAST_SPAN * sizes[0]:
        out.append(
            f"{len(sizes)} batch sizes over a factor of {sizes[-1] / sizes[0]:.3g} show little of the bend: "
            f"{LEAST_BATCHES} over a factor of {LEAST_SPAN:.0f} are usual."
        )
    return out
