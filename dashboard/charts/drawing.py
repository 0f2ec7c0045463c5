"""A figure while it is drawn: what it is made of is written down, and Plotly checks it once, when it is done.

Plotly's own figure checks everything anew at each step, which takes ten times as long as the one check at the end.
The names are Plotly's, for the steps that the charts take.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go


class Drawing:
    """Traces and a layout as plain values; `figure` makes them a figure of Plotly's, and raises where one of them is none of its."""

    def __init__(self, **layout: Any) -> None:
        self.data: list[dict[str, Any]] = []
        self.layout: dict[str, Any] = {"xaxis": {}, "yaxis": {}, "annotations": [], "shapes": []}
        self.update_layout(**layout)

    def update_layout(self, **changed: Any) -> None:
        """Set properties of the layout; of one that has parts, those given."""
        _set(self.layout, changed)

    def update_xaxes(self, **changed: Any) -> None:
        """Set properties of every horizontal axis there is."""
        self._axes("xaxis", changed)

    def update_yaxes(self, **changed: Any) -> None:
        """Set properties of every vertical axis there is."""
        self._axes("yaxis", changed)

    def _axes(self, kind: str, changed: Mapping[str, Any]) -> None:
        for name, axis in self.layout.items():
            if name.startswith(kind):
                _set(axis, changed)

    def add_scatter(self, **trace: Any) -> None:
        """Points or lines; of the type "scattergl" where the browser shall draw them on its graphics card."""
        self.data.append({"type": "scatter", **trace})

    def add_shape(self, **shape: Any) -> None:
        """A line or an area of the layout."""
        self.layout["shapes"].append(shape)

    def add_annotation(self, **note: Any) -> None:
        """A text of the layout."""
        self.layout["annotations"].append(note)

    def figure(self) -> go.Figure:
        """The figure, checked."""
        return go.Figure(
            {"data": self.data, "layout": {name: part for name, part in self.layout.items() if part != []}}
        )


def _set(into: dict[str, Any], changed: Mapping[str, Any]) -> None:
    """Put values in place; parts are put into what is there, and into a copy, for several figures may be given the same."""
    for name, value in changed.items():
        if isinstance(value, Mapping):
            held = into.get(name)
            into[name] = dict(held) if isinstance(held, dict) else {}
            _set(into[name], value)
        else:
            into[name] = value
