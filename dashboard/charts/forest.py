"""Each parameter's interval beside every paper's constants: do these runs say what others found?"""

from __future__ import annotations

import math

import plotly.graph_objects as go

from dashboard import numbers, parameters
from dashboard.charts import theme
from dashboard.charts.drawing import Drawing
from dashboard.symbols import symbol
from fitting import Fit
from fitting.band import LEVEL
from fitting.law import Param

ROW, HEAD, FOOT = 32, 26, 26  # px of a line, of the symbol above and of the axis below
SYMBOLS = ("diamond", "square", "triangle-up", "x", "star")
WIDE = 100  # a parameter whose values span more than this factor is drawn on a logarithmic axis


def drawn(fit: Fit) -> list[Param]:
    """The parameters worth a picture: exponents and floors. Coefficients change with every unit and are left to the table."""
    law = fit.law
    return [p for i, p in enumerate(law.params) if i in law.shapes or p.is_floor]


def figure(fit: Fit, name: str, level: float = LEVEL) -> go.Figure:
    """One parameter: the interval of these runs on top, below it each paper's constant, with its error where it gives one."""
    law, band = fit.law, fit.interval(name, level)
    papers = law.published
    rows = len(papers) + 1
    out = theme.blank(ROW * rows + HEAD + FOOT)
    out.update_layout(margin={"t": HEAD, "l": 4, "r": 14, "b": FOOT}, dragmode=False)
    out.add_annotation(
        xref="paper", yref="paper", x=0, y=1, text=_title(law.param(name)), showarrow=False, xanchor="left",
        yanchor="bottom", yshift=3, font={"size": 13},
    )  # fmt: skip
    labels = ["these runs", *(pub.paper for pub in papers)]
    out.update_yaxes(
        tickmode="array", tickvals=list(range(rows)), ticktext=labels, range=[rows - 0.4, -0.6], showgrid=False, fixedrange=True,
    )  # fmt: skip
    errors = [1.96 * pub.errors.get(name, 0.0) for pub in papers]
    ends = [pub.values[name] + sign * e for pub, e in zip(papers, errors, strict=True) for sign in (-1, 1)]
    values = [v for v in (*band, *ends) if math.isfinite(v)]
    out.update_xaxes(**_axis(values), fixedrange=True)
    if math.isfinite(band.low) and math.isfinite(band.high):
        out.add_shape(
            type="rect", yref="paper", y0=0, y1=1, x0=band.low, x1=band.high, fillcolor=theme.BAND_WIDE, line={"width": 0}, layer="below",
        )  # fmt: skip
    value, interval = parameters.said(fit, name, "ratio", level)
    _mark(out, 0, band.value, (band.low, band.high), theme.LAW, "circle", f"these runs: <b>{value}</b> ({interval})")
    for i, (pub, error) in enumerate(zip(papers, errors, strict=True)):
        reach = (pub.values[name] - error, pub.values[name] + error) if error else None
        said = f"{theme.plain(pub.paper)}: <b>{pub.values[name]:.5g}</b>"
        if reach:
            said += f" ({numbers.interval(*reach, 'ratio')})"
        if pub.note:
            said += f"<br>{theme.plain(pub.note, 200)}"
        colour = theme.CATEGORICAL[(i + 1) % len(theme.CATEGORICAL)]
        _mark(out, i + 1, pub.values[name], reach, colour, SYMBOLS[i % len(SYMBOLS)], said)
    return out.figure()


def _mark(
    out: Drawing, row: int, value: float, ends: tuple[float, float] | None, colour: str, symbol: str, said: str
) -> None:
    if ends and all(map(math.isfinite, ends)):
        out.add_scatter(
            x=list(ends), y=[row, row], mode="lines", line={"color": colour, "width": 3}, hoverinfo="skip",
        )  # fmt: skip
    out.add_scatter(
        x=[value],
        y=[row],
        mode="markers",
        marker={"size": 11, "color": colour, "symbol": symbol, "line": {"width": 1, "color": theme.RIM}},
        text=[said],
        hovertemplate="%{text}<extra></extra>",
        cliponaxis=False,
    )


def _title(p: Param) -> str:
    return symbol(p) + (f", {p.unit}" if p.unit else "")


def _axis(values: list[float]) -> dict[str, object]:
    low, high = min(values), max(values)
    if low > 0 and high / low > WIDE:
        return theme.log_axis(low, high, "", kind="plain")
    room = 0.12 * (high - low or abs(high) or 1.0)
    return {"range": [low - room, high + room], "nticks": 5}
