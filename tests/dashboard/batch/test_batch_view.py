"""The Batch page, opened without a browser: from a table of steps, from curves, with its settings, and with nothing to show."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from dashboard import numbers
from dashboard.charts import batch as charts
from dashboard.commands.batch import command
from dashboard.workspace import store as workspace
from fitting.batch import KAPLAN, critical_batch, published

APP = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"
FIRST_TAB, CURVES_TAB = "By model or loss", "Training-curve law L(N, S)"
BATCHES = (16, 64, 256, 1024, 4096)
STEPS = "model,batch_size,steps_to_target\n" + "\n".join(
    f"{n}M,{b},{1000 * n**0.2 * (1 + 30 * n**0.5 / b):.6f}" for n in (100, 200, 400) for b in BATCHES
)
CURVES = "run,batch_tokens,lr,step,loss\n" + "\n".join(
    f"b{b},{b},0.1,{s},{2.0 * (1000 * (1 + 300 / b) / s) ** 0.1:.9f}" for b in BATCHES for s in (10, 100, 1000, 10_000, 100_000)
)  # fmt: skip

NORMS = "step,grad_sq_small,grad_sq_big,batch_small,batch_big\n" + "\n".join(
    f"{s},{1 + 0.1 * (s % 3)},{0.5 + 0.05 * (s % 2)},4,32" for s in range(1, 200)
)


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A function that opens a page, by default Batch, on an uploaded table: the page and its workspace."""
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path))

    def open_page(text: str | None, name: str = "batch", file: str = "table.csv"):
        space = workspace.new()
        if text is not None:
            workspace.change(space, "settings", {"source": workspace.keep(space, file, text.encode()).source})
        at = AppTest.from_file(str(APP), default_timeout=60)
        if text is not None:
            at.query_params["w"] = space.id
        return at.switch_page(f"views/{name}.py").run(), space

    return open_page


def html(at) -> str:
    return " ".join(e.proto.body for e in at.get("html"))


def test_a_table_of_steps_is_fitted_and_its_growth_said(page):
    at, _ = page(STEPS)
    assert not at.exception
    said = html(at)
    assert " for 400M</em> is <em" in said
    assert ">600.000</em> sequences." in said
    assert "power law of parameters, exponent 0.500 (0.500 to 0.500) for the critical batch" in said
    assert (
        "Zhang et al. 2024, whose critical batch takes 20 % more steps" in said
    )  # whose laws come near and are drawn beside
    ours = [0.2 * 30 * n**0.5 + 1.2 * 256 for n in (100, 200, 400)]  # 30 n^0.5 is McCandlish's of this table
    theirs = [93.20 * n**0.47 for n in (100, 200, 400)]
    ratios = sorted(numbers.ratio(b / a) for a, b in zip(ours, theirs, strict=True))
    assert f"The published laws are {ratios[0]} to {ratios[-1]} and" in said
    assert "20 % more steps than linear scaling from 256:" in said  # as Zhang et al. have it, where 256 is among them
    assert len(at.get("plotly_chart")) == 3


def test_batches_are_counted_in_tokens_or_in_sequences(page):
    """Where the table says how long a sequence is: 512 tokens, so a batch and a base of so many sequences are 512 times that."""
    head, *rows = STEPS.splitlines()
    at, space = page("\n".join([head + ",seq_len", *(row + ",512" for row in rows)]))
    assert at.number_input(key="batch_sequence").value == 512
    at.text_input(key="batch_base").set_value("64").run()
    at.segmented_control(key="batch_unit").set_value("tokens").run()
    assert not at.exception
    said = html(at)
    assert ">307.20" in said  # 600 sequences
    assert "\u202fk</em> tokens." in said
    assert "tokens per step; constants hold for their own setups" in html(opened(at, "Published"))
    at.segmented_control(key="batch_unit").set_value("sequences").run()
    said = html(at)
    assert "sequences per step; constants hold for their own setups" in said
    assert f"<b>{numbers.count(93.20 * 400**0.47)}</b>" in said  # Zhang's law at 400M, in sequences of 512 as here
    assert "In sequences of 512 tokens." in said
    at.segmented_control(key="batch_unit").set_value("tokens").run()
    opened(at, FIRST_TAB)
    said = html(at)
    assert "linear scaling from 33\u202fk:" in said
    (held,) = [v for k, v in workspace.values(space).items() if k.startswith("batch:")]
    assert held == {"base": 64.0 * 512, "unit": "tokens"}
    assert not [n for n in at.number_input if n.key == "batch_sequence"]
    at, _ = page(STEPS)
    assert not at.get("segmented_control")  # nobody says how long a sequence is


