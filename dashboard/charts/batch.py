"""Steps and data against batch size with the fitted hyperbola, and how the critical batch grows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

import numpy as np
import plotly.graph_objects as go

from dashboard import numbers
from dashboard.charts import theme
from dashboard.charts.drawing import Drawing
from fitting.band import Band
from fitting.batch import AlongLoss, CriticalBatch, Growth

HEIGHT = 620
SPLIT, GAP = 0.46, 0.06
FAINT = 0.16
POINTS = 120
REACH = 4.0  # the curves go so many times beyond the batches tried
LEGEND = {
    "orientation": "h", "x": 0, "y": 1.0, "xanchor": "left", "yanchor": "bottom", "itemclick": False,
    "itemdoubleclick": False, "font": {"size": 12}, "traceorder": "normal",
}  # fmt: skip


def colours(names: Mapping[str, object]) -> dict[str, str]:
    """Each group's colour, the same wherever it is drawn."""
    return {name: theme.CATEGORICAL[k % len(theme.CATEGORICAL)] for k, name in enumerate(names)}


def figure(found: Mapping[str, CriticalBatch], unit: str, words: Mapping[str, str]) -> go.Figure:
    """Steps above and data beneath, one axis of batch sizes; a diamond where each batch is critical. `words` names the groups."""
    low = min(f.batch.min() for f in found.values()) / REACH
    high = max(f.batch.max() for f in found.values()) * REACH
    out = theme.blank(HEIGHT)
    steps = np.concatenate([f.steps for f in found.values()])
    data = np.concatenate([f.steps * f.batch for f in found.values()])
    shape = {"automargin": True, "showline": False, "ticks": "", "zeroline": False, "gridcolor": theme.GRID}
    out.update_layout(
        showlegend=len(found) > 1,
        legend=LEGEND,
        xaxis={**theme.log_axis(low, high, f"Batch, {unit} per step", pad=0.0), "anchor": "y2"},
        yaxis={"domain": [SPLIT + GAP, 1.0], **theme.log_axis(steps.min() / 2, steps.max() * 2, "Steps to the loss"), **shape},
        yaxis2={
            "domain": [0.0, SPLIT], **theme.log_axis(data.min() / 1.5, data.max() * 1.5, f"{unit.capitalize()} to the loss"), **shape,
            "anchor": "x",
        },
    )  # fmt: skip
    for name, colour in colours(found).items():
        _group(out, found[name], (float(low), float(high)), colour, theme.plain(words[name], 40), unit)
    return out.figure()


def hover(f: CriticalBatch, name: str, unit: str) -> list[str]:
    """What stands at each of a group's measured batches when it is pointed at."""
    return [
        f"<b>{name}</b><br>batch {numbers.count(b)} {unit}<br>{numbers.count(s)} steps, {numbers.count(b * s)} {unit}"
        for b, s in zip(f.batch, f.steps, strict=True)
    ]


@lru_cache(maxsize=64)
def _curves(f: CriticalBatch, low: float, high: float) -> tuple[np.ndarray, Band, Band]:
    """Batches between two, with steps and data there. Kept, as the fit is: a page draws it anew with every press."""
    at = np.geomspace(low, high, POINTS)
    return at, f.steps_at(at), f.examples_at(at)


def _group(out: Drawing, f: CriticalBatch, ends: tuple[float, float], colour: str, name: str, unit: str) -> None:
    at, steps, data = _curves(f, *ends)
    for axis, band, y in (("y", steps, f.steps), ("y2", data, f.steps * f.batch)):
        out.add_scatter(
            x=np.concatenate([at, at[::-1]]), y=np.concatenate([band.high, band.low[::-1]]), yaxis=axis, fill="toself",
            mode="none", fillcolor=colour, opacity=FAINT, hoverinfo="skip", showlegend=False,
        )  # fmt: skip
        out.add_scatter(
            x=at,
            y=band.value,
            yaxis=axis,
            mode="lines",
            line={"color": colour, "width": 2.4},
            hoverinfo="skip",
            showlegend=False,
        )
        out.add_scatter(
            x=f.batch, y=y, yaxis=axis, mode="markers", name=name, showlegend=axis == "y", text=hover(f, name, unit),
            hovertemplate="%{text}<extra></extra>", marker={"color": colour, "size": 9, "line": {"width": 1, "color": theme.RIM}},
        )  # fmt: skip
        value, low, high = f.b_crit
        if value > 0 and np.isfinite(value):
            where = (f.steps_at(value) if axis == "y" else f.examples_at(value)).value
            reach = {
                "type": "data",
                "symmetric": False,
                "array": [min(high, at[-1]) - value],
                "arrayminus": [value - max(low, at[0])],
            }
            out.add_scatter(
                x=[value],
                y=[where],
                yaxis=axis,
                mode="markers",
                showlegend=False,
                error_x={**reach, "color": colour, "thickness": 1.6, "width": 5},
                marker={"symbol": "diamond", "color": colour, "size": 13, "line": {"width": 1.5, "color": "white"}},
                hovertemplate=f"<b>{name}</b><br>critical batch {numbers.count(value)} {unit}"
                "<br>twice the fewest steps, twice the least data<extra></extra>",
            )
    s = f.s_min.value
    if s > 0:
        out.add_scatter(
            x=[at[0], at[-1]], y=[s, s], yaxis="y", mode="lines", line={"color": colour, "width": 1, "dash": "dot"}, hoverinfo="skip",
            showlegend=False,
        )  # fmt: skip


