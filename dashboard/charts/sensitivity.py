"""Every choice behind a fit as one row: where it puts the decision, beside the interval of the fit as it was made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from dashboard import numbers
from dashboard.charts import theme
from dashboard.charts.drawing import Drawing
from fitting import Band
from fitting.diagnostics.sensitivity import Choice, Sensitivity

ROW, HEAD, FOOT = 22, 30, 54  # px of a row, of what stands above the first and of the axis
INSET = 0.02  # how far inside the axis a mark of something beyond it stands, as a share of the axis
OUTSIDE = theme.CATEGORICAL[5]
QUANTITIES = {"params": "Best size, parameters", "loss": "Loss there, nats per token"}


def figure(s: Sensitivity, of: str) -> go.Figure:
    """Dots at the best size (`of="params"`) or the loss (`of="loss"`) under every choice; the band is the fit's interval.

    Filled circles lie inside the band, diamonds outside; hollow marks are choices that the runs speak against. Marks
    beyond the axis stand at its edge as triangles.
    """
    base = s.loss if of == "loss" else s.params
    assert base is not None
    rows = _rows(s.choices)
    out = theme.blank(ROW * (len(rows) + 1) + HEAD + FOOT)
    out.update_layout(margin={"t": HEAD, "l": 4, "r": 16, "b": FOOT}, dragmode=False)
    low, high = _range(base, s.choices, of)
    room = 0.06 * (high - low)
    ends = (low - room, high + room)
    axis: dict[str, Any] = {"range": list(ends), "nticks": 4, "title": {"text": QUANTITIES[of]}}
    if of == "params":
        axis = theme.log_axis(low, high, QUANTITIES[of])
        ends = (10 ** axis["range"][0], 10 ** axis["range"][1])
    out.update_xaxes(**axis, fixedrange=True)
    labels = [
        "<b>as fitted</b>",
        *(f"<b>{theme.plain(r)}</b>" if isinstance(r, str) else theme.plain(r.label, 26) for r in rows),
    ]
    out.update_yaxes(
        tickmode="array", tickvals=list(range(len(labels))), ticktext=labels, range=[len(labels) - 0.4, -0.7],
        showgrid=False, fixedrange=True,
    )  # fmt: skip
    if math.isfinite(base.low) and math.isfinite(base.high):
        out.add_shape(
            type="rect", yref="paper", y0=0, y1=1, x0=max(base.low, ends[0]), x1=min(base.high, ends[1]),
            fillcolor=theme.BAND_WIDE, line={"width": 0}, layer="below",
        )  # fmt: skip
    out.add_shape(
        type="line", yref="paper", y0=0, y1=1, x0=base.value, x1=base.value, line={"width": 1, "color": theme.GUIDE}, layer="below",
    )  # fmt: skip
    _whisker(out, 0, (base.low, base.high), ends)
    _mark(
        out,
        0,
        base.value,
        ends,
        theme.LAW,
        "circle",
        f"as fitted: <b>{_said(base.value, of)}</b>{_between(base.low, base.high, of)}",
    )
    for row, c in enumerate(rows, 1):
        if isinstance(c, str):
            continue
        value, reach = (c.loss, c.loss_interval) if of == "loss" else (c.params, c.params_interval)
        if value is None or not math.isfinite(value):
            continue
        inside = not math.isfinite(base.low) or base.low <= value <= base.high
        symbol = ("circle" if inside else "diamond") + ("-open" if c.ruled_out else "")
        said = f"{theme.plain(c.label)}: <b>{_said(value, of)}</b>"
        if reach:
            _whisker(out, row, reach, ends)
            said += _between(*reach, of)
        _mark(out, row, value, ends, theme.LAW if inside else OUTSIDE, symbol, said)
    return out.figure()


def _rows(choices: Sequence[Choice]) -> list[str | Choice]:
    """The choices under the name of their kind, in the order they came."""
    rows: list[str | Choice] = []
    for i, c in enumerate(choices):
        if i == 0 or choices[i - 1].kind != c.kind:
            rows.append(c.kind)
        rows.append(c)
    return rows


def _range(base: Band, choices: Sequence[Choice], of: str) -> tuple[float, float]:
    """The ends of the axis: the interval and every choice that is not ruled out, at most ten intervals wide."""
    values = [base.value, base.low, base.high]
    for c in choices:
        if not c.ruled_out:
            values += (
                [c.loss, *(c.loss_interval or ())] if of == "loss" else [c.params or 0.0, *(c.params_interval or ())]
            )
    values = [v for v in values if math.isfinite(v) and (of == "loss" or v > 0)]
    low, high = min(values), max(values)
    if of == "params":
        return max(low, base.value / 1e4), min(max(high, low * 1.5), base.value * 1e4)
    return low, max(high, low * 1.001)


def _mark(out: Drawing, row: int, value: float, ends: Sequence[float], colour: str, symbol: str, said: str) -> None:
    if not ends[0] <= value <= ends[1]:
        symbol = ("triangle-left" if value < ends[0] else "triangle-right") + (
            "-open" if symbol.endswith("open") else ""
        )
        # A little inside, so that it hides neither behind a label nor behind the axis.
        if symbol.startswith("triangle-left"):
            value = ends[0] * (ends[1] / ends[0]) ** INSET
        else:
            value = ends[1] * (ends[0] / ends[1]) ** INSET
    out.add_scatter(
        x=[value],
        y=[row],
        mode="markers",
        marker={
            "size": 10,
            "color": colour,
            "symbol": symbol,
            "line": {"width": 1.5 if "open" in symbol else 1, "color": colour},
        },
        text=[said],
        hovertemplate="%{text}<extra></extra>",
        cliponaxis=False,
    )


def _whisker(out: Drawing, row: int, reach: tuple[float, float], ends: Sequence[float]) -> None:
    if all(map(math.isfinite, reach)):
        x = [min(max(v, ends[0]), ends[1]) for v in reach]
        out.add_scatter(x=x, y=[row, row], mode="lines", line={"color": theme.LAW, "width": 3}, hoverinfo="skip")


def _said(value: float, of: str) -> str:
    return numbers.say(value, "count") if of == "params" else numbers.loss(value)


def _between(low: float, high: float, of: str) -> str:
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f" ({_said(low, of)} to {_said(high, of)})"
