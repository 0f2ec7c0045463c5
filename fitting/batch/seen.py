"""What tokens seen along a run say of its batch: the mean batch of the steps between two rows, whatever a column of batches says.

A config logs one batch for the whole run, and logs may begin after a warm-up: the tokens know better. A counter of another unit
(sequences, or the tokens of one device) says the same but for a factor, which is one for all runs of a table.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data.rows.by_batch import SAME_BATCH

Array = np.ndarray
Logged = tuple[Array, Array, Array]  # step (n,) rising, batch (n,) and what was seen (n,) of one run

AGREE = 0.005  # of what was seen: tokens in three digits are rounded by no more
FIRST_STEPS = 1.5  # counters of steps and of tokens begin no further apart
PART = 3  # a third of the rows is a run's beginning, another its end
MOST_DIGITS = 15


def unit_of(runs: Sequence[Logged]) -> float | None:
    """What the runs count as seen in a step, over their batch, where a run is at that batch: at its end, or at its beginning.

    One where each run is at it somewhere; else what the ends of all agree on; None where they do not.
    """
    ends = np.array([(_over(*run, slice(None, -_third(run))), _over(*run, slice(_third(run), None))) for run in runs])
    if not len(ends) or not np.all(np.isfinite(ends) & (ends > 0)):
        return None
    if np.all(np.any(np.abs(ends - 1.0) <= SAME_BATCH, axis=1)):
        return 1.0
    last = ends[:, 1]
    return float(np.median(last)) if last.max() <= (1.0 + SAME_BATCH) * last.min() else None


def agrees(step: Array, batch: Array, seen: Array) -> bool:
    """Whether what was seen (n,), in the batch's unit, is batch times steps all along, but for rounding and where counters begin."""
    due = batch * step
    slack = AGREE * seen + 0.999 * _quantum(seen) + FIRST_STEPS * batch
    return bool(np.all(np.abs(seen - due) <= slack))


def rising_batch(step: Array, batch: Array, seen: Array) -> Array | None:
    """The mean batch (n,) of the steps from the row before to each, by what was seen (n,) in the unit of the one `batch` (n,) told.

    None where it falls anywhere, which no warm-up does: then what was seen is something else.
    """
    width = np.diff(step, prepend=0.0)
    mean = np.diff(seen, prepend=0.0) / width
    if not np.all(mean > 0):
        return None
    rounding = _quantum(seen) / width
    told = np.abs(mean - batch) <= SAME_BATCH * batch + np.where(rounding < 0.5 * batch, rounding, 0.0)
    mean = np.where(told, batch, mean)
    highest = np.maximum.accumulate(mean)
    return mean if np.all(mean >= (1.0 - SAME_BATCH) * highest - rounding) else None


def mean_batch(step: Array, batch: Array, seen: Array) -> Array | None:
    """The mean batch (n,) of the steps from the row before to each, by what was seen (n,) in any unit, where `batch` (n,) changes.

    None where that does not bear the batches out: tokens that are batch times steps jump where the batch changes.
    """
    if not np.all(np.isfinite(seen)) or len(step) < 2:
        return None
    mean = np.diff(seen, prepend=0.0) / np.diff(step, prepend=0.0)
    before = np.append(min(batch[0], batch.min()), batch[:-1])
    low, high = np.minimum(before, batch), np.maximum(before, batch)
    steady = high <= (1.0 + SAME_BATCH) * low
    unit = float(np.median((mean / batch)[steady])) if steady.any() else 1.0
    if not unit > 0:
        return None
    mean = mean / unit
    fits = (mean >= (1.0 - SAME_BATCH) * low) & (mean <= (1.0 + SAME_BATCH) * high)
    return mean if fits[1:].all() and 0 < mean[0] <= (1.0 + SAME_BATCH) * batch[0] else None


def _third(run: Logged) -> int:
    return max(1, len(run[0]) - max(2, len(run[0]) // PART))


def _over(step: Array, batch: Array, seen: Array, part: slice) -> float:
    """What was seen in a step over the batch, from the first to the last of some rows."""
    at, of, been = (v[part] for v in (step, batch, seen))
    return float((been[-1] - been[0]) / (at[-1] - at[0]) / of[-1]) if len(at) > 1 else float("nan")


def _quantum(seen: Array) -> float:
    """The power of ten that all of what was seen (n,) is a multiple of: it is rounded to no more."""
    top = int(np.floor(np.log10(seen.max()))) if seen.max() > 0 else 0
    for k in range(top, top - MOST_DIGITS, -1):
        parts = seen / 10.0**k
        if np.all(np.abs(parts - np.round(parts)) <= 1e-9 * np.maximum(parts, 1.0)):
            return float(10.0**k)
    return 0.0
