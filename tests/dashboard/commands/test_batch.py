"""`isoflop batch` in a terminal: numbers as published, curves with targets, and refusals."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from click.testing import CliRunner

from dashboard.commands.batch import command

RUN = CliRunner()
TABLE = "batch_size,steps_to_target\n" + "\n".join(f"{b},{1000 * (1 + 300 / b):.6f}" for b in (16, 64, 256, 1024, 4096))


@pytest.fixture
def steps(tmp_path):
    file = tmp_path / "steps.csv"
    file.write_text(TABLE, encoding="utf-8")
    return str(file)


@pytest.fixture
def curves(tmp_path):
    """Curves that come down to 2 at 1000 (1 + 300 / B) steps."""
    file = tmp_path / "curves.csv"
    rows = [
        f"b{b}-{rate},{b},{rate},{s},{2.0 * (worse * 1000 * (1 + 300 / b) / s) ** 0.1:.9f}"
        for b in (16, 64, 256, 1024)
        for rate, worse in ((0.1, 1.3), (0.2, 1.0), (0.4, 2.0))
        for s in (10, 100, 1000, 10_000, 100_000)
    ]
    file.write_text("run,batch_tokens,lr,step,loss\n" + "\n".join(rows), encoding="utf-8")
    return str(file)


def test_a_table_of_steps_is_said_and_written(steps):
    said = RUN.invoke(command, [steps, "--base", "16"])
    assert said.exit_code == 0, said.output
    assert said.output.startswith("Critical batch 300 (")
    assert "20% over linear scaling from 16 at 79.2" in said.output  # .2 x 300 + 1.2 x 16
    body = json.loads(RUN.invoke(command, [steps, "--json", "-"]).output)
    (group,) = body["groups"]
    assert group["s_min"]["value"] == pytest.approx(1000)
    assert group["e_min"]["value"] == pytest.approx(3e5)
    assert group["b_crit"]["value"] == pytest.approx(300)
    assert body["growth"] is None


def test_curves_need_a_target_and_give_the_same(curves):
    asked = RUN.invoke(command, [curves])
    assert asked.exit_code == 2
    assert "need a --target; every batch size comes down to" in asked.output
    body = json.loads(RUN.invoke(command, [curves, "--target", "2", "--target", "2.2", "--json", "-"]).output)
    assert [g["group"] for g in body["groups"]] == ["loss 2", "loss 2.2"]
    for group in body["groups"]:
        assert group["b_crit"]["value"] == pytest.approx(300, rel=1e-4)
        assert group["notes"] == []


def test_zhangs_models_and_their_exponent(dataset):
    said = RUN.invoke(command, [str(dataset("zhang_cbs_steps_to_target.csv")), "--base", "256"])
    assert "302M: critical batch 5433" in said.output
    assert "at 1394" in said.output
    assert "grows as N^0.468 (95 % 0.431 to 0.506)" in said.output


def test_refusals_are_sentences(tmp_path):
    plain = tmp_path / "runs.csv"
    plain.write_text("params,tokens,loss\n1e6,1e9,3\n2e6,1e9,2.9\n4e6,1e9,2.8\n", encoding="utf-8")
    said = RUN.invoke(command, [str(plain)])
    assert said.exit_code == 1
    assert "neither steps to a target, nor training curves, nor final losses" in said.output
    few = tmp_path / "few.csv"
    few.write_text("batch_size,steps_to_target\n16,500\n32,300\n", encoding="utf-8")
    said = RUN.invoke(command, [str(few)])
    assert said.exit_code == 1
    assert "three batch sizes or more" in said.output


def test_final_losses_go_through_both_fits(tmp_path):
    lines = [
        f"{n:g},{b:g},{d:g},{1.8 + 30 * n**-0.2 + 2000 * (1 + b / 5e5) ** 0.4 * d**-0.4:.9f}"
        for n in (1e8, 4e8, 1e9)
        for b in (3e4, 1e5, 3e5, 1e6, 3e6)
        for d in (1e9, 2e9, 4e9, 8e9)
    ]
    file = tmp_path / "final.csv"
    file.write_text("params,batch_tokens,tokens,loss\n" + "\n".join(lines), encoding="utf-8")
    body = json.loads(RUN.invoke(command, [str(file), "--resamples", "100", "--json", "-"]).output)
    assert [g["group"] for g in body["groups"]] == ["100 M", "400 M", "1 B"]
    assert [g["b_crit"]["value"] for g in body["groups"]] == pytest.approx([5e5] * 3, rel=1e-4)
    assert body["unit"] == "tokens"
    assert "At a loss of" in body["groups"][0]["notes"][0]
    assert body["growth"]["exponent"]["value"] == pytest.approx(0, abs=1e-3)


def test_final_losses_say_how_the_batch_grows_with_the_data(tmp_path):
    """B_crit = 1e6 (D_min / 5e9)^.462, planted by D = D_min (1 + B / B_crit): said in the terminal with an interval about it."""
    rng, lines = np.random.default_rng(1), []
    for least in np.geomspace(3e8, 3e10, 8):
        crit = 1e6 * (least / 5e9) ** 0.462
        for b in (3e4, 1e5, 3e5, 1e6, 3e6):
            loss = (1.8 + 2000 * least**-0.4) * np.exp(0.001 * rng.standard_normal())
            lines.append(f"1e8,{b:g},{least * (1 + b / crit):.9g},{loss:.9f}")
    file = tmp_path / "final.csv"
    file.write_text("params,batch_tokens,tokens,loss\n" + "\n".join(lines), encoding="utf-8")
    asked = [str(file), *(f"--target={t}" for t in (2.05, 2.1, 2.2)), "--resamples", "200"]
    said = RUN.invoke(command, asked).output
    exponent, low, high = map(float, re.search(r"as D\^([\d.]+) \(95 % ([\d.]+) to ([\d.]+)\)", said).groups())
    assert low < 0.462 < high
    assert exponent == pytest.approx(0.462, abs=0.03)
    body = json.loads(RUN.invoke(command, [*asked, "--json", "-"]).output)
    truth = [1e6 * ((2000 / (t - 1.8)) ** 2.5 / 5e9) ** 0.462 for t in (2.05, 2.1, 2.2)]
    for group, crit in zip(body["groups"], truth, strict=True):
        assert group["b_crit"]["low"] < crit < group["b_crit"]["high"]
    power = np.polyfit(np.log([2.05, 2.1, 2.2]), np.log(truth), 1)[0]
    assert body["growth"]["exponent"]["low"] < power < body["growth"]["exponent"]["high"]


def test_curves_at_three_losses_say_how_it_grows(curves):
    asked = [curves, "--target", "2", "--target", "2.2", "--target", "2.4", "--resamples", "100"]
    assert "The critical batch grows as L^" in RUN.invoke(command, asked).output


@pytest.mark.parametrize("form", ["named", "no run column", "one name", "two seeds under one name", "a step twice"])
def test_curves_are_read_as_curves_however_their_runs_are_named(tmp_path, form):
    """B_crit of 300 planted: the method is said, and the same in each form."""
    seeds = (0, 1) if form == "two seeds under one name" else (0,)
    rows = [
        (f"b{b}", b, seed, s, 2.0 * (1000 * (1 + 300 / b) / s) ** 0.1)
        for b in (16, 64, 256, 1024)
        for seed in seeds
        for s in (10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000)
    ]
    if form == "a step twice":
        rows.insert(5, rows[4])
    keep = {"no run column": (1, 3, 4), "two seeds under one name": (0, 1, 2, 3, 4)}.get(form, (0, 1, 3, 4))
    heads = ("run", "batch_tokens", "seed", "step", "loss")
    rows = [("x" if form == "one name" else r[0], *r[1:4], f"{r[4]:.9f}") for r in rows]
    lines = [",".join(str(r[k]) for k in keep) for r in [heads, *rows]]
    file = tmp_path / "curves.csv"
    file.write_text("\n".join(lines), encoding="utf-8")
    body = json.loads(RUN.invoke(command, [str(file), "--target", "2", "--json", "-"]).output)
    assert body["groups"][0]["b_crit"]["value"] == pytest.approx(300, rel=1e-3)
    assert f"{4 * len(seeds)} training curves" in body["method"]
    assert RUN.invoke(command, [str(file), "--target", "2"]).output.startswith("Read from the steps to a loss of")


def test_late_logs_are_censored_in_the_terminal(tmp_path):
    rows = [
        f"b{b},{b},{s},{2.0 * (1000 * (1 + 300 / b) / s) ** 0.1:.9f}"
        for b in (16, 64, 256, 1024, 4096, 16384)
        for s in np.geomspace(1200, 200_000, 30).astype(int)
    ]
    file = tmp_path / "curves.csv"
    file.write_text("run,batch_tokens,step,loss\n" + "\n".join(rows), encoding="utf-8")
    said = RUN.invoke(command, [str(file), "--target", "2"])
    assert "2 curves at batch 4096, 16384 begin at or below a loss of 2" in said.output
    value = float(re.search(r"critical batch ([\d.]+)", said.output)[1])
    assert value == pytest.approx(300, rel=0.01)
    none = RUN.invoke(command, [str(file), "--target", "6"])
    assert none.exit_code == 1
    assert "6 curves at batch 16, 64, 256, 1024, 4096, 16384 begin at or below a loss of 6" in none.output
    few = RUN.invoke(command, [str(file), "--target", "2.15"])  # two batches are left
    assert "begin at or below" in few.output
    assert "three batch sizes or more" in few.output


@pytest.mark.parametrize("logged", ["batch", "tokens"])
def test_a_batch_that_warms_up_is_counted_by_its_progress_in_the_terminal(tmp_path, logged):
    """A quarter of the batch for the first 300 steps, of which each makes 1 / (1 + B_crit / B); B_crit is 262,144."""
    rows = []
    for k in range(15, 22):
        b = 2**k
        for step in np.unique([*np.geomspace(10, 100_000, 250).astype(int), 300]):
            early, now = min(step, 300), b / 4 if step <= 300 else b
            seen = step - 0.75 * early  # in steps of the whole batch
            done = early / (1 + 4 * 262_144 / b) + (step - early) / (1 + 262_144 / b)
            loss = 2 + 0.9 * (done / 2000) ** -0.4
            rows.append(f"b{b},{now if logged == 'batch' else seen * b:.9g},{step},{loss:.9f}")
    file = tmp_path / "curves.csv"
    file.write_text(
        f"run,{'batch_tokens' if logged == 'batch' else 'tokens'},step,loss\n" + "\n".join(rows), encoding="utf-8"
    )
    body = json.loads(RUN.invoke(command, [str(file), "--target", "2.9", "--json", "-"]).output)
    (group,) = body["groups"]
    assert group["b_crit"]["value"] == pytest.approx(262_144, rel=0.02)
    assert "7 runs change their batch on the way" in group["notes"][0]


REPEATED = {
    "steps again": lambda rows: [*rows, *rows[3:9]],
    "seeds under one name": lambda rows: [*(f"{r},0" for r in rows), *(f"{r},1" for r in rows)],
}


@pytest.mark.parametrize("name", REPEATED)
def test_what_was_done_to_repeated_rows_is_said(tmp_path, name):
    rows = [
        f"b{b},{b},{s},{2.0 * (1000 * (1 + 300 / b) / s) ** 0.1:.9f}"
        for b in (16, 64, 256, 1024, 4096)
        for s in np.geomspace(10, 200_000, 40).astype(int)
    ]
    file = tmp_path / "curves.csv"
    head = f"run,batch_tokens,step,loss{',seed' if name != 'steps again' else ''}\n"
    file.write_text(head + "\n".join(REPEATED[name](rows)), encoding="utf-8")
    words = "6 rows repeat a place along their run" if name == "steps again" else "stand over several runs"
    assert words in RUN.invoke(command, [str(file), "--target", "2", "--resamples", "50"]).output
    body = json.loads(RUN.invoke(command, [str(file), "--target", "2", "--resamples", "50", "--json", "-"]).output)
    assert any(words in note for note in body["groups"][0]["notes"])


def mixed(kind):
    """Two sweeps in one table, told apart by `optimizer` and as well by `beta2`; their critical batches are 300 and 3,000."""
    lines = []
    for name, beta, s_min, crit in (("adam", 0.95, 1000, 300), ("muon", 0.99, 500, 3000)):
        for b in (16, 64, 256, 1024, 4096, 16384):
            steps = s_min * (1 + crit / b)
            if kind == "steps":
                lines.append(f"{name},{beta},{b},{steps:.6f}")
            elif kind == "curves":
                for s in (10, 100, 1000, 10_000, 100_000, 1_000_000):
                    lines.append(f"{name}{b},{name},{beta},{b},{s},{2.0 * (steps / s) ** 0.1:.9f}")
            else:
                for d in (1e9, 3e9, 1e10, 3e10, 1e11):
                    loss = 1.8 + 2000 * (d / (1 + 1000 * b / (1000 * crit))) ** -0.36
                    lines.append(f"{name}{b}-{d:g},{name},{beta},{1000 * b},{d:g},{loss:.9f}")
    heads = {
        "steps": "batch_tokens,steps_to_target",
        "curves": "batch_tokens,step,loss",
        "final": "batch_tokens,tokens,loss",
    }
    return f"{'' if kind == 'steps' else 'run,'}optimizer,beta2,{heads[kind]}\n" + "\n".join(lines)


def test_two_sweeps_in_one_table_are_read_apart_whichever_the_way_in(tmp_path):
    for kind, times, target in (
        ("steps", 1, ()),
        ("curves", 1, ("--target", "2")),
        ("final", 1000, ("--target", "2.7")),
    ):
        file = tmp_path / f"{kind}.csv"
        text = mixed(kind)
        file.write_text(text, encoding="utf-8")
        asked = [str(file), *target, "--resamples", "50", "--json", "-"]
        body = json.loads(RUN.invoke(command, asked).output)
        assert [g["group"].split(",")[0] for g in body["groups"]] == ["adam", "muon"], kind
        assert [g["b_crit"]["value"] for g in body["groups"]] == pytest.approx([300 * times, 3000 * times], rel=1e-3), (
            kind
        )
        assert any("differ in 'optimizer' (adam, muon): each" in note for note in body["groups"][0]["notes"]), kind
        file.write_text(text.replace("optimizer", "ignored_seed", 1), encoding="utf-8")  # beta2 alone is left
        (one,) = json.loads(RUN.invoke(command, asked).output)["groups"]
        assert any("differ in 'beta2' (0.95, 0.99) and count as one group" in note for note in one["notes"]), kind
        body = json.loads(RUN.invoke(command, [*asked, "--by", "beta2"]).output)
        assert [g["b_crit"]["value"] for g in body["groups"]] == pytest.approx([300 * times, 3000 * times], rel=1e-3), (
            kind
        )


def test_a_loss_that_is_no_number_is_wrong_use(tmp_path):
    (tmp_path / "steps.csv").write_text("batch_tokens,steps_to_target\n16,900\n64,400\n256,260\n1024,230\n")
    done = RUN.invoke(command, [str(tmp_path / "steps.csv"), "--target", "nan"])
    assert done.exit_code == 2
    assert "nan is not a number" in done.output


@pytest.fixture
def widths(tmp_path):
    """Runs at three widths and four rates, whose best rate is 0.004 at each."""
    file = tmp_path / "widths.csv"
    rows = [
        f"w{w}-{lr:g}-{seed},{24 * w * w},500736,1024,{lr:g},{seed},{w},{1.2 + 1 / w + 0.02 * np.log(lr / 0.004) ** 2 + seed / 1e4:.6f}"
        for w in (32, 64, 128)
        for lr in (0.001, 0.002, 0.004, 0.008, 0.016)
        for seed in (0, 1)
    ]
    file.write_text("run_id,params,tokens,batch_tokens,lr,seed,width,loss\n" + "\n".join(rows), encoding="utf-8")
    return file


def test_a_width_ladder_says_the_best_rate_at_each_width(widths):
    said = RUN.invoke(command, [str(widths), "--resamples", "200"])
    assert said.exit_code == 0, said.output
    lines = said.output.splitlines()
    assert lines[0].startswith("all runs: the best learning rate goes as width^")
    assert lines[0].endswith("no move with the width is seen.")
    assert [re.match(r"  width (\d+): 0\.00[34]\d* \(", line)[1] for line in lines[1:4]] == ["32", "64", "128"]
    body = json.loads(RUN.invoke(command, [str(widths), "--resamples", "200", "--json", "-"]).output)
    assert body["groups"] == []
    assert body["rate_by_width"]["version"] == 1
    assert body["rate_by_width"]["parametrisations"][0]["widths"][0]["lr"] == pytest.approx(0.004, rel=0.1)


def test_what_is_asked_of_a_width_ladder_beside_is_still_refused(widths):
    """It has one batch: a target loss gets no answer from the best rates by width."""
    said = RUN.invoke(command, [str(widths), "--target", "1.3"])
    assert said.exit_code != 0
    assert "four learning rates for each of three widths" in said.output
    text = widths.read_text("utf-8").splitlines()
    widths.write_text("\n".join(line for line in text if not line.startswith("w128")), encoding="utf-8")
    said = RUN.invoke(
        command, [str(widths), "--resamples", "100"]
    )  # two widths are no law of it, and have a best rate each
    assert [line.partition(":")[0] for line in said.output.splitlines()] == ["width 32", "width 64"]
    assert RUN.invoke(command, [str(widths), "--target", "1.3"]).exit_code != 0


def test_curves_held_out_are_counted_in_text_and_json(curves, tmp_path):
    """A table of steps says so of its rows: whoever counts the runs of the file finds the same number."""
    head, *rows = (tmp_path / "curves.csv").read_text("utf-8").splitlines()
    held = ("b16-0.1,", "b64-0.4,")
    told = [f"{head},role", *(f"{row},{'test' if row.startswith(held) else 'train'}" for row in rows)]
    (tmp_path / "roles.csv").write_text("\n".join(told), encoding="utf-8")
    asked = [str(tmp_path / "roles.csv"), "--target", "2"]
    said = (
        "Read from the steps to a loss of 10 training curves: rows are checkpoints. 2 runs are held out and left out."
    )
    assert said in RUN.invoke(command, asked).output
    assert json.loads(RUN.invoke(command, [*asked, "--json", "-"]).output)["method"] == said
    assert "held out" not in RUN.invoke(command, [curves, "--target", "2"]).output


def test_a_width_ladder_that_is_too_small_says_what_it_lacks_and_nothing_else(tmp_path):
    file = tmp_path / "small.csv"
    rows = [f"w{w}-{lr},{w * 100},1e6,{3 + abs(lr - 0.01)},{lr},{w},512" for w in (16, 32) for lr in (0.005, 0.01)]
    file.write_text("run,params,tokens,loss,lr,width,batch\n" + "\n".join(rows), encoding="utf-8")
    said = RUN.invoke(command, [str(file)])
    assert said.exit_code == 1
    assert "needs 3 widths with 4 learning rates each" in said.output
    assert "critical batch" not in said.output


def test_a_note_of_every_group_is_said_once(tmp_path):
    file = tmp_path / "steps.csv"
    rows = [
        f"{size},{b},{1000 * (1 + 300 / b):.6f},{2000 * (1 + 300 / b):.6f}\n"
        for size in ("a", "b")
        for b in (16, 64, 256, 1024)
    ]
    file.write_text("model,batch_size,steps_to_target,steps_to_target_wandb\n" + "".join(rows), encoding="utf-8")
    said = RUN.invoke(command, [str(file), "--resamples", "20"]).output
    assert said.count("Critical batch") + said.count("critical batch 300") == 2, said
    assert said.count("'steps_to_target_wandb' is not used.") == 1
