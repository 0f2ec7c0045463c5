"""The front between steps and data on the Batch page: the curve is the law's, the points are the runs', the corner is what is least."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.charts import batch_front
from fitting.batch import critical_batch


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(0)
    batch = np.geomspace(16, 4096, 9)
    return {
        name: critical_batch(batch, s * (1 + b / batch) * np.exp(0.03 * rng.standard_normal(9)), resamples=300)
        for name, s, b in (("small", 1000.0, 200.0), ("large", 2000.0, 800.0))
    }


def traces(figure, mode):
    return [t for t in figure.data if t.mode == mode]


def test_every_point_of_a_curve_satisfies_the_identity_and_the_diamond_is_the_critical_batch(found):
    figure = batch_front.figure(found, "sequences", {n: n for n in found}, "large")
    curves = [t for t in traces(figure, "lines") if len(t.x) > 2]
    assert len(curves) == 2
    for f, curve in zip(found.values(), curves, strict=True):
        s, e = (np.array(v) for v in (curve.x, curve.y))
        identity = (s / f.s_min.value - 1) * (e / f.e_min.value - 1)
        assert identity == pytest.approx(np.ones_like(s), rel=1e-9)
        batch = e / s
        assert f.steps_at(batch).value == pytest.approx(s, rel=1e-9)
    diamonds = [t for t in traces(figure, "markers") if t.marker.symbol == "diamond"]
    for f, mark in zip(found.values(), diamonds, strict=True):
        assert mark.y[0] / mark.x[0] == pytest.approx(f.b_crit.value, rel=1e-9)


def test_runs_are_drawn_where_they_were_and_lie_in_sight(found):
    figure = batch_front.figure(found, "sequences", {n: n for n in found}, "large")
    (low_x, high_x), (low_y, high_y) = figure.layout.xaxis.range, figure.layout.yaxis.range
    points = [t for t in traces(figure, "markers") if t.marker.symbol != "diamond"]
    for f, mark in zip(found.values(), points, strict=True):
        assert list(mark.x) == pytest.approx(list(f.steps))
        assert list(mark.y) == pytest.approx(list(f.steps * f.batch))
        assert np.all((np.log10(mark.x) > low_x) & (np.log10(mark.x) < high_x))
        assert np.all((np.log10(mark.y) > low_y) & (np.log10(mark.y) < high_y))


def test_the_band_holds_the_curve_and_opens_where_some_draws_cannot_be_so_fast(found):
    f = found["large"]
    steps = f.s_min.value * np.array([0.9, 1.02, 2.0, 10.0])
    band = batch_front.data_at(f, steps)
    assert np.isinf(band.value[0])
    assert np.all(band.low[1:] <= band.value[1:])
    assert np.all(band.value[1:] <= band.high[1:])
    assert np.isinf(band.high[1]), "at 2 % over the fewest steps some draws have more than that as their fewest"
    assert band.high[3] / band.low[3] < 1.2


def test_what_the_ends_pay_is_said(found):
    f = found["large"]
    said = batch_front.sentence(f, "sequences", "large")
    assert said.startswith("Large: the largest batch tried, ")
    assert "4.1 k sequences" in said.replace("\u202f", " ") or "4.1k" in said.replace("\u202f", "")
    over = 1 + f.e_min.value / (f.s_min.value * 4096)
    assert f"{over:.2f}"[:3] in said


def test_a_name_is_text(found):
    figure = batch_front.figure({"<b>x</b>": found["large"]}, "tokens", {"<b>x</b>": "<b>x</b>"}, "<b>x</b>")
    assert not any("<b>x</b>" in str(t.name) or "<b>x</b>" in str(t.hovertemplate) for t in figure.data)
