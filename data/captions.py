"""What the words above or below a table say of the unit of its losses, where the column's name says none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.headers import header as take_apart
from data.headers import loss_unit

_MOST = 14  # words of a caption or heading; a longer text is prose, which may speak of another table
_UNIT = re.compile(
    r"\b(?:(?:word|byte|char(?:acter)?|token)[- ]?(?:level )?)?(?:perplexit(?:y|ies)|ppl)\b(?: per (?:word|byte|char(?:acter)?))?"
    r"|\b(?:bits?|nats?) ?(?:-?per-?|/) ?-?(?:bytes?|char(?:acter)?s?|words?|tokens?|tok)\b|\bbp[bcw]\b|\bnats\b",
    re.IGNORECASE,
)
_LOSS = re.compile(r"\b(?:loss(?:es)?|cross[- ]entropy)\b", re.IGNORECASE)
_BESIDE = re.compile(
    r"(?:\band\b|\bor\b|\bvs\b|[,;/&(])\s*(?:\w+\s+)?$|^\s*(?:and|or|vs|,|;|/|&)\s*(?:\w+\s+){0,2}loss", re.IGNORECASE
)
_ANOTHER = re.compile(r"\b(?:improvements?|reductions?|accuracy|scores?|ratio|vs\.?|per cent|not)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Said:
    """The `unit` that a text names, as a key of `data.loss_units.UNITS`, and whether it is plainly that of the losses."""

    unit: str
    plain: bool
    text: str


def unit_said(lines: Sequence[str], headers: Sequence[str], values: np.ndarray) -> Said | None:
    """The one unit other than nats that the lines name; None where they name none, or a column of the table is named by it.

    `values` (n,) are the losses as they stand: none below one is a perplexity.
    """
    own = {take_apart(h).unit for h in headers}
    for line in reversed(lines):
        found = {u: m for m in _UNIT.finditer(line[:600]) if (u := _unit(m[0]))}
        if not found:
            continue
        if set(found) & own or set(found) == {"nats"}:
            return None
        unit = next(u for u in found if u != "nats")
        at = found[unit]
        finite = values[np.isfinite(values)]
        possible = not unit.startswith("perplexity") or not len(finite) or float(finite.min()) >= 1.0
        beside = bool(_LOSS.search(line)) and bool(
            _BESIDE.search(line[: at.start()]) or _BESIDE.search(line[at.end() :])
        )
        if not unit.startswith("perplexity") and line[: at.start()].rstrip().endswith(("(", "[")):
            beside = False  # loss (bits per byte)
        short = len(line.split()) <= _MOST and len(found) == 1 and not _ANOTHER.search(line)
        return Said(unit, possible and short and not beside, line[:120])
    return None


def _unit(text: str) -> str:
    low = text.lower().replace("perplexities", "perplexity").replace("-", " ")
    return loss_unit(take_apart(low).path, low)
