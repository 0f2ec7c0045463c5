"""Losses that agree to the last digit: how many of them chance alone explains, given how finely they are written."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

Array = np.ndarray

COARSE = 5  # decimals at which runs of one sweep agree too often, and for too many reasons, to say anything
FINEST = 12  # decimals; what is written more finely is compared at one more
SINGLE, HALF = 24, 11  # bits of the mantissa of single and of half precision
NEIGHBOURS = (
    3,
    10,
    30,
)  # on either side: near ones follow clusters, far ones the whole; the greatest count of chance holds
CLUMPED = 1.25  # runs lie in clusters finer than their neighbours tell
IMPOSSIBLE = math.log(1e-3)  # of chance, before anything is said


def beyond_chance(losses: Array, inputs: Array) -> Array:
    """Which losses (n,) agree with another under other `inputs` (n,) int, far more of them than chance has it: (n,) bool.

    Losses are as the file wrote them. Those of one fineness are judged together: a table can hold losses of three digits
    beside losses of seven. Rows with the same inputs are repeats of one experiment and do not count.
    """
    found = np.zeros(len(losses), dtype=bool)
    for rows, step in _fineness(losses):
        slots = np.round(losses[rows] / step)
        if len(np.unique(slots)) == len(slots):
            continue
        agreeing, pairs = _pairs(slots, inputs[rows])
        if pairs and _log_tail(pairs, CLUMPED * expected_pairs(slots)) < IMPOSSIBLE:
            found[rows[agreeing]] = True
    return found


def expected_pairs(slots: Array) -> float:
    """How many pairs of values (n,), counted in steps of their last digit, agree by chance.

    Where the share p of places is taken, as neighbours say, each place holds -log(1 - p) values on average, whether some
    of them agree for another reason or not; pairs are half the square of that, summed over places (Poisson).
    """
    taken = np.unique(slots)
    last = len(taken) - 1
    if last < 1:
        return 0.0
    most = 0.0
    for k in NEIGHBOURS:
        low, high = np.maximum(np.arange(last + 1) - k, 0), np.minimum(np.arange(last + 1) + k, last)
        share = np.clip((high - low) / (taken[high] - taken[low]), 1e-300, 0.95)
        most = max(most, float(np.sum(np.log1p(-share) ** 2 / (2.0 * share))))
        if 2 * k >= last:
            break
    return most


def _pairs(slots: Array, inputs: Array) -> tuple[Array, int]:
    """Which values (n,) agree with another of other inputs, and how many pairs of different inputs agree."""
    different = np.unique(np.column_stack([slots, inputs]), axis=0)
    value, many = np.unique(different[:, 0], return_counts=True)
    return np.isin(slots, value[many > 1]), int(np.sum(many * (many - 1) // 2))


def _log_tail(seen: int, expected: float) -> float:
    """Chernoff's bound on the log probability that a Poisson count of that mean is as large as what was seen."""
    if seen <= expected:
        return 0.0
    return seen - expected - seen * math.log(seen / max(expected, 1e-300))


def _fineness(losses: Array) -> Iterator[tuple[Array, float]]:
    """The rows that are written equally finely, and the step of their last digit: finer than COARSE decimals.

    One in ten numbers of six decimals ends in 0 and looks like five: fewer digits belong to the finer rows unless there are
    more of them than that. Single precision printed in full shows digits that it does not have, and half precision has no fine ones.
    """
    decimals, bits = _decimals(losses), _bits(losses)
    half = bits <= HALF
    single = ~half & (bits <= SINGLE) & (decimals > COARSE + 3)
    if single.any():
        rows = np.flatnonzero(single)
        yield rows, _single_step(losses[rows])
    written = ~single & ~half
    for d in range(FINEST + 1, COARSE, -1):
        own = written & (decimals == d)
        if not own.any():
            continue
        fewer = written & (decimals < d)
        whole = fewer.sum() <= 0.2 * own.sum() + 3
        rows = np.flatnonzero(own | fewer if whole else own)
        step = 10.0**-d
        if d in (7, 8):  # as many digits as single precision prints
            step = max(step, _single_step(losses[rows]))
        yield rows, step
        if whole:
            return


def _single_step(losses: Array) -> float:
    """How far apart two numbers of single precision lie, where these do."""
    return float(np.spacing(np.float32(np.median(np.abs(losses)))))


def _decimals(losses: Array) -> Array:
    """The decimals that each loss (n,) needs, at most FINEST + 1."""
    out = np.full(len(losses), FINEST + 1)
    for d in range(FINEST, -1, -1):
        out[np.abs(losses - np.round(losses, d)) <= 4 * np.spacing(np.abs(losses))] = d
    return out


def _bits(losses: Array) -> Array:
    """The bits of the mantissa that each loss (n,) needs, at most 53."""
    whole = (np.frexp(losses)[0] * 2.0**53).astype(np.int64)
    lowest = whole & -whole
    return 53 - np.round(np.log2(np.maximum(lowest, 1))).astype(int)
