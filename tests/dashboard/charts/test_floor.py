"""The picture of the floor's profile: the curve, its limit, the band of the constants, the exponents on an axis below."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dashboard.charts.floor import figure
from data.library import load
from fitting import fit
from fitting.diagnostics.floor_profile import floor_profile


def test_what_is_drawn_is_the_profile():
    runs = load("simulated-ladder")
    f = fit(runs, "chinchilla", resamples=100)
    p = floor_profile(f, runs)
    drawn = figure(p, f)
    curve, point, *exponents = drawn.data
    assert np.array_equal(curve.x, p.floors)
    assert np.array_equal(curve.y, p.rise)
    assert list(point.x) == [f.params["E"]]
    assert [np.array_equal(t.y, p.exponents[k]) for t, k in zip(exponents, p.exponents, strict=True)] == [True, True]
    assert all(t.yaxis == "y2" for t in exponents)
    band = next(s for s in drawn.layout.shapes if s.type == "rect")
    low, high = f.interval("E").low, f.interval("E").high
    assert (band.x0, band.x1) == (max(low, p.floors[0]), min(high, p.floors[-1]))
    line = next(s for s in drawn.layout.shapes if s.type == "line")
    assert line.y0 == p.limit
    assert {a.text for a in drawn.layout.annotations} == {"95 %", "<i>α</i>", "<i>β</i>"}


def test_without_exponents_or_draws_there_is_still_a_curve():
    runs = load("simulated-ladder")
    f = fit(runs, "chinchilla", resamples=0)
    drawn = figure(replace(floor_profile(f, runs), exponents={}), f)
    assert len(drawn.data) == 2
    assert drawn.layout.xaxis.anchor == "y"
    assert not any(s.type == "rect" for s in drawn.layout.shapes)
