"""One plan, one answer: the budget's chart, the front, the shapes, the exports and the terminal say the same plan."""

from __future__ import annotations

import json
import math
import random
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import budget_chart as package
from dashboard import downloads
from dashboard.budget_chart.payload import clean
from dashboard.plan import chart_payload
from dashboard.plan import fleet as plan_fleet
from dashboard.plan import panels as plan_panels
from dashboard.plan import run as plan_run
from dashboard.plan import state as plan_state
from dashboard.plan.device_table import MAKERS, Row
from dashboard.plan.settings import DEFAULTS
from dashboard.workspace import store as workspace
from data.library import load
from fitting import fit, plan
from fitting.batch import whole_run
from fitting.planning.devices import device
from fitting.planning.hardware import Hardware
from fitting.planning.on_devices import place

APP = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"
# What the chart shows in words, by its own JavaScript, where its line stands.
READ = """charts => charts.map(payload => {
    const model = modelOf(payload);
    const texts = textsAt(model, payload.budget);
    const saying = sayingAt(model.sayings, payload.budget);
    const fill = (template) => pieces(template).map((p) => p.text ?? named(texts, p.name)).join("");
    const takes = saying?.takes ? [fill(saying.takes)] : texts.takes.map((t) => `${t.figure} ${t.label}`);
    return { texts: texts.panels,
             sentence: fill(saying?.sentence ?? model.sentence), subline: fill(saying?.subline ?? model.subline), takes,
             panels: Object.fromEntries(texts.panels.map((p) => [p.key, [p.number, p.value]])), handle: saying?.handle ?? texts.budget };
})"""

TAKES = """([payload, at]) => {
    const model = modelOf(payload);
    return at.map((one) => textsAt(model, one).takes.map((t) => `${t.figure} ${t.label}`));
}"""


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """A function that opens the Plan page and returns it with what its charts were handed and its files would hold."""
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path))
    charts, files = {}, {}

    def drawn(payload, *, key, **_):
        charts[key] = clean(payload)

    for module in (package, plan_panels):
        monkeypatch.setattr(module, "budget_chart", drawn)
    monkeypatch.setattr(downloads, "buttons", lambda made, _: files.update({f.label: f.make for f in made}))

    def at_budget(source, budget, **settings):
        charts.clear()
        space = workspace.new()
        workspace.change(space, "settings", {
            "source": source, f"budget:{source}": math.log10(budget), "plan": settings or None,
            f"fit:{source}": {"resamples": 500},
        })  # fmt: skip
        page = AppTest.from_file(str(APP), default_timeout=120)
        page.query_params["w"] = space.id
        page.switch_page("views/plan.py").run()
        assert not page.exception
        return page, charts, files

    return at_budget


LOW = {
    "probe-isoflop": (3e10, 5e13),
    "simulated-ladder": (3e18, 3e22),
    "simulated-families": (1e18, 2.4e22),
    "cerebras-gpt": (1e19, 2.3e23),
}


@pytest.mark.parametrize("devices", [0, 1, 8, 4096])
@pytest.mark.parametrize("source", LOW)
def test_every_part_says_the_same_plan(opened, run_js, source, devices):
    budgets = (*LOW[source], 1e24, 1e26)
    turn = (0, 1, 8, 4096).index(devices) + list(LOW).index(source)
    # Every budget of a source, every number of devices at each of the four heights; all of them where the number is automatic.
    for budget in budgets if not devices else (budgets[turn % 4],):
        page, charts, files = opened(f"bundled:{source}", budget, **({"devices": devices} if devices else {}))
        exported = json.loads(files["JSON"]())
        shown = dict(zip(charts, run_js(READ, list(charts.values())), strict=True))
        top, front = shown["budget"], shown.get("front")
        many = exported["devices"]
        assert exported["devices_chosen"] == bool(devices)
        assert many == (devices or many)
        html = " ".join(e.proto.body for e in page.get("html"))
        if front is not None:
            assert front["panels"]["devices"][0] == pytest.approx(many, rel=1e-9)
            assert front["panels"]["batch"][0] == pytest.approx(top["panels"]["batch"][0], rel=1e-9)
            assert front["panels"]["batch"][0] == pytest.approx(exported["batch"]["value"], rel=1e-9)
            least = exported["least_devices"]
            assert f"<td>{least:,}</td>" in html if isinstance(least, int) else "<td>does not fit</td>" in html
            field = page.number_input(key="plan_devices")
            assert field.value == (devices or None)
            assert field.placeholder == f"auto: {many:,.0f}"
        if exported["holds"]:
            assert exported["hours"] * many == pytest.approx(exported["device_hours"], rel=1e-9)
            days = chart_payload.numbers.duration(exported["hours"] * 3600)
            auto = "" if devices else " (auto)"
            assert top["takes"][0] == f"{days} on {many:,.0f} H100{auto} at 40 % of peak"
            assert top["takes"][2].startswith(chart_payload.numbers.money(exported["money"]))
            if front is not None:
                assert front["sentence"].startswith(f"Done in {days} on {many:,.0f} device")
                assert "This is the plan above." in front["subline"]
                assert front["panels"]["cost"][0] == pytest.approx(exported["money"], rel=1e-9)
        else:
            assert front is not None
            assert (exported["hours"], exported["money"], exported["device_hours"]) == (None, None, None)
            for said in (top["sentence"], *top["takes"], front["sentence"]):
                assert f"Needs at least {least:,} H100 of 80 GB: {many:,.0f} do" in said
            assert "Done in" not in front["sentence"] + front["subline"]
            assert front["panels"]["cost"] == [None, "—"]
            assert front["handle"] == "does not fit"
            assert len(top["takes"]) == 1
            assert any("Needs at least" in note for note in exported["notes"])


