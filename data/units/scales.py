"""Which factor each column's values carry: as the header states it, or asked where values and header leave it open."""

from __future__ import annotations

from collections.abc import Mapping as Pairs
from dataclasses import replace

import numpy as np

from data.cells.thousands import a_thousand_off, all_in_threes
from data.cells.values import Numbers
from data.cells.written_out import in_full
from data.errors import DataError, Question
from data.headers.logs import LOGS, USUAL, Logged, logged, possible
from data.headers.parts import header as take_apart
from data.headers.parts import scale_in
from data.mapping import Guess
from data.middle import median
from data.schema import COLUMNS, COUNTS
from data.table import Table
from data.units.factors import AGREES, DIMENSION, MENU, PASSES, PLAUSIBLE
from data.units.given import positive
from data.units.guesses import without_absurd

# Whole numbers so large that people shorten them.
_LARGE = (*COUNTS, "tokens", "unique_tokens", "flops", "flops_per_token")
_WHOLE = ("steps", "total_steps", "samples", "batch_sequences", "batch_device")  # no parts of one
_TINY = {
    "tokens": 1e3,
    "unique_tokens": 1e3,
    "flops": 1e6,
}  # a median below it, or below 1,000 of others, is asked about

_FAR = 300.0  # how many times smaller than every other a cell must be before its unit is doubted
_FAR_RATE = 30.0  # how many times the usual one a learning rate above one must be
_USUAL_RATE = 3e-4
_NEAR = 0.5  # decades that FLOPs differ from 6 N D by their count: attention, recomputation, forward passes alone
_SPELLED_OUT = {"count": 1e5, "compute": 1e10}  # what is written with so many digits is meant so


def settle(
    table: Table, guesses: dict[str, Guess], answers: Pairs[str, float | str]
) -> tuple[dict[str, Guess], list[Question]]:
    """The guesses with the factor of each column's unit, and a question for each that is open.

    `answers` are the factors a person gave, by column. A factor that the header states is taken where the values are then
    plausible; one that only the values speak for is asked about, since it changes a number by a thousand or more.
    """
    for column in answers:
        if column not in COLUMNS or column not in DIMENSION:
            raise DataError(f"there is no column {column!r} of numbers with a unit in the runs table.")
    out, questions = dict(guesses), []
    for column, guess in guesses.items():
        if column in DIMENSION and column != "loss":
            out[column], question = _own(table, guess, answers.get(column))
            questions += [question] if question else []
    sizes = {c: out[c] for c in (*COUNTS, "tokens") if c in out and c not in answers}
    slips = a_thousand_off(
        {c: g.numbers(table) for c, g in sizes.items()}, {c: g.values(table) for c, g in sizes.items()}
    )
    out |= {c: replace(out[c], doubts={**out[c].doubts, **said}) for c, said in slips.items()}
    asked = {q.key.removeprefix("units.") for q in questions}
    together = [] if asked & {*COUNTS, "tokens", "flops"} else _together(table, out, set(answers))
    open_ = [
        without_absurd(table, q, out) for q in _paired(table, [_with_flops(table, q, out) for q in questions], out)
    ]
    return out, [*open_, *together]


