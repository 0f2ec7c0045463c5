"""Two columns under names for one quantity whose values differ: what was used up, what was planned, or a question."""

from __future__ import annotations

import re
from collections.abc import Mapping as Pairs
from dataclasses import dataclass, replace

import numpy as np

from data.columns.planned import PLANNED
from data.errors import Question
from data.headers.parts import header as take_apart
from data.headers.parts import scale_in
from data.mapping import Guess
from data.middle import median
from data.schema import COUNTS
from data.table import Table
from data.units.factors import DIMENSION, PLAUSIBLE

Array = np.ndarray
Offers = Pairs[tuple[str, str], tuple[float, str]]

SAME = 0.06  # how near two columns come that say the same, one of them rounded
MUCH = 1.5  # a factor beyond which a guess is asked about and not taken
SHORT = 1e6  # below it numbers of tokens, parameters and FLOPs may leave out their unit
SURE = 0.65  # names below it mean other things as well: `data`, `n`, `size`
MANY = 12  # columns that are compared with each other
_JUDGED = (*COUNTS, "tokens", "flops", "steps", "samples", "seq_len", "batch", "batch_sequences")
_FEEDS_TOKENS = (
    "steps",
    "samples",
    "seq_len",
    "batch",
    "batch_sequences",
)  # asked where the tokens follow from them
_SEEN = re.compile(
    r"\b(seen|trained|consumed|processed|used|spent|so far|cumulative|cum|accumulated|actual|real|done|current)\b"
)
_TOTAL = re.compile(r"\b(total)\b")
_OF_THE_COLUMN = re.compile(r"\b(tokens?|params?|parameters|flops?|compute|steps?|iters?|iterations?|samples)\b")
_OPTIMAL = re.compile(r"\b(opt|optimal)\b")
_OF_THE_DATA = re.compile(r"\b(dataset|data|corpus)\b(?!.*\b(seen|used|processed|consumed)\b)")


@dataclass(frozen=True)
class Weighed:
    """What became of the columns that compete: guesses, the questions among all, and sentences on what was taken."""

    guesses: dict[str, Guess]
    questions: list[Question]
    notes: list[str]


@np.errstate(all="ignore")
def weigh(
    table: Table, guesses: dict[str, Guess], offers: Offers, settled: set[str], questions: list[Question]
) -> Weighed:
    """The guesses where several columns are named for one quantity: taken where they agree or one is plainly meant.

    `offers` are the (canonical column, header) that names allow with how sure each is, `settled` the columns that a person
    has answered for, `questions` those asked so far; one about columns that agree is dropped.
    """
    out = Weighed(dict(guesses), list(questions), [])
    for column in _JUDGED:
        key = f"columns.{column}"
        if column not in guesses or column in settled or any(q.key == key and q.needed for q in questions):
            continue
        taken = guesses[column].header
        rivals = _rivals(table, column, taken, offers, {g.header for g in out.guesses.values()})
        far = [h for h in rivals if not _agree(table, column, taken, h)]
        if rivals and not far:
            out.questions[:] = [q for q in out.questions if q.key != key]
        if far:
            _choose(table, out, column, taken, far)
    return out


def _rivals(table: Table, column: str, taken: str, offers: Offers, used: set[str]) -> list[str]:
    """The unused headers named for the column, whose values it could have."""
    low, high = PLAUSIBLE.get(column, (0.0, np.inf))
    optimal = bool(_OPTIMAL.search(take_apart(taken).words))
    again = re.compile(re.escape(taken) + r" \([0-9]{1,3}\)")
    out = [h for h in table.headers if again.fullmatch(h) and h not in used]  # the same name twice in a file
    surest: dict[str, float] = {}
    for (_, header), (sure, _) in offers.items():
        surest[header] = max(sure, surest.get(header, 0.0))
    for (c, header), (sure, _) in offers.items():
        if (
            c != column
            or header in used
            or sure < surest[header]
            or (header in table.from_name) != (taken in table.from_name)
            or header in table.brought_down
        ):
            continue
        if _elsewhere(header) and not _elsewhere(taken):
            continue  # teacher/params beside params
        words = take_apart(header).words
        if "6nd" in words.replace(" ", "") and column == "flops":
            continue  # what a formula gives, beside what was counted
        named = sure >= SURE or header in table.from_name or (PLANNED.search(words) and _OF_THE_COLUMN.search(words))
        if not named or bool(_OPTIMAL.search(words)) != optimal or (column == "tokens" and _OF_THE_DATA.search(words)):
            continue
        values = _values(table, column, header)
        values = values[np.isfinite(values) & (values > 0)]
        if len(values) and low <= median(values) <= high:
            out.append(header)
    return out[:MANY]


def _elsewhere(header: str) -> bool:
    """Whether the name stands behind a folder that says whose it is."""
    tails = take_apart(header).tails
    return bool(tails) and tails[-1][1] < 1.0


