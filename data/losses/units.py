"""Units of a loss: each turned into nats per token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LossUnit:
    """A unit of loss: nats in one of it (`base`), and what it is counted over (`per`). `title` is how a menu calls it."""

    title: str
    base: float
    per: str = "token"


UNITS: dict[str, LossUnit] = {
    "nats": LossUnit("nats per token", 1.0),
    "bits": LossUnit("bits per token", float(np.log(2.0))),
    "perplexity": LossUnit("perplexity", 1.0),
    "bits per byte": LossUnit("bits per byte", float(np.log(2.0)), "byte"),
    "bits per character": LossUnit("bits per character", float(np.log(2.0)), "character"),
    "nats per byte": LossUnit("nats per byte", 1.0, "byte"),
    "nats per character": LossUnit("nats per character", 1.0, "character"),
    "bits per word": LossUnit("bits per word", float(np.log(2.0)), "word"),
    "nats per word": LossUnit("nats per word", 1.0, "word"),
    "bits per dimension": LossUnit("bits per dimension", float(np.log(2.0)), "dimension"),
    "perplexity per word": LossUnit("perplexity per word", 1.0, "word"),
    "perplexity per byte": LossUnit("perplexity per byte", 1.0, "byte"),
    "perplexity per character": LossUnit("perplexity per character", 1.0, "character"),
    "log10 perplexity": LossUnit("log10 of perplexity", float(np.log(10.0))),
}

#: A typical number of each in a token, for the field a person fills: English text and a vocabulary of 50,000 (assumed).
TYPICAL = {"byte": 4.0, "character": 4.0, "word": 0.75, "dimension": 1.0}


def in_nats(values: np.ndarray, unit: str | Sequence[str], per_token: float | np.ndarray | None = None) -> np.ndarray:
    """The losses (n,) in nats per token; a perplexity that is not positive comes back as it is, to be set aside.

    `unit` is that of all or of each (n,). `per_token`, of all or (n,), is how many bytes, characters, words or dimensions a
    token has, for the units that are counted over them.
    """
    if not isinstance(unit, str):
        out, units = np.full(len(values), np.nan), np.array(unit, dtype=object)
        for one in dict.fromkeys(unit):
            at = units == one
            out[at] = in_nats(values[at], one, per_token[at] if isinstance(per_token, np.ndarray) else per_token)
        return out
    known = UNITS[unit]
    times: float | np.ndarray = 1.0 if known.per == "token" else np.nan if per_token is None else per_token
    if is_perplexity(unit):
        with np.errstate(all="ignore"):
            return np.asarray(np.where(values <= 0, values, np.log(values) * times))
    if known.per == "token":
        return values if known.base == 1.0 else values * known.base
    return np.asarray(values * known.base * times)


def slope(values: np.ndarray, unit: str | Sequence[str], per_token: float | np.ndarray | None = None) -> np.ndarray:
    """By what an error of each loss (n,) in its unit is multiplied to be one in nats per token: 1 / value of a perplexity."""
    if isinstance(unit, str) and not is_perplexity(unit):
        return in_nats(np.ones(len(values)), unit, per_token)
    units = np.array([unit] * len(values) if isinstance(unit, str) else unit, dtype=object)
    times = in_nats(np.where([is_perplexity(u) for u in units], np.e, 1.0), tuple(units), per_token)
    with np.errstate(all="ignore"):
        below = np.where(values > 0, values, np.nan)
    return np.asarray(np.where([is_perplexity(u) for u in units], times / below, times))


def is_perplexity(unit: str) -> bool:
    """Whether the loss is the logarithm of what stands in this unit."""
    return unit.startswith("perplexity")


def how(unit: str, stated: bool) -> str:
    """How losses of this unit became nats per token; `stated` says whether header or person named the unit."""
    if unit == "nats":
        return "nats per token" if stated else "taken as nats per token"
    if unit == "perplexity":
        return "perplexity, its logarithm taken"
    known = UNITS[unit]
    if is_perplexity(unit):
        return f"{unit}, its logarithm taken, times {known.per}s per token"
    times = {"bits": "ln 2", "log10": "ln 10"}.get(unit.split()[0], "")
    if known.per == "token":
        return f"{known.title}, times {times}"
    return f"{known.title}, times {f'{times} and ' if times else ''}{known.per}s per token"
