"""The queue on this machine: one job a slot, one trainer a folder, every job ended once, whoever dies in between."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from data.probe.folder import CHECKPOINT, Folder, Status
from data.probe.process import Process
from data.probe.queue import serve as serving
from data.probe.queue.serve import AlreadyServedError, Server, environment, is_served, serve, served
from data.probe.queue.slots import FAKE, Slot, gpus, slots
from data.probe.queue.store import Store
from data.probe.spec import spec

PRETEND = [Slot("gpu 0", "cuda", "0"), Slot("gpu 1", "cuda", "1")]

# `data` without what its own file imports, none of which is used here: six sevenths of what a job would cost.
ALONE = """
import os, sys, types
sys.modules["data"] = types.ModuleType("data")
sys.modules["data"].__path__ = [os.path.join(os.getcwd(), "data")]
"""
# A job that takes its folder as a trainer does, works for a while by what the run's name says, and leaves its status.
JOB = f"""{ALONE}
import signal, time
from pathlib import Path
from data.probe.folder import BusyError, Folder, Status, now
from data.probe.process import Process
folder = Folder(Path(sys.argv[2]))
try:
    with folder.taken():
        signal.signal(signal.SIGTERM, lambda *_: (folder.say(Status("queued", "Stopped on request.", 3, 9)), os._exit(1)))
        began = time.time()
        folder.say(Status("running", process=str(Process.this()), heartbeat=now()))
        kind, _, seconds = folder.spec.name.partition(" ")
        if kind == "fails":
            sys.exit("no such corpus")
        time.sleep(float(seconds or 0.1))
        folder.append(dict(began=began, ended=time.time(), device=os.environ["CUDA_VISIBLE_DEVICES"]))
        folder.say(Status("done", "", 9, 9))
except BusyError:
    sys.exit(3)
