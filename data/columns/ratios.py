"""Tokens over parameters under names that say it shortly, or in multiples of the compute-optimal ratio."""

from __future__ import annotations

import re
from collections.abc import Mapping as Pairs

import numpy as np

from data.columns.settled import TAKEN, Offers, middle
from data.errors import Question
from data.headers.parts import header as take_apart
from data.table import Table

OPTIMAL = 20.0  # tokens per parameter that are called compute-optimal (Hoffmann et al. 2022)
_MULTIPLE = re.compile(r".*\b(?:chinchilla|over ?training|over ?train(?:ed)?)\b.*")


@np.errstate(all="ignore")
def settle_ratio(table: Table, offers: Offers, factors: Pairs[str, float | str]) -> list[Question]:
    """Drop short names of ratios where the tokens stand in a column of their own, and ask what a multiple is a multiple of."""
    found = [(s, h) for (c, h), (s, _) in offers.items() if c == "tokens_per_param"]
    counted = any(c in ("tokens", "unique_tokens") and s >= TAKEN for (c, _), (s, _) in offers.items())
    for sure, h in found:
        if counted and sure <= TAKEN:
            del offers["tokens_per_param", h]
    left = [(s, h) for s, h in found if ("tokens_per_param", h) in offers]
    header = max(left)[1] if left else ""
    if not header or not _MULTIPLE.fullmatch(take_apart(header).path) or "tokens_per_param" in factors:
        return []
    typical = middle(table.numbers(header, "few").values)
    text = (
        f"Is {header!r} a multiple of {OPTIMAL:g} tokens per parameter? Then {typical:g} stands for {OPTIMAL * typical:g} tokens per "
        f"parameter: give the factor {OPTIMAL:g}, or 1 if it is the ratio itself."
    )
    return [Question("units.tokens_per_param", text, (f"{OPTIMAL:g}", "1"), f"{OPTIMAL:g}")]
