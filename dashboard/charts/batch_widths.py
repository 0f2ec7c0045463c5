"""The best learning rate against the width, and the losses at the rates tried that it is read off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dashboard.charts import theme
from dashboard.charts.drawing import Drawing
from data.plural import plural
from fitting.batch import RateByWidth
from fitting.batch.rate_parabola import Tried

HEIGHT = 400
BEYOND = 1.6  # an end without a bound is drawn so many times beyond the rates tried
APART = 1.05  # between marks of parametrisations at one width
HIGHEST = 1.5  # times the lowest loss: the top of the axis of losses
POINTS = 60
LEGEND = {
    "orientation": "h", "x": 0, "y": 1.0, "xanchor": "left", "yanchor": "bottom", "font": {"size": 12}, "itemclick": False,
    "itemdoubleclick": False,
}  # fmt: skip
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross")


def best(found: Sequence[RateByWidth]) -> go.Figure:
    """The best rate at each width with its interval, an arrow where an end is open, and each parametrisation's power law."""
    widths = np.unique(np.concatenate([one.widths for one in found]))
    tried = np.concatenate([t.rates for one in found for t in one.tried])
    out = theme.blank(HEIGHT)
    out.update_layout(showlegend=len(found) > 1, legend=LEGEND)
    low, high = (end(end(_ends(one)[k]) for one in found) for k, end in ((0, min), (1, max)))
    out.update_xaxes(**_width_axis(widths))
    out.update_yaxes(
        **_rate_axis(max(low, tried.min() / BEYOND), min(high, tried.max() * BEYOND), "Best learning rate")
    )
    for k, one in enumerate(found):
        _one(out, one, k, APART ** (k - (len(found) - 1) / 2))
    return out.figure()


def losses(one: RateByWidth, found: Sequence[RateByWidth]) -> go.Figure:
    """The mean loss at each rate tried, a colour a width, with the parabola and a star at its minimum; axes are those of all `found`.

    A loss far above the best, as of a run that diverged, is a hollow mark at the top.
    """
    every = [t for other in found for t in other.tried]
    rates, seen = (np.concatenate([getattr(t, name) for t in every]) for name in ("rates", "losses"))
    bottom = min(seen.min(), *(float(t.parabola(b)) for o in found for t, b in zip(o.tried, o.best, strict=True)))
    top = min(float(seen.max()), HIGHEST * bottom)
    out = theme.blank(HEIGHT)
    out.update_layout(showlegend=True, legend={**LEGEND, "title": {"text": "Width ", "font": {"size": 12}}})
    out.update_xaxes(**_rate_axis(rates.min(), rates.max(), "Learning rate"))
    ends = bottom * 0.99, top * 1.01
    values, texts = theme.log_ticks(*ends, "plain")
    out.update_yaxes(
        type="log", range=[float(np.log10(x)) for x in ends], tickmode="array", tickvals=values, ticktext=texts,
        title={"text": f"Loss, nats per token{' (hollow: higher)' if seen.max() > top else ''}"},
    )  # fmt: skip
    looks = _by_width(np.unique(np.concatenate([o.widths for o in found])))
    for width, lr, tried in zip(one.widths, one.best, one.tried, strict=True):
        _tried(out, tried, float(lr), f"{width:g}", looks[float(width)], top)
    return out.figure()


