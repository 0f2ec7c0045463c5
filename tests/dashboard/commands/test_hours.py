"""`isoflop hours` in a terminal: the classes by a device's peak and by measured steps, as JSON and as a table, and refusals."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from dashboard.commands.hours import command
from data import Runs, read_runs
from data.library import load
from fitting import fit, load_fit, plan
from fitting.planning.devices import device
from fitting.planning.hour_classes import CLASSES, hour_classes

RUN = CliRunner()


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("hours") / "fit.json"
    fit(load("simulated-ladder"), "chinchilla", resamples=50).to_json(path)
    return path


def peak(n):
    return 0.4 * 989e12 / (6 * n)


def test_classes_by_a_devices_peak(saved):
    done = RUN.invoke(command, [str(saved), "--batch", "524288", "--json", "-"])
    assert done.exit_code == 0, done.output
    body = json.loads(done.output)
    wanted = hour_classes(load_fit(saved), peak, batch=524288)
    assert [c["hours"] for c in body["classes"]] == list(CLASSES)
    assert [c["params"]["value"] for c in body["classes"]] == pytest.approx([c.params.value for c in wanted])
    assert [c["steps"] for c in body["classes"]] == [c.steps for c in wanted]
    assert "40% of one H100" in body["speed"]
    told = RUN.invoke(command, [str(saved), "--hours", "24"])
    assert len(told.output.splitlines()) == 3


def test_classes_are_as_doubtful_as_the_plan_of_as_many_hours(tmp_path):
    """FLOPs in two digits whose count levels off beyond the runs: what is open in it moves sizes and losses in both answers."""
    n = np.repeat(np.geomspace(8e6, 8e7, 5), 5)
    tokens = n * np.tile([5.0, 10.0, 20.0, 40.0, 80.0], 5)
    width = np.cbrt(n / 0.1875)
    flops = (6 * n + 6 * 50304 * width + 12 * 2048 * width**2 / 64) * tokens
    loss = (1.7 + 400 * n**-0.34 + 410 * tokens**-0.28) * np.exp(0.002 * np.random.default_rng(3).standard_normal(25))
    rows = "".join(f"{a:.6g},{b:.6g},{c:.1e},{y:.5f}\n" for a, b, c, y in zip(n, tokens, flops, loss, strict=True))
    (tmp_path / "h.csv").write_text("params,tokens,flops,loss\n" + rows)
    fit(read_runs(tmp_path / "h.csv"), "chinchilla", resamples=500).to_json(tmp_path / "h.json")
    done = RUN.invoke(command, [str(tmp_path / "h.json"), "--hours", "384", "--json", "-"])
    (found,) = json.loads(done.output)["classes"]
    planned = plan(load_fit(tmp_path / "h.json"), devices=1, hours=384)
    assert planned.params.high > 2 * planned.params.low  # the count of FLOPs is open there
    for name in ("params", "tokens", "loss"):
        band = getattr(planned, name)
        got = found[name]
        assert [got["value"], got["low"], got["high"]] == pytest.approx([band.value, band.low, band.high], rel=0.02), (
            name
        )


def test_classes_at_a_measured_speed_take_larger_models(saved, tmp_path):
    """Steps that take .3 s before any work: the table's own names are recognised."""
    n, batch = 10 ** np.linspace(8, 9.5, 8), 2.0 ** (16 + np.arange(8) % 4)
    rows = [f"{a:.6g},{b:.0f},{0.3 + b / peak(a):.9g}" for a, b in zip(n, batch, strict=True)]
    steps = tmp_path / "steps.csv"
    steps.write_text("n_params,batch_tokens,step_seconds\n" + "\n".join(rows), encoding="utf-8")
    arguments = [str(saved), "--hours", "24", "--batch", "262144", "--json", "-"]
    slow = json.loads(RUN.invoke(command, [*arguments, "--steps", str(steps)]).output)["classes"][0]
    fast = json.loads(RUN.invoke(command, arguments).output)["classes"][0]
    assert slow["params"]["value"] > 1.1 * fast["params"]["value"]
    assert slow["tokens"]["value"] == pytest.approx(
        86400 * 262144 / (0.3 + 262144 / peak(slow["params"]["value"])), rel=1e-3
    )


def test_measured_steps_are_read_from_a_folder_of_runs_too(saved, tmp_path):
    n, batch = 10 ** np.linspace(8, 9.5, 8), 2.0 ** (16 + np.arange(8) % 4)
    table = pd.DataFrame({"params": n, "batch": batch, "step_seconds": 0.3 + batch / peak(n)})
    table.to_csv(tmp_path / "steps.csv", index=False)
    (tmp_path / "runs").mkdir()
    runs = table.assign(layers=range(4, 12), width=range(256, 384, 16), tokens=20 * n, loss=2 + 400 * n**-0.34)
    runs.to_csv(tmp_path / "runs" / "a.csv", index=False)
    arguments = [str(saved), "--hours", "24", "--batch", "262144", "--json", "-"]
    one, other = (RUN.invoke(command, [*arguments, "--steps", str(tmp_path / name)]) for name in ("steps.csv", "runs"))
    assert other.exit_code == 0, other.output
    assert json.loads(other.output)["classes"] == json.loads(one.output)["classes"]


def test_refusals_are_sentences(saved, tmp_path):
    steps = tmp_path / "steps.csv"
    steps.write_text("n_params,batch_tokens,step_seconds\n1e8,65536,1\n", encoding="utf-8")
    done = RUN.invoke(command, [str(saved), "--steps", str(steps)])
    assert done.exit_code == 2
    assert "--steps needs --batch" in done.output
    assert RUN.invoke(command, [str(saved), "--steps", str(steps), "--batch", "1e6"]).exit_code == 1
    unknown = RUN.invoke(command, [str(saved), "--device", "abacus"])
    assert unknown.exit_code == 1
    assert "No device is called 'abacus'" in unknown.output


@pytest.mark.parametrize("ratio", [lambda n: 1.5 + 0 * n, lambda n: 1 + 6000 / n**0.5])
def test_hours_and_plan_are_one_answer_where_flops_are_not_6nd(ratio, tmp_path):
    """A day of one device by the classes and by the planner, on tables that count 9ND or a vocabulary."""
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e9, 6), np.geomspace(2e8, 2e10, 5)))
    frame = pd.DataFrame(
        {"run": [f"run-{i}" for i in range(len(n))], "params": n, "tokens": d, "flops": 6 * n * d * ratio(n),
         "loss": 1.8 + 482 * n**-0.348 + 2085 * d**-0.366}
    )  # fmt: skip
    fitted = fit(Runs(kept=frame, set_aside=frame.iloc[:0].assign(reason=""), name="x"), "chinchilla", resamples=20)
    fitted.to_json(tmp_path / "fit.json")
    done = RUN.invoke(command, [str(tmp_path / "fit.json"), "--hours", "24", "--device", "A100", "--json", "-"])
    assert done.exit_code == 0, done.output
    body = json.loads(done.output)
    planned = plan(fitted, devices=1, hours=24, peak=device("A100").peak, utilisation=0.4)
    for name in ("params", "tokens", "loss"):
        assert body["classes"][0][name]["value"] == pytest.approx(getattr(planned, name).value, rel=5e-3)
    assert "as the fitted table counts them" in body["speed"]