def _own(table: Table, guess: Guess, given: float | str | None) -> tuple[Guess, Question | None]:
    """The guess with its factor, judged by its own header and values."""
    column, header = guess.column, guess.header
    found = guess.numbers(table)
    if given in LOGS:
        return replace(guess, how=f"{guess.how}; {given} of it, as you said", base=LOGS[str(given)]), None
    if given is not None:
        factor = positive(given, column)
        how = guess.how if factor == 1.0 else f"{guess.how}; times {factor:g} as you said{_but_own(found)}"
        return replace(guess, how=how, scale=factor, doubts=found.unsure), None
    taken = logged(header)
    if taken is not None:
        return _exponentiated(guess, taken, found.values)
    stated, said = scale_in(header, column)
    guess = replace(guess, scale=stated)
    if stated != 1.0:
        guess = replace(guess, how=f"{guess.how}; in units of {stated:g} ({said}){_but_own(found)}")
    if column == "seq_len" and (stated == 1024.0 or _in_1024(table, guess, found)):
        guess = replace(guess, how=f"{guess.how}; k of a sequence is 1,024")
    doubts, unsaid = doubtful(found, stated, said, column)
    if unsaid is not None:
        many = int((np.isfinite(found.values) & ~_marked(found)).sum())
        cells = "is the one cell" if many == 1 else f"are the {many:,} cells"
        has = "has" if many == 1 else "have"
        text = f"In which unit {cells} of {header!r} that {has} none? Others have one of their own."
        return replace(guess, scale=1.0), _question(column, text, unsaid)
    guess = replace(guess, doubts={**found.unsure, **doubts})
    scaled = guess.values(table)
    good = np.isfinite(scaled) & (scaled > 0)
    values, scaled = found.values[good], scaled[good]
    if stated != 1.0:
        if column in _LARGE and (text := in_full(guess, said, found, good)):
            return guess, _question(column, text, 1.0, stated)
        if _fits(scaled, column) or not _fits(values, column):
            return guess, _rate(guess, scaled) if column == "lr" else None
        text = (
            f"In which unit is {header!r}? It says {said}, but its values (around {median(values):g}) would then be "
            f"around {median(scaled):g}{_unit_words(column)}."
        )
        return guess, _question(column, text, 1.0, stated)
    examples = column == "tokens" and take_apart(header).words.endswith("size")  # a data set may count examples
    if not len(values) or examples:
        return guess, None
    if column == "lr" and (question := _rate(guess, scaled)):
        return guess, question
    if column in _WHOLE and stated == 1.0 and all_in_threes(found, table.column(header), table.decimal):
        text = f"In which unit is {header!r}? All its cells have three decimals, so {values[0]:.3f} may be {1000 * values[0]:g}."
        return guess, _question(column, text, 1e3)
    low = PLAUSIBLE.get(column, (0.0, np.inf))[0]
    fractions = (
        column in _LARGE and bool((np.abs(values - np.round(values)) > 1e-6 * values).any()) and median(values) < 1e6
    )
    if column in _LARGE:
        # One cell far below all others is a slip of its row; a few that are somewhat too small speak of a unit.
        odd = bool(((values < low) & (values > low / 1e3)).any())
        small = median(values) < _TINY.get(column, 1e3) or odd or fractions
    else:
        small = column in PLAUSIBLE and median(values) < low
    if small:
        span = f"around {median(values):g}" if values.max() < 1e3 else f"{values.min():g} to {values.max():g}"
        unit = COLUMNS[column].unit or column
        few = median(values) < _TINY.get(column, 1e3) or values.min() < low
        text = f"In which unit is {header!r}? Its values ({span}) are {f'too small to be {unit}' if few else f'no whole {unit}'}."
        return guess, _question(column, text, _likely(column, values))
    return guess, None


def _exponentiated(guess: Guess, taken: Logged, values: np.ndarray) -> tuple[Guess, Question | None]:
    """The guess for a column whose header says that it holds logarithms, of which base where it does not say."""
    column = guess.column
    scale = scale_in(taken.header, column)[0]
    low, high = USUAL.get(column, PLAUSIBLE.get(column, (0.0, np.inf)))
    if taken.base:
        low, high = PLAUSIBLE.get(column, (1e-300, 1e300))
    bases = possible(values, low / scale, high / scale, (taken.base,) if taken.base else (10.0, np.e))
    if len(bases) == 1:
        name = next(n for n, b in LOGS.items() if b == bases[0])
        why = "" if taken.base else ", the only base that makes it plausible"
        return replace(
            guess, how=f"{guess.how}; {name} of it{why}, so raised to a power", base=bases[0], scale=scale
        ), None
    middle = median(values[np.isfinite(values)]) if np.isfinite(values).any() else np.nan
    text = f"Which logarithm is {guess.header!r}? Its values (around {middle:g}) leave it open."
    return guess, Question(f"units.{column}", text, ("log10", "ln", "log2", "1"), "log10" if len(bases) > 1 else "")


def _in_1024(table: Table, guess: Guess, found: Numbers) -> bool:
    """Whether cells name a k of their own."""
    plain = table.numbers(guess.header).values
    return bool((np.isfinite(plain) & np.isfinite(found.values) & (plain != found.values)).any())


