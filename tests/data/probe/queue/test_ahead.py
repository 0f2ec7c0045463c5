"""What the queue will make, told ahead: as many runs in a process as it puts there, branches after their trunk, and nothing twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from data.probe.folder import CHECKPOINT, Folder, Status
from data.probe.found import probe
from data.probe.queue.ahead import Left, left, processes
from data.probe.queue.serve import Server
from data.probe.queue.slots import Slot
from data.probe.queue.store import Store
from data.probe.schedule import planned
from data.probe.sweep import sweep

SEEDS = {"width": 16, "tokens": 2e4, "seq_len": 64, "seed": [*range(10)], "eval_tokens": 512}
TREE = {"design": "schedule", "tokens": [1e4, 4e4], "width": 16, "seq_len": 64, "eval_tokens": 512}


def stands(root, spec, state, step=0, checkpoint=False, logged=True):
    folder = Folder(root / "s" / spec.key)
    folder.declare(spec)
    folder.say(Status(state, step=step))
    if logged:
        folder.append({"step": step, "loss": 2.0})
    if checkpoint:
        (folder.path / CHECKPOINT).write_bytes(b"x")
    return probe(folder.path)


def told(specs, slots, found=None, seconds=lambda runs: float(sum(one.steps - one.begin for one in runs))):
    return processes(left(specs, found or {}), slots, "cpu", seconds)


@pytest.mark.parametrize("slots", [1, 2, 3])
def test_runs_share_processes_as_the_queue_puts_them_there(tmp_path, slots):
    specs = sweep(SEEDS)
    store = Store(tmp_path)
    store.submit("s", specs)
    server = Server(store, [])
    said = told(specs, slots)
    for k in range(slots):
        slot = Slot(f"cpu {k}", "cpu", "", "")
        jobs = store.assign_many(slot.name, lambda job, n, k=k, slot=slot: server._most(slot, slots - k, job, n))
        assert [job.key for job in jobs] == [specs[i].key for i in said[k].runs]
    assert sorted(i for one in said for i in one.runs) == list(range(10))


def test_what_cannot_share_a_process_is_made_alone():
    wide = sweep({**SEEDS, "width": 128})
    assert [one.runs for one in told(wide, 2)] == [(i,) for i in range(10)]
    assert max(one.ended for one in told(wide, 2)) == 5 * len(planned(wide[0]))


def test_a_branch_begins_where_its_trunk_keeps_it_and_not_before():
    specs = sweep(TREE)
    runs = left(specs, {})
    trunk, *branches = runs
    assert trunk.begin == 0
    for one in branches:
        assert planned(one.spec).after(one.begin) == one.spec.trunk_tokens
        assert one.trunk == trunk.spec.key
    made = {one.runs[0]: one for one in told(specs, 3)}
    assert made[0].began == 0
    for i, one in enumerate(branches, start=1):
        assert made[i].began == pytest.approx(one.begin)  # a second a step
    whole = sum(one.ended - one.began for one in made.values())
    assert whole < sum(len(planned(one)) for one in specs)
    assert max(one.ended for one in told(specs, 1)) == whole
    assert [one.begin for one in left(specs[1:], {})] == [0, 0]  # no trunk that would keep anything


def test_what_is_done_is_left_and_what_was_stopped_goes_on(tmp_path):
    specs = sweep({**SEEDS, "seed": [0, 1, 2, 3, 4]})
    states = [("done", 39, True), ("failed", 7, True), ("queued", 7, True), ("queued", 7, False), ("queued", 0, False)]
    found = {one.key: stands(tmp_path, one, *state) for one, state in zip(specs, states, strict=True)}
    assert [(one.spec.seed, one.begin) for one in left(specs, found)] == [(2, 7), (3, 0), (4, 0)]
    assert [(one.spec.seed, one.begin) for one in left(specs, found, again=True)] == [(1, 7), (2, 7), (3, 0), (4, 0)]


def test_a_run_that_is_done_and_damaged_is_made_anew_only_again(tmp_path):
    (one,) = sweep({**SEEDS, "seed": 0})
    found = {one.key: stands(tmp_path, one, "done", 39, checkpoint=True, logged=False)}
    assert left([one], found) == []
    assert left([one], found, again=True) == [Left(one, 0, len(planned(one)))]


def test_a_branch_of_a_trunk_that_is_done_begins_from_what_it_kept(tmp_path):
    trunk, *branches = sweep(TREE)
    found = {trunk.key: stands(tmp_path, trunk, "done")}
    assert [one.begin for one in left(branches, found)] == [0, 0]
    Folder(tmp_path / "s" / trunk.key).kept(branches[0].trunk_tokens).write_bytes(b"x")
    first, second = left(branches, found)
    assert first == Left(branches[0], first.begin, len(planned(branches[0])))
    assert first.begin > 0
    assert second.begin == 0


def test_runs_that_wait_for_each_other_end_all_the_same():
    a, b = sweep({**SEEDS, "seed": [0, 1]})
    a, b = replace(a, trunk="0" * 16), replace(b, trunk="0" * 16)
    runs = [Left(replace(a, trunk=b.key), 1, 39, b.key), Left(replace(b, trunk=a.key), 1, 39, a.key)]
    assert processes(runs, 2, "cpu", lambda one: 1.0) == []
