"""Which runs share a budget: rows whose training FLOPs agree within a stated tolerance, and why the others are left out.

Budgets are found densest first: the window that holds the most runs becomes a budget, its runs are taken away, and no
later window may reach across it. Chaining neighbours instead would run together into one budget wherever, as in the
Chinchilla figure, other runs lie between the budgets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.alike import Alike

Array = np.ndarray

# Sizes closer than this are one size: digitised figures scatter by half a per cent, real sweeps step by tens.
SAME_SIZE = 0.01
# Fewer sizes than this make no profile, not even a flagged one.
LEAST_SIZES = 3


@dataclass(frozen=True)
class LeftOut:
    """A run that belongs to no profile, and the reason as a sentence fragment."""

    run: str
    reason: str


@dataclass(frozen=True, eq=False)
class Bucket(Alike):
    """Rows of one budget: their positions (n,) in the table and the budget in FLOP, the middle of its runs."""

    rows: Array
    flops: float


def sizes(log_n: Array) -> Array:
    """Which size each run has, (n,) integers from 0 in order of size; neighbours within 1 % are one size."""
    order = np.argsort(log_n, kind="stable")
    steps = np.diff(log_n[order]) > SAME_SIZE
    labels = np.empty(len(log_n), int)
    labels[order] = np.concatenate([[0], np.cumsum(steps)])
    return labels


def buckets(
    log_c: Array, log_n: Array, tolerance: float, given: Sequence[float] | None = None
) -> tuple[list[Bucket], Array]:
    """The budgets in ascending order, and for each row (n,) the index of its budget or -1.

    `tolerance` 0.1 means that a run's FLOPs are within a factor 1.1 of the middle of its budget. `given` names the
    budgets instead of finding them: each takes the runs within tolerance, a run between two the nearer.
    """
    reach = np.log1p(tolerance)
    home = _nearest(log_c, np.log(np.asarray(given, float)), reach) if given is not None else _densest(log_c, reach)
    found = []
    for label in np.unique(home[home >= 0]):
        rows = np.flatnonzero(home == label)
        if sizes(log_n[rows]).max() + 1 >= LEAST_SIZES:
            found.append(Bucket(rows, float(np.exp(np.mean(log_c[rows])))))
    found.sort(key=lambda b: b.flops)
    index = np.full(len(log_c), -1)
    for i, b in enumerate(found):
        index[b.rows] = i
    return found, index


def _nearest(log_c: Array, centres: Array, reach: float) -> Array:
    distance = np.abs(log_c[:, None] - centres[None, :])
    nearest = np.argmin(distance, axis=1)
    # A hair of room, so that a run written with as few digits as the budget is inside at tolerance zero.
    return np.where(distance[np.arange(len(log_c)), nearest] <= reach + 1e-9, nearest, -1)


def _densest(log_c: Array, reach: float) -> Array:
    """The label of the window each row falls in, (n,), or -1."""
    order = np.argsort(log_c, kind="stable")
    x = log_c[order]
    label = np.full(len(x), -1)
    free = [(0, len(x))]  # stretches of rows not yet taken, as half-open ranges
    count = 0
    while free:
        start, stop = free.pop()
        part = x[start:stop]
        if len(part) < LEAST_SIZES:
            continue
        ends = np.searchsorted(part, part + 2 * reach + 1e-9, side="right")
        held = ends - np.arange(len(part))
        # Of windows with equally many runs the narrowest: it is a budget rather than a coincidence.
        if held.max() < LEAST_SIZES:
            continue
        width = part[ends - 1] - part
        first = int(np.lexsort((width, -held))[0])
        label[start + first : start + ends[first]] = count
        count += 1
        free += [(start, start + first), (start + int(ends[first]), stop)]
    return label[np.argsort(order)]
