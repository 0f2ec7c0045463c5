"""Losses of a table that say the same in another unit: a perplexity, bits or bits per byte beside nats, per cent beside any."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from data.headers.names import loss_name
from data.headers.parts import header as take_apart
from data.losses.scales import scaled_loss
from data.losses.units import UNITS, in_nats
from data.mapping import Guess
from data.table import Table

_MANY = 60  # a page of benchmarks: nothing to be gained from comparing them all
#: How many bytes, characters, words or dimensions a token has.
_PER_TOKEN = {"byte": (1.3, 10.0), "character": (1.3, 10.0), "word": (0.2, 1.5)}
_OF_ONE = 0.01  # how near the ratio of two losses comes to one where both are of one token
_VARIES = 0.02  # by how much losses must vary before a constant ratio between two of them says anything
_NEAR, _NEAR_NAMED = (
    0.01,
    0.015,
)  # how near its median the ratio stays; wider where the names say that it is one measurement
_VARIED = 5.0  # times the losses must vary by what the digits of a perplexity leave open of its logarithm
_FLOAT = 1e-9
_PLAIN = r"^[*_~≈ ]*(?P<whole>[0-9]+)(?:DECIMAL(?P<part>[0-9]+))?[*_ ]*$"
_UNITS = re.compile(
    r"\b(?:loss(?:es)?|ce|nll|xent|cross entropy|perplexity|ppls?|bp[bcdtw]|(?:bits?|nats?)(?: ?(?:per|/) ?[a-z]+)?|percent"
    r"|train(?:ing)?|val(?:id(?:ation)?)?|eval(?:uation)?|dev|held ?out|test|lm|L)\b"
)


def unit_by_others(table: Table, header: str) -> tuple[str, str]:
    """The unit of a loss whose name says none, as another column proves it, and that column; two '' where none does.

    A perplexity is e or 2 to the loss, whichever it is; a loss in nats is ln 2 times one in bits.
    """
    if take_apart(header).unit or len(table.headers) > _MOST_HEADERS:
        return "", ""
    own = table.numbers(header, "loss")
    name = loss_name(header)
    if own.share < 0.5 or name is None:
        return "", ""
    found: dict[str, str] = {}
    with np.errstate(all="ignore"):
        for other in table.headers:
            unit = take_apart(other).unit
            if other == header or unit not in _PROVES or not _same_split(name.split, other):
                continue
            values = table.numbers(other, "loss").values
            rounded = unit == "perplexity" and _about(other)[1] == _about(header)[1]
            for likely, told in _PROVES[unit]:
                if agree(own.values, told(values)) or (rounded and _agree_as_printed(table, header, other, told)):
                    found.setdefault(likely, other)
    return next(iter(found.items())) if len(found) == 1 else ("", "")


def _same_split(split: str, other: str) -> bool:
    """Whether another loss may be measured on the same split: one of the two does not say on which."""
    name = loss_name(other) or (loss_name(f"{other} loss") if _BARE_UNIT.fullmatch(take_apart(other).words) else None)
    return name is not None and (not name.split or not split or name.split == split)


_MOST_HEADERS = 400
_BARE_UNIT = re.compile(r"(?:(?:val|valid|validation|eval|dev|test|train|in) )?(?:bits?|nats?)")
#: What a column in a unit proves of a loss without one: its unit, where it is this function of the column's values.
_PROVES: dict[str, tuple[tuple[str, Callable[[np.ndarray], np.ndarray]], ...]] = {
    "perplexity": (("nats", np.log), ("bits", np.log2)),
    "nats": (("nats", np.asarray), ("bits", lambda v: v / np.log(2.0))),
    "bits": (("bits", np.asarray), ("nats", lambda v: v * np.log(2.0))),
    "bits per byte": (("bits per byte", np.asarray), ("nats", lambda v: v * np.log(2.0))),
}


def without_copies(table: Table, ranked: list[str]) -> list[str]:
    """The headers, likeliest first, without those that say the same as an earlier one, in another unit or to the last digit."""
    if len(ranked) > _MANY:
        return ranked
    kept: list[tuple[str, str, bool, np.ndarray]] = []
    proofs: set[tuple[str, str]] = set()  # of two columns the one says the other's unit
    for header in ranked:
        proven, by = unit_by_others(table, header)
        proofs |= {(header, by), (by, header)}
        unit = take_apart(header).unit or proven or "nats"
        guess, _ = scaled_loss(table, Guess("loss", header, "", 1.0), unit, False, None)
        scaled = guess.scale != 1.0 or guess.base != 0.0
        values = guess.values(table)
        per_token = UNITS[unit].per == "token"
        values = in_nats(values, unit, None if per_token else 1.0)
        same = False
        for earlier, other, rescaled, v in kept:
            if (header, earlier) in proofs:
                same = True
            elif unit == other and np.isfinite(v).any() and np.array_equal(values, v, equal_nan=True):
                same = True  # whichever is meant, the numbers are the same
            elif per_token and UNITS[other].per == "token":
                same |= (unit != other or scaled or rescaled) and agree(values, v)
            elif UNITS[unit].per != UNITS[other].per and _about(header) == _about(earlier):
                same |= _proportional(values, unit, v, other, bool(_about(header)[0]))
            elif not per_token and UNITS[other].per == "token" and _about(header) == ("", ""):
                same |= _proportional(values, unit, v, other, False)  # nothing but a unit, beside a named loss
        if not same:
            kept.append((header, unit, scaled, values))
    return [h for h, *_ in kept]


def copies_in_bytes(table: Table, loss: str, options: list[str]) -> str:
    """The headers of losses of the same split over bytes or characters, which gave way to the loss in nats; '' for none."""
    if UNITS[take_apart(loss).unit or "nats"].per != "token":
        return ""
    others = [h for h in table.headers if h not in options and loss_name(h) is not None]
    others = [h for h in others if _about(h) in (_about(loss), ("", ""))]
    others = [h for h in others if table.numbers(h, "loss").share >= 0.5]
    return ", ".join(repr(h[:60]) for h in others if UNITS[take_apart(h).unit or "nats"].per in ("byte", "character"))


def is_over_tokens(table: Table, header: str, split: str, loss: str) -> bool:
    """Whether a column of a loss on a `split` is over tokens what a `loss` is over bytes or characters, as their ratio says."""
    unit, name = take_apart(loss).unit or "nats", loss_name(loss)
    if UNITS[unit].per == "token" or name is None or name.split not in ("", split):
        return False
    values, over = table.numbers(header, "loss").values, in_nats(table.numbers(loss, "loss").values, unit, 1.0)
    return _proportional(over, unit, values, "nats", name.split == split)


def agree(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two columns say the same wherever both do: nearly everywhere, for a row of means says another thing in each."""
    both = np.isfinite(one) & np.isfinite(other)
    if not both.any() or both.sum() < 0.8 * max(np.isfinite(one).sum(), np.isfinite(other).sum()):
        return False
    return float(np.mean(np.isclose(one[both], other[both], rtol=2e-3, atol=2e-3))) >= 0.85


