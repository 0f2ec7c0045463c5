"""How long a sweep is still to take, where several runs share a process."""

from __future__ import annotations

import pytest

from dashboard.probe import launching
from dashboard.probe.watching import Run, Sweep
from data.probe.folder import Folder, Status
from data.probe.found import probe
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
