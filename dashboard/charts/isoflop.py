"""IsoFLOP profiles, loss against size at each budget with its lowest point, and what three approaches say is best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dashboard import numbers
from dashboard.charts import marks, theme
from dashboard.charts.drawing import Drawing
from dashboard.charts.loss_compute import LEGEND
from fitting import Band, Fit, FitError, plan
from fitting.isoflop import Comparison, Profile, drawn

HEIGHT = 430
NODES = 41
FAR = 2.0  # runs over this many times as far above their budget's lowest as nine tenths are stand at the edge, as triangles
STEEP = 4.0  # losses over more than this factor are drawn on a logarithmic axis
APPROACHES = {  # colour, its band, dash: told apart without colour too
    "1": (theme.CATEGORICAL[2], "rgba(0, 158, 115, 0.16)", "dot"),
    "2": (theme.CATEGORICAL[1], "rgba(230, 159, 0, 0.18)", "dash"),
    "3": (theme.LAW, "rgba(79, 127, 192, 0.20)", "solid"),
}


def profiles(found: Comparison) -> go.Figure:
    """Loss against size, one curve a budget in the budget's colour; a lowest point that is not used is hollow."""
    out = theme.blank(HEIGHT)
    shown = found.shown
    ends = (shown[0].flops, shown[-1].flops)
    ends = ends if ends[1] > ends[0] else (ends[0] / 2, ends[0] * 2)
    losses = np.concatenate([p.level_loss for p in shown])
    sizes = np.concatenate([p.level_params for p in shown])
    out.update_layout(showlegend=True, legend=LEGEND, margin={"r": 8})
    out.update_xaxes(**theme.log_axis(float(sizes.min()), float(sizes.max()), "Parameters"))
    top = _top(shown)
    steep = top / losses.min() > STEEP
    room = (top / losses.min()) ** 0.05 if steep else 1.0 + 0.05 * (top / losses.min() - 1.0)
    span = [losses.min() / room, top * room]
    out.update_yaxes(
        title={"text": "Loss, nats per token"},
        type="log" if steep else "linear",
        range=np.log10(span) if steep else span,
    )
    for p in shown:
        _curve(out, p, marks.colour(p.flops, ends), found, top)
    spans = found.found.minima(found.level).to_dict("records") if found.found is not None else [{}] * len(shown)
    for used in (True, False):
        some = [(p, s) for p, s in zip(shown, spans, strict=True) if p.used is used and math.isfinite(p.params)]
        if some:
            _lowest(out, [p for p, _ in some], [s for _, s in some], used, found.level)
    values, texts = theme.log_ticks(*ends, kind="flop")
    bar = theme.colourbar("FLOP", (list(np.log(values)), texts)) if len(values) > 1 else theme.colourbar("FLOP", (
        list(np.log(ends)), [numbers.flop(c) for c in ends]))  # fmt: skip
    low, high = np.log(ends)
    out.add_scatter(  # a mark nobody sees carries the colour bar
        x=[None], y=[None], mode="markers", showlegend=False, hoverinfo="skip",
        marker={"color": [low], "cmin": low, "cmax": high, "colorscale": theme.scale(), "colorbar": bar, "showscale": True},
    )  # fmt: skip
    return out.figure()


def _top(shown: Sequence[Profile]) -> float:
    """The highest loss drawn in its place: all of them, but for runs far above what their budget reaches."""
    lowest = [p.level_loss.min() for p in shown]
    above = np.concatenate([p.level_loss / low for p, low in zip(shown, lowest, strict=True)])
    usual = FAR * (np.quantile(above, 0.9) - 1.0)
    return float(
        max(np.max(p.level_loss[p.level_loss / low - 1.0 <= usual]) for p, low in zip(shown, lowest, strict=True))
    )


def _curve(out: Drawing, p: Profile, colour: str, found: Comparison, top: float) -> None:
    """One budget's runs and the curve through them, on a casing that keeps yellow readable on white."""
    quiet = {"mode": "lines", "hoverinfo": "skip", "showlegend": False}
    if found.settings is not None:
        x, y = drawn(p, found.settings)
        x, y = x[y <= top], y[y <= top]
        out.add_scatter(x=x, y=y, line={"color": theme.RIM, "width": 3}, **quiet)
        out.add_scatter(x=x, y=y, line={"color": colour, "width": 1.6, "dash": "solid" if p.used else "dot"}, **quiet)
    words = [
        f"<b>{theme.plain(run)}</b><br>{numbers.count(n)} parameters, {numbers.count(d)} tokens<br>"
        f"loss {numbers.loss(y)}, {numbers.flop(c)} FLOP"
        for run, n, d, y, c in zip(p.runs, p.run_params, p.run_tokens, p.run_loss, p.run_flops, strict=True)
    ]
    out.add_scatter(
        x=p.level_params, y=np.minimum(p.level_loss, top), mode="markers", showlegend=False, text=words,
        hovertemplate="%{text}<extra></extra>", cliponaxis=False,
        marker={
            "color": colour, "size": 6, "line": {"width": 1, "color": theme.RIM},
            "symbol": np.where(p.level_loss > top, "triangle-up", "circle"),
        },
    )  # fmt: skip


