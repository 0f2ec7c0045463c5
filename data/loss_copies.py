"""Losses of a table that say the same in another unit: a perplexity, bits or bits per byte beside nats, per cent beside any."""

from __future__ import annotations

import re

import numpy as np

from data.headers import header as take_apart
from data.loss_scales import scaled_loss
from data.loss_units import UNITS, in_nats
from data.mapping import Guess
from data.names import loss_name
from data.table import Table

_MANY = 60  # a page of benchmarks: nothing to be gained from comparing them all
#: How many bytes, characters, words or dimensions a token has.
_PER_TOKEN = {"byte": (1.3, 10.0), "character": (1.3, 10.0), "word": (0.2, 1.5)}
_NEAR = 5e-3  # how near the ratio of two losses comes to one where both are of one character
_VARIES = 0.02  # by how much losses must vary before a constant ratio between two of them says anything
_UNITS = re.compile(
    r"\b(?:loss(?:es)?|ce|nll|xent|cross entropy|perplexity|ppls?|bp[bcdtw]|(?:bits?|nats?)(?: ?(?:per|/) ?[a-z]+)?|percent"
    r"|train(?:ing)?|val(?:id(?:ation)?)?|eval(?:uation)?|dev|held ?out|test|lm|L)\b"
)


def without_copies(table: Table, ranked: list[str]) -> list[str]:
    """The headers, likeliest first, without those that say the same as an earlier one, in another unit or to the last digit."""
    if len(ranked) > _MANY:
        return ranked
    kept: list[tuple[str, str, bool, np.ndarray]] = []
    for header in ranked:
        unit = take_apart(header).unit or "nats"
        guess, _ = scaled_loss(table, Guess("loss", header, "", 1.0), unit, False, None)
        scaled = guess.scale != 1.0 or guess.base != 0.0
        values = guess.values(table)
        per_token = UNITS[unit].per == "token"
        values = in_nats(values, unit, None if per_token else 1.0)
        same = False
        for earlier, other, rescaled, v in kept:
            if unit == other and np.isfinite(v).any() and np.array_equal(values, v, equal_nan=True):
                same = True  # whichever is meant, the numbers are the same
            elif per_token and UNITS[other].per == "token":
                same |= (unit != other or scaled or rescaled) and agree(values, v)
            elif UNITS[unit].per != UNITS[other].per and _about(header) == _about(earlier):
                same |= _proportional(values, unit, v, other)
        if not same:
            kept.append((header, unit, scaled, values))
    return [h for h, *_ in kept]


def agree(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two columns say the same wherever both do: nearly everywhere, for a row of means says another thing in each."""
    both = np.isfinite(one) & np.isfinite(other)
    if not both.any() or both.sum() < 0.8 * max(np.isfinite(one).sum(), np.isfinite(other).sum()):
        return False
    return float(np.mean(np.isclose(one[both], other[both], rtol=2e-3, atol=2e-3))) >= 0.85


def _about(header: str) -> tuple[str, str]:
    """On what a loss was measured, as its header says: the split, and the words that name neither it nor a unit."""
    name = loss_name(header)
    return name.split if name else "", " ".join(_UNITS.sub(" ", take_apart(header).path).replace("/", " ").split())


@np.errstate(all="ignore")
def _proportional(one: np.ndarray, unit: str, other: np.ndarray, of: str) -> bool:
    """Whether the ratio of two losses is the same in all rows, and one that bytes, characters or words of a token have."""
    per = UNITS[unit].per
    if per == "token":
        return _proportional(other, of, one, unit)
    both = np.isfinite(one) & np.isfinite(other) & (one > 0) & (other > 0)
    if per not in _PER_TOKEN or UNITS[of].per != "token" or both.sum() < 2:
        return False
    if both.sum() < 0.8 * max(np.isfinite(one).sum(), np.isfinite(other).sum()):
        return False
    losses, ratio = other[both], other[both] / one[both]
    low, high = _PER_TOKEN[per]
    middle = float(np.median(ratio))
    varied = float(losses.max() / losses.min()) > 1 + _VARIES
    near = float(np.mean(np.abs(ratio / middle - 1) < 0.01)) >= 0.85
    of_one = abs(middle - 1) < _NEAR and per in ("byte", "character")  # tokens that are bytes or characters
    return varied and near and (of_one or low <= middle <= high)
