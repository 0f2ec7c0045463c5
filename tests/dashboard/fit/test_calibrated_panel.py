"""Calibrated intervals on the Fit page: asked for by a button, kept, and refused in a sentence where there is no honest way."""

from __future__ import annotations

from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.fit import analyses as fit_analyses
from dashboard.fit.tabs import calibrated
from dashboard.workspace import store as workspace
from data.library import load
from fitting import fit
from fitting.diagnostics.calibration import calibrate, refusal

APP = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"


@pytest.fixture
def page(tmp_path, monkeypatch):
    """The Fit page with the Constants open, on the probe grid with these fit settings."""
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path))
    monkeypatch.setattr(fit_analyses, "TABLES", 40)
    monkeypatch.setattr(fit_analyses, "REFITS", 40)

    def open_page(**settings):
        space = workspace.new()
        source = "bundled:probe-isoflop"
        workspace.change(space, "settings", {"source": source, f"fit:{source}": settings})
        at = AppTest.from_file(str(APP), default_timeout=60)
        at.query_params["w"] = space.id
        at.query_params["tab"] = "Constants"
        at.switch_page("views/fit.py")
        return at.run()

    return open_page


def html(at) -> str:
    return unescape(" ".join(e.proto.body for e in at.get("html")))


def pushable(at) -> bool:
    return any(b.key == "calibrate" for b in at.button)


def test_a_button_calibrates_once(page):
    at = page(law="chinchilla", resamples=500)
    assert pushable(at)
    assert "calibrated 95 %" not in html(at)
    at.button(key="calibrate").click().run()
    assert not at.exception
    said = html(at)
    assert "In 40 tables simulated from this fit, plain 95 % intervals held" in said
    assert said.count("calibrated 95 %") == 1
    assert "Best size" in said
    at.run()
    assert not pushable(at), "kept: nothing is left to ask"
    assert html(at).count("calibrated 95 %") == 1
    at.selectbox(key="fit_delta").select(1e-2).run()
    assert pushable(at), "another fit has intervals of its own"


def test_a_fit_with_a_prior_says_why_not(page):
    at = page(law="general", prior="published", resamples=500)
    assert not at.exception
    assert not pushable(at)
    assert "has a prior from published sweeps" in html(at)


def test_open_ends_and_kept_ones_are_said():
    runs = load("probe-isoflop")
    f = fit(runs, "chinchilla", resamples=60)
    found = calibrate(f, runs, outer=40, inner=40)
    assert refusal(f) == ""
    first, second, *others = found.quantities
    rest = [replace(q, low=q.plain[0], high=q.plain[1]) for q in others]
    odd = replace(
        found,
        quantities=(
            replace(first, shares=(0.0, 0.97), low=-np.inf, high=first.plain[1]),
            replace(second, shares=(0.025, 0.975), low=1.0, high=2.0),
            *rest,
        ),
    )
    table, notes = calibrated._table(f, odd), " ".join(calibrated._notes(odd))
    assert "≤" in table
    assert "as it was" in table
    assert f"For {first.name} an end lies further out than these draws can say." in notes
    assert f"{second.name} at a bound: the plain interval stays." in notes