def test_the_unit_changes_no_default_base(page):
    """Zhang's 256 sequences are one of a table that counts in them, not one that pressing a unit brings in."""
    head, *rows = STEPS.splitlines()
    steps = "\n".join([head + ",seq_len", *(row + ",512" for row in rows)])
    head, *rows = CURVES.splitlines()
    curves = "\n".join([head + ",seq_len", *(row + ",4" for row in rows)])
    for table, length, sequences in ((steps, 512, 256), (curves, 4, min(BATCHES) / 4)):
        at, space = page(table)
        for unit, base in (("tokens", sequences * length), ("sequences", sequences), ("tokens", sequences * length)):
            at.segmented_control(key="batch_unit").set_value(unit).run()
            assert not at.exception
            said = numbers.count(base).replace("\u202f", " ")
            assert at.text_input(key="batch_base").value == said, (length, unit)
        (held,) = [v for k, v in workspace.values(space).items() if k.startswith("batch:")]
        assert held.get("base") is None  # nobody set one


def test_the_address_opens_a_tab_that_the_data_have(page):
    _, space = page(CURVES)
    old = ("Whole run", "Each of them")  # what tabs were called before
    for tab, kept in ((CURVES_TAB, CURVES_TAB), *((name, FIRST_TAB) for name in ("Learning rate", "<b>", *old))):
        fresh = AppTest.from_file(str(APP), default_timeout=60)
        fresh.query_params["w"], fresh.query_params["batch_tab"] = space.id, tab
        fresh.switch_page("views/batch.py").run()
        assert not fresh.exception, tab
        assert [t.label for t in fresh.tabs] == [FIRST_TAB, CURVES_TAB, "Published"]
        assert fresh.session_state["batch_tab"] == kept, tab
        assert ("Warm-up, % of each run" in [n.label for n in fresh.number_input]) == (kept == CURVES_TAB), tab


LUCKY = CURVES.replace(
    "b16,16,0.1,1000,2.", "b16,16,0.1,1000,1."
)  # one evaluation far below its curve, the last ones alike


def test_curves_can_be_smoothed_before_steps_are_read(page):
    plain, _ = page(CURVES)
    plain.text_input(key="batch_targets").set_value("2").run()
    at, space = page(LUCKY)
    at.text_input(key="batch_targets").set_value("2").run()
    caught = html(at)
    assert caught != html(plain)  # curves that end alike are not taken for the same
    at.number_input(key="batch_smooth").set_value(0.5).run()
    assert not at.exception
    assert html(at) != caught
    (held,) = [v for k, v in workspace.values(space).items() if k.startswith("batch:")]
    assert held == {"targets": [2.0], "smooth": 0.5}


def test_zhangs_table_opens_on_the_numbers_published(page, dataset):
    """Zhang et al. 2024 (arXiv 2410.21676): B* = 93.20 N^.4683, from 256 sequences, without a setting touched."""
    at, _ = page(dataset("zhang_cbs_steps_to_target.csv").read_text())
    assert not at.exception
    said = html(at)
    assert re.search(r"0\.468 \(0\.4[^)]*\) for the batch of 20 % overhead", said)
    for overhead, crit in ((745.3, 2190.6), (955.2, 3239.8), (1393.7, 5432.6), (1888.5, 7906.6), (2533.4, 11131)):
        for value in (overhead, crit):
            shown = [
                numbers.with_interval(value, value * (1 - w), value * (1 + w), "count")[0] for w in (0.05, 0.1, 0.2)
            ]
            assert any(f"<b>{x}</b>" in said for x in shown), value
    assert at.number_input(key="batch_sequence").value == 512


def test_zhangs_base_and_overhead_are_settings_that_stay(page):
    at, space = page(STEPS)
    at.text_input(key="batch_base").set_value("64").run()
    at.number_input(key="batch_overhead").set_value(50.0).run()
    assert "50 % more steps than linear scaling from 64:" in html(at)
    assert "50 % over linear" in html(at)
    (held,) = [v for k, v in workspace.values(space).items() if k.startswith("batch:")]
    assert held == {"base": 64.0, "overhead": 0.5}
    at.text_input(key="batch_base").set_value("many").run()
    assert "linear scaling from 64" in html(at)
    assert any("A batch is a positive number" in t.value for t in at.toast)


