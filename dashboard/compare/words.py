"""A comparison of families in words: the page's sentence, the line under it, and the numbers of its table."""

from __future__ import annotations

import math

from dashboard import numbers
from dashboard.widgets import Chip
from data.schema import Runs
from fitting import Families
from fitting.band import Band
from fitting.families import Crossing, Versus

LONGEST = 40
SHARES = {
    "auto": "Tested, the best kept",
    "nothing": "Nothing, each by itself",
    "floor": "The floor",
    "exponents": "The exponents",
    "floor and exponents": "Floor and exponents",
}


def name(text: str) -> str:
    """A family's name for a sentence, cut where it is long."""
    flat = " ".join(text.split())
    cut = flat if len(flat) <= LONGEST else f"{flat[: LONGEST - 1]}…"
    return f"“{cut}”" if " " in cut else cut


def header(runs: Runs, column: str) -> str:
    """What the file itself calls a column."""
    return next((s.header for s in runs.sources if s.column == column and s.header), column)


def chips(found: Families, runs: Runs) -> list[Chip]:
    """The law with its settings, and the families."""
    s = found.settings
    delta = "least squares" if math.isinf(s.delta) else f"Huber {s.delta:.2g}"
    return [
        Chip(found.law.title, f"{delta}, {s.resamples:,} refits"),
        Chip(f"{len(found.names)} families", f"by {name(header(runs, found.column))}"),
    ]


def answer(v: Versus) -> tuple[str, dict[str, str]]:
    """The page's sentence, with what goes into its braces: the multiplier among the runs, and where the two cross."""
    first, second = (_braced(name(x)) for x in (v.family, v.reference))
    values = {"at": f"{numbers.flop(v.middle)} FLOP"}
    times = v.overall
    if math.isinf(times.value):
        head = f"{first} reaches at {{at}} a loss that {second} never does"
    elif times.low <= 1 <= times.high:
        values["times"] = multiple(times)[1]
        head = f"These runs do not separate {first} from {second} at {{at}}: {{times}} the compute"
    else:
        less, said = _less(times)
        values["times"] = said
        head = f"{first} needs {{times}} {less} compute than {second} at {{at}}"
    tail, more = crosses(v.crossing)
    return f"{head}; {tail}.", {**values, **more}


def crosses(c: Crossing) -> tuple[str, dict[str, str]]:
    """Where two families change places, for a sentence."""
    if c.kind == "never":
        return "they do not cross in the range searched", {}
    value, interval = crossing(c)
    where = "" if c.kind == "within" else ", beyond the data"
    return f"they cross at {{cross}}{where}", {"cross": f"{value} ({interval})" if interval else value}


def crossing(c: Crossing) -> tuple[str, str]:
    """The budget at which two families cross and its interval, open where too many refits do not cross."""
    value, low, high = c.flops
    if c.kind == "never":
        return "none found", f"from {numbers.flop(low)} on, if ever" if 0 < low < math.inf else ""
    if math.isnan(low):
        return numbers.flop(value), ""
    said = numbers.flop(value)
    if low == 0 or math.isinf(high):
        start = "any" if low == 0 else numbers.flop(low)
        return said, f"{start} to {'never' if math.isinf(high) else numbers.flop(high)}"
    return said, f"{numbers.flop(low)} – {numbers.flop(high)}"


def under(v: Versus, largest: float) -> str:
    """The line under the sentence: who is better at the target, how sure that is, and what would settle it."""
    better, sure = (v.family, v.probability) if v.probability >= 0.5 else (v.reference, 1 - v.probability)
    far = f", {numbers.ratio(v.target / largest)}x beyond the largest run" if v.target > largest else ""
    if math.isnan(v.probability):
        return ""
    value, interval = multiple(v.multiplier)
    said = f"At {numbers.flop(v.target)} FLOP{far}, {name(better)} is better in {chance(sure)} (multiplier {value}, {interval}). "
    form = " Model discrepancy (how far a law of this form may be off) comes on top." if v.target > 3 * largest else ""
    return f"{said}{settles(v)}.{form}"


def chance(share: float) -> str:
    """A share of the refits in words, never rounded up to all of them."""
    if math.isnan(share):
        return numbers.MISSING
    if share in (0.0, 1.0):
        return "every refit" if share else "no refit"
    if not 0.01 <= share <= 0.99:
        return f"{'over 99' if share > 0.5 else 'under 1'}{numbers.THIN}% of refits"
    return f"{numbers.percent(share)} of refits"


def settles(v: Versus) -> str:
    """What would settle the question at the target."""
    if v.more_runs == 0:
        return "The interval excludes a tie"
    if v.more_runs is None:
        return "More runs like these would not settle it: the difference is small beside its interval"
    return f"About {numbers.count(v.more_runs)} more runs like these in each family should settle it"


def multiple(band: Band) -> tuple[str, str]:
    """A multiplier and its interval as `1.31x` and `1.18–1.46x`; infinite ends in words."""
    if math.isinf(band.value):
        return "∞", f"{numbers.ratio(band.low)}x or more" if math.isfinite(band.low) else "in every refit"
    value, interval = numbers.with_interval(band.value, band.low, band.high, "ratio")
    return f"{value}x", interval if interval == numbers.MISSING else f"{interval}x"


def _less(times: Band) -> tuple[str, str]:
    """ "less" or "more", and by how much with its interval: a multiplier below 1 is turned over."""
    less = times.value >= 1
    turned = times if less else Band(_over(times.value), _over(times.high), _over(times.low), times.level)
    value, interval = multiple(turned)
    return ("less" if less else "more"), value if interval == numbers.MISSING else f"{value} ({interval.rstrip('x')})"


def _over(x: float) -> float:
    return math.inf if x == 0 else 1.0 / x


def _braced(text: str) -> str:
    """Text that a format string leaves as it is."""
    return text.replace("{", "{{").replace("}", "}}")
