"""The Batch page, opened without a browser: from a table of steps, from curves, with its settings, and with nothing to show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import workspace
from dashboard.charts import batch as charts
from fitting.batch import critical_batch

APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
BATCHES = (16, 64, 256, 1024, 4096)
STEPS = "model,batch_size,steps_to_target\n" + "\n".join(
    f"{n}M,{b},{1000 * n**0.2 * (1 + 30 * n**0.5 / b):.6f}" for n in (100, 200, 400) for b in BATCHES
)
CURVES = "run,batch_tokens,lr,step,loss\n" + "\n".join(
    f"b{b},{b},0.1,{s},{2.0 * (1000 * (1 + 300 / b) / s) ** 0.1:.9f}" for b in BATCHES for s in (10, 100, 1000, 10_000, 100_000)
)  # fmt: skip


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A function that opens a page, by default Batch, on an uploaded table: the page and its workspace."""
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path))

    def open_page(text: str | None, name: str = "batch", file: str = "table.csv"):
        space = workspace.new()
        if text is not None:
            workspace.change(space, "settings", {"source": workspace.keep(space, file, text.encode()).source})
        at = AppTest.from_file(str(APP), default_timeout=60)
        if text is not None:
            at.query_params["w"] = space.id
        return at.switch_page(f"views/{name}.py").run(), space

    return open_page


def html(at) -> str:
    return " ".join(e.proto.body for e in at.get("html"))


def test_a_table_of_steps_is_fitted_and_its_growth_said(page):
    at, _ = page(STEPS)
    assert not at.exception
    said = html(at)
    assert " for 400M</em> is <em" in said
    assert ">600.000</em> sequences." in said
    assert "the critical batch as parameters to the power 0.50 (0.50 to 0.50)" in said
    assert "20 % more steps than linear scaling from 16 would take" in said
    assert len(at.get("plotly_chart")) == 2


def test_zhangs_base_and_overhead_are_settings_that_stay(page):
    at, space = page(STEPS)
    at.text_input(key="batch_base").set_value("256").run()
    at.number_input(key="batch_overhead").set_value(50.0).run()
    assert "50 % more steps than linear scaling from 256 would take" in html(at)
    assert "50 % over linear" in html(at)
    (held,) = [v for k, v in workspace.values(space).items() if k.startswith("batch:")]
    assert held == {"base": 256.0, "overhead": 0.5}
    at.text_input(key="batch_base").set_value("many").run()
    assert "linear scaling from 256" in html(at)
    assert any("A batch is a positive number" in t.value for t in at.toast)


def test_curves_are_read_at_losses_that_can_be_chosen(page):
    at, space = page(CURVES)
    assert not at.exception
    assert "in tokens" in html(at)
    at.text_input(key="batch_targets").set_value("2, 2.2").run()
    said = html(at)
    assert "loss 2.2" in said
    assert " at a loss of 2<" in said
    assert ">300.000<" in said
    (held,) = [v for k, v in workspace.values(space).items() if k.startswith("batch:")]
    assert held["targets"] == [2.0, 2.2]
    at.text_input(key="batch_targets").set_value("2, 0.1").run()
    assert "No run comes down to a loss of 0.1" in html(at)
    at.text_input(key="batch_targets").set_value("low").run()
    assert any("positive numbers with commas" in t.value for t in at.toast)


def test_growth_off_the_same_curves_has_no_interval(page):
    at, _ = page(CURVES)
    at.text_input(key="batch_targets").set_value("2, 2.2, 2.4").run()
    assert "no interval, since all come off the same runs" in html(at)


def test_without_a_sweep_it_says_what_to_add(page):
    at, _ = page(None)
    assert "do not say how batch size matters" in html(at)
    assert [e.proto.label for e in at.get("page_link")] == ["Bring them on the Runs page"]


def test_the_runs_page_leads_from_a_table_of_steps_to_this_one(page):
    at, _ = page(STEPS, "runs")
    assert "These are steps to a loss, not runs." in html(at)
    assert "See them on the Batch page" in [e.proto.label for e in at.get("page_link")]


def test_names_that_are_markup_stay_names(page):
    at, _ = page(STEPS.replace("100M", "<img src=x>").replace("200M", "**b**"))
    assert not at.exception
    assert "<img" not in html(at)
    assert "&lt;img src=x&gt;" in html(at)


def test_too_few_batches_are_refused_in_a_sentence(page):
    at, _ = page("batch_size,steps_to_target\n16,500\n32,300\n")
    assert "three batch sizes or more" in html(at)


def test_the_figure_draws_the_fit_itself():
    found = {"": critical_batch(BATCHES, [1000 * (1 + 300 / b) for b in BATCHES], resamples=50)}
    figure = charts.figure(found, "sequences", {"": "all"})
    diamonds = [t for t in figure.data if t.marker.symbol == "diamond"]
    assert [t.x[0] for t in diamonds] == pytest.approx([300, 300])
    assert [t.y[0] for t in diamonds] == pytest.approx([2000, 600_000])
    points = [t for t in figure.data if t.mode == "markers" and t.marker.symbol != "diamond"]
    assert np.asarray(points[0].y) == pytest.approx([1000 * (1 + 300 / b) for b in BATCHES])
    assert np.asarray(points[1].y) == pytest.approx([1000 * (b + 300) for b in BATCHES])
    open_ended = {"": critical_batch(BATCHES, [1e6 / b for b in BATCHES], resamples=50)}
    assert not [t for t in charts.figure(open_ended, "tokens", {"": "all"}).data if t.marker.symbol == "diamond"]
