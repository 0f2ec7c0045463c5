"""The Approaches tab, its two figures and its command: one table, one sentence, what is flagged drawn hollow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from dashboard import cli
from dashboard.charts import isoflop
from dashboard.workspace import store as workspace
from data import Runs, read_runs
from fitting import fit
from fitting.isoflop import compare

APP = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"
LADDER = Path(__file__).resolve().parents[3] / "data" / "published" / "simulated_ladder.csv"
# Four sizes by four numbers of tokens, no two of the same compute.
GRID = "run,params,tokens,loss\n" + "".join(
    f"r{i}{j},{n:.6g},{d:.6g},{1.8 + 400 / n**0.34 + 900 / d**0.33 + 0.001 * ((7 * i + 3 * j) % 5):.5f}\n"
    for i, n in enumerate((1e7, 1e8, 1e9, 1e10))
    for j, d in enumerate((1e9, 2.2e9, 4.8e9))
)


@pytest.fixture(scope="module")
def ladder() -> tuple[Runs, Any]:
    runs = read_runs(LADDER)
    return runs, fit(runs, "chinchilla", resamples=300)


@pytest.fixture(scope="module")
def flagged() -> tuple[Runs, Any]:
    """A sweep whose smallest budget ends before its lowest loss, with one run far off."""
    rng = np.random.default_rng(0)
    c = np.repeat(np.geomspace(1e18, 1e21, 6), 9)
    n = (c / 6) ** 0.5 * np.tile(np.geomspace(1 / 8, 8, 9), 6)
    keep = (c > 1.1e18) | (n > 0.97 * (c / 6) ** 0.5)
    frame = pd.DataFrame({"run": [f"r<b>{i}</b>" for i in range(54)], "params": n, "tokens": c / 6 / n, "flops": c})
    frame["loss"] = (1.8 + 400 * n**-0.34 + 400 * frame["tokens"] ** -0.34) * np.exp(0.001 * rng.standard_normal(54))
    frame.loc[53, "loss"] *= 3
    frame = frame[keep].reset_index(drop=True)
    runs = Runs(kept=frame, set_aside=frame.iloc[:0].assign(reason=""), name="sweep")
    return runs, fit(runs, "chinchilla", resamples=200)


def traces(figure, name):
    return [t for t in figure.data if t.name == name]


def test_profiles_are_drawn_with_their_lowest_points_and_intervals(ladder):
    runs, f = ladder
    found = compare(runs, f, 1e22)
    figure = isoflop.profiles(found)
    (lowest,) = traces(figure, "lowest point, 95 % interval")
    np.testing.assert_allclose(lowest.x, [p.params for p in found.shown])
    np.testing.assert_allclose(lowest.y, [p.loss for p in found.shown])
    assert not traces(figure, "flagged and not used")
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.xaxis.title.text == "Parameters"
    assert figure.layout.yaxis.title.text == "Loss, nats per token"
    # One colour a budget, in the order of the budgets, on the map that runs have everywhere.
    colours = [t.marker.color for t in figure.data if t.mode == "markers" and isinstance(t.marker.color, str)]
    assert len(dict.fromkeys(colours[: len(found.shown)])) == len(found.shown)
    curves = [t for t in figure.data if t.mode == "lines" and t.line.width == 1.6]
    for p, curve in zip(found.shown, curves, strict=True):
        assert min(curve.y) == pytest.approx(p.loss, rel=1e-3)
        assert np.interp(np.log(p.level_params[0]), np.log(curve.x), curve.y) == pytest.approx(
            p.level_loss[0], rel=0.02
        )


def test_akima_goes_through_its_sizes(ladder):
    runs, f = ladder
    found = compare(runs, f, 1e22, method="akima")
    curves = [t for t in isoflop.profiles(found).data if t.mode == "lines" and t.line.width == 1.6]
    for p, curve in zip(found.shown, curves, strict=True):
        if p.sizes == len(p.runs):
            there = np.interp(np.log(p.level_params), np.log(curve.x), curve.y)
            # All but sizes that came to rest on one another, which are one point.
            assert np.median(np.abs(there / p.level_loss - 1)) < 1e-6
        if p.used:
            assert min(curve.y) == pytest.approx(p.loss, rel=1e-3)


def test_an_edge_is_hollow_and_a_run_far_off_stands_at_the_edge(flagged):
    runs, f = flagged
    found = compare(runs, f, 1e22)
    assert [bool(p.flag) for p in found.shown] == [True, *[False] * 5]
    figure = isoflop.profiles(found)
    (hollow,) = traces(figure, "flagged and not used")
    assert hollow.marker.symbol == "diamond-open"
    assert len(hollow.x) == 1
    assert "lowest at or beyond the smallest size tried" in hollow.text[0]
    off = [t for t in figure.data if t.marker and np.any(np.asarray(t.marker.symbol) == "triangle-up")]
    assert len(off) == 1
    assert max(off[0].y) < runs.kept["loss"].max() / 2
    texts = [text for t in figure.data if t.text is not None for text in t.text]
    assert any("r&lt;b&gt;53" in text for text in texts)
    assert not any("<b>53" in text for text in texts)
    frontier = isoflop.frontier(found, f)
    assert any(t.marker.symbol == "diamond-open" and len(t.x) == 1 for t in frontier.data if t.mode == "markers")


def test_the_frontier_has_a_line_and_a_band_for_each(ladder):
    runs, f = ladder
    found = compare(runs, f, 1e22)
    figure = isoflop.frontier(found, f)
    for row in found.rows:
        (line,) = traces(figure, row.title)
        value = np.exp(np.interp(np.log(1e22), np.log(line.x), np.log(line.y)))
        assert value == pytest.approx(row.params.value, rel=1e-3)
    assert len([t for t in figure.data if t.fill == "tonexty"]) == 3
    assert len({(t.line.color, t.line.dash) for t in figure.data if t.mode == "lines" and t.name}) == 3
    assert figure.layout.xaxis.title.text == "Training compute, FLOP"
    assert figure.layout.yaxis.title.text == "Best size, parameters"
    assert figure.layout.shapes[0].x0 == 1e22


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A function that opens the Approaches tab on a file or on bundled runs."""
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path))

    def open_page(source="bundled:simulated-ladder", upload=None, **settings):
        space = workspace.new()
        if upload:
            source = workspace.keep(space, *upload).source
        workspace.change(space, "settings", {"source": source, f"fit:{source}": {"resamples": 500, **settings}})
        at = AppTest.from_file(str(APP), default_timeout=60)
        at.query_params["w"] = space.id
        at.query_params["tab"] = "Approaches"
        at.switch_page("views/fit.py")
        at.run()
        assert not at.exception
        return at

    return open_page


