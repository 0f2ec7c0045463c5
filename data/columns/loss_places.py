"""Where along its run a loss was measured: a place in the loss's own header (loss@1B), or a column beside the best loss."""

from __future__ import annotations

import re
from collections.abc import Mapping as Pairs
from dataclasses import dataclass

import numpy as np

from data.cells.markup import words
from data.cells.values import number
from data.errors import NO_COLUMN, Question
from data.headers.names import loss_name
from data.headers.parts import header as take_apart
from data.headers.parts import scale_in
from data.mapping import Guess, Place
from data.table import Table

_VALUE = r"(?P<value>[0-9][0-9.,]*(?:e\+?[0-9]+)?[ _]?[kmbgt]?)"
_UNITS = {
    "steps": r"(?:(?:train(?:ing)?|global|optimizer)[ _])?(?:steps?|iters?|iterations?|updates?)",
    "tokens": r"(?:(?:train(?:ing)?)[ _])?(?:tokens?|toks?)",
    "epochs": r"(?:train(?:ing)? )?(?:epochs?|ep)",
    "share": r"(?:%|percent|pct)(?: of (?:the )?(?:train(?:ing)?|run|schedule|budget|tokens|steps|data))?",
}
_UNIT = "|".join(f"(?P<{kind}>{form})" for kind, form in _UNITS.items())
_SIGN = r"[ _]*(?:@|[ _(\[](?:at|after|by)[ _])[ _]*"
_BEHIND = r"[ _]*[)\]]?(?P<tail>[ _]*[(\[][^()\[\]]*[)\]])?"
_TOLD = (
    re.compile(
        rf"(?P<base>.*?[A-Za-z)\]])(?:{_SIGN}|[ _]*[(\[][ _]*|[ _/:-]+){_VALUE}[ _-]?(?:{_UNIT}){_BEHIND}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?P<base>.*?[A-Za-z)\]])(?:{_SIGN}|[ _]*[(\[][ _]*|[ _/:-]+)(?:{_UNIT})[ _=:@-]*{_VALUE}{_BEHIND}",
        re.IGNORECASE,
    ),
    re.compile(rf"(?:{_UNIT})[ _=:@-]*{_VALUE}[ _/:-]+(?P<base>[A-Za-z].*)(?P<tail>)", re.IGNORECASE),
)
_SIGNED = re.compile(rf"(?P<base>.*?[A-Za-z)\]]){_SIGN}{_VALUE}{_BEHIND}", re.IGNORECASE)
_BARE = re.compile(rf"(?P<base>.*?[A-Za-z)\]])[ _-]+{_VALUE}{_BEHIND}", re.IGNORECASE)
#: What a number behind such words counts: the steps that a mean is over.
_A_MEAN = re.compile(
    r"\b(?:last|past|over|avg|average|mean|smooth\w*|window|every|per|first|ema)[ _(\[-]*$", re.IGNORECASE
)
#: Before a number that is a factor: loss x 100.
_TIMES = re.compile(r"[ _)][x×*·/] *$", re.IGNORECASE)
_AT = re.compile(r"@|[ _(\[](?:at|after|by)[ _]", re.IGNORECASE)
_LONGEST = 120  # signs of a header that is looked at
_TOKENS = 1e6  # from which a number without a unit sooner counts tokens
_FEWEST = 100.0  # a smaller one counts epochs, seeds or shots

_BEST = re.compile(r"\b(?:best|min|minimum|lowest)\b")
_COUNTED = {
    "tokens": r"(?:tokens?|toks?)",
    "steps": r"(?:steps?|iters?|iterations?|itr|updates?)",
    "samples": r"(?:samples|sequences|seqs)",
    "epochs": r"epochs?",
}
_OF = r"(?:(?:val|valid|validation|eval|evaluation|dev|test|loss|ppl|perplexity|ckpt|checkpoint|model|score|global|train|the|seen)(?: |$))*"
#: tokens_at_best, step of best val loss, iter at min; best_step, best val iter; argmin_step.
_AT_BEST = {
    kind: re.compile(
        rf"(?:global |train(?:ing)? )?(?:n )?{unit}(?: seen)? (?:(?:at|of|for|when|with|where|to) (?:the )?)?{_OF}"
        rf"(?:best|(?<=at )min(?:imum)?|(?<=of )min(?:imum)?|lowest|min(?= ))(?: |$){_OF}"
        rf"|(?:best|argmin|lowest) {_OF}(?:at )?(?:global )?{unit}(?: seen)?"
        rf"|best at {unit}|min loss {unit}"
    )
    for kind, unit in _COUNTED.items()
}
_WHOLE = re.compile(
    r"(?:last|final|end|stop(?:ped)?|actual|stopping) (?:global |train(?:ing)? )?(?:steps?|iters?|iterations?|updates?)"
)
_SAME = 0.02


@dataclass(frozen=True)
class Found:
    """Where the loss was measured, a question on it, and whether the columns that are there tell the tokens by then."""

    place: Place | None = None
    questions: tuple[Question, ...] = ()


