"""The Plan page, opened without a browser: its settings, its other questions, and what it says when it cannot plan."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.plan.settings import DEFAULTS, PlanSettings, read_settings
from dashboard.workspace import store as workspace
from data.library import load
from fitting import fit, plan

APP = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"


@pytest.fixture
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path))


@pytest.fixture
def page(own_home):
    """A function that opens the Plan page on a fresh workspace with these settings."""

    def open_page(**settings):
        space = prepared(**settings)
        return visit(space if settings else None), space

    return open_page


def prepared(**settings):
    """A fresh workspace with these settings, and few refits: a run of the page works on each of them."""
    space = workspace.new()
    if settings:
        few = {"resamples": 500, **settings.get(f"fit:{settings['source']}", {})}
        workspace.change(space, "settings", {**settings, f"fit:{settings['source']}": few})
    return space


def visit(space, **query):
    """The Plan page opened on a workspace, in a session of its own."""
    at = AppTest.from_file(str(APP), default_timeout=60)
    for name, value in (({"w": space.id} if space else {}) | query).items():
        at.query_params[name] = value
    at.switch_page("views/plan.py")
    return at.run()


def budget(at) -> float:
    """The budget in the address, in FLOP."""
    asked = at.query_params["c"]
    return float(asked if isinstance(asked, str) else asked[0])


def html(at) -> str:
    """All the page's own HTML."""
    return " ".join(e.proto.body for e in at.get("html"))


def words(at) -> str:
    return " ".join(c.value for c in at.caption)


def test_it_opens_on_the_bundled_runs_and_says_how_far_beyond_them(page):
    at, _ = page()
    assert not at.exception
    assert "beyond the largest run" in words(at)
    fitted = load("redpajama-overtraining").fitted.kept
    assert budget(at) == pytest.approx(10**0.5 * fitted["flops"].max(), rel=1e-5), "short of the runs held out"
    at, _ = page(source="bundled:probe-isoflop")
    assert budget(at) == pytest.approx(10 * load("probe-isoflop").kept["flops"].max(), rel=1e-5)


def test_a_page_drawn_again_reads_no_bundled_table_again(page, monkeypatch):
    """Its ladder of batches is asked for in several places each time."""
    at, _ = page(source="bundled:probe-isoflop")

    def read(*_):
        raise AssertionError("read again")

    monkeypatch.setattr("data.library.load", read)
    at.text_input(key="plan_size").set_value("1M").run()
    assert not at.exception
    assert "above what the best size would reach" in words(at)
    assert "size sweep, of this language" in words(at) + html(at)


def test_a_size_held_says_what_it_costs(page):
    at, space = page(source="bundled:simulated-ladder")
    at.text_input(key="plan_size").set_value("1B").run()
    assert not at.exception
    assert "above what the best size would reach" in words(at)
    assert workspace.values(space)["plan"] == {"size": "1B"}
    at.text_input(key="plan_size").set_value("a few").run()
    assert "A size is a number of parameters" in words(at)


def test_a_loss_wanted_gives_the_budget_that_plan_gives(page):
    at, space = page(source="bundled:simulated-ladder")
    fitted = fit(load("simulated-ladder"), resamples=0)
    at.text_input(key="plan_loss").set_value("2.1").run()
    assert "It takes" in words(at)
    show = next(b for b in at.button if b.label == "Show on the chart")
    show.click().run()
    needs = plan(fitted, loss=2.1).flops.value
    assert workspace.values(space)["budget:bundled:simulated-ladder"] == pytest.approx(math.log10(needs), abs=1e-9)
    assert budget(at) == pytest.approx(needs, rel=1e-5)


def test_a_loss_out_of_reach_is_refused_in_a_sentence(page):
    at, _ = page(source="bundled:simulated-ladder")
    for wanted in ("1.5", "0", "-3", "soon"):
        at.text_input(key="plan_loss").set_value(wanted).run()
        assert not at.exception, wanted
        assert "loss" in words(at), wanted
        assert (r"such as 2\.1" in words(at)) == (wanted != "1.5"), wanted
        assert not [b for b in at.button if b.label == "Show on the chart"], wanted


def test_a_budget_in_the_address_is_taken_up_and_kept(own_home):
    space = prepared(source="bundled:simulated-ladder")
    visit(space, c="3e23")
    assert workspace.values(space)["budget:bundled:simulated-ladder"] == pytest.approx(math.log10(3e23))
    assert not workspace.history(space).undo.startswith("budget")


@pytest.mark.parametrize("nonsense", ["", "nan", "-1", "1e99", "<script>", "12"])
def test_a_budget_that_makes_no_sense_is_left_alone(own_home, nonsense):
    space = prepared(source="bundled:simulated-ladder")
    fresh = visit(space, c=nonsense)
    assert not fresh.exception
    assert "budget:bundled:simulated-ladder" not in workspace.values(space)


