"""Texts that a column of data sets names: those that models are trained on, and those that they are only measured on."""

from __future__ import annotations

import re
from collections.abc import Iterable

from data.headers.parts import header as take_apart
from data.losses.held_out import CORPUS
from data.splits.corpora import CORPORA

#: Columns of texts that runs were trained or measured on.
TEXTS = re.compile(
    r"(?:data ?)?set|dataset|data|corpus|domain|source|subset|partition|part|texts?|(?:dataset|data|text|corpus) ?names?"
)
#: Texts of too few tokens to train language models of billions of tokens on.
_EVALUATED = re.compile(
    r"wiki ?text(?: ?(?:2|103))?(?: v[0-9])?|wt(?:2|103)?|ptb|penn ?tree ?bank|lambada|lm1b|1b words?|paloma|pg ?19"
    r"|m2d2|manosphere"
)
#: Small texts on which small models are trained as well as measured.
_SMALL = re.compile(r"enwik ?[89]|text ?8|tiny ?stories|tiny ?shakespeare|shakespeare|baby ?lm")


def is_text(cell: str) -> bool:
    """Whether a cell is the name of a text and of nothing else."""
    path = take_apart(cell).path.lower()
    known = CORPUS.fullmatch(path) or _EVALUATED.fullmatch(path) or _SMALL.fullmatch(path)
    return bool(known) or re.sub(r"[\W_]", "", cell.lower()) in CORPORA


def some_only_evaluated_on(cells: Iterable[str]) -> bool:
    """Whether texts are those of models of billions of tokens and of evaluations: C4 beside WikiText. Either alone is trained on."""
    paths = [take_apart(c).path.lower() for c in cells]
    measured = [bool(_EVALUATED.fullmatch(p)) for p in paths]
    return any(measured) and any(not m and not _SMALL.fullmatch(p) for p, m in zip(paths, measured, strict=True))