def test_curves_are_read_at_losses_that_can_be_chosen(page):
    at, space = page(CURVES)
    assert not at.exception
    assert "in tokens" in html(at)
    at.text_input(key="batch_targets").set_value("2, 2.2").run()
    said = html(at)
    assert "loss 2.2" in said
    assert " at a loss of 2<" in said
    assert ">300.000<" in said
    (held,) = [v for k, v in workspace.values(space).items() if k.startswith("batch:")]
    assert held["targets"] == [2.0, 2.2]
    at.text_input(key="batch_targets").set_value("2, 0.1").run()
    assert "No run comes down to a loss of 0.1" in html(at)
    at.text_input(key="batch_targets").set_value("low").run()
    assert any("positive numbers with commas" in t.value for t in at.toast)


def test_growth_off_the_same_curves_is_fitted_to_all_losses_at_once(page):
    at, _ = page(CURVES)
    at.text_input(key="batch_targets").set_value("2, 2.2, 2.4").run()
    assert "one fit to the steps at 3 losses from 2 to 2.4" in html(at)


def opened(at, tab):
    """The page with this tab open."""
    at.session_state["batch_tab"] = tab
    return at.run()


def slider(at, label):
    """The slider whose label begins so."""
    return next(s for s in at.select_slider if s.label.startswith(label))


def test_our_own_ladder_fills_every_tab_it_has_data_for(page):
    at, _ = page(None)
    next(b for b in at.button if b.label == "Open the bundled batch-size sweep").click().run()
    assert not at.exception
    assert [t.label for t in at.tabs] == [FIRST_TAB, CURVES_TAB, "Gradient noise", "Published"]
    assert "power law of the loss, exponent \u221210" in html(at)
    assert "Lowest loss of this size" not in html(at)  # a closed tab draws nothing
    said = html(opened(at, CURVES_TAB))
    assert not at.exception
    assert "Lowest loss of this size" in said
    assert "not identified by one size" in said
    assert "is a different law, with fewer steps" in said
    assert len(at.get("plotly_chart")) == 2
    slider(at, "Batch").set_value(40).run()
    assert "Steps to" in html(at)
    said = html(opened(at, "Gradient noise"))
    assert re.search(r"steps [\d,]+ to [\d,]+: [\d.]+ \([\d.]+ to [\d.]+\)", said)
    assert "times the critical batch" in said
    assert "not a measurement of the critical batch" in said
    said = html(opened(at, "Published"))
    assert not at.exception
    assert "Kaplan et al. 2020: of loss, arXiv 2001.08361, eq. 5.3" in said
    assert "a factor of" in said


def test_gradient_norms_alone_are_shown(page):
    at, _ = page(NORMS)
    assert not at.exception
    assert "The gradient noise scale goes from" in html(at)
    assert len(at.get("plotly_chart")) == 1


@pytest.mark.parametrize(
    ("small", "big", "batches", "said"),
    [
        (1.1, 1.1, "4,32", "so there is no noise: check the two columns"),
        (0.6, 1.1, "4,32", "so there is no noise: check the two columns"),
        (1.0, 0.125, "4,32", "The gradient is below its noise: log more steps"),
        (1.1, 0.6, "32,4", "The big batch must be larger than the small one at every step"),
    ],
)
def test_norms_that_tell_no_noise_scale_say_why(page, small, big, batches, said):
    rows = "\n".join(f"{s},{small},{big},{batches}" for s in range(1, 60))
    at, _ = page("step,grad_sq_small,grad_sq_big,batch_small,batch_big\n" + rows)
    assert not at.exception
    assert said in html(at)
    assert not at.get("plotly_chart")


def test_norms_logged_now_and_then_are_shown_at_their_steps(page):
    rows = "\n".join(f"{50 * s},{1 + 0.1 * (s % 3)},{0.5 + 0.05 * (s % 2)},4,32" for s in range(1, 200))
    at, _ = page("step,grad_sq_small,grad_sq_big,batch_small,batch_big\n" + rows)
    assert "to 9,950:" in html(at)


