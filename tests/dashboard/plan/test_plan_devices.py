"""The choice of a device on the Plan page's charts: what each changes is what a plan on it says, and only that is sent."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from dashboard.budget_chart.payload import PayloadError, clean
from dashboard.plan import chart_payload, device_choice
from dashboard.plan import run as plan_run
from dashboard.plan.device_table import MAKERS, Row, edited, read, unfinished, written
from dashboard.plan.settings import DEFAULTS, read_settings
from data.library import load
from fitting import fit, plan
from fitting.batch import whole_run


@pytest.fixture(scope="module")
def ladder():
    runs = load("simulated-ladder")
    return runs, plan(fit(runs, law="chinchilla", resamples=200), flops=1e23)


def front(ladder, asked):
    runs, here = ladder
    return plan_run.front_of(here, asked, runs, None, None)


def whole(ladder, asked):
    return whole_run(ladder[1], *plan_run.rules(asked, None))


def with_choice(ladder, asked):
    found, along = front(ladder, asked), whole(ladder, asked)
    made = plan_run.front_payload(found, asked, along)

    def parts(one):
        return plan_run.front_parts(plan_run.front_on(found, one), one, along)

    return clean(replace(made, choice=device_choice.choice(asked, parts)))


def overlaid(old, parts):
    """What chart.js makes of the parts of an option."""
    if parts is None:
        return old
    if isinstance(parts, list):
        places = isinstance(old, list) and len(old) == len(parts) and old and isinstance(old[0], dict)
        return [overlaid(a, b) for a, b in zip(old, parts, strict=True)] if places else parts
    if not isinstance(parts, dict) or not isinstance(old, dict):
        return parts
    return {**old, **{k: None if v is None else overlaid(old.get(k), v) for k, v in parts.items()}}


def close(a, b):
    """The same but for rounding."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(close(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(close(x, y) for x, y in zip(a, b, strict=True))
    return a == pytest.approx(b, rel=1e-9) if isinstance(a, float) and isinstance(b, float) else a == b


@pytest.mark.parametrize("latency", [0.0, 20.0])
@pytest.mark.parametrize("device", ["A100", "B200", "mine"])
def test_an_option_is_the_front_that_the_device_itself_has(ladder, device, latency):
    table = (*MAKERS, Row("mine", 50.0, memory=24.0, price=0.3))
    asked = replace(DEFAULTS, devices=64, table=table, latency=latency, most_devices=2000, deadline=30.0)
    made = with_choice(ladder, asked)
    assert made["choice"]["at"] == "H100"
    parts = next(o["parts"] for o in made["choice"]["options"] if o["key"] == device)
    there = replace(asked, device=device)
    own = clean(plan_run.front_payload(front(ladder, there), there, whole(ladder, there)))
    shown = overlaid({**made, "choice": None}, parts)
    for name in own:
        assert close(shown[name], own[name]), name
    assert shown["budget"] != made["budget"]


def test_of_each_option_only_what_differs_is_sent(ladder):
    made = with_choice(ladder, replace(DEFAULTS, devices=64))
    options = {o["key"]: o["parts"] for o in made["choice"]["options"]}
    assert list(options) == [row.name for row in MAKERS]
    assert options["H100"] == {}
    assert options["H200"] == {}, "as fast as an H100, and nothing here asks for its memory"
    panels = options["A100"]["panels"]
    assert panels[1] is None, "devices: as many, only later"
    assert panels[2] is None, "the batch too"
    assert set(panels[0]) == {"value", "low", "high", "extras"}
    assert panels[0]["extras"][0] is None, "as much compute over the least"
    each = (len(json.dumps(made)) - len(json.dumps({**made, "choice": None}))) / len(MAKERS)
    assert each < 0.4 * len(json.dumps({**made, "choice": None}))


def test_the_budget_is_said_in_each_device_s_hours_and_money():
    asked = replace(DEFAULTS, unit="money", price=3.0)
    choice = device_choice.choice(asked, lambda one: chart_payload.spoken(one.hardware, one.device, one.unit))
    parts = {o.key: o.parts for o in choice.options}
    assert parts["H100"] == {}
    assert parts["A100"]["budget_unit"].per_flop == pytest.approx(3.0 / (312e12 * 0.4 * 3600))
    assert parts["A100"]["takes"][0].label == "on 8 A100 at 40 % of peak"


def simple(**changes):
    panel = {"key": "loss", "value": [3.0, 2.0], "format": "loss"}
    return {"grid": [20.0, 21.0], "budget": 20.5, "panels": [panel], **changes}


def options(*parts, at="a"):
    keys = "abcdefg"
    return {
        "label": "Kind",
        "at": at,
        "options": [{"key": keys[i], "label": keys[i], "parts": p} for i, p in enumerate(parts)],
    }


