"""A row of units below a header: M params, B tokens, nats, x1e6."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from data.cells.markup import words
from data.cells.values import _is_blank, number
from data.readers._limits import MAX_TEXT
from data.units.factors import MENU, factor


def is_unit_row(row: Sequence[Any], decimal: str) -> bool:
    """Whether every filled cell of a row is a unit of what stands in its column."""
    texts = [t for t in (words(" ".join(str(c)[:MAX_TEXT].split())) for c in row if not _is_blank(c)) if t]
    said = [np.isnan(number(t, decimal)) and _is_unit(t) for t in texts]
    return bool(texts) and all(
        unit or _POWER.match(t) or (any(said) and _SHORT_POWER.fullmatch(t))
        for unit, t in zip(said, texts, strict=True)
    )


def _is_unit(text: str) -> bool:
    """Whether a text is a unit of anything that a column of runs may hold: M params, B tokens, h, ×1e-4, nats."""
    inside = text.strip().removeprefix("[").removesuffix("]").removeprefix("(").removesuffix(")").strip()
    return bool(_UNIT.fullmatch(inside)) or any(factor(inside, d) is not None for d in _DIMENSIONS)


_POWER = re.compile(r"[\[(]?\s*[x×*]?\s*10\s*(?:\^|\*\*)\s*[+-]?[0-9]{1,2}\s*(?:[a-z]+)?\s*[\])]?$", re.IGNORECASE)
_SHORT_POWER = re.compile(
    r"[\[(]?\s*[x×*]?\s*1(?:\.0*)?e[+-]?[0-9]{1,2}\s*(?:(?:train(?:ing)? )?(?:flops?|tokens?|toks?|params?|parameters?|steps?))?\s*[\])]?",
    re.IGNORECASE,
)  # a unit among units alone: 1e18, 1e18 FLOP
_DIMENSIONS = tuple(MENU)
_UNIT = re.compile(
    r"nats?|bits?|(?:nats?|bits?) ?(?:/|per) ?(?:tokens?|tok|bytes?|chars?|characters?|words?)|bpb|bpc|ppl|tokens?|toks?"
    r"|params?|parameters?|steps?|sequences?|seqs?|samples?|gpus?|%|-|#|count|number",
    re.IGNORECASE,
)
