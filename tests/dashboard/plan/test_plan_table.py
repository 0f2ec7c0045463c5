"""The table behind the dragged chart says what `plan` says, at the budget and between its nodes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from dashboard.budget_chart.payload import clean
from dashboard.plan import chart_payload
from data.library import bundled, load
from fitting import fit, plan
from fitting.batch import from_paper, whole_run
from fitting.planning.hardware import Hardware

HARDWARE = Hardware(devices=64, price=2.0)


@pytest.fixture(scope="module")
def ladder():
    runs = load("simulated-ladder")
    return runs, fit(runs, resamples=400)


def table(runs, fitted, at, chosen=None, hardware=HARDWARE, unit="flop"):
    here = plan(fitted, flops=10.0**at, params=chosen)
    along = chart_payload.sweep(fitted, chart_payload.budgets(fitted, at), chosen)
    spoken = chart_payload.spoken(hardware, "H100", unit)
    return here, clean(chart_payload.payload(fitted, along, here, runs, spoken=spoken, chosen=chosen))


@pytest.mark.parametrize("at", [18.0, 21.37, 23.76, 27.5])
def test_the_budget_itself_is_in_the_table_exactly(ladder, at):
    runs, fitted = ladder
    here, made = table(runs, fitted, at)
    place = int(np.argmin(np.abs(np.array(made["grid"]) - at)))
    assert made["grid"][place] == pytest.approx(at, abs=1e-12)
    assert made["budget"] == pytest.approx(at, abs=1e-12)
    panels = {p["key"]: p for p in made["panels"]}
    for key, band in (("loss", here.loss), ("params", here.params), ("tokens", here.tokens)):
        for end in ("value", "low", "high"):
            assert panels[key][end][place] == pytest.approx(getattr(band, end), rel=1e-12)
    assert panels["tokens"]["extras"][0]["value"][place] == pytest.approx(here.tokens_per_param.value, rel=1e-12)


def test_straight_lines_between_nodes_miss_by_less_than_a_reader_can_see(ladder):
    runs, fitted = ladder
    _, made = table(runs, fitted, 22.0)
    grid = np.array(made["grid"])
    between = 0.5 * (grid[1:] + grid[:-1])
    exact = plan(fitted, flops=10.0**between)
    panels = {p["key"]: p for p in made["panels"]}
    for key, scale in (("loss", np.array), ("params", np.log), ("tokens", np.log)):
        for end in ("value", "low", "high"):
            line = np.interp(between, grid, scale(panels[key][end]))
            assert np.max(np.abs(line - scale(getattr(getattr(exact, key), end)))) < 4e-3, (key, end)


def test_the_size_held_costs_what_plan_says_and_stays_flat(ladder):
    runs, fitted = ladder
    here, made = table(runs, fitted, 22.0, chosen=5e8)
    panels = {p["key"]: p for p in made["panels"]}
    assert set(np.round(panels["params"]["value"], 3)) == {5e8}
    place = made["grid"].index(made["budget"])
    assert panels["loss"]["extras"][0]["value"][place] == pytest.approx(here.penalty.value, rel=1e-12)
    assert here.penalty.value > 0
    assert panels["params"]["wide"] is None


def test_runs_set_aside_are_hollow_and_keep_their_names(ladder):
    runs, _ = ladder
    name = str(runs.kept["run"].iloc[3])
    kept = runs.kept.copy()
    hostile = '<b>x</b> {params} & "y"'
    kept.loc[kept["run"] == name, "run"] = hostile
    changed = dataclasses.replace(runs, kept=kept).exclude([hostile])
    fitted = fit(changed, resamples=50)
    points = chart_payload.points(fitted, changed)
    assert len(points.name) == len(runs.kept)
    assert [n for n, h in zip(points.name, points.hollow, strict=True) if h] == [hostile]


def test_a_law_of_compute_has_one_panel(ladder):
    runs, _ = ladder
    fitted = fit(runs, law="compute-floor", resamples=50)
    _, made = table(runs, fitted, 22.0)
    assert [p["key"] for p in made["panels"]] == ["loss"]
    assert "{loss}" in made["sentence"]


def test_units_agree_with_the_hardware(ladder):
    runs, fitted = ladder
    found = chart_payload.units(HARDWARE)
    flops = 1e22
    assert found["hours"].per_flop * flops == pytest.approx(HARDWARE.device_hours(flops))
    assert found["time"].per_flop * flops == pytest.approx(3600 * HARDWARE.hours(flops))
    assert found["money"].per_flop * flops == pytest.approx(HARDWARE.money(flops))
    assert "money" not in chart_payload.units(Hardware(devices=64))
    _, made = table(runs, fitted, 22.0, unit="money")
    assert made["budget_unit"]["format"] == "money"
    _, free = table(runs, fitted, 22.0, hardware=Hardware(devices=2))
    assert [t["format"] for t in free["takes"]] == ["duration", "count"]


def test_the_chart_reaches_any_budget_asked_for(ladder):
    _, fitted = ladder
    for at in (12.2, 21.0, 31.7):
        nodes = chart_payload.budgets(fitted, at)
        assert nodes[0] <= at <= nodes[-1]
        assert nodes[-1] >= np.log10(fitted.ranges["flops"][1]) + 3.9


def test_what_goes_with_the_plan_moves_with_the_budget(ladder):
    """Batch, critical batch, learning rate and steps stand at the budget exactly as `whole_run` gives them."""
    runs, fitted = ladder
    here = plan(fitted, flops=10.0**22.3)
    along = chart_payload.sweep(fitted, chart_payload.budgets(fitted, 22.3))
    laws = (from_paper("steplaw_batch"), from_paper("steplaw_lr"), from_paper("zhang_coupled"))
    whole = whole_run(along, *laws), whole_run(here, *laws)
    spoken = chart_payload.spoken(HARDWARE, "H100", "flop")

    def made(every):
        return clean(chart_payload.payload(fitted, along, here, runs, spoken=spoken, whole=whole, every=every))

    few, every = made(False), made(True)
    place = int(np.argmin(np.abs(np.array(few["grid"]) - 22.3)))
    panels = {p["key"]: p for p in every["panels"]}
    assert list(panels) == ["loss", "params", "tokens", "batch", "lr", "steps"]
    batch = few["panels"][3]
    under = {e["label"]: e for e in batch["extras"]}
    wanted = {"critical": whole[1].critical, "learning rate": whole[1].lr, "steps": whole[1].steps}
    for end in ("value", "low", "high"):
        assert batch[end][place] == pytest.approx(getattr(whole[1].batch, end), rel=1e-12)
        for label, band in wanted.items():
            assert under[label][end][place] == pytest.approx(getattr(band, end), rel=1e-12)
        assert panels["lr"][end] == under["learning rate"][end]
        assert panels["steps"][end] == under["steps"][end]
    assert batch["other"]["value"][place] == pytest.approx(whole[1].critical.value, rel=1e-12)


@pytest.mark.parametrize("law", ["chinchilla", "general", "kaplan", "compute-floor"])
def test_no_band_of_loss_lies_under_a_floor_that_is_known_and_the_chart_says_so(law):
    """The bundled language's entropy is known: what a law or a new run would have under it is cut off, in words."""
    (floor,) = (e.true_floor for e in bundled() if e.key == "probe-isoflop")
    runs = load("probe-isoflop")
    fitted = fit(runs, law, prior="none", resamples=300)
    here, along = plan(fitted, flops=1e20), chart_payload.sweep(fitted, chart_payload.budgets(fitted, 20.0))
    spoken = chart_payload.spoken(HARDWARE, "H100", "flop")
    loss = clean(chart_payload.payload(fitted, along, here, runs, spoken=spoken, floor=floor))["panels"][0]
    free = clean(chart_payload.payload(fitted, along, here, runs, spoken=spoken))["panels"][0]
    assert min(free["wide"]["low"]) < floor
    for band in (loss, loss["wide"]):
        assert min(band["low"]) >= floor
        assert min(band["high"]) >= floor
    assert loss["value"] == free["value"]
    assert np.array_equal(loss["wide"]["low"], np.maximum(free["wide"]["low"], floor))
    (said,) = [e["label"] for e in loss["extras"] if "floor" in e["label"]]
    assert said.startswith("bands are cut at the true floor, 1.076")
    assert ("goes under it" in said) == (min(free["value"]) < floor)
    assert not any("floor" in e["label"] for e in free["extras"])


def test_budgets_that_buy_no_token_at_a_chosen_size_are_left_out(ladder):
    """One token of training costs 6 N: the chart at 10^14 parameters begins above 6e14 FLOP."""
    nodes = np.linspace(13.0, 22.0, 37)
    along = chart_payload.sweep(ladder[1], nodes, 1e14)
    assert np.log10(along.flops.value) == pytest.approx(nodes[nodes > np.log10(6e14)])
    assert along.tokens.value[0] == pytest.approx(along.flops.value[0] / 6e14)


def test_the_units_that_may_be_typed_come_with_the_budgets_own():
    """A time converts only on a number of devices that stays, money only where a price is known."""
    for unit in ("flop", "hours", "time", "money"):
        said = chart_payload.spoken(HARDWARE, "H100", unit)["budget_unit"]
        assert said.also == {k: u.per_flop for k, u in chart_payload.units(HARDWARE).items() if k != "flop"}, unit
        free = chart_payload.spoken(dataclasses.replace(HARDWARE, price=None), "H100", unit, auto=True)[
            "budget_unit"
        ].also
        assert free["money"] is None, unit
        assert (free["time"] is None) == (unit != "time")
