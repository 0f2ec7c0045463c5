"""Which rows of a table of steps did not reach their target, as a column says: a flag, the state of a run, or words."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np

from data.cells.yes_no import answers, written
from data.headers.names import named
from data.headers.parts import header
from data.states.recognise import DISCARDED, FINISHED, UNUSABLE, failures, folded, plain
from data.table import Table

_GOAL = r"(?:the |its |our )?(?:val(?:idation)? |test |train(?:ing)? )?(?:target|goal|threshold|loss|it)(?: (?:loss|value))?"
_DID = r"(?:reached|reach|reaches|hit|met|meets|attained|achieved|crossed|got)"
_TAIL = r"(?: ?(?:yes no|y n|flag|q|in time|in budget))?"
_GOOD = re.compile(
    rf"(?:(?:run|has|was|is|did|does|ever|it) )*(?:{_DID}(?: {_GOAL})?|{_GOAL} (?:was )?{_DID}|uncensored|solved"
    rf"|event(?: observed)?|observed){_TAIL}"
)
_NOT = r"(?:not|never|did not|didn t|didnt|has not|was not|no)"
_BAD = re.compile(
    rf"(?:(?:run|has|was|is|did|it) )*(?:(?:right )?censor(?:ed|ing)?(?: flag)?|{_NOT} {_DID}(?: {_GOAL})?|{_GOAL} {_NOT} {_DID}|unreached"
    rf"|(?:target )?missed(?: {_GOAL})?|capped|truncated|dnf|gave up|(?:budget |steps )?exhausted|(?:hit|reached|at) (?:the )?"
    rf"(?:max(?:imum)?|cap|limit|budget|step limit|step cap)(?: steps?| iterations?)?"
    rf"|(?:max(?:imum)? steps?|cap|limit|budget) (?:hit|reached)){_TAIL}"
)
_WORDS = re.compile(
    rf"(?:{_NOT} .*|(?:right )?censored.*|unreached|missed.*|capped.*|truncated|dnf|gave up|exhausted|budget(?: exhausted)?|never|cap|limit"
    r"|(?:hit |reached |at )?(?:the )?(?:max(?:imum)?(?: steps?| iterations?)?|cap|limit|step limit|step cap)(?: hit| reached)?)"
)
_THERE = re.compile(rf"(?:{_DID}(?: {_GOAL})?|{_GOAL} {_DID}|observed|event|there|uncensored|exact)")
NAMED = 4


@dataclass(frozen=True, eq=False)
class Missed:
    """For each row (n,) in `why` what says that it did not reach its target, or does not say whether it did, else ''.

    `headers` are the columns that were read for it, and `notes` say which of their cells say nothing.
    """

    why: np.ndarray
    headers: tuple[str, ...]
    notes: tuple[str, ...] = ()


def is_flag(raw: str) -> bool:
    """Whether a header asks if a target was reached, or a run was given up before."""
    words = header(raw).words
    return bool(_GOOD.fullmatch(words) or _BAD.fullmatch(words))


def missed(table: Table) -> Missed:
    """The rows of a table of steps that did not reach the target. Where a flag is blank a row reached it if no other says so."""
    why = np.full(len(table.frame), "", dtype=object)
    notes: list[str] = []
    headers = []
    for name in table.headers:
        if is_flag(name):
            own = _flagged(table, name)
        elif _of_states(name):
            own = _by_state(table, name, notes)
        else:
            continue
        if own is not None:
            headers.append(name)
            why = np.where(why == "", own, why)
    ended = failures(table.frame, notes)
    said = np.array([f"a column says {state}" if state else "" for state in ended], dtype=object)
    return Missed(np.where(why == "", said, why), tuple(headers), tuple(notes))


def _of_states(name: str) -> bool:
    return any(column == "state" and sure >= 0.8 for column, sure in named(name))


def _flagged(table: Table, name: str) -> np.ndarray | None:
    """Why rows (n,) count as not reaching the target, by a column of yes and no; None where it is none."""
    column, good = table.frame[name], not _BAD.fullmatch(header(name).words)
    found = answers(column)
    if found.counts:
        return None
    cells = written(column)
    reached = [a if a is None else a == good for a in found.said]
    reached = [_by_words(c) if a is None and c else a for c, a in zip(cells, reached, strict=True)]
    if all(a is None for a in reached):
        return None
    blanks_reach = not any(a is True for a in reached)
    out = []
    for cell, a in zip(cells, reached, strict=True):
        if a or (a is None and not cell and blanks_reach):
            out.append("")
        elif a is False:
            out.append(f"{name!r} says {cell[:30]}")
        else:
            out.append(f"{name!r} does not say")
    return np.array(out, dtype=object)


def _by_words(cell: str) -> bool | None:
    """Whether words say that a target was reached; None where they say neither."""
    low = folded(cell)
    if _THERE.fullmatch(low):
        return True
    if _WORDS.fullmatch(low) or plain(cell) in UNUSABLE - DISCARDED:
        return False
    return True if plain(cell) in FINISHED else None


def _by_state(table: Table, name: str, notes: list[str]) -> np.ndarray | None:
    """The same by a column of states; a word that is none of them counts as reached, and is said."""
    cells = written(table.frame[name])
    known = {c: False if plain(c) in DISCARDED else _by_words(c) for c in set(cells) if c}
    if all(a is None for a in known.values()):
        return None
    strange = Counter(c for c in cells if c and known[c] is None)
    if strange:
        listed = ", ".join(repr(c[:30]) for c in list(strange)[:NAMED])
        notes.append(f"{name!r} says {listed}, no state that is known: such rows count as having reached the target.")
    return np.array([f"{name!r} says {c[:30]}" if c and known[c] is False else "" for c in cells], dtype=object)
