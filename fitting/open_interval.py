"""The interval of a parameter that the runs do not identify: open on both sides, or on one."""

from __future__ import annotations

import math
from collections.abc import Callable

from fitting.band import Array, Band, from_draws


def open_interval(value: float, draws: Array, least: float, closed: str | None, level: float) -> Band:
    """The band of a best value that can be no lower than `least`; it ends where draws (R,) do at its `closed` end, "low" or "high".

    Without draws no end is known.
    """
    low, high = least, math.inf
    if closed is not None and len(draws):
        drawn = from_draws(value, draws, level)
        low, high = (drawn.low, high) if closed == "low" else (low, drawn.high)
    said = how_open(low, high)
    return Band(value, low, high, level, (f"{said[0].upper()}{said[1:]} by these runs.",))


def how_open(low: float, high: float, say: Callable[[float], str] = "{:.4g}".format) -> str:
    """What the ends of an open interval say in a few words: "at least 3", "at most 4", or "not identified".

    `say` puts a number into words.
    """
    if math.isfinite(high):
        return f"at most {say(high)}"
    return f"at least {say(low)}" if math.isfinite(low) and low > 0 else "not identified"