def words_of(page):
    """All that a page says outside of its charts."""
    said = [e.value for kind in ("caption", "markdown") for e in page.get(kind)]
    return " ".join([*said, *(e.proto.body for e in page.get("html"))])


def said_once(charts, files, run_js):
    """The plan by both charts before a drag: its time, devices, cost, batch and steps, each with the same interval."""
    exported = json.loads(files["JSON"]())
    top, front = run_js(READ, [charts["budget"], charts["front"]])
    many, least = exported["devices"], exported["least_devices"]
    panels = {p["key"]: p for p in front["texts"]}
    (above,) = (p for p in top["texts"] if p["key"] == "batch")
    batch = panels["batch"]
    assert (batch["value"], batch["range"]) == (above["value"], above["range"])
    (steps,) = (x for x in above["extras"] if " steps" in x)
    assert steps in batch["extras"]
    assert (panels["devices"]["value"], panels["devices"]["range"]) == (f"{many:,.0f}", "—")
    assert panels["cost"]["range"] == "—"
    edges = [r["from"] for r in charts["front"]["regions"] if "does not fit on fewer" in r["label"]]
    assert all(edge is None or edge >= charts["front"]["budget"] - 1e-9 for edge in edges if many >= (least or 1))
    shown = [v for p in charts["front"]["panels"] if p["key"] == "devices" for v in p["value"] if v is not None]
    assert min(shown) >= min(1.0, many) - 1e-6
    if exported["holds"]:
        days = chart_payload.numbers.duration(exported["hours"] * 3600)
        assert top["takes"][0].startswith(f"{days} on {many:,.0f} ")
        assert front["sentence"].startswith(f"Done in {days} on {many:,.0f} device")
        assert front["handle"] == days
        ends_here = charts["front"]["budget"] == charts["front"]["grid"][0]
        assert ("More devices save little time" in front["subline"]) == ends_here
        assert ("Training faster takes a larger batch" in front["subline"]) != ends_here
        assert top["takes"][2].startswith(panels["cost"]["value"])
    else:
        assert front["handle"] == "does not fit"


@pytest.mark.parametrize(
    ("source", "decade"),
    [("probe-isoflop", d) for d in range(14, 29, 2)]
    + [("simulated-ladder", d) for d in (14, 16, *range(17, 29, 2), 28)],
)
def test_the_front_says_the_plan_at_every_budget(opened, run_js, source, decade):
    page, charts, files = opened(f"bundled:{source}", 10.0**decade)
    if source == "simulated-ladder" and decade <= 16:  # Zhang's law begins at some millions of parameters
        assert "front" not in charts
        assert "has no critical batch for a model of" in words_of(page)
    else:
        said_once(charts, files, run_js)


@pytest.mark.parametrize(("budget", "devices"), [(10**21.5, 2), (10**22.5, 4), (10**23.5, 13)])
def test_exactly_the_fewest_devices_hold_the_plan(opened, run_js, budget, devices):
    """The stretch of too few begins beyond them."""
    _, charts, files = opened("bundled:simulated-ladder", budget, devices=devices)
    assert json.loads(files["JSON"]())["least_devices"] == devices
    said_once(charts, files, run_js)


