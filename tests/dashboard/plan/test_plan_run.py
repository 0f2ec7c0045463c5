"""The front of time and compute on the Plan page: its payload, its limits in words, and where its laws come from."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from dashboard.budget_chart.payload import clean
from dashboard.plan import life as plan_life
from dashboard.plan import run as plan_run
from dashboard.plan.device_table import Row
from dashboard.plan.settings import DEFAULTS
from data import read_runs
from data.library import load
from fitting import FitError, fit, plan
from fitting.batch import from_paper, growth, whole_run
from fitting.planning.step_time import step_time


@pytest.fixture(scope="module")
def ladder():
    runs = load("simulated-ladder")
    fitted = fit(runs, law="chinchilla", resamples=200)
    return runs, fitted, plan(fitted, flops=1e23)


def front(ladder, asked):
    runs, _, here = ladder
    return plan_run.front_of(here, asked, runs, None, None)


def payload(ladder, asked):
    f = front(ladder, asked)
    batch, lr = plan_run.rules(asked, None)
    return f, clean(plan_run.front_payload(f, asked, whole_run(ladder[2], batch, lr)))


def test_the_line_stands_at_the_devices_there_are(ladder):
    asked = replace(DEFAULTS, devices=256, device_tokens=16_384)
    f, made = payload(ladder, asked)
    place = int(np.argmin(np.abs(np.array(made["grid"]) - made["budget"])))
    assert made["grid"][place] == pytest.approx(made["budget"], abs=1e-12)
    panels = {p["key"]: p for p in made["panels"]}
    assert panels["devices"]["value"][place] == 256
    assert panels["batch"]["value"][place] == pytest.approx(256 * asked.device_tokens, rel=1e-9)
    assert panels["cost"]["format"] == "money"
    assert plan_run.devices_at(f, made["budget"]) == 256


def test_letting_go_of_the_line_gives_whole_devices_and_stays_there(ladder):
    f, _ = payload(ladder, DEFAULTS)
    for at in np.linspace(math.log10(f.seconds[0]), math.log10(f.seconds[-1]), 9):
        devices = plan_run.devices_at(f, float(at))
        again = front(ladder, replace(DEFAULTS, devices=devices))
        assert plan_run.devices_at(again, math.log10(again.at_devices(devices))) == devices


def test_without_a_price_the_front_is_in_flop(ladder):
    _, made = payload(ladder, replace(DEFAULTS, price=0.0))
    assert made["panels"][0]["format"] == "flop"


def test_limits_are_hatched_and_said(ladder):
    """A deadline from the right, devices and money from the left; the sentence names the window, or what cannot be."""
    alike = replace(DEFAULTS, device_tokens=16_384)  # however many devices: one front
    f = front(ladder, alike)
    days = f.at_devices(128) / plan_run.DAY
    asked = replace(alike, devices=300, deadline=days, most_devices=512, most_money=1e9)
    f, made = payload(ladder, asked)
    regions = {r["label"]: r for r in made["regions"]}
    assert set(regions) == {"more than 512 devices", *(k for k in regions if k.startswith("after "))}
    assert regions["more than 512 devices"]["to"] == pytest.approx(math.log10(f.at_devices(512)), abs=1e-9)
    assert "the line lies inside" in plan_run.verdict(f, asked)
    few = replace(asked, most_devices=64)
    assert "cannot reach this loss within the deadline" in plan_run.verdict(front(ladder, few), few)
    assert "the line lies outside" in plan_run.verdict(
        front(ladder, replace(asked, devices=8)), replace(asked, devices=8)
    )
    poor = replace(alike, most_money=1.0)
    assert plan_run.verdict(front(ladder, poor), poor).startswith("The max cost cannot reach this loss.")
    assert plan_run.verdict(f, DEFAULTS) == ""


def test_what_the_runs_batch_is_taken_from(ladder):
    """Typed before the table's own, the table's own before the rule's; a column that grows is followed."""
    runs, _, here = ladder
    rule = plan_run.rules(DEFAULTS, None)[0]
    assert plan_run.runs_batch(DEFAULTS, runs, rule)[0] is rule
    advice, words = plan_run.runs_batch(replace(DEFAULTS, runs_batch="2M"), runs, rule)
    assert advice.value(here.split.best)[0, 0] == 2e6
    assert words == "as entered"
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(1e8, 1e9, 4), np.geomspace(1e9, 1e10, 4)))
    frame = pd.DataFrame({"params": n, "tokens": d, "loss": 2 + n**-0.1, "batch_tokens": 0.58 * d**0.571})
    grown = read_runs(frame, name="grown.csv")
    advice, words = plan_run.runs_batch(DEFAULTS, grown, rule)
    between = {"params": np.array([[3e8]]), "tokens": np.array([[3e9]])}
    assert advice.value(between)[0, 0] == pytest.approx(0.58 * 3e9**0.571, rel=1e-6)


def test_a_critical_batch_of_ones_own(ladder):
    """A number, or a law kept from a batch sweep; nonsense in what was kept is as if nothing were."""
    assert plan_run.critical(replace(DEFAULTS, critical="number"), None) is None
    assert isinstance(front(ladder, replace(DEFAULTS, critical="number")), FitError)
    given = replace(DEFAULTS, critical="number", critical_batch="3M")
    assert front(ladder, given).b_crit == 3e6
    law = growth([1e8, 3e8, 1e9], [500.0, 900.0, 1700.0])
    kept = json.loads(json.dumps(plan_run.to_keep(law, "params", 512, "sweep.csv")))
    own = plan_run.measured(kept)
    assert own is not None
    here = ladder[2]
    f = plan_run.front_of(here, replace(DEFAULTS, critical="measured"), ladder[0], None, own)
    assert f.b_crit == pytest.approx(512 * law.at(here.params.value).value, rel=1e-4)
    nonsense = [None, [], {"along": "shoe size"}, {**kept, "draws": "abc"}, {**kept, "best": [1.0]}, {**kept, "unit_tokens": "x"},
                {**kept, "ends": [0, 1]}, {**kept, "draws": []}, {**kept, "best": [float("nan"), 1.0]}]  # fmt: skip
    assert [plan_run.measured(n) for n in nonsense] == [None] * len(nonsense)


