"""Forecasts against what came: for each run left out, how far its loss lay from the forecast, and the interval given for it."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from dashboard import numbers
from dashboard.charts import theme
from dashboard.symbols import input_title, output_kind
from fitting.forecast import Backtest, Cut
from fitting.largest import COMPUTE

COLOURS = (theme.CATEGORICAL[0], theme.CATEGORICAL[1], theme.CATEGORICAL[2])
SYMBOLS = ("circle", "diamond", "square")
HEIGHT = 420


def figure(test: Backtest) -> go.Figure:
    """Compute over the largest run fitted against loss above the forecast in per cent; whiskers are the intervals given.

    One colour and shape for each cut; filled where the loss lay in its interval, hollow where it did not.
    """
    out = theme.blank(HEIGHT)
    out.update_layout(
        showlegend=True, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}, margin={"t": 44}
    )
    kind = output_kind(test.output)
    furthest = max(float(c.beyond.max()) for c in test.cuts)
    out.update_xaxes(**theme.log_axis(1.2, furthest, f"{_along(test)}, times the largest run fitted", kind="plain"))
    out.update_yaxes(title={"text": f"{input_title(test.output)} above its forecast"}, ticksuffix=" %")
    out.add_shape(
        type="line", xref="x domain", x0=0, x1=1, y0=0, y1=0, yref="y", line={"width": 1, "color": theme.GUIDE}
    )
    for i, c in enumerate(test.cuts):
        middle = np.asarray(c.forecast.value, float)
        off, low, high = (
            100 * (np.asarray(x, float) / middle - 1) for x in (c.actual, c.forecast.low, c.forecast.high)
        )
        inside = (c.actual >= c.forecast.low) & (c.actual <= c.forecast.high)
        colour = COLOURS[i % len(COLOURS)]
        order = np.argsort(c.beyond)
        for edge, fill in ((high, None), (low, "tonexty")):
            out.add_scatter(
                x=c.beyond[order], y=_smooth(edge[order], outwards=1 if fill is None else -1), mode="lines",
                line={"width": 0}, fill=fill, fillcolor=_faint(colour), hoverinfo="skip", showlegend=False,
            )  # fmt: skip
        out.add_scatter(
            x=c.beyond, y=off, mode="markers", name=f"fitted up to {up_to(c)}",
            marker={
                "size": 8, "color": colour, "line": {"width": 1.5, "color": colour},
                "symbol": [SYMBOLS[i % len(SYMBOLS)] + ("" if x else "-open") for x in inside],
            },
            text=[
                f"{theme.plain(name)}<br>{theme.plain(test.output)} {numbers.say(a, kind)}, forecast {numbers.say(m, kind)} "
                f"({numbers.say(lo, kind)}–{numbers.say(hi, kind)})"
                for name, a, m, lo, hi in zip(
                    c.runs, c.actual, middle, np.asarray(c.forecast.low), np.asarray(c.forecast.high), strict=True
                )
            ],
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    return out.figure()


def up_to(c: Cut) -> str:
    """The largest run fitted, by what runs were put in order of: `1e20 FLOP`, `100 samples`."""
    return (
        f"{numbers.flop(c.flops)} FLOP" if c.along == COMPUTE else f"{numbers.count(c.largest)} {theme.plain(c.along)}"
    )


def _along(test: Backtest) -> str:
    return "Compute" if test.along == COMPUTE else input_title(test.along)


def _smooth(edge: np.ndarray, outwards: int) -> np.ndarray:
    """An edge that only moves away from the middle with distance, so that bands of runs side by side read as one."""
    return np.asarray(outwards * np.maximum.accumulate(outwards * edge))


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.13)"
