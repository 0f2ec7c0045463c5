"""Which factor each column's values carry: as the header states it, or asked where values and header leave it open."""

from __future__ import annotations

from collections.abc import Mapping as Pairs
from dataclasses import replace

import numpy as np

from data.errors import DataError, Question
from data.headers import header as take_apart
from data.headers import scale_in
from data.mapping import Guess
from data.schema import COLUMNS, COUNTS
from data.table import Table
from data.units import AGREES, DIMENSION, MENU, PASSES, PLAUSIBLE

_LARGE = (
    *COUNTS,
    "tokens",
    "unique_tokens",
    "flops",
    "flops_per_token",
)  # whole numbers so large that people shorten them
_TINY = {
    "tokens": 1e3,
    "unique_tokens": 1e3,
    "flops": 1e6,
}  # a median below it, or below 1,000 of others, is asked about


def settle(
    table: Table, guesses: dict[str, Guess], answers: Pairs[str, float]
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
        if column in DIMENSION:
            out[column], question = _own(table, guess, answers.get(column))
            questions += [question] if question else []
    asked = {q.key.removeprefix("units.") for q in questions}
    together = [] if asked & {*COUNTS, "tokens", "flops"} else _together(table, out, set(answers))
    return out, [*(_with_flops(table, q, out) for q in questions), *together]


def _own(table: Table, guess: Guess, given: float | None) -> tuple[Guess, Question | None]:
    """The guess with its factor, judged by its own header and values."""
    column, header = guess.column, guess.header
    if given is not None:
        factor = float(given)
        if not (np.isfinite(factor) and factor > 0):
            raise DataError(f"the factor of a unit is a positive number; got {given!r} for {column}.")
        how = guess.how if factor == 1.0 else f"{guess.how}; times {factor:g} as you said"
        return replace(guess, how=how, scale=factor), None
    stated, said = scale_in(header, column)
    values = table.numbers(header).values
    values = values[np.isfinite(values) & (values > 0)]
    if stated != 1.0:
        taken = replace(guess, how=f"{guess.how}; in units of {stated:g} ({said})", scale=stated)
        if _fits(values * stated, column) or not _fits(values, column):
            return taken, None
        text = (
            f"In which unit is {header!r}? It says {said}, but its values (around {np.median(values):g}) would then be "
            f"around {np.median(values) * stated:g}{_unit_words(column)}."
        )
        return taken, _question(column, text, 1.0, stated)
    examples = column == "tokens" and take_apart(header).words.endswith("size")  # a data set may count examples
    if not len(values) or examples:
        return replace(guess, scale=1.0), None
    guess = replace(guess, scale=1.0)
    low = PLAUSIBLE.get(column, (0.0, np.inf))[0]
    fractions = (
        column in _LARGE and bool((np.abs(values - np.round(values)) > 1e-6 * values).any()) and np.median(values) < 1e6
    )
    if column in _LARGE:
        # One cell far below all others is a slip of its row; a few that are somewhat too small speak of a unit.
        odd = bool(((values < low) & (values > low / 1e3)).any())
        small = np.median(values) < _TINY.get(column, 1e3) or odd or fractions
    else:
        small = column in PLAUSIBLE and np.median(values) < low
    if small:
        span = f"around {np.median(values):g}" if values.max() < 1e3 else f"{values.min():g} to {values.max():g}"
        unit = COLUMNS[column].unit or column
        few = np.median(values) < _TINY.get(column, 1e3) or values.min() < low
        text = f"In which unit is {header!r}? Its values ({span}) are {f'too small to be {unit}' if few else f'no whole {unit}'}."
        return guess, _question(column, text, _likely(column, values))
    return guess, None


def _likely(column: str, values: np.ndarray) -> float | None:
    """The factor that makes small values plausible, None where nothing speaks for one."""
    middle = float(np.median(values))
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
    params, tokens = (table.numbers(guesses[c].header).values * guesses[c].scale for c in (count, "tokens"))
    stated = {c for c in (count, "tokens", "flops") if c in guesses and (guesses[c].scale != 1.0 or guesses[c].rounded)}
    free = [c for c in (count, "tokens", "flops") if c in guesses and c not in stated and c not in settled]
    if "flops" in guesses:
        flops = table.numbers(guesses["flops"].header).values * guesses["flops"].scale
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
    passes = _median(tokens / params)
    if np.isfinite(passes) and not PASSES[0] <= passes <= PASSES[1] and free:
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
    values = {c: table.numbers(guesses[c].header).values * guesses[c].scale for c in (count, "tokens")}
    if column == "flops":
        own = table.numbers(guesses["flops"].header).values * guesses["flops"].scale * factor
        return _fits(own[np.isfinite(own)], "flops")
    values[column] = values[column] * factor
    own = values[column]
    return _fits(own[np.isfinite(own)], column) and PASSES[0] <= _median(values["tokens"] / values[count]) <= PASSES[1]


@np.errstate(all="ignore")
def _with_flops(table: Table, question: Question, guesses: Pairs[str, Guess]) -> Question:
    """The question, its guess replaced by the power of a thousand that makes FLOPs about 6 N D where that is known."""
    column = question.key.removeprefix("units.")
    count = next((c for c in COUNTS if c in guesses), None)
    if count is None or not {"tokens", "flops"} <= set(guesses) or column not in (count, "tokens", "flops"):
        return question
    sizes = {c: table.numbers(guesses[c].header).values * guesses[c].scale for c in (count, "tokens", "flops")}
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
    return float(np.median(ratio)) if len(ratio) else float("nan")


def _unit_words(column: str) -> str:
    return f" {COLUMNS[column].unit}" if COLUMNS[column].unit else ""