def _but_own(found: Numbers) -> str:
    return "" if found.own is None else ", where a cell names no unit of its own"


def _marked(found: Numbers) -> np.ndarray:
    """Which cells (n,) name their own unit."""
    return np.zeros(len(found.values), dtype=bool) if found.own is None else found.own


def doubtful(found: Numbers, stated: float, said: str, column: str) -> tuple[dict[int, str], float | None]:
    """The cells that may be in the column's unit or in another, each with what is said of it, and a factor to ask about.

    The factor is that of cells without a unit where most have none beside some that name their own; None where the few
    that stand far from the others can be left out. `stated` is the header's factor and `said` the text that states it.
    """
    own, values = _marked(found), found.values
    good = np.isfinite(values) & (values > 0)
    scaled = found.scaled(stated)
    bare = good & ~own
    dimension = DIMENSION[column]
    if column == "lr" and good.any() and median(scaled[good]) <= PLAUSIBLE["lr"][1]:
        far = good & (scaled > PLAUSIBLE["lr"][1]) & (scaled > _FAR_RATE * median(scaled[good]))
        return {
            int(i): f"is {scaled[i]:g}, which is no learning rate beside the others" for i in np.flatnonzero(far)
        }, None
    if dimension in ("few", "rate") or not bare.any():
        return {}, None
    if stated == 1.0:
        if not (own & good).any():
            return {}, None
        short = (
            bare
            & (values < np.min(values[own & good], initial=np.inf) / _FAR)
            & (values < _SPELLED_OUT.get(dimension, np.inf))
        )
        if 2 * int(short.sum()) > int(good.sum()):
            middle = median(values[short]) / median(values[own & good])
            return {}, min(MENU[dimension], key=lambda f: abs(np.log10(f * middle)))
        return {int(i): f"is {values[i]:g} without a unit, where others have one" for i in np.flatnonzero(short)}, None
    # Among what the others come to as it stands, and far from it in the header's unit: 4e18 under 1e18, 1.2k under B.
    middle = median(scaled[good])
    near = good & (scaled > middle / _FAR) & (scaled < middle * _FAR)
    top, bottom = np.max(scaled[near], initial=0.0), np.min(scaled[near], initial=np.inf)
    beyond = bare & (scaled > 30 * _FAR * top) & (values > bottom / _FAR) & (values < top * _FAR)
    times = values * stated
    short = own & good & (values < bottom / (3 * _FAR)) & (times > bottom / _FAR) & (times < top * _FAR)
    return {int(i): f"is {values[i]:g} under a header that says {said}" for i in np.flatnonzero(beyond | short)}, None


def _rate(guess: Guess, scaled: np.ndarray) -> Question | None:
    """A question where most learning rates are above one: in 1e-4 each, relative to another, or without their minus sign."""
    middle = median(scaled) if len(scaled) else 0.0
    if middle <= PLAUSIBLE["lr"][1]:
        return None
    likely = (
        min((1e-3, 1e-4, 1e-5, 1e-6), key=lambda f: abs(np.log10(middle * f / _USUAL_RATE))) if middle < 1e3 else None
    )
    lost = "" if likely else " A minus sign may be missing in their exponents: then mend the file."
    text = f"In which unit is {guess.header!r}? Its values (around {middle:g}) are too high for learning rates.{lost}"
    return _question("lr", text, None if likely is None else likely * guess.scale, guess.scale)


def _likely(column: str, values: np.ndarray) -> float | None:
    """The factor that makes small values plausible, None where nothing speaks for one."""
    middle = median(values)
    if column == "flops":
        return None
    if column == "tokens" or middle < 20:
        return 1e9
    return 1e6 if column in _LARGE else None


def _fits(values: np.ndarray, column: str) -> bool:
    """Whether nearly all values lie in the column's plausible range."""
    low, high = PLAUSIBLE.get(column, (0.0, np.inf))
    return not len(values) or float(np.mean((values >= low) & (values <= high))) > 0.9


