"""Steps that rise between neighbouring batches since a few batches lie off the hyperbola through the others, by more than noise."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.special import fdtrc

Array = np.ndarray

UNLIKELY = 0.005  # under noise alone, over all the sets of batches that may be set apart
MOST_APART, MOST_SETS = 3, 2000  # of more batches only neighbours are set apart together
MOST_BLOCKS = 40  # batches of a table in which any neighbours may share a factor
COARSE, NEAREST = 8, 5  # every so many of the critical batches to try, for the sets that are then tried at all
EXACT = 1e-10  # mean squares of log steps, below which nothing is told apart


@dataclass(frozen=True)
class MiddleRise:
    """Steps rise from `fewest` at the batch `low` to `most` at the next, `high`, where those at the batches `apart` are off."""

    low: float
    high: float
    fewest: float
    most: float
    apart: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class _Family:
    """Sets (S, m) bool of batches that may be off, each by means of their own or by one `factor`; `numbers` are free beside the rest."""

    sets: Array
    numbers: int
    factor: bool


def middle_rise(log_x: Array, log_y: Array, squares: float, grid: Array, least: float) -> MiddleRise | None:
    """The largest rise of mean log steps (n,) between neighbours along log batches (n,) that noise does not explain; else None.

    Up to `MOST_APART` batches, less than half of them, are given means of their own beside the hyperbola through the rest, or
    neighbours one factor, and the ratio of variances says whether noise explains what that gains (Bonferroni over all of these).
    `squares` is the sum of squares about the hyperbola alone, `grid` (g,) log critical batches to try, `least` the least rise in
    logarithms.
    """
    at, index = np.unique(log_x, return_inverse=True)
    count = np.bincount(index).astype(float)
    mean = np.bincount(index, log_y) / count
    rises = np.diff(mean)
    families = _families(len(at))
    if not families or rises.max(initial=0.0) < least:
        return None
    within = float(np.sum((log_y - mean[index]) ** 2))
    left = mean - np.logaddexp(0.0, grid[:, None] - at)
    best, found = UNLIKELY / len(families), None
    for family in families:
        rough = _squares(family, family.sets, left[::COARSE], count)[0].min(axis=1)
        sets = family.sets[np.argsort(rough, kind="stable")[:NEAREST]]
        total, level = _squares(family, sets, left, count)
        k, g = np.unravel_index(int(np.argmin(total)), total.shape)
        other, free = max(float(total[k, g]) + within, EXACT * len(log_x)), len(log_x) - 2 - family.numbers
        if other >= squares or free < 1:
            continue
        gained = (squares - other) / family.numbers / (other / free)
        chance = float(len(family.sets) * fdtrc(family.numbers, free, gained))
        off = np.where(sets[k], left[g] - level[k, g], 0.0)
        rise = np.where((off[:-1] < 0) | (off[1:] > 0), rises, 0.0)
        if chance < best and rise.max() >= least:
            best, j = chance, int(np.argmax(rise))
            low, high, fewest, most = (float(v) for v in np.exp([at[j], at[j + 1], mean[j], mean[j + 1]]))
            found = MiddleRise(low, high, fewest, most, tuple(float(x) for x in np.exp(at[sets[k]])))
    return found


def _squares(family: _Family, sets: Array, left: Array, count: Array) -> tuple[Array, Array]:
    """Sums of squares (S, g) with batches apart, of what is `left` of means (g, m) of `count` (m,) runs, and its level (S, g)."""
    rest = ~sets * count
    many = rest.sum(axis=1)[:, None]
    level = rest @ left.T / many
    total = rest @ (left**2).T - level**2 * many
    if family.factor:
        own = sets * count
        some = own.sum(axis=1)[:, None]
        total = total + own @ (left**2).T - (own @ left.T) ** 2 / some
    return total, level


def _families(m: int) -> list[_Family]:
    """What may be off of m batches: none of fewer than four."""
    most = min(MOST_APART, (m - 2) // 2)
    out = [_Family(_as_sets(m, _chosen(m, size)), size, False) for size in range(1, most + 1)]
    longest = m - 3 if m <= MOST_BLOCKS else MOST_APART
    blocks = [range(k, k + size) for size in range(2, longest + 1) for k in range(1, m - size)]
    return [*out, _Family(_as_sets(m, blocks), 1, True)] if blocks else out


def _as_sets(m: int, members: Iterator[tuple[int, ...]] | list[range]) -> Array:
    return np.array([np.isin(np.arange(m), list(each)) for each in members])


def _chosen(m: int, size: int) -> Iterator[tuple[int, ...]]:
    """Sets of `size` of m batches: all, or of too many those of neighbours."""
    if math.comb(m, size) <= MOST_SETS:
        yield from combinations(range(m), size)
    else:
        yield from (tuple(range(k, k + size)) for k in range(m - size + 1))
