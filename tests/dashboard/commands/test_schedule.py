"""`isoflop schedule` in a terminal: constants with intervals, the check, a forecast, and refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from dashboard.commands.schedule import command
from fitting.schedule.curves import ahead
from fitting.schedule.multi_power import law, loss_curve

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


KNOWN = ["--run", "cosine", "--run", "constant", "--run", "linear"]
FEW = ["--resamples", "5"]  # where no interval is looked at


def test_it_is_written_with_its_check_and_a_forecast(curves):
    asked = [*KNOWN, "--resamples", "40", "--predict", "wsd", "--steps", str(STEPS), "--peak", str(PEAK)]
    done = RUN.invoke(command, [curves, *asked, "--json", "-"])
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


def test_a_curve_held_out_is_forecast_and_not_fitted(curves, tmp_path):
    head, *rows = Path(curves).read_text(encoding="utf-8").splitlines()
    fitted = [row for row in rows if not row.startswith("wsd,")]
    wrong = [
        f"{','.join(row.split(',')[:3])},{float(row.split(',')[3]) * 1.5}" for row in rows if row.startswith("wsd,")
    ]
    plain, marked = tmp_path / "plain.csv", tmp_path / "marked.csv"
    plain.write_text("\n".join([head, *fitted]), encoding="utf-8")
    lines = [f"{head},role", *(f"{row},fitted" for row in fitted), *(f"{row},held out" for row in wrong)]
    marked.write_text("\n".join(lines), encoding="utf-8")
    bodies = []
    for file in (plain, marked):
        done = RUN.invoke(command, [str(file), "--resamples", "5", "--json", "-"])
        assert done.exit_code == 0, done.output
        bodies.append(json.loads(done.output))
    assert bodies[0]["params"] == bodies[1]["params"]
    assert [u["run"] for u in bodies[1]["held_out"]] == ["wsd"]
    assert bodies[1]["held_out"][0]["error"] == pytest.approx(np.log(1.5), abs=0.01)
    done = RUN.invoke(command, [str(marked), "--run", "wsd"])
    assert done.exit_code == 2
    assert "'wsd' is held out" in done.output


def test_it_is_said(curves):
    done = RUN.invoke(command, [curves, *KNOWN, *FEW, "--predict", "constant"])
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


def test_a_forecast_says_its_peak_and_its_end(curves):
    asked = [curves, *KNOWN, *FEW, "--predict", "linear", "--steps", str(STEPS), "--end", "0.05"]
    done = RUN.invoke(command, asked)
    assert f"steps to {0.05 * PEAK:.3g} from a peak of {PEAK:.3g}: " in done.output
    assert "extrapolated" not in done.output
    body = json.loads(RUN.invoke(command, [*asked, "--json", "-"]).output)["predict"]
    assert (body["peak"], body["end"], body["notes"]) == (
        pytest.approx(PEAK, rel=1e-3),
        pytest.approx(0.05 * PEAK, rel=1e-3),
        [],
    )


@pytest.mark.parametrize("peak", [1e-5, 3e-3, 1e3])
def test_a_peak_that_no_curve_has_is_said_or_refused(curves, peak):
    done = RUN.invoke(
        command, [curves, *KNOWN, *FEW, "--predict", "cosine", "--steps", str(2 * STEPS), "--peak", str(peak)]
    )
    told = f"A peak of {peak:.3g} is unlike the {PEAK:.3g} of the curves fitted"
    if done.exit_code == 0:
        assert told in done.output
        assert "6,000 steps are 2 times the longest curve fitted" in done.output
    else:
        assert done.exit_code == 1
        assert "which no training ends at" in done.output
    assert (done.exit_code == 1) == (peak == 1e3)


@pytest.mark.parametrize("named", [True, False])
def test_steps_logged_twice_are_one_run_that_went_on(named, curves, tmp_path):
    """A resume logs its steps again: with a run column and without one, the law is that of the curve without repeats."""
    rows = [x for x in Path(curves).read_text(encoding="utf-8").splitlines() if x.startswith("cosine")]
    back = [
        *rows[:30],
        *(f"{r.rsplit(',', 1)[0]},{float(r.rsplit(',', 1)[1]) * 1.05:.9g}" for r in rows[30:36]),
        *rows[25:],
    ]
    found = {}
    for kind, lines in (("plain", rows), ("resumed", back)):
        head = "run,step,lr,loss" if named else "step,lr,loss"
        file = tmp_path / f"{kind}.csv"
        file.write_text("\n".join([head, *(r if named else r.split(",", 1)[1] for r in lines)]), encoding="utf-8")
        done = RUN.invoke(command, [str(file), "--resamples", "3", "--json", "-"])
        assert done.exit_code == 0, done.output
        found[kind] = json.loads(done.output)
    assert found["resumed"]["curves"][0]["rows"] == found["plain"]["curves"][0]["rows"]
    for name in law.names:
        assert found["resumed"]["params"][name]["value"] == pytest.approx(
            found["plain"]["params"][name]["value"], rel=1e-6
        )
    assert any("the later row" in note for note in found["resumed"]["notes"])


def test_runs_without_names_are_not_mixed(curves, tmp_path):
    rows = [
        x.split(",", 1)[1]
        for x in Path(curves).read_text(encoding="utf-8").splitlines()
        if x.startswith(("cosine", "wsd"))
    ]
    file = tmp_path / "two.csv"
    file.write_text("\n".join(["step,lr,loss", *rows]), encoding="utf-8")
    done = RUN.invoke(command, [str(file), "--resamples", "3", "--json", "-"])
    if done.exit_code == 0:
        assert len(json.loads(done.output)["curves"]) == 2
    else:
        assert done.exit_code == 1
        assert "Add a column run" in done.output
