"""A fit or a plan as LaTeX: rounded for reading, with the full-precision constants in comments of the same file."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np

from fitting.band import Band
from fitting.digits import KINDS, decade, decimal, is_exact, rounded, said_in, width_of
from fitting.export.latex_text import escape
from fitting.export.text import GoesWith, finite, provenance
from fitting.law import Law
from fitting.open_interval import how_open
from fitting.planning.on_devices import OnDevices
from fitting.planning.planner import Plan
from fitting.result import Fit

# A printed formula may be off by so much of the residuals' spread, within so many times the largest of each input.
SHARE, FAR = 0.1, 100.0
# Where it is looked at, beside the runs: so many places on the axes of a law of one input, of two and of three, and on both
# sides of a break so many from near it (in logs, far below the width of the sharpest that a law knows) to far from it.
GRID, NEAR, SIDE = {1: 801, 2: 41, 3: 13}, (1e-3, 3.0), 60
MOST_DIGITS = 15
# A plan's row is written without powers of ten where all its numbers have sizes from the first to below the second of these.
PLAIN = (-3, 5)
# What a plan comes to on its devices: what a row calls it, its unit in these, the sign before the number, the word behind it, and
# the kind of number.
ON = {
    "seconds": ("time", 86400.0, "", "days", "ratio"),
    "device_hours": ("device-hours", 1.0, "", "", "count"),
    "money": ("cost", 1.0, r"\$", "", "money"),
}
Array = np.ndarray
TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)


def fit_to_latex(fit: Fit) -> str:
    """The fitted formula, a table of parameters with intervals, and every constant in full as `% name = value` lines."""
    rows, places = [], steps(fit)
    for p in fit.law.params:
        b = fit.interval(p.name)
        value, low, high = number(b.value, places[p.name]), number(b.low, step(b)), number(b.high, step(b))
        ends = rf"${low}$ & ${high}$"
        if p.name in fit.unidentified:
            ends = rf"\multicolumn{{2}}{{r}}{{{how_open(b.low, b.high, lambda end: f'${number(end, _coarse(end))}$')}}}"
        rows.append(rf"  ${p.latex}$ & ${value}$ & {ends} & {escape(p.meaning)} \\")
    return "\n".join(
        [
            f"% {fit.law.title}: {fit.law.cite}",
            *(f"% {k} = {v!r}" for k, v in fit.params.items()),
            *_origin(fit),
            r"\begin{equation}",
            "  " + formula(fit),
            r"\end{equation}",
            r"\begin{tabular}{lrrrl}",
            r"  \hline",
            r"  & value & 2.5\,\% & 97.5\,\% & meaning \\",
            r"  \hline",
            *rows,
            r"  \hline",
            r"\end{tabular}",
            *_warning(fit),
            "",
        ]
    )


def plan_to_latex(fit: Fit, plan: Plan, whole: GoesWith | None = None, on: OnDevices | None = None) -> str:
    """A plan, what goes with it, and the devices it runs on, as a LaTeX table with intervals, and its full-precision values as comments."""
    output = fit.law.output
    names = {
        "flops": ("training compute", "FLOP", "flop"),
        "params": ("parameters", "", "count"),
        "tokens": ("tokens", "", "count"),
        "tokens_per_param": ("tokens per parameter", "", "ratio"),
        "loss": (f"{escape(output.title.lower())}, law", escape(output.unit), "loss"),
        "loss_run": (f"{escape(output.title.lower())}, one new run", escape(output.unit), "loss"),
        "batch": ("batch", "tokens per step", "count"),
        "lr": ("learning rate", "", "flop"),
        "steps": ("steps", "", "count"),
        "critical": ("critical batch", "tokens per step", "count"),
    }  # what a row calls each, its unit, and the kind of number that the page says it as
    bands = {k: b for k in names if isinstance(b := getattr(plan, k, getattr(whole, k, None)), Band)}
    rows = []
    for k, b in bands.items():
        value, low, high = (f"${x}$" for x in row(*b, kind=names[k][2]))
        interval = f"{low} to {high}" if b.low != b.high else ""
        rows.append(rf"  {names[k][0]} & {value} & {interval} & {names[k][1]} \\")
    rows += _on(on)
    return "\n".join(
        [
            f"% Plan from {fit.law.title}: {fit.law.cite}",
            *(f"% {k} = {b.value!r} ({b.low!r} to {b.high!r} at {b.level})" for k, b in bands.items()),
            *(f"% {gives}: {title}" for gives, title in (whole.sources if whole else ())),
            *(f"% {k} = {v!r}" for k in ON if on is not None and (v := getattr(on, k)) is not None),
            *(f"% {escape(note)}" for note in (on.notes if on else ())),
            *_origin(fit),
            r"\begin{tabular}{lrrl}",
            r"  \hline",
            r"  & value & " + f"{100 * plan.loss.level:g}" + r"\,\% interval & unit \\",
            r"  \hline",
            *rows,
            r"  \hline",
            r"\end{tabular}",
            *_warning(fit),
            "",
        ]
    )


def _warning(fit: Fit) -> list[str]:
    """For an unsound fit a line to be printed below the table, which no comment is."""
    return [rf"\par\noindent {escape(fit.warnings[0])}"] if fit.warnings else []


def _on(on: OnDevices | None) -> list[str]:
    """Rows for the devices, and for the time and cost on them; where they do not hold it, for how many it needs."""
    if on is None:
        return []
    said = [("devices", f"{on.devices:,.0f}", escape(on.name))]
    if not on.holds:
        return [rf"  {what} & {value} & & {unit} \\" for what, value, unit in said] + [
            rf"  \multicolumn{{4}}{{l}}{{{escape(on.needs)}}} \\"
        ]
    rows = [rf"  {what} & {value} & & {unit} \\" for what, value, unit in said]
    for quantity, (what, per, before, unit, kind) in ON.items():
        value, band = getattr(on, quantity), on.between(quantity)
        if value is None:
            continue
        known = (value / per,) if band is None else tuple(x / per for x in (value, band.low, band.high))
        middle, *ends = (f"${before}{x}$" for x in row(*known, kind=kind))
        rows.append(rf"  {what} & {middle} & {' to '.join(ends)} & {unit} \\")
    return rows


def row(value: float, *ends: float, kind: str = "ratio") -> tuple[str, ...]:
    """A value and the ends of its interval as LaTeX, in one notation and with the digits of `fitting.digits`, as the page has them.

    `kind` is one of `KINDS`. Ends that are the value itself say that it is exact, and it keeps four digits. Powers of ten stand in
    all of them or in none.
    """
    spec, least = KINDS[kind], 4 if ends and min(ends) == max(ends) == value else None
    width = width_of(min(ends), max(ends)) if ends else None
    said: list[tuple[int, int] | None] = []  # the digits of each as a whole number, and the power of ten of the last
    for k, x in enumerate((value, *ends)):
        if not x or not math.isfinite(x):
            said.append(None)
        elif least and not is_exact(x, spec):
            place = decade(abs(x)) - least + 1
            said.append(_carried(rounded(abs(x), place), place, least))
        else:
            one = said_in(abs(x), None if k == 0 and is_exact(x, spec) else width, spec)
            said.append((one.digits, one.whole_place))
    sizes = [place + len(str(digits)) - 1 for digits, place in filter(None, said)]
    powers = any(not PLAIN[0] <= size < PLAIN[1] for size in sizes)
    return tuple(
        number(x, 1.0) if one is None else _in_latex(*one, x < 0, powers)
        for x, one in zip((value, *ends), said, strict=True)
    )


def _carried(digits: int, place: int, least: int) -> tuple[int, int]:
    """So many digits and the place of the last: 9.9996 is 10.00."""
    return (digits // 10, place + 1) if digits >= 10**least else (digits, place)


def _in_latex(digits: int, place: int, negative: bool, powers: bool) -> str:
    """`digits` times ten to the `place`, with a power of ten or without."""
    sign, last = "-" if negative else "", len(str(digits)) - 1
    if not powers:
        return sign + decimal(digits, place, False)
    return rf"{sign}{decimal(digits, -last, False)} \times 10^{{{place + last}}}"


def equation(law: Law) -> str:
    """The law's LaTeX with its left side, the output's title where the declaration has none."""
    return _before(law) + law.latex


def _before(law: Law) -> str:
    return "" if _equals(law.latex) is not None else rf"\textrm{{{escape(law.output.title)}}} = "


def _equals(latex: str) -> int | None:
    """Where the sign stands that parts the sides of an equation: the first outside of braces; None where there is none."""
    depth = 0
    for at, sign in enumerate(latex):
        depth += (sign == "{") - (sign == "}")
        if sign == "=" and not depth:
            return at
    return None


def formula(fit: Fit) -> str:
    """The law's LaTeX with each symbol replaced by its fitted number, rounded as `steps` says."""
    places = steps(fit)
    tokens = TOKEN.findall(equation(fit.law))
    symbols = sorted(((TOKEN.findall(p.latex), p.name) for p in fit.law.params), key=lambda s: -len(s[0]))
    left, out, i = _equals(fit.law.latex), [], 0
    left = len(_before(fit.law)) - 1 if left is None else left
    position = 0
    digit = False  # whether the last sign is one of a number, which another beside it would run into
    while i < len(tokens):
        here = next(((s, n) for s, n in symbols if position > left and tokens[i : i + len(s)] == s), None)
        if here is None:
            out.append(tokens[i])
            position += len(tokens[i])
            digit = digit and tokens[i].isspace()
            i += 1
            continue
        symbol, name = here
        said = number(fit.params[name], places[name])
        if said.startswith("-") and (before := "".join(out).rstrip()) and before[-1] not in "={([,":
            said = rf"\left({said}\right)"
        out.append((r"\cdot " if digit else "") + said)
        digit = True
        position += sum(map(len, symbol))
        i += len(symbol)
    return "".join(out)


