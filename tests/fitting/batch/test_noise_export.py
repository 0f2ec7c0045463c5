"""The gradient noise scale taken away: the Python estimates the same from the same norms, tables add up to it."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest

from fitting.batch import noise_scale
from fitting.export.noise_scale import to_csv, to_json, to_latex, to_python


@pytest.fixture(scope="module")
def norms():
    rng = np.random.default_rng(0)
    step = 10.0 * np.arange(1, 401)
    scale = 3.0 + step / 200
    small, big = ((1.0 + scale / b) * np.exp(0.05 * rng.standard_normal(400)) for b in (4, 32))
    return step, small, big


def test_the_steps_said_are_those_logged(norms):
    step, small, big = norms
    found = noise_scale(small, big, 4, 32, step)
    body = json.loads(to_json(found))
    assert [(r["from_step"], r["to_step"]) for r in body["stretches"]] == [
        (10, 200),
        (210, 800),
        (810, 2000),
        (2010, 4000),
    ]
    assert body["stretches"][-1]["value"] == found.along()[-1][2].value
    assert "201" not in to_latex(found).split(r"\hline")[2].split("&")[0]
    assert "2010 to 4000 &" in to_latex(found)
    table = pd.read_csv(io.StringIO(to_csv(found)))
    assert table["step"].tolist() == step.tolist()
    for at, rows in table.groupby("stretch_ratio"):
        assert rows["noise"].mean() / rows["signal"].mean() == pytest.approx(at, rel=1e-9)


def test_python_runs_alone_and_estimates_the_same(norms):
    _, small, big = norms
    found = noise_scale(small, big, 4, 32)
    outside: dict = {}
    exec(to_python(found), outside)  # our own text, which is what is tested
    first, end, band = found.along()[-1]
    again = outside["noise_scale"](small[first:end].tolist(), big[first:end].tolist(), 4, 32)
    assert again == pytest.approx(band.value, rel=1e-9)
    assert outside["MEASURED"][-1] == (first + 1, end, band.value, band.low, band.high)


def test_an_open_end_can_be_read_back():
    found = noise_scale(np.ones(40), 1 / 8 + 0.1 * (-1.0) ** np.arange(40), 4, 32)
    assert np.isinf(found.along()[0][2].high)
    outside: dict = {}
    exec(to_python(found), outside)
    assert np.isinf(outside["MEASURED"][0][4])
    assert r"\infty" in to_latex(found)
    assert json.loads(to_json(found))["stretches"][0]["high"] == "inf"


def test_a_few_steps_are_one_stretch():
    found = noise_scale(np.linspace(2, 3, 9), np.linspace(1, 1.5, 9), 4, 32)
    assert [(a, b) for a, b, _ in found.along()] == [(0, 9)]
    assert found.along()[0][2].value == found.ratio().value