HELD = {1e14: ("1", "5B", "100B", "1T"), 2.5e17: ("100", "5B", "1T"), 1e28: ("10B", "100B")}  # sizes by budget
TEXTS = {1e14: "1000", 2.5e17: "1", 1e28: "1000"}


@pytest.mark.parametrize(
    ("budget", "held"),
    [(c, {"size": s}) for c, sizes in HELD.items() for s in sizes] + [(c, {"text": t}) for c, t in TEXTS.items()],
)
def test_a_plan_without_a_front_says_why(opened, run_js, budget, held):
    """Of sizes or texts far from what the budget suits: the plan is said, and its front or the reason there is none."""
    page, charts, files = opened("bundled:probe-isoflop", budget, **held)
    said = words_of(page)
    assert "went wrong" not in said
    assert "log scale" not in said
    assert "budget" in charts
    if "front" in charts:
        said_once(charts, files, run_js)
    else:
        assert "of the time: the batch is far above the critical one" in said or "less than one step" in said


def test_a_share_of_ones_own_makes_another_batch_and_the_front_says_so(opened, run_js):
    """16,384 tokens on each of 512 devices make a batch of 8.4 M where the plan has 2.1 M."""
    _, charts, _ = opened("bundled:simulated-ladder", 3e22, devices=512, device_tokens=16384.0)
    (front,) = run_js(READ, [charts["front"]])
    assert front["panels"]["batch"][0] == pytest.approx(512 * 16384)
    assert [p["range"] for p in front["texts"] if p["key"] in ("devices", "batch")] == ["—", "—"]
    assert front["subline"].startswith(
        "Not the plan above: each device takes 16\u202fk tokens per step, which makes a batch of 8.4"
    )
    top = charts["budget"]
    batch = next(p for p in top["panels"] if p["key"] == "batch")
    planned = batch["value"][int(np.argmin(np.abs(np.array(top["grid"]) - top["budget"])))]
    b_crit = charts["front"]["panels"][2]["other"]["value"][0]
    more = (1 + 512 * 16384 / b_crit) / (1 + planned / b_crit) - 1
    assert f"takes {chart_payload.numbers.percent(more)} more compute" in front["subline"]


def test_a_batch_of_the_runs_own_is_a_note_and_no_second_plan(opened, run_js):
    page, charts, files = opened("bundled:simulated-ladder", 3e22, runs_batch="500k")
    said = " ".join(c.value for c in page.caption).replace("\\", "")
    assert "500 k tokens per step (as entered), the plan takes 2.1 M" in said
    assert re.search(r"At B_crit = .+ tokens, reaching the planned loss takes .+ more tokens\.", said)
    top, front = run_js(READ, [charts["budget"], charts["front"]])
    assert front["panels"]["cost"][0] == pytest.approx(json.loads(files["JSON"]())["money"], rel=1e-9)
    assert top["panels"]["batch"][0] == pytest.approx(front["panels"]["batch"][0], rel=1e-9)


def test_steps_that_wait_lengthen_the_plan_in_every_part(opened, run_js):
    _, charts, files = opened("bundled:simulated-ladder", 3e22, devices=64, latency=500.0)
    exported = json.loads(files["JSON"]())
    top, front = run_js(READ, [charts["budget"], charts["front"]])
    days = chart_payload.numbers.duration(exported["hours"] * 3600)
    assert exported["hours"] == pytest.approx((3e22 / (64 * 989e12 * 0.4) + 0.5 * exported["steps"]["value"]) / 3600)
    assert top["takes"][0].startswith(f"{days} on 64 H100")
    assert front["sentence"].startswith(f"Done in {days} on 64 devices")
    assert front["panels"]["cost"][0] == pytest.approx(exported["money"], rel=1e-9)


@pytest.fixture(scope="module")
def ladder():
    runs = load("simulated-ladder")
    fitted = fit(runs, law="chinchilla", resamples=50)
    along = chart_payload.sweep(fitted, chart_payload.budgets(fitted, 22.0))
    return runs, fitted, along, whole_run(along, *plan_run.rules(DEFAULTS, None))


