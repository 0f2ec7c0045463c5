"""The queue where a list, a folder or a clock is not as it should be."""

from __future__ import annotations

import json
import shutil
import time

import pytest

from data.errors import DataError
from data.probe import members
from data.probe.folder import CHECKPOINT, LOG, SPEC, Status
from data.probe.queue import serve as serving
from data.probe.queue.serve import FAST, Server
from data.probe.queue.slots import Slot
from data.probe.queue.store import FILE, Store
from data.probe.sweep import sweep
from tests.dashboard.probe.fake import FOUR, stands

SLOT = Slot("cpu 0", "cpu", "")


def test_a_list_of_another_sweep_that_cannot_be_read_blocks_deletion_until_it_can(tmp_path):
    store = Store(tmp_path)
    stands(store, "c", FOUR, ["done"] * 4)
    store.submit("d", sweep(FOUR))
    listed = (tmp_path / "d" / members.FILE).read_bytes()
    (tmp_path / "d" / members.FILE).write_text("{")
    with pytest.raises(DataError, match="nothing is deleted"):
        store.forget("c")
    assert len(store.jobs("c")) == 4
    (tmp_path / "d" / members.FILE).write_bytes(listed)
    store.forget("c")
    assert [job.sweep for job in store.jobs()] == ["d"] * 4
    assert not [*tmp_path.glob("c/*/spec.json")]


def test_a_sweep_whose_own_list_cannot_be_read_can_be_deleted(tmp_path):
    store = Store(tmp_path)
    stands(store, "c", FOUR, ["done"] * 4)
    (tmp_path / "c" / members.FILE).write_text("{")
    store.forget("c")
    assert store.jobs() == []


@pytest.mark.parametrize("place", ["run", "sweep"])
def test_nothing_is_written_through_a_link_in_place_of_a_folder(tmp_path, place):
    store = Store(tmp_path / "out")
    (one,) = sweep({**FOUR, "width": 8, "tokens": 2e4})
    link = store.root / "s" if place == "sweep" else store.root / "s" / one.key
    link.parent.mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    link.symlink_to(tmp_path / "outside")
    with pytest.raises(DataError, match="is a link"):
        store.submit("s", [one])
    assert not [*(tmp_path / "outside").iterdir()]
    assert store.jobs() == []


def test_a_run_that_became_a_link_fails_in_a_sentence(tmp_path):
    store = Store(tmp_path / "out")
    (job,) = store.submit("s", sweep({**FOUR, "width": 8, "tokens": 2e4}))
    path = store.folder(job).path
    shutil.move(path, tmp_path / "outside")
    path.symlink_to(tmp_path / "outside")
    before = sorted(one.name for one in (tmp_path / "outside").iterdir())
    store.assign("cpu 0")
    Server(store, [SLOT])._start(store.jobs(), SLOT)
    (job,) = store.jobs()
    assert job.state == "failed"
    assert "is a link" in job.sentence
    assert sorted(one.name for one in (tmp_path / "outside").iterdir()) == before


def test_a_rebuilt_queue_believes_no_folder_of_another_run_and_no_copy(tmp_path):
    store = Store(tmp_path)
    keys = stands(store, "s", FOUR, ["done"] * 4)
    shutil.copytree(tmp_path / "s" / keys[0], tmp_path / "s" / "0 copy")
    shutil.copy(tmp_path / "s" / keys[2] / SPEC, tmp_path / "s" / keys[1] / SPEC)
    shutil.rmtree(tmp_path / "s" / keys[2])
    for left in tmp_path.glob(f"{FILE}*"):
        left.unlink()
    assert store.rebuild() == 2
    assert {job.name for job in store.jobs()} == {keys[0], keys[3]}


def test_a_run_whose_log_was_damaged_is_made_anew_by_retry_and_no_other(tmp_path):
    store = Store(tmp_path)
    keys = stands(store, "s", FOUR, ["done"] * 4)
    folder = store.folder(store.find(keys[0]))
    (folder.path / CHECKPOINT).write_bytes(b"")
    rows = (folder.path / LOG).read_bytes()
    (folder.path / LOG).write_bytes(rows[: len(rows) // 2])
    store.retry(keys)
    assert [job.state for job in store.jobs()] == ["queued", "done", "done", "done"]
    assert not (folder.path / CHECKPOINT).exists()
    assert folder.status == Status("queued")


@pytest.mark.parametrize("clock", [-1e6, 1e6])
def test_a_clock_that_is_set_ends_no_run_early_and_makes_no_failure_fast(tmp_path, monkeypatch, clock):
    store = Store(tmp_path)
    store.submit("s", sweep({**FOUR, "width": 8, "tokens": 2e4}))
    (job,) = store.assign_many("cpu 0")
    store.folder(job).say(Status("running", "", 5, 100))
    server = Server(store, [SLOT])
    server.began_at[job.key] = time.monotonic() - 2 * FAST
    store.cancel([job.key])
    (job,) = store.jobs()
    ended = []
    monkeypatch.setattr(serving.psutil, "Process", lambda pid: Ended(ended))
    server._cancel_if_asked(job, 1)
    monkeypatch.setattr(time, "time", lambda real=time.time: real() + clock)
    server._cancel_if_asked(job, 1)
    assert ended == ["terminate"]
    server.asked_at[job.key] -= 2 * serving.GRACE
    server._cancel_if_asked(job, 1)
    assert ended == ["terminate", "kill"]
    counted = []
    monkeypatch.setattr(Store, "fast_failures", lambda self, name, failed: counted.append(failed) or 0)
    store.retry([job.key])
    server.asked_at.clear()
    with store._open() as held:
        held.execute("update jobs set sentence = '' where key = ?", (job.key,))
    (job,) = store.jobs()
    server._settle(job, "failed", 1)
    assert counted == [False]


class Ended:
    """A process that notes how it was ended."""

    def __init__(self, said):
        self.said = said

    def terminate(self):
        self.said.append("terminate")

    def kill(self):
        self.said.append("kill")


def test_where_a_gone_process_goes_on_is_said_as_it_is(tmp_path):
    store = Store(tmp_path)
    store.submit("s", sweep({**FOUR, "width": 8, "tokens": 2e4}))
    (job,) = store.assign_many("cpu 0")
    folder = store.folder(job)
    folder.say(Status("running", "", 5, 100))
    Server(store, [SLOT])._settle(job, "lost")
    assert store.jobs()[0].sentence == "Its process was gone; having no checkpoint yet, it begins anew."
    assert json.loads((folder.path / "status.json").read_text())["step"] == 5
