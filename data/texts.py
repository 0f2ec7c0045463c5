"""Texts that a column of data sets names: those that models are trained on, and those that they are only measured on."""

from __future__ import annotations

import re

from data.corpora import CORPORA
from data.headers import header as take_apart
from data.held_out import CORPUS

#: Columns of texts that runs were trained or measured on.
TEXTS = re.compile(
    r"(?:data ?)?set|dataset|data|corpus|domain|source|subset|partition|part|texts?|(?:dataset|data|text|corpus) ?names?"
)
#: Texts of too few tokens to train language models of billions of tokens on.
_EVALUATED = re.compile(
    r"wiki ?text(?: ?(?:2|103))?(?: v[0-9])?|wt(?:2|103)?|ptb|penn ?tree ?bank|lambada|lm1b|1b words?|paloma|pg ?19"
    r"|enwik8|text8|m2d2|manosphere"
)


def is_text(cell: str) -> bool:
    """Whether a cell is the name of a text and of nothing else."""
    path = take_apart(cell).path.lower()
    known = CORPUS.fullmatch(path) or _EVALUATED.fullmatch(path)
    return bool(known) or re.sub(r"[\W_]", "", cell.lower()) in CORPORA


def only_evaluated_on(cell: str) -> bool:
    """Whether a text is one of evaluations, on which no model of billions of tokens is trained."""
    return bool(_EVALUATED.fullmatch(take_apart(cell).path.lower()))
