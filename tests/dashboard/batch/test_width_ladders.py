"""The best learning rate by width on the Batch page: shown where runs hold a width ladder, and nowhere else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.charts import batch_widths
from dashboard.workspace import store as workspace
from data import read_runs
from fitting.batch import width_ladders

APP = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"
RATES = (0.001, 0.002, 0.004, 0.008)
HEAD = "run_id,params,tokens,batch_tokens,lr,seed,width,parametrisation,loss"


def table(best, widths=(32, 64, 128)) -> str:
    """Runs of each parametrisation, whose best rate at a width is best[parametrisation](width)."""
    rows = []
    for name, of in best.items():
        for w in widths:
            for lr in RATES:
                for seed in (0, 1):
                    loss = 1.2 + 1 / w + 0.02 * np.log(lr / of(w)) ** 2 + 0.0003 * seed
                    rows.append(
                        f"{name}-{w}-{lr:g}-{seed},{24 * w * w},500736,1024,{lr:g},{seed},{w},{name},{loss:.5f}"
                    )
    return "\n".join([HEAD, *rows])


BOTH = {"standard": lambda w: 0.004 * (64 / w) ** 0.8, "mup": lambda w: 0.003}


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A function that opens the Batch page on an uploaded table."""
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path))

    def open_page(text: str) -> AppTest:
        space = workspace.new()
        workspace.change(space, "settings", {"source": workspace.keep(space, "table.csv", text.encode()).source})
        at = AppTest.from_file(str(APP), default_timeout=60)
        at.query_params["w"] = space.id
        at.switch_page("views/batch.py").run()
        assert not at.exception
        return at

    return open_page


def html(at) -> str:
    return " ".join(e.proto.body for e in at.get("html"))


def test_a_width_ladder_is_answered_drawn_and_taken_away(page):
    at = page(table(BOTH))
    said = html(at)
    assert "The best learning rate goes as the width to the power of" in said
    assert "(standard) and" in said
    assert re.search("muP: the best learning rate goes as [^:]*: no move with the width is seen", said)
    assert re.search("standard: the best learning rate goes as width\\^\u2212[^:]*: it falls with the width", said)
    assert "effect of batch size" not in said
    titles = [json.loads(c.proto.spec)["layout"]["xaxis"]["title"]["text"] for c in at.get("plotly_chart")]
    assert titles == ["Width, d_model", "Learning rate", "Learning rate"]
    assert {e.proto.label for e in at.get("download_button")} >= {"JSON", "CSV"}


def test_a_ladder_that_is_not_there_shows_nothing_new(page):
    at = page(table(BOTH, widths=(32, 64)))
    assert "effect of batch size" in html(at)
    assert "by width" not in html(at)
    assert not at.get("plotly_chart")


def test_a_parametrisation_that_lacks_runs_is_named_beside_the_others(page):
    whole = table({"standard": BOTH["standard"]})
    part = table({"mup": BOTH["mup"]}, widths=(32, 64)).partition("\n")[2]
    said = html(page(f"{whole}\n{part}"))
    assert "needs 3 widths with 4 learning rates each; mup has 2" in said
    assert "The best learning rate goes as the width to the power of <em" in said


def test_the_names_of_parametrisations_are_those_of_the_table_that_is_open(page):
    """Two tables that differ in these names alone: the second is not answered by what was kept of the first."""
    assert "(standard)" in html(page(table(BOTH)))
    said = html(page(table(BOTH).replace("standard", "depth")))
    assert "(depth)" in said
    assert "(standard)" not in said


def test_names_of_strangers_are_text(page):
    said = html(page(table({"{x} <b>-1</b>": BOTH["mup"], "standard": BOTH["standard"]})))
    assert "<b>-1</b>" not in said
    assert "({x} &lt;b&gt;-1&lt;/b&gt;)" in said


def test_open_ends_are_arrows_and_parametrisations_have_marks_of_their_own(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text(
        table({"standard": lambda w: 0.0001 if w == 32 else 0.05 if w == 64 else 0.003, "mup": BOTH["mup"]})
    )
    found, _ = width_ladders(read_runs(file))
    drawn = batch_widths.best(found)
    arrows = {t.marker.symbol: list(t.y) for t in drawn.data if str(t.marker.symbol).startswith("arrow")}
    assert set(arrows) == {"arrow-down", "arrow-up"}
    assert arrows["arrow-up"][0] > max(RATES)
    assert arrows["arrow-down"][0] < min(RATES)
    axis = [10**x for x in drawn.layout.yaxis.range]
    assert axis[0] < arrows["arrow-down"][0] < arrows["arrow-up"][0] < axis[1]
    marks = [t for t in drawn.data if t.showlegend is not False]
    assert len({(t.marker.color, t.marker.symbol) for t in marks}) == len({t.marker.color for t in marks}) == 2
    assert drawn.layout.xaxis.type == drawn.layout.yaxis.type == "log"


def test_the_star_stands_on_the_best_rate_of_each_width(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text(table(BOTH))
    found, _ = width_ladders(read_runs(file))
    for one in found:
        drawn = batch_widths.losses(one, found)
        stars = [t for t in drawn.data if t.marker.symbol == "star"]
        assert [t.x[0] for t in stars] == one.best.tolist()
        assert len({t.marker.color for t in stars}) == 3


def test_a_loss_far_above_the_best_is_a_hollow_mark_at_the_top(tmp_path):
    """A run that diverged leaves the parabolas their room."""
    file = tmp_path / "table.csv"
    rows = table({"mup": BOTH["mup"]}).splitlines()
    file.write_text("\n".join([*rows, *(f"d{w},{24 * w * w},500736,1024,0.1,0,{w},mup,9.{w}" for w in (32, 64, 128))]))
    (one,), _ = width_ladders(read_runs(file))
    drawn = batch_widths.losses(one, (one,))
    points = [t for t in drawn.data if t.name in ("32", "64", "128")]
    assert [[s.endswith("-open") for s in t.marker.symbol] for t in points] == [[False] * 4 + [True]] * 3
    top = 10 ** drawn.layout.yaxis.range[1]
    assert top < 2
    assert all(max(t.y) < top for t in points)
    assert "loss 9.32" in points[0].text[-1]
    assert drawn.layout.yaxis.title.text.endswith("(hollow: higher)")
