"""Counts that are zero in every row: what a logger writes where it did not count."""

from __future__ import annotations

import re

import numpy as np

from data.columns.settled import TAKEN, Offers
from data.headers.parts import header as take_apart
from data.schema import COUNTS
from data.table import Table
from data.units.factors import DIMENSION

_COUNTED = (*COUNTS, "tokens", "samples", "unique_tokens", "tokens_per_param", "flops_per_token")
_COUNTER = re.compile(r"\b(?:seen|processed|consumed|so far|cumulative)\b")
#: From which columns the tokens of a run may follow.
_SAYS_TOKENS = frozenset(
    ("tokens", "flops", "flops_per_token", "tokens_per_param", "unique_tokens", "samples", "steps")
)


def without_untracked(table: Table, offers: Offers) -> list[str]:
    """Take the counts out of the offers that are zero in every row, with a sentence on each.

    A plain count of tokens or parameters that nothing else says stays: its rows are set aside for being zero.
    """
    zero = [o for o in offers if o[0] in _COUNTED and offers[o][0] >= TAKEN and _is_zero(table, *o)]
    if not zero:
        return []
    rest = {
        c for (c, h), (sure, _) in offers.items() if sure >= TAKEN and (c, h) not in zero and not _is_zero(table, c, h)
    }
    named = {column for column, _ in table.from_name.values()}
    gone = {}
    for column, header in zero:
        size = column in COUNTS and (rest | named) & set(COUNTS)
        data = column == "tokens" and (_COUNTER.search(take_apart(header).words) or (rest | named) & _SAYS_TOKENS)
        if size or data or column not in (*COUNTS, "tokens"):
            del offers[column, header]
            gone[header] = f"{header!r} is zero everywhere: it was not tracked and is not used."
    return list(gone.values())


def _is_zero(table: Table, column: str, header: str) -> bool:
    """Whether every cell of a column of numbers that is written is zero."""
    if column not in (*_COUNTED, "flops", "steps"):
        return False
    values = table.numbers(header, DIMENSION.get(column, "")).values
    values = values[np.isfinite(values)]
    return bool(len(values)) and not values.any()