def _tried(out: Drawing, tried: Tried, lr: float, width: str, look: tuple[str, str], top: float) -> None:
    colour, symbol = look
    said = [
        f"width {width}<br>rate {r:.4g}<br>loss {v:.4g}, {plural(int(n), 'run')}"
        for r, v, n in zip(tried.rates, tried.losses, tried.runs, strict=True)
    ]
    out.add_scatter(
        x=tried.rates, y=np.minimum(tried.losses, top), mode="markers", name=width, text=said, hovertemplate="%{text}<extra></extra>",
        marker={
            "color": colour, "size": 8, "symbol": [f"{symbol}-open" if v > top else symbol for v in tried.losses],
            "line": {"width": 0.6, "color": theme.RIM},
        },
    )  # fmt: skip
    at = np.geomspace(*tried.span, POINTS)
    out.add_scatter(
        x=at, y=tried.parabola(at), mode="lines", line={"color": colour, "width": 2}, hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    out.add_scatter(
        x=[lr], y=[float(tried.parabola(lr))], mode="markers", showlegend=False,
        marker={"symbol": "star", "size": 14, "color": colour, "line": {"width": 1.2, "color": theme.RIM}},
        hovertemplate=f"<b>best rate of width {width}</b><br>{lr:.3g}<extra></extra>",
    )  # fmt: skip


def _one(out: Drawing, one: RateByWidth, k: int, shift: float) -> None:
    colour, symbol = theme.CATEGORICAL[k % len(theme.CATEGORICAL)], SYMBOLS[k % len(SYMBOLS)]
    name, band, (low, high) = theme.plain(one.called, 40), one.rates(), _ends(one)
    at = np.geomspace(one.widths[0], one.widths[-1], POINTS)
    out.add_scatter(
        x=at, y=one.line(at), mode="lines", line={"color": colour, "width": 1.6, "dash": "dash"}, hoverinfo="skip", showlegend=False,
        legendgroup=name,
    )  # fmt: skip
    x = one.widths * shift
    for i in range(len(x)):
        out.add_scatter(
            x=[x[i], x[i]], y=[low[i], high[i]], mode="lines", line={"color": colour, "width": 2}, hoverinfo="skip", showlegend=False,
        )  # fmt: skip
    for side, (ends, arrow) in enumerate(((low, "arrow-down"), (high, "arrow-up"))):
        if (open_ := one.open[:, side]).any():
            out.add_scatter(
                x=x[open_], y=ends[open_], mode="markers", hoverinfo="skip", showlegend=False, cliponaxis=False,
                marker={"symbol": arrow, "size": 11, "color": colour},
            )  # fmt: skip
    said = [
        f"{name}, width {w:g}<br>best rate {v:.3g}<br>{_worded(a, b)}"
        for w, v, a, b in zip(one.widths, band.value, band.low, band.high, strict=True)
    ]
    out.add_scatter(
        x=x, y=band.value, mode="markers", name=name, text=said, hovertemplate="%{text}<extra></extra>",
        marker={"color": colour, "size": 11, "symbol": symbol, "line": {"width": 1, "color": theme.RIM}},
    )  # fmt: skip


def _worded(low: float, high: float) -> str:
    """An interval, whose ends may be open."""
    if low <= 0 and np.isinf(high):
        return "not bounded by the rates tried"
    if low <= 0:
        return f"at most {high:.3g}"
    return f"at least {low:.3g}" if np.isinf(high) else f"{low:.3g} to {high:.3g}"


def _ends(one: RateByWidth) -> tuple[np.ndarray, np.ndarray]:
    """Where each interval is drawn from and to (m,): one that is open, beyond the rates tried at its width."""
    band = one.rates()
    low = [t.rates[0] / BEYOND if a <= 0 else a for t, a in zip(one.tried, band.low, strict=True)]
    high = [t.rates[-1] * BEYOND if np.isinf(b) else b for t, b in zip(one.tried, band.high, strict=True)]
    return np.array(low), np.array(high)


def _width_axis(widths: np.ndarray) -> dict[str, Any]:
    """A logarithmic axis with the widths themselves as ticks, so many as have room."""
    room = 0.08 * max(float(np.log10(widths[-1] / widths[0])), 0.5)
    ticks = [float(w) for w in widths[:: 1 + (len(widths) - 1) // 8]]
    return {
        "type": "log", "range": [float(np.log10(widths[0])) - room, float(np.log10(widths[-1])) + room], "tickmode": "array",
        "tickvals": ticks, "ticktext": [f"{w:g}" for w in ticks], "tickangle": 0, "title": {"text": "Width, d_model"},
    }  # fmt: skip


def _rate_axis(low: float, high: float, title: str) -> dict[str, Any]:
    """A logarithmic axis of rates, written as people do: 0.001, 0.002, or powers of ten where these are many."""
    axis = theme.log_axis(low, high, title, kind="plain")
    return {**axis, "ticktext": [f"{v:g}" for v in axis["tickvals"]], "tickangle": 0}


def _by_width(widths: np.ndarray) -> dict[float, tuple[str, str]]:
    """A colour of the sequential map and a mark for each of the widths (m,); the map's ends, which one of the grounds hides, are left
    out."""
    shown = theme.SEQUENTIAL[2:-2]
    places = np.linspace(0, len(shown) - 1, len(widths)).round().astype(int)
    return {
        float(w): (shown[i], SYMBOLS[k % len(SYMBOLS)]) for k, (w, i) in enumerate(zip(widths, places, strict=True))
    }
