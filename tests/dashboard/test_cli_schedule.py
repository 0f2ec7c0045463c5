"""`isoflop schedule` in a terminal: constants with intervals, the check, a forecast, and refusals."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from dashboard.commands.schedule import command
from fitting.schedule import law, loss_curve
from fitting.schedule_curves import ahead

RUN = CliRunner()
TRUTH = law.published[0].values
PEAK, WARMUP, STEPS = 1e-3, 100, 3000


@pytest.fixture(scope="module")
def curves(tmp_path_factory):
    """Four curves of the 25M constants with 2e-4 of noise, logged from the first step on."""
    rng = np.random.default_rng(0)
    rows = []
    for shape, steps in (("cosine", STEPS), ("constant", STEPS), ("linear", STEPS // 2), ("wsd", STEPS)):
        schedule = ahead(shape, steps, PEAK, WARMUP)
        at = np.concatenate([[20, 40, 60, 80], np.arange(WARMUP, steps + 1, 50)])
        loss = np.concatenate([[9, 8, 7, 6], loss_curve(schedule, at[4:], TRUTH)]) * np.exp(
            2e-4 * rng.normal(size=len(at))
        )
        rows += [f"{shape},{s},{schedule.lr[s - 1]:.9g},{y:.9g}" for s, y in zip(at, loss, strict=True)]
    file = tmp_path_factory.mktemp("schedule") / "curves.csv"
    file.write_text("run,step,lr,loss\n" + "\n".join(rows), encoding="utf-8")
    return str(file)


KNOWN = ["--run", "cosine", "--run", "constant", "--run", "linear", "--resamples", "40"]


def test_it_is_written_with_its_check_and_a_forecast(curves):
    done = RUN.invoke(
        command, [curves, *KNOWN, "--predict", "wsd", "--steps", str(STEPS), "--peak", str(PEAK), "--json", "-"]
    )
    assert done.exit_code == 0, done.output
    body = json.loads(done.output)
    assert list(body["params"]) == list(law.names)
    for name in ("L0", "alpha"):
        found = body["params"][name]
        assert found["low"] < found["value"] < found["high"]
    assert {c["run"]: c["warmup"] for c in body["curves"]} == dict.fromkeys(("cosine", "constant", "linear"), WARMUP)
    (check,) = body["held_out"]
    assert check["run"] == "wsd"
    assert check["holds"]
    assert abs(check["last"]) < 0.002
    truth = loss_curve(ahead("wsd", STEPS, PEAK, WARMUP), [STEPS], TRUTH)[0]
    run = body["predict"]["run"]
    assert run["low"] < truth < run["high"]
    assert run["value"] == pytest.approx(truth, rel=2e-3)


def test_it_is_said(curves):
    done = RUN.invoke(command, [curves, *KNOWN, "--predict", "constant"])
    assert done.exit_code == 0, done.output
    assert "fitted to 3 curves" in done.output
    assert "Not shown wsd, the law misses it by" in done.output
    assert "Final loss of constant over 3,000 steps to 0.001: " in done.output
    assert "3 curves tell little" in done.output


def test_refusals(curves, tmp_path):
    wrong = RUN.invoke(command, [curves, "--run", "nobody"])
    assert wrong.exit_code == 2
    assert "there are constant, cosine, linear, wsd" in wrong.output
    bare = tmp_path / "bare.csv"
    bare.write_text("run,step,loss\n" + "\n".join(f"a,{10 * i},{3 + 1 / i}" for i in range(1, 20)), encoding="utf-8")
    refused = RUN.invoke(command, [str(bare)])
    assert refused.exit_code == 1
    assert "there is no lr" in refused.output
    flat = RUN.invoke(command, [curves, "--run", "constant"])
    assert flat.exit_code == 1
    assert "does the learning rate fall" in flat.output
