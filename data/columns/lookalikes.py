"""Columns that were not taken for anything and look like the size, the data, the compute or the batch of a run."""

from __future__ import annotations

import re
from collections.abc import Mapping as Pairs

import numpy as np

from data.columns.settled import TAKEN, Offers
from data.errors import NO_COLUMN, Question
from data.headers.names import loss_name, named
from data.headers.parts import header as take_apart
from data.headers.parts import scale_in
from data.mapping import Guess
from data.schema import COLUMNS, COUNTS
from data.table import Table
from data.units.factors import PLAUSIBLE

_ROLES = ("params", "tokens", "flops", "batch")
_LIKE = {
    "params": re.compile(r"\b(params?|parameters?|weights|model size|size|n params)\b"),
    "tokens": re.compile(r"\b(tokens?|data|corpus|dataset|text|words seen|D)\b"),
    "flops": re.compile(r"\b(flops?|compute|budget|pf|petaflops?|C)\b"),
    "batch": re.compile(r"\bbatch\b|^B$"),
}
_NOT = re.compile(
    r"\b(per|/|s|sec|second|ratio|frac|fraction|percent|share|prop|proportion|rate|mfu|utili[sz]ation|throughput|time|hours?|gpu|std|id|name"
    r"|seed|attn|attention|ffn|mlp|head|layer|embed(?:ding)?s?|emb|norm|vocab|log|mean|max|min|opt|optimal|pred(?:icted)?|update|updates"
    r"|unique|epochs?|loader|workers|version|path|index|rank|goal|expert|experts|memory|mem|bytes|gb|mb"
    r"|peak|achieved|idx|eval|val|valid|validation|test|warm ?up|cool ?down|decay|prompt|generated)\b"
)
#: Folders in which trackers keep what is none of the run's own: the bytes of its record, the machine, the code.
_OF_A_TRACKER = re.compile(r"^_?(?:sys|system|monitoring|source[ _]code|git|wandb|runtime)[/.]", re.IGNORECASE)
#: The shape of a network and the time of a step, which are neither size nor data.
_SHAPE = re.compile(
    r"\b(heads?|keys?|values?|query|queries|kv|dims?|dimension|d model|width|depth|layers?|rank|kernel|stride|hidden|inter|ffw|qk|ms|avg"
    r"|iters?|steps?|best)\b"
)
#: What is measured of a run or a model and counts nothing.
_MEASURED = re.compile(
    r"\b(?:accuracy|acc|runtime|score|scores|f1|bleu|rouge|elo|auc|recall|precision|fid|em|mmlu|hellaswag|win|entropy|latency|speed|speedup"
    r"|seconds?|minutes?|mins?|days?|wall|cost|price|watts?|energy|kwh)\b"
)
OPTIMAL = re.compile(r"\b(?:optimal|optimum)\b")
#: What is measured of a tokenizer.
_TOKENIZERS = re.compile(
    r"\b(?:fertility|compression(?: ratio)?|unk(?:nown)? rate|oov|(?:continued|split) words?|(?:tokens?|tok) ?(?:/|per) ?word)\b"
)
_FEW = 0.1  # tokens per parameter
#: Models beside the one that was trained.
_ANOTHER = re.compile(r"\b(teacher|reference|ref|proxy|draft|base|baseline|target|judge|reward|source|parent)\b")
#: What else is counted: a header that says it counts nothing else contradicts a role that counts another.
_THINGS = {
    "params": re.compile(r"\b(?:params?|parameters?|weights)\b"),
    "tokens": re.compile(r"\b(?:tokens?|toks?)\b"),
    "flops": re.compile(r"\b(?:flops?|petaflops?|pf|compute)\b"),
    "": re.compile(
        r"\b(?:seqs?|sequences?|samples?|examples?|instances?|documents?|docs?|sentences?|sents?|words?|chars?|characters?|lines?|pages?"
        r"|images?|imgs?|frames?|patches|pairs?|records?|rows?|articles?|books?|files?|prompts?|requests?|usd|eur|dollars?)\b"
    ),
}
_MONEY = re.compile(r"[$€£¥]")
_COUNTS_IN = {"params": "params", "tokens": "tokens", "flops": "flops", "batch": "tokens"}
_BIG = {"params": 1e5, "tokens": 1e6, "flops": 1e12, "batch": 8.0}


def overlooked(table: Table, guesses: Pairs[str, Guess], settled: set[str]) -> list[Question]:
    """A question, not needed, for each role that no column was taken for and that an unused column looks like.

    `settled` are the columns a person has answered for, which are not asked about again.
    """
    used = {g.header for g in guesses.values()}
    out = []
    for role in _ROLES:
        family = (
            (*COUNTS, "params_logged")
            if role == "params"
            else (role, "batch_sequences", "batch_device")
            if role == "batch"
            else (role,)
        )
        if any(c in guesses for c in family) or role in settled:
            continue
        found = [h for h in table.headers if h not in used and _looks(table, h, role)]
        found.sort(key=lambda h: bool(_ANOTHER.search(take_apart(h).path)))
        if found:
            what = COLUMNS[role].meaning if role != "params" else "the parameter count"
            one = len(found) == 1
            shown = ", ".join(repr(h[:60]) for h in found[:3]) + (
                f" and {len(found) - 3} more" if len(found) > 3 else ""
            )
            text = f"{shown} {'is' if one else 'are'} not used and {'looks' if one else 'look'} like {what}."
            out.append(Question(f"columns.{role}", text, tuple(found), found[0], needed=False))
    return out or _unsaid(table, guesses, used, settled)


