"""Short names of accumulated gradients (`ga`, `acc`, `accum`), which are taken at their word where their values can be such."""

from __future__ import annotations

import re

import numpy as np

from data.headers.parts import header as take_apart

MOST = 4096  # passes of one step that are believed under a short name
_SURE = re.compile(r"\bgrads?\b|\bgradient\b|\baccumulat")
_ACCURACY = re.compile(r"acc(?:um)?")


def may_accumulate(header: str, values: np.ndarray) -> bool:
    """Whether the values (n,) under a header named like accumulated passes can be such: whole, from 1 to `MOST`.

    `acc` may be an accuracy in whole per cents, so its values must be what people accumulate: products of 2, 3 and 5.
    A header that spells the gradients out is not doubted.
    """
    words = take_apart(header).words
    if _SURE.search(words):
        return True
    said = values[np.isfinite(values)]
    if not len(said) or (said < 1).any() or (said > MOST).any() or (said != np.round(said)).any():
        return False
    return not _ACCURACY.fullmatch(words) or all(_smooth(int(v)) for v in np.unique(said))


def _smooth(number: int) -> bool:
    """Whether a number has no prime factor above five."""
    for prime in (2, 3, 5):
        while number % prime == 0:
            number //= prime
    return number == 1
