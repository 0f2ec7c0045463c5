"""Rows of one name, or of none, told into the runs that they are of where their batch differs.

A run may stay at one batch or rise along batches as it warms up. The order of lines tells which: while the counter and the batch
rise they are one run's, and where the counter falls back the next one begins, or the same resumes. Rows in no order are those of
runs of one batch each, unless a batch begins so late that a rise to it is as likely.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray

SAME_BATCH = 0.02  # batches nearer than this are one: the last of an epoch is cut short
STRETCH = 3  # rows, in the mean, of stretches along which the counter rises: those of shuffled rows have two
MOST_STRETCHES = 500  # each is compared with the runs before it
LATE = 1.5  # intervals between rows after which a batch begins late
_FIRST_ROWS = 5


@dataclass(frozen=True, eq=False)
class Told:
    """Which rows go together: `part` (n,) numbers them, and `batches` are those that the rows of each part go through, in order.

    Rows that are alike in this, of seeds for one, share a part. `doubt` says why rows may be otherwise, '' where they may not.
    """

    part: Array
    batches: tuple[tuple[float, ...], ...]
    doubt: str = ""


def by_batch(place: Array, batch: Array) -> Told:
    """The rows of one name told apart, by their places along a counter and their batches (n,), both finite, in the order of lines."""
    batch = one_batch(batch)
    if not overlapping(place, batch):
        first = [float(batch[place == p][0]) for p in np.unique(place)] if len(np.unique(batch)) > 1 else batch[:1]
        return Told(np.zeros(len(batch), dtype=int), (tuple(dict.fromkeys(map(float, first))),))
    runs = _in_order(place, batch)
    if runs is None:
        sizes, part = np.unique(batch, return_inverse=True)
        batches: list[tuple[float, ...]] = [(float(b),) for b in sizes]
    else:
        ways = [_way(place[r], batch[r]) for r in runs]
        batches = sorted(set(ways))
        part = np.zeros(len(batch), dtype=int)
        for rows, way in zip(runs, ways, strict=True):
            part[rows] = batches.index(way)
    return Told(part, tuple(batches), _late(place, batch, part, runs is not None))


def one_batch(values: Array) -> Array:
    """Batches (n,) with the smallest in place of those next to it: worked out from rounded tokens one batch differs by the row."""
    sizes, which = np.unique(np.asarray(values, dtype=float), return_inverse=True)
    begins = np.concatenate([[True], sizes[1:] > (1.0 + SAME_BATCH) * sizes[:-1]])
    return np.asarray(sizes[begins][np.cumsum(begins) - 1][which])


def overlapping(place: Array, value: Array) -> bool:
    """Whether places (n,) at one value (n,) overlap with those at another."""
    _, which = np.unique(value, return_inverse=True)
    low, high = np.full(which.max(initial=-1) + 1, np.inf), np.full(which.max(initial=-1) + 1, -np.inf)
    np.minimum.at(low, which, place)
    np.maximum.at(high, which, place)
    order = np.lexsort((high, low))
    return bool(np.any(low[order][1:] < np.maximum.accumulate(high[order])[:-1]))


def _in_order(place: Array, batch: Array) -> list[Array] | None:
    """The rows of each run, by the order of lines forth or back; None where that tells nothing."""
    step = np.diff(place)
    if (step >= 0).all() or (step <= 0).all():
        return None  # sorted, so that the lines of all runs alternate
    order = np.arange(len(place))
    if np.sum(step < 0) > np.sum(step > 0):
        order = order[::-1]
    at, of = place[order], batch[order]
    again = (np.diff(at) == 0) & (np.diff(of) == 0)
    cuts = np.flatnonzero(((np.diff(at) <= 0) & ~again) | (np.diff(of) < 0)) + 1
    if len(cuts) + 1 > min((len(place) - again.sum()) / STRETCH, MOST_STRETCHES):
        return None
    runs: list[Array] = []
    for rows in np.split(np.arange(len(at)), cuts):
        k = next((k for k in reversed(range(len(runs))) if _goes_on(at, of, runs[k], rows[0])), None)
        if k is None:
            runs.append(rows)
        else:
            runs[k] = np.concatenate([runs[k], rows])
    return [order[r] for r in runs]


def _goes_on(place: Array, batch: Array, run: Array, row: int) -> bool:
    """Whether a run resumes at the row: past its beginning, at the batch that it has there."""
    at, now = place[run], place[row]
    second = np.min(at[at > at.min()], initial=np.inf)
    if now <= second:
        return False
    before = run[at <= now]
    return bool(batch[before[np.flatnonzero(place[before] == place[before].max())[-1]]] == batch[row])


def _way(place: Array, batch: Array) -> tuple[float, ...]:
    """The batches (n,) of a run in the order of its places (n,)."""
    return tuple(dict.fromkeys(float(b) for b in batch[np.argsort(place, kind="stable")]))


def _late(place: Array, batch: Array, part: Array, ordered: bool) -> str:
    """Why a part may be the later stretch of runs that begin at a smaller batch; '' where none may."""
    for k in range(int(part.max()) + 1):
        own = part == k
        places = np.unique(place[own])[:_FIRST_ROWS]
        if len(places) < 2 or places[0] <= LATE * np.diff(places).max():
            continue
        begins = float(batch[own & (place == places[0])].min())
        if np.any((batch < begins) & (place < places[0])):
            return (
                f"Rows of one name {'stand' if ordered else 'stand in no order'} at {len(np.unique(batch))} batch sizes, and those at "
                f"batch {begins:g} begin at {places[0]:g}, after rows at smaller batches: whether a run rises to that batch or stays at "
                "it is not told. Give each run a name in a column run, or keep the lines in the order in which runs logged them."
            )
    return ""