"""


@pytest.fixture(autouse=True)
def pretend_job(monkeypatch, tmp_path):
    monkeypatch.setattr(serving, "command", lambda folder: [sys.executable, "-c", JOB, "spec", str(folder.path)])
    monkeypatch.setattr(serving, "LOOK_EVERY", 0.05)
    (tmp_path / "two").write_text("0, GPU-a, pretend, 80000, 0\n1, GPU-b, pretend, 80000, 0\n")
    monkeypatch.setenv(FAKE, str(tmp_path / "two"))


def runs(*names):
    return [spec({"width": 16, "seed": i, "name": name}) for i, name in enumerate(names)]


def intervals(store):
    return [row for job in store.jobs() for row in store.folder(job).rows()]


def test_two_devices_run_three_jobs_two_at_once_each_on_its_own(tmp_path):
    store = Store(tmp_path)
    store.submit("sweep", runs("sleeps 0.4", "sleeps 0.4", "sleeps 0.4"))
    serve(tmp_path, PRETEND, until_idle=True)
    assert [job.state for job in store.jobs()] == ["done"] * 3
    rows = sorted(intervals(store), key=lambda row: row["began"])
    assert len(rows) == 3
    assert {row["device"] for row in rows[:2]} == {"0", "1"}
    for one in PRETEND:
        own = [row for row in rows if row["device"] == one.visible]
        assert all(a["ended"] <= b["began"] for a, b in itertools.pairwise(own))
    assert rows[2]["began"] >= min(row["ended"] for row in rows[:2])


def test_the_same_sweep_submitted_twice_runs_once(tmp_path):
    store = Store(tmp_path)
    first = store.submit("sweep", runs("a", "b"))
    again = store.submit("another name for it", runs("other names", "do not count"))
    assert [job.key for job in again] == [job.key for job in first]
    assert {job.sweep for job in again} == {"sweep"}
    serve(tmp_path, PRETEND, until_idle=True)
    store.submit("sweep", runs("a", "b"))
    serve(tmp_path, PRETEND, until_idle=True)
    assert [job.attempts for job in store.jobs()] == [1, 1]


def test_only_one_process_serves_a_queue(tmp_path):
    with served(tmp_path):
        assert is_served(tmp_path)
        with pytest.raises(AlreadyServedError, match="Another process serves"):
            serve(tmp_path, PRETEND, until_idle=True)
    assert not is_served(tmp_path)


def test_a_job_assigned_by_a_queue_that_died_is_started_again(tmp_path):
    store = Store(tmp_path)
    store.submit("sweep", runs("a"))
    assert store.assign("gpu 0") is not None  # and then the queue died
    assert store.assign("gpu 0") is None
    serve(tmp_path, PRETEND, until_idle=True)
    (job,) = store.jobs()
    assert (job.state, job.attempts) == ("done", 2)


def test_jobs_outlive_the_queue_and_are_taken_back(tmp_path):
    store = Store(tmp_path)
    store.submit("sweep", runs("sleeps 1.5", "a", "a"))
    first = Server(store, PRETEND[:1])
    first.turn()
    (running,) = [job for job in store.jobs() if job.state == "running"]
    assert Process.read(running.process).alive
    second = Server(store, PRETEND[:1])  # knows nothing of the first one's children
    second.take_back()
    for _ in range(5):
        second.turn()
    assert [job.state for job in store.jobs()] == ["running", "queued", "queued"]
    first.children.popitem()[1].wait()
    serve(tmp_path, PRETEND[:1], until_idle=True)
    assert Counter(job.state for job in store.jobs()) == {"done": 3}
    assert [job.attempts for job in store.jobs()] == [1, 1, 1]
    assert len(intervals(store)) == 3


def test_a_run_whose_folder_another_process_has_is_tried_again_and_not_failed(tmp_path):
    store = Store(tmp_path)
    (job,) = store.submit("sweep", runs("a"))
    server = Server(store, PRETEND[:1])
    with store.folder(
        job
    ).taken():  # by a trainer that a queue started before it died, and that has not said anything yet
        server.turn()
        server.children[job.key].wait()
        server._look_after(store.jobs()[0])
    assert [job.state for job in store.jobs()] == ["queued"]
    serve(tmp_path, PRETEND[:1], until_idle=True)
    assert [job.state for job in store.jobs()] == ["done"]


# What makes several runs, as `--stack` does: those whose folders it can have, with the code of those.
STACK = f"""
import sys, subprocess
codes = {{subprocess.run([sys.executable, '-c', {JOB!r}, 'spec', f]).returncode for f in sys.argv[1:]}}
sys.exit(3 if codes == {{3}} else 0 if codes <= {{0, 3}} else 1)
"""


def stacked(folders):
    return [sys.executable, "-c", STACK, *(str(folder.path) for folder in folders)]


def test_of_a_stack_that_fails_the_run_that_another_process_has_is_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr(serving, "stacked", stacked)
    monkeypatch.setattr(serving, "most", lambda one, device: 2)
    store = Store(tmp_path)
    first, _ = store.submit("sweep", runs("a", "fails"))
    server = Server(store, PRETEND[:1])
    with store.folder(first).taken():
        server.turn()
        server.children[first.key].wait()
        for job in store.jobs():
            server._look_after(job)
    assert [job.state for job in store.jobs()] == ["queued", "failed"]
    serve(tmp_path, PRETEND[:1], until_idle=True)
    assert store.find(first.key).state == "done"


def test_a_queue_killed_at_once_loses_nothing(tmp_path):
    store = Store(tmp_path)
    store.submit("sweep", runs(*["sleeps 0.3"] * 6))
    code = (
        f"{ALONE}from pathlib import Path; from data.probe.queue import serve as s; from data.probe.queue.slots import Slot\n"
        f"s.command = lambda folder: [sys.executable, '-c', {JOB!r}, 'spec', str(folder.path)]; s.LOOK_EVERY = .05\n"
        f"s.serve(Path({str(tmp_path)!r}), [Slot('gpu 0', 'cuda', '0'), Slot('gpu 1', 'cuda', '1')], until_idle=True)"
    )
    for wait in (0.9, 0.6, 0.75):
        queue = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[4])
        time.sleep(wait)
        queue.send_signal(signal.SIGKILL)
        queue.wait()
    serve(tmp_path, PRETEND, until_idle=True)
    assert Counter(job.state for job in store.jobs()) == {"done": 6}
    assert len(intervals(store)) == 6  # each made its run once


def test_a_typo_burns_three_jobs_and_not_a_hundred(tmp_path, monkeypatch):
    monkeypatch.setattr(serving, "FAST", 0.0)  # however slow the machine is: none of them makes a step
    store = Store(tmp_path)
    store.submit("typo", runs(*["fails"] * 6))
    store.submit("sound", [spec({"width": 32, "name": "a"})])
    serve(tmp_path, PRETEND[:1], until_idle=True)
    states = Counter((job.sweep, job.state) for job in store.jobs())
    assert states == {("typo", "failed"): 3, ("typo", "queued"): 3, ("sound", "done"): 1}
    assert "3 runs in a row failed" in store.held()["typo"]
    assert "It said last: no such corpus" in store.held()["typo"]
    store.release("typo")
    assert store.held() == {}


def test_failures_count_for_every_sweep_that_has_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(serving, "FAST", 0.0)
    store = Store(tmp_path)
    store.submit("typo", runs(*["fails"] * 5))
    store.submit("again", runs(*["fails"] * 5))
    serve(tmp_path, PRETEND[:1], until_idle=True)
    assert Counter(job.state for job in store.jobs("again")) == {"failed": 3, "queued": 2}
    assert set(store.held()) == {"again", "typo"}


def test_cancelled_where_it_waits_and_where_it_runs(tmp_path):
    store = Store(tmp_path)
    store.submit("sweep", runs("sleeps 30", "a"))
    server = Server(store, PRETEND[:1])
    server.turn()
    running, waiting = store.jobs()
    path = store.folder(running).path
    deadline = time.monotonic() + 20
    while not (path / "status.json").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [job.key for job in store.cancel([running.key, waiting.key])] == [running.key]
    while store.find(running.key).state == "running":
        assert time.monotonic() < deadline
        server.turn()
        time.sleep(0.02)
    found = {job.key: job for job in store.jobs()}
    assert found[waiting.key].sentence == "Cancelled before it began."
    assert found[running.key].sentence == "Cancelled at step 3 of 9."
    assert Folder(path).status.state == "cancelled"
    store.retry([waiting.key])
    serve(tmp_path, PRETEND[:1], until_idle=True)
    assert store.find(waiting.key).state == "done"


def test_a_lost_file_of_the_queue_is_rebuilt_from_the_folders(tmp_path):
    store = Store(tmp_path)
    store.submit("sweep", runs("a", "b", "sleeps 0.1"))
    serve(tmp_path, PRETEND, until_idle=True)
    (tmp_path / "elsewhere").mkdir()
    before = {job.key: job.state for job in store.jobs()}
    for left in tmp_path.glob("queue.sqlite*"):
        left.unlink()
    assert store.rebuild() == 3
    assert {job.key: job.state for job in store.jobs()} == before
    assert store.rebuild() == 0


def lose(root):
    for left in root.glob("queue.sqlite*"):
        left.unlink()


def test_a_file_that_is_lost_while_runs_are_made_is_made_again_by_itself(tmp_path):
    store = Store(tmp_path)
    store.submit("sweep", runs("sleeps 1", "a", "b"))
    server = Server(store, PRETEND[:1])
    server.turn()
    lose(tmp_path)  # before the run has said that it runs
    assert [job.state for job in store.jobs()] == ["queued"] * 3
    server.turn()
    (first, *others) = store.jobs()
    assert [first.state, first.slot, *(job.state for job in others)] == ["running", "gpu 0", "queued", "queued"]
    wait_until(lambda: store.folder(first).status.state == "running")
    lose(tmp_path)
    assert (store.find(first.key).state, store.find(first.key).slot) == ("running", "")
    another = Server(store, PRETEND[:1])  # which knows nothing of the first one's children
    another.take_back()
    another.turn()
    assert [(job.state, job.slot) for job in store.jobs()] == [("running", "gpu 0"), ("queued", ""), ("queued", "")]
    server.children.popitem()[1].wait()
    lose(tmp_path)
    serve(tmp_path, PRETEND[:1], until_idle=True)
    assert [(job.key, job.state) for job in store.jobs()] == [(job.key, "done") for job in (first, *others)]
    assert len(intervals(store)) == 3


def test_what_was_cancelled_stays_so_when_the_file_is_lost(tmp_path):
    store = Store(tmp_path)
    store.submit("sweep", runs("a", "b"))
    (one, other) = store.jobs()
    store.cancel([one.key])
    lose(tmp_path)
    store.submit("sweep", runs("a", "b"))
    assert {job.key: job.state for job in store.jobs()} == {one.key: "cancelled", other.key: "queued"}


def test_a_run_that_was_cancelled_at_work_stays_so_when_the_file_is_lost(tmp_path):
    store = Store(tmp_path)
    store.submit("sweep", runs("sleeps 30"))
    server = Server(store, PRETEND[:1])
    server.turn()
    (job,) = store.jobs()
    wait_until(lambda: store.folder(job).status.state == "running")
    store.cancel([job.key])
    server.turn()
    lose(tmp_path)
    wait_until(lambda: server.turn() or store.find(job.key).state == "cancelled")


def test_the_order_of_a_sweep_is_that_of_its_submission_when_the_file_is_lost(tmp_path):
    store = Store(tmp_path)
    before = [job.key for job in store.submit("sweep", runs(*"abcdef"))]
    assert before != sorted(before)
    lose(tmp_path)
    assert [job.key for job in store.jobs()] == before


def test_what_was_held_given_up_and_put_first_is_so_when_the_file_is_lost(tmp_path):
    store = Store(tmp_path)
    first, second = store.submit("sweep", runs("a", "b"))
    store.submit("shares", runs("a"))  # whose run lies in the other
    store.prioritise([second.key], 3)
    store.hold("sweep", "It fails.")
    store.hold("shares", "So does it.")
    store.release("shares")
    store.give_up("shares")
    lose(tmp_path)
    assert [(job.key, job.priority) for job in store.jobs()] == [(second.key, 3), (first.key, 0)]
    assert store.held() == {"sweep": "It fails."}
    assert store.given_up() == {"shares"}
    (tmp_path / "sweep" / "queue.json").write_text('{"held": 1, "priority": []}')
    assert store.rebuild() == 0  # what the file has counts
    assert store.held() == {"sweep": "It fails."}
    lose(tmp_path)
    assert [job.priority for job in store.jobs()] == [0, 0]


def test_a_run_whose_process_is_gone_is_queued_when_the_file_is_lost(tmp_path):
    store = Store(tmp_path)
    (job,) = store.submit("sweep", runs("a"))
    gone = Process(2**22 + 1, 1.0, Process.this().boot)
    store.folder(job).say(Status("running", process=str(gone), heartbeat=time.time(), step=3, steps=9))
    lose(tmp_path)
    assert store.find(job.key).state == "queued"


def wait_until(reached, patience=20.0):
    deadline = time.monotonic() + patience
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_killed_run_goes_on_and_fails_where_it_is_killed_again_before_it_kept_anything_new(tmp_path):
    store = Store(tmp_path)
    store.submit("sweep", runs("sleeps 30"))
    (job,) = store.jobs()
    (store.folder(job).path / CHECKPOINT).touch()  # of an attempt before
    for keeps, state in [(False, "queued"), (True, "queued"), (False, "queued"), (False, "failed")]:
        server = Server(store, PRETEND[:1])
        server.turn()
        wait_until(lambda: store.folder(job).status.state == "running")
        if keeps:
            (store.folder(job).path / CHECKPOINT).touch()
        server.children[job.key].kill()
        server.children[job.key].wait()
        server._look_after(store.find(job.key))
        found = store.find(job.key)
        assert found.state == state
        if state == "queued":
            assert found.sentence == "Its process was killed; it goes on from its checkpoint."
            store.folder(job).say(Status("queued"))
    assert store.fast_failures("sweep", failed=True) == 2


def test_three_kills_of_three_runs_hold_no_sweep(tmp_path):
    store = Store(tmp_path)
    store.submit("sweep", runs(*["sleeps 30"] * 3))
    for job in store.jobs():
        store.prioritise([job.key], 1)  # the others wait
        server = Server(store, PRETEND[:1])
        server.turn()
        server.children[job.key].kill()
        server.children[job.key].wait()
        server._look_after(store.find(job.key))
        store.prioritise([job.key], 0)
    assert store.held() == {}
    assert {(job.state, job.sentence) for job in store.jobs()} == {
        ("queued", "Its process was killed; having no checkpoint yet, it begins anew.")
    }


@pytest.mark.parametrize(("rebooted", "state"), [(False, "failed"), (True, "queued")])
def test_a_run_that_takes_the_queue_down_with_it_each_time_is_not_begun_for_good(tmp_path, rebooted, state):
    """As where memory runs out for all of them at once; a machine that was started again says nothing of a run."""
    store = Store(tmp_path)
    store.submit("sweep", runs("a"))
    gone = Process(2**22 + 1, 1.0, "another" if rebooted else Process.this().boot, Process.this().host)
    for _ in range(2):
        (job,) = store.assign_many("gpu 0")
        store.folder(job).say(Status("running", process=str(gone), heartbeat=1.0, step=3, steps=9))
        Server(store, PRETEND[:1]).take_back()
    assert [one.state for one in store.jobs()] == [state]


def test_secrets_stay_out_of_a_job(monkeypatch):
    for name in (
        "WANDB_API_KEY", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "DB_PASSWORD", "SIGNING_KEY", "PASSPHRASE", "AWS_ACCESS_KEY_ID",
        "ANYTHING", "SLURM_JWT", "ISOFLOP_PASSWORD",
    ):  # fmt: skip
        monkeypatch.setenv(name, "s3cret")
    for name in ("DATABASE_URL", "https_proxy", "CUDA_HOME"):
        monkeypatch.setenv(name, "any://user:s3cret@host/")
    needed = {
        "LC_ALL": "C", "LD_LIBRARY_PATH": "/lib", "CONDA_PREFIX": "/c", "NCCL_DEBUG": "INFO", "TORCH_HOME": "/t", "SLURM_CONF": "/s",
        "MODULEPATH": "/m", "BASH_FUNC_module%%": "() { a\n}", "http_proxy": "http://host:80", "PYTHONPATH": "/p",
    }  # fmt: skip
    for name, value in needed.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ISOFLOP_HOME", "/home")
    held = environment(PRETEND[1])
    assert not [name for name, value in held.items() if "s3cret" in value]
    assert needed.items() <= held.items()
    assert held["ISOFLOP_HOME"] == "/home"
    assert held["CUDA_VISIBLE_DEVICES"] == "1"


SMI = """0, GPU-aaaa, NVIDIA H100 80GB HBM3, 81559, 4
1, GPU-bbbb, NVIDIA H100 80GB HBM3, 81559, 40000
2, GPU-cccc, NVIDIA A100, [N/A], [N/A]
"""


@pytest.mark.parametrize(
    ("visible", "indices"),
    [(None, "012"), ("", ""), ("1", "1"), ("2,0", "20"), ("GPU-bbbb", "1"), ("0,7,1", "0"), ("-1", "")],
)
def test_gpus_are_those_that_the_environment_leaves(monkeypatch, tmp_path, visible, indices):
    (tmp_path / "smi").write_text(SMI)
    monkeypatch.setenv(FAKE, str(tmp_path / "smi"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert "".join(g.index for g in gpus()) == indices


def test_a_gpu_that_others_use_is_no_free_slot(monkeypatch, tmp_path):
    (tmp_path / "smi").write_text(SMI)
    monkeypatch.setenv(FAKE, str(tmp_path / "smi"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    store = Store(tmp_path / "queue")
    store.submit("sweep", runs("a", "a"))
    found = slots()
    assert [one.name for one in found] == ["gpu 0", "gpu 1", "gpu 2"]
    serve(tmp_path / "queue", found[:2], until_idle=True)
    assert {row["device"] for row in intervals(store)} == {"0"}


def test_without_a_gpu_there_are_cores(monkeypatch, tmp_path):
    monkeypatch.setenv(FAKE, str(tmp_path / "none"))
    assert [(s.name, s.device) for s in slots(2)] == [("cpu 0", "cpu"), ("cpu 1", "cpu")]


def test_runs_of_one_shape_share_a_process_and_other_slots_get_their_part(monkeypatch, tmp_path):
    told = []
    monkeypatch.setattr(serving, "stacked", lambda folders: told.append(len(folders)) or stacked(folders))
    monkeypatch.setattr(serving, "most", lambda one, device: 4)
    store = Store(tmp_path)
    store.submit("sweep", [*runs(*["a"] * 6), spec({"width": 32})])
    cores = [Slot("cpu 0", "cpu"), Slot("cpu 1", "cpu")]
    server = Server(store, cores)
    server.turn()
    assert told == [3, 3]
    assert sorted(job.slot for job in store.jobs() if job.state == "running") == [
        "cpu 0", "cpu 0/1", "cpu 0/2", "cpu 1", "cpu 1/1", "cpu 1/2",
    ]  # fmt: skip
    server.turn()  # nobody starts beside them
    assert store.assign("cpu 0") is None
    for child in server.children.values():
        child.wait()
    serve(tmp_path, cores, until_idle=True)
    assert Counter(job.state for job in store.jobs()) == {"done": 7}
    assert [job.attempts for job in store.jobs()] == [1] * 7
