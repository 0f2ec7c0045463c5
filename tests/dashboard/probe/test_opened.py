"""Sweeps that lie elsewhere, which a workspace was opened on: looked at like its own, managed where they were launched, and taken out."""

from __future__ import annotations

from html import unescape
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.probe import opened, watching
from dashboard.workspace import store as workspace
from dashboard.workspace.sources import OPENED, comes_back, sources, take_out
from data.probe.folder import Folder, Status, now
from data.probe.process import Process
from data.probe.sweep import sweep
from data.sources.probe import probe_key
from tests.dashboard.probe.fake import FOUR, measured, stands, status

BUTTONS = ("probe_cancel", "probe_resume", "probe_clean", "probe_cancel_one", "probe_resume_one", "probe_release")


@pytest.fixture
def far(space, tmp_path):
    """A sweep of another queue, that the workspace is opened on: one run done, one at work, one that failed, one waiting."""
    folder = tmp_path / "far" / "first"
    for spec, state in zip(sweep(FOUR), ("done", "running", "failed", "queued"), strict=True):
        run, share = Folder(folder / spec.key), 1.0 if state == "done" else 0.4
        run.declare(spec)
        if state != "queued":
            measured(run, spec, share)
            run.say(status(spec, state, "It broke." if state == "failed" else "", share, str(Process.this())))
    workspace.change(space, "open first", {"source": probe_key(folder), OPENED: [str(folder)]})
    return folder


def said(at: AppTest) -> str:
    return unescape("\n".join(one.body for one in at.get("html")))


def test_it_is_looked_at_and_not_touched(page, far, served):
    """`isoflop FOLDER` opened the page on a sweep that was in no menu of this page."""
    at = page()
    assert at.query_params["sweep"] == "first"
    assert at.selectbox(key="probe_menu_first").format_func("first") == "first: 1 of 4, running"
    assert "1 of 4 runs" in said(at)
    assert "1 running, 1 waiting, 1 failed." in said(at)
    assert opened.WHY in said(at)
    assert f"isoflop probe first.json --out {far.parent}" in [one.value for one in at.code]
    assert not {one.key for one in at.button} & set(BUTTONS)
    assert not served
    assert not (far.parent / "queue.sqlite").exists()


def test_a_sweep_of_the_workspace_keeps_its_name(page, far, queue, served):
    stands(queue, "first", {**FOUR, "seed": 1}, ["done", "queued", "queued", "queued"])
    at = page(sweep="first")
    assert "1 of 4 runs is done" in said(at).replace('<em class="">', "").replace("</em>", "")
    assert opened.WHY not in said(at)
    assert {"first", "first (2)"} <= {box.format_func(x).partition(":")[0] for box in at.selectbox for x in box.options}
    at = page(sweep="first (2)")
    assert opened.WHY in said(at)


def test_runs_that_wait_are_to_come_while_something_is_heard(far):
    """Between two runs none is at work, and in a folder that was copied from elsewhere nobody begins any."""
    (run,) = (one.probe.folder for one in watching.elsewhere(far).runs if one.state == "running")
    for ago, active in ((5.0, True), (3600.0, False)):
        for one in (folder for folder in map(Folder, far.iterdir()) if folder.status.state != "queued"):
            one.say(Status("done", step=100, steps=100, began=now() - ago - 9, heartbeat=now() - ago))
        found = watching.elsewhere(far)
        assert (found.active, found.counts["queued"], run.status.state) == (active, 1, "done")


def test_it_is_taken_out_where_uploads_are(page, far, space):
    """Undo alone took it off, as long as nothing else was done after."""
    at = page().switch_page("views/runs.py").run()
    at.button(key="forget").click().run()
    assert not at.exception
    assert OPENED not in workspace.values(space)
    assert (far / sweep(FOUR)[0].key).is_dir()
    assert not any(one.mine for one in sources(space))
    at.button(key="undo").click().run()
    assert sources(space)[0].key == probe_key(far)


def test_what_was_taken_out_comes_back_while_it_is_there(far, space):
    first = sources(space)[0]
    take_out(space, first)
    assert comes_back(space, first)
    far.rename(Path(f"{far}-moved"))
    assert not comes_back(space, first)