def test_settings_survive_another_visit(page):
    at, space = page(source="bundled:simulated-ladder")
    at.number_input(key="plan_devices").set_value(512).run()
    at.number_input(key="plan_device_tokens").set_value(4096).run()
    at.number_input(key="plan_hour").set_value(0.0).run()
    again = visit(space)
    assert again.number_input(key="plan_devices").value == 512
    assert again.number_input(key="plan_device_tokens").value == 4096
    assert "money" not in again.segmented_control(key="plan_unit").options


def test_fields_say_what_the_workspace_says_after_an_undo(page):
    at, space = page(source="bundled:simulated-ladder")
    at.number_input(key="plan_devices").set_value(512).run()
    at.number_input(key="plan_hour").set_value(3.5).run()
    at.text_input(key="plan_size").set_value("7B").run()
    for _ in range(3):
        workspace.undo(space)
    at.run()
    assert at.number_input(key="plan_devices").value is None
    assert at.number_input(key="plan_devices").placeholder.startswith("auto: ")
    assert at.number_input(key="plan_hour").value == 2.0
    assert at.text_input(key="plan_size").value == ""


def test_the_table_of_devices_and_each_one_s_price(page):
    mine = [{"name": "H100", "peak": 989.0}, {"name": "<b>mine</b>", "peak": 50.0, "memory": 24.0, "price": 0.5}]
    at, space = page(source="bundled:simulated-ladder", devices=mine, plan={"device": "<b>mine</b>"})
    assert not at.exception
    assert at.number_input(key="plan_hour").value == 0.5
    assert "Fewest &lt;b&gt;mine&lt;/b&gt;" in html(at)
    at.number_input(key="plan_hour").set_value(0.75).run()
    assert workspace.values(space)["devices"][1]["price"] == 0.75
    assert workspace.values(space)["devices"][0]["price"] is None
    at.button(key="devices_back").click().run()
    assert "devices" not in workspace.values(space)
    assert at.number_input(key="plan_hour").value == 2.0


def test_a_table_no_law_can_plan_gets_a_sentence(page):
    at, _ = page(**{"source": "bundled:simulated-ladder", "fit:bundled:simulated-ladder": {"law": "kaplan-params"}})
    assert not at.exception
    assert "cannot split a budget" in html(at)
    assert not at.text_input


@pytest.mark.parametrize(
    "values",
    [
        None,
        [],
        "x",
        {"devices": True},
        {"devices": 0},
        {"price": float("nan")},
        {"device": "<b>"},
        {"utilisation": 1e9},
    ],
)
def test_stale_or_hostile_settings_fall_back(values):
    assert read_settings(values) == DEFAULTS


def test_settings_come_back_as_written():
    wanted = PlanSettings(unit="money", device="A100", devices=3, utilisation=33.0, price=0.0, size="7B")
    assert read_settings(wanted.written()) == wanted
    assert wanted.chosen == 7e9
    assert wanted.hardware.peak == 312e12
    assert wanted.hardware.price is None


def test_batch_and_rate_come_from_the_paper_asked_for(page):
    """Each law of the menu draws the page; the note says what it was found on; a number that is missing is asked for."""
    at, space = page(source="bundled:simulated-ladder")
    assert "optimal batch" in words(at)
    assert "Step Law" in words(at)
    at.selectbox(key="plan_rule").select("porian").run()
    assert "Porian et al" in words(at)
    assert "Step Law" not in words(at)
    at.selectbox(key="plan_critical").select("number").run()
    assert not at.exception
    assert "Enter a number, or choose a paper" in html(at)
    at.text_input(key="plan_critical_batch").set_value("2M").run()
    assert not at.exception
    assert "Enter a number, or choose a paper" not in html(at)
    assert workspace.values(space)["plan"] == {"rule": "porian", "critical": "number", "critical_batch": "2M"}


def test_a_deadline_is_held_against_the_front(page):
    at, _ = page(
        source="bundled:simulated-ladder", plan={"deadline": 30.0, "most_devices": 10_000_000, "devices": 2048}
    )
    assert not at.exception
    assert "All limits hold" in html(at)
    at.number_input(key="plan_most_devices").set_value(1).run()
    assert "cannot reach this loss within the deadline" in html(at)


def test_runs_too_small_for_the_papers_have_a_ladder_of_their_own(page):
    """The bundled probe runs have thousands of parameters, where Zhang's law has no critical batch left; ours was measured."""
    at, _ = page(source="bundled:probe-isoflop")
    assert not at.exception
    assert at.selectbox(key="plan_critical").value == "measured"
    assert "size sweep, of this language" in words(at)
    at.selectbox(key="plan_critical").select("zhang_coupled").run()
    assert not at.exception
    assert "has no critical batch for a model of" in html(at)


