"""Runs on a real Slurm of one node: submitted, watched, cancelled, failed, put back and gone on with, each by its folder."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from data.errors import DataError
from data.probe.folder import SPEC, Folder
from data.probe.jobs.settings import Settings, settings
from data.probe.slurm import ask
from data.probe.slurm.record import FILE, record, recorded
from data.probe.slurm.submit import SlurmQueue
from data.probe.spec import spec

pytestmark = pytest.mark.usefixtures("slurm")
PATIENCE = 120.0  # seconds
TIMES = ("step_seconds", "step_seconds_p90", "eval_seconds", "start_seconds", "data_seconds", "peak_memory")

# What stands for the trainer: it works by what the run's name says, and leaves its status, from step to step, as a trainer does.
# It needs nothing that is imported slowly.
TRAINER = r"""
import json, os, signal, sys, time
where = sys.argv[-1]
name = json.load(open(sys.argv[-2]))["name"]
kind, _, seconds = name.partition(" ")
path = os.path.join(where, "status.json")
known = json.load(open(path)) if os.path.exists(path) else {}
step = known.get("step", 0)
def say(state, sentence=""):
    with open(path + ".part", "w") as out:
        json.dump({"state": state, "sentence": sentence, "step": step, "steps": 9, "heartbeat": time.time()}, out)
    os.replace(path + ".part", path)
def stop(*_):
    say("queued", "Stopped on request; it goes on from its checkpoint.")
    os._exit(75)
signal.signal(signal.SIGTERM, stop)
began = time.time()
say("running")
if kind == "fails":
    print("no such corpus")
    sys.exit(2)
if kind in ("killed", "dies") and step == 0:
    if kind == "killed":
        step = 4
        say("running")
        open(os.path.join(where, "checkpoint.npz"), "w").close()
    os.kill(os.getpid(), signal.SIGKILL)
if kind == "stops" and step == 0:
    step = 4
    open(os.path.join(where, "checkpoint.npz"), "w").close()
    say("running")
    time.sleep(60)
time.sleep(float(seconds) if kind == "sleeps" else 0.1)
step = 9
with open(os.path.join(where, "log.jsonl"), "a") as log:
    log.write(json.dumps({"step": step, "began": began, "ended": time.time(), "device": os.environ.get("CUDA_VISIBLE_DEVICES"),
                          "for": os.environ["ISOFLOP_DEVICE"], "env": sorted(os.environ)}) + "\n")