def test_a_grid_of_rates_and_batches_gives_rules_and_their_regret(page):
    lines = []
    for n in (1e8, 3e8, 1e9):
        for d in (1e9, 1e10, 1e11):
            for i in range(-2, 3):
                for j in range(-2, 3):
                    lr, b = 2 * n**-0.5 * d**0.1 * 2.0**i, 0.3 * n**0.1 * d**0.5 * 2.0**j
                    loss = (1.8 + 400 * n**-0.34 + 400 * d**-0.28) * (1 + 0.002 * (i * i + j * j))
                    lines.append(f"{n:g},{d:g},{lr:.6g},{b:.6g},{loss:.9f}")
    at, _ = page("params,tokens,lr,batch_tokens,loss\n" + "\n".join(lines))
    assert not at.exception
    said = html(at) if not at.tabs else html(opened(at, "Learning rate"))
    assert not at.exception
    assert "Rules compared" in said
    assert "refitted here (each cell by the others)" in said
    assert "Porian et al." in said
    assert "DeepSeek" in said
    assert at.selectbox(key="batch_cell").options[0].endswith("tokens")
    said = html(opened(at, "Published"))
    assert not at.exception
    assert "Published laws of the learning rate" in said
    assert (
        f"tokens per step; for {numbers.count(1e9)} parameters on {numbers.count(1e11)} tokens, the largest cell; C taken"
        in said
    )
    for law in (*published("learning rate").values(), *published("optimal batch").values()):
        assert law.source in said  # each of them: all ask for size, tokens or compute
    ours, theirs = 2 * 1e9**-0.5 * 1e11**0.1, 1.79 * 1e9**-0.713 * 1e11**0.307  # planted above, and Step Law's
    assert f"<small>{numbers.ratio(theirs / ours)} \u00d7 refit</small>" in said


def decayed_table(sizes=(1e8,)):
    """Final losses of decayed runs: 5 batches on 5 amounts of data, a critical batch of half a million tokens."""
    lines = []
    for n in sizes:
        for b in (3e4, 1e5, 3e5, 1e6, 3e6):
            for d in (1e9, 2e9, 4e9, 8e9, 16e9):
                loss = 1.8 + 30 * n**-0.2 + 2000 * (1 + b / 5e5) ** 0.4 * d**-0.4
                lines.append(f"{n:g},{b:g},{d:g},{loss:.9f}")
    return "params,batch_tokens,tokens,loss\n" + "\n".join(lines)


def test_final_losses_of_decayed_runs_give_a_critical_batch(page):
    at, _ = page(decayed_table())
    assert not at.exception
    assert ">500" in html(at)
    assert "tokens." in html(at)
    at, _ = page(decayed_table((1e8, 4e8, 1e9)))
    assert not at.exception
    assert "power law of parameters, exponent" in html(at)


def test_final_losses_say_how_the_batch_grows(page):
    """B_crit = 1e6 (D_min / 5e9)^.462 planted by D = D_min (1 + B / B_crit), with .1 % of noise: told of the data and of the loss."""
    rng, lines = np.random.default_rng(1), []
    for least in np.geomspace(3e8, 3e10, 8):
        crit = 1e6 * (least / 5e9) ** 0.462
        for b in (3e4, 1e5, 3e5, 1e6, 3e6):
            loss = (1.8 + 2000 * least**-0.4) * np.exp(0.001 * rng.standard_normal())
            lines.append(f"1e8,{b:g},{least * (1 + b / crit):.9g},{loss:.9f}")
    at, _ = page("params,batch_tokens,tokens,loss\n" + "\n".join(lines))
    assert not at.exception
    at.text_input(key="batch_targets").set_value("2.05, 2.1, 2.2").run()
    said = html(at)
    told = re.search(r"least data to a loss as D\^([\d.]+) \(95 % ([\d.]+) to ([\d.]+)\)", said)
    assert told is not None
    assert float(told[2]) < 0.462 < float(told[3])
    low, high = (2000 / np.array([0.25, 0.4])) ** 2.5
    power = 0.462 * np.log(high / low) / np.log(2.2 / 2.05)  # between the ends, near that of all three
    grown = re.search(
        r"power law of the loss, exponent \u2212([\d.]+) \(\u2212([\d.]+) to \u2212([\d.]+)\); one fit", said
    )
    assert grown is not None
    assert float(grown[1]) == pytest.approx(-power, rel=0.05)


