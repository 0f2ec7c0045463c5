"""Loss over learning rate and batch in one cell of a grid, and the gradient noise scale along training."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from dashboard import numbers
from dashboard.charts import theme
from fitting.band import Band
from fitting.batch.rates import Cell

SQUARE = 14  # px: batches a factor of 1.4 apart stay apart on a phone
WORST = 5.0  # per cent above the best at which the colours end


def figure(cell: Cell, marks: Mapping[str, tuple[float, float]]) -> go.Figure:
    """How far above the cell's best each run ends, near-optimal runs ringed; `marks` names rules with their rate and batch."""
    out = theme.blank(460)
    over = 100.0 * (cell.loss / cell.loss.min() - 1.0)
    ends = [v for pair in marks.values() for v in pair]
    rates = [cell.lr.min(), cell.lr.max(), *ends[::2]]
    batches = [cell.batch.min(), cell.batch.max(), *ends[1::2]]
    out.update_xaxes(**theme.log_axis(min(batches), max(batches), "Batch, tokens per step"))
    out.update_yaxes(**theme.log_axis(min(rates), max(rates), "Learning rate", kind="flop"))
    out.update_layout(
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.0, "xanchor": "left", "yanchor": "bottom", "font": {"size": 12}},
    )
    out.add_scatter(
        x=cell.batch, y=cell.lr, mode="markers", showlegend=False,
        marker={
            "symbol": "square", "size": SQUARE, "color": np.minimum(over, WORST), "cmin": 0, "cmax": WORST,
            "colorscale": theme.scale(), "colorbar": theme.colourbar("% over best"),
        },
        text=[f"rate {r:.4g}<br>batch {numbers.count(b)}<br>loss {v:.4g}, {o:.2f} % over the best"
              for r, b, v, o in zip(cell.lr, cell.batch, cell.loss, over, strict=True)],
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    out.add_scatter(
        x=cell.batch[cell.near], y=cell.lr[cell.near], mode="markers", name="within 0.25 %", hoverinfo="skip",
        marker={"symbol": "square-open", "size": SQUARE + 5, "color": theme.CATEGORICAL[5], "line": {"width": 2.5}},
    )  # fmt: skip
    for k, (name, (rate, batch)) in enumerate(marks.items()):
        out.add_scatter(
            x=[batch], y=[rate], mode="markers", name=theme.plain(name),
            marker={"symbol": ("diamond", "cross", "x")[k % 3], "size": 14, "color": theme.CATEGORICAL[1 + k % 6],
                    "line": {"width": 1.5, "color": "white"}},
            hovertemplate=f"<b>{theme.plain(name)}</b><br>rate {rate:.4g}<br>batch {numbers.count(batch)}<extra></extra>",
        )  # fmt: skip
    return out.figure()


def along(stretches: list[tuple[float, float, Band]], measured: Mapping[str, Band]) -> go.Figure:
    """The noise scale over stretches of the steps, and beside it critical batches measured (by loss), in sequences."""
    out = theme.blank(380)
    bands = [b for _, _, b in stretches] + list(measured.values())
    values = [float(v) for b in bands for v in (b.low, b.value, b.high) if np.isfinite(v) and v > 0]
    low, high = min(values), max(values)
    first, last = stretches[0][0], stretches[-1][1]
    out.update_xaxes(title={"text": "Step"}, range=[first, last * 1.02])
    out.update_yaxes(**theme.log_axis(low, high, "Sequences"))
    out.update_layout(
        showlegend=True, legend={"orientation": "h", "x": 0, "y": 1.0, "xanchor": "left", "yanchor": "bottom"}
    )
    for k, (begin, end, band) in enumerate(stretches):
        top = band.high if np.isfinite(band.high) else 3 * high
        bottom = max(band.low, low / 3)
        out.add_scatter(
            x=[begin, end, end, begin], y=[bottom, bottom, top, top], fill="toself", mode="none", fillcolor=theme.BAND,
            hoverinfo="skip", showlegend=False,
        )  # fmt: skip
        out.add_scatter(
            x=[begin, end], y=[band.value] * 2, mode="lines", name="gradient noise scale", showlegend=k == 0,
            line={"color": theme.LAW, "width": 3},
            hovertemplate=f"steps {begin:,.0f} to {end:,.0f}<br>{band.value:.3g} ({band.low:.3g} to {band.high:.3g})<extra></extra>",
        )  # fmt: skip
    for k, (name, band) in enumerate(measured.items()):
        out.add_scatter(
            x=[first, last], y=[band.value] * 2, mode="lines", name=theme.plain(name),
            line={"color": theme.CATEGORICAL[k + 1], "width": 2, "dash": "dash"},
            hovertemplate=f"{theme.plain(name)}<br>{band.value:.3g} ({band.low:.3g} to {band.high:.3g})<extra></extra>",
        )  # fmt: skip
    return out.figure()