def steps(fit: Fit) -> dict[str, float]:
    """The place value of each parameter's last printed digit, by name: what its interval supports, or finer.

    Parameters are known together far better than each alone, so digits that one's own interval does not support carry the
    formula: it stays within `SHARE` of the residuals' spread, in log loss, over the runs and `FAR` times beyond them in each input.
    """
    found = {k: step(fit.interval(k)) for k in fit.law.names}
    allowed = SHARE * _spread(fit)
    inputs = _looked_at(fit)
    exact = fit.law(inputs, fit.params)

    def off(places: dict[str, float]) -> float:
        printed = {**fit.params} | {k: stands_for(number(fit.params[k], s)) for k, s in places.items()}
        with np.errstate(all="ignore"):
            error = np.abs(np.log(fit.law(inputs, printed) / exact))
        if np.any(np.isnan(error) & np.isfinite(np.log(exact))):
            return math.inf
        return float(np.nanmax(error, initial=0.0))

    for name in found:
        while off({name: found[name]}) > allowed / fit.law.p and _digits(fit.params[name], found[name]) < MOST_DIGITS:
            found[name] /= 10.0
    while off(found) > allowed and any(_digits(fit.params[k], s) < MOST_DIGITS for k, s in found.items()):
        found = {k: s / 10.0 for k, s in found.items()}
    return found