@pytest.mark.parametrize("name", [row.name for row in MAKERS])
def test_the_number_of_devices_is_one_on_the_page_in_the_browser_and_in_the_terminal(ladder, run_js, name):
    _, fitted, along, whole = ladder
    asked = replace(DEFAULTS, device=name)
    shared = plan_fleet.fleet(asked, along, whole, "params")
    draw = random.Random(3)
    ends = np.log10(along.flops.value)
    budgets = [draw.uniform(ends[0], ends[-1]) for _ in range(60)] + [float(at) for at in ends] + [20.0, 24.0, 26.0]
    found = run_js("([counts, at]) => at.map((one) => countAt(counts, one))", [clean_counts(shared), budgets])
    assert found == [shared.at(at) for at in budgets]
    kind = device(name)
    for at in budgets[:25] + budgets[-3:]:
        here = plan(fitted, flops=10.0**at)
        alone = place(
            here, lambda c: plan(fitted, flops=c), lambda p: whole_run(p, *plan_run.rules(DEFAULTS, None)),
            Hardware(1.0, kind.peak, 0.4), None, memory=kind.memory, name=name,
        )  # fmt: skip
        assert alone.devices == shared.at(at), at
        assert alone.holds or alone.least == math.inf


def clean_counts(shared):
    return [list(pair) for pair in shared.counts]


def test_the_browser_says_devices_and_time_along_a_drag_as_python_would(ladder, run_js):
    """Between the rows of the table too: the number, the time and the cost are those that Python says when let go of there."""
    runs, fitted, along, whole = ladder
    here = plan(fitted, flops=1e22)
    whole_here = whole_run(here, *plan_run.rules(DEFAULTS, None))
    asked = replace(DEFAULTS, latency=100.0)
    shown = plan_state.placed(fitted, along, here, (whole, whole_here), asked)
    made = clean(chart_payload.payload(fitted, along, here, runs, spoken=plan_fleet.parts(shown, along, here, "params"),
                                    whole=(whole, whole_here), latency=0.1))  # fmt: skip
    budgets = [18.3, 19.99, 21.234, 22.0, 23.456, 24.0, 24.999, 25.7]
    found = run_js(TAKES, [made, budgets])
    for at, takes in zip(budgets, found, strict=True):
        there = plan(fitted, flops=10.0**at)
        own = whole_run(there, *plan_run.rules(DEFAULTS, None))
        said = plan_state.placed(fitted, along, there, (whole, own), asked).planned
        assert (
            takes[0]
            == f"{chart_payload.numbers.duration(said.seconds)} on {said.devices:,.0f} H100 (auto) at 40 % of peak"
        )
        assert takes[2].startswith(chart_payload.numbers.money(said.money) + " ")


def test_a_chosen_number_stays_and_an_automatic_one_follows_the_budget(ladder):
    _, _, along, whole = ladder
    free = plan_fleet.fleet(DEFAULTS, along, whole, "params")
    assert free.at(20.0) < free.at(22.0) < free.at(24.0) < free.at(25.5)
    fixed = plan_fleet.fleet(replace(DEFAULTS, devices=96), along, whole, "params")
    assert {fixed.at(at) for at in (18.0, 22.0, 26.0)} == {96}


def test_where_a_chosen_number_stops_holding_the_model_is_said_along_the_drag(ladder, run_js):
    """Eight H100 hold a model of some 16 B parameters and no larger one; a name of a person's own fills no template."""
    runs, fitted, along, whole = ladder
    table = (Row("H100", 989.0, memory=80.0), Row("{loss} <b>", 989.0, memory=80.0))
    for name in ("H100", "{loss} <b>"):
        here = plan(fitted, flops=1e21)
        asked = replace(DEFAULTS, devices=8, device=name, table=table)
        own = whole_run(here, *plan_run.rules(DEFAULTS, None))
        shown = plan_state.placed(fitted, along, here, (whole, own), asked)
        made = clean(
            chart_payload.payload(fitted, along, here, runs, spoken=plan_fleet.parts(shown, along, here, "params"))
        )
        assert shown.planned.holds
        early, late = (run_js(READ, [{**made, "budget": at}])[0] for at in (21.0, 25.0))
        assert "Expect a loss" in early["sentence"]
        needed = plan_state.placed(fitted, along, plan(fitted, flops=1e25), None, asked).planned.least
        assert f"Needs at least {needed:,} " in late["sentence"]
        assert late["takes"] == [late["sentence"].partition("tokens. ")[2]]
