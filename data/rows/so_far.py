"""Columns that say how far a run has come: tokens seen, steps done."""

from __future__ import annotations

import re

from data.columns.counters import SO_FAR, WITH_REPORTS
from data.headers.parts import header as take_apart
from data.mapping import Mapping

#: Words of a header that say how far a run has come, where others may say how far it was to go.
_COUNTER = {
    "steps": re.compile(
        r"^(?!.*\b(?:steps|iters|iterations|updates)$)|\b(?:so far|seen|done|current|cur|curr|completed|trained)\b"
    ),
    "tokens": re.compile(r"\b(?:seen|processed|consumed|so far|cumulative|accumulated|current)\b"),
    "samples": re.compile(r"\b(?:seen|processed|consumed|so far|cumulative)\b"),
    "flops": re.compile(r"\b(?:so far|cumulative|current|used|spent)\b"),
    "epochs": re.compile(r"\bepoch$|\bso far\b"),
    "wall_seconds": re.compile(r"\b(?:relative|elapsed|since)\b"),
}


def says_so_far(column: str, mapping: Mapping) -> bool:
    """Whether a column's header says how far a run has come: tokens seen, steps done."""
    guess = mapping.guesses.get(column)
    return guess is not None and (
        bool(_COUNTER[column].search(take_apart(guess.header).words)) or guess.how.endswith((SO_FAR, WITH_REPORTS))
    )