def _choose(table: Table, out: Weighed, column: str, taken: str, far: list[str]) -> None:
    """Take one of the columns that differ, with a sentence, or ask."""
    every = [taken, *far]
    kinds = {h: _kind(h) for h in every}
    along = [h for h in every if all(_along(table, out.guesses, column, o, h) for o in every if o != h)]
    if along:  # on a curve the other is the whole run's: both are right
        others = _listed([h for h in every if h != along[0]])
        _take(out, column, along[0], f"rises along each run, up to {others}")
        if along[0] != taken:
            out.notes.append(
                f"The {_words(column)} are those of {along[0]!r}, which rise along each run up to {others}."
            )
        return
    seen = [h for h in every if kinds[h] == "seen"]
    plain = [h for h in every if kinds[h] == ""]
    planned = [h for h in every if kinds[h] in ("planned", "total")]
    decided = _borne_out(table, out.guesses, column, every)
    against = len(seen) == 1 and not plain and decided not in ("", seen[0])  # others speak for the plan
    if len(seen) == 1 and not plain and not against and _at_most(table, column, seen[0], planned):
        text = f"The {_words(column)} are those of {seen[0]!r}, as what was used; {_listed(planned)} says otherwise."
        _take(out, column, seen[0], f"what was used, beside {_listed(planned)}")
        out.notes.append(text)
        return
    slight = max(_apart(table, column, taken, h) for h in far) <= MUCH
    likely = taken if slight else decided or (taken if taken in (seen or plain) else (seen or plain or every)[0])
    least = len(plain) == 1 and not seen and all(kinds[h] == "planned" for h in planned)
    mostly = all(median(_ratio(table, column, plain[0], p)) > 1 / MUCH for p in planned) if least else False
    plain_end = mostly and _at_most(table, column, plain[0], planned)  # some runs fell short of their plan
    factor = max(_apart(table, column, likely, h) for h in every if h != likely)
    follows = column not in _FEEDS_TOKENS or not {"tokens", column} <= set(out.guesses)
    of_name = taken in table.from_name  # a size of names that may be read two ways
    if column == "steps" and not follows:  # only the batch does; some runs may have stopped early
        follows = any(_mostly_apart(table, column, likely, h) for h in every if h != likely)
    needed = (factor > MUCH or of_name) and follows and (likely != decided or against) and not plain_end
    why = " The first agrees with the other columns." if likely == decided else ""
    options = [likely, *(h for h in every if h != likely)]
    text = f"Which column holds the {_words(column)}: {_listed(options)}? They differ, by up to a factor of {factor:.3g}.{why}"
    if of_name:
        both = " or ".join(table.from_name[h][1] for h in options)
        text = f"What do names say of the {_words(column)}, {both}? A decimal point may have become another sign.{why}"
    _take(out, column, likely, f"{_listed(options[1:])} may be it too")
    out.questions[:] = [q for q in out.questions if q.key != f"columns.{column}"]
    out.questions.append(Question(f"columns.{column}", text, tuple(options), likely, needed=needed))


def _take(out: Weighed, column: str, header: str, why: str) -> None:
    guess = out.guesses[column]
    how = guess.how if header == guess.header else "name recognised"
    out.guesses[column] = replace(guess, header=header, how=f"{how}; {why}")
    out.questions[:] = [q for q in out.questions if q.key != f"columns.{column}"]


def _kind(header: str) -> str:
    """What the header says of its numbers: "seen", "planned", "total", or '' for a plain name."""
    words = take_apart(header).words
    if _SEEN.search(words):
        return "seen"
    return "planned" if PLANNED.search(words) else "total" if _TOTAL.search(words) else ""


def _values(table: Table, column: str, header: str) -> Array:
    return table.numbers(header, DIMENSION.get(column, "")).scaled(scale_in(header, column)[0])


def _ratio(table: Table, column: str, one: str, other: str) -> Array:
    """How many times the other each value of one is, where both are there."""
    ratio = _values(table, column, one) / _values(table, column, other)
    return ratio[np.isfinite(ratio) & (ratio > 0)]


def _apart(table: Table, column: str, one: str, other: str) -> float:
    ratio = _ratio(table, column, one, other)
    return float(np.exp(np.max(np.abs(np.log(ratio))))) if len(ratio) else 1.0


def _mostly_apart(table: Table, column: str, one: str, other: str) -> bool:
    ratio = np.abs(np.log(_ratio(table, column, one, other)))
    return bool(len(ratio)) and median(ratio) > np.log(MUCH)


def _agree(table: Table, column: str, one: str, other: str) -> bool:
    """Whether two columns say the same in every row: up to rounding, or up to a unit that one of them leaves out."""
    ratio = _ratio(table, column, one, other)
    if not len(ratio):
        return True
    a, b = _values(table, column, one), _values(table, column, other)
    both = np.isfinite(a) & np.isfinite(b) & (a > 0) & (b > 0)
    short = min(median(a[both]), median(b[both])) < SHORT
    power = 3 * round(median(np.log10(ratio)) / 3) if short else 0
    near = np.abs(np.log(ratio / 10.0**power)) < np.log1p(SAME)  # whichever of them is the larger
    near |= _rounded(table, one, a[both], b[both] * 10.0**power) | _rounded(
        table, other, b[both], a[both] / 10.0**power
    )
    return bool(near.all())


