"""A fitted parameter and its interval as page, charts and terminal all say them."""

from __future__ import annotations

from dashboard import numbers
from fitting.band import LEVEL
from fitting.open_interval import how_open
from fitting.result import Fit


def said(fit: Fit, name: str, kind: str, level: float = LEVEL) -> tuple[str, str]:
    """The value and its interval, with as many digits as the interval has a use for; of an open one, the end that is known."""
    band = fit.interval(name, level)
    if name in fit.unidentified:
        return numbers.say(band.value, kind), how_open(band.low, band.high, lambda end: numbers.say(end, kind))
    return numbers.with_interval(band.value, band.low, band.high, kind)
