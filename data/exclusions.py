"""Rows that a file itself says are not used: a column `used` with no, or `excluded` with yes, and the reason beside it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from data.table import Table

KEPT = "kept; this law does not fit it"  # the reason beside a run that a law left out and nobody set aside
KEEP = "not used"  # the state under which such rows are kept all the same
UNSAID = "not used, as the file says"

_USED = re.compile(r"(?:is )?(?:used|use|included?|kept|keep)(?: in (?:the )?fits?)?")
_EXCLUDED = re.compile(r"(?:is )?(?:excluded?|set aside|left out|dropped)(?: from (?:the )?fits?)?")
_REASON = re.compile(r"(?:exclusion )?reasons?|why|reason (?:excluded|set aside|not used|for exclusion)")
_YES, _NO = ("true", "yes", "y", "1"), ("false", "no", "n", "0")


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
    headers: list[str] = []
    for header, words in named.items():
        no = _NO if _USED.fullmatch(words) else _YES if _EXCLUDED.fullmatch(words) else ()
        if no:
            said = table.text(header).str.lower()
            if said.isin((*_YES, *_NO, "")).all() and (said != "").any():
                out |= said.isin(no).to_numpy()
                headers.append(header)
    if headers:
        why = [h for h, words in named.items() if _REASON.fullmatch(words)]
        for header in why:
            text = table.text(header).to_numpy(dtype=object)
            reason = np.where(reason == "", text, reason)
        headers += why
        out &= reason != KEPT
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