def test_without_a_sweep_it_says_what_to_add(page):
    at, _ = page(None)
    assert "do not show the effect of batch size" in html(at)
    at, _ = page("params,tokens,batch_sequences,loss\n1e8,2e9,8,3\n2e8,4e9,16,2.8\n4e8,8e9,32,2.6\n")
    assert "no column has the tokens of a sequence: add seq_len." in html(at)
    links = ["Upload them on the Runs page", "Train a batch ladder on the Probe page"]
    assert [e.proto.label for e in at.get("page_link")] == links


@pytest.mark.parametrize(
    ("batches", "said"),
    [
        ((), "No column was read as batch sizes; if one holds them, choose it on the Runs page."),
        ((512,), "All runs have a batch of 512 tokens; three batch sizes or more are needed."),
        ((512, 1024), "The runs have two batch sizes, 512 and 1.0\u202fk tokens"),
        (
            (512, 1024, 2048),
            "The runs have 3 batch sizes from 512 to 2.0\u202fk tokens, but no size was trained at three of them",
        ),
    ],
)
def test_runs_that_hold_no_sweep_are_told_what_they_lack(page, batches, said):
    rows = [
        f"{n:g},{20 * n * b:g},{b},0.001,{3 - k / 10}"
        for k, n in enumerate((1e8, 2e8, 4e8, 8e8))
        for b in batches or (1,)
    ]
    at, _ = page(f"params,tokens,{'batch_tokens' if batches else 'noted'},lr,loss\n" + "\n".join(rows))
    assert not at.exception
    assert said in html(at)


def test_what_counts_as_warm_up_is_a_setting_that_can_be_taken_back(page):
    """Too much of it leaves too few rows: the sentence says so, and the setting is still there."""
    at, space = page(CURVES.replace("loss\n", "loss\n", 1))
    opened(at, CURVES_TAB)
    assert not at.exception
    assert "Each with" not in html(at)
    at.number_input(key="whole_warm_up").set_value(90.0).run()
    assert not at.exception
    assert "or lower what counts as warm-up" in html(at)
    at.number_input(key="whole_warm_up").set_value(0.0).run()
    assert "or lower what counts as warm-up" not in html(at)
    assert "No rows are left out as warm-up." in html(at)
    (held,) = [v for k, v in workspace.values(space).items() if k.startswith("batch:")]
    assert held == {"warm_up": 0.0}


@pytest.mark.parametrize("name", ["runs", "fit", "plan", "compare"])
@pytest.mark.parametrize(
    ("text", "said"), [(STEPS, "These are steps to a loss, not runs."), (NORMS, "These are gradient norms, not runs.")]
)
def test_other_pages_lead_from_what_is_no_runs_to_this_one(page, name, text, said):
    """Nobody is asked which column holds the loss of a table that has none and needs none."""
    at, _ = page(text, name)
    assert not at.exception
    assert said in html(at)
    assert [e.proto.label for e in at.get("page_link")] == ["See them on the Batch page"]
    assert "which one holds it" not in html(at)


def test_names_that_are_markup_stay_names(page):
    at, _ = page(STEPS.replace("100M", "<img src=x>").replace("200M", "**b**"))
    assert not at.exception
    assert "<img" not in html(at)
    assert "&lt;img src=x&gt;" in html(at)


def test_too_few_batches_are_refused_in_a_sentence(page):
    at, _ = page("batch_size,steps_to_target\n16,500\n32,300\n")
    assert "three batch sizes or more" in html(at)


def test_the_figure_draws_the_fit_itself():
    found = {"": critical_batch(BATCHES, [1000 * (1 + 300 / b) for b in BATCHES], resamples=50)}
    figure = charts.figure(found, "sequences", {"": "all"})
    diamonds = [t for t in figure.data if t.marker.symbol == "diamond"]
    assert [t.x[0] for t in diamonds] == pytest.approx([300, 300])
    assert [t.y[0] for t in diamonds] == pytest.approx([2000, 600_000])
    points = [t for t in figure.data if t.mode == "markers" and t.marker.symbol != "diamond"]
    assert np.asarray(points[0].y) == pytest.approx([1000 * (1 + 300 / b) for b in BATCHES])
    assert np.asarray(points[1].y) == pytest.approx([1000 * (b + 300) for b in BATCHES])
    open_ended = {"": critical_batch(BATCHES, [1e6 / b for b in BATCHES], resamples=50)}
    assert not [t for t in charts.figure(open_ended, "tokens", {"": "all"}).data if t.marker.symbol == "diamond"]


