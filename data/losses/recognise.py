"""Finding the loss among a file's columns, and its unit: several losses side by side are asked about, never chosen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping as Pairs
from dataclasses import dataclass, replace

import numpy as np

from data.errors import DataError, Question
from data.headers.captions import Said, named_unit, unit_said
from data.headers.headings import HEADING
from data.headers.names import LossName, loss_name
from data.headers.parts import header as take_apart
from data.headers.stated_with import says_change
from data.losses.copies import copies_in_bytes, is_over_tokens, unit_by_others, without_copies
from data.losses.held_out import unnamed
from data.losses.kinds import arms, beside_means, by_its_tag, counts_layers, may_be_more, means_over_training
from data.losses.other_laws import instead
from data.losses.scales import likelihoods, scaled_loss
from data.losses.unit_columns import per_token, row_units
from data.losses.units import UNITS, how, in_nats
from data.mapping import Guess
from data.plural import plural
from data.table import Table

_TOO_HIGH = 12.0  # nats: a uniform guess over 160,000 tokens; a median above it is no next-token loss in nats
#: Words that name a loss and say nothing of where it was measured.
PLAIN = frozenset(("loss", "cross entropy", "lm loss", "ce", "ce loss", "cross entropy loss", "nll", "nll loss", "L"))


#: `loss ± std` names a loss with its error in one cell; `± loss` and `loss ±` the error, where its cells are plain numbers.
_WITH_ERROR = re.compile(
    r"\s*[(\[]?\s*(?:mean\s*)?(?:±|\+/-)\s*(?:[0-9]{2}\s*%\s*)?(?:std|stdev|se|sem|stderr|sd|err|error|ci)?\.?\s*[)\]]?"
    r"(?:\s*[(,]?\s*(?:over|of|across|n\s*=)?\s*[0-9]{1,3}\s*(?:seeds|runs)?\s*\)?)?\s*$",
    re.IGNORECASE,
)
_ERROR_ALONE = re.compile(r"^\W*(?:±|\+/-)|(?:±|\+/-)[^()]*(?:\([^()]*)?\)?\s*$")


#: A column of nothing but a split's name, which holds losses where one of losses of their size stands beside it.
_BARE = re.compile(r"train(?:ing)?|val(?:id(?:ation)?|idate)?|eval(?:uation)?|dev|test|held ?out")
_BEST = re.compile(r"^\W*(?:min(?:imum)?|best|final|last|end)[ _.-]", re.IGNORECASE)  # in front of such a name
_SIZE = 2.0  # how many times the training loss a held-out one may be, and the other way round


#: The words of a header that says no more than a loss held out, its unit and the text that it was measured on.
_HELD_OUT = re.compile(
    r"(?:(?:val|valid|validation|validate|eval|evaluation|dev|test|held|out|heldout|holdout|set|loss|losses|lm|ce|xent|cross|entropy"
    r"|crossentropy|nll|ppl|perplexity|bpb|bpc|bits?|nats?|per|/|bytes?|tokens?|tok|chars?|characters?|final|last|end|mean|avg|average"
    r"|in|the|of|on|at|metrics?|summary|results?|c4|en|pile|wikitext[0-9]*|openwebtext|owt|slimpajama|redpajama|fineweb|edu|refinedweb"
    r"|dclm|paloma|lm1b|webtext2?)(?: |$))+"
)


@dataclass(frozen=True)
class FoundLoss:
    """The loss column, its unit and what remains to be asked about it."""

    guess: Guess | None
    unit: str
    questions: tuple[Question, ...]
    row_units: tuple[str, ...] = ()  # of each row, where a column says so and they differ
    row_bytes: tuple[float, ...] = ()  # bytes, characters or words of a token of each row
    notes: tuple[str, ...] = ()


def recognise_loss(
    table: Table,
    answers: Pairs[str, str | None],
    unit: str | None,
    bytes_per_token: float | None,
    used: set[str],
    given: float | str | None = None,
) -> FoundLoss:
    """The loss column of a table, given the answers so far; `used` are headers that mean something else.

    `given` is the factor of the loss's values, or the logarithm that they are ("ln", "log10", "log2").
    """
    if unit is not None and unit not in UNITS:
        raise DataError(f"the loss unit is one of {', '.join(UNITS)}; got {unit!r}.")
    if bytes_per_token is not None and not (np.isfinite(bytes_per_token) and bytes_per_token > 0):
        raise DataError(f"bytes per token must be a positive number; got {bytes_per_token!r}.")
    options, chosen = loss_options(table, used) if answers.get("loss") is None else [], answers.get("loss")
    if chosen is None and "loss" in answers:
        text = f"{table.name} has no column of the loss, as you said: its rows are no runs."
        return FoundLoss(None, unit or "nats", (Question("columns.loss", text, tuple(options)),))
    options = options or (likelihoods(table, used) if chosen is None else [])
    tagged = by_its_tag(table) if chosen is None and not options else None
    questions: list[Question] = []
    if chosen is not None:
        taken = Guess("loss", chosen, "chosen by you", 1.0)
    elif tagged is not None:
        taken = Guess(
            "loss", tagged[0], f"TensorBoard's column of values; the file's name says {tagged[2][:40]!r}", 0.9
        )
    elif not options:
        return FoundLoss(None, unit or "nats", (_which(table, used),))
    else:
        taken, options, questions = _one_of(table, used, options, unit is None and bytes_per_token is None)
    copies = copies_in_bytes(table, taken.header, options) if chosen is None and options else ""
    goes_first = (
        f"{copies} is the same loss over bytes or characters: {taken.header[:60]!r}, over tokens, goes before it."
    )
    found = _in_its_unit(
        table, taken, tagged[1].unit if tagged else take_apart(taken.header).unit, unit, bytes_per_token, given
    )
    return replace(found, questions=(*questions, *found.questions), notes=(goes_first,) if copies else ())


def _one_of(
    table: Table, used: set[str], options: list[str], units_open: bool
) -> tuple[Guess, list[str], list[Question]]:
    """The loss among the columns that could be it, all of these, and what to ask where it is not plain which it is."""
    others = _without_the_word(table, used, options)
    meant = _named_validation(options) or _plainly_held_out(options, others)
    over_tokens = _over_tokens(table, used, options) if units_open else ""
    options = [*others, *options]
    if over_tokens:
        how = f"the loss over tokens, which {options[0][:60]!r} bears out"
        return Guess("loss", over_tokens, how, 0.95), options, []
    if meant:
        return Guess("loss", meant, "the loss named as held out, beside a training loss", 0.95), options, []
    if len(options) > 1:
        more = f" and {len(options) - 5} more" if len(options) > 5 else ""
        text = f"Which column holds the loss: {', '.join(h[:60] for h in options[:5])}{more}?"
        how = f"the likeliest of {len(options)} columns that could be the loss"
        return (
            Guess("loss", options[0], how, 0.5),
            options,
            [Question("columns.loss", text, tuple(options), options[0])],
        )
    doubt = _doubt(table, options[0])
    asked = [Question("columns.loss", doubt, tuple(options), options[0])] if doubt else []
    return Guess("loss", options[0], "name recognised", 0.95), options, asked


def _in_its_unit(
    table: Table, taken: Guess, named: str, unit: str | None, bytes_per_token: float | None, given: float | str | None
) -> FoundLoss:
    """The loss taken, with its unit (of each row, where they differ), and what to ask about that.

    `named` is the unit that the header or the file's name says, `unit` the one that was answered.
    """
    header = taken.header
    found = table.numbers(header, "loss")
    beside = row_units(table, header) if unit is None else None
    open_ = unit is None and not named and beside is None
    proven, by = unit_by_others(table, header) if open_ and given is None else ("", "")
    stated = named or (beside.one if beside else "") or proven
    above = _said_beside(table, header, found.values) if open_ and not proven else None
    if above and above.plain:
        stated = above.unit
    resolved = unit or stated or "nats"
    mixed = beside.units if beside and not beside.one else ()
    said = taken.how + (f"; {found.written} read as numbers" if found.written else "")
    said += f"; in the units of {beside.header!r}" if beside and mixed else "; " + how(resolved, bool(unit or stated))
    said += f" (as {beside.header!r} says)" if beside and not mixed and not named else ""
    said += f" (as {by!r} proves)" if proven else ""
    said += f" (as the words beside the table say: {above.text!r})" if above and above.plain else ""
    guess, scaled = replace(taken, how=said), None
    if not mixed or given is not None:
        guess, scaled = scaled_loss(table, guess, resolved, unit is None and not stated, given)
    units = mixed or (resolved,) * len(table.frame)
    over = next((u for u in dict.fromkeys(units) if UNITS[u].per != "token"), "")
    each = per_token(table, header, over) if over and bytes_per_token is None else None
    values = guess.values(table)
    guess = _with_doubts(guess, beside.doubts if beside else {}, units, over, each)
    questions: list[Question] = []
    if beside and named and (mixed or beside.one not in ("", named)):
        text = f"In which unit is {header!r}? Its name says {named}, and {beside.header!r} says otherwise."
        questions.append(Question("loss_unit", text, tuple(UNITS), named))
    elif above is not None:
        doubt = "" if above.plain else ", which may not be that of this column"
        text = f"In which unit is {header!r}? The words beside the table name {UNITS[above.unit].title}{doubt}: {above.text!r}."
        likely = above.unit if above.plain or above.needed else "nats"
        questions.append(Question("loss_unit", text, tuple(UNITS), likely, needed=above.needed))
    elif scaled is not None:
        questions.append(scaled)
    elif unit is None and not over:
        questions += _too_high(header, values, units, resolved)
    if over and bytes_per_token is None and each is None:
        per = UNITS[over].per
        text = f"{header!r} is in {UNITS[over].title}; how many {per}s does a token have on average?"
        questions.append(Question("bytes_per_token", text))
    row_bytes = tuple(map(float, each[0])) if each else ()
    return FoundLoss(guess, resolved, tuple(questions), mixed, row_bytes)


def _with_doubts(
    guess: Guess, doubts: Pairs[int, str], units: tuple[str, ...], over: str, each: tuple[np.ndarray, str] | None
) -> Guess:
    """The guess with what is said against single rows: no bytes per token, or two units that are not per token."""
    if each is not None:
        counted = np.array([UNITS[u].per != "token" for u in units])
        lacking = np.flatnonzero(counted & np.isnan(each[0]))
        doubts = {**doubts, **{int(i): f"has no {UNITS[over].per}s per token" for i in lacking}}
        guess = replace(guess, how=f"{guess.how} ({each[1]})")
    if over:
        rest = {i: u for i, u in enumerate(units) if UNITS[u].per not in ("token", UNITS[over].per)}
        doubts = {**doubts, **{i: f"is in {UNITS[u].title}, beside {UNITS[over].title}" for i, u in rest.items()}}
    return replace(guess, doubts=doubts) if doubts else guess


def _too_high(header: str, values: np.ndarray, units: tuple[str, ...], resolved: str) -> list[Question]:
    """The question about a unit that nobody stated and that the values (n,) are too high for."""
    sized = np.isfinite(values)
    if not sized.any():
        return []
    middle = float(np.median(in_nats(values[sized], [u for u, s in zip(units, sized, strict=True) if s])))
    if not middle > _TOO_HIGH:
        return []
    what, usual = UNITS[resolved].title, np.median(values[sized])
    text = f"In which unit is {header!r}? Its values (around {usual:.4g}) are too high for {what}."
    return [Question("loss_unit", text, tuple(UNITS), "perplexity" if resolved != "perplexity" else "")]


def _said_beside(table: Table, header: str, values: np.ndarray) -> Said | None:
    """What the words around the table and the headings of its parts say of the unit; of several headings none is plain."""
    headings = [str(h) for h in table.text(HEADING).unique()] if HEADING in table.headers else []
    if len(headings) < 2:
        return unit_said(
            (table.above[-1] if table.above else "") or "".join(headings), table.said, header, table.headers, values
        )
    for heading in headings:
        if named_unit(heading) and (found := unit_said(heading, (), header, table.headers, values)):
            return replace(found, plain=False, needed=True)
    return unit_said("", (*table.said, *headings), header, table.headers, values)


def loss_options(table: Table, used: set[str]) -> list[str]:
    """The headers that could be the loss, likeliest first: validation before training, nats before perplexity, late before early.

    A column that is named like a loss and holds few numbers counts where no other does.
    """
    options: list[tuple[float, float, int, str]] = []
    poor: list[tuple[float, float, int, str]] = []
    for position, header in enumerate(table.headers):
        name = loss_name(_WITH_ERROR.sub("", header) or header)
        if name is None or header in used:
            continue
        found = table.numbers(header, "loss")
        if found.share == 0.0 or (found.errors is None and _ERROR_ALONE.search(header)):
            continue
        if found.whole and says_change(header):
            continue
        if counts_layers(table, header):
            continue
        points = name.points
        if found.share >= 0.5:
            options.append((-points, -_place(header), position, header))
        elif found.share > 0:
            poor.append((-points, -_place(header), position, header))
    if used_as_losses := _bare(table, used, [h for *_, h in options]):
        options += [(-name.points, -np.inf, table.headers.index(h), h) for h, name in used_as_losses.items()]
    ranked = [header for *_, header in sorted(options or poor)]
    means = [*means_over_training(table, ranked), *beside_means(table, ranked)]
    ranked = [h for h in ranked if h not in means] or ranked
    return without_copies(table, [*ranked, *arms(table, used, ranked)])


def _place(header: str) -> float:
    """Where in training a loss was measured by its name, in its own unit: 2000 of loss@2k; infinite where it does not say."""
    found = _AT.search(header[:300])
    return float(found[1]) * _TIMES[found[2].lower()] if found else np.inf


_AT = re.compile(r"@\s*(?:step\s*)?([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([kmbKMB]?)(?![A-Za-z0-9]*-?shot)", re.IGNORECASE)
_TIMES = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9}


def _doubt(table: Table, header: str) -> str:
    """What to ask of a column that is the only one named like the loss and may not be it; '' where there is no such doubt."""
    if means_over_training(table, [header]):
        return (
            f"{header!r} is a mean over all of training, which is not the loss at its end; which column holds the loss?"
        )
    if more := may_be_more(table, header):
        return f"Is {header!r} the loss of the next token alone? {more!r} may be part of it."
    return ""


def _bare(table: Table, used: set[str], losses: list[str]) -> dict[str, LossName]:
    """Columns called `train`, `val` or `test` alone that hold losses: another of them, or a loss, is about as large."""
    found = [h for h in table.headers if h not in used and h not in losses and _of_a_split(h) is not None]
    sizes = {h: _size(table, h) for h in (*found, *losses)}
    out = {}
    for h in found:
        others = [s for o, s in sizes.items() if o != h and np.isfinite(s)]
        name = _of_a_split(h)
        if name and np.isfinite(sizes[h]) and any(1 / _SIZE <= sizes[h] / s <= _SIZE for s in others):
            out[h] = name
    return out


def _over_tokens(table: Table, used: set[str], options: list[str]) -> str:
    """The one column of a held-out split (`final val`) that is over tokens what every loss is over bytes; '' where none is."""
    if any(UNITS[take_apart(h).unit or "nats"].per == "token" for h in options):
        return ""
    found = []
    for header in table.headers:
        name = _of_a_split(_BEST.sub("", header))
        if name is None or name.split == "train" or header in used or header in options:
            continue
        if _size(table, header) > 0 and any(is_over_tokens(table, header, name.split, h) for h in options):
            found.append(header)
    return found[0] if len(found) == 1 else ""


def _of_a_split(header: str) -> LossName | None:
    """What a header of nothing but a split's name would say of a loss; None for others."""
    return loss_name(f"{header} loss") if _BARE.fullmatch(take_apart(header).words) else None