def html(at) -> str:
    return " ".join(e.proto.body for e in at.get("html"))


def test_the_tab_has_a_sentence_a_table_and_two_figures(page):
    at = page(law="chinchilla")
    said = html(at)
    assert "Approaches 1, 2 and 3 agree: their intervals" in said
    for title in ("1: envelope of final losses", "2: IsoFLOP profiles", "3: Chinchilla L(N, D)"):
        assert title in said
    assert "8 of 60 runs belong to no profile at a tolerance of 12%." in said
    assert "fewer than 3 sizes within 12% of its" in said
    assert len(at.get("plotly_chart")) == 3
    box = next(t for t in at.text_input if t.label == "Budget, FLOP")
    assert box.value == "3.0e22"
    box.set_value("5e21").run()
    assert not at.exception
    assert "At 5.0e21 FLOP" in html(at)
    next(t for t in at.text_input if t.label == "Budget, FLOP").set_value("nonsense").run()
    assert not at.exception
    assert "At 5.0e21 FLOP" in html(at)
    at.session_state["approaches_curve"] = "Akima"
    at.run()
    assert not at.exception
    assert "At 5.0e21 FLOP" in html(at)


def test_runs_without_budgets_are_told_what_would_be_needed(page):
    said = html(page(upload=("grid.csv", GRID.encode()), law="chinchilla"))
    assert "No budget of this table has 3 sizes within 12% of its FLOPs" in said
    assert "train several sizes at the same compute" in said
    assert "3: Chinchilla L(N, D)" in said


def test_training_curves_make_the_envelope(page):
    rows = ["run,step,params,tokens,loss"]
    for i, n in enumerate(np.geomspace(1e7, 1e9, 12)):
        for step in range(100, 3100, 100):
            d = (60 + 30 * (i % 3)) * n * step / 3000
            rows.append(f"size-{i},{step},{n:.6g},{d:.6g},{1.8 + 400 / n**0.34 + 1100 / d**0.34:.6f}")
    said = html(page(upload=("curves.csv", "\n".join(rows).encode()), law="chinchilla"))
    assert "1: envelope of training curves" in said
    assert "Approach 1: A checkpoint in the middle of a long learning-rate decay has a higher loss" in said


@pytest.mark.parametrize("law", ["kaplan", "kaplan-params", "compute-floor"])
def test_any_law_can_stand_beside_the_profiles(page, law):
    said = html(page(law=law))
    assert "2: IsoFLOP profiles" in said


def test_the_command_gives_what_python_gives(ladder) -> None:
    runs, _ = ladder

    def run(*given: object) -> Any:
        return CliRunner().invoke(cli.group, [str(g) for g in ("approaches", *given)], prog_name="isoflop")

    done = run(LADDER, "--flops", "1e21", "--law", "chinchilla", "--resamples", 300, "--json", "-")
    assert done.exit_code == 0, done.output
    body = json.loads(done.stdout)
    here = compare(runs, fit(runs, "chinchilla", resamples=300), 1e21)
    assert body["sentence"] == here.sentence
    assert [r["key"] for r in body["rows"]] == ["1", "2", "3"]
    for said, row in zip(body["rows"], here.rows, strict=True):
        assert said["params"]["value"] == pytest.approx(row.params.value, rel=1e-9)
        assert said["a"]["low"] == pytest.approx(row.a.low, rel=1e-9)
    assert len(body["profiles"]) == len(here.shown)
    assert {"flops", "params", "loss", "used", "flag"} <= set(body["profiles"][0])
    assert body["left_out"][0]["reason"].startswith("fewer than 3 sizes within 12%")
    assert body["digest"] == runs.digest
    text = run(LADDER, "--law", "chinchilla", "--resamples", 50, "--method", "akima").stdout
    for word in (
        "At 3.0e21 FLOP",
        "2: IsoFLOP profiles",
        "tokens per parameter",
        "In no profile: 8 runs",
        "Approaches ",
    ):
        assert word in text
    assert run(LADDER, "--law", "nonsense").exit_code == 2
    assert run(LADDER, "--tolerance", 3).exit_code == 2