def test_shapes_and_what_they_hold():
    """16 bytes a parameter; what no device of the list holds in one pass is not said to fit; a vocabulary that takes all steps aside."""
    found = plan_run.shapes_of(7e9, "params")
    assert not isinstance(found, FitError)
    held, least = plan_run.memory_of(found[0], DEFAULTS)
    assert held == pytest.approx(16 * found[0].params, rel=1e-6)
    assert least is not None
    assert least >= held / 80e9
    assert plan_run.memory_of(found[0], replace(DEFAULTS, table=(Row("mine", 50.0),)))[1] is None
    tiny = plan_run.shapes_of(7e4, "params")
    assert not isinstance(tiny, FitError)
    assert tiny[0].count == "params_nonembed"
    small = plan_run.shapes_of(7e4, "params_nonembed", 256)
    assert not isinstance(small, FitError)
    assert plan_run.memory_of(small[0], DEFAULTS)[0] == pytest.approx(
        16 * (7e4 + 2 * 256 * small[0].shape.width), rel=0.05
    )


def test_a_model_too_large_for_few_devices_bounds_the_front(ladder):
    f = front(ladder, DEFAULTS)
    batch, lr = plan_run.rules(DEFAULTS, None)
    made = clean(plan_run.front_payload(f, DEFAULTS, whole_run(ladder[2], batch, lr), least=16))
    (region,) = made["regions"]
    assert region["label"] == "does not fit on fewer than 16"
    assert region["from"] == pytest.approx(math.log10(f.at_devices(16)), abs=1e-6)
    assert plan_run.verdict(f, DEFAULTS, 16) == ""  # nobody set a limit
    asked = replace(DEFAULTS, devices=8, most_devices=64)
    assert "the line lies outside" in plan_run.verdict(front(ladder, asked), asked, 16)


def test_a_batch_that_grows_along_the_run(ladder):
    """By Kaplan's law of the loss: doublings on the plan's tokens, the rate by the root of the batch, fewer steps than fixed."""
    _, fitted, here = ladder
    batch, lr = plan_run.rules(DEFAULTS, None)
    whole = whole_run(here, batch, lr)
    found = plan_run.growing(fitted, here, whole, from_paper("kaplan_critical"))
    assert not isinstance(found, FitError)
    first, *rest = found.stages
    assert rest
    for before, after in pairwise(found.stages):
        assert after.batch in [before.batch * 2**k for k in range(1, 5)]
        assert after.optimiser.lr == pytest.approx(before.optimiser.lr * np.sqrt(after.batch / before.batch), rel=1e-9)
    assert first.optimiser.lr == pytest.approx(whole.lr.value * np.sqrt(first.batch / whole.batch.value))
    assert 0 < found.steps_saved < 0.1
    refused = plan_run.growing(fitted, here, whole, from_paper("zhang_coupled"))
    assert isinstance(refused, FitError)
    assert "does not change along a run" in str(refused)
    assert isinstance(plan_run.growing(fitted, here, whole, None), FitError)


def timed(flops_a_second):
    """Steps of models of three sizes that take what they do at a speed, after 50 ms."""
    rng = np.random.default_rng(0)
    n, batch = (v.ravel() for v in np.meshgrid([1e8, 3e8, 1e9], [2.0**17, 2.0**18, 2.0**19]))
    seconds = (0.05 + 6.0 * n * batch / flops_a_second) * np.exp(0.01 * rng.standard_normal(n.size))
    return step_time(pd.DataFrame({"params": n, "batch": batch, "step_seconds": seconds}))


def test_steps_on_a_cpu_say_nothing_of_a_device():
    n, batch = (v.ravel() for v in np.meshgrid([1e8, 3e8, 1e9], [2.0**17, 2.0**18, 2.0**19]))
    columns = {"params": n, "tokens": 20 * n, "loss": n**-0.1, "batch": batch, "step_seconds": 6.0 * n * batch / 1e11}
    measured = read_runs(pd.DataFrame(columns))
    assert plan_run.timed(None, measured) is not None
    on_cpu = read_runs(pd.DataFrame({**columns, "device": "cpu"}))
    assert plan_run.on_a_cpu(on_cpu)
    assert plan_run.timed(None, on_cpu) is None


def test_a_speed_that_no_device_gives_is_not_planned_with():
    said, share, start = plan_run.speed_words(timed(300e12), DEFAULTS)
    assert share == pytest.approx(30.3, rel=0.05)
    assert start == pytest.approx(50, rel=0.2)
    assert "of this peak" in said
    said, share, _ = plan_run.speed_words(timed(1.5e15), DEFAULTS)
    assert share is None
    assert "of one H100's peak, which is impossible" in said
    speed, told = plan_life.speed_of(
        fit(load("simulated-ladder"), "chinchilla", resamples=0), DEFAULTS, 1e6, timed(1.5e15)
    )
    assert "40 % of one H100's peak" in told
    assert speed(1e9) == pytest.approx(0.4 * 989e12 / 6e9)
