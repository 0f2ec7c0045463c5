"""The Probe page and the Runs page of a workspace in which folders of runs are damaged: those that are not go on."""

from __future__ import annotations

from html import unescape

import pytest

from dashboard import state
from dashboard.workspace import store as workspace
from data.probe.folder import LOG, SPEC, STATUS
from data.probe.sweep import sweep
from data.sources import Place, all_sources
from tests.dashboard.probe.fake import FOUR, stands

DEEP = b"[" * 100_000
ROW = b'{"step": 100, "tokens": %s, "loss": %s, "step_seconds": %s, "grad_sq_small": "x"}\n'


@pytest.fixture
def folder(queue):
    """A run of a sweep of four, all done, beside a sweep that is whole."""
    keys = stands(queue, "hurt", FOUR, ["done"] * 4)
    stands(queue, "whole", {**FOUR, "seed": 1}, ["done"] * 4)
    return queue.folder(queue.find(keys[0]))


def said(at):
    return unescape(" ".join(e.proto.body for e in at.get("html")))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (LOG, b"\xff\xfe\0" * 10),
        (LOG, DEEP + b"\n"),
        (LOG, ROW.replace(b"100", b"null") % (b"1", b"1", b"1")),
        (LOG, ROW % (b"0", b"-1", b"-1")),
        (LOG, ROW % (b'"x"', b'"<b>"', b'"x"')),
        (LOG, ROW % (b"NaN", b"1e400", b"[1]")),
        (LOG, ROW % (b"9" * 400, b"true", b"{}")),
        (STATUS, DEEP),
        (STATUS, b"\xff\0"),
        (SPEC, DEEP),
        (SPEC, b"{}"),
    ],
)
def test_one_bad_file_is_shown_and_takes_nothing_else_down(page, space, folder, name, content):
    (folder.path / name).write_bytes(content)
    for name in ("hurt", "whole"):
        at = page(sweep=name)
        assert not at.exception
        assert "went wrong" not in said(at)
    assert "4 of 4 runs" in said(at)
    (source,) = [one for one in all_sources(Place(probes=(workspace.probes(space),))) if one.title == "hurt"]
    read = source.read({})
    assert len(read.runs) == 3
    assert len(read.runs.set_aside) == 1


def test_a_damaged_run_is_no_finished_one_and_can_be_made_again(page, queue, folder):
    rows = (folder.path / LOG).read_bytes()
    (folder.path / LOG).write_bytes(rows[:-9])
    at = page(sweep="hurt")
    table = at.dataframe[0].value
    (line,) = table.index[table["State"] == "Failed"]
    assert "it is damaged" in table["What it says"][line]
    assert table["Loss"][line] == ""
    at.button(key="probe_resume").click().run()
    job = queue.find(folder.path.name)
    assert (job.state, job.name) == ("queued", folder.path.name)
    assert not (folder.path / LOG).exists()
    assert (folder.status.state, folder.status.step) == ("queued", 0)


def test_a_damaged_line_of_a_run_that_counts_is_said_in_its_row(page, folder):
    rows = (folder.path / LOG).read_bytes().splitlines(keepends=True)
    (folder.path / LOG).write_bytes(b"".join([rows[0], b"\0\n", *rows[2:]]))
    table = page(sweep="hurt").dataframe[0].value
    assert list(table["State"]) == ["Done"] * 4
    assert sum("1 of its 10 lines cannot be read, line 2" in said for said in table["What it says"]) == 1


def test_a_list_that_cannot_be_read_keeps_other_sweeps_from_deletion(page, queue, folder, monkeypatch):
    told = []
    monkeypatch.setattr(state, "say", told.append)
    queue.submit("shares", sweep(FOUR))
    (queue.root / "shares" / "sweep_runs.json").write_text("{")
    at = page(sweep="hurt")
    at.button(key="probe_clean").click().run()
    assert any("nothing is deleted" in said for said in told)
    assert folder.path.exists()
