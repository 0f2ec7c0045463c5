"""How a number is said aloud: `73 B`, `51–112 B`, `5.8e23`, `11 days`, with no more digits than its interval allows.

The digits are those of `fitting.digits`, which LaTeX says too. The chart in the browser says the same numbers, so
`budget_chart/format.js` holds the same steps in the same order.
"""

from __future__ import annotations

import math
from functools import lru_cache

from fitting.digits import KINDS, Kind, Said, decade, decimal, is_exact, rounded, said_in, ten, width_of

THIN = "\u202f"  # narrow no-break space: a number and its unit never part at a line's end
SPACE = "\u00a0"  # before a unit that is a word
MISSING = "—"
FAR_APART = 30.0  # the factor between the ends of an interval from which each says its unit, of kinds that may have none; chosen


def say(value: float | None, kind: str) -> str:
    """The number in words and figures, with two significant digits (a loss: two decimals); `—` where it is not finite.

    `kind` is one of `KINDS`. Durations are in seconds, money in dollars, a percent in fractions (0.95 is `95 %`).
    """
    _kind(kind)
    number = _number(value)
    return _alone(number, kind) if math.isfinite(number) else MISSING


@lru_cache(maxsize=16_384)  # a page drawn again says the same numbers: some thousands at the points of one figure
def _alone(number: float, kind: str) -> str:
    return _signed(number, None, _kind(kind))


def count(value: float | None) -> str:
    """A count in k, M, B or T: `73 B`."""
    return say(value, "count")


def whole(value: float | None) -> str:
    """Things that are there, none rounded away: `2,048`."""
    return say(value, "whole")


def flop(value: float | None) -> str:
    """A number of FLOP, without its unit: `5.8e23`."""
    return say(value, "flop")


def loss(value: float | None) -> str:
    """A loss to two decimals: `1.97`."""
    return say(value, "loss")


def ratio(value: float | None) -> str:
    """A plain ratio: `18`, `0.35`, `1,300`."""
    return say(value, "ratio")


def duration(seconds: float | None) -> str:
    """A time, given in seconds: `3.2 hours`, `11 days`."""
    return say(seconds, "duration")


def roughly(seconds: float | None) -> str:
    """A time that is an estimate, given in seconds: `9 minutes` where `duration` has `9.0 minutes`; a second at least."""
    said = duration(seconds if seconds is None else max(1.0, seconds))
    number, space, unit = said.partition(SPACE)
    whole = number.removesuffix(".0")
    return whole + space + (unit.removesuffix("s") if whole == "1" else unit)


def money(dollars: float | None) -> str:
    """A sum in dollars: `$0.81 M`."""
    return say(dollars, "money")


def percent(fraction: float | None) -> str:
    """A fraction as a percentage: `0.95` is `95 %`."""
    return say(fraction, "percent")


def with_interval(
    value: float | None, low: float | None, high: float | None, kind: str, beside: tuple[float, float] | None = None
) -> tuple[str, str]:
    """The number and its interval, e.g. `("73 B", "51–112 B")`, with digits that follow the interval's width.

    An end that is not finite (or None) is open: `≥ 51 B`, `≤ 112 B`; with both open the interval is `—`. Ends given the
    wrong way round are put in order. An interval of no width is said as one number. `beside` is another interval that this
    one is read against: its width sets the digits, since said to other digits the wider of two could read as the narrower.
    """
    spec, number = _kind(kind), _number(value)
    lower, upper = _number(low), _number(high)
    if lower > upper:
        lower, upper = upper, lower
    other = None if beside is None else width_of(*(_number(end) for end in beside))
    width = width_of(lower, upper) if other is None else other
    said = _signed(number, None if is_exact(number, spec) else width, spec) if math.isfinite(number) else MISSING
    return said, _range(number, lower, upper, width, spec)


def interval(low: float | None, high: float | None, kind: str) -> str:
    """The interval alone: `51–112 B`, `860 B – 1.9 T`, `≥ 51 B`."""
    return with_interval(None, low, high, kind)[1]


def _kind(kind: str) -> Kind:
    if kind not in KINDS:
        raise ValueError(f"a number's kind is one of {', '.join(KINDS)}; {kind!r} came")
    return KINDS[kind]


def _number(value: float | None) -> float:
    """The value as a float; beyond 1e±100, where the arithmetic above would leave the floats, infinite or zero."""
    number = math.nan if value is None else float(value)
    if abs(number) > 1e100:
        return math.copysign(math.inf, number)
    return 0.0 if abs(number) < 1e-100 else number


def _text(said: Said, spec: Kind) -> str:
    return spec.prefix + said.figures + _tail(said)


def _tail(said: Said) -> str:
    exponent = "" if said.exponent is None else f"e{said.exponent}"
    suffix = said.unit.suffix
    return exponent + (suffix and (SPACE if len(suffix) > 1 else THIN) + suffix)


def _signed(value: float, width: float | None, spec: Kind) -> str:
    said = _text(said_in(abs(value), width, spec), spec)
    return "−" + said if value < 0 else said


def _range(value: float, low: float, high: float, width: float | None, spec: Kind) -> str:
    closed = math.isfinite(low), math.isfinite(high)
    if not any(closed):
        return MISSING
    if not closed[1]:
        return f"≥{THIN}{_signed(low, None, spec)}"
    if not closed[0]:
        return f"≤{THIN}{_signed(high, None, spec)}"
    if width is None:
        return _signed(high, None, spec)
    if low < 0:
        return f"{_signed(low, width, spec)} to {_signed(high, width, spec)}"
    lower, upper = said_in(low, width, spec), said_in(high, width, spec)
    zero = low == 0
    # Without its unit 1.2 reads as 1.2 itself, and not as 1.2 k, where it is that much smaller than an upper end of 302 k.
    apart = bool(upper.unit.suffix) and not spec.units[0].suffix and high >= FAR_APART * low
    if not zero and (apart or (lower.unit, lower.exponent) != (upper.unit, upper.exponent)):
        return f"{_text(lower, spec)} – {_text(upper, spec)}"
    divisor = upper.unit.divisor * (1.0 if upper.exponent is None else ten(upper.exponent))
    place = upper.place
    if math.isfinite(value) and value > 0:
        said = said_in(value, width, spec)
        if (said.unit, said.exponent) == (upper.unit, upper.exponent):
            place = min(place, said.place)
    ends = [low / divisor, high / divisor]
    # The lower end keeps at least one figure of its own: 0.4–37, not 0–37.
    places = [place if zero else min(place, decade(ends[0])), place]
    figures = [
        decimal(rounded(end, at), at, spec.grouped) if end else "0" for end, at in zip(ends, places, strict=True)
    ]
    return f"{spec.prefix}{figures[0]}–{figures[1]}{_tail(upper)}"
