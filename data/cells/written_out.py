"""Counts that are written out under a header of millions or billions: 12,500,000 under `params (M)`."""

from __future__ import annotations

import numpy as np

from data.cells.values import Numbers
from data.mapping import Guess
from data.units.factors import DIMENSION

_IN_FULL = 1e6  # a count from which it is sooner written out than in millions


def in_full(guess: Guess, said: str, found: Numbers, good: np.ndarray) -> str:
    """What to ask of a count whose header states millions or more (`said`) over whole numbers of seven digits; else ''.

    `found` are the numbers as they stand, `good` (n,) those above zero. Cells that name their own unit do not count.
    """
    if DIMENSION[guess.column] != "count" or guess.scale < 1e6:
        return ""
    own = np.zeros(len(found.values), dtype=bool) if found.own is None else found.own
    bare = found.values[good & ~own]
    whole = (bare >= _IN_FULL) & (bare == np.round(bare))
    if 2 * int(whole.sum()) <= len(bare):
        return ""
    return (
        f"In which unit is {guess.header!r}? It says {said}, but its cells ({_span(bare)}) are whole numbers of seven digits "
        f"and more, as a count has that is written out: with {said} they are {_span(bare * guess.scale)}."
    )


def _span(values: np.ndarray) -> str:
    form = ",.12g" if values.max() < 1e9 else ".3g"
    return f"{values.min():{form}} to {values.max():{form}}"