def test_a_grid_of_another_length_brings_all_its_panels():
    other = {"grid": [20.0, 20.5, 21.0], "panels": [{"key": "loss", "value": [3.0, 2.5, 2.0], "format": "loss"}]}
    made = clean(simple(choice=options({}, other)))
    parts = made["choice"]["options"][1]["parts"]
    assert overlaid({**made, "choice": None}, parts)["panels"][0]["value"] == [3.0, 2.5, 2.0]
    with pytest.raises(PayloadError, match="needs 3 numbers"):
        clean(simple(choice=options({}, {"grid": [20.0, 20.5, 21.0]})))


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (options({}, at="z"), "stands at one of its options"),
        (options({}, {"sentence": "no"}), "An option may change"),
        (options({}, {"grid": [2.0, 1.0]}), "increasing"),
        (options({}, {"budget": math.nan}), "finite"),
        (options({}, {"panels": [{"key": "other", "value": [1.0, 2.0], "format": "loss"}]}), "the same panels"),
    ],
)
def test_a_choice_that_cannot_be_drawn_is_refused_in_a_sentence(choice, words):
    with pytest.raises(PayloadError, match=words):
        clean(simple(choice=choice))


@pytest.mark.parametrize("devices", [0, 1, 8, 4096, 1_000_000])
@pytest.mark.parametrize("flops", [1e18, 1e20, 1e24, 1e26])
def test_a_front_begins_at_the_plan(ladder, flops, devices):
    """Whatever the devices, they share the plan's own batch, and the front has the plan's compute there."""
    runs, here = ladder
    here = plan(fit(runs, law="chinchilla", resamples=0), flops=flops)
    asked = replace(DEFAULTS, devices=devices)
    batch = float(whole_run(here, *plan_run.rules(asked, None)).batch.value)
    found = plan_run.front_of(here, asked, runs, None, None)
    there = asked.hardware.devices
    assert found.cluster.tokens == pytest.approx(batch / there)
    at = found.at_devices(there)
    assert at == pytest.approx(3600 * asked.hardware.hours(flops), rel=1e-9)
    place = int(np.argmin(np.abs(found.seconds - at)))
    assert found.seconds[place] == pytest.approx(at, rel=1e-12), "a point of the front itself"
    assert found.flops.value[place] == pytest.approx(flops, rel=1e-9)
    assert found.batch.value[place] == pytest.approx(batch, rel=1e-9)


def test_a_row_of_one_s_own_is_planned_with():
    table = read([{"name": "mine", "peak": 500, "price": 1.25}, {"name": "yours", "peak": 200.0, "memory": 16}])
    asked = read_settings({"device": "mine", "devices": 4, "price": 9.0}, table)
    assert asked.hardware.peak == 500e12
    assert asked.hardware.price == 1.25
    assert replace(asked, device="yours").hardware.price == 9.0, "no price of its own: the plan's"
    assert read_settings({"device": "gone"}, table).device == "mine"
    assert read(written(table)) == table


@pytest.mark.parametrize(
    "nonsense",
    [None, "H100", 7, [], [3], [{"name": "", "peak": 1.0}], [{"name": "a", "peak": -1}], [{"name": "a", "peak": math.inf}],
     [{"name": ["a"], "peak": 1.0}], [{"name": "a", "peak": True}], {"name": "a"}],
)  # fmt: skip
def test_a_table_that_makes_no_sense_is_the_makers(nonsense):
    assert read(nonsense) == MAKERS


def test_a_table_is_as_long_as_a_page_can_hold_and_names_once():
    many = [{"name": f"d{k % 60}", "peak": 1.0 + k} for k in range(100)]
    rows = read(many)
    assert len({row.name for row in rows}) == len(rows) <= 40


def test_edits_change_add_and_take_away_rows():
    edits = {
        "edited_rows": {0: {"price": 2.5}, "2": {"memory": None}},
        "deleted_rows": [1],
        "added_rows": [{"name": "mine <b>", "peak": 80}],
    }
    rows = edited(MAKERS, edits)
    assert [row.name for row in rows] == ["H100", *(row.name for row in MAKERS[2:]), "mine <b>"]
    assert rows[0].price == 2.5
    assert rows[1].memory is None
    assert rows[-1].peak == 80.0
    assert written(MAKERS) is None
    assert edited(MAKERS, {"deleted_rows": list(range(len(MAKERS)))}) == MAKERS, "a plan needs a device"


def test_a_row_that_is_being_typed_is_waited_for():
    assert unfinished({"added_rows": [{"name": "mine"}]})
    assert unfinished({"added_rows": [{}]})
    assert not unfinished({"added_rows": [{"name": "mine", "peak": 3.0}]})
