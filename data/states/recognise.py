"""How trackers say that a run ended: words for finished, for still running and for broken off."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection
from functools import lru_cache

import numpy as np
import pandas as pd

from data.cells.yes_no import answers, shown, written
from data.errors import Question
from data.headers.parts import header as take_apart
from data.plural import agreeing
from data.states import words as state_words

ASIDE = "set aside"  # the answer to what becomes of runs in states that are not known
STATE = "run state: "  # how the reason of a run begins that was set aside for its state


def plain(state: str) -> str:
    """The state's word without case, marks and what Slurm or a person adds: `CANCELLED by 1000` -> cancelled.

    A mark alone is its word (❌ is failed), an exit code other than 0 is a failure.
    """
    low = folded(_CAMEL.sub(" ", state))
    if not low:
        return next((state_words.MARKS[c] for c in state if c in state_words.MARKS), "")
    low = _BEGINS.sub(r"\1", low)
    code = re.fullmatch(r"(?:exit|exited|return)(?: with)?(?: code| status)? ([0-9]{1,3})", low)
    if code:
        return "failed" if int(code[1]) else "finished"
    if low not in FINISHED | BROKEN | UNFINISHED:
        low = re.sub(r" (by|with|after|at|exit|code|signal)\b.*$", "", low)
        how_far = _HOW_FAR.fullmatch(low)  # of a run that finished it would say that it had not
        low = how_far[1] if how_far and how_far[1] in BROKEN | UNFINISHED else low
    return _OF_WHAT.sub("", low).removeprefix("run ") if " " in low else low


#: How far a run had come behind its state: running (87%), running 12k / 20k, in progress, step 400 of 1000, WIP 3/10 epochs.
_HOW_FAR = re.compile(
    r"([^0-9]+?)(?: (?:at|step|steps|epoch|iter))?(?: [0-9]+[kmb]?(?: of)?){1,4}(?: (?:percent|pct|done|steps?|epochs?|iters?|tokens?))?"
)
#: Where words stand together, as in OOMKilled and TrialState.COMPLETE; NaNs is one.
_CAMEL = re.compile(r"(?:(?<=[A-Za-z])(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z]{3}))(?![A-Z]s\b)")
#: What trackers put in front of a state: JOB_STATE_SUCCEEDED, TrialState.PRUNED, RunStatus.FAILED.
_OF_WHAT = re.compile(
    r"^(?:(?:run|job|trial|task|experiment|pod|flow|training) ?)?(?:life ?cycle |result )?(?:state|status) "
)


@lru_cache(maxsize=20_000)
def folded(text: str) -> str:
    """The letters and digits of a text in lower case, without accents."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", " ", text.casefold()).strip()


def of_words(text: str) -> frozenset[str]:
    """A list of words with commas between them as they come out of `plain`."""
    return frozenset(folded(word) for word in text.split(","))


#: Words behind which people write what went wrong: `failed (exit code 1)`, `Fehler: OOM`.
_BEGINS = re.compile(rf"^({'|'.join(sorted(of_words(state_words.BEFORE_A_REASON)))}) .*$")
FINISHED = of_words(state_words.FINISHED)
BROKEN = of_words(state_words.BROKEN)
UNFINISHED = of_words(state_words.UNFINISHED)


DISCARDED = of_words(state_words.DISCARDED)  # in a column of states alone: elsewhere these are words like others
UNUSABLE = BROKEN | UNFINISHED | DISCARDED
KNOWN = FINISHED | UNUSABLE | of_words(state_words.KEPT)
_FEW = 12  # different words of a column that is one of states as soon as one of them is


def is_state(cells: pd.Series) -> bool:
    """Whether a column of text (n,) that is named like one holds run states.

    Most of it is, or any of a few words; a word for a run that failed counts whatever the other words are.
    """
    words = [plain(c) for c in cells if c]
    known = [w in KNOWN for w in words]
    return any(known) and (float(np.mean(known)) > 0.5 or len(set(words)) <= _FEW or not UNUSABLE.isdisjoint(words))


def unknown(cells: pd.Series) -> np.ndarray:
    """For each row (n,) the state as written where it is no word that is known, else ''."""
    known = KNOWN | of_words(state_words.MEASURED)
    return np.array([c if c and plain(c) not in known else "" for c in cells.astype(str)], dtype=object)


def unusable(cells: pd.Series) -> np.ndarray:
    """For each row (n,) the state as written where it says that the run did not come to its end, else ''."""
    return np.array([c if c and plain(c) in UNUSABLE else "" for c in cells.astype(str)], dtype=object)


