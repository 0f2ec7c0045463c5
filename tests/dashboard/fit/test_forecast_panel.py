"""The forecast test on the page, as a picture and from the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from dashboard.charts import forecast as chart
from dashboard.cli import group
from dashboard.fit.tabs import backtest as panel
from data import read_runs
from data.library import load
from fitting import backtest, fit

LADDER = Path(__file__).resolve().parents[3] / "data" / "published" / "simulated_ladder.csv"


@pytest.fixture(scope="module")
def ladder_test():
    runs = load("simulated-ladder")
    return backtest(fit(runs, resamples=50), runs, resamples=100)


def test_every_run_foretold_is_drawn_once(ladder_test):
    """Filled where the loss lay in its interval, hollow where not; distance and miss are the test's own."""
    out = chart.figure(ladder_test)
    marks = [t for t in out.data if t.mode == "markers"]
    assert len(marks) == len(ladder_test.cuts)
    for t, c in zip(marks, ladder_test.cuts, strict=True):
        assert np.allclose(t.x, c.beyond)
        assert np.allclose(t.y, 100 * (c.actual / c.forecast.value - 1))
        assert sum(not s.endswith("-open") for s in t.marker.symbol) == c.covered
    low, high = out.layout.xaxis.range
    assert 10**low < 1.5
    assert 10**high > max(c.beyond.max() for c in ladder_test.cuts)


def test_names_are_plain_text_in_the_picture(ladder_test):
    from dataclasses import replace

    cut = ladder_test.cuts[0]
    named = replace(cut, runs=("<b>bold</b>", *cut.runs[1:]))
    out = chart.figure(replace(ladder_test, cuts=(named,)))
    said = next(t for t in out.data if t.mode == "markers").text[0]
    assert "&lt;b&gt;bold" in said


def test_from_the_terminal():
    done = CliRunner().invoke(group, ["backtest", str(LADDER), "--json", "-"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["sentence"].startswith("With the largest runs left out")
    assert sum(c["asked"] for c in said["cuts"]) == sum(len(c["actual"]) for c in said["cuts"])
    runs = read_runs(LADDER)
    left = str(runs.kept["run"].iloc[0])
    options = ["--exclude", left, "--delta", "0.001", "--prior", "none", "--seed", "3"]
    chosen = json.loads(CliRunner().invoke(group, ["backtest", str(LADDER), *options, "--json", "-"]).stdout)
    f = fit(runs, exclude=[left], delta=0.001, prior="none", seed=3)
    assert [c["low"] for c in chosen["cuts"]] == [pytest.approx(list(c.forecast.low)) for c in backtest(f, runs).cuts]
    refused = CliRunner().invoke(group, ["backtest", str(LADDER), "--law", "nope"])
    assert refused.exit_code == 2


def test_no_forecast_is_shown_under_a_floor_that_is_known(ladder_test):
    lowest = min(float(np.min(c.forecast.low)) for c in ladder_test.cuts)
    assert panel.above(ladder_test, None) is ladder_test
    assert panel.above(ladder_test, 0.9 * lowest) is ladder_test
    floor = 1.02 * lowest
    cut = panel.above(ladder_test, floor)
    for one, other in zip(cut.cuts, ladder_test.cuts, strict=True):
        assert np.array_equal(one.forecast.low, np.maximum(other.forecast.low, floor))
        assert np.array_equal(one.forecast.value, other.forecast.value)