def place_in(header: str) -> Place | None:
    """The place that a loss's header names; None where it names none. `sure` is False where the number may mean something else."""
    text = words(header).strip()
    if len(header) > _LONGEST or not re.search(r"[0-9]", text):
        return None
    for form in _TOLD:
        found = form.fullmatch(text)
        if found and loss_name(found["base"].strip(" _-/@(")) is not None:
            kind = next(k for k in _UNITS if found[k])
            value = number(found["value"].replace("_", ""))
            if _A_MEAN.search(found["base"].replace("_", " ")) or not (np.isfinite(value) and value > 0):
                return None
            if kind == "share":
                return Place(kind, header, value / 100.0) if value <= 100 else None
            if kind == "tokens" and value < _TOKENS:  # a context's length
                return None
            return Place(kind, header, value, sure=kind != "tokens" or bool(_AT.search(text)))  # else those evaluated
    signed = _SIGNED.fullmatch(text)
    found = signed or _BARE.fullmatch(text)
    if found is None or _TIMES.search(found["base"]) or loss_name(found["base"].strip(" _-/@(")) is None:
        return None
    value = number(found["value"].replace("_", ""))
    lettered = found["value"][-1:].isalpha() or "e" in found["value"].lower()
    if not value >= _FEWEST or (not lettered and value < _TOKENS and np.log2(value) % 1 == 0):  # a context's length
        return None
    kind = "tokens" if value >= _TOKENS else "steps"
    return Place(kind, header, value, sure=bool(signed and kind == "tokens"))


def at_best(table: Table) -> Place | None:
    """The column that says where along each run its best loss was measured, tokens before steps; None where there is none."""
    for kind, form in _AT_BEST.items():
        for header in table.headers:
            if form.fullmatch(take_apart(header).path) and table.numbers(header).share >= 0.5:
                return Place(kind, header, column=True)
    return None


def taken_apart(table: Table, answers: dict[str, str | None]) -> tuple[dict[str, str | None], str]:
    """The answers without one that chooses a place (tokens: loss@1B, steps: best_step), and the header that it chooses, '' for none."""
    best = at_best(table)
    for column in ("tokens", "steps"):
        header = answers.get(column)
        if not header:
            continue
        if (best and header == best.header) or place_in(header):
            return {c: h for c, h in answers.items() if c != column}, header
    return answers, ""


@np.errstate(all="ignore")
def place_of(table: Table, loss: str, guesses: Pairs[str, Guess], settled: set[str], chosen: str) -> Found:
    """Where the loss under this header was measured, where that is not the end of its run.

    `settled` are the columns that a person has answered for, `chosen` the place that a person chose.
    """
    place = place_in(loss)
    if place is None and _BEST.search(take_apart(loss).path):
        place = at_best(table)
        if place is not None and place.kind in guesses and guesses[place.kind].header == place.header:
            return Found()
    if place is None or (settled & {"tokens", "steps"} and not chosen):
        return Found()
    place = _with_unit(table, place, guesses)
    whole = _whole(table, guesses)
    if _at_the_end(table, place, guesses):
        return Found()
    has = set(guesses).__contains__
    stepped = has("batch") or (has("seq_len") and any(has(c) for c in ("batch_sequences", "batch_device")))
    known = {
        "tokens": True,
        "share": any(has(c) for c in ("tokens", "steps", "flops", "samples", "epochs")),
        "steps": stepped or bool(whole and (has("tokens") or has("flops"))),
        "samples": has("seq_len") or (has("samples") and has("tokens")),
        "epochs": has("unique_tokens") or (has("epochs") and has("tokens")),
    }[place.kind]
    tokens = guesses["tokens"].header if has("tokens") else ""
    at = (
        f"{place.header[:60]!r} says where its loss was measured"
        if not place.column
        else (f"{loss[:60]!r} is the best loss of each run, and {place.header[:60]!r} says where it was measured")
    )
    own = tokens or NO_COLUMN
    if not known:
        if not (tokens or has("flops")):
            return Found()
        key = "tokens" if tokens else "flops"
        header, needed = guesses[key].header, not place.column
        text = (
            f"{at}; no column tells the tokens by then. Does {header[:60]!r} count what was trained up to that place?"
        )
        guess = "" if needed else header
        return Found(None, (Question(f"columns.{key}", text, (header, NO_COLUMN), guess, needed=needed),))
    place = Place(place.kind, place.header, place.value, place.column, place.scale, place.sure, whole)
    ends = f"up to the end of the run ({tokens!r})" if tokens else "up to the end of the run"
    text = f"{at}: are the tokens of each run those up to there, or those {ends}?"
    asked = (not place.sure or place.kind == "epochs") and not chosen
    question = Question("columns.tokens", text, (place.header, own), place.header if place.sure else "", needed=asked)
    return Found(None if asked else place, () if chosen else (question,))


def _whole(table: Table, guesses: Pairs[str, Guess]) -> str:
    """The header of the steps of the whole run, '' where no column says them."""
    for column in ("steps", "total_steps"):
        if column in guesses:
            return guesses[column].header
    return next(
        (h for h in table.headers if _WHOLE.fullmatch(take_apart(h).path) and table.numbers(h).share >= 0.5), ""
    )


def _with_unit(table: Table, place: Place, guesses: Pairs[str, Guess]) -> Place:
    """The place with the factor of its column's unit: its header's, or that of the column of the whole run where it fits."""
    if not place.column:
        return place
    scale = scale_in(place.header, place.kind)[0]
    whole = guesses.get(place.kind)
    if scale == 1.0 and whole is not None and whole.scale != 1.0:
        ratio = place.values(table) / whole.values(table)
        if float(np.nanmedian(ratio)) * whole.scale <= 1 + _SAME:
            scale = whole.scale
    return Place(place.kind, place.header, place.value, True, scale)


def _at_the_end(table: Table, place: Place, guesses: Pairs[str, Guess]) -> bool:
    """Whether the place is the end of every run."""
    if place.kind == "share":
        return place.value == 1.0
    whole = guesses.get(place.kind)
    if whole is None:
        return False
    ratio = place.values(table) / whole.values(table)
    return bool(np.isfinite(ratio).any()) and bool((np.abs(ratio[np.isfinite(ratio)] - 1) <= _SAME).all())
