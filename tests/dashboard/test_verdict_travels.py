"""A fit that must not be planned with says so wherever its numbers go: saved, planned with, exported, on a page."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from dashboard.commands.approaches import command as approaches
from dashboard.commands.hours import command as hours
from dashboard.commands.lifetime import command as life
from dashboard.commands.plan import command
from dashboard.plan import run as plan_run
from data import Runs
from fitting import Band, Status, all_laws, fit, load_fit, plan
from fitting.batch import from_paper, growth, whole_run
from fitting.batch.front import Cluster, front
from fitting.export import plan_to_csv, plan_to_json, plan_to_latex, residuals_to_csv, summary_to_csv
from fitting.isoflop import Approach, compare, comparison
from fitting.planning.hardware import Hardware

RUN = CliRunner()
WORDS = "Do not plan with this"


def table(**columns) -> Runs:
    frame = pd.DataFrame({"run": [f"run-{i}" for i in range(len(columns["loss"]))], **columns})
    frame["flops"] = 6 * frame["params"] * frame["tokens"]
    return Runs(kept=frame, set_aside=frame.iloc[:0].assign(reason=""), name="test.csv")


@pytest.fixture(scope="module")
def runs():
    """Sizes nearly proportional to tokens: which exponent is which cannot be told."""
    n = np.geomspace(1e8, 1e10, 30)
    d = 20 * n * np.tile([0.9, 1.1], 15)
    truth = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}
    loss = all_laws()["chinchilla"]({"params": n, "tokens": d}, truth)
    return table(params=n, tokens=d, loss=loss * np.exp(0.003 * np.random.default_rng(0).standard_normal(30)))


@pytest.fixture(scope="module")
def unsound(runs):
    found = fit(runs, "chinchilla", resamples=100)
    assert found.status is Status.UNSOUND
    return found


@pytest.fixture(scope="module")
def failing(unsound):
    return [v.sentence for v in unsound.verdicts if v.state == "fail"]


@pytest.fixture(scope="module")
def saved(unsound, tmp_path_factory):
    path = tmp_path_factory.mktemp("unsound") / "fit.json"
    unsound.to_json(path)
    return path


def test_a_saved_fit_keeps_it(unsound, saved):
    assert load_fit(saved).warnings == unsound.warnings
    assert unsound.warnings[0].startswith(WORDS)


@pytest.mark.parametrize(
    ("program", "asked"),
    [
        (command, ["--flops", "1e22"]),
        (command, ["--loss", "2.3"]),
        (hours, ["--hours", "24"]),
        (life, ["--loss", "2.3", "--served", "1e12"]),
    ],
)
def test_a_terminal_says_it_as_text_and_as_json(saved, failing, program, asked):
    shown = RUN.invoke(program, [str(saved), *asked])
    assert shown.exit_code == 0, shown.output
    assert WORDS in shown.output
    assert all(sentence in shown.output for sentence in failing)
    notes = json.loads(RUN.invoke(program, [str(saved), *asked, "--json", "-"]).output)["notes"]
    assert any(WORDS in note for note in notes)
    assert all(any(sentence in note for note in notes) for sentence in failing)


def test_plans_at_many_budgets_say_it(unsound):
    assert plan(unsound, flops=np.array([1e20, 1e22])).notes[: len(unsound.warnings)] == unsound.warnings


def test_every_export_says_it(unsound, runs, failing):
    at = plan(unsound, flops=1e22)
    whole = whole_run(at, from_paper("steplaw_batch"), from_paper("steplaw_lr"))
    exports = [
        unsound.to_json(), unsound.to_latex(), unsound.to_python(), residuals_to_csv(unsound, runs), summary_to_csv(unsound),
        plan_to_json(unsound, at, whole), plan_to_latex(unsound, at, whole), plan_to_csv(unsound, at, whole),
    ]  # fmt: skip
    for text in exports:
        assert "unsound" in text
        plain = text.replace("\\u002c", ",").replace("\\u003b", ";").replace("\\'", "'")
        assert all(sentence in plain for sentence in failing)
    printed = [line for line in exports[1].split("\n") if not line.startswith("%")]
    assert any(WORDS in line for line in printed)
    assert WORDS in exports[2].split('"""')[1]


