"""Guesses at the unit of tokens that nothing bears out: a person is asked without one."""

from __future__ import annotations

from collections.abc import Mapping as Pairs
from dataclasses import replace

import numpy as np

from data.errors import Question
from data.mapping import Guess
from data.schema import COUNTS
from data.table import Table

_LARGEST_STEP = 1e9  # tokens
_MANY = 100.0  # of tokens whose unit is not said: as many may stand as they are, in toys


@np.errstate(all="ignore")
def without_absurd(table: Table, question: Question, guesses: Pairs[str, Guess]) -> Question:
    """The question without its guess where tokens in that unit make a step that none has, or nothing says of which model they are."""
    if question.key != "units.tokens" or not question.guess:
        return question
    tokens = guesses["tokens"].values(table)
    sized = any(c in guesses for c in (*COUNTS, "flops"))
    kept = sized or not np.isfinite(tokens).any() or float(np.nanmedian(tokens)) < _MANY
    if kept and "steps" in guesses:
        each = tokens / guesses["steps"].values(table)
        each = each[np.isfinite(each) & (each > 0)] * float(question.guess)
        kept = not len(each) or float(np.median(each)) <= _LARGEST_STEP
    return question if kept else replace(question, guess="")