def without_optima(table: Table, offers: Offers) -> None:
    """Take sizes and tokens called optimal out of the offers where a column says what was trained, or none says a loss."""
    losses = any(loss_name(h) is not None for h in table.headers)
    for family in (COUNTS, ("tokens",)):
        found = [o for o in offers if o[0] in family and offers[o][0] >= TAKEN]
        optima = [o for o in found if OPTIMAL.search(take_apart(o[1]).words)]
        follow = family == ("tokens",) and any(
            c in ("steps", "samples") and o[0] >= TAKEN for (c, _), o in offers.items()
        )
        if len(optima) < len(found) or follow or not losses:
            for o in optima:
                del offers[o]


def taken_optima(table: Table, guesses: Pairs[str, Guess], settled: set[str]) -> list[Question]:
    """A question, not needed, for sizes and tokens called optimal that were taken for those of the runs."""
    out = []
    for column, guess in guesses.items():
        if column in settled or column not in (*COUNTS, "tokens") or not OPTIMAL.search(take_apart(guess.header).words):
            continue
        what = "trained on so many" if column == "tokens" else "of this size"
        text = f"{guess.header[:60]!r} may be what a fit gave: were the runs of {table.name} {what}? It is used as if they were."
        out.append(Question(f"columns.{column}", text, (guess.header, NO_COLUMN), guess.header, needed=False))
    return out


@np.errstate(all="ignore")
def of_a_tokenizer(table: Table, guesses: Pairs[str, Guess], settled: set[str]) -> list[Question]:
    """A question on tokens that a text came to under several tokenizers: they stand beside what measures one, and are few."""
    sized = any(c in guesses for c in COUNTS)
    paths = {h: take_apart(h).path for h in table.headers}
    beside = next((h for h, p in paths.items() if _TOKENIZERS.search(p) or (sized and p == "tokenizer")), "")
    if not beside or "tokens" not in guesses or "tokens" in settled or "steps" in guesses:
        return []
    tokens = guesses["tokens"].values(table)
    each = [tokens / guesses[c].values(table) for c in COUNTS if c in guesses]
    known = [float(np.median(e[np.isfinite(e)])) for e in each if np.isfinite(e).any()]
    if known and max(known) >= _FEW:
        return []
    header = guesses["tokens"].header
    few = f"they come to {max(known):.2g} per parameter" if known else "no column counts parameters"
    text = (
        f"Were runs trained on the tokens of {header!r}? They may be those that a tokenizer makes of a text: {beside!r} stands beside "
        f"them, and {few}."
    )
    return [Question("columns.tokens", text, (header, NO_COLUMN), NO_COLUMN)]


def _unsaid(table: Table, guesses: Pairs[str, Guess], used: set[str], settled: set[str]) -> list[Question]:
    """A question for a table of runs that has a loss and only one of size and data, with a column of numbers under no known name."""
    sized = any(c in guesses for c in COUNTS)
    if "loss" not in guesses or "flops" in guesses or "steps" in guesses or sized == ("tokens" in guesses):
        return []
    role = "tokens" if sized else "params"
    family = {"tokens": {"tokens"}, "params": set(COUNTS)}[role]
    if family & settled:
        return []
    unnamed = [h for h in table.headers if h not in used and not named(h) and not _contradicts(h, role)]
    free = [h for h in unnamed if _moves(table, h) and _could_count(table, h)]
    if not free:
        return []
    what = "parameters" if role == "params" else "training tokens"
    shown = ", ".join(repr(h[:60]) for h in free[:3]) + (f" and {len(free) - 3} more" if len(free) > 3 else "")
    text = f"No column was taken for the {what}; {shown} {'is' if len(free) == 1 else 'are'} not used."
    return [Question(f"columns.{role}", text, tuple(free), free[0], needed=False)]


def _moves(table: Table, header: str) -> bool:
    """Whether a column holds positive numbers that vary by half or more."""
    path = take_apart(header).path
    if (
        _NOT.search(path)
        or _SHAPE.search(path.lower())
        or loss_name(header) is not None
        or _OF_A_TRACKER.search(header)
    ):
        return False
    found = table.numbers(header)
    values = found.values[np.isfinite(found.values)]
    return found.share == 1.0 and len(values) > 2 and bool((values > 0).all()) and values.max() > 1.5 * values.min()


def _could_count(table: Table, header: str) -> bool:
    """Whether a column may count tokens or parameters in some unit: no score, no time, and not mostly parts of one."""
    values = table.numbers(header).values
    values = values[np.isfinite(values)]
    return not _MEASURED.search(take_apart(header).path) and float(np.median(values)) >= 1.0


def _contradicts(header: str, role: str) -> bool:
    """Whether a header says that it counts something, and not what the role counts: `Batch (docs)` no tokens of a step."""
    if _MONEY.search(header):
        return True
    words = take_apart(header).path
    said = {thing for thing, pattern in _THINGS.items() if pattern.search(words)}
    return bool(said) and _COUNTS_IN[role] not in said


def _looks(table: Table, header: str, role: str) -> bool:
    """Whether words and values of the column could be those of the role."""
    words = take_apart(header).path
    if (
        not _LIKE[role].search(words)
        or _NOT.search(words)
        or _contradicts(header, role)
        or loss_name(header) is not None
        or _OF_A_TRACKER.search(header)
    ):
        return False
    found = table.numbers(header)
    if found.share < 0.5:
        return False
    values = found.values[np.isfinite(found.values)]
    if not len(values) or not (values > 0).all():
        return False
    middle = float(np.median(values)) * scale_in(header, role)[0]
    return _BIG[role] <= middle <= PLAUSIBLE[role][1]
