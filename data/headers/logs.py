"""Headers of logarithms: log10 N, ln(tokens), log2 params, log(FLOPs); and which base a bare log has, as the values say."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

#: The logarithms that `units` may name for a column, and their base.
LOGS: dict[str, float] = {"log10": 10.0, "ln": math.e, "log2": 2.0}

#: Columns that people take logarithms of; those whose values tell the base of a bare log come with their usual range.
USUAL: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("params", "params_total", "params_nonembed", "params_active"), (1e5, 1e13)),
    **dict.fromkeys(("tokens", "unique_tokens"), (1e6, 1e15)),
    "flops": (1e12, 1e28),
}
LOGGED = frozenset(
    (*USUAL, "flops_per_token", "lr", "batch", "batch_sequences", "steps", "samples", "tokens_per_param")
)

_WORD = r"log_?10|lg|log_?2|ln|log_?e"
_HEAD = re.compile(
    rf"\s*({_WORD}|log)(?:[ _]*[(\[](?P<inside>.+)[)\]]|(?P<gap>[ _]+(?:of[ _]+)?|(?=[NDC]\b))(?P<behind>.+))\s*",
    re.IGNORECASE,
)
_TAIL = re.compile(
    rf"\s*(?P<before>[^()\[\]]+?)\s*(?:[(\[]\s*(?P<word>{_WORD}|log)\s*[)\]]|(?:[_ ]|,\s*)(?P<end>{_WORD}))\s*",
    re.IGNORECASE,
)
_SUBSCRIPTS = str.maketrans("₀₁₂ₑ", "012e")


@dataclass(frozen=True)
class Logged:
    """A header that says logarithm: of what (`header`), and the base, 0 where it does not say; `bracketed` for log(loss)."""

    header: str
    base: float
    bracketed: bool

    @property
    def name(self) -> str:
        return next((name for name, base in LOGS.items() if base == self.base), "log")


@lru_cache(maxsize=20_000)
def logged(raw: str) -> Logged | None:
    """What a header takes the logarithm of; None where it takes none."""
    if len(raw) > 100 or "l" not in raw.lower():
        return None
    text = raw.translate(_SUBSCRIPTS)
    behind = _TAIL.fullmatch(text)
    if behind is not None:  # N (log10), params_log2
        return Logged(behind["before"], _base(behind["word"] or behind["end"]), True)
    found = _HEAD.fullmatch(text)
    if found is None:
        return None
    base = _base(found[1])
    inside = found["inside"]
    if inside is not None and inside.count("(") != inside.count(")"):
        inside += ")"  # log10(params (M))
    return Logged((inside or found["behind"]).strip(), base, found["inside"] is not None)


def _base(word: str) -> float:
    """The base that a word for a logarithm names, 0 for a bare log."""
    word = word.lower().replace("_", "")
    return {"log10": 10.0, "lg": 10.0, "log2": 2.0, "ln": math.e, "loge": math.e}.get(word, 0.0)


def raised(values: np.ndarray, base: float) -> np.ndarray:
    """The numbers (n,) whose logarithms these are."""
    with np.errstate(all="ignore"):
        return np.asarray(np.power(base, values))


def possible(values: np.ndarray, low: float, high: float, bases: tuple[float, ...]) -> list[float]:
    """The bases under which the median of the values (n,) is the logarithm of a number between `low` and `high`."""
    good = values[np.isfinite(values)]
    if not len(good):
        return []
    middle = float(np.median(good))
    return [b for b in bases if math.log(low) <= middle * math.log(b) <= math.log(high)]


def tells_its_base(header: str, column: str, values: np.ndarray) -> bool:
    """Whether a header names its logarithm's base, or none at all, or the values (n,) are of a bare log that has one.

    `log_params` is as often a setting of what a run logs.
    """
    taken = logged(header)
    return taken is None or bool(taken.base) or bool(possible(values, *USUAL[column], (10.0, math.e)))