def _looked_at(fit: Fit) -> dict[str, Array]:
    """Places (k,) for each input at which a printed formula is held against the fit: a grid, around breaks, and the runs."""
    law = fit.law
    ends = [(k, fit.ranges[k]) for k in law.inputs]
    axes = {k: np.geomspace(low, FAR * high, GRID.get(len(law.inputs), 9)) for k, (low, high) in ends}
    side = np.geomspace(*NEAR, SIDE)
    for i in law.places:
        anchor = law.params[i].anchor
        assert anchor is not None  # it is what makes it a place
        low, high = fit.ranges[anchor.input]
        near = fit.values[i] * np.exp(np.concatenate([-side, [0.0], side]))
        axes[anchor.input] = np.concatenate([axes[anchor.input], near[(near >= low) & (near <= FAR * high)]])
    found = dict(zip(axes, (x.ravel() for x in np.meshgrid(*axes.values())), strict=True))
    if fit.doubt is None:  # runs' places are kept for their neighbours' sake alone
        return found
    return {k: np.concatenate([x, fit.doubt.runs(k)]) for k, x in found.items()}


def _spread(fit: Fit) -> float:
    """The residuals' spread in log loss, without what a few far off add to it."""
    half = 1.4826 * float(np.median(np.abs(fit.residuals)))
    return min(half, fit.noise) or fit.noise


def _digits(x: float, step: float) -> int:
    """Digits that `number` prints before and after the first of a number."""
    return 1 + max(0, math.floor(math.log10(abs(x))) - round(math.log10(step))) if x else MOST_DIGITS


def step(b: Band) -> float:
    """The place value of the last digit worth printing: two digits of half the interval's width, or 4 of the value."""
    width = 0.5 * (b.high - b.low) if math.isfinite(b.high - b.low) else 0.0
    base = width / 10 if width > 0 else abs(b.value) * 1e-3 or 1.0
    if not math.isfinite(base):
        return 1.0
    return float(10.0 ** math.floor(math.log10(base)))


def _coarse(x: float) -> float:
    """The place value of the last of two digits of a number."""
    return float(10.0 ** (math.floor(math.log10(abs(x))) - 1)) if x else 1.0


def number(x: float, step: float) -> str:
    """A number rounded to a place value, as LaTeX: `1.817`, or `6.4 \\times 10^{13}` where zeros would be counted."""
    if not math.isfinite(x):
        return r"\infty" if x > 0 else r"-\infty" if x < 0 else r"\mathrm{n/a}"
    if x == 0:
        return "0"
    size = math.floor(math.log10(abs(x)))
    digits = max(0, size - round(math.log10(step)))
    if -4 <= size < 5:
        return f"{x:.{max(0, digits - size)}f}"
    mantissa, exponent = f"{x:.{min(digits, 15)}e}".split("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}"


def stands_for(text: str) -> float:
    """The value of what `number` printed."""
    return float(text.replace(r" \times 10^{", "e").rstrip("}"))


def _origin(fit: Fit) -> list[str]:
    """Provenance as comment lines; JSON keeps a stranger's names on their line."""
    origin: dict[str, Any] = provenance(fit)
    return [f"% {k}: {json.dumps(finite(v))}" for k, v in origin.items()]
