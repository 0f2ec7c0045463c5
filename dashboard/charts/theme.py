"""The look every figure shares: colours that read on light and on dark, axes that count the way people speak.

A figure is drawn once and must hold on both grounds, because the browser switches between them without asking Python.
So nothing here sets the colour of text or background: Streamlit's own Plotly theme fills those in for the ground
that is showing. What is set here reads on both: the sequential map for runs, the categorical set, the accent for the
budget, and greys for what is set aside. Text that should stand back takes `QUIET` as its opacity, not a grey.

    out = blank()                                              # empty, with the shared layout
    out.update_xaxes(**log_axis(low, high, "Parameters"))      # 1 k, 10 k, 100 k
    out.add_scatter(..., text=[plain(name) for name in names]) # names are a stranger's text
    out.figure()                                               # what Plotly shows
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import Any

from dashboard import numbers
from dashboard.charts.drawing import Drawing

#: Viridis, low to high: the one sequential map, by log N (or log C, or the loss) wherever runs are drawn.
SEQUENTIAL = (
    "#440154", "#482878", "#3E4A89", "#31688E", "#26828E", "#1F9E89", "#35B779", "#6DCD59", "#B4DE2C", "#FDE725",
)  # fmt: skip

#: Okabe and Ito's colours, told apart with any colour vision, in an order that keeps neighbours apart.
CATEGORICAL = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#7F7F7F")

ACCENT = "#e05466"  # the budget, and nothing else; 3.5:1 on the light ground, 5:1 on the dark one
LAW = "#4f7fc0"  # a fitted curve
BAND = "rgba(79, 127, 192, 0.28)"  # the law's interval
BAND_WIDE = "rgba(79, 127, 192, 0.13)"  # the interval of a new run
HELD = CATEGORICAL[5]  # a run held out and its forecast: 3.9:1 on the light ground
HOLLOW = "#8b93a3"  # the rim of what is set aside
GRID = "rgba(128, 140, 160, 0.17)"
GUIDE = "rgba(128, 140, 160, 0.5)"  # lines that help the eye and carry no data
RIM = "rgba(128, 140, 160, 0.55)"  # the rim of a filled mark, so that yellow shows on white and violet on black
QUIET = 0.85  # opacity of text that stands back further than labels do

ENDS = (-307, 308)  # the powers of ten between which every one is a float of full precision
FEW = 2.0  # decades of compute up to which powers of ten are too few lines to read a plane by
HEIGHT = 500  # px of a page's main picture
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

Ticks = tuple[list[float], list[str]]


def blank(height: int = HEIGHT) -> Drawing:
    """An empty drawing with the shared layout: room for labels, no title, no legend, calm hover labels."""
    drawing = Drawing(
        height=height,
        margin={"l": 8, "r": 8, "t": 20, "b": 8},
        showlegend=False,
        hovermode="closest",
        hoverlabel={"align": "left", "font": {"size": 13}},
        uirevision="keep",  # a zoom survives new data
    )
    axis = {"automargin": True, "showline": False, "ticks": "", "zeroline": False, "showgrid": True, "gridcolor": GRID}
    drawing.update_xaxes(**axis, title={"standoff": 12})
    drawing.update_yaxes(**axis, title={"standoff": 8})
    return drawing


def log_axis(low: float, high: float, title: str, *, kind: str = "count", pad: float = 0.06) -> dict[str, Any]:
    """Settings of a logarithmic axis that holds `low` to `high` (data units, both above 0) and a little more.

    `kind` says how its ticks are written: "count" 125 M, "flop" 10²¹, "plain" 0.3.
    """
    bottom, top = spread(low, high, pad)
    values, texts = log_ticks(10**bottom, 10**top, kind)
    return {
        "type": "log",
        "range": [bottom, top],
        "tickmode": "array",
        "tickvals": values,
        "ticktext": texts,
        "title": {"text": title},
    }


def spread(low: float, high: float, pad: float = 0.06, least: float = 0.5) -> tuple[float, float]:
    """The decimal logarithms of a range with `pad` of its width on either side, at least `least` decades wide.

    They stay within `ENDS`, so that ten to their power is a number again.
    """
    bottom, top = math.log10(low), math.log10(high)
    room = max(top - bottom, least) * pad + max(0.0, least - (top - bottom)) / 2
    return min(max(bottom - room, ENDS[0]), ENDS[1] - least), max(min(top + room, ENDS[1]), ENDS[0] + least)


def log_ticks(low: float, high: float, kind: str = "count") -> Ticks:
    """Where a logarithmic axis has ticks and what they say: powers of ten, with 2 and 5 between where there is room."""
    bottom, top = math.log10(low), math.log10(high)
    width = top - bottom
    steps = (1, 2, 5) if width <= 2.5 else (1, 3) if width <= 3.5 and kind != "flop" else (1,)
    skip = max(1, math.ceil(width / 9))
    powers = range(max(math.floor(bottom), ENDS[0]), min(math.ceil(top), ENDS[1]) + 1)
    values = [step * 10.0**power for power in powers if power % skip == 0 for step in steps]
    values = [value for value in values if low <= value <= high]
    if len(values) < 3 and kind == "plain" and 1.02 * low < high < 10.0 * low:  # losses seldom span a decade
        return _round_between(low, high)
    if len(values) < 3 and kind == "count" and 1.2 * low < high < 10.0 * low:
        values = _round_between(low, high)[0]
    write = {"count": numbers.count, "flop": power_of_ten, "plain": numbers.ratio}[kind]
    return values, [write(value) for value in values]


def _round_between(low: float, high: float) -> Ticks:
    """Four to nine round numbers at even steps between two positive ones, with the decimals that tell them apart."""
    rough = (high - low) / 5.0
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(s * unit for s in (1.0, 2.0, 5.0, 10.0) if s * unit >= 0.75 * rough)
    values = [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return values, [f"{value:,.{decimals}f}" for value in values]


def budgets(low: float, high: float, lines: int = 7) -> list[float]:
    """Where lines of equal compute stand between two, all as log10: powers of ten, about so many at most, and 1, 2 and 5 times
    each where there are few."""
    step = max(1, round((high - low) / lines))
    powers = range(max(math.floor(low), ENDS[0]), min(math.floor(high), ENDS[1]) + 1)
    factors = (1, 2, 5) if high - low < FEW else (1,)
    found = [power + math.log10(factor) for power in powers if power % step == 0 for factor in factors]
    return [at for at in found if low <= at <= high]


def power_of_ten(value: float) -> str:
    """`10²¹`, `2×10²¹`: for numbers that people know by their exponent."""
    exponent = math.floor(math.log10(value) + 1e-9)
    factor = round(value / 10.0**exponent)
    power = "10" + str(exponent).translate(SUPERSCRIPTS)
    return power if factor == 1 else f"{factor}×{power}"


def plain(name: object, most: int = 60) -> str:
    """A name that Plotly shows letter for letter (its labels read a subset of HTML), cut at `most` signs."""
    text = "".join(sign if sign.isprintable() else " " for sign in str(name))
    return html.escape(text if len(text) <= most else text[: most - 1] + "…", quote=False)


def scale(colours: Sequence[str] = SEQUENTIAL, *, backwards: bool = False) -> list[list[Any]]:
    """A sequential map as Plotly's colour scale."""
    chosen = list(reversed(colours)) if backwards else list(colours)
    return [[i / (len(chosen) - 1), colour] for i, colour in enumerate(chosen)]


def colourbar(title: str, ticks: Ticks | None = None) -> dict[str, Any]:
    """A slim colour bar beside the plot."""
    bar: dict[str, Any] = {
        "title": {"text": f"{title}<br>&nbsp;", "side": "top", "font": {"size": 12}},
        "thickness": 8,
        "len": 0.6,
        "y": 1,
        "yanchor": "top",
        "outlinewidth": 0,
        "ticks": "",
        "xpad": 12,
    }
    if ticks:
        bar |= {"tickmode": "array", "tickvals": ticks[0], "ticktext": ticks[1]}
    return bar
