"""How a task ended whose Slurm knows it no more: its batch script, run here with a Slurm of words, leaves that in the folder."""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace

import pytest

from data.probe.folder import Folder, Status, now
from data.probe.jobs.settings import settings
from data.probe.jobs.text import job
from data.probe.slurm import submit
from data.probe.slurm.record import LEFT, Record, record
from data.probe.slurm.submit import SlurmQueue
from data.probe.spec import spec

WHAT = spec({"width": 16, "name": "a"})
TASK = {"SLURM_ARRAY_JOB_ID": "12", "SLURM_ARRAY_TASK_ID": "0", "SLURM_JOB_ID": "13"}


@pytest.fixture
def ran(tmp_path, monkeypatch):
    """Runs the batch script of a run with a trainer that is a line of bash; whether the run was put back."""
    (tmp_path / "bin").mkdir()
    for name, line in {"squeue": "echo RUNNING", "scontrol": f"touch '{tmp_path}/again'"}.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/bash\n{line}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setattr(submit, "queue", list)
    monkeypatch.setattr(submit, "accounted", lambda jobs: [])
    folder = Folder(tmp_path / "runs" / "sweep" / WHAT.key)
    folder.declare(WHAT)
    record(folder.path, Record("isoflop-a", 0, "12", 1.0))

    def run(line, **env):
        (tmp_path / "python").write_text(f"#!/bin/bash\n{line}\n")
        (tmp_path / "python").chmod(0o755)
        given = settings({"python": str(tmp_path / "python")}, own=True)
        script = job("slurm", [folder.path], given, root=tmp_path / "runs")
        path = f"{tmp_path}/bin:/usr/bin:/bin"
        subprocess.run(["bash", "-c", script], env={**TASK, "PATH": path, **env}, check=False, timeout=20)
        return (tmp_path / "again").exists()

    run.folder, run.queue = folder, SlurmQueue(tmp_path / "runs")
    return run


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("echo no such corpus; exit 2", "Its process ended with code 2. It said last: no such corpus"),
        ("kill -9 $$", "Its process was killed; the machine may have run out of memory."),
    ],
)
def test_a_run_that_dies_while_nobody_looks_is_failed_with_its_code_and_not_lost(ran, line, said):
    ran.folder.say(Status("running", "", 4, 9, heartbeat=now()))
    assert not ran(line)
    ran.queue.tend()
    assert (ran.folder.status.state, ran.folder.status.sentence, ran.folder.status.step) == ("failed", said, 4)


def test_what_another_task_left_and_what_is_no_word_of_its_end_count_for_nothing(ran):
    ran.folder.say(Status("running", "", 4, 9, heartbeat=1.0))
    ran("exit 2", SLURM_ARRAY_JOB_ID="11")
    assert [one.state for one in ran.queue.states()] == ["lost"]
    (ran.folder.path / LEFT).write_text("[")
    assert [one.state for one in ran.queue.states()] == ["lost"]


@pytest.mark.parametrize("code", [75, 3])  # it stopped on request; another process has its folder
def test_a_run_that_is_put_back_leaves_no_word_of_its_end(ran, code):
    (ran.folder.path / LEFT).write_text("{}")  # of the attempt before
    assert ran(f"exit {code}")
    assert not (ran.folder.path / LEFT).exists()


def test_a_run_that_another_process_makes_is_at_work_whatever_its_own_task_came_to(ran):
    """Two jobs for one run: a node that Slurm took for dead, a submission that arrived late."""
    at_work = Status("running", "", 4, 9, heartbeat=now())
    ran.folder.say(at_work)
    assert not ran("exit 3", SLURM_RESTART_COUNT="100")
    assert [one.state for one in ran.queue.states()] == ["running"]
    ran.folder.say(replace(at_work, heartbeat=time.time() - 3600))
    assert [one.state for one in ran.queue.states()] == ["lost"]
