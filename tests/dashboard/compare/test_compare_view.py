"""The Compare page, opened without a browser: what it says, its settings, its empty state, what it gives away."""

from __future__ import annotations

import io
import json
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import downloads
from dashboard.charts import families as chart
from dashboard.compare import state as compare_state
from dashboard.compare import words as compare_words
from dashboard.compare.settings import DEFAULTS, CompareSettings, read_settings
from dashboard.workspace import store as workspace
from data import load, read_runs
from fitting import compare_families
from fitting.band import Band
from fitting.families import Crossing

APP = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"
HOSTILE = "<img src=x onerror=alert(1)> **b** {x}"


def table(**scale: float) -> bytes:
    """Families of twelve runs, what is above the floor scaled by these factors, with a little noise."""
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(1e8, 1e10, 4), np.geomspace(1e9, 1e11, 3)))
    rng = np.random.default_rng(0)
    rows = []
    for name, times in scale.items():
        loss = (1.8 + times * (480 * n**-0.35 + 2000 * d**-0.365)) * np.exp(0.002 * rng.standard_normal(n.size))
        rows.append(pd.DataFrame({"params": n, "tokens": d, "loss": loss, "mix": name, "colour": "red"}))
    return pd.concat(rows).to_csv(index=False).encode()


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A function that opens the Compare page on an upload (bundled runs without one) with these settings."""
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path))
    monkeypatch.setattr(compare_state, "RESAMPLES", 100)

    def open_page(content=None, fit=None, **settings):
        space = workspace.new()
        source = workspace.keep(space, "runs.csv", content).source if content else "bundled:probe-isoflop"
        workspace.change(
            space, "prepared", {"source": source, f"compare:{source}": settings or None, f"fit:{source}": fit}
        )
        at = AppTest.from_file(str(APP), default_timeout=60)
        at.query_params["w"] = space.id
        at.switch_page("views/compare.py")
        at.run()
        assert not at.exception
        return at, lambda: workspace.values(space).get(f"compare:{source}")

    return open_page


def html(at) -> str:
    return unescape(" ".join(e.proto.body for e in at.get("html")))


def test_it_says_which_family_is_better_and_by_how_much(page):
    at, _ = page(table(old=1.0, new=0.9))
    said = html(at)
    assert "new needs" in said or "old needs" in said
    assert "less compute" in said or "more compute" in said
    assert "At 6.0e22 FLOP" in said, "ten times the largest run, 6 x 1e10 x 1e11"
    assert len(at.get("plotly_chart")) == 1
    assert [b.label for b in at.get("download_button")] == ["Multiplier curve", "JSON"]


def test_without_a_column_of_families_it_says_what_to_add(page):
    at, _ = page()
    said = html(at)
    assert "No column of this table names families" in said
    assert "at least seven runs" in said
    assert not at.get("plotly_chart")
    next(b for b in at.button if b.label == "Open simulated families").click().run()
    assert not at.exception
    assert "candidate needs" in html(at)


def test_its_settings_are_kept_and_can_be_undone(page):
    at, kept = page(table(old=1.0, new=0.9, other=0.95))
    assert at.selectbox(key="compare_column").value == "mix"
    at.selectbox(key="compare_reference").set_value("other").run()
    assert kept() == {"reference": "other"}
    assert "against other" in html(at).replace("<small>", "").replace("</small>", "")
    at.selectbox(key="compare_family").set_value("old").run()
    assert "old needs" in html(at)
    at.selectbox(key="compare_share").set_value("nothing").run()
    assert "Fitted with every family by itself, as asked" in html(at)
    at.text_input(key="compare_target").set_value("1e22").run()
    assert kept() == {"reference": "other", "family": "old", "share": "nothing", "target": 1e22}
    assert "At 1.0e22 FLOP" in html(at)
    at.button(key="undo").click().run()
    assert "target" not in kept()
    assert at.text_input(key="compare_target").value == ""
    assert not at.exception


@pytest.mark.parametrize("text", ["soon", "1e60", "-3"])
def test_a_budget_that_is_none_is_refused_in_words(page, text):
    at, kept = page(table(old=1.0, new=0.9))
    at.text_input(key="compare_target").set_value(text).run()
    assert not at.exception
    assert kept() is None
    assert "A budget is a number of FLOP" in " ".join(t.value for t in at.toast).replace("\\", "")


def test_stale_settings_are_let_be(page):
    at, _ = page(table(old=1.0, new=0.9), column="gone", reference="nobody", family="nobody", share="x", target=-1.0)
    assert at.selectbox(key="compare_column").value == "mix"
    assert "needs" in html(at)


def test_a_refusal_leaves_the_page_working(page):
    """The Fit page's law cannot say what a budget is best spent on."""
    at, _ = page(table(old=1.0, new=0.9), fit={"law": "kaplan-params"})
    assert "does not say what a budget is best spent on" in html(at)
    assert at.selectbox(key="compare_column").value == "mix"


