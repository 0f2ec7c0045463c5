"""What the small panels of a sweep show: any column of its logs, and each run's noise scale against its loss."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.probe import curves, noise
from dashboard.probe.watching import Run, Sweep
from data.probe.folder import Folder
from data.probe.found import probe
from data.probe.spec import spec
from tests.dashboard.probe.fake import FOUR, stands

LOGGED = {
    "lr": 0.01,
    "train_loss": 1.5,
    "peak_memory": 4.4e8,
    "loss_average_0.25": 1.4,
    "flops_convention": "6ND",
    "weight_rms": {"up": 1.0},
}


@pytest.fixture
def sweep(tmp_path):
    """A function that makes a sweep of one run with these rows."""

    def made(rows) -> Sweep:
        what = spec({"width": 8, "tokens": 2e4, "seq_len": 64})
        folder = Folder(tmp_path / "first" / what.key)
        folder.declare(what)
        folder.write_rows(rows)
        run = Run(what.key, "a run", "done", "", 1.0, None, 1.0, 1.0, "", what, probe(folder.path))
        return Sweep("first", (run,))

    return made


def rows(count, **more):
    return [{"step": k, "tokens": 1000 * k, "loss": 3.0 - 0.05 * k, **more} for k in range(1, count + 1)]


def test_the_menu_has_every_number_of_the_logs_with_its_unit_and_the_loss_first(sweep):
    found = curves.offered(sweep(rows(3, **LOGGED)))
    assert found == {
        "loss": "Held-out loss",
        "lr": "Lr",
        "train_loss": "Train loss, nats per token",
        "peak_memory": "Peak memory, bytes",
        "loss_average_0.25": "Loss average 0.25, nats per token",
    }
    assert curves.offered(sweep([*rows(1), {"never": 1.0}])) == {"loss": "Held-out loss"}  # not in the table of columns


def test_a_column_is_drawn_on_the_axis_that_its_values_need(sweep):
    each = rows(4, peak_memory=4.4e8)
    each[2] |= {"distance": float("nan"), "peak_memory": None}
    one = sweep([{k: v for k, v in row.items() if v is not None and v == v} for row in each])
    (panel,) = curves.curves(one, {}, "peak_memory")
    assert panel["words"] == "440\u202fM bytes"
    line = panel["series"][-1]
    assert (line["x"], line["y"]) == ([1000.0, 2000.0, 4000.0], [4.4e8] * 3)
    assert panel["y"]["range"][0] < 4.4e8 < panel["y"]["range"][1]
    assert curves.axis([1.0, 11.0])["log"]
    assert not curves.axis([0.0, 11.0])["log"]
    assert curves.curves(one, {}, "distance") == []


def test_a_runs_noise_scale_is_drawn_in_each_geometry_and_one_without_an_end_is_at_least_so_much(sweep):
    each = rows(
        18, grad_sq_small=1.0, grad_sq_big=0.3, batch_small=4.0, batch_big=32.0,
        noise_sign=10.0, noise_sign_se=0.1, signal_sign=0.01, signal_sign_se=0.1,
    )  # fmt: skip
    for k, row in enumerate(each):
        row["grad_sq_small"] += 0.01 * (k % 3)
    one = sweep(each)
    assert "noise scale" in curves.offered(one)
    (panel,) = curves.curves(one, {}, curves.NOISE)
    euclidean = (1 / (1 / 4 - 1 / 32) * 0.7) / ((32 * 0.3 - 4 * 1.0) / 28) * 64  # tokens, to the scatter added
    parts = [mark for mark in panel["series"] if mark["tone"] == 0]
    np.testing.assert_allclose([mark["value"] for mark in parts], euclidean, rtol=0.05)
    assert [mark["open"] for mark in parts] == [False, False]
    opened = [mark for mark in panel["series"] if mark["tone"] == 1]
    assert [mark["open"] for mark in opened] == [True] * 6
    assert "sign update, from single sequences\nat least" in opened[0]["said"]
    assert panel["words"].startswith("Euclidean 1.")
    assert "sign update at least" in panel["words"]
    assert noise.panels(Sweep("none", ()), 12) == []


def test_the_menu_stands_over_the_curves_and_says_what_a_column_is(page, queue, served):
    stands(queue, "first", FOUR, ["done", "done", "queued", "queued"])
    at = page(sweep="first")
    menu = at.selectbox(key="probe_curves")
    assert menu.options == ["Held-out loss", "Step seconds, seconds"]
    menu.select("step_seconds").run()
    assert not at.exception
    assert any("step_seconds: of a step since the last evaluation" in one.proto.body for one in at.get("html"))
