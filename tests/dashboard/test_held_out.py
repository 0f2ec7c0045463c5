"""Runs held out on the page: said, drawn with a mark of their own, and changed like exclusions, with undo."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard.charts import families, loss_compute
from dashboard.fit import repeat_code
from dashboard.plan import chart_payload
from dashboard.workspace import store as workspace
from data import load
from data.sources import Place, all_sources
from fitting import compare_families, fit
from fitting.held_out import forecasts

APP = Path(dashboard.__file__).parent / "app.py"
KEY = "bundled:redpajama-overtraining"


@pytest.fixture(scope="module")
def first():
    return load("redpajama-overtraining")


@pytest.fixture(scope="module")
def found(first):
    return fit(first, resamples=500)


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path / "home"))
    space = workspace.new()
    workspace.change(space, "settings", {f"fit:{KEY}": {"resamples": 500}})

    def opened(view: str):
        at = AppTest.from_file(str(APP), default_timeout=60)
        at.query_params["w"] = space.id
        at.switch_page(f"views/{view}.py").run()
        assert not at.exception
        return at

    opened.space = space
    return opened


def html(at) -> str:
    return "\n".join(str(element.proto.body) for element in at.get("html"))


def test_every_page_says_how_many_are_held_out(page):
    for view in ("runs", "fit", "plan", "batch", "compare"):
        assert "33 runs fitted, 2 held out, 0 set aside" in html(page(view)), view


def test_the_fit_page_says_how_far_they_lie_and_draws_them_beside_their_forecasts(page):
    at = page("fit")
    assert "2 held-out runs lie" in html(at)
    assert "prediction interval" in html(at)
    spec = json.loads(at.get("plotly_chart")[0].proto.spec)
    named = {trace["name"]: trace for trace in spec["data"] if trace.get("name")}
    assert named["held out"]["marker"]["symbol"] == ["diamond-open", "diamond-open"]
    assert "forecast without them, 90 % intervals" in named


def test_a_role_changed_in_the_table_is_one_step_of_undo(page):
    """A cell of the table cannot be edited here, so what an edit calls is."""
    run = "rpj-open_lm_1b-1.0"

    def change():
        import streamlit as st

        from dashboard import state

        st.button("out", on_click=state.hold_out, args=(["rpj-open_lm_1b-1.0"],))
        st.button("back", on_click=state.hold_out, args=(["rpj-open_lm_7b-1.0"], False))

    at = AppTest.from_function(change)
    at.query_params["w"] = page.space.id
    at.run().button[0].click().run()
    assert "32 runs fitted, 3 held out" in html(page("runs"))
    at.button[1].click().run()
    held = page("runs").data_editor[0].value.query("role == 'held out'")["run"]
    assert sorted(held) == sorted([run, "rpj-open_lm_1b-32.0"])
    assert workspace.undo(page.space) == "fit rpj-open_lm_7b-1.0 again"
    assert workspace.undo(page.space) == f"hold out {run}"
    assert "33 runs fitted, 2 held out" in html(page("runs"))


def test_the_figures_draw_them_apart(first, found):
    apart = forecasts(found, first)
    drawn = {t.name: t for t in loss_compute.figure(first, found.law, found, apart=apart).data if t.name}
    assert list(drawn["held out"].x) == list(first.held_out["flops"])
    assert list(drawn["forecast without them, 90 % intervals"].y) == pytest.approx(list(apart.forecast.value))
    assert len(drawn["runs"].x) == 33
    points = chart_payload.points(found, first)
    held = [name for name, out in zip(points.name, points.held, strict=True) if out]
    assert sorted(held) == sorted(first.held_out["run"])
    assert not any(points.hollow)
    two = load("simulated-families")
    two = two.hold_out(two.kept.nlargest(1, "flops")["run"])
    compared = families.figure(compare_families(two, "family", resamples=10), two)
    (mark,) = [t for t in compared.data if t.name == "held out"]
    assert (len(mark.x), mark.marker.symbol) == (1, "diamond-open")


def test_the_lines_of_python_hold_out_what_a_person_did(first, found):
    source = next(s for s in all_sources(Place(())) if s.key == KEY)
    changed = first.hold_out(["rpj-open_lm_1b-1.0"]).hold_out(["rpj-open_lm_7b-1.0"], held=False)
    f = fit(changed, resamples=0)
    text = repeat_code.python(
        f, source, {}, {"resamples": 0}, {"rpj-open_lm_1b-1.0": "held out", "rpj-open_lm_7b-1.0": "fitted"}
    )
    names: dict = {}
    exec(text, names)  # the page's own lines
    assert names["f"].digest == f.digest
    assert names["f"].settings.held_out == f.settings.held_out
