"""What a sweep may be called: one rule where a name is given and where it becomes a folder."""

from __future__ import annotations

import pytest

from data.errors import DataError
from data.probe.jobs.settings import Settings
from data.probe.jobs.text import job_of_sweep
from data.probe.names import checked
from data.probe.queue.store import Store
from data.probe.slurm.submit import SlurmQueue
from data.probe.spec import Spec

GOOD = ("sweep", "s-2", "_mine", "2024.1", "runs of Ü & co", "a'b")
BAD = (
    "",
    ".",
    "..",
    ".hid",
    "../up",
    "a/b",
    "/etc",
    "a\\b",
    "-x",
    "a\nb",
    "a\x1b[2J",
    "a\u202eb",
    "x" * 201,
    "ü" * 101,
    "queue.sqlite",
    "open.json",
    "a.",
)


@pytest.mark.parametrize("name", GOOD)
def test_a_folder_s_name_is_taken(name, tmp_path):
    assert checked(name) == name
    (job,) = Store(tmp_path).submit(name, [Spec()])
    assert Store(tmp_path).folder(job).path.parent == tmp_path / name


@pytest.mark.parametrize("name", BAD)
def test_any_other_is_refused_wherever_runs_are_submitted(name, tmp_path):
    root = tmp_path / "out"
    for submit in (
        checked,
        lambda name: Store(root).submit(name, [Spec()]),
        lambda name: SlurmQueue(root).submit(name, [Spec()]),
        lambda name: job_of_sweep("slurm", [Spec()], Settings(), out=root, name=name),
    ):
        with pytest.raises(DataError, match="No sweep can be called"):
            submit(name)
    assert not list(tmp_path.iterdir())