def test_strangers_names_are_text(page):
    content = table(**{HOSTILE: 1.0, "new": 0.9})
    at, _ = page(content)
    raw = " ".join(e.proto.body for e in at.get("html"))
    assert "<img" not in raw
    assert "&lt;img" in raw
    found = compare_families(read_runs(pd.read_csv(io.BytesIO(content))), "mix", resamples=20)
    figure = chart.figure(found, read_runs(pd.read_csv(io.BytesIO(content))))
    words = json.dumps(figure.to_dict(), default=lambda x: np.asarray(x).tolist())
    assert "<img" not in words


def test_settings_are_read_from_anything():
    assert read_settings(None) == DEFAULTS
    assert read_settings({"column": 3, "share": ["auto"], "target": "1e22", "reference": "x" * 300}) == DEFAULTS
    assert read_settings({"target": float("inf")}) == DEFAULTS
    full = CompareSettings("mix", "old", "new", "floor", 1e22)
    assert read_settings(full.written()) == full


@pytest.mark.parametrize(
    ("crossing", "words"),
    [
        (Crossing("within", Band(1e20, 5e19, 3e20, 0.95), 0.1, 1.0, (1e17, 1e27)), ("1.0e20", "5.0e19 – 3.0e20")),
        (Crossing("beyond", Band(1e22, 5e20, np.inf, 0.95), 10.0, 0.9, (1e17, 1e27)), ("1.0e22", "5.0e20 to never")),
        (Crossing("beyond", Band(1e22, 0.0, np.inf, 0.95), 10.0, 0.9, (1e17, 1e27)), ("1.0e22", "any to never")),
        (Crossing("never", Band(np.inf, 2e23, np.inf, 0.95), np.inf, 0.1, (1e17, 1e27)), ("none found", "from 2.0e23 on, if ever")),
        (Crossing("never", Band(np.inf, np.inf, np.inf, 0.95), np.inf, 0.0, (1e17, 1e27)), ("none found", "")),
    ],
)  # fmt: skip
def test_crossings_in_words(crossing, words):
    assert compare_words.crossing(crossing) == words


@pytest.mark.parametrize(
    ("band", "words"),
    [
        ((1.31, 1.18, 1.46), ("1.31x", "1.18–1.46x")),
        ((np.inf, 24.0, np.inf), ("∞", "24x or more")),
        ((np.inf, np.inf, np.inf), ("∞", "in every refit")),
        ((1.2, np.nan, np.nan), ("1.2x", "—")),
    ],
)
def test_multipliers_in_words(band, words):
    assert compare_words.multiple(Band(*band, 0.95)) == words


@pytest.mark.parametrize(
    ("share", "words"),
    [(1.0, "every refit"), (0.0, "no refit"), (0.998, "over 99\u202f% of refits"), (0.001, "under 1\u202f% of refits")],
)
def test_a_share_of_the_refits_is_never_rounded_to_all(share, words):
    assert compare_words.chance(share) == words


def test_the_picture_holds_all_families_on_one_axis():
    runs = read_runs(pd.read_csv(io.BytesIO(table(old=1.0, new=0.9, runaway=1.4))))
    found = compare_families(runs, "mix", reference="old", resamples=50)
    figure = chart.figure(found, runs)
    assert {t.name for t in figure.data if t.name} == {"old (reference)", "new", "runaway"}
    colours = chart.colours(found)
    assert len(set(colours.values())) == 3
    low, high = figure.layout.yaxis.range
    assert low < 0 < high, "the line of one is in the picture"
    assert np.all(np.isfinite(figure.layout.yaxis2.range))
    left, right = figure.layout.xaxis.range
    assert 10**left < found.data[0] < found.target < 10**right


def test_the_band_at_the_target_is_in_the_picture():
    runs = load("simulated-families")
    found = compare_families(runs, "family", resamples=40)
    bottom, top = chart.figure(found, runs).layout.yaxis.range
    _, low, high = found.multiplier("candidate", found.target)
    assert 10**bottom < low < high < 10**top


def test_what_is_taken_away_is_the_comparison():
    runs = read_runs(pd.read_csv(io.BytesIO(table(old=1.0, new=0.9))))
    found = compare_families(runs, "mix", resamples=50)
    csv, body = (file.make() for file in downloads.of_families(found))
    frame = pd.read_csv(io.StringIO(csv), comment="#")
    assert set(frame["family"]) == {"old", "new"}
    assert json.loads(body)["versus"][0]["family"] == found.others[0]
