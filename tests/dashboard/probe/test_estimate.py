"""What runs take, said before they are made and beside what was measured after."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from dashboard import numbers
from dashboard.commands.probe import command
from dashboard.probe.estimate import Estimator, Target
from dashboard.probe.launched import compared, launch_of, remember, whole
from dashboard.probe.outlook import UP, outlook
from data.probe import cost
from data.probe.folder import Folder, Status
from data.probe.found import probe
from data.probe.schedule import planned
from data.probe.sweep import sweep

# Milliseconds of a step on one CPU thread, by (width, depth, batch, length): CPU time on cores that others used too, so at most twice
# what is said of a core to oneself (tests/benchmarks/probe_cost.py).
MEASURED = {
    (256, 2, 16, 128): 303.8, (64, 1, 4, 128): 10.0, (256, 4, 4, 128): 172.8, (64, 1, 16, 512): 140.9, (16, 1, 16, 512): 34.1,
    (32, 2, 4, 64): 6.9, (64, 4, 64, 128): 409.9, (16, 4, 4, 512): 34.4, (32, 2, 64, 128): 91.4, (128, 4, 4, 128): 65.8,
}  # fmt: skip
ALONE = {(24, 2, 8, 128): 12.0}  # two runs on two cores with little else on them


def made(root, specs, slower, device="cpu", stack=1, began=0.0, **more):
    """Runs done whose steps took so many times what is said; `more` stands in their rows."""
    found = []
    for one in specs:
        folder = Folder(root / one.key)
        folder.declare(one)
        step = slower * cost.step_seconds(one, one.batch, stack)
        row = {"step": 1, "tokens": 1024, "loss": 2.0, "batch": one.batch, "step_seconds": step, "peak_memory": 6e8}
        folder.append(row | ({"stack": stack} if stack > 1 else {}) | more)
        folder.say(Status("done", device=device, began=began, heartbeat=began + 10.0))
        found.append(probe(folder.path))
    return tuple(found)


def test_a_step_takes_what_was_measured_within_a_factor_of_two():
    for measured, low, high in ((MEASURED, 0.75, 2.0), (ALONE, 0.67, 1.5)):
        for (width, depth, batch, seq_len), ms in measured.items():
            (one,) = sweep({"width": width, "depth": depth, "batch": batch, "seq_len": seq_len})
            assert low < ms / 1e3 / cost.step_seconds(one, batch) < high, (width, depth, batch, seq_len)


def test_evaluations_and_the_start_count():
    base, more, averaged = sweep({"evals": [20, 200]}) + sweep({"evals": 200, "averages": [0.1]})
    plans = [planned(one) for one in (base, more)]
    extra = len(plans[1].evaluated) - len(plans[0].evaluated)
    assert cost.seconds(more) - cost.seconds(base) == pytest.approx(extra * cost.evaluation_seconds(base), rel=1e-6)
    assert cost.seconds(averaged) > cost.seconds(more) + 0.9 * len(plans[1].evaluated) * cost.evaluation_seconds(base)
    assert cost.seconds(base) > cost.START + len(plans[0]) * cost.step_seconds(base, base.batch)
    assert (
        cost.step_seconds(base, 8) / 3
        < cost.evaluation_seconds(base) * 1024 / base.eval_tokens * 3
        < cost.step_seconds(base, 8) * 3
    )


def test_finished_runs_of_ones_own_on_the_same_device_correct_what_is_said(tmp_path):
    specs = sweep({"width": [16, 32, 64], "tokens": 1e5, "seed": [0, 1]})
    own = made(tmp_path / "cpu", specs, 3.0) + made(tmp_path / "gpu", specs, 0.1, "cuda:0")
    (asked,) = sweep({"width": 48, "tokens": 2e5})
    said, learnt = Estimator().of(asked), Estimator(own=own).of(asked)
    assert learnt.step_seconds == pytest.approx(3.0 * said.step_seconds)
    fixed = cost.START + cost.TURN
    assert learnt.seconds - fixed == pytest.approx(3.0 * (said.seconds - fixed))
    assert learnt.factor < said.factor
    assert (said.how, learnt.how) == ("as measured on another CPU", "as 6 runs here took")


def test_runs_of_about_the_size_say_how_long_one_takes_where_there_are_some(tmp_path):
    small = sweep({"width": 16, "tokens": 1e5, "seed": [0, 1, 2]})
    large = sweep({"width": 512, "depth": 4, "tokens": 1e5, "seed": [0, 1, 2, 3, 4]})
    teller = Estimator(own=made(tmp_path / "a", small, 4.0) + made(tmp_path / "b", large, 1.5))
    for (asked,), ratio, how in (
        (sweep({"width": 16, "tokens": 2e5}), 4.0, "as 3 runs here took"),
        (sweep({"width": 512, "depth": 4, "tokens": 2e5}), 1.5, "as 5 runs here took"),
        (sweep({"width": 96, "depth": 4, "tokens": 2e5}), 1.5, "as 8 runs here took"),  # of no such size: by all
    ):
        one = teller.of(asked)
        assert one.step_seconds == pytest.approx(ratio * Estimator().of(asked).step_seconds), how
        assert one.how == how


def test_where_a_sweeps_time_is_from_is_said_of_the_run_that_takes_the_most(tmp_path):
    teller = Estimator(own=made(tmp_path, sweep({"width": 512, "depth": 4, "tokens": 1e5, "seed": [0, 1, 2]}), 2.0))
    few = teller.own[:1]
    teller = Estimator(own=few + made(tmp_path / "b", sweep({"width": 16, "tokens": 1e5, "seed": [3, 4, 5]}), 2.0))
    found = outlook(sweep({"width": [16, 512], "depth": 4, "tokens": 2e5}), teller, 1, {})
    assert [one.how for one in found.left] == ["as 3 runs here took", "as 4 runs here took"]
    assert found.how == "as 4 runs here took"
    assert found.factor == max(one.factor for one in found.left)


def test_a_step_of_runs_at_once_is_held_against_such_a_step(tmp_path):
    specs = sweep({"width": 16, "tokens": 1e5, "seed": [0, 1, 2, 3]})
    own = made(tmp_path, specs, 2.0, stack=4)
    teller = Estimator(own=own)
    (asked,) = sweep({"width": 16, "tokens": 1e5, "seed": 9})
    assert teller.of(asked).step_seconds == pytest.approx(2.0 * cost.step_seconds(asked, 8))


def test_the_start_and_the_evaluations_of_finished_runs_correct_what_is_said(tmp_path):
    specs = sweep({"width": 16, "tokens": 2e4, "seq_len": 64, "seed": [0, 1, 2]})
    (asked,) = sweep({"width": 16, "tokens": 2e4, "seq_len": 64, "seed": 9})
    each = cost.measuring_seconds(asked, asked.batch)
    own = made(tmp_path, specs, 1.0, start_seconds=8.0, eval_seconds=4.0 * each)
    said, learnt = Estimator().of(asked), Estimator(own=own).of(asked)
    evaluations = len(planned(asked).evaluated)
    assert (learnt.start_seconds, learnt.eval_seconds) == pytest.approx((8.0, 4.0 * each))
    assert learnt.seconds - said.seconds == pytest.approx(8.0 - cost.START + 3.0 * each * evaluations)


def test_what_was_said_at_the_launch_is_what_is_compared_whatever_is_known_later(tmp_path):
    specs = sweep({"width": 16, "tokens": 1e5, "seed": [0, 1, 2]})
    remember(tmp_path / "s", outlook(specs, Estimator(), 1, {}))
    own = made(tmp_path / "s", specs, 2.0, stack=3, began=100.0, start_seconds=3 * cost.START)
    memory = f"{6e8 / cost.process_memory(specs[0], 3):.2g} times the memory"
    launch = launch_of(tmp_path / "s")
    sentence = f"in 3 runs a step took 2 times as long as was said beforehand and the start 3 times, with {memory}"
    assert compared(launch, own) == sentence
    made(
        tmp_path / "other", sweep({"width": 16, "tokens": 1e5, "seed": [3, 4]}), 2.0
    )  # nothing of what was said changes
    remember(tmp_path / "s", outlook(specs[:1], Estimator(own=own), 1, {}))
    assert compared(launch_of(tmp_path / "s"), own) == sentence
    assert compared(launch_of(tmp_path / "none"), own) == ""
    about = numbers.roughly(launch.seconds)
    assert whole(launch, own) == f"Training took 15\u00a0seconds, where about {about} was said at the launch."
    alone = made(tmp_path / "alone", specs, 2.0)  # not as was said: only one in a process
    assert compared(launch, alone) == ""
    assert whole(launch, own[:2]) == ""


def test_the_time_that_a_cancelled_sweep_stood_still_is_not_trainings(tmp_path):
    """Runs that waited were cancelled and resumed later: nothing in their own logs says that they were."""
    specs = sweep({"width": 16, "tokens": 1e5, "seed": [0, 1]})
    remember(tmp_path, outlook(specs, Estimator(), 1, {}))
    for pause, counts in ((5.0, True), (3600.0, False)):
        first = made(tmp_path, specs[:1], 1.0, began=100.0, start_seconds=2.0)
        (tmp_path / specs[1].key / "log.jsonl").unlink(missing_ok=True)
        second = made(tmp_path, specs[1:], 1.0, began=112.0 + pause, start_seconds=2.0)
        assert bool(whole(launch_of(tmp_path), (*first, *second))) == counts
        (tmp_path / specs[0].key / "log.jsonl").unlink()


def test_a_launch_that_cannot_be_read_says_nothing(tmp_path):
    for content in ("", "[]", '{"runs": 3}', '{"seconds": "x", "keys": [], "runs": {"a": []}}', "[" * 100_000):
        (tmp_path / "estimate.json").write_text(content)
        assert launch_of(tmp_path).runs == {}


def test_each_run_on_a_cluster_has_a_process_to_itself():
    seeds = sweep({"width": 16, "tokens": 1e5, "seed": [*range(8)]})
    here, there = (outlook(seeds, Estimator(Target(alone=alone)), 4, {}) for alone in (False, True))
    assert [{one.at_once for one in found.left} for found in (here, there)] == [{2}, {1}]


def test_on_a_gpu_runs_made_there_say_it_else_the_data_sheet_else_nothing(tmp_path):
    specs = sweep({"width": [64, 128, 256, 512], "depth": [1, 4], "batch": [8, 64], "vocab": 256, "tokens": 1e7})
    (asked,) = sweep({"width": 384, "depth": 2, "vocab": 256, "tokens": 1e7})
    known, unknown = Target("cuda", "NVIDIA H100 80GB HBM3", price=3.0), Target("cuda", "Other")
    sheet = Estimator(known).of(asked)
    assert "data sheet" in sheet.how
    assert sheet.money == pytest.approx(sheet.seconds / 1200.0)
    none = Estimator(unknown).of(asked)
    assert (none.seconds, none.money) == (None, None)
    assert outlook([asked], Estimator(unknown), 1, {}).seconds is None
    own = made(tmp_path, specs, 0.02, "cuda:0")
    learnt = Estimator(unknown, own).of(asked)
    assert learnt.how == "as 16 runs on such a GPU took"
    assert 0.5 < learnt.step_seconds / (0.02 * cost.step_seconds(asked, 8)) < 2.0
    assert learnt.memory > 16 * asked.counts.total
    assert learnt.flops["6ND"] == 6 * asked.counts.nonembed * planned(asked).tokens
    five = [asked.with_(seed=k) for k in range(5)]
    assert outlook(five, Estimator(known), 2, {}).seconds == pytest.approx(3 * sheet.seconds + UP)


def test_what_is_left_sums_up_to_what_is_said_of_the_whole():
    specs = sweep({"design": "schedule", "tokens": [1e5, 2e5], "width": [16, 128], "measure": ["distance"]})
    found = outlook(specs, Estimator(), 1, {})
    assert found.seconds == pytest.approx(sum(one.seconds for one in found.left) + UP)
    assert found.seconds < sum(Estimator().of(one).seconds for one in specs)
    assert found.flops < sum(Estimator().of(one).flops["6ND"] for one in specs)
    assert [one.spec.key for one in found.left] == [one.key for one in specs]


def test_a_dry_run_prints_groups_and_json(tmp_path):
    (tmp_path / "s.json").write_text(json.dumps({"width": [16, 32], "tokens": [2e5, 4e5], "seed": [0, 1]}))
    base = [str(tmp_path / "s.json"), "--out", str(tmp_path / "out"), "--dry-run", "--devices", "cpu", "--price", "2"]
    done = CliRunner().invoke(command, base)
    assert done.exit_code == 0, done.output
    rows = [line.split() for line in done.output.splitlines() if line.strip().startswith("4 ")]
    assert [row[1:3] for row in rows] == [["2", "16"], ["2", "32"]]
    assert "That costs $" in done.output
    head, sentence = done.output.splitlines()[0], done.output.splitlines()[-1]
    assert head.split("about ")[1].split(" on ")[0] == sentence.split("about ")[1].split(" with ")[0]
    assert "FLOP (6ND) in all" in head
    done = CliRunner().invoke(command, [*base, "--json", "-"])
    found = json.loads(done.stdout)
    assert len(found["runs"]) == 8
    assert found["seconds"] == pytest.approx(sum(run["seconds"] for run in found["runs"]) + UP)
    assert np.all([run["dollars"] > 0 and run["flops"]["chinchilla"] > 0 for run in found["runs"]])
    assert not (tmp_path / "out").exists()
