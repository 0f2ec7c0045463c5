"""Sweeps as their folders and the queue's file hold them, without a trainer, and the Probe page opened on them."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.server import local
from dashboard.workspace import store as workspace
from data.probe.queue import launch
from data.probe.queue.store import Store

APP = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"
HERE = {"host": "localhost:8510", "origin": "http://localhost:8510"}


@pytest.fixture
def space(tmp_path, monkeypatch):
    """A workspace on disk, on a machine whose page is opened by its own browser."""
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path))
    monkeypatch.setattr(local, "headers", lambda: HERE)
    monkeypatch.setattr(local, "listens_at", lambda: "127.0.0.1")
    here = workspace.new()
    workspace.change(here, "settings", {"source": "bundled:probe-isoflop"})
    return here


@pytest.fixture
def queue(space):
    """The workspace's queue."""
    return Store(workspace.probes(space))


@pytest.fixture
def served(monkeypatch):
    """The queues that were to be served, none of which is."""
    asked = []
    monkeypatch.setattr(launch, "ensure_served", lambda root, **how: asked.append((root, how)))
    from dashboard.probe import launching

    monkeypatch.setattr(launching, "ensure_served", lambda root, **how: asked.append((root, how)))
    return asked


@pytest.fixture
def page(space, served):
    """A function that opens the Probe page, with what stands in the address."""

    def open_page(**query) -> AppTest:
        at = AppTest.from_file(str(APP), default_timeout=60)
        at.query_params["w"] = space.id
        for name, value in query.items():
            at.query_params[name] = value
        at.switch_page("views/probe.py").run()
        assert not at.exception
        return at

    return open_page