def _size(table: Table, header: str) -> float:
    """The median of a column of positive numbers that are not all whole; NaN for others."""
    found = table.numbers(header)
    values = found.values[np.isfinite(found.values)]
    if found.share < 0.5 or not len(values) or _whole(values) or not (values > 0).all():
        return float("nan")
    return float(np.median(values))


def _named_validation(options: list[str]) -> str:
    """The one loss that is named as held out where all the others are training losses; '' where it is not so plain."""
    names = {h: loss_name(h) or _of_a_split(h) for h in options}
    held_out = [h for h, n in names.items() if n and n.split in ("validation", "test")]
    rest = [h for h in options if h not in held_out]
    if len(held_out) != 1 or not rest:
        return ""
    train = all((n := names[h]) and (n.split == "train" or take_apart(h).words in PLAIN) for h in rest)
    if any(take_apart(h).words in PLAIN for h in rest) and not _HELD_OUT.fullmatch(take_apart(held_out[0]).path):
        return ""  # val_loss_teacher beside loss is another quantity, or loss is the held-out one
    return held_out[0] if train else ""


def _without_the_word(table: Table, used: set[str], options: list[str]) -> dict[str, bool]:
    """The held-out losses whose names lack the word, where every loss that has it is one of training or says nothing."""
    names = {h: loss_name(h) or _of_a_split(h) for h in options}
    plain = all(n is not None and (n.split == "train" or take_apart(h).words in PLAIN) for h, n in names.items())
    return unnamed(table, used, {h: n.split for h, n in names.items() if n}) if plain else {}