def _agree_as_printed(table: Table, loss: str, ppl: str, told: Callable[[np.ndarray], np.ndarray]) -> bool:
    """Whether a loss is that of a perplexity in every row within the digits that both are printed with (4.38 beside 80).

    `told` gives the loss of a perplexity. Losses that hardly vary beside what the digits leave open prove nothing.
    """
    own, other = table.numbers(loss, "loss").values, table.numbers(ppl, "loss").values
    off, off_other = _half_digits(table, loss), _half_digits(table, ppl)
    both = np.isfinite(own) & np.isfinite(other)
    if both.sum() < 2 or both.sum() < 0.8 * max(np.isfinite(own).sum(), np.isfinite(other).sum()):
        return False
    own, other, off, off_other = own[both], other[both], off[both], off_other[both]
    low, high = told(other - off_other), told(other + off_other)
    if not np.isfinite(low).all() or _VARIED * float((high - low).max()) > float(np.ptp(own)):
        return False
    return bool(((own + off >= low - _FLOAT) & (own - off <= high + _FLOAT)).all())


def _half_digits(table: Table, header: str) -> np.ndarray:
    """Half of the last digit that each cell (n,) is printed with; 0 for cells that are no plain decimal numbers.

    Numbers have lost their last zeros, and are taken to have had as many digits as the longest of them.
    """
    plain = table.text(header).str.extract(_PLAIN.replace("DECIMAL", re.escape(table.decimal)))
    digits = plain["part"].fillna("").str.len().to_numpy(dtype="float64")
    if pd.api.types.is_numeric_dtype(table.frame[header].dtype):
        digits = np.full_like(digits, digits.max(initial=0.0))
    return np.where(plain["whole"].notna().to_numpy(), 0.5 * 10.0**-digits, 0.0)


def _about(header: str) -> tuple[str, str]:
    """On what a loss was measured, as its header says: the split, and the words that name neither it nor a unit."""
    name = loss_name(header)
    return name.split if name else "", " ".join(_UNITS.sub(" ", take_apart(header).path).replace("/", " ").split())


@np.errstate(all="ignore")
def _proportional(one: np.ndarray, unit: str, other: np.ndarray, of: str, named: bool) -> bool:
    """Whether the ratio of two losses is the same in all rows, and one that bytes, characters or words of a token have.

    `named` says that both are named after the same split: then losses that hardly differ say enough.
    """
    per = UNITS[unit].per
    if per == "token":
        return _proportional(other, of, one, unit, named)
    both = np.isfinite(one) & np.isfinite(other) & (one > 0) & (other > 0)
    if per not in _PER_TOKEN or UNITS[of].per != "token" or both.sum() < (1 if named else 2):
        return False
    if both.sum() < 0.8 * max(np.isfinite(one).sum(), np.isfinite(other).sum()):
        return False
    losses, ratio = other[both], other[both] / one[both]
    low, high = _PER_TOKEN[per]
    middle = float(np.median(ratio))
    varied = named or float(losses.max() / losses.min()) > 1 + _VARIES
    near = float(np.mean(np.abs(ratio / middle - 1) < (_NEAR_NAMED if named else _NEAR))) >= 0.85
    if abs(middle - 1) < _OF_ONE:  # bits of a token under the name of those of a byte; tokens that are characters
        return near and (per == "byte" or (per == "character" and varied))
    return near and varied and low <= middle <= high
