"""Slurm from the Probe page, by commands that stand for its own: the menu, the fields, a launch, its runs, and who may do what."""

from __future__ import annotations

from html import unescape

import pytest

from dashboard import state
from dashboard.probe import cluster, launching
from dashboard.server import local
from dashboard.workspace import store as workspace
from dashboard.workspace.sources import clusters
from tests.dashboard.probe.fake import FOUR
from tests.dashboard.probe.test_probe_page import keep, names, said, toasts

COMMANDS = {
    "sbatch": 'cat > "$0.given"; [ -e "$0.refuses" ] && { echo "invalid partition" >&2; exit 1; }; echo 17',
    "squeue": 'case "$*" in *--version*) echo "slurm 22.05.8";; *) cat "$0.says" 2>/dev/null || true;; esac',
    "scontrol": 'echo "MaxArraySize = 1001"',
    "scancel": 'echo "$*" >> "$0.given"',
    "sacct": "exit 1",
}
ON_SLURM = {"sweep": FOUR, "where": "slurm"}


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """A folder of commands that stand for Slurm's, first on the path; `NAME.given` is what one was told."""
    place = tmp_path / "bin"
    place.mkdir()
    for name, text in COMMANDS.items():
        (place / name).write_text(f"#!/bin/sh\n{text}\n")
        (place / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:/usr/bin:/bin")
    return place


@pytest.fixture
def tasks(commands):
    """A function that has squeue list the tasks of job 17 in these states, in the order in which they were submitted."""

    def says(*states):
        lines = [
            f"17|{k}|{state}|isoflop-x|{'n1' if state == 'RUNNING' else ''}|None" for k, state in enumerate(states)
        ]
        (commands / "squeue.says").write_text("\n".join(lines) + "\n")
        cluster.look()

    return says


def test_where_there_is_no_sbatch_there_is_no_menu(page, space, tmp_path, monkeypatch):
    keep(space, **ON_SLURM)
    monkeypatch.setenv("PATH", str(tmp_path))
    at = page()
    assert "probe_where" not in {one.key for one in at.segmented_control}
    assert "Slurm job" not in unescape(said(at))
    assert "probe_launch" in names(at)


def test_a_sweep_is_launched_with_its_fields_followed_cancelled_and_resumed(
    page, space, served, commands, tasks, monkeypatch
):
    keep(space, sweep=FOUR)
    at = page()
    at.segmented_control(key="probe_where").set_value("Slurm").run()
    assert "4 Slurm jobs at once" in unescape(said(at))
    at.text_input(key="probe_cluster_memory").input("much").run()
    assert "memory should be like 4G; 'much' came" in unescape(said(at))
    assert "probe_launch" not in names(at)
    for name, value in (("memory", "2G"), ("partition", "main"), ("time", "1:00:00"), ("gpus", "1"), ("throttle", "2")):
        at.text_input(key=f"probe_cluster_{name}").input(value)
    at.text_area(key="probe_cluster_setup").input("module load cuda\n\nexport A=1").run()
    assert "2 Slurm jobs at once" in unescape(said(at))
    at.text_input(key="probe_name").input("first")
    at.button(key="probe_launch").click().run()
    assert not at.exception
    text = (commands / "sbatch.given").read_text()
    for line in ("--partition=main", "--mem=2G", "--time=1:00:00", "--gres=gpu:1", "--array=0-3%2"):
        assert f"#SBATCH {line}\n" in text
    assert "\nmodule load cuda\nexport A=1\n" in text
    assert not served  # this machine's queue has nothing of it

    tasks("RUNNING", "PENDING", "PENDING", "PENDING")
    at = page(sweep="first")
    table = at.dataframe[0].value
    assert list(table["State"]) == ["Running", "Waiting", "Waiting", "Waiting"]
    assert list(table["Device"]) == ["job 17_0 on n1", "job 17_1", "job 17_2", "job 17_3"]
    assert "probe_clean" not in names(at)
    with monkeypatch.context() as here:
        here.setattr(state, "space", lambda: space)
        with pytest.raises(launching.NotAllowedError, match="cancel it first"):
            launching.clean("first")
    at.button(key="probe_cancel").click().run()
    assert (commands / "scancel.given").read_text().split() == [f"17_{k}" for k in range(4)]
    tasks(*["CANCELLED"] * 4)
    at = page(sweep="first")
    assert list(at.dataframe[0].value["State"]) == ["Cancelled"] * 4

    keep(space, **ON_SLURM, cluster={"partition": "other"})  # is not what this sweep was launched with
    (commands / "squeue.says").unlink()
    at = page(sweep="first")
    at.button(key="probe_resume").click().run()
    assert not at.exception
    assert "--partition=main" in (commands / "sbatch.given").read_text()
    again = page(sweep="new")
    assert "launched before" in unescape(said(again))


def test_what_slurm_refuses_leaves_nothing_behind(page, space, commands):
    keep(space, **ON_SLURM)
    (commands / "sbatch.refuses").touch()
    at = page()
    at.button(key="probe_launch").click().run()
    assert toasts(at, "sbatch refused: invalid partition.")
    assert not list(clusters(space).glob("*/"))
    assert "probe_launch" in names(at)


def test_from_elsewhere_nothing_is_submitted_and_no_line_that_is_run_is_changed(page, space, commands, monkeypatch):
    keep(space, **ON_SLURM)
    at = page()
    assert not at.text_area(key="probe_cluster_setup").disabled
    monkeypatch.setattr(local, "headers", lambda: {"host": "lab.example"})
    at.text_area(key="probe_cluster_setup").input("rm -rf /")
    at.button(key="probe_launch").click().run()
    assert toasts(at, "no sign-in")
    assert not (commands / "sbatch.given").exists()
    assert "cluster" not in workspace.values(space)["probe"]
    at = page()
    assert "probe_launch" not in names(at)
    assert at.text_area(key="probe_cluster_setup").disabled  # among the fields of the job that is printed
    at.text_input(key="probe_cluster_partition").input("main").run()
    assert workspace.values(space)["probe"]["cluster"] == {"partition": "main"}