@pytest.mark.parametrize("text", [STEPS, CURVES], ids=["steps", "curves"])
def test_the_law_of_growth_is_taken_over_by_the_plan(page, text):
    """From sequences of 512 tokens or from curves: the workspace keeps the law, and the Plan page offers and uses it."""
    at, space = page(text)
    if text is STEPS:
        at.number_input(key="batch_sequence").set_value(512).run()
    at.button(key="batch_take_over").click().run()
    assert not at.exception
    kept = workspace.values(space)
    assert kept["plan"]["critical"] == "measured"
    assert kept["critical"]["unit_tokens"] == (512 if text is STEPS else 1)
    ladder = "bundled:simulated-ladder"
    workspace.change(space, "other data", {"source": ladder, f"fit:{ladder}": {"resamples": 500}})
    plan = AppTest.from_file(str(APP), default_timeout=60)
    plan.query_params["w"] = space.id
    plan.switch_page("views/plan.py").run()
    assert not plan.exception
    assert plan.selectbox(key="plan_critical").value == "measured"
    assert "critical batch (Your batch sweep" in " ".join(c.value for c in plan.caption).replace("\\", "")


def test_curves_of_several_sizes_carry_the_law_to_another(page):
    lines = []
    for n in (1e6, 1e7, 1e8):
        for b in (1e5, 8e5, 6.4e6):
            steps = [400.0 * 2**i * (1 + 2e6 / b) for i in range(8)]
            lines += [
                f"n{n:g}b{b:g},{n:g},{b:g},{s:.6f},{loss:.9f}"
                for s, loss in zip(steps, KAPLAN.curve(n, b, steps).value, strict=True)
            ]
    at, _ = page("run,params,batch_tokens,step,loss\n" + "\n".join(lines))
    assert not at.exception
    # One ladder is one size: with all of them the larger would pass for better batches.
    assert "Of several model sizes, the curves of 100" in html(at)
    said = html(opened(at, CURVES_TAB))
    assert not at.exception
    assert "<b>0.077</b>" in said  # alpha_N, as planted
    assert "Fitted to smaller runs, the law misses the 3 runs of 100 M parameters" in said
    slider(at, "Parameters").set_value(48).run()  # sixteen times the largest
    assert not at.exception
    assert "Lowest loss of this size" in html(at)


def test_kaplans_law_of_loss_is_drawn_beside_curves_that_come_near_it(page):
    """Curves by Kaplan's own law: its line is one times what is read off them."""
    lines = []
    for b in (5e4, 2e5, 8e5, 3.2e6, 1.28e7):
        steps = [300.0 * 1.5**i * (1 + 2e6 / b) for i in range(16)]
        lines += [
            f"b{b:g},{b:g},{s:.6f},{v:.9f}" for s, v in zip(steps, KAPLAN.curve(1e8, b, steps).value, strict=True)
        ]
    at, _ = page("run,batch_tokens,step,loss\n" + "\n".join(lines))
    assert not at.exception
    near = re.search(r"Kaplan et al. 2020, on other text, ([\d.]+)(?: to ([\d.]+))? times these", html(at))
    assert near is not None
    assert [float(x) for x in near.groups() if x] == pytest.approx(
        [1.0] * sum(x is not None for x in near.groups()), abs=0.06
    )


def test_a_file_with_a_question_open_leads_to_it(page):
    """Two losses stand side by side: as on every other page, not "these runs do not say"."""
    at, _ = page("params,tokens,loss_a,loss_b\n1e8,2e9,3.1,3.2\n2e8,4e9,2.9,3.0\n4e8,8e9,2.7,2.8")
    assert not at.exception
    assert "do not show the effect of batch size" not in html(at)
    assert "loss" in html(at)


def test_two_sweeps_in_one_table_are_read_apart_on_the_page(page):
    """Critical batches of 300 and 3,000, told apart by the optimiser; by a number nobody knows only once it is chosen."""
    sweeps = (("adam", 0.95, 1000, 300), ("muon", 0.99, 500, 3000))
    steps = [
        f"{name},{beta},{b},{s_min * (1 + crit / b):.6f}"
        for name, beta, s_min, crit in sweeps
        for b in (*BATCHES, 16_384)
    ]
    head = "optimizer,beta2,batch_tokens,steps_to_target\n"
    at, _ = page(head + "\n".join(steps))
    assert not at.exception
    said = html(opened(at, FIRST_TAB))
    assert all(f"{name}</th>" in said for name in ("adam", "muon"))
    assert "differ in &#x27;optimizer&#x27; (adam, muon): each is a group of its own." in said
    at, space = page(head.replace("optimizer", "seed") + "\n".join(steps))
    assert "differ in &#x27;beta2&#x27; (0.95, 0.99) and count as one group" in html(opened(at, FIRST_TAB))
    at.selectbox(key="batch_by").set_value("beta2").run()
    said = html(opened(at, FIRST_TAB))
    assert all(f"{beta}</th>" in said for beta in ("0.95", "0.99"))
    (held,) = [v for k, v in workspace.values(space).items() if k.startswith("batch:")]
    assert held == {"by": "beta2"}


