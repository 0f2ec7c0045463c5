"""Columns that say in which unit each row's loss is, and how many bytes, characters or words a token of it has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from data.headers.names import loss_name
from data.headers.parts import header as take_apart
from data.headers.parts import loss_unit
from data.losses.units import UNITS
from data.table import Table

_OF_THE_LOSS = re.compile(
    r"(?:[a-z]+ )?(?:loss|ce|nll|cross entropy) (?:units?|metric|type|scale)|units? (?:of )?(?:the )?(?:[a-z]+ )?loss"
)
_OF_ANYTHING = re.compile(r"units?|metrics?|measure|heading")
_PLAIN = {
    "ln": "nats",
    "base e": "nats",
    "log2": "bits",
    "base 2": "bits",
    "sh": "bits",
    "shannon": "bits",
    "log10": "log10 perplexity",
}
_OVER = r"(?P<per>bytes?|b|chars?|characters?|letters?|words?)"
_COLUMN = re.compile(rf"(?:[a-z]+ )?{_OVER} ?(?:per|/) ?(?:tokens?|tok)(?: (?:avg|mean|average|ratio))?")
_INVERSE = re.compile(r"(?:[a-z]+ )?tokens? ?(?:per|/) ?(?P<per>bytes?|chars?|characters?|letters?|words?)")
_IN_HEADER = re.compile(rf"([0-9]+(?:\.[0-9]+)?)\s*{_OVER}\s*(?:/|per)\s*tok", re.IGNORECASE)


@dataclass(frozen=True)
class RowUnits:
    """The unit of each row's loss: `units` (n,) keys of `UNITS`, "nats" where it is none; `doubts` says so by position."""

    header: str
    units: tuple[str, ...]
    doubts: Mapping[int, str] = field(default_factory=dict)

    @property
    def one(self) -> str:
        """The unit that all rows share, '' where they differ."""
        known = {u for i, u in enumerate(self.units) if i not in self.doubts}
        return known.pop() if len(known) == 1 else ""


def row_units(table: Table, loss: str) -> RowUnits | None:
    """What a column beside the loss says of the unit of each row; None where there is no such column."""
    for header in table.headers:
        words = take_apart(header).path
        own = bool(_OF_THE_LOSS.fullmatch(words))
        if header == loss or not (own or _OF_ANYTHING.fullmatch(words)):
            continue
        cells = [str(c) for c in table.text(header)]
        known = {c: _unit(c) for c in dict.fromkeys(cells)}
        said = [c for c in known if c]
        if not any(known[c] for c in said) or not (own or all(known[c] or _is_loss(c) for c in said)):
            continue
        doubts = {}
        for i, c in enumerate(cells):
            if not c:
                doubts[i] = f"has no unit under {header!r}, where others have one"
            elif not known[c] and not _is_loss(c):
                doubts[i] = f"is in a unit that is not known ({c[:20]!r} under {header!r})"
        return RowUnits(header, tuple(known[c] or "nats" for c in cells), doubts)
    return None


def _unit(cell: str) -> str:
    """The unit that a cell names, '' for none."""
    if len(cell) > 40:
        return ""
    low = " ".join(cell.lower().replace("_", " ").split())
    return _PLAIN.get(low) or loss_unit(take_apart(low).path, low)


def _is_loss(cell: str) -> bool:
    """Whether a cell names a loss without its unit, as a column of metrics does: val_loss beside val_ppl."""
    return len(cell) <= 40 and loss_name(cell) is not None


def per_token(table: Table, loss: str, unit: str) -> tuple[np.ndarray, str] | None:
    """How many bytes, characters or words of the unit each row's tokens have (n,), and what says so; None where nothing does."""
    per = UNITS[unit].per
    found = _IN_HEADER.search(loss)
    if found and _counts(found["per"], per) and float(found[1]) > 0:
        return np.full(len(table.frame), float(found[1])), "as its header says"
    for header in table.headers:
        words = take_apart(header).path
        for form, power in ((_COLUMN, 1.0), (_INVERSE, -1.0)):
            named = form.fullmatch(words)
            if header == loss or named is None or not _counts(named["per"], per):
                continue
            values = table.numbers(header).values
            good = np.isfinite(values) & (values > 0)
            if good.any():
                with np.errstate(all="ignore"):
                    return np.where(good, values**power, np.nan), f"from {header!r}"
    return None


def _counts(word: str, per: str) -> bool:
    """Whether a word means what the unit is counted over."""
    kinds = {"byte": r"b|bytes?", "character": r"chars?|characters?|letters?", "word": r"words?"}
    return per in kinds and re.fullmatch(kinds[per], word, re.IGNORECASE) is not None
