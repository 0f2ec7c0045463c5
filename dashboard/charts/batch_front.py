"""The front between steps and data at one loss: what going faster costs, (S / S_min - 1) (E / E_min - 1) = 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dashboard import numbers
from dashboard.charts import theme
from dashboard.charts.batch import FAINT, LEGEND, POINTS, colours, hover
from dashboard.charts.drawing import Drawing
from fitting.band import Band
from fitting.batch import CriticalBatch

HEIGHT = 420
ROOM = 1.4  # the axes go so far beyond what was run and what is least


def figure(found: Mapping[str, CriticalBatch], unit: str, words: Mapping[str, str], leading: str) -> go.Figure:
    """Data against steps, a curve a group with its band; a diamond where the batch is critical, and what is least of `leading`.

    Every group has a finite critical batch. A band is the data's at the steps beside it.
    """
    least = [(f.s_min.value, f.e_min.value) for f in found.values()]
    low_s, low_e = (min(pair[k] for pair in least) / ROOM for k in (0, 1))
    high_s = max(max(f.steps.max(), 3.0 * f.s_min.value) for f in found.values()) * ROOM
    high_e = max(max((f.batch * f.steps).max(), 3.0 * f.e_min.value) for f in found.values()) * ROOM
    out = theme.blank(HEIGHT)
    out.update_layout(showlegend=len(found) > 1, legend=LEGEND)
    out.update_xaxes(**theme.log_axis(low_s, high_s, "Steps to the loss", pad=0.0))
    out.update_yaxes(**theme.log_axis(low_e, high_e, f"{unit.capitalize()} to the loss", pad=0.0))
    for name, colour in colours(found).items():
        _group(out, found[name], (low_s, high_s, high_e), colour, theme.plain(words[name], 40), unit)
    f = found[leading]
    corner = {"mode": "lines", "line": {"color": theme.GUIDE, "width": 1.4, "dash": "dot"}, "showlegend": False}
    for x, y, said in (
        ([f.s_min.value] * 2, [low_e, high_e], f"fewest steps, {numbers.count(f.s_min.value)}"),
        ([low_s, high_s], [f.e_min.value] * 2, f"least data, {numbers.count(f.e_min.value)} {unit}"),
    ):
        out.add_scatter(x=x, y=y, hovertemplate=f"{said}<extra></extra>", **corner)
    return out.figure()


def _group(out: Drawing, f: CriticalBatch, ends: tuple[float, float, float], colour: str, name: str, unit: str) -> None:
    low, high, top = ends
    s_min, e_min = f.s_min.value, f.e_min.value
    # From the steps at which the data leave the chart to its other side, close together where the curve bends.
    first = max(low, s_min * (1.0 + 1.0 / max(top / e_min - 1.0, 1e-3)))
    steps, band = _curve(f, float(first), float(high))
    upper = np.minimum(np.where(np.isfinite(band.high), band.high, np.inf), 10.0 * top)
    out.add_scatter(
        x=np.concatenate([steps, steps[::-1]]), y=np.concatenate([upper, band.low[::-1]]), fill="toself", mode="none",
        fillcolor=colour, opacity=FAINT, hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    out.add_scatter(
        x=steps, y=band.value, mode="lines", line={"color": colour, "width": 2.4}, hoverinfo="skip", showlegend=False
    )
    out.add_scatter(
        x=f.steps, y=f.batch * f.steps, mode="markers", name=name, text=hover(f, name, unit), hovertemplate="%{text}<extra></extra>",
        marker={"color": colour, "size": 9, "line": {"width": 1, "color": theme.RIM}},
    )  # fmt: skip
    out.add_scatter(
        x=[2.0 * s_min], y=[2.0 * e_min], mode="markers", showlegend=False,
        marker={"symbol": "diamond", "color": colour, "size": 13, "line": {"width": 1.5, "color": "white"}},
        hovertemplate=f"<b>{name}</b><br>critical batch {numbers.count(f.b_crit.value)} {unit}"
        "<br>twice the fewest steps, twice the least data<extra></extra>",
    )  # fmt: skip


@lru_cache(maxsize=64)
def _curve(f: CriticalBatch, first: float, last: float) -> tuple[np.ndarray, Band]:
    """Steps from one number to another with the data there. Kept, as the fit is: a page draws it anew with every press."""
    s_min = f.s_min.value
    steps = s_min + np.geomspace(first - s_min, last - s_min, POINTS)
    return steps, data_at(f, steps)


def data_at(f: CriticalBatch, steps: np.ndarray) -> Band:
    """What a run of so many steps (K,) takes of data, with its band; infinite where the loss cannot be reached in so few."""
    return f.band(lambda s, e: np.where(steps > s, e * steps / np.maximum(steps - s, 1e-300), np.inf))


def sentence(f: CriticalBatch, unit: str, of: str) -> str:
    """What the smallest and the largest batch tried pay over what is least, for the group called `of`."""

    def times(quantity: Callable[[Any, Any], Any]) -> str:
        band = f.band(quantity)
        value, within = numbers.with_interval(band.value, band.low, band.high, "ratio")
        return f"{value} times ({within})"

    def pays(batch: float) -> tuple[str, str]:
        return times(lambda s, e: 1.0 + e / (s * batch)), times(lambda s, e: 1.0 + batch * s / e)

    small, large = float(f.batch.min()), float(f.batch.max())
    fewest, most = pays(large), pays(small)
    return (
        f"{of[:1].upper()}{of[1:]}: the largest batch tried, {numbers.count(large)} {unit}, takes {fewest[0]} the fewest steps and "
        f"{fewest[1]} the least data; the smallest, {numbers.count(small)}, {most[0]} and {most[1]}. The diamond is the critical batch."
    )
