"""How a number is said aloud: `73 B`, `51–112 B`, `5.8e23`, `11 days`, with no more digits than its interval allows.

The chart in the browser says the same numbers, so `budget_chart/format.js` holds the same steps in the same order. Both
use only operations that IEEE 754 fixes exactly (division, `floor`, powers of ten read from text), and the shared table
`tests/dashboard/number_cases.json` keeps the two together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

THIN = "\u202f"  # narrow no-break space: a number and its unit never part at a line's end
SPACE = "\u00a0"  # before a unit that is a word
MISSING = "—"
MOST_DIGITS = 6
LEAST_DIGITS = 2
# The last digit shown is worth between a third and a thirtieth of the interval's width (the Particle Data Group's habit
# of one or two digits of uncertainty); two significant digits are always shown, of a loss three.
UNITS_IN_WIDTH = 3.0


@dataclass(frozen=True)
class Unit:
    """A step on the ladder of one kind: used while the number in this unit, once rounded, stays below `limit`."""

    limit: float
    divisor: float
    suffix: str


@dataclass(frozen=True)
class Kind:
    """How one kind of number is said: its ladder of units, and where exponents take over at either end."""

    units: tuple[Unit, ...]
    prefix: str = ""
    small: float = 1e-3  # below this (in the first unit) exponents are used
    beyond: Unit = Unit(math.inf, 1.0, "")  # the unit that carries the exponent when the ladder ends
    decimals: int | None = None  # decimals shown without an interval, in place of two significant digits
    grouped: bool = False  # 1,300 rather than 1300
    whole: bool = False  # a whole number below 1000 is exact
    least: int = LEAST_DIGITS  # significant digits shown beside an interval, however wide


_YEARS = Unit(1e6, 365.25 * 86400.0, "years")
KINDS: dict[str, Kind] = {
    "count": Kind(
        (
            Unit(1e3, 1.0, ""),
            Unit(1e3, 1e3, "k"),
            Unit(1e3, 1e6, "M"),
            Unit(1e3, 1e9, "B"),
            Unit(1e3, 1e12, "T"),
        ),
        whole=True,
    ),
    "flop": Kind((Unit(1e4, 1.0, ""),), small=0.1),
    "loss": Kind((Unit(1e6, 1.0, ""),), small=1e-4, decimals=2, least=3),
    "ratio": Kind((Unit(1e6, 1.0, ""),), grouped=True),
    "duration": Kind(
        (
            Unit(90, 1.0, "seconds"),
            Unit(90, 60.0, "minutes"),
            Unit(48, 3600.0, "hours"),
            Unit(730, 86400.0, "days"),
            _YEARS,
        ),
        beyond=replace(_YEARS, limit=math.inf),
        grouped=True,
    ),
    # Money moves up a unit at half of it: people say $0.9 M, and $300 k.
    "money": Kind(
        (
            Unit(1e3, 1.0, ""),
            Unit(500, 1e3, "k"),
            Unit(500, 1e6, "M"),
            Unit(500, 1e9, "B"),
            Unit(1e3, 1e12, "T"),
        ),
        prefix="$",
    ),
    "percent": Kind((Unit(1e6, 0.01, "%"),), small=1e-4, beyond=Unit(math.inf, 0.01, "%"), grouped=True),
    # Things that are there, such as devices: none is rounded away.
    "whole": Kind((Unit(1e9, 1.0, ""),), decimals=0, grouped=True, whole=True),
}


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
    other = None if beside is None else _width(*(_number(end) for end in beside))
    width = _width(lower, upper) if other is None else other
    exact = spec.whole and abs(number) < spec.units[0].limit and number == math.floor(number)  # 8 devices, not 8.0
    said = _signed(number, None if exact else width, spec) if math.isfinite(number) else MISSING
    return said, _range(number, lower, upper, width, spec)


def interval(low: float | None, high: float | None, kind: str) -> str:
    """The interval alone: `51–112 B`, `860 B – 1.9 T`, `≥ 51 B`."""
    return with_interval(None, low, high, kind)[1]


@dataclass(frozen=True)
class _Said:
    """A number taken apart: figures, the unit they are in, the ten's power of the last figure, an exponent if any."""

    figures: str
    unit: Unit
    place: int
    exponent: int | None

    def text(self, spec: Kind) -> str:
        return spec.prefix + self.figures + _tail(self)


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


def _width(low: float, high: float) -> float | None:
    width = high - low
    return width if math.isfinite(width) and width > 0 else None