def _question(column: str, text: str, guess: float | None, *more: float) -> Question:
    menu = MENU[DIMENSION[column]]
    if DIMENSION[column] == "count":  # the likeliest first
        order = [1e6, 1e9, 1e3, 1e12, 1.0]
    elif DIMENSION[column] == "compute":
        order = [1e18, 1e21, next(f for f in menu if f not in (1.0, 1e9, 1e12, 1e15, 1e18, 1e21)), 1e15, 1e12, 1e9, 1.0]
    else:
        order = list(menu)
    factors = list(dict.fromkeys([*order, *more, *([guess] if guess else [])]))
    return Question(f"units.{column}", text, tuple(f"{f:g}" for f in factors), f"{guess:g}" if guess else "")


@np.errstate(all="ignore")
def _together(table: Table, guesses: Pairs[str, Guess], settled: set[str]) -> list[Question]:
    """Questions from what columns say of each other: FLOPs a thousand times 6 N D, ten million tokens per parameter."""
    count = next((c for c in COUNTS if c in guesses), None)
    if count is None or "tokens" not in guesses:
        return []
    params, tokens = (guesses[c].values(table) for c in (count, "tokens"))
    stated = {c for c in (count, "tokens", "flops") if c in guesses and (guesses[c].scale != 1.0 or guesses[c].rounded)}
    free = [c for c in (count, "tokens", "flops") if c in guesses and c not in stated and c not in settled]
    if "flops" in guesses:
        flops = guesses["flops"].values(table)
        ratio = _median(flops / (6.0 * params * tokens))
        power = 3 * round(np.log10(ratio) / 3) if np.isfinite(ratio) and ratio > 0 else 0
        if power and abs(np.log10(ratio)) > AGREES and abs(np.log10(ratio) - power) < 0.7 and free:
            # The column that becomes plausible by it is meant; FLOPs are seldom shortened without a word.
            options = [
                c for c in free if _becomes(table, guesses, c, count, 10.0 ** (-power if c == "flops" else power))
            ]
            if options:
                column = options[0]
                factor = 10.0 ** (-power if column == "flops" else power)
                text = (
                    f"In which unit is {guesses[column].header!r}? As it stands, the compute is {ratio:.2g} times "
                    f"6 × parameters × tokens; with a factor of {factor:g} they agree."
                )
                return [_question(column, text, factor)]
        unit = guesses["flops"].scale
        if power and abs(np.log10(ratio) - power) < _NEAR and unit != 1.0 and "flops" not in settled and not free:
            text = (
                f"In which unit is {guesses['flops'].header!r}? In units of {unit:g}, as its header says, the compute is {ratio:.3g} "
                f"times 6 × parameters × tokens; in units of {unit / 10.0**power:g} they agree."
            )
            return [_question("flops", text, unit / 10.0**power, unit)]
    passes = _median(tokens / params)
    if np.isfinite(passes) and not PASSES[0] <= passes <= PASSES[1]:
        few = passes < PASSES[0]
        power = 3 * round(abs(np.log10(passes / 20.0)) / 3)
        options = [c for c in (["tokens", count] if few else [count, "tokens"]) if c in free]
        # Nobody counts parameters in millionths: then the factor that another header states is to be doubted.
        options = [c for c in options if few == (c == "tokens")] or [
            c for c in (count, "tokens") if c in stated and c not in settled
        ]
        if options:
            column = options[0]
            factor = 10.0**power if column in free else 1.0
            text = (
                f"In which unit is {guesses[column].header!r}? As it stands, a run has {passes:.2g} tokens per parameter, "
                "which no run has."
            )
            return [_question(column, text, factor)]
    return []


@np.errstate(all="ignore")
def _becomes(table: Table, guesses: Pairs[str, Guess], column: str, count: str, factor: float) -> bool:
    """Whether the column's values, and the tokens per parameter, are plausible once times `factor`."""
    values = {c: guesses[c].values(table) for c in (count, "tokens")}
    if column == "flops":
        own = guesses["flops"].values(table) * factor
        return _fits(own[np.isfinite(own)], "flops")
    values[column] = values[column] * factor
    own = values[column]
    return _fits(own[np.isfinite(own)], column) and PASSES[0] <= _median(values["tokens"] / values[count]) <= PASSES[1]


