"""A heading above a table that says its numbers were not measured: expected results, estimates, placeholders."""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np

from data.states.recognise import STATE

_MOST = 14  # words of a heading; a longer text is prose, which may speak of another table
_NUMBERS = (
    r"(?:results?|performances?|losses|values?|numbers?|metrics?|outcomes?|scores?|perplexit(?:y|ies)|ppl|quality|figures|data|runs"
    r"|benchmarks?|ranges?|scaling|points?|measurements?|(?:validation|val|test|train(?:ing)?|eval(?:uation)?|final) loss(?:es)?)"
)
_ANYWHERE = re.compile(
    r"\b(placeholders?|illustrative|hypothetical|made[- ]up|dummy|mock|fictitious|fictional)\b",
    re.IGNORECASE,
)
_WORD = r"(estimated|expected|predicted|projected|extrapolated|forecast(?:ed)?|anticipated|target(?:ed)?|planned|simulated|theoretical)"
_NOUN = r"(estimates|expectations|predictions|projections|extrapolations|forecasts|targets)"
#: At the beginning of a heading, behind its number, a dash or a colon, or in brackets; alone or in front of what is measured.
_OPENS = r"(?:^|[(\[:–—|-]\s*|^(?:table|figure|section|appendix|step|part)?\s*[0-9A-Z]{1,3}(?:\.[0-9]+)*[.):]?\s+)(?:the |our |model )?"
_BEFORE = re.compile(
    rf"{_OPENS}{_WORD}(?:\s+(?:\w+\s+){{0,2}}{_NUMBERS}\b|\s*(?:$|[)\]]))|{_OPENS}{_NOUN}\s*(?:$|[)\]])",
    re.IGNORECASE,
)
_BEFORE_LOSS = re.compile(rf"{_OPENS}{_WORD}\s+(?:\w+\s+)?loss\s*(?:$|[)\]:(,–—-])", re.IGNORECASE)
#: What a sentence has and a heading has not.
_SENTENCE = re.compile(
    r"\b(?:is|are|was|were|be|been|removed|replaced|we|in the|below|above|so far)\b|^as \w+ed\b", re.IGNORECASE
)
_BESIDE = re.compile(
    r"\b(?:actual(?:ly)?|measured|observed|real|vs\.?|versus|against|compared|no|without|excluding)\b", re.IGNORECASE
)


def not_measured(above: Collection[str]) -> tuple[str, str]:
    """The word by which the lines `above` a table say that its numbers were not measured, and its line; '' twice where none does.

    The nearest line that speaks of it decides: below "Predicted", "Measured" is what the table holds.
    """
    for line in reversed(list(above)):
        text = line.strip().lstrip("#").strip(" *_=:")
        if not text or len(text) > 200 or len(text.split()) > _MOST or text.endswith(".") or _SENTENCE.search(text):
            continue
        found = _ANYWHERE.search(text) or _BEFORE.search(text)
        loss = None if found else _BEFORE_LOSS.search(text)
        if loss and not loss[1].lower().startswith("target"):  # a target loss is one to be reached
            found = loss
        if _BESIDE.search(text if not found else text.replace(found[0], " ", 1)):
            return "", ""
        if found:
            return next(g for g in found.groups() if g).lower(), text[:80]
    return "", ""


def under_title(why: np.ndarray, above: Collection[str], keep: Collection[str], notes: list[str]) -> np.ndarray:
    """The reasons (n,) with those of a table whose heading says that it was not measured; words in `keep` stay."""
    word, line = not_measured(above)
    if not word or word in keep or not (why == "").any():
        return why
    notes.append(f"The heading {line!r} says that these numbers were not measured: the rows below it are set aside.")
    return np.where(why == "", f"{STATE}{word}", why)