def test_what_goes_with_a_plan_says_it(unsound):
    laws = from_paper("steplaw_batch"), from_paper("steplaw_lr")
    for budgets in (1e22, np.array([1e20, 1e22])):
        at = plan(unsound, flops=budgets)
        assert at.warnings == unsound.warnings
        assert whole_run(at, *laws).notes[: len(unsound.warnings)] == unsound.warnings
    at = plan(unsound, flops=1e22)
    fast = front(at, from_paper("zhang_coupled"), laws[0], Cluster(Hardware(devices=8.0), 8192.0))
    assert fast.notes == at.notes
    assert fast.on(Cluster(Hardware(devices=8.0), 8192.0, latency=0.1)).notes == at.notes
    shown = json.loads(plan_to_json(unsound, at, whole_run(at, *laws)))["notes"]
    assert len(shown) == len(set(shown)), "each once"


def test_an_unsound_law_is_no_approach_to_agree_with(unsound, runs, saved, tmp_path):
    """Sizes on one line in tokens: profiles refuse, an envelope answers; the law fails a check."""
    found = compare(runs, unsound, 1e21)
    assert found.sentence.startswith("Approach 3 agrees with none")
    assert all(sentence in found.rows[2].note for sentence in unsound.warnings)
    rows = tuple(
        Approach(k, k, *(Band(v, 0.5 * v, 2.0 * v, 0.95) for v in (0.5, 0.5, 1e9, 2e10, 20.0, 2.3))) for k in "123"
    )
    said = comparison._verdict(rows, 1e21, runs, unsound, None, None, None)
    assert "Approaches 1 and 2 agree" in said
    assert "and 3" not in said
    path = tmp_path / "t.csv"
    runs.kept.to_csv(path, index=False)
    shown = RUN.invoke(approaches, [str(path), "--flops", "1e21", "--law", "chinchilla", "--resamples", "100"])
    assert shown.exit_code == 0, shown.output
    assert WORDS in shown.output
    assert "and 3 agree" not in shown.output


def test_a_sound_fit_says_nothing():
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(5e7, 1e10, 8), np.geomspace(1e9, 3e11, 6)))
    loss = (1.8172 + 482.01 * n**-0.3478 + 2085.43 * d**-0.3658) * np.exp(
        0.005 * np.random.default_rng(7).standard_normal(48)
    )
    good = fit(table(params=n, tokens=d, loss=loss), "chinchilla", resamples=500)
    assert good.warnings == ()
    for text in (good.to_latex(), good.to_python(), plan_to_json(good, plan(good, flops=1e20))):
        assert WORDS not in text


def test_a_measured_law_of_batches_brings_its_remarks(unsound):
    """As the Batch page hands it over: kept as plain values, said with the plan that rests on it."""
    law = growth([1e8, 3e8, 1e9], [500.0, 900.0, 1700.0])
    said = "30M: The critical batch lies beyond the batches that were run."
    kept = json.loads(json.dumps(plan_run.to_keep(law, "params", 512, "sweep.csv", [said])))
    own = plan_run.measured(kept)
    assert own is not None
    whole = whole_run(plan(unsound, flops=1e22), from_paper("steplaw_batch"), from_paper("steplaw_lr"), own)
    assert any(said in note for note in whole.notes)
    without = plan_run.measured({k: v for k, v in kept.items() if k != "warnings"})
    assert without is not None
    assert without.warnings == ()
    hostile = plan_run.measured({**kept, "warnings": [1, None, said]})
    assert hostile is not None
    assert hostile.warnings == (said,)


def test_the_headline_of_a_plan_says_it(runs):
    from dashboard.plan import chart_payload

    unsound, sound = fit(runs, "chinchilla", resamples=50), fit(runs.kept, "compute-floor", resamples=50)
    for f, said in ((unsound, True), (sound, sound.status is Status.UNSOUND)):
        here, along = plan(f, flops=1e20), plan(f, flops=np.geomspace(1e18, 1e22, 9))
        payload = chart_payload.payload(f, along, here, runs, spoken={}, chosen=None, floor=None)
        assert (WORDS in payload.sentence) is said
    assert unsound.status is Status.UNSOUND