def _tail(said: _Said) -> str:
    exponent = "" if said.exponent is None else f"e{said.exponent}"
    suffix = said.unit.suffix
    return exponent + (suffix and (SPACE if len(suffix) > 1 else THIN) + suffix)


def _signed(value: float, width: float | None, spec: Kind) -> str:
    said = _said(abs(value), width, spec).text(spec)
    return "−" + said if value < 0 else said


def _said(value: float, width: float | None, spec: Kind) -> _Said:
    """A number of zero or more, in the first unit of its ladder that holds it once rounded."""
    if value == 0:
        return _Said("0", spec.units[0], 0, None)
    if value / spec.units[0].divisor >= spec.small:
        for unit in spec.units:
            scaled = value / unit.divisor
            place = _place(scaled, width and width / unit.divisor, spec)
            digits = _rounded(scaled, place)
            if _times(digits, place) < unit.limit:
                return _Said(_decimal(digits, place, spec.grouped), unit, place, None)
    return _exponential(value, width, spec)


def _exponential(value: float, width: float | None, spec: Kind) -> _Said:
    unit = spec.units[0] if value / spec.units[0].divisor < spec.small else spec.beyond
    scaled = value / unit.divisor
    exponent = _decade(scaled)
    for power in (exponent, exponent + 1):  # 9.96 becomes 10 when rounded: then the next power says it
        divisor = _ten(power)
        mantissa = scaled / divisor
        place = _place(mantissa, width and width / unit.divisor / divisor, replace(spec, decimals=None, whole=False))
        digits = _rounded(mantissa, place)
        if _times(digits, place) < 10:
            break
    return _Said(_decimal(digits, place, False), unit, place, power)


def _place(scaled: float, width: float | None, spec: Kind) -> int:
    """The ten's power of the last figure to show, for a number already in its unit."""
    place = _least_place(scaled, LEAST_DIGITS)
    if width:
        place = min(_decade(width / UNITS_IN_WIDTH), place, _least_place(scaled, spec.least))
    elif spec.whole and scaled < 1e3 and scaled == math.floor(scaled):
        place = 0
    elif spec.decimals is not None:
        place = min(-spec.decimals, place)
    return max(place, _decade(scaled) - MOST_DIGITS + 1)


def _least_place(scaled: float, digits: int) -> int:
    """The ten's power of the last of so many significant digits."""
    place = _decade(scaled) - digits + 1
    if place < 0 and _rounded(scaled, place) >= 10**digits:
        place += 1  # 9.96 is 10, not 10.0
    return place


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
    lower, upper = _said(low, width, spec), _said(high, width, spec)
    zero = low == 0
    if not zero and (lower.unit, lower.exponent) != (upper.unit, upper.exponent):
        return f"{lower.text(spec)} – {upper.text(spec)}"
    divisor = upper.unit.divisor * (1.0 if upper.exponent is None else _ten(upper.exponent))
    place = upper.place
    if math.isfinite(value) and value > 0:
        said = _said(value, width, spec)
        if (said.unit, said.exponent) == (upper.unit, upper.exponent):
            place = min(place, said.place)
    ends = [low / divisor, high / divisor]
    # The lower end keeps at least one figure of its own: 0.4–37, not 0–37.
    places = [place if zero else min(place, _decade(ends[0])), place]
    figures = [
        _decimal(_rounded(end, at), at, spec.grouped) if end else "0" for end, at in zip(ends, places, strict=True)
    ]
    return f"{spec.prefix}{figures[0]}–{figures[1]}{_tail(upper)}"


def _ten(power: int) -> float:
    return float(f"1e{power}")


def _decade(value: float) -> int:
    """The power of ten of the first significant figure (18 figures are written, so nothing is rounded up to a ten)."""
    return int(f"{value:.17e}".partition("e")[2])


def _rounded(value: float, place: int) -> int:
    """The value in units of ten to the `place`, halves up."""
    return math.floor(value / _ten(place) + 0.5) if place >= 0 else math.floor(value * _ten(-place) + 0.5)


def _times(digits: int, place: int) -> float:
    return digits * _ten(place) if place >= 0 else digits / _ten(-place)


def _decimal(digits: int, place: int, grouped: bool) -> str:
    """`digits` times ten to the `place`, written out exactly."""
    text = str(digits) + "0" * max(place, 0)
    whole, fraction = (text, "") if place >= 0 else (text.zfill(1 - place)[:place], text.zfill(1 - place)[place:])
    if grouped:
        whole = f"{int(whole):,}"
    return f"{whole}.{fraction}" if fraction else whole