def test_the_text_there_is_holds_the_tokens(page):
    at, _ = page(source="bundled:simulated-ladder")
    at.text_input(key="plan_text").set_value("20B").run()
    assert not at.exception
    assert "Limited to 4 epochs" in words(at)
    at.text_input(key="plan_text").set_value("plenty").run()
    assert "Unique tokens are a number" in words(at)


def test_the_runs_own_speed_can_be_planned_with(page, tmp_path, monkeypatch):
    """Steps of half the peak and a tenth of a second: said, and taken over by the button."""
    import numpy as np
    import pandas as pd

    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path))
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(1e8, 2e9, 6), np.geomspace(2e9, 4e10, 4)))
    rng = np.random.default_rng(0)
    loss = (1.8 + 482 * n**-0.348 + 2085 * d**-0.366) * np.exp(0.003 * rng.standard_normal(n.size))
    batch = np.tile([2**17, 2**19], 12)
    steps = d / batch
    seconds = steps * (0.1 + 6 * n * batch / (0.5 * 989e12)) * np.exp(0.02 * rng.standard_normal(n.size))
    frame = pd.DataFrame(
        {"params": n, "tokens": d, "loss": loss, "batch_tokens": batch, "steps": steps, "wall_seconds": seconds}
    )
    space = workspace.new()
    source = workspace.keep(space, "timed.csv", frame.to_csv(index=False).encode()).source
    workspace.change(space, "prepared", {"source": source, f"fit:{source}": {"resamples": 500}})
    at = visit(space)
    assert not at.exception
    assert "Steps of your runs" in words(at)
    at.button(key="plan_speed").click().run()
    assert not at.exception
    kept = workspace.values(space)["plan"]
    assert kept["utilisation"] == pytest.approx(50, abs=3)
    assert kept["latency"] == pytest.approx(100, abs=15)


def test_hours_on_one_device_and_a_life_of_use_are_asked_for_when_opened(page):
    at, space = page(source="bundled:simulated-ladder", plan={"served": "10T"})
    assert "Least training + inference compute" not in html(at), "nothing is worked out while it is closed"
    at.session_state["plan_hours_open"] = True
    at.session_state["plan_life_open"] = True
    at.run()
    assert not at.exception
    assert "384" in html(at)
    assert "overstates the speed of small models" in html(at)
    assert "Least training + inference compute" in html(at)
    assert "less training and inference compute" in html(at)
    at.text_input(key="plan_served").set_value("lots").run()
    assert "Inference tokens are a number" in " ".join(c.value for c in at.caption)
    assert workspace.values(space)["plan"]["served"] == "lots"


def test_an_empty_share_of_the_batch_says_what_it_comes_to(page):
    at, space = page(source="bundled:simulated-ladder")
    share = at.number_input(key="plan_device_tokens")
    assert share.value is None
    assert share.placeholder == "auto: 33,177", "2.12 M tokens per step over 64 devices"
    share.set_value(2048).run()
    assert workspace.values(space)["plan"] == {"device_tokens": 2048}
    at.number_input(key="plan_device_tokens").set_value(None).run()
    assert "plan" not in workspace.values(space)
    assert not at.exception


def test_hours_on_one_device_say_how_far_beyond_the_runs_they_lie(page):
    at, _ = page(source="bundled:probe-isoflop")
    at.session_state["plan_hours_open"] = True
    at.run()
    assert not at.exception
    assert html(at).count("Up to 2.7e+08x beyond the largest run") == 1, "384 hours at 40 % of 989 TFLOP/s over 2e12"


def test_a_time_keeps_devices_aloud_and_in_one_step_with_its_budget(own_home):
    """What is let go of is a time on so many devices: that they stay so is said, and one Undo frees them again."""
    space = prepared(
        source="bundled:simulated-ladder", plan={"unit": "time"}, **{"budget:bundled:simulated-ladder": 22.0}
    )

    def let_go():
        import streamlit as st

        from dashboard.plan import state as plan_state

        st.button("3 days", on_click=plan_state.set_time, args=(23.0, 64))
        st.button("4 days", on_click=plan_state.set_time, args=(23.5, 64))

    at = AppTest.from_function(let_go)
    at.query_params["w"] = space.id
    at.run().button[0].click().run()
    held = workspace.values(space)
    assert (held["plan"], held["budget:bundled:simulated-ladder"]) == ({"unit": "time", "devices": 64}, 23.0)
    assert at.session_state["said"] == [
        "A time is one on so many devices: their number stays 64 now. Undo makes it automatic again."
    ]
    at.button[1].click().run()  # on devices that stand, a budget is no step and nothing to say
    assert workspace.values(space)["budget:bundled:simulated-ladder"] == 23.5
    assert len(at.session_state["said"]) == 1
    assert workspace.undo(space) == "keep 64 devices for the time"
    held = workspace.values(space)
    assert (held["plan"], held["budget:bundled:simulated-ladder"]) == ({"unit": "time"}, 22.0)
