"""Earlier work: a page that is opened without an address offers the workspaces of this machine that hold something."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.server import local
from dashboard.workspace import store as workspace
from dashboard.workspace.earlier import earlier
from data.probe.folder import Folder, Status, now
from data.probe.process import Process
from data.probe.sweep import sweep

APP = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"
HERE = {"host": "localhost:8510"}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path))
    monkeypatch.setattr(local, "headers", lambda: HERE)
    monkeypatch.setattr(local, "listens_at", lambda: "127.0.0.1")


def at_work(name: str) -> workspace.Workspace:
    """A workspace with a sweep of two runs, one at work and one waiting."""
    space = workspace.new()
    workspace.change(space, "settings", {"source": "bundled:probe-isoflop"})
    for spec, state in zip(
        sweep({"width": [16, 32], "tokens": 2e4, "corpus": "synthetic"}), ("running", "queued"), strict=True
    ):
        run = Folder(workspace.probes(space) / name / spec.key)
        run.declare(spec)
        run.say(Status(state, process=str(Process.this()), heartbeat=now()))
    return space


def test_workspaces_with_runs_at_work_come_first_and_those_with_nothing_not_at_all():
    working = at_work("iso")
    os.utime(working.folder / "settings.json", (1, 1))
    os.utime(workspace.probes(working), (1, 1))
    held = workspace.new()
    workspace.keep(held, "runs.csv", b"loss\n1\n")
    workspace.change(workspace.new(), "settings", {"source": "bundled:probe-isoflop"})
    assert [(one.id, one.title) for one in earlier()] == [(working.id, "iso: 2 runs at work"), (held.id, "runs.csv")]
    assert [one.id for one in earlier(but=held.id)] == [working.id]


def opened() -> AppTest:
    at = AppTest.from_file(str(APP), default_timeout=60).run()
    assert not at.exception
    return at


def test_a_page_without_an_address_leads_back_to_them():
    """The user's sweep was out of sight at the root's address: a new workspace, and no list of old ones."""
    space = at_work("iso")
    at = opened()
    button = at.button(key=f"earlier-{space.id}")
    assert "iso" in button.label
    at = button.click().run()
    assert at.query_params["w"] == space.id
    assert not [one for one in at.button if (one.key or "").startswith("earlier")]


def test_from_the_probe_page_it_leads_to_what_is_at_work():
    """The address of the new page asked for a new sweep, and did so in the workspace that was entered."""
    space = at_work("iso")
    at = opened().switch_page("views/probe.py").run()
    assert at.query_params["sweep"] == "new"
    at = at.button(key=f"earlier-{space.id}").click().run()
    assert (at.query_params["w"], at.query_params["sweep"]) == (space.id, "iso")


def test_workspaces_that_hold_the_same_are_told_apart_by_their_age():
    for age in (7200.0, 0.0):
        space = at_work("iso")
        for path in (space.folder / "settings.json", workspace.probes(space)):
            os.utime(path, (now() - age, now() - age))
    labels = [one.label for one in opened().button if (one.key or "").startswith("earlier")]
    assert [one.rpartition(", ")[2].split()[0] for one in labels] == ["just", "2"]


def test_from_elsewhere_nobody_is_told_of_them(monkeypatch):
    at_work("iso")
    monkeypatch.setattr(local, "headers", lambda: {"host": "isoflop.example.org"})
    assert not [one for one in opened().button if (one.key or "").startswith("earlier")]
