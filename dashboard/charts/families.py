"""Families compared: how much compute each saves beside the reference at every budget, and the frontiers beneath."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard import numbers
from dashboard.charts import theme
from dashboard.charts.drawing import Drawing
from dashboard.charts.plane import positive
from data.schema import HELD_OUT, Runs
from fitting import Families
from fitting.band import Band
from fitting.families import labels

HEIGHT = 640
SPLIT = 0.40  # share of the height that the frontiers take
GAP = 0.07
FAINT = 0.17  # opacity of a band
MOST_TIMES = 100.0  # a multiplier beyond this, either way, is cut off
CROWD = 1.6
WILD = 4.0  # beyond the data the axis grows by this much at most: a law that runs away leaves the picture
ONE = 1.15  # the multiplier's axis holds at least this much to either side of 1


def figure(found: Families, runs: Runs) -> go.Figure:
    """Multipliers with bands above, best loss of each family with its runs beneath, on one axis of compute."""
    out = theme.blank(HEIGHT)
    at = found.budgets()
    low, high = found.data
    out.update_layout(
        showlegend=True,
        legend={
            "orientation": "h", "x": 0, "y": 1.0, "xanchor": "left", "yanchor": "bottom", "itemclick": False,
            "itemdoubleclick": False, "font": {"size": 12}, "traceorder": "normal",
        },
        xaxis={**theme.log_axis(at[0], at[-1], "Training compute, FLOP (shaded: no runs)", kind="flop", pad=0.0), "anchor": "y2"},
        yaxis={"domain": [SPLIT + GAP, 1.0], "title": {"text": "Compute saved, times"}, **_times(found, at)},
        yaxis2={
            "domain": [0.0, SPLIT], "title": {"text": "Loss, nats per token"}, "automargin": True, "showline": False, "ticks": "",
            "zeroline": False, "gridcolor": theme.GRID, "anchor": "x",
        },
    )  # fmt: skip
    _beyond(out, low, high, at)
    ends = _losses(found, runs, at, out)
    out.update_layout(yaxis2={"range": ends})
    _multipliers(found, at, out)
    _target(out, found.target)
    return out.figure()


def colours(found: Families) -> dict[str, str]:
    """Each family's colour, the same wherever it is drawn: the reference first."""
    return {name: theme.CATEGORICAL[k % len(theme.CATEGORICAL)] for k, name in enumerate(found.names)}


def _times(found: Families, at: np.ndarray) -> dict[str, Any]:
    """The axis of multipliers: wide enough for the best values drawn and for the bands as far as the target, not for wild ends."""
    asked = at <= max(found.data[1], found.target)
    inside = (at >= found.data[0]) & (at <= found.data[1])
    among, far = [ONE, 1 / ONE], [1.0]
    for name in found.others:
        band = found.multiplier(name, at)
        for values in (band.value, band.low, band.high):
            among += [float(x) for x in np.asarray(values)[inside] if np.isfinite(x) and x > 0]
        for values in (band.value, np.asarray(band.low)[asked], np.asarray(band.high)[asked]):
            far += [float(x) for x in np.asarray(values) if np.isfinite(x) and x > 0]
    low = max(min(min(among), max(min(far), min(among) / WILD)), 1 / MOST_TIMES)
    high = min(max(max(among), min(max(far), max(among) * WILD)), MOST_TIMES)
    bottom, top = theme.spread(low, high, 0.08, least=0.12)
    values, texts = _ticks(10**bottom, 10**top)
    return {
        "type": "log", "range": [bottom, top], "tickmode": "array", "tickvals": values, "ticktext": texts,
        "automargin": True, "showline": False, "ticks": "", "zeroline": False, "gridcolor": theme.GRID,
    }  # fmt: skip


def _ticks(low: float, high: float) -> theme.Ticks:
    """Multipliers that people say: 0.5x, 1x, 2x; closer ones where the axis is short."""
    width = math.log10(high / low)
    steps: tuple[float, ...] = (1, 3) if width > 2.2 else (1, 2, 5) if width > 0.7 else (1, 1.5, 2, 3, 4, 5, 6, 8)
    if width <= 0.35:
        steps = (1, 1.1, 1.2, 1.3, 1.4, 1.6, 1.8, 2, 5, 6, 7, 8, 9)
    values = [s * 10.0**p for p in range(-3, 4) for s in steps if low <= s * 10.0**p <= high]
    return values, [f"{value:.3g}x" for value in values]


