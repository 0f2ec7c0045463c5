"""The Runs page on a sweep's folder: what was set aside for its state can be brought back, as of a table."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from dashboard.workspace import store as workspace
from dashboard.workspace.sources import OPENED
from data.probe.folder import Folder, Status
from data.probe.sweep import sweep
from data.sources.probe import probe_key

APP = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"


def test_trunks_are_brought_back_by_a_button(tmp_path, monkeypatch):
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path / "home"))
    for one in sweep({"design": "schedule", "tokens": [2e4, 4e4], "width": [16, 24, 32], "corpus": "synthetic"}):
        folder = Folder(tmp_path / "sched" / one.key)
        folder.declare(one)
        folder.append({"step": 10, "tokens": int(one.tokens), "loss": 3.0 + 1 / one.width, "batch": one.batch})
        folder.say(Status("done"))
    space = workspace.new()
    workspace.change(space, "open", {"source": probe_key(tmp_path / "sched"), OPENED: [str(tmp_path / "sched")]})
    at = AppTest.from_file(str(APP), default_timeout=60)
    at.query_params["w"] = space.id
    at.run()
    assert not at.exception
    (button,) = (one for one in at.button if one.label.startswith("Bring back"))
    assert button.label == "Bring back 3 not decayed runs"
    at = button.click().run()
    assert not at.exception
    assert [one.label for one in at.button if "again" in one.label] == ["Set them aside again"]
