"""Sweeps as their folders and the queue's file hold them, without a trainer, and the Probe page opened on them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.server import local
from dashboard.workspace import store as workspace
from data.probe.folder import Status
from data.probe.process import Process
from data.probe.queue import launch
from data.probe.queue.store import Store
from data.probe.sweep import sweep

APP = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"
HERE = {"host": "localhost:8510", "origin": "http://localhost:8510"}
FOUR = {"design": "grid", "width": [8, 16], "tokens": [2e4, 4e4], "seq_len": 64, "eval_tokens": 2048}


def loss_of(spec) -> float:
    """A law's loss of a run, to three figures."""
    return round(1.08 + 90 / spec.counts.nonembed**0.6 + 900 / spec.tokens**0.75, 4)


def stands(store: Store, name: str, values: dict, states: list[str], sentence: str = "") -> list[str]:
    """A sweep whose runs stand so, in order; returns their keys. What runs is made by the process that asks."""
    specs = sweep(values)
    store.submit(name, specs)
    for spec, state in zip(specs, states, strict=True):
        folder = store.folder(store.find(spec.key))
        if state == "queued":
            continue
        share = 1.0 if state == "done" else 0.4
        steps = 100
        for k in range(1, int(10 * share) + 1):
            tokens = spec.tokens * k / 10
            folder.append(
                {"step": 10 * k, "tokens": int(tokens), "loss": loss_of(spec.with_(tokens=tokens)), "step_seconds": 0.5}
            )
        assert store.assign(f"cpu {spec.key}").key == spec.key
        process = str(Process.this()) if state == "running" else ""
        folder.say(
            Status(
                state,
                sentence,
                int(steps * share),
                steps,
                int(share * spec.tokens),
                time.time(),
                time.time() - 5,
                process,
                "cpu",
            )
        )
        if state == "running":
            store.runs_as(spec.key, process)
        else:
            store.ended(spec.key, state, sentence)
    return [spec.key for spec in specs]


@pytest.fixture
def space(tmp_path, monkeypatch):
    """A workspace on disk, on a machine whose page is opened by its own browser."""
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path))
    monkeypatch.setattr(local, "headers", lambda: HERE)
    monkeypatch.setattr(local, "listens_at", lambda: "127.0.0.1")
    here = workspace.new()
    workspace.change(here, "settings", {"source": "bundled:probe-grid"})
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


def said(at: AppTest) -> str:
    """What the page says in markup of its own, and as captions of code."""
    return " ".join([*(e.proto.body for e in at.get("html")), *(e.value for e in at.code)])