say("done")
"""


@pytest.fixture
def queue(tmp_path):
    stand_in = tmp_path / "a trainer's stand-in"
    stand_in.write_text(f"#!{Path(sys.executable).resolve()} -IS\n{TRAINER}")
    stand_in.chmod(0o755)

    def made(**fields):
        given = settings({"python": str(stand_in), "memory": "64M", **fields}, own=True)
        return SlurmQueue(tmp_path / "runs 'of' $HOME; `x`", given)

    return made


def runs(*names):
    return [spec({"width": 16, "seed": i, "name": name}) for i, name in enumerate(names)]


def until(queue, true):
    """The runs by name, once something is true of them."""
    deadline = time.monotonic() + PATIENCE
    while True:
        queue.tend()
        found = {one.folder.spec.name: one for one in queue.states()}
        if true(found):
            queue.tend()  # what has ended since
            return found
        said = {name: (one.state, one.sentence) for name, one in found.items()}
        assert time.monotonic() < deadline, (
            f"{said} {[p.read_text()[-500:] for p in queue.root.glob('*/*/stdout.txt')]}"
        )
        time.sleep(0.1)


def over(found):
    return all(one.state not in ("queued", "running") for one in found.values())


def rows(queue):
    return [row for one in queue.states() for row in one.folder.rows()]


def test_two_devices_run_three_jobs_two_at_once_each_on_its_own(queue, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "s3cret")
    q = queue(gpus=1)
    q.submit("sweep", runs("sleeps 2.5", "sleeps 2.6", "sleeps 0.1"))
    until(q, lambda found: Counter(one.state for one in found.values()) == {"running": 2, "queued": 1})
    until(q, lambda found: "No node has free what it asks for." in [one.sentence for one in found.values()])
    assert {one.state for one in until(q, over).values()} == {"done"}
    by_time = sorted(rows(q), key=lambda row: row["began"])
    assert len(by_time) == 3
    assert {row["device"] for row in by_time[:2]} == {"0", "1"}
    assert by_time[1]["began"] < by_time[0]["ended"]
    assert by_time[2]["began"] >= min(row["ended"] for row in by_time[:2])
    assert all(row["for"] == "cuda" and "WANDB_API_KEY" not in row["env"] for row in by_time)


def test_the_same_sweep_submitted_twice_runs_once_even_where_the_number_was_lost(queue, monkeypatch):
    q = queue(throttle=2)
    monkeypatch.setattr("data.probe.slurm.submit.most_tasks", lambda: 2)  # three runs are two arrays
    q.submit("sweep", runs("sleeps 0.5", "b", "c"))
    for one in q.states():
        record(one.folder.path, replace(recorded(one.folder.path), job=""))  # who submitted them died at once
    assert len(q.submit("another name for it", runs("other", "names", "here"))) == 3
    assert {one.sweep for one in q.states()} == {"sweep"}
    assert {one.state for one in until(q, over).values()} == {"done"}
    SlurmQueue(q.root).submit("sweep", runs("sleeps 0.5", "b", "c"))
    held = [recorded(one.folder.path) for one in q.states()]
    assert [one.attempts for one in held] == [1, 1, 1]
    assert len({one.job for one in held}) == 2
    assert len(rows(q)) == 3


def test_a_run_is_cancelled_where_it_waits_and_where_it_runs_and_can_be_made_again(queue):
    q = queue(throttle=1)
    q.submit("sweep", runs("stops", "b"))
    found = until(q, lambda found: found["stops"].folder.status.step == 4)
    assert (found["b"].state, found["b"].sentence) == ("queued", "As many run at once as `throttle` allows.")
    q.cancel([one.key for one in found.values()])
    assert found["b"].folder.status.state == "cancelled"  # Slurm says nothing of it any more
    ended = until(q, over)
    assert {one.state for one in ended.values()} == {"cancelled"}
    assert [one.sentence for one in ended.values()] == ["Cancelled at step 4 of 9.", "Cancelled before it began."]
    assert {one.folder.status.state for one in ended.values()} == {"cancelled"}
    time.sleep(1.5)  # as long as a job that is put back would wait
    assert over({str(i): one for i, one in enumerate(q.states())})
    q.retry([one.key for one in ended.values()])
    assert {one.state for one in until(q, over).values()} == {"done"}


def test_a_run_that_fails_says_so_and_one_that_somebody_else_cancels_too(queue):
    q = queue()
    q.submit("sweep", runs("fails", "stops"))
    until(q, lambda found: found["stops"].folder.status.step == 4)
    theirs = recorded(next(one.folder.path for one in q.states() if one.folder.spec.name == "stops"))
    subprocess.run(["scancel", theirs.task], check=True)
    found = until(q, over)
    assert found["fails"].state == "failed"
    assert found["fails"].sentence.endswith("It said last: no such corpus")
    assert found["stops"].state == "cancelled"
    assert found["stops"].sentence == "Its job was cancelled in Slurm. Cancelled at step 4 of 9."
    assert found["fails"].folder.status.state == "failed"


def test_runs_that_are_told_to_stop_are_put_back_and_go_on(queue):
    q = queue()
    ways = {
        "stops before its time is up": None,
        "stops because it is told so": ["scancel", "--signal=TERM", "--full"],
        "stops because a person puts it back": ["scontrol", "requeue"],
    }
    q.submit("sweep", runs(*ways))
    found = until(q, lambda found: all(one.folder.status.step == 4 for one in found.values()))
    for name, told in ways.items():
        if told is None:
            q.requeue([found[name].key])
        else:
            subprocess.run([*told, recorded(found[name].folder.path).task], check=True)
    until(q, lambda found: all("put back" in one.sentence and one.state == "queued" for one in found.values()))
    assert {one.state for one in until(q, over).values()} == {"done"}
    assert {recorded(one.folder.path).attempts for one in found.values()} == {1}
    assert len(rows(q)) == 3


def test_a_killed_run_goes_on_where_its_checkpoint_moved_on_and_fails_in_words_where_it_did_not(queue):
    q = queue()
    q.submit("sweep", runs("killed", "dies"))
    found = until(q, over)
    assert found["killed"].state == "done"
    assert found["dies"].state == "failed"
    assert found["dies"].sentence == "Its process was killed; the machine may have run out of memory."
    assert {recorded(one.folder.path).attempts for one in found.values()} == {1}
    assert [len(list(one.folder.rows())) for one in found.values()] == [1, 0]


def test_a_run_that_never_gets_on_is_not_put_back_for_good(queue):
    q = queue(requeues=0)
    q.submit("sweep", runs("stops"))
    found = until(q, lambda found: found["stops"].folder.status.step == 4)["stops"]
    q.requeue([found.key])
    ended = until(q, over)["stops"]
    assert (ended.state, ended.sentence.partition(":")[0]) == (
        "lost",
        "It stopped on request, and Slurm did not put it back. Started again, it goes on from its checkpoint.",
    )


def test_slurm_says_the_same_in_json_and_in_text(queue, monkeypatch):
    q = queue(throttle=1)
    q.submit("sweep", runs("stops", *"bcdef"))
    until(q, lambda found: found["stops"].state == "running")
    plainly = ask.queue()
    monkeypatch.setattr(ask, "JSON_SINCE", (0, 0))
    told = {(one.job, one.index): one for one in ask.queue()}
    mine = [one for one in plainly if one.name == recorded(q.states()[0].folder.path).name]
    assert len(mine) == 6
    assert [replace(told[one.job, one.index], code=None) for one in mine] == mine


def test_what_slurm_refuses_is_said_and_leaves_no_trace(queue):
    q = queue(partition="nowhere")
    with pytest.raises(DataError, match=r"sbatch refused: .*invalid partition"):
        q.submit("sweep", runs("a"))
    assert not list(q.root.glob(f"*/*/{FILE}"))
    assert [one.state for one in q.states()] == ["queued"]


def test_a_real_run_whose_place_others_take_ends_in_the_same_numbers(tmp_path):
    if importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed (it comes with the probe extra)")
    # Long enough not to be done before Slurm takes its place, which takes it a second or two.
    what = spec({"width": 16, "tokens": 8e5, "seq_len": 64, "eval_tokens": 2048, "evals": 6})
    whole = Folder(tmp_path / "whole")
    whole.declare(what)
    command = [sys.executable, "-m", "data.probe.trainer", str(whole.path / SPEC), str(whole.path), "--device", "cpu"]
    with subprocess.Popen(command, cwd=Path(__file__).parents[4], stdout=subprocess.DEVNULL) as alone:
        q = SlurmQueue(tmp_path / "parts", Settings(memory="256M", partition="main"))
        (one,) = q.submit("sweep", [what])
        until(q, lambda _: any(one.folder.rows()))
        theirs = ["--exclusive", "--mem=0", "--output=/dev/null", "--wrap", f"touch '{tmp_path}/theirs'"]
        subprocess.run(["sbatch", "--partition=urgent", *theirs], check=True, stdout=subprocess.DEVNULL)
        until(q, lambda found: found[""].state == "queued")
        stopped = one.folder.status
        assert stopped.sentence == "Stopped on request; it goes on from its checkpoint."
        assert 0 < stopped.step < stopped.steps
        assert until(q, over)[""].state == "done"
        assert alone.wait(PATIENCE) == 0
    assert (tmp_path / "theirs").exists()
    assert recorded(one.folder.path).attempts == 1
    a, b = ([{k: v for k, v in row.items() if k not in TIMES} for row in f.rows()] for f in (whole, one.folder))
    assert json.dumps(a) == json.dumps(b)
    assert len(a) == 6
