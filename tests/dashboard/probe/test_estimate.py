"""What runs take, said before they are made and beside what was measured after."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from dashboard.commands.probe import command
from dashboard.probe.estimate import Estimator, Target, measured_step, until_done
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


def made(root, specs, slower, device="cpu"):
    """Runs done whose steps took so many times what is said."""
    found = []
    for one in specs:
        folder = Folder(root / one.key)
        folder.declare(one)
        step = slower * cost.step_seconds(one, one.batch)
        folder.append(
            {"step": 1, "tokens": 1024, "loss": 2.0, "batch": one.batch, "step_seconds": step, "peak_memory": 6e8}
        )
        folder.say(Status("done", device=device))
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
    assert learnt.seconds - cost.START == pytest.approx(3.0 * (said.seconds - cost.START))
    assert learnt.factor < said.factor
    assert "6 runs made on this CPU" in learnt.how
    beside = Estimator(own=own[:6]).beside(own[:6])
    assert [round(one.ratio, 6) for one in beside] == [1.0] * 6  # each said by the others
    assert all(one.step_measured == measured_step(p) for one, p in zip(beside, own, strict=False))
    assert all(one.memory_measured == 6e8 for one in beside)


def test_on_a_gpu_runs_made_there_say_it_else_the_data_sheet_else_nothing(tmp_path):
    specs = sweep({"width": [64, 128, 256, 512], "depth": [1, 4], "batch": [8, 64], "vocab": 256, "tokens": 1e7})
    (asked,) = sweep({"width": 384, "depth": 2, "vocab": 256, "tokens": 1e7})
    known, unknown = Target("cuda", "NVIDIA H100 80GB HBM3", price=3.0), Target("cuda", "Other")
    sheet = Estimator(known).of(asked)
    assert "data sheet" in sheet.how
    assert sheet.money == pytest.approx(sheet.seconds / 1200.0)
    none = Estimator(unknown).of(asked)
    assert (none.seconds, none.money) == (None, None)
    assert until_done([sheet, none], 1) is None
    own = made(tmp_path, specs, 0.02, "cuda:0")
    learnt = Estimator(unknown, own).of(asked)
    assert "16 runs made on such a GPU" in learnt.how
    assert 0.5 < learnt.step_seconds / (0.02 * cost.step_seconds(asked, 8)) < 2.0
    assert learnt.memory > 16 * asked.counts.total
    assert learnt.flops["6ND"] == 6 * asked.counts.nonembed * planned(asked).tokens
    assert until_done([sheet] * 5, 2) == pytest.approx(3 * sheet.seconds)


def test_a_dry_run_prints_groups_and_json(tmp_path):
    (tmp_path / "s.json").write_text(json.dumps({"width": [16, 32], "tokens": [2e5, 4e5], "seed": [0, 1]}))
    base = [str(tmp_path / "s.json"), "--out", str(tmp_path / "out"), "--dry-run", "--devices", "cpu", "--price", "2"]
    done = CliRunner().invoke(command, base)
    assert done.exit_code == 0, done.output
    rows = [line.split() for line in done.output.splitlines() if line.strip().startswith("4 ")]
    assert [row[1] for row in rows] == ["16", "32"]
    assert "That costs $" in done.output
    done = CliRunner().invoke(command, [*base, "--json", "-"])
    found = json.loads(done.stdout)
    assert len(found["runs"]) == 8
    assert found["seconds"] == pytest.approx(sum(run["seconds"] for run in found["runs"]))
    assert np.all([run["dollars"] > 0 and run["flops"]["chinchilla"] > 0 for run in found["runs"]])
    assert not (tmp_path / "out").exists()
