"""With how many digits a number is said, and in which unit: no more than its interval allows.

Pages, terminal and LaTeX say the digits found here. The chart in the browser holds the same steps in the same order
(`dashboard/budget_chart/format.js`): both use only operations that IEEE 754 fixes exactly (division, `floor`, powers of ten read from
text), and the shared table `tests/dashboard/number_cases.json` keeps the two together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

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


@dataclass(frozen=True)
class Said:
    """A number taken apart: figures, the unit they are in, the ten's power of the last figure, an exponent if any.

    `digits` are the figures as a whole number, without the point.
    """

    figures: str
    unit: Unit
    place: int
    exponent: int | None
    digits: int

    @property
    def whole_place(self) -> int:
        """The ten's power of the last figure of the number itself; its unit is a power of ten."""
        return self.place + (self.exponent or 0) + decade(self.unit.divisor)


def is_exact(value: float, spec: Kind) -> bool:
    """Whether a number is said in full whatever its interval: 8 devices, not 8.0, and 409 steps, not 410."""
    return spec.whole and abs(value) < spec.units[0].limit and value == math.floor(value)


def width_of(low: float, high: float) -> float | None:
    """The width of an interval; None where it has none, or an open end."""
    width = high - low
    return width if math.isfinite(width) and width > 0 else None


def said_in(value: float, width: float | None, spec: Kind) -> Said:
    """A number of zero or more, in the first unit of its ladder that holds it once rounded."""
    if value == 0:
        return Said("0", spec.units[0], 0, None, 0)
    if value / spec.units[0].divisor >= spec.small:
        for unit in spec.units:
            scaled = value / unit.divisor
            if not math.isfinite(scaled):
                break
            place = _place(scaled, width and width / unit.divisor, spec)
            digits = rounded(scaled, place)
            if _times(digits, place) < unit.limit:
                return Said(decimal(digits, place, spec.grouped), unit, place, None, digits)
    return _exponential(value, width, spec)


def _exponential(value: float, width: float | None, spec: Kind) -> Said:
    unit = spec.units[0] if value / spec.units[0].divisor < spec.small else spec.beyond
    shift = 0 if math.isfinite(value / unit.divisor) else 10  # 1.7e308 is 1.7e310 %
    scaled, width = value / ten(shift) / unit.divisor, width and width / ten(shift) / unit.divisor
    exponent = decade(scaled)
    for power in (exponent, exponent + 1):  # 9.96 becomes 10 when rounded: then the next power says it
        mantissa = _over(scaled, power)
        place = _place(mantissa, width and _over(width, power), replace(spec, decimals=None, whole=False))
        digits = rounded(mantissa, place)
        if _times(digits, place) < 10:
            break
    return Said(decimal(digits, place, False), unit, place, power + shift, digits)


def _place(scaled: float, width: float | None, spec: Kind) -> int:
    """The ten's power of the last figure to show, for a number already in its unit."""
    place = _least_place(scaled, LEAST_DIGITS)
    if width:
        wide = decade(width / UNITS_IN_WIDTH) if math.isfinite(width) else place
        place = min(wide, place, _least_place(scaled, spec.least))
    elif spec.whole and scaled < 1e3 and scaled == math.floor(scaled):
        place = 0
    elif spec.decimals is not None:
        place = min(-spec.decimals, place)
    return max(place, decade(scaled) - MOST_DIGITS + 1)


def _least_place(scaled: float, digits: int) -> int:
    """The ten's power of the last of so many significant digits."""
    place = decade(scaled) - digits + 1
    if place < 0 and rounded(scaled, place) >= 10**digits:
        place += 1  # 9.96 is 10, not 10.0
    return place


def ten(power: int) -> float:
    """A power of ten."""
    return float(f"1e{power}")


def _over(value: float, power: int) -> float:
    """The value in units of ten to the `power`, beyond what a float holds of these too; infinite where the result is."""
    steps = (power,) if -300 < power < 300 else (power // 2, power - power // 2)
    for one in steps:
        value /= ten(one)
    return value


def decade(value: float) -> int:
    """The power of ten of the first significant figure (18 figures are written, so nothing is rounded up to a ten)."""
    return int(f"{value:.17e}".partition("e")[2])


def rounded(value: float, place: int) -> int:
    """The value in units of ten to the `place`, halves up."""
    return math.floor(value / ten(place) + 0.5) if place >= 0 else math.floor(value * ten(-place) + 0.5)


def _times(digits: int, place: int) -> float:
    return digits * ten(place) if place >= 0 else digits / ten(-place)


def decimal(digits: int, place: int, grouped: bool) -> str:
    """`digits` times ten to the `place`, written out exactly."""
    text = str(digits) + "0" * max(place, 0)
    whole, fraction = (text, "") if place >= 0 else (text.zfill(1 - place)[:place], text.zfill(1 - place)[place:])
    if grouped:
        whole = f"{int(whole):,}"
    return f"{whole}.{fraction}" if fraction else whole
