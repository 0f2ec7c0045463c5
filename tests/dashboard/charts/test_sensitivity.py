"""The what-if picture: a row for every choice, the band of the fit, marks that say inside, outside and ruled out."""

from __future__ import annotations

import math

from dashboard.charts.sensitivity import figure
from fitting import Band
from fitting.diagnostics.sensitivity import Choice, Sensitivity

INF = math.inf
CHOICES = (
    Choice("Huber delta", "least squares", 2e9, 2.01),
    Choice("Runs left out", "without <b>x</b>", 5e9, 1.9),
    Choice("Fixed floor", "E fixed at 0, rejected", 9e13, 1.2, ruled_out=True),
    Choice("Resampled by", "model sizes", 1.5e9, 2.0, (1e9, 3e9), (1.95, 2.05)),
)


def drawn(params=(1.5e9, 1e9, 2.5e9)):
    return Sensitivity(1e22, Band(*params, 0.95), Band(2.0, 1.97, 2.03, 0.95), CHOICES, "A sentence.")


def marks(f):
    return [t for t in f.data if t.mode == "markers"]


def test_every_choice_has_a_row_under_its_kind():
    f = figure(drawn(), "params")
    labels = list(f.layout.yaxis.ticktext)
    assert len(labels) == 1 + len(CHOICES) + 4
    assert labels[0] == "<b>as fitted</b>"
    assert "<b>Fixed floor</b>" in labels
    assert not any("<b>x" in label for label in labels)
    assert len(marks(f)) == 1 + len(CHOICES)


def test_marks_say_inside_outside_ruled_out_and_off_the_axis():
    assert [t.marker.symbol for t in marks(figure(drawn(), "params"))] == [
        "circle", "circle", "diamond", "triangle-right-open", "circle",
    ]  # fmt: skip
    loss = [t.marker.symbol for t in marks(figure(drawn(), "loss"))]
    assert loss == ["circle", "circle", "diamond", "triangle-left-open", "circle"]


def test_the_band_is_the_interval_and_may_be_missing():
    rect = next(s for s in figure(drawn(), "params").layout.shapes if s.type == "rect")
    assert (rect.x0, rect.x1) == (1e9, 2.5e9)
    without = figure(drawn((1.5e9, math.nan, math.nan)), "params")
    assert not any(s.type == "rect" for s in without.layout.shapes)
    endless = figure(drawn((1.5e9, 1e9, INF)), "params")
    assert all(math.isfinite(v) for v in endless.layout.xaxis.range)