def _rounded(table: Table, header: str, short: Array, full: Array) -> Array:
    """Whether each value (n,) of a column written the short way (0.1B) is the full one (n,) rounded to its one digit."""
    if not table.numbers(header).written:
        return np.zeros(len(short), dtype=bool)
    step = 10.0 ** np.floor(np.log10(short))
    one_digit = np.abs(short / step - np.round(short / step)) < 1e-6
    return np.asarray(one_digit & (np.abs(short - full) <= 0.501 * step))


def _at_most(table: Table, column: str, one: str, others: list[str]) -> bool:
    """Whether one column is nowhere beyond the others, as what was used is nowhere beyond what was planned."""
    return all(bool((_ratio(table, column, one, o) < 1 + SAME).all()) for o in others)


def _along(table: Table, guesses: Pairs[str, Guess], column: str, whole: str, progress: str) -> bool:
    """Whether one column rises, row by row, up to what the other says of the whole run at most."""
    a, b = _values(table, column, whole), _values(table, column, progress)
    good = np.isfinite(a) & np.isfinite(b)
    if not good.any():
        return False
    names = next((table.written(guesses[c].header) for c in ("run", *COUNTS) if c in guesses), [""] * len(a))
    number = {name: i for i, name in enumerate(dict.fromkeys(names))}
    run = np.fromiter((number[name] for name in names), dtype=np.int64, count=len(names))[good]
    order = np.lexsort((a[good], run))  # the rows of each run, and of each whole within it, in the file's order
    a, b, run = a[good][order], b[good][order], run[order]
    same = (run[1:] == run[:-1]) & (a[1:] == a[:-1])
    group = np.concatenate([[0], np.cumsum(~same)])
    ends = np.append(np.flatnonzero(~same), len(a) - 1)
    most, last, step = a[ends], b[ends], np.diff(b)
    back = np.bincount(group[1:], weights=same & (step < 0), minlength=len(ends)) > 0
    moves = np.bincount(
        group[1:], weights=same & (step > 0), minlength=len(ends)
    )  # where nothing goes back, one place each
    within, full = last <= most * (1 + SAME), last >= most * (1 - SAME)
    rises = ~back & within & ((moves >= 2) | ((moves == 1) & full))
    return bool(np.bincount(group)[rises].sum() > 0.8 * len(a))


def _borne_out(table: Table, guesses: Pairs[str, Guess], column: str, every: list[str]) -> str:
    """The one of the columns that the others of the table agree with, by batch x steps or 6 N D; '' where none or several do."""
    own = {c: _values(table, c, g.header) for c, g in guesses.items() if c in (*_JUDGED, *COUNTS)}
    per_step = own.get("batch")
    if per_step is None and {"batch_sequences", "seq_len"} <= set(own):
        per_step = own["batch_sequences"] * own["seq_len"]
    count = next((c for c in COUNTS if c in own), "")
    found: Array | None = None
    if column == "tokens" and per_step is not None and "steps" in own:
        found = per_step * own["steps"]
    elif column == "tokens" and count and "flops" in own:
        found = own["flops"] / (6.0 * own[count])
    elif column in COUNTS and {"tokens", "flops"} <= set(own):
        found = own["flops"] / (6.0 * own["tokens"])
    elif column == "flops" and count and "tokens" in own:
        found = 6.0 * own[count] * own["tokens"]
    elif column == "steps" and per_step is not None and "tokens" in own:
        found = own["tokens"] / per_step
    elif column == "batch" and {"tokens", "steps"} <= set(own):
        found = own["tokens"] / own["steps"]
    elif column == "batch_sequences" and {"tokens", "steps", "seq_len"} <= set(own):
        found = own["tokens"] / (own["steps"] * own["seq_len"])
    if found is None:
        return ""
    near = []
    for header in every:
        ratio = _values(table, column, header) / found
        ratio = ratio[np.isfinite(ratio) & (ratio > 0)]
        if len(ratio) and float(np.mean(np.abs(np.log(ratio)) < 0.1)) > 0.95:
            near.append(header)
    return near[0] if len(near) == 1 else ""


_CALLED = {
    "flops": "FLOPs", "params": "parameters", "params_total": "total parameters", "params_active": "active parameters",
    "params_nonembed": "parameters without embeddings", "seq_len": "sequence length", "batch": "tokens of a step",
    "batch_sequences": "sequences of a step",
}  # fmt: skip


def _words(column: str) -> str:
    return _CALLED.get(column, column)


def _listed(names: list[str]) -> str:
    shown = [n[:60] for n in names[:6]]
    return ", ".join(shown) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