def growing(
    law: Growth | AlongLoss,
    found: Mapping[str, CriticalBatch],
    places: Mapping[str, float],
    along: str,
    unit: str,
    papers: Mapping[str, Callable[[np.ndarray], np.ndarray]] = MappingProxyType({}),
    overhead: Mapping[str, float] = MappingProxyType({}),
) -> go.Figure:
    """Critical batches with their intervals against model size or loss, and the power law through them with its band.

    `papers` are published laws of the same unit, dashed: name to function of size or loss. `overhead` are the batches by the
    definition that those use, hollow: group to batch.
    """
    x = np.array([places[name] for name in found])
    out = theme.blank(300)
    room = 1.5 if along == "params" else (x.max() / x.min()) ** 0.4
    at = np.geomspace(x.min() / room, x.max() * room, 60)
    band = law.at(at)
    bands = [f.b_crit for f in found.values()]
    lowest, highest = min(b.low for b in bands), max(b.high if np.isfinite(b.high) else b.value for b in bands)
    lowest = min([lowest, *overhead.values()])
    title = "Parameters" if along == "params" else "Loss, nats per token"
    values, texts = theme.log_ticks(at[0], at[-1], "count" if along == "params" else "plain")
    ends = [float(np.log10(at[0])), float(np.log10(at[-1]))]
    out.update_xaxes(
        type="log", range=ends, tickmode="array", tickvals=values[:: 1 + len(values) // 6], ticktext=texts[:: 1 + len(values) // 6],
        tickangle=0, title={"text": title},
    )  # fmt: skip
    out.update_yaxes(**theme.log_axis(max(lowest, 1e-9), highest, f"Critical batch, {unit}", pad=0.12))
    if along == "params" or isinstance(
        law, AlongLoss
    ):  # points off the same curves move together, and scatter would make the band too narrow
        out.add_scatter(
            x=np.concatenate([at, at[::-1]]), y=np.concatenate([band.high, band.low[::-1]]), fill="toself", mode="none",
            fillcolor=theme.BAND, hoverinfo="skip", showlegend=False,
        )  # fmt: skip
    out.add_scatter(
        x=at, y=band.value, mode="lines", line={"color": theme.LAW, "width": 2.4}, hoverinfo="skip", showlegend=False
    )
    for k, (name, theirs) in enumerate(papers.items()):
        y = theirs(at)
        out.add_scatter(
            x=at, y=y, mode="lines", name=theme.plain(name, 80), showlegend=True,
            hovertemplate=f"{theme.plain(name, 80)}<br>%{{y:,.3g}}<extra></extra>",
            line={"color": theme.GUIDE, "width": 2, "dash": ("dash", "dot")[k % 2]},
        )  # fmt: skip
        lowest, highest = min(lowest, float(y.min())), max(highest, float(y.max()))
    if papers:
        out.update_yaxes(**theme.log_axis(max(lowest, 1e-9), highest, f"Critical batch, {unit}", pad=0.12))
        out.update_layout(
            showlegend=True, legend={"orientation": "h", "x": 0, "y": 1.0, "xanchor": "left", "yanchor": "bottom"}
        )
    for name, colour in colours(found).items():
        b = found[name].b_crit
        high = b.high if np.isfinite(b.high) else 10 * highest
        out.add_scatter(
            x=[places[name]], y=[b.value], mode="markers", marker={"symbol": "diamond", "color": colour, "size": 12}, showlegend=False,
            error_y={"type": "data", "symmetric": False, "array": [high - b.value], "arrayminus": [b.value - b.low], "color": colour},
            hovertemplate=f"<b>{theme.plain(name, 40)}</b><br>{numbers.count(b.value)} {unit}<extra></extra>",
        )  # fmt: skip
        if name in overhead:
            out.add_scatter(
                x=[places[name]], y=[overhead[name]], mode="markers", showlegend=False,
                marker={"symbol": "diamond-open", "color": colour, "size": 11, "line": {"width": 2}},
                hovertemplate=f"<b>{theme.plain(name, 40)}</b><br>{numbers.count(overhead[name])} {unit}, by overhead<extra></extra>",
            )  # fmt: skip
    return out.figure()
