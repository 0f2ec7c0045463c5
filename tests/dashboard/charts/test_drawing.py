"""A figure written down first and checked at the end is the one that Plotly makes step by step."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from dashboard.charts.drawing import Drawing

SHARED = {"orientation": "h", "font": {"size": 12}}


def draw(out: Drawing | go.Figure) -> None:
    """Every step that the charts take, with the kinds of values that they hand over."""
    out.update_layout(height=300, legend=SHARED, margin={"l": 8, "r": 8}, showlegend=False)
    out.update_xaxes(title={"standoff": 12}, ticks="", range=[0, 1])
    out.update_yaxes(title={"standoff": 8}, type="log")
    out.update_xaxes(title={"text": "Steps"}, range=(1.0, np.float64(2.0)))
    out.update_layout(margin={"r": 20}, legend={"x": 0}, yaxis2={"domain": [0.0, 0.4]}, xaxis={"anchor": "y2"})
    out.update_yaxes(showgrid=False)
    out.add_scatter(
        x=np.array([1.0, 2.0]), y=pd.Series([3, 4]), mode="lines", line={"width": 0}, legendrank=None, text=["a", "b"]
    )
    out.add_scatter(
        x=[1, None], y=[2, 3], marker={"symbol": np.array(["circle", "square"]), "color": [1.0, 2.0]}, error_y=None
    )
    out.add_annotation(text="<b>note</b>", x=0, y=1, xref="paper", showarrow=False, font={"size": 11})
    out.add_shape(type="line", x0=0, x1=1, y0=0, y1=0, line={"width": 1})
    out.add_annotation(text="another", x=1, y=1)


def test_it_is_the_figure_that_plotly_makes_step_by_step():
    ours, theirs = Drawing(), go.Figure()
    draw(ours)
    draw(theirs)
    assert json.loads(ours.figure().to_json()) == json.loads(theirs.to_json())
    assert [type(trace) for trace in ours.figure().data] == [go.Scatter, go.Scatter]
    assert SHARED == {"orientation": "h", "font": {"size": 12}}, "what several figures are given is changed by none"
    empty = Drawing()
    empty.add_scatter(type="scattergl", x=[1], y=[1])
    assert json.loads(empty.figure().to_json()) == json.loads(go.Figure(go.Scattergl(x=[1], y=[1])).to_json())


def test_what_is_none_of_plotlys_is_refused():
    for wrong in ({"mood": "lines"}, {"mode": "wavy"}, {"line": {"width": -1}}):
        out = Drawing()
        out.add_scatter(x=[1], y=[1], **wrong)
        with pytest.raises(ValueError, match="Invalid"):
            out.figure()