def test_the_group_of_curves_is_chosen_on_the_page(page):
    lines = [
        f"{name}{b},{name},{b},{s},{2.0 * (s_min * (1 + crit / b) / s) ** 0.1:.9f}"
        for name, s_min, crit in (("c4", 1000, 300), ("pile", 500, 3000))
        for b in (*BATCHES, 16_384)
        for s in (10, 100, 1000, 10_000, 100_000, 1_000_000)
    ]
    at, _ = page("run,dataset,batch_tokens,step,loss\n" + "\n".join(lines))
    assert not at.exception
    at.text_input(key="batch_targets").set_value("2").run()
    for name, crit in (("c4", r"300(\.0*)?"), ("pile", r"3(\.0*)?\u202fk")):
        at.selectbox(key="batch_group").set_value(name).run()
        assert not at.exception
        said = html(opened(at, FIRST_TAB))
        assert f"This reads {name}; there is also" in said
        assert re.search(rf" of {name} at a loss of 2</em> is <em[^>]*>{crit}</em> tokens", said), name


def taken_away(monkeypatch, page, text, tab):
    """Every file that the page offers of a table with this tab open, by name."""
    from dashboard import downloads

    made: dict[str, str] = {}
    monkeypatch.setattr(downloads, "buttons", lambda files, key: made.update({f.name: f.make() for f in files}))
    at, _ = page(text, file="mine.csv")
    assert not opened(at, tab).exception
    return made


def test_files_say_whose_curves_they_are(page, monkeypatch):
    """The group with its loss, the table's name and its digest: of two optimizers, of one, and of a table of steps."""
    rows = [f"{o}{b:g},{o},1e8,{b:g},{s:.6f},{v:.9f}" for o, worse in (("muon", 1.0), ("adam", 1.05))
            for b in (5e4, 2e5, 8e5, 3.2e6, 1.28e7) for steps in [[300.0 * 1.5**i * (1 + 2e6 / b) for i in range(16)]]
            for s, v in zip(steps, worse * KAPLAN.curve(1e8, b, steps).value, strict=True)]  # fmt: skip
    two = "run,optimizer,params,batch_tokens,step,loss\n" + "\n".join(rows)
    one = "\n".join(line for line in two.splitlines() if "adam" not in line)
    target = "batch_size,target_loss,steps\n" + "\n".join(f"{b},3.2,{1000 * (1 + 300 / b):.6f}" for b in BATCHES)
    for text, begins in (
        (two, ("muon, loss ", "adam, loss ")),
        (one, ("loss ",)),
        (target, ("loss 3.2",)),
        (STEPS, ("400M", "100M")),
    ):
        made = taken_away(monkeypatch, page, text, CURVES_TAB if text in (two, one) else FIRST_TAB)
        body = json.loads(made["batch.json"])
        names = [g["group"] for g in body["groups"]]
        assert all(n.startswith(begins) or n == "200M" for n in names), names
        assert len(body["digest"]) == 64
        for name, content in made.items():
            assert '"mine.csv"' in content, name
            assert body["digest"] in content, name
        assert all(f"'{n}': (" in made["steps.py"] and f"  {n} & $" in made["batch.tex"] for n in names), names
        assert ("whole_run.tex" in made) == (text in (two, one))
        if text == two:
            whose = names[0].partition(",")[0]
            assert all(f'"{whose}"' in made[f"whole_run.{form}"] for form in ("tex", "py", "json", "csv"))


