"""What the words above or below a table say of the unit of its losses, where the column's name says none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.headers.parts import header as take_apart
from data.headers.parts import loss_unit
from data.losses.held_out import CORPUS
from data.losses.units import is_perplexity

_UNIT = re.compile(
    r"\b(?:(?:word|byte|char(?:acter)?|token)[- ]?(?:level )?)?(?:perplexit(?:y|ies)|ppl)\b(?: per (?:word|byte|char(?:acter)?))?"
    r"|\b(?:bits?|nats?) ?(?:-?per-?|/) ?-?(?:bytes?|char(?:acter)?s?|words?|tokens?|tok)\b|\bbp[bcw]\b|\bnats\b",
    re.IGNORECASE,
)
#: What a caption may say beside the unit and still be no more than a name of a loss.
_NUMBER = re.compile(
    r"^(?:table|tab\.?|figure|fig\.?)\s*[0-9a-z.]{0,6}\s*[:.|-]\s*|^[0-9]{1,2}(?:\.[0-9]{1,2})*[.)]?\s+", re.IGNORECASE
)
_BETTER = re.compile(r"\(?\b(?:the )?(?:lower|less|smaller) is better\b\)?|[↓]", re.IGNORECASE)
_OF_A_NAME = frozenset((
    "val", "valid", "validation", "validate", "eval", "evals", "evaluation", "dev", "test", "held", "out", "heldout",
    "holdout", "set", "split", "train", "training", "final", "last", "best",
    "end", "mean", "average", "avg", "loss", "losses", "lm", "language", "model", "modeling", "modelling", "ce",
    "cross", "entropy", "nll", "per", "token", "measured", "in", "on", "of", "at", "the",
    "all", "each", "every", "models", "runs", "sizes", "result", "results",
))  # fmt: skip
#: Words in a column's own name by which it holds no perplexities.
_A_LOSS = re.compile(r"\b(?:loss(?:es)?|cross ?entropy|xent|ce|nll|l)\b")
_TOO_HIGH = 8.0  # nats: hardly a trained model's loss, and a low perplexity
_TOO_LOW = 1.5  # nats: hardly a loss per token of text, and usual bits per byte
_MANY_BITS = 3.0  # bits per byte, character: no language model is as bad


@dataclass(frozen=True)
class Said:
    """The `unit` that a `text` names, as a key of `data.losses.units.UNITS`.

    `plain` says that it is taken, `needed` that it must be asked about; with neither it is only mentioned.
    """

    unit: str
    plain: bool
    text: str
    needed: bool = False


def unit_said(title: str, lines: Sequence[str], header: str, headers: Sequence[str], values: np.ndarray) -> Said | None:
    """The one unit other than nats that the words around a table name; None where they name none that could be meant.

    `title` is the line right above the table, which says the unit where it is the name of a loss and no more; the other
    `lines` only raise doubts where `values` (n,) of the column `header` are none in nats. None where one of the other
    `headers` is named by the unit.
    """
    own = {take_apart(h).unit for h in headers}
    finite = np.asarray(values, dtype=float)
    finite = finite[np.isfinite(finite)]
    if unit := named_unit(title):
        return None if unit in own or unit == "nats" else _judged(unit, title, header, finite)
    for line in reversed([*lines, title]):
        found = {u for m in _UNIT.finditer(line[:600]) if (u := _unit(m[0]))}
        if not found:
            continue
        if found & own or found == {"nats"}:
            return None
        units = [u for u in sorted(found) if _against_nats(u, finite)]
        return Said(units[0], False, line[:120], True) if units else None
    return None


def named_unit(caption: str) -> str:
    """The unit of the loss that a caption or heading is the name of, '' where it says more or none: `Perplexity on C4`."""
    text = _BETTER.sub(" ", _NUMBER.sub("", caption.strip()[:200]))
    found = {_unit(m[0]) for m in _UNIT.finditer(text)}
    if len(found) != 1 or not all(found):
        return ""
    unit = next(iter(found))
    rest = CORPUS.sub(" ", take_apart(_UNIT.sub(" ", text)).path)
    rest = re.sub(r"\b[0-9]+\b", " ", rest) if rest != take_apart(_UNIT.sub(" ", text)).path else rest
    beside = r"[=;&/+]|\d\s*%" + (r"|," if is_perplexity(unit) else "")
    if re.search(beside, _UNIT.sub(" ", text)) or not set(re.findall(r"[^\W_]+", rest.lower())) <= _OF_A_NAME:
        return ""
    return unit


def _judged(unit: str, title: str, header: str, values: np.ndarray) -> Said:
    """A unit that a caption names outright, as the column's own name and its values (n,) allow it."""
    against = _against_nats(unit, values)
    if not len(values):
        return Said(unit, True, title[:120])
    middle = float(np.median(values))
    if is_perplexity(unit):
        if float(values.min()) < 1.0:
            return Said(unit, False, title[:120], True)
        plain = against or not _A_LOSS.search(take_apart(header).path.lower())
        return Said(unit, plain, title[:120])
    odd = middle > _MANY_BITS and unit.endswith(("byte", "character"))
    return Said(unit, not odd, title[:120], odd)


def _against_nats(unit: str, values: np.ndarray) -> bool:
    """Whether losses (n,) are hardly nats per token and may well be in this unit."""
    if not len(values):
        return False
    middle = float(np.median(values))
    return middle > _TOO_HIGH and float(values.min()) >= 1.0 if is_perplexity(unit) else middle < _TOO_LOW


def _unit(text: str) -> str:
    low = text.lower().replace("perplexities", "perplexity").replace("-", " ")
    return loss_unit(take_apart(low).path, low)
