"""Rows that a file itself says are not used: a column `used` with no, or `excluded` with yes, and the reason beside it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from data.cells.cleaned import clean
from data.cells.yes_no import answers, shown, written
from data.plural import agreeing
from data.states.recognise import BROKEN, UNFINISHED, plain
from data.table import Table

KEPT = "kept; this law does not fit it"  # the reason beside a run that a law left out and nobody set aside
HELD = "held out; forecast, not fitted"  # the reason beside a run held out, whose column `role` says so too
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
#: Cells that say it themselves, under either name.
_WORDS_OF_USE = {
    **dict.fromkeys(("used", "in use", "included", "include", "incl", "in", "kept", "keep"), True),
    **dict.fromkeys(("not used", "unused", "excluded", "exclude", "excl", "out", "left out", "set aside", "dropped", "drop", "removed",
                     "ignored", "ignore", "skipped", "skip", "not included", "not kept"), False),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Exclusions:
    """`headers` are the columns that say it, `out` (n,) whether each row is not used, `reason` (n,) why, '' where unsaid.

    `notes` say which rows are kept since their mark is none.
    """

    headers: tuple[str, ...]
    out: np.ndarray
    reason: np.ndarray
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.out.any())


def _words(header: str) -> str:
    return " ".join(re.sub(r"[^a-z]+", " ", header.lower()).split())


def marks(header: str) -> bool:
    """Whether a column of that name may say that rows are not used, or why."""
    return any(form.fullmatch(_words(header)) for form in (_USED, _EXCLUDED, _FIT_TO_USE, _UNFIT, _REASON))


def exclusions(table: Table, taken: Collection[str] = ()) -> Exclusions:
    """What the table says of rows that are not used; columns in `taken` hold something else."""
    named = {h: _words(h) for h in table.headers if h not in taken}
    out, reason = np.zeros(len(table.frame), dtype=bool), np.full(len(table.frame), "", dtype=object)
    headers: list[str] = []
    notes: list[str] = []
    for header, words in named.items():
        good, bad = (_USED.fullmatch(words), _EXCLUDED.fullmatch(words))
        fit, unfit = (_FIT_TO_USE.fullmatch(words), _UNFIT.fullmatch(words))
        if good or bad or fit or unfit:
            marked = _marked(table, header, bool(good or fit), notes)
            if marked is not None:
                gone, said = marked
                if fit or unfit:
                    said = np.where(said == "", f"{UNSAID}: {words if unfit else f'not {words}'}", said)
                out |= gone
                reason = np.where(gone & (reason == ""), said, reason)
                headers.append(header)
    if headers:
        beside, reason = reason, np.full(len(table.frame), "", dtype=object)
        why = [h for h, words in named.items() if _REASON.fullmatch(words)]
        for header in why:
            text = table.text(header).to_numpy(dtype=object)
            reason = np.where(reason == "", text, reason)
        headers += why
        reason = np.where(reason == "", beside, reason)
        out &= (reason != KEPT) & ((reason != HELD) | ("role" not in named.values()))
    return Exclusions(tuple(headers), out, reason, tuple(notes))


def _marked(table: Table, header: str, used: bool, notes: list[str]) -> tuple[np.ndarray, np.ndarray] | None:
    """Which rows (n,) a column marks as not used, and the reasons that stand in it; None where it marks nothing.

    A state (diverged) marks its row under either name, and so does any reason under `excluded` where most rows have none.
    """
    found, cells = answers(table.frame[header]), written(table.frame[header])
    gone = [a is not None and a != used for a in found.said]
    reason = list(found.behind)
    other = [i for i, a in enumerate(found.said) if a is None and cells[i]]
    if found.counts:
        return None
    spared = sum(not c or a is False for c, a in zip(cells, found.said, strict=True))
    of_use = {i: _WORDS_OF_USE[_words(cells[i])] for i in other if _words(cells[i]) in _WORDS_OF_USE}
    for i in other:
        if i in of_use:
            gone[i] = not of_use[i]
        elif plain(cells[i]) in BROKEN | UNFINISHED or (not used and 2 * spared >= len(cells)):
            gone[i], reason[i] = True, clean(cells[i])
    unknown = [i for i in other if not gone[i] and i not in of_use]
    silent = [i for i, c in enumerate(cells) if not c]
    if found.ticked and used and silent:
        notes.append(f"{header!r} is ticked ({shown(c for c in cells if c)}): rows without the mark are not used.")
        gone = [g or not c for g, c in zip(gone, cells, strict=True)]
    elif used:
        unknown = sorted([*unknown, *silent])
    if not found and not any(gone):
        if unknown:
            notes.append(f"{header!r} says neither yes nor no ({shown(found.other)}): no row was set aside by it.")
        return None
    if unknown:
        cell = shown([str(table.text(header).iloc[unknown[0]])])
        rows = agreeing(len(unknown), "row says", "rows say")
        notes.append(f"{header!r}: {rows} neither yes nor no ({cell}) and {'is' if len(unknown) == 1 else 'are'} kept.")
    return np.array(gone, dtype=bool), np.array(reason, dtype=object)


def set_aside(found: Exclusions, why: np.ndarray, keep: Collection[str], notes: list[str]) -> np.ndarray:
    """The reasons (n,) with those that the file gives for rows it does not use."""
    if KEEP in keep:
        return why
    notes += found.notes
    if not found:
        return why
    if not (~found.out & (why == "")).any():
        notes.append(f"Every row is marked as not used ({found.headers[0]!r}), so the mark is left out of account.")
        return why
    unsaid = np.where(why == "", UNSAID, why)
    return np.where(found.out, np.where(found.reason == "", unsaid, found.reason), why)
