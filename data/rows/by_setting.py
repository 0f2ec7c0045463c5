"""Rows of one name, or of none, told into the curves of several settings: a rate that a schedule changes is a function of the step.

Rows at several values are several runs' where many steps stand at more than one value, where the values alternate from step to
step, and where each value stands in a block of lines of its own whose counter begins anew.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

Array = np.ndarray

OFTEN = (
    0.3  # the share of steps at several values, or at another than the step before, from which these are several runs
)
EACH = 3  # rows of a value, in the mean: fewer are those of schedules
EARLY = 0.3  # of the stretch up to the last row of a value: it begins no later
JUMPING = 0.6  # of the jumps of values in no order: along a schedule, one that comes back too, they are smaller
SAME = 0.02  # rates nearer than this are one
NEAR_BEGIN = 0.1  # of the stretch of a block: the next one begins anew where it begins no later
MOST_VALUES = 200


def by_setting(place: Array, value: Array, falls: bool = False) -> Array | None:
    """The value of each row's run (n,), by the places along a counter and the values (n,) of a setting, in the order of lines.

    None where they are one run's. A setting that `falls` along a run, as a learning rate does, is told by its peak.
    """
    which = np.unique(value, return_inverse=True)[1]
    many = int(which.max(initial=0)) + 1
    if many < 2:
        return None
    if falls and (peaks := _peaks(place, np.asarray(value, dtype=float))) is not None:
        return peaks
    if many <= MOST_VALUES and EACH * many <= len(value) and (_side_by_side(place, which) or _blocks(place, which)):
        return value
    return None


def _side_by_side(place: Array, which: Array) -> bool:
    """Whether every value (n,) begins near the first place, and many places stand at several, or values jump from place to place."""
    at, of = np.unique(np.column_stack([place, which]), axis=0).T
    many = int(of.max()) + 1
    first, last = np.full(many, np.inf), np.full(many, -np.inf)
    np.minimum.at(first, of.astype(int), at)
    np.maximum.at(last, of.astype(int), at)
    if np.any(first - at.min() > EARLY * (last - at.min())) or len(at) < EACH * many:
        return False
    each = np.unique(at, return_counts=True)[1]
    by_chance = (many**2 - 1) / (3 * many)  # the mean difference of ranks of rows in no order
    return bool(np.mean(each > 1) > OFTEN or np.mean(np.abs(np.diff(of))) > JUMPING * by_chance)


def _blocks(place: Array, which: Array) -> bool:
    """Whether the values (n,) stand in blocks along each of which the places rise, from a beginning of its own."""
    cuts = np.flatnonzero(np.diff(which) != 0) + 1
    if len(place) < EACH * (len(cuts) + 1):
        return False
    blocks = np.split(place, cuts)
    return all(_anew(b, c) for b, c in pairwise(blocks)) and all(
        len(b) < 2 or np.mean(np.diff(b) >= 0) > 0.5 for b in blocks
    )


def _peaks(place: Array, value: Array) -> Array | None:
    """The peak of each row's block (n,), of blocks whose counter begins anew, where the rates of these differ place by place."""
    cuts = np.flatnonzero(np.diff(place) < 0) + 1
    if not len(cuts) or len(place) < EACH * (len(cuts) + 1):
        return None
    blocks = np.split(np.arange(len(place)), cuts)
    if not all(_anew(place[b], place[c]) for b, c in pairwise(blocks)):
        return None
    peaks = [float(value[b].max()) for b in blocks]
    for k, own in enumerate(blocks):  # a block stopped in its warm-up has the rates of the one it belongs to
        for j in range(len(blocks)):
            if j != k and peaks[j] != peaks[k] and _alike(place, value, own, blocks[j]):
                peaks[k] = peaks[j] = max(peaks[j], peaks[k])
    return np.repeat(peaks, [len(b) for b in blocks]) if max(peaks) > (1.0 + SAME) * min(peaks) else None


def _alike(place: Array, value: Array, one: Array, other: Array) -> bool:
    """Whether two blocks have the same rate at the places that both passed."""
    order = other[np.argsort(place[other], kind="stable")]
    both = (place[one] >= place[order[0]]) & (place[one] <= place[order[-1]])
    if not both.any():
        return False
    there = np.interp(place[one][both], place[order], value[order])
    with np.errstate(all="ignore"):
        off = np.abs(value[one][both] - there) / np.maximum(np.abs(there), 1e-300)
    return bool(np.median(off) <= SAME)


def _anew(block: Array, after: Array) -> bool:
    """Whether places begin anew with the rows after a block."""
    begin = np.min(block) + max(
        NEAR_BEGIN * np.ptp(block), 2.0 * float(np.median(np.abs(np.diff(block)))) if len(block) > 1 else 0.0
    )
    return bool(after[0] < block[-1] and after[0] <= begin)
