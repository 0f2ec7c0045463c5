"""Headings above rows: what they say of a run that does not count, and whether they name a setting of it."""

from __future__ import annotations

import re

from data.headers import header as take_apart
from data.held_out import CORPUS, SPLIT
from data.names import loss_name
from data.titles import not_measured

HEADING = "heading"  # the column of headings under which the same runs stand again, or by which rows do not count

_UNUSED = re.compile(
    r"\b(?:(do not use|don'?t use|not used|not measured|not converged|out of memory)"
    r"|(predicted|predictions?|extrapolat(?:ed|ions?)|forecast(?:s|ed)?|projected|projections?|hypothetical)"
    r"|(deprecated|obsolete|superseded|outdated|discarded|invalid|retracted|buggy|broken)"
    r"|(diverged|failed|failures?|crashed|aborted|killed|oom|incomplete|unfinished|not finished|still running|in progress))\b",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"\b(?:no|not|without|non|never|excluding|except|vs\.?|versus|and|or|from|against|measured|actual)\b[^.;:()]{0,30}$",
    re.IGNORECASE,
)
_SETTING = re.compile(
    r"\b(?:lr|learning rate|seeds?|batch(?: size)?|weight decay|wd|steps?|epochs?|tokens?|params?|parameters|layers?|warm ?up|sweep"
    r"|stage|phase|schedule|context|budget|sequence length|dropout|[0-9.]+ ?[kmbt])\b|[=]|[0-9]e[+-]?[0-9]",
    re.IGNORECASE,
)

_PER = re.compile(r"(?:\bper|/)[ -]?[a-z]+", re.IGNORECASE)  # nats per token


def unused(heading: str) -> str:
    """The word by which a heading says that the rows below it do not count as finished, measured runs; '' where none does."""
    found = _UNUSED.search(heading[:200])
    if found is None:
        return not_measured([heading])[0]
    if _NEGATED.search(heading[: found.start()]):
        return ""
    if found[2] and re.search(
        r"\b(?:and|vs\.?|versus|/|&)\b\s*(?:actual|measured|observed)", heading[found.end() :], re.IGNORECASE
    ):
        return ""
    return found[0].lower()


def names_a_setting(heading: str) -> bool:
    """Whether a heading names a setting of the runs below it, so that the same names there are other runs."""
    return bool(_SETTING.search(_PER.sub(" ", heading[:200])))


def says_where_measured(heading: str) -> bool:
    """Whether a heading names a text, a split or a loss: C4, validation, bits per byte."""
    path = take_apart(heading).path
    return bool(CORPUS.search(path) or SPLIT.search(path)) or loss_name(heading) is not None