@np.errstate(all="ignore")
def _paired(table: Table, questions: list[Question], guesses: Pairs[str, Guess]) -> list[Question]:
    """The questions, the guesses for tokens and for parameters such that a run has a usual number of tokens per parameter.

    Logged FLOPs in a unit of their own choose among the pairs; without them the parameters' guess stands.
    """
    asked = {q.key.removeprefix("units."): q for q in questions}
    count = next((c for c in COUNTS if c in guesses), None)
    tokens = asked.get("tokens")
    if count is None or tokens is None or tokens.guess not in _FACTORS or "flops" in asked:
        return questions
    own = asked.get(count)
    if own is not None and own.guess not in _FACTORS:
        return questions
    # A factor that is asked for stands in place of the one that a header says.
    raw = {c: replace(guesses[c], scale=1.0) if c in asked else guesses[c] for c in (count, "tokens")}
    sizes, data = (raw[c].values(table) for c in (count, "tokens"))
    spent = guesses["flops"].values(table) if "flops" in guesses else np.full(len(data), np.nan)
    compute = _median(spent / (6.0 * sizes * data))
    known = np.isfinite(compute)
    written_out = own is not None and own.guess == "1"
    firsts = [1.0] if own is None else [1e3, 1e6, 1e9] if known and not written_out else [float(own.guess)]

    def far(pair: tuple[float, float]) -> float:
        """Decades from 20 tokens per parameter, and twice those from 6 N D."""
        passes = abs(np.log10(_median(data * pair[1] / (sizes * pair[0])) / _USUAL_PASSES))
        return float(passes + (2.0 * abs(np.log10(compute / (pair[0] * pair[1]))) if known else 0.0))

    best = min(((a, b) for a in firsts for b in map(float, _FACTORS)), key=far)
    passes = _median(data * best[1] / (sizes * best[0]))
    if not PASSES[0] <= passes <= PASSES[1]:
        return questions
    menu = MENU["count"]
    first = "" if own is None else f"parameters in {menu[best[0]]} and "
    said = f" With {first}tokens in {menu[best[1]]}, a run has {passes:.2g} tokens per parameter."
    said = said.replace("in as they stand", "as they stand")
    new = {"tokens": replace(tokens, text=tokens.text + said, guess=f"{best[1]:g}")}
    if own is not None:
        new[count] = replace(own, text=own.text + said, guess=f"{best[0]:g}")
    return [new.get(q.key.removeprefix("units."), q) for q in questions]


_FACTORS = ("1", "1000", "1e+06", "1e+09", "1e+12")
_USUAL_PASSES = 20.0  # tokens per parameter of a compute-optimal run


@np.errstate(all="ignore")
def _with_flops(table: Table, question: Question, guesses: Pairs[str, Guess]) -> Question:
    """The question, its guess replaced by the power of a thousand that makes FLOPs about 6 N D where that is known."""
    column = question.key.removeprefix("units.")
    count = next((c for c in COUNTS if c in guesses), None)
    if count is None or not {"tokens", "flops"} <= set(guesses) or column not in (count, "tokens", "flops"):
        return question
    sizes = {c: guesses[c].values(table) for c in (count, "tokens", "flops")}
    if column in sizes and question.guess == "1":
        return question
    ratio = _median(sizes["flops"] / (6.0 * sizes[count] * sizes["tokens"]))
    if not np.isfinite(ratio) or ratio <= 0:
        return question
    power = float(np.log10(ratio)) * (-1 if column == "flops" else 1)
    whole = 3 * round(power / 3)
    if whole <= 0 or abs(power - whole) >= 0.7:
        return question
    scaled = {**sizes, column: sizes[column] * 10.0**whole}
    if not PASSES[0] <= _median(scaled["tokens"] / scaled[count]) <= PASSES[1]:
        return question  # both are in units of their own: FLOPs cannot tell which
    fits = f"{10.0**whole:g}"
    return replace(question, guess=fits, options=tuple(dict.fromkeys([*question.options, fits])))


def _median(ratio: np.ndarray) -> float:
    ratio = ratio[np.isfinite(ratio) & (ratio > 0)]
    return median(ratio) if len(ratio) else float("nan")


def _unit_words(column: str) -> str:
    return f" {COLUMNS[column].unit}" if COLUMNS[column].unit else ""