def _plainly_held_out(options: list[str], others: Pairs[str, bool]) -> str:
    """The one held-out loss without the word that is taken: of a named split, or beside none but training losses in nats."""
    names = [loss_name(h) or _of_a_split(h) for h in options]
    train = all(n is not None and n.split == "train" for n in names)
    nats = all(n is not None and n.unit in ("", "nats") for n in names)
    return next(iter(others)) if len(others) == 1 and nats and (train or all(others.values())) else ""


def _which(table: Table, used: set[str]) -> Question:
    """The question for a table in which no column can be taken for the loss."""
    numeric = [h for h in table.headers if h not in used and table.numbers(h).share >= 0.5]
    numeric.sort(key=lambda h: counts_layers(table, h))
    unread = next((h for h in table.headers if loss_name(h) and h not in used and not counts_layers(table, h)), None)
    if unread is not None:
        found = table.numbers(unread)
        filled = int((~found.blank).sum())
        if not filled:
            text = f"{unread!r} is named like the loss and is empty; which column holds it?"
        else:
            cells = Counter(" ".join(str(c).split())[:24] for c in table.frame[unread][found.bad])
            shown = ", ".join(f"{c!r}" + (f" in {n} rows" if n > 1 else "") for c, n in cells.most_common(3))
            lines = table.lines[np.flatnonzero(found.bad)[:3]]
            at = (
                f"line {lines[0]}"
                if len(lines) == 1
                else f"lines {', '.join(map(str, lines))}{' ...' if filled > 3 else ''}"
            )
            text = (
                f"{unread!r} is named like the loss, but none of its {plural(filled, 'cell')} is a number ({shown}; {at}): "
                "write numbers there, or say which column holds the loss."
            )
    elif numeric:
        text = "No column looks like a loss; which one holds it?"
    else:
        text = "No column of numbers could be a loss."
    if unread is None and (other := instead(table.headers)):
        text = f"{text} {other}"
    likely = next((h for h in numeric if h.strip().lower() == "value"), "")  # as TensorBoard saves a curve
    likely = likely or next((h for h in numeric if _of_a_split(_BEST.sub("", h)) and _size(table, h) > 1), "")
    return Question("columns.loss", text, tuple(numeric[:500]), likely)


def _whole(values: np.ndarray) -> bool:
    finite = values[np.isfinite(values)]
    return bool(len(finite)) and bool((finite == np.round(finite)).all())
