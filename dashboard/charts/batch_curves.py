"""Whole runs: curves as measured, the law through them, and the curve of a run not yet made with its band."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from dashboard import numbers
from dashboard.charts import theme
from fitting.batch import TrajectoryFit

POINTS = 90
DEEPEST = 0.85  # of the lowest loss measured: how far down the axis goes after a floor


def figure(fit: TrajectoryFit, params: float, batch: float, steps: float) -> go.Figure:
    """Loss against steps: runs of the size nearest to `params` by batch, and the curve asked about up to `steps` in front."""
    data, law = fit.curves, fit.law
    nearest = data.sizes[np.argmin(np.abs(np.log(data.sizes / params)))]
    at = np.geomspace(data.step.min() / 2, max(steps, data.step.max()) * 1.5, POINTS)
    band = law.curve(params, batch, at)
    floor = law.floor(params)
    out = theme.blank(460)
    lowest = max(min(floor.value, float(band.value.min())), DEEPEST * float(data.loss.min()))
    out.update_xaxes(**theme.log_axis(at[0], at[-1], "Steps", pad=0.0))
    out.update_yaxes(
        **theme.log_axis(lowest, float(data.loss.max()), "Loss, nats per token", kind="plain")
        | _between(lowest, data.loss.max())
    )
    out.update_layout(
        showlegend=True,
        legend={
            "orientation": "h", "x": 0, "y": 1.0, "xanchor": "left", "yanchor": "bottom", "itemclick": False, "itemdoubleclick": False,
            "font": {"size": 12}, "traceorder": "normal", "title": {"text": "Batch ", "font": {"size": 12}},
        },
    )  # fmt: skip
    out.add_scatter(
        x=np.concatenate([at, at[::-1]]), y=np.concatenate([band.high, band.low[::-1]]), fill="toself", mode="none",
        fillcolor=theme.BAND, hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    shown = data.params == nearest
    for k, b in enumerate(np.unique(data.batch[shown])):
        colour = theme.CATEGORICAL[k % len(theme.CATEGORICAL)]
        for r in np.unique(data.run[shown & (data.batch == b)]):
            rows = data.run == r
            out.add_scatter(
                x=data.step[rows], y=data.loss[rows], mode="markers", showlegend=bool(r == data.run[shown & (data.batch == b)][0]),
                name=f"{numbers.count(b)}", marker={"color": colour, "size": 6, "line": {"width": 0.6, "color": theme.RIM}},
                text=[f"<b>{theme.plain(data.names[int(r)], 40)}</b><br>batch {numbers.count(b)}<br>{numbers.count(s)} steps, loss {v:.4g}"
                      for s, v in zip(data.step[rows], data.loss[rows], strict=True)],
                hovertemplate="%{text}<extra></extra>",
            )  # fmt: skip
        reach = at[
            (at >= data.step[shown & (data.batch == b)].min()) & (at <= data.step[shown & (data.batch == b)].max())
        ]
        out.add_scatter(
            x=reach, y=law.curve(nearest, b, reach).value, mode="lines", line={"color": colour, "width": 1.2}, hoverinfo="skip",
            showlegend=False,
        )  # fmt: skip
    out.add_scatter(
        x=at, y=band.value, mode="lines", name="asked", line={"color": theme.LAW, "width": 3.2},
        hovertemplate="%{x:,.0f} steps: loss %{y:.4g}<extra></extra>",
    )  # fmt: skip
    out.add_scatter(
        x=[at[0], at[-1]], y=[floor.value] * 2, mode="lines", name="floor", hoverinfo="skip",
        line={"color": theme.GUIDE, "width": 1.5, "dash": "dot"},
    )  # fmt: skip
    return out.figure()


def _between(low: float, high: float) -> dict[str, object]:
    """A loss axis that is no wider than its losses."""
    ends = np.log10(low) - 0.01, np.log10(high) + 0.01
    values, texts = theme.log_ticks(10 ** ends[0], 10 ** ends[1], "plain")
    return {"range": list(ends), "tickvals": values, "ticktext": texts}
