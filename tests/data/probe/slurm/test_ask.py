"""What Slurm says, in the shapes of its versions, and what is made of it; no Slurm is needed."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest

from data.errors import DataError
from data.probe.folder import STATES, Folder, Status, now
from data.probe.jobs.settings import Settings
from data.probe.queue import ended
from data.probe.slurm import ask, submit
from data.probe.slurm.ask import Seen, SilentError, SlurmError, of_json, of_sacct, of_text, version
from data.probe.slurm.record import FILE, Record, record, recorded
from data.probe.slurm.submit import SlurmQueue
from data.probe.slurm.words import AT_WORK, OVER, REASONS, WAITING, stands, waits
from data.probe.spec import spec
from tests.data.probe.queue.test_ended import WRITE


def number(x):
    return {"set": x is not None, "infinite": False, "number": x or 0}


# One array of version after version: a task that runs, one that failed with code 75, and two that wait.
OLD = {
    "jobs": [
        {"array_job_id": 12, "array_task_id": 0, "array_task_string": "", "job_state": "RUNNING", "state_reason": "None",
         "exit_code": 0, "name": "isoflop-a", "nodes": "n1"},
        {"array_job_id": 12, "array_task_id": 1, "array_task_string": "", "job_state": "FAILED", "state_reason": "NonZeroExitCode",
         "exit_code": 19200, "name": "isoflop-a", "nodes": "n1"},
        {"array_job_id": 12, "array_task_id": None, "array_task_string": "2,5%2", "job_state": "PENDING",
         "state_reason": "JobArrayTaskLimit", "exit_code": 0, "name": "isoflop-a", "nodes": ""},
        {"array_job_id": 0, "array_task_id": None, "array_task_string": "", "job_state": "RUNNING", "name": "no array"},
    ]
}  # fmt: skip
NEW = {
    "jobs": [
        {"array_job_id": number(12), "array_task_id": number(0), "array_task_string": "", "job_state": ["RUNNING"],
         "state_reason": "None", "exit_code": {"status": ["SUCCESS"], "return_code": number(0)}, "name": "isoflop-a", "nodes": "n1"},
        {"array_job_id": number(12), "array_task_id": number(1), "array_task_string": "", "job_state": ["FAILED"],
         "state_reason": "NonZeroExitCode", "exit_code": {"status": ["ERROR"], "return_code": number(75),
         "signal": {"id": number(None), "name": ""}}, "name": "isoflop-a", "nodes": "n1"},
        {"array_job_id": number(12), "array_task_id": number(None), "array_task_string": "2,5%2", "job_state": ["PENDING"],
         "state_reason": "JobArrayTaskLimit", "exit_code": {"status": ["PENDING"], "return_code": number(None)}, "name": "isoflop-a"},
        {"array_job_id": number(0), "array_task_id": number(None), "job_state": ["RUNNING"], "name": "no array"},
    ]
}  # fmt: skip
TEXT = """12|0|RUNNING|isoflop-a|n1|None
12|1|FAILED|isoflop-a|n1|NonZeroExitCode
12|2|PENDING|isoflop-a||JobArrayTaskLimit
12|5|PENDING|isoflop-a||JobArrayTaskLimit
13|N/A|RUNNING|no array|n1|None
slurm_load_jobs error: a line of another kind
"""


def test_every_version_tells_the_same():
    expected = [
        Seen("12", 0, "RUNNING", "", "isoflop-a", "n1", 0),
        Seen("12", 1, "FAILED", "NonZeroExitCode", "isoflop-a", "n1", 75),
        Seen("12", 2, "PENDING", "JobArrayTaskLimit", "isoflop-a", "", 0),
        Seen("12", 5, "PENDING", "JobArrayTaskLimit", "isoflop-a", "", 0),
    ]
    without = [replace(one, code=None) for one in expected]
    assert list(of_json(json.dumps(OLD))) == expected
    assert [replace(one, code=None) for one in of_json(json.dumps(NEW))] == without
    assert next(one.code for one in of_json(json.dumps(NEW)) if one.index == 1) == 75
    assert list(of_text(TEXT)) == without


def test_shapes_that_are_odd():
    both = {"array_job_id": 3, "array_task_id": number(4), "job_state": ["CANCELLED", "COMPLETING"]}
    assert [one.state for one in of_json(json.dumps({"jobs": [both]}))] == ["COMPLETING"]
    for tasks, indices in {
        "0-8:4%1": [0, 4, 8],
        "[1-3,7]": [1, 2, 3, 7],
        "0x3F": [],
        "1-99999999999": [],
        "1,3,...": [1, 3],
    }.items():
        assert [one.index for one in of_text(f"7|{tasks}|PENDING|a|b||x|Priority")] == indices, tasks
    (one,) = of_text("7|1|PENDING|a|name|with lines||Nodes required for job are DOWN, DRAINED")
    assert (one.name, one.reason) == ("a|name|with lines", "Nodes required for job are DOWN, DRAINED")
    for said in ("", "[]", '{"jobs": 3}', '{"errors": []}', "[" * 100_000):
        with pytest.raises(SlurmError, match="did not print a list"):
            list(of_json(said))
    assert version("slurm 23.11.4") == (23, 11)
    assert version("slurm-wlm 22.05.8") == (22, 5)
    assert version("") == (0, 0)
    said = "12_0|COMPLETED|0:0\n12_1|CANCELLED by 1000|0:15\n12_[2-3]|PENDING|0:0\n12_4|OUT_OF_ME+|0:125\n13|COMPLETED|0:0\n"
    assert [(one.index, one.state, one.signal) for one in of_sacct(said)] == [
        (0, "COMPLETED", 0), (1, "CANCELLED", 15), (2, "PENDING", 0), (3, "PENDING", 0), (4, "OUT_OF_ME", 125),
    ]  # fmt: skip


HALF = Status("running", "", 4, 9, heartbeat=1.0)
HEARD_NOW = -1.0  # stands for the moment at which a test looks
AT_WORK_NOW = replace(HALF, heartbeat=HEARD_NOW)
AT = Record("isoflop-a", 0, "12", 1.0)


CASES = [
    (Status("queued"), Seen("12", 0, "PENDING", "Priority"), "queued", "higher priority"),
    (Status("queued"), Seen("12", 0, "PENDING", "QOSMaxGRESPerUser"), "queued", "A limit on what its user"),
    (Status("queued"), Seen("12", 0, "PENDING", "ReqNodeNotAvail, UnavailableNodes:n1"), "queued", "down or reserved"),
    (HALF, Seen("12", 0, "REQUEUED"), "queued", "put back"),
    (Status("failed", "x"), Seen("12", 0, "PENDING", "BeginTime"), "queued", "put back"),
    (HALF, Seen("12", 0, "RUNNING"), "running", "said nothing for"),
    (Status("queued"), Seen("12", 0, "RUNNING"), "running", "starting"),
    (AT_WORK_NOW, Seen("12", 0, "RUNNING"), "running", ""),
    (HALF, Seen("12", 0, "SUSPENDED"), "running", "suspended"),
    (HALF, Seen("12", 0, "TIMEOUT"), "failed", "time limit"),
    (HALF, Seen("12", 0, "OUT_OF_MEMORY"), "failed", "out of memory"),
    (HALF, Seen("12", 0, "NODE_FAIL"), "lost", "node failed"),
    (HALF, Seen("12", 0, "PREEMPTED"), "lost", "took its place"),
    (HALF, Seen("12", 0, "FAILED", code=2), "failed", "with code 2. It said last: no such corpus"),
    (HALF, Seen("12", 0, "FAILED", signal=9), "failed", "by signal 9"),
    (HALF, Seen("12", 0, "FAILED", code=137), "failed", "Its process was killed; the machine may have run out of memory. It said last: no"),
    (replace(HALF, state="queued"), Seen("12", 0, "FAILED", code=75), "lost", "stopped on request"),
    (HALF, Seen("12", 0, "CANCELLED"), "cancelled", "in Slurm. Cancelled at step 4 of 9."),
    (HALF, Seen("12", 0, "COMPLETED"), "lost", "does not say how it ended"),
    (HALF, Seen("12", 0, "NEW_IN_30_05"), "lost", "new_in_30_05"),
    (HALF, None, "lost", "has its job no more"),
    (AT_WORK_NOW, None, "running", ""),
    (Status("lost", "Its node failed."), Seen("12", 0, "FAILED", code=1), "lost", "Its node failed."),
    (Status("lost", "Its node failed."), None, "lost", "Its node failed."),
    (Status("lost", "Its node failed."), Seen("12", 0, "RUNNING"), "running", ""),
    (HALF, Seen("12", 0, "FAILED", code=3), "lost", "Another process had its folder"),
    (AT_WORK_NOW, Seen("12", 0, "FAILED", code=3), "running", ""),
    (replace(HALF, state="queued"), Seen("12", 0, "FAILED", code=1), "failed", "with code 1"),
    (Status("done"), Seen("12", 0, "PREEMPTED"), "done", ""),
    (Status("done"), None, "done", ""),
    (Status("diverged", "The loss was nan."), Seen("12", 0, "FAILED"), "diverged", "The loss was nan."),
]  # fmt: skip


def heard(status: Status) -> Status:
    return replace(status, heartbeat=now()) if status.heartbeat == HEARD_NOW else status


def test_a_state_is_said_in_words():
    for status, seen, state, words in CASES:
        found, sentence = stands(heard(status), AT, seen, last="no such corpus")
        assert found == state, (status, seen)
        assert words in sentence, (status, seen)
        assert bool(words) == bool(sentence), (status, seen)


def test_every_state_and_reason_has_its_words():
    assert {state for state, _ in OVER.values()} <= set(STATES)
    assert not (WAITING.keys() & AT_WORK.keys()) | (OVER.keys() & (WAITING.keys() | AT_WORK.keys()))
    assert all(words.endswith((".", "moment.")) for words in REASONS.values())
    assert waits("SomethingNew") == "Slurm says SomethingNew."
    assert waits("") == ""


@pytest.fixture
def told(monkeypatch):
    """What Slurm was told, with answers that a test gives: a text, or an error that is raised."""
    answers = {
        "squeue": "",
        "sbatch": "12\n",
        "sacct": SlurmError("no accounting"),
        "scancel": "",
        "scontrol": "MaxArraySize = 1001\n",
    }
    said = []

    def tell(*command, given=""):
        said.append(command)
        answer = answers[command[0]]
        if isinstance(answer, Exception):
            raise answer
        return "slurm 22.05.8" if "--version" in command else answer

    monkeypatch.setattr(ask, "told", tell)
    monkeypatch.setattr(submit, "told", tell)
    tell.answers, tell.said = answers, said
    return tell


RUN = spec({"width": 16, "name": "a"})


def test_where_slurm_does_not_answer_nothing_is_concluded(told, tmp_path):
    queue = SlurmQueue(tmp_path, Settings())
    queue.submit("sweep", [RUN])
    folder = Folder(tmp_path / "sweep" / RUN.key)
    folder.say(HALF)
    told.answers["squeue"] = SlurmError("squeue refused: Unable to contact slurm controller.")
    queue.tend()
    assert [(one.state, one.sentence) for one in queue.states()] == [
        ("running", "squeue refused: Unable to contact slurm controller.")
    ]
    for what in (queue.retry, queue.cancel, queue.requeue):
        with pytest.raises(DataError, match="Unable to contact"):
            what([RUN.key])
    assert folder.status == HALF
    told.answers["squeue"] = ""
    assert [one.state for one in queue.states()] == ["lost"]
    with folder.taken():  # whoever makes a run has it, whatever Slurm says
        queue.retry([RUN.key])
    assert len([one for one in told.said if one[0] == "sbatch"]) == 1
    told.answers["sacct"] = "12_0|TIMEOUT|0:0\n"
    queue.tend()
    assert (folder.status.state, folder.status.step) == ("failed", 4)
    assert (
        folder.status.sentence == "It reached its time limit. Started again, having no checkpoint yet, it begins anew."
    )


def test_a_submission_that_may_have_arrived_is_not_repeated(told, tmp_path):
    queue = SlurmQueue(tmp_path, Settings())
    told.answers["sbatch"] = SilentError("Slurm did not answer sbatch for 60 seconds.")
    with pytest.raises(SilentError):
        queue.submit("sweep", [RUN])
    path = tmp_path / "sweep" / RUN.key
    name = recorded(path).name
    assert [one.sentence for one in queue.states()] == ["It is being submitted."]
    told.answers["squeue"] = f"77|0|PENDING|{name}||Priority\n"
    queue.submit("sweep", [RUN])
    assert recorded(path).job == "77"
    assert len([one for one in told.said if one[0] == "sbatch"]) == 1
    told.answers["scancel"] = SlurmError("scancel refused: no.")
    with pytest.raises(SlurmError):
        queue.cancel([RUN.key])
    assert not recorded(path).cancelled
    record(path, replace(recorded(path), job="", submitted=now() - 100))
    told.answers |= {"squeue": "", "sbatch": "78;east\n"}
    queue.submit("sweep", [RUN])
    assert (recorded(path).job, recorded(path).attempts) == ("78", 2)
    (path / FILE).write_text("[]")
    assert "slurm.json cannot be read" in queue.states()[0].sentence


def test_the_command_at_the_end_of_a_sweep_is_run_once_by_whoever_looks_next(told, tmp_path, monkeypatch):
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path / "home"))
    root, said = tmp_path / "q", tmp_path / "said"
    SlurmQueue(root, Settings()).submit("sweep", [RUN])
    ended.choose(root, [sys.executable, "-c", WRITE, str(said)])
    told.answers["squeue"] = "12|0|RUNNING|a|n1|None"
    SlurmQueue(root).tend()
    Folder(root / "sweep" / RUN.key).say(Status("done", "", 9, 9))
    told.answers["squeue"] = SlurmError("Slurm did not answer.")
    SlurmQueue(root).tend()  # nothing is concluded then
    told.answers["squeue"] = ""
    for _ in range(2):
        SlurmQueue(root).tend()
    for child in ended._started:
        child.wait(20)
    assert said.read_text() == "sweep|sweep has ended: 1 done.\n"