def _lowest(out: Drawing, shown: list[Profile], spans: list[dict[str, float]], used: bool, level: float) -> None:
    """The lowest points of the curves, with the interval of their size where they are used."""
    x = np.array([p.params for p in shown])
    low, high = (np.array([s.get(k, math.nan) for s in spans]) for k in ("params_low", "params_high"))
    words = []
    for p, a, b in zip(shown, low, high, strict=True):
        value, interval = numbers.with_interval(p.params, a, b, "count")
        size = f"<b>{value}</b> parameters" + (f" ({interval})" if used else "")
        words.append(f"{numbers.flop(p.flops)} FLOP: {size}<br>{p.flag or f'loss {numbers.loss(p.loss)}'}")
    if used and np.isfinite(low).all():
        for p, a, b in zip(shown, low, high, strict=True):
            out.add_scatter(
                x=[a, b], y=[p.loss, p.loss], mode="lines", hoverinfo="skip", showlegend=False,
                line={"color": theme.CATEGORICAL[1], "width": 2.4},
            )  # fmt: skip
    name = f"lowest point, {100 * level:g} % interval" if used else "flagged and not used"
    out.add_scatter(
        x=x, y=[p.loss for p in shown], mode="markers", name=name, text=words, hovertemplate="%{text}<extra></extra>",
        marker=_diamond(used, 11),
    )  # fmt: skip


def _diamond(used: bool, size: int) -> dict[str, Any]:
    if used:
        return {
            "symbol": "diamond",
            "size": size,
            "color": theme.CATEGORICAL[1],
            "line": {"width": 1.2, "color": theme.RIM},
        }
    return {
        "symbol": "diamond-open",
        "size": size,
        "color": theme.HOLLOW,
        "line": {"width": 1.8, "color": theme.HOLLOW},
    }


def frontier(found: Comparison, fit: Fit) -> go.Figure:
    """The best size against compute by each approach that can say, with its band, and the lowest points of the budgets."""
    out = theme.blank(HEIGHT)
    out.update_layout(showlegend=True, legend=LEGEND, margin={"r": 12})
    low, largest = fit.ranges["flops"]
    right = max(10 * largest, 1.6 * found.flops)
    at = np.geomspace(low, right, NODES)
    bands = _bands(found, fit, at)
    tops = [b.value for b in bands.values()] + [np.array([p.params for p in found.shown if p.used])]
    seen = np.concatenate([t[np.isfinite(t)] for t in tops])
    out.update_xaxes(**theme.log_axis(low, right, "Training compute, FLOP", kind="flop", pad=0.02))
    out.update_yaxes(**theme.log_axis(float(seen.min()) / 1.5, float(seen.max()) * 1.5, "Best size, parameters"))
    _beyond(out, largest, right)
    for key, b in bands.items():
        fill = APPROACHES[key][1]
        if np.isfinite(b.low).all():
            quiet = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
            out.add_scatter(x=at, y=b.low, **quiet)
            out.add_scatter(x=at, y=b.high, fill="tonexty", fillcolor=fill, **quiet)
    for key, b in bands.items():
        colour, _, dash = APPROACHES[key]
        words = []
        for c, best, least, most in zip(at, b.value, b.low, b.high, strict=True):
            value, interval = numbers.with_interval(best, least, most, "count")
            words.append(f"Approach {key}: <b>{value}</b> parameters ({interval})<br>for {numbers.flop(c)} FLOP")
        title = next(r.title for r in found.rows if r.key == key)
        out.add_scatter(
            x=at, y=b.value, mode="lines", name=theme.plain(title), line={"color": colour, "width": 2.6, "dash": dash},
            text=words, hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    for used in (True, False):
        some = [p for p in found.shown if p.used is used and math.isfinite(p.params)]
        out.add_scatter(
            x=[p.flops for p in some], y=[p.params for p in some], mode="markers", showlegend=False,
            text=[f"{numbers.flop(p.flops)} FLOP: {numbers.count(p.params)} parameters<br>{p.flag}" for p in some],
            hovertemplate="%{text}<extra></extra>", marker=_diamond(used, 9),
        )  # fmt: skip
    out.add_shape(
        type="line", yref="y domain", x0=found.flops, x1=found.flops, y0=0, y1=1, xref="x", line={"color": theme.ACCENT, "width": 2},
    )  # fmt: skip
    return out.figure()


def _bands(found: Comparison, fit: Fit, at: np.ndarray) -> dict[str, Band]:
    """The best size along compute by approach, for those that have one."""
    bands = {}
    if found.curve is not None:
        bands["1"] = found.curve.params_law.at(at, found.level)
    if found.found is not None:
        bands["2"] = found.found.params(at, found.level)
    try:
        best = plan(fit, flops=at, level=found.level).params
    except FitError:
        best = None
    return bands if best is None else {**bands, "3": best}


def _beyond(out: Drawing, largest: float, right: float) -> None:
    """Hatching over what lies past the largest run."""
    out.add_scatter(
        x=[largest, right * 1e4, right * 1e4, largest], y=[1e-3, 1e-3, 1e24, 1e24], mode="lines", fill="toself",
        fillcolor="rgba(0,0,0,0)", line={"width": 0}, hoverinfo="skip", showlegend=False,
        fillpattern={"shape": "/", "size": 7, "solidity": 0.12, "fgcolor": theme.GUIDE, "bgcolor": "rgba(0,0,0,0)"},
    )  # fmt: skip
    out.add_annotation(
        xref="x", yref="paper", x=math.log10(largest), y=0, text="largest run", showarrow=False,
        xanchor="right", yanchor="bottom", xshift=-5, yshift=4, font={"size": 11},
    )  # fmt: skip