def _multipliers(found: Families, at: np.ndarray, out: Drawing) -> None:
    colour = colours(found)
    out.add_scatter(
        x=[at[0] / 1e4, at[-1] * 1e4], y=[1, 1], mode="lines", line={"color": colour[found.reference], "width": 2, "dash": "dot"},
        hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    for name in found.others:
        band = found.multiplier(name, at)
        value, low, high = (np.clip(np.nan_to_num(x, nan=1.0, posinf=1e9), 1e-9, 1e9) for x in band)
        drawn = Band(value, low, high, band.level)
        if np.all(np.isfinite(band.low)) or np.any(np.isinf(band.high)):
            _ribbon(out, at, drawn, colour[name], "y")
        words = []
        for k, c in enumerate(at):
            times, interval = numbers.with_interval(band.value[k], band.low[k], band.high[k], "ratio")
            words.append(
                f"<b>{theme.plain(name, 40)}</b>: {times}x ({interval})<br>the compute that {theme.plain(found.reference, 40)} needs"
                f"<br>for its loss at {numbers.flop(c)} FLOP"
            )
        out.add_scatter(
            x=at, y=drawn.value, mode="lines", name=theme.plain(name, 40), line={"color": colour[name], "width": 3}, text=words,
            hovertemplate="%{text}<extra></extra>", showlegend=False,
        )  # fmt: skip
        crossing = found.crossing(name)
        if crossing.kind != "never" and at[0] <= crossing.flops.value <= at[-1]:
            _crossing(out, crossing.flops, colour[name], at)


def _crossing(out: Drawing, flops: Band, colour: str, at: np.ndarray) -> None:
    """A diamond where a family crosses the reference, with its interval as a whisker along the line of 1."""
    ends = np.clip([flops.low, flops.high], at[0] / 10, at[-1] * 10)
    if np.all(np.isfinite(ends)):
        out.add_scatter(
            x=ends, y=[1, 1], mode="lines", line={"color": colour, "width": 5}, opacity=0.55, hoverinfo="skip", showlegend=False,
        )  # fmt: skip
    value, interval = numbers.with_interval(flops.value, flops.low, flops.high, "flop")
    out.add_scatter(
        x=[flops.value], y=[1], mode="markers", showlegend=False, text=[f"cross at {value} FLOP ({interval})"],
        marker={"symbol": "diamond", "size": 13, "color": colour, "line": {"width": 1.5, "color": "white"}},
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip


def _held_out(found: Families, runs: Runs, out: Drawing) -> None:
    """The runs held out on the lower axis, open diamonds in the colour of their family."""
    if found.column not in runs.held_out:
        return
    rows = runs.held_out[labels(runs.held_out[found.column]).isin(found.names).to_numpy()]
    rows = rows[positive(rows["flops"])] if "flops" in rows else rows.iloc[:0]
    if len(rows):
        colour, named = colours(found), labels(rows[found.column])
        out.add_scatter(
            x=rows["flops"], y=rows["loss"], yaxis="y2", mode="markers", name=HELD_OUT,
            marker={"size": 9, "symbol": "diamond-open", "color": [colour[n] for n in named], "line": {"width": 2}},
            text=[f"<b>{theme.plain(r)}</b><br>held out, loss {numbers.loss(y)}" for r, y in zip(rows["run"], rows["loss"], strict=True)],
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip


def _losses(found: Families, runs: Runs, at: np.ndarray, out: Drawing) -> list[float]:
    """Frontiers and runs on the lower axis, and the ends of that axis."""
    colour, named = colours(found), labels(runs.kept[found.column])
    held: list[float] = []
    for name in found.names:
        rows = runs.kept[(named == name) & runs.kept["run"].isin(found.family(name).runs)]
        rows, said = _with_flops(rows, found, name), theme.plain(name, 40)
        held += list(rows["loss"].astype(float))
        out.add_scatter(
            x=rows["flops"], y=rows["loss"], yaxis="y2", mode="markers", showlegend=False,
            marker={"size": 5, "color": colour[name], "opacity": 0.45},
            text=[f"<b>{theme.plain(r)}</b><br>{said}, loss {numbers.loss(y)}" for r, y in zip(rows["run"], rows["loss"], strict=True)],
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    _held_out(found, runs, out)
    tips = []
    for name in found.names:
        band, said = found.loss(name, at), theme.plain(name, 40)
        if np.all(np.isfinite(band.low)):
            _ribbon(out, at, band, colour[name], "y2")
        tips.append(float(band.value[-1]))
        out.add_scatter(
            x=at, y=band.value, yaxis="y2", mode="lines",
            name=said + (" (reference)" if name == found.reference else ""),
            line={"color": colour[name], "width": 2.4},
            text=[f"{said}: best loss {numbers.loss(y)} at {numbers.flop(c)} FLOP" for c, y in zip(at, band.value, strict=True)],
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    shown = [y for y in held if y <= CROWD * np.quantile(held, 0.9)]
    low, high = min(*tips, *shown), max(shown)
    pad = 0.06 * (high - low)
    return [max(low - pad, 0.0), high + pad]


def _with_flops(rows: pd.DataFrame, found: Families, name: str) -> pd.DataFrame:
    if "flops" in rows and rows["flops"].notna().all():
        return rows
    counted = found.family(name).accounting.flops(rows["params"].astype(float), rows["tokens"].astype(float))
    return rows.assign(flops=counted)


def _ribbon(out: Drawing, x: np.ndarray, band: Band, colour: str, axis: str) -> None:
    r, g, b = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    quiet: dict[str, Any] = {
        "mode": "lines",
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
        "yaxis": axis,
    }
    out.add_scatter(x=x, y=band.low, **quiet)
    out.add_scatter(x=x, y=band.high, fill="tonexty", fillcolor=f"rgba({r},{g},{b},{FAINT})", **quiet)


def _beyond(out: Drawing, low: float, high: float, at: np.ndarray) -> None:
    """Shading over what lies past the smallest and the largest run; the axis says what it means."""
    for ends in ((at[0] / 1e4, low), (high, at[-1] * 1e4)):
        out.add_shape(
            type="rect", xref="x", yref="paper", x0=ends[0], x1=ends[1], y0=0, y1=1, fillcolor="rgba(128,140,160,0.09)",
            line={"width": 0}, layer="below",
        )  # fmt: skip


def _target(out: Drawing, target: float) -> None:
    out.add_shape(
        type="line", xref="x", yref="paper", x0=target, x1=target, y0=0, y1=1, line={"color": theme.ACCENT, "width": 2},
    )  # fmt: skip
    out.add_annotation(
        xref="x", yref="paper", x=math.log10(target), y=SPLIT + GAP / 2, text=f"{numbers.flop(target)} FLOP", showarrow=False,
        xanchor="right", yanchor="middle", xshift=-5, font={"size": 12, "color": theme.ACCENT},
    )  # fmt: skip
