"""Rows that a file itself says are not used: a column `used` with no, or `excluded` with yes, and the reason beside it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from data.states import answers
from data.table import Table

KEPT = "kept; this law does not fit it"  # the reason beside a run that a law left out and nobody set aside
KEEP = "not used"  # the state under which such rows are kept all the same
UNSAID = "not used, as the file says"

_USED = re.compile(r"(?:is )?(?:used|use|included?|kept|keep)(?: in (?:the )?fits?)?")
_EXCLUDED = re.compile(r"(?:is )?(?:excluded?|set aside|left out|dropped)(?: from (?:the )?fits?)?")
#: Headers that say as much in other words, of which the reason names the one.
_FIT_TO_USE = re.compile(r"(?:is )?(?:valid|usable|good|reliable|trusted|accepted|trustworthy)|in (?:the )?fits?")
_UNFIT = re.compile(
    r"(?:is )?(?:an? )?(?:outliers?|skip(?:ped)?|discard(?:ed)?|ignored?|invalid|unusable|bad|removed?|rejected?|unreliable|do not use)"
)
_REASON = re.compile(r"(?:exclusion )?reasons?|why|reason (?:excluded|set aside|not used|for exclusion)")


@dataclass(frozen=True, eq=False)
class Exclusions:
    """`headers` are the columns that say it, `out` (n,) whether each row is not used, `reason` (n,) why, '' where unsaid."""

    headers: tuple[str, ...]
    out: np.ndarray
    reason: np.ndarray

    def __bool__(self) -> bool:
        return bool(self.out.any())


def exclusions(table: Table, taken: Collection[str] = ()) -> Exclusions:
    """What the table says of rows that are not used; columns in `taken` hold something else."""
    named = {h: " ".join(re.sub(r"[^a-z]+", " ", h.lower()).split()) for h in table.headers if h not in taken}
    out, reason = np.zeros(len(table.frame), dtype=bool), np.full(len(table.frame), "", dtype=object)
    marked = reason.copy()
    headers: list[str] = []
    for header, words in named.items():
        good, bad = _USED.fullmatch(words), _EXCLUDED.fullmatch(words)
        fit, unfit = _FIT_TO_USE.fullmatch(words), _UNFIT.fullmatch(words)
        said = answers(table.text(header)) if good or bad or fit or unfit else None
        if said:
            no = np.array([a is not None and a == bool(bad or unfit) for a in said])
            if fit or unfit:
                marked = np.where(no & (marked == ""), f"{UNSAID}: {words if unfit else f'not {words}'}", reason)
            out |= no
            headers.append(header)
    if headers:
        why = [h for h, words in named.items() if _REASON.fullmatch(words)]
        for header in why:
            text = table.text(header).to_numpy(dtype=object)
            reason = np.where(reason == "", text, reason)
        headers += why
        out &= reason != KEPT
        reason = np.where(reason == "", marked, reason)
    return Exclusions(tuple(headers), out, reason)


def set_aside(found: Exclusions, why: np.ndarray, keep: Collection[str], notes: list[str]) -> np.ndarray:
    """The reasons (n,) with those that the file gives for rows it does not use."""
    if not found or KEEP in keep:
        return why
    if not (~found.out & (why == "")).any():
        notes.append(f"Every row is marked as not used ({found.headers[0]!r}), so the mark is left out of account.")
        return why
    unsaid = np.where(why == "", UNSAID, why)
    return np.where(found.out, np.where(found.reason == "", unsaid, found.reason), why)
