"""The gradient noise scale beside the critical batch, both against the loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from dashboard import numbers
from dashboard.charts import theme
from dashboard.charts.drawing import Drawing
from fitting.band import Band

HEIGHT = 420
REACH = 3.0  # an interval without an end is drawn so many times beyond the values known
LEGEND = {"orientation": "h", "x": 0, "y": 1.0, "xanchor": "left", "yanchor": "bottom", "font": {"size": 12}}


def figure(losses: np.ndarray, bands: Mapping[str, Band], unit: str) -> go.Figure:
    """Bands (m,) of batches at m losses by name, the critical batch first; each a line with marks in its interval."""
    ends = np.concatenate([np.asarray(end, float) for b in bands.values() for end in (b.value, b.low, b.high)])
    known = ends[np.isfinite(ends) & (ends > 0)]
    low, high = float(known.min()) / REACH**0.5, float(known.max()) * REACH**0.5
    out = theme.blank(HEIGHT)
    room = (losses.max() / losses.min()) ** 0.06 if len(losses) > 1 else 1.05
    span = float(losses.min() / room), float(losses.max() * room)
    values, texts = theme.log_ticks(*span, "plain")
    step = 1 + len(values) // 7
    out.update_xaxes(
        type="log", range=[float(np.log10(x)) for x in span], tickmode="array", tickvals=values[::step], ticktext=texts[::step],
        tickangle=0, title={"text": "Loss, nats per token"},
    )  # fmt: skip
    out.update_yaxes(**theme.log_axis(low, high, f"Batch, {unit}", pad=0.0))
    out.update_layout(showlegend=True, legend=LEGEND)
    for k, (name, band) in enumerate(bands.items()):
        colour = theme.LAW if k == 0 else theme.CATEGORICAL[k % len(theme.CATEGORICAL)]
        _band(out, losses, band, (low, high), colour, theme.plain(name, 60), unit, k)
    return out.figure()


def worded(value: float, low: float, high: float, unit: str = "") -> str:
    """A batch with its interval: `1.2 k tokens (0.9–1.6 k)`; one without an upper end is at least so much."""
    ending = f" {unit}" if unit else ""
    if np.isfinite(high) and np.isfinite(value):
        number, within = numbers.with_interval(value, low, high, "count")
        return f"{number}{ending} ({within})"
    return f"at least {numbers.count(low)}{ending}" if low > 0 else "not told"


def _band(
    out: Drawing, losses: np.ndarray, band: Band, axis: tuple[float, float], colour: str, name: str, unit: str, k: int
) -> None:
    value, low, high = (np.asarray(end, float) for end in (band.value, band.low, band.high))
    there = ~np.isnan(value) & ((low > 0) | np.isfinite(high))
    if not there.any():
        return
    x, value, low, high = losses[there], value[there], low[there], high[there]
    said = [worded(*ends, unit) for ends in zip(value, low, high, strict=True)]
    top, bottom = np.minimum(high, axis[1]), np.maximum(low, axis[0])
    shown = np.clip(value, bottom, top)
    out.add_scatter(
        x=np.concatenate([x, x[::-1]]), y=np.concatenate([top, bottom[::-1]]), fill="toself", mode="none", fillcolor=colour,
        opacity=0.16, hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    out.add_scatter(
        x=x, y=shown, mode="lines+markers", name=name, text=said, line={"color": colour, "width": 2.4, "dash": _dash(k)},
        marker={"color": colour, "size": 9, "symbol": ("diamond", "circle", "square", "triangle-up", "cross")[k % 5]},
        error_y={
            "type": "data", "symmetric": False, "array": top - shown, "arrayminus": shown - bottom, "color": colour, "thickness": 1.2,
            "width": 4,
        },
        hovertemplate=f"<b>{name}</b><br>%{{text}}<br>at a loss of %{{x:.4g}}<extra></extra>",
    )  # fmt: skip


def _dash(k: int) -> str:
    dashes: Sequence[str] = ("solid", "dash", "dot", "dashdot", "longdash")
    return dashes[k % len(dashes)]
