"""The floor's profile as a picture: what it costs to hold the floor elsewhere, and below it where the exponents go."""

from __future__ import annotations

import math

import plotly.graph_objects as go

from dashboard import numbers
from dashboard.charts import theme
from dashboard.charts.drawing import Drawing
from dashboard.symbols import symbol
from fitting import Band, Fit
from fitting.diagnostics.floor_profile import FloorProfile

HEIGHT = 380
COLOURS = (theme.CATEGORICAL[4], theme.CATEGORICAL[1], theme.CATEGORICAL[2])
DASHES = ("solid", "dash", "dot")
HIGHEST = 3.0  # the axis ends at so many times the limit: what lies above is ruled out anyhow


def figure(found: FloorProfile, fit: Fit) -> go.Figure:
    """The rise of twice the log likelihood over the floor held, its limit as a line, and the exponents below.

    The band is the floor's interval from refits, as in the table of constants.
    """
    out = theme.blank(HEIGHT)
    shown = bool(found.exponents)
    out.update_layout(margin={"t": 12, "r": 26}, dragmode=False)
    first, last = float(found.floors[0]), float(found.floors[-1])
    out.update_xaxes(
        range=[first, last], nticks=6, fixedrange=True, anchor="y2" if shown else "y",
        title={"text": f"{symbol(fit.law.param(found.name))} fixed at, nats per token"},
    )  # fmt: skip
    out.update_yaxes(
        domain=[0.42, 1.0] if shown else [0.0, 1.0], range=[-0.15 * found.limit, HIGHEST * found.limit], nticks=5, fixedrange=True,
        title={"text": "Likelihood ratio"},
    )  # fmt: skip
    _interval(out, fit.interval(found.name, found.level), first, last)
    out.add_shape(
        type="line", xref="paper", x0=0, x1=1, y0=found.limit, y1=found.limit, line={"width": 1, "color": theme.GUIDE, "dash": "dash"},
    )  # fmt: skip
    out.add_annotation(
        xref="paper", x=0.5, y=found.limit, text=f"{100 * found.level:.0f} %", showarrow=False, yanchor="bottom", opacity=theme.QUIET,
    )  # fmt: skip
    out.add_scatter(
        x=found.floors, y=found.rise, mode="lines", line={"color": theme.LAW, "width": 3}, text=_said(found, fit),
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    out.add_scatter(
        x=[found.value], y=[0.0], mode="markers", hoverinfo="skip", cliponaxis=False,
        marker={"size": 11, "color": theme.LAW, "line": {"width": 1, "color": theme.RIM}},
    )  # fmt: skip
    if shown:
        _exponents(out, found, fit)
    return out.figure()


def _interval(out: Drawing, band: Band, first: float, last: float) -> None:
    if math.isfinite(band.low) and math.isfinite(band.high) and band.low < last and band.high > first:
        out.add_shape(
            type="rect", yref="paper", y0=0, y1=1, x0=max(band.low, first), x1=min(band.high, last), fillcolor=theme.BAND_WIDE,
            line={"width": 0}, layer="below",
        )  # fmt: skip


def _exponents(out: Drawing, found: FloorProfile, fit: Fit) -> None:
    out.update_layout(
        yaxis2={
            "domain": [0.0, 0.33], "anchor": "x", "automargin": True, "ticks": "", "zeroline": False, "gridcolor": theme.GRID, "nticks": 4,
            "fixedrange": True, "title": {"text": "Exponents", "standoff": 8},
        }
    )  # fmt: skip
    for i, (name, along) in enumerate(found.exponents.items()):
        out.add_scatter(
            x=found.floors, y=along, yaxis="y2", mode="lines", text=_said(found, fit), hovertemplate="%{text}<extra></extra>",
            line={"color": COLOURS[i % len(COLOURS)], "width": 2.5, "dash": DASHES[i % len(DASHES)]},
        )  # fmt: skip
        out.add_annotation(
            xref="paper", x=1.0, yref="y2", y=float(along[-1]), text=symbol(fit.law.param(name)), showarrow=False, xanchor="left", xshift=5,
        )  # fmt: skip


def _said(found: FloorProfile, fit: Fit) -> list[str]:
    floor = symbol(fit.law.param(found.name))
    lines = []
    for i, value in enumerate(found.floors):
        exponents = "".join(
            f"<br>{symbol(fit.law.param(name))} = {along[i]:.3g}" for name, along in found.exponents.items()
        )
        lines.append(f"{floor} fixed at <b>{numbers.loss(value)}</b>: {found.rise[i]:.2g}{exponents}")
    return lines