def test_steps_beside_a_target_loss_open_the_batch_page_and_are_no_question(page):
    text = "dataset,batch_size,target_loss,steps\n" + "\n".join(
        f"{d},{b},3.2,{times * 1000 * (1 + 300 / b):.6f}" for d, times in (("C4", 1), ("Code", 2)) for b in BATCHES
    )
    at, _ = page(text, "runs")
    assert "These are steps to a loss, not runs." in html(at)
    assert "No column looks like a loss" not in html(at)
    at, _ = page(text)
    assert not at.exception
    assert "at a loss of 3.2" in html(at)
    assert ">300</em> sequences." in html(at) or ">300.000</em> sequences." in html(at)


def _curves(kind: str) -> str:
    """Six batches whose loss is 1.5 + 1.5 (progress / 1000)^-.4, with a critical batch of 200 k: as sequences without a length, as two
    seeds under one name, and with a warm-up of 300 steps at a quarter of the batch that the tokens alone tell."""
    out = []
    for batch in (16_000, 50_000, 160_000, 500_000, 1_600_000, 5_000_000):
        for step in np.unique(np.geomspace(300, 2500 * (1 + 2e5 / batch), 24).astype(int) - 200):
            warm = min(step, 300) if kind == "warm-up" else 0
            done = warm / (1 + 8e5 / batch) + (step - warm) / (1 + 2e5 / batch)
            loss = 1.5 + 1.5 * (done / 1000) ** -0.4
            seen = warm * batch / 4 + (step - warm) * batch
            if kind == "sequences":
                out.append(f"b{batch},{batch // 1000},{step},{loss:.6f}")
            elif kind == "warm-up":
                out.append(f"b{batch},{batch},{step},{seen:.0f},{loss:.6f}")
            else:
                out += [f"b{batch},{batch},{step},{loss * by:.6f}" for by in (0.999, 1.001)]
    columns = {"sequences": "batch_size,step", "warm-up": "batch_tokens,step,tokens", "seeds": "batch_tokens,step"}
    return f"run,{columns[kind]},loss\n" + "\n".join(out)


@pytest.mark.parametrize(
    ("kind", "runs", "critical", "words"),
    [
        ("sequences", 6, 200, "Batches count sequences: no column has the tokens of one."),
        ("warm-up", 6, 2e5, "Tokens of 6 runs tell a batch that rises on the way"),
        ("seeds", 12, 2e5, "2 rows at each place are 2 runs that nothing tells apart, as seeds are"),
    ],
)
def test_the_page_and_the_terminal_read_the_same_curves(page, tmp_path, kind, runs, critical, words):
    text = _curves(kind)
    file = tmp_path / "table.csv"
    file.write_text(text, encoding="utf-8")
    told = CliRunner().invoke(command, [str(file), "--target", "3", "--resamples", "200"]).output
    at, _ = page(text)
    assert not at.exception
    shown = html(at)
    unit = "sequences" if kind == "sequences" else "tokens"
    assert f"steps to a loss of {runs} training curves: rows are checkpoints" in told
    assert f"steps to a loss of {runs} training curves: rows are checkpoints" in shown
    assert words in told
    assert words in shown.replace("&#x27;", "'")
    value = re.search(r"critical batch ([\d.e+]+) \(([\d.e+]+) to ([\d.e+]+)\) (\w+)", told)
    assert value is not None, told
    assert float(value[1]) == pytest.approx(critical, rel=0.02)
    assert value[4] == unit
    assert re.search(rf"The critical batch.*{unit}", shown)
    asked = CliRunner().invoke(command, [str(file)])
    assert "training curves need a --target" in asked.output


ONE_BATCH = "run,params,batch_tokens,step,loss,grad_sq_small,grad_sq_big,batch_small,batch_big\n" + "\n".join(
    f"n{n},{n}e6,512,{s},{3 + n / s:.4f},{2 + 0.1 * n},1,4,8" for n in (1, 2, 4) for s in (10, 100, 1000, 10_000)
)


def test_runs_of_one_batch_are_told_so_before_what_their_norms_lack(page, tmp_path):
    """The user's IsoFLOP sweep was asked for norms at eight steps, which would have given no critical batch."""
    at, _ = page(ONE_BATCH)
    assert not at.exception
    said = html(at)
    assert "All runs have a batch of 512 tokens; three batch sizes or more are needed." in said
    assert said.index("All runs have a batch") < said.index(
        "Gradient norms are there, too, and say nothing yet. The noise scale needs"
    )
    (tmp_path / "one.csv").write_text(ONE_BATCH)
    told = CliRunner().invoke(command, [str(tmp_path / "one.csv")])
    assert (told.exit_code, "All runs have a batch of 512 tokens" in told.output) == (1, True)