#: Headers over a yes and a no: of what a run should have come to, and of what should not have become of it.
_OF_A_RUN = r"(?:(?:sys ?/? ?)?(?:run|job|training|train|trial|loss|is|has|did|was|it|model|fully)? ?){0,2}"
_GOOD = re.compile(
    _OF_A_RUN
    + r"(converged?|finish(?:ed)?|success(?:ful(?:ly)?)?|succeed(?:ed)?|complet(?:ed|e|ion)|done|ok(?:ay)?|passed"
    r"|finished training|training finished|reached (?:the )?end)(?: ?(?:run|training|flag|yes|no|y|n))*"
)
_BAD = re.compile(
    _OF_A_RUN
    + r"(failed|fail|failure|crash(?:ed)?|diverged?|aborted|abort|killed|oom|oomed|out of memory|nans?|inf|nan or inf"
    r"|exploded|timed out|timeout|cancell?ed|preempted|interrupted|incomplete|unfinished|errored|error|went nan)"
    r"(?: ?(?:run|training|flag|loss|yes|no|y|n))*"
)
_EXIT = re.compile(
    r"(?:job |run |process |derived )?(?:exit|return|ret) ?(?:code|status|value)|exit|rc|exitcode|returncode|retcode"
)
_CODE = re.compile(r"(-?[0-9]{1,5})(?:\.0)?(?::([0-9]{1,3}))?")  # Slurm writes the code and the signal, 0:9
_NOTE = re.compile(
    r"(?:results?|verdict|end|ended|ending|remarks?|comments?|notes?|flags?|issues?|problems?|what happened)?"
)


def says_the_end(header: str) -> bool:
    """Whether a column of that name may say how a run ended, by yes and no, an exit code or a note."""
    words = take_apart(header).path
    return bool(words) and any(form.fullmatch(words) for form in (_GOOD, _BAD, _EXIT, _NOTE))


def failures(frame: pd.DataFrame, notes: list[str] | None = None) -> np.ndarray:
    """For each row (n,) the state that another column than the one of states gives a run that did not come to its end, else ''.

    A no under `converged`, a yes under `diverged`, an exit code other than 0, and a note of nothing but states. `notes` take
    a sentence on cells that are neither yes nor no.
    """
    out = np.full(len(frame), "", dtype=object)
    for header in map(str, frame.columns):
        words = take_apart(header).path
        good, bad = _GOOD.fullmatch(words), _BAD.fullmatch(words)
        if good or bad:
            found = answers(frame[header])
            state = bad[1] if bad else f"not {good[1]}" if good else ""
            said = [] if found.counts else [state if a is not None and a == bool(bad) else "" for a in found.said]
            if found and found.other and not found.counts and notes is not None:
                rows = agreeing(len(found.other), "row says", "rows say")
                notes.append(f"{header!r}: {rows} neither yes nor no ({shown(found.other)}), which marks nothing.")
        elif _EXIT.fullmatch(words):
            said = _exit_codes(frame[header])
        elif _NOTE.fullmatch(words) and frame[header].dtype != float:
            said = _notes(frame[header])
        else:
            continue
        if said:
            out = np.where(out == "", np.array(said, dtype=object), out)
    return out


def _exit_codes(column: pd.Series) -> list[str]:
    """The state of each row by its exit code; empty where some cell is none."""
    cells = written(column)
    read = [_CODE.fullmatch(c) for c in cells]
    if not any(read) or any(c and r is None for c, r in zip(cells, read, strict=True)):
        return []
    return [
        f"failed (exit code {c.removesuffix('.0')})" if r and (int(r[1]) or int(r[2] or 0)) else ""
        for c, r in zip(cells, read, strict=True)
    ]


def _notes(column: pd.Series) -> list[str]:
    """The states in a column of notes, where every note is one; empty where some is not."""
    cells = written(column)
    words = {plain(c) for c in cells if c}
    if not words or not words <= FINISHED | BROKEN | UNFINISHED:
        return []
    return [c if c and plain(c) in BROKEN | UNFINISHED else "" for c in cells]


def ask_of_unknown(frame: pd.DataFrame, why: np.ndarray, aside: bool) -> Question | None:
    """A question where runs that are kept so far, `why` (n,) '', have states that no word here means; None where none has."""
    if "state" not in frame:
        return None
    found = Counter(plain(s) or s for s in unknown(frame["state"])[why == ""] if s)
    if not found:
        return None
    words = ", ".join(f"{w[:30]!r}" + (f" ({n:,})" if n > 1 else "") for w, n in found.most_common(3))
    more = f" and {len(found) - 3} other words" if len(found) > 3 else ""
    many = found.total()
    runs = agreeing(many, "run has a state that is", "runs have states that are")
    text = f"{runs} not known: {words}{more}. Keep {'it' if many == 1 else 'them'}, or set {'it' if many == 1 else 'them'} aside?"
    options = ("kept", ASIDE)
    return Question("unknown_states", text, options, options[aside], needed=False)


def unfinished(
    frame: pd.DataFrame, why: np.ndarray, keep: Collection[str], notes: list[str], rows: np.ndarray, aside: bool = False
) -> np.ndarray:
    """The reasons (n,) with those of runs whose state says that they did not come to their end; states in `keep` stay.

    `rows` (n,) are the states that the table gives in other ways, '' where none. `aside` says that states which are not known
    count as such.
    """
    failed = failures(frame, notes)
    said = unusable(frame["state"]) if "state" in frame else np.full(len(frame), "", dtype=object)
    if aside and "state" in frame:
        said = np.where(said == "", unknown(frame["state"]), said)
    for more in (failed, rows):
        said = np.where(said == "", more, said)
    if not (said != "").any():
        return why
    usable = why == ""
    if usable.any() and (said[usable] != "").all():
        words = " or ".join(sorted({s.lower() for s in said[usable]}))
        notes.append(f"Every run is marked {words}: they are kept, since no other is there to go by.")
        return why
    for i in np.flatnonzero((said != "") & (why == "")):
        if plain(said[i]) not in keep and said[i].lower() not in keep:
            why[i] = f"{STATE}{said[i]}"
    return why
