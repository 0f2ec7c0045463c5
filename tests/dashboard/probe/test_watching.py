"""How long a sweep is still to take, and over what its losses are compared."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from dashboard.probe import launching
from dashboard.probe.estimate import Estimator
from dashboard.probe.launched import remember
from dashboard.probe.left import own
from dashboard.probe.live import frame
from dashboard.probe.outlook import UP, outlook
from dashboard.probe.payload import the_plane
from dashboard.probe.watching import Run, Sweep, sweeps
from dashboard.probe.words import standing
from data.probe.folder import Folder, Status
from data.probe.found import probe
from data.probe.process import Process
from data.probe.queue.store import Store
from data.probe.sweep import sweep


def run(root, one, state, slot="", seconds=0.0, left=None):
    """A run of a process of four."""
    folder = Folder(root / one.key)
    folder.declare(one)
    folder.append({"step": 1, "tokens": 512, "loss": 2.0, "step_seconds": 1.0, "stack": 4})
    folder.say(Status(state))
    return Run(one.key, "", state, "", 0.0, left, seconds, 10.0, slot, one, probe(folder.path))


def test_runs_of_one_process_end_together_and_each_takes_its_part_of_it(tmp_path):
    specs = sweep({"width": 16, "tokens": 1e4, "seed": [*range(12)]})
    done = [run(tmp_path, one, "done", seconds=80.0) for one in specs[:4]]
    now = [run(tmp_path, one, "running", f"cpu 0/{i}" if i else "cpu 0", left=50.0) for i, one in enumerate(specs[4:8])]
    then = [run(tmp_path, one, "queued") for one in specs[8:]]
    found = Sweep("s", (*done, *now, *then))
    assert found.pace == pytest.approx(2.0)  # four in 80 s, where each was to take 10
    assert found.left == pytest.approx(50.0 + 4 * 20.0)


def test_a_page_finds_the_runs_of_a_queue_whose_file_was_lost(tmp_path):
    assert launching.jobs(tmp_path) == []
    assert not list(tmp_path.iterdir())  # looking makes none
    store = Store(tmp_path)
    store.submit("sweep", sweep({"width": [16, 32]}))
    for left in tmp_path.glob("queue.sqlite*"):
        left.unlink()
    assert len(launching.jobs(tmp_path)) == 2
    assert launching.held(tmp_path) == {}


MIX = {
    "design": "mixture", "parts": 1, "pools": [{"corpus": "synthetic"}, {"corpus": "synthetic:1.2"}], "tokens": 1e4, "seq_len": 64,
    "width": 16, "eval_tokens": 512,
}  # fmt: skip


def test_losses_of_several_mixes_are_compared_over_the_same_pools(tmp_path):
    store = Store(tmp_path)
    specs = sweep(MIX)
    store.submit("s", specs)
    for one in specs:
        folder = store.folder(store.find(one.key))
        first, second = 2.0 + one.pools[1].share, 2.5 - one.pools[1].share
        loss = one.pools[0].share * first + one.pools[1].share * second  # 2 and 1.5, each on what it was trained on
        folder.append({"step": 20, "tokens": 10240, "loss": loss, "loss_pool_0": first, "loss_pool_1": second})
        folder.say(Status("done", step=20, steps=20))
        store.assign("cpu 0")
        store.ended(one.key, "done")
    (found,) = sweeps(tmp_path, store.jobs(), {}, 1)
    assert found.mixed
    assert [run.loss for run in found.runs] == [2.25, 2.25]
    assert "mean over all pools" in standing(found)[1]
    assert "mean over all pools" in the_plane(found)["words"]
    table = frame(found, {})
    shares = [one.spec.pools[1].share for one in found.runs]
    assert table["On synthetic"].tolist() == [f"{2.0 + share:.4f}" for share in shares]
    assert table["On synthetic:1.2"].tolist() == [f"{2.5 - share:.4f}" for share in shares]


def test_a_branch_counts_its_own_steps_and_loading_counts(tmp_path):
    specs = sweep({"design": "schedule", "tokens": [1e4, 4e4], "width": 16, "seq_len": 64, "eval_tokens": 512})
    store = Store(tmp_path)
    store.submit("s", specs)
    (found,) = sweeps(tmp_path, store.jobs(), {}, 1)
    trunk, branch = found.runs[0], found.runs[-1]
    assert branch.spec.trunk == trunk.key
    alone = own(branch.spec, False)
    mine = own(branch.spec, True)
    assert mine.steps < 0.4 * alone.steps
    assert branch.expected == mine.seconds < alone.seconds
    job = store.assign("cpu 0")
    store.runs_as(job.key, str(Process.this()))
    store.folder(job).say(Status("running", process=str(Process.this()), heartbeat=time.time(), began=time.time()))
    (begun,) = sweeps(tmp_path, store.jobs(), {}, 1)
    assert begun.left == pytest.approx(found.left, rel=0.05)  # the moment of the launch changes nothing


def test_what_was_said_at_the_launch_is_what_is_left_at_first(tmp_path):
    specs = sweep({"width": [16, 512], "depth": 4, "tokens": 1e5})
    slow = outlook(specs, Estimator(), 1, {})
    store = Store(tmp_path)
    store.submit("s", specs)
    remember(tmp_path / "s", replace(slow, left=tuple(replace(one, seconds=5 * one.seconds) for one in slow.left)))
    (found,) = sweeps(tmp_path, store.jobs(), {}, 1)
    assert found.left == pytest.approx(5 * (slow.seconds - UP))
