"""The size of a corpus beside the part of it that each run was trained on: the tokens are one times the other."""

from __future__ import annotations

import re
from collections.abc import Mapping as Pairs
from dataclasses import replace

import numpy as np

from data.columns.settled import SIZE_OF_DATA, TAKEN, Offers, middle
from data.errors import NO_COLUMN, Question
from data.headers.parts import header as take_apart
from data.headers.parts import scale_in
from data.mapping import Guess
from data.schema import COUNTS
from data.table import Table
from data.units.factors import DIMENSION

_SURE = 0.8  # names below it are fractions of anything, where no corpus stands beside them
_SAME = 0.02  # how near two products come that say the same
_BORNE_OUT = 0.25
_PERCENT = re.compile(r"\b(?:percent|percentage|pct)\b")


@np.errstate(all="ignore")
def settle_fraction(table: Table, offers: Offers, answers: Pairs[str, str | None]) -> list[Question]:
    """Make the corpus beside a fraction the data that the fraction is of, and ask where its tokens may be the part already.

    A fraction that multiplies nothing is dropped from the offers.
    """
    found = [(s, h) for (c, h), (s, _) in offers.items() if c == "data_fraction"]
    if not found or "data_fraction" in answers:
        return []
    sure, fraction = max(found)
    for _, h in found:
        if h != fraction:
            del offers["data_fraction", h]
    parts = in_parts(table, fraction)
    good = parts[np.isfinite(parts)]
    if "unique_tokens" in answers and answers["unique_tokens"] is not None and "tokens" not in answers:
        return []
    whole, plain = _whole(table, offers)
    none = not len(good) or not 0 < good.min() <= good.max() <= 1
    if none or not whole or {"tokens", "unique_tokens"} & set(answers):
        del offers["data_fraction", fraction]
        return []
    sizes = _values(table, whole)
    both = np.isfinite(sizes) & np.isfinite(parts) & (sizes > 0)
    corpora = len(np.unique(sizes[both]))
    each = sizes[both] / parts[both]
    already = corpora > 1 and len(each) > 1 and float(np.ptp(each)) <= _SAME * float(np.max(each))
    spent = _spent(table, offers, sizes)
    if not both.any() or already or abs(spent - 1) < _BORNE_OUT or (plain and (sure < _SURE or corpora > 1)):
        del offers["data_fraction", fraction]
        return []
    borne = abs(middle(_spent_each(table, offers, sizes * parts)) - 1) < _BORNE_OUT
    few = corpora == 1 or 2 * corpora <= int(both.sum())
    if borne or (few and not plain):
        _, how = offers.pop(("tokens", whole), (0.0, "the size of the data"))
        offers["unique_tokens", whole] = 0.95, f"{how}; the data that {fraction!r} is a part of"
        return []
    first = sizes[both][0]
    text = (
        f"Is {whole!r} the data that {fraction!r} is a part of? Then the first run was trained on {first:.4g} × {parts[both][0]:g} = "
        f"{first * parts[both][0]:.4g} tokens. Choose {NO_COLUMN!r} if it counts the tokens of that part alone."
    )
    return [Question("columns.unique_tokens", text, (whole, NO_COLUMN), whole)]


def in_parts(table: Table, header: str) -> np.ndarray:
    """The fractions (n,) of a column, those in per cent over a hundred."""
    return table.numbers(header).values * _scale(table, header)


def scaled_fraction(table: Table, guesses: dict[str, Guess]) -> dict[str, Guess]:
    """The guesses, a fraction of the data that is written in per cent with its factor."""
    guess = guesses.get("data_fraction")
    if guess is None or _scale(table, guess.header) == 1.0:
        return guesses
    return {**guesses, "data_fraction": replace(guess, scale=0.01, how=f"{guess.how}; in per cent")}


def _scale(table: Table, header: str) -> float:
    values = table.numbers(header).values
    good = values[np.isfinite(values)]
    numbers = zip(table.cells(header), np.isfinite(values), strict=True)
    signed = any(isinstance(c, str) and "%" in c for c, is_number in numbers if is_number)  # 5% was read as .05
    stated = _PERCENT.search(take_apart(header).words) or "%" in header
    return 0.01 if len(good) and not signed and (stated or float(good.max()) > 1) else 1.0


def _whole(table: Table, offers: Offers) -> tuple[str, bool]:
    """The header that may be the corpus' size, '' for none, and whether it is a plain name of tokens."""
    named = [h for c, h in offers if c in ("tokens", "unique_tokens") and SIZE_OF_DATA.fullmatch(take_apart(h).words)]
    others = [(s, h) for (c, h), (s, _) in offers.items() if c == "tokens" and h not in named and s >= TAKEN]
    if any(c == "unique_tokens" and h not in named and s >= TAKEN for (c, h), (s, _) in offers.items()):
        return "", False
    if named:
        return ("", False) if others else (named[0], False)
    if any(re.search(r"\b(?:seen|trained|consumed|processed|used)\b", take_apart(h).words) for _, h in others):
        return "", False
    return (others[0][1], True) if len(others) == 1 else ("", False)


def _values(table: Table, header: str) -> np.ndarray:
    return table.numbers(header, DIMENSION["tokens"]).scaled(scale_in(header, "tokens")[0])


def _spent_each(table: Table, offers: Offers, tokens: np.ndarray) -> np.ndarray:
    """The FLOPs of each row (n,) over 6 N times these tokens; NaN where the table has none."""
    flops = max(((s, h) for (c, h), (s, _) in offers.items() if c == "flops"), default=None)
    size = max(((s, h) for (c, h), (s, _) in offers.items() if c in COUNTS), default=None)
    if flops is None or size is None:
        return np.full(len(tokens), np.nan)
    spent = table.numbers(flops[1], DIMENSION["flops"]).scaled(scale_in(flops[1], "flops")[0])
    count = table.numbers(size[1], DIMENSION["params"]).scaled(scale_in(size[1], "params")[0])
    return np.asarray(spent / (6.0 * count * tokens))


def _spent(table: Table, offers: Offers, tokens: np.ndarray) -> float:
    """By how much the FLOPs of all rows alike are 6 N D; NaN where they differ from row to row."""
    each = _spent_each(table, offers, tokens)
    each = each[np.isfinite(each)]
    return middle(each) if len(each) and float(each.max()) < 2 * float(each.min()) else float("nan")
