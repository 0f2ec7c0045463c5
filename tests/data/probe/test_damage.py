"""A run's folder that was damaged, edited or copied: one sentence about it, and never a wrong number."""

from __future__ import annotations

import json
import os
import shutil
import stat
import warnings

import pytest

from data import read_runs
from data.errors import DataError
from data.probe.folder import AHEAD, LOG, SPEC, STATUS, Folder, Status, now, standing
from data.probe.found import probes_of
from data.probe.process import Process
from data.schema import NothingKept
from data.sources import Place, all_sources
from tests.data.probe.test_runs import SWEEP, made

ONE = {**SWEEP, "width": 16, "tokens": 2e4, "batch": 8}
TWO = {**ONE, "width": [16, 32]}


def lines(folder):
    return (folder.path / LOG).read_bytes().splitlines(keepends=True)


def damaged(tmp_path, change):
    """A sweep of two runs, both done, the first with its lines changed; and that run's folder."""
    first, _ = made(tmp_path / "s", values=TWO)
    (first.path / LOG).write_bytes(b"".join(change(lines(first))))
    return first


def changed(line, **values):
    """A line with other values, as they would stand there."""
    row = {**json.loads(line), **values}
    return (json.dumps(row) + "\n").encode()


def reason(tmp_path):
    """Why the one run of a sweep that is set aside is; all others are kept."""
    runs = read_runs(tmp_path / "s")
    assert len(runs) == 1
    (why,) = runs.set_aside["reason"]
    return why


DEEP, LONG = b"[" * 100_000 + b"\n", b'{"step": 1' + b"0" * 5000 + b"}\n"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: [*rows[:-1], rows[-1][:-9]], "it is damaged."),
        (lambda rows: rows[:-1], "it is damaged."),
        (lambda rows: [], "ends at step 0"),
        (lambda rows: [*rows[:-1], b"\0" * 30 + b"\n"], "it is damaged (1 of its 5 lines cannot be read, line 5)."),
        (lambda rows: [*rows[:-1], DEEP], "line 5"),
        (lambda rows: [*rows[:-1], LONG], "line 5"),
        (lambda rows: [b"\xff\xfe\0" * 10], "ends at step 0"),
        (lambda rows: [*rows[:-1], changed(rows[-1], step=None)], "line 5"),
        (lambda rows: [*rows[:-1], changed(rows[-1], step="9")], "line 5"),
        (lambda rows: [*rows[:-1], changed(rows[-1], loss=10**400)], "line 5"),
        (lambda rows: [*rows[:-1], changed(rows[-1], tokens=10**400)], "line 5"),
        (lambda rows: [*rows[:-1], changed(rows[-1], **{f"c{i}": i for i in range(5000)})], "line 5"),
        (lambda rows: rows[::-1], "it was changed since"),
        (lambda rows: [*rows, *rows], "it was changed since"),
        (lambda rows: [b"{}\n" * 20_001], "lines, and a run is measured at most"),
    ],
)  # fmt: skip
def test_a_log_that_does_not_end_where_its_run_did_sets_it_aside_with_what_to_do(tmp_path, change, said):
    folder = damaged(tmp_path, change)
    why = reason(tmp_path)
    assert said in why
    assert f"Make it again with --retry, or Resume on the Probe page; or remove {folder.path}." in why


@pytest.mark.parametrize("odd", [b'{"step": 3, "lo\n', b"\0\0\0\n", DEEP, LONG, b"[1]\n", b"\xff\n"])
def test_a_line_that_cannot_be_read_is_passed_over_and_said(tmp_path, odd):
    folder = damaged(tmp_path, lambda rows: [*rows[:2], odd, *rows[3:]])
    runs = read_runs(tmp_path / "s")
    assert len(runs) == 2
    assert runs.notes == (
        f"{probes_of(folder.path)[0].name}: Its log is damaged: 1 of its 5 lines cannot be read, line 3.",
    )
    assert runs.history is not None
    assert len(runs.history) == 5 + 4


def test_a_last_row_without_the_end_of_its_line_is_a_row(tmp_path):
    damaged(tmp_path, lambda rows: [*rows[:-1], rows[-1].rstrip(b"\n")])
    assert len(read_runs(tmp_path / "s")) == 2


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"loss": float("nan")}, "loss is not finite (diverged)"),
        ({"loss": float("inf")}, "loss is not finite (diverged)"),
        ({"loss": -1}, "loss is negative"),
        ({"loss": 0}, "loss is zero"),
        ({"loss": "2"}, "loss is not a number ('2')"),
        ({"loss": True}, "loss is not a number ('True')"),
        ({"loss": [1]}, "loss is not a number"),
        ({"tokens": 0}, "tokens is zero"),
        ({"tokens": "many"}, "tokens is not a number"),
        ({"tokens": 1e18}, "tokens is above"),
    ],
)
def test_a_last_row_that_no_run_has_is_judged_as_in_every_table(tmp_path, values, said):
    damaged(tmp_path, lambda rows: [*rows[:-1], changed(rows[-1], **values)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert said in reason(tmp_path)


def test_rows_on_the_way_that_no_run_has_are_left_out_of_the_curves_and_said(tmp_path):
    damaged(tmp_path, lambda rows: [rows[0], changed(rows[1], loss=-1), changed(rows[2], tokens=0), *rows[3:]])
    runs = read_runs(tmp_path / "s")
    assert len(runs.history) == 5 + 3
    assert "2 rows of its log left out" in runs.notes[0]


def test_a_loss_above_that_of_guessing_is_kept_of_a_run_that_is_done(tmp_path):
    damaged(tmp_path, lambda rows: [*rows[:-1], changed(rows[-1], loss=9.0)])
    assert sorted(read_runs(tmp_path / "s").kept["loss"])[1] == 9.0


@pytest.mark.parametrize("name", [SPEC, STATUS])
@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe\0", DEEP, b"9" * 5000, b'{"step": ' + b"9" * 400 + b"}", b'{"heartbeat": NaN}'],
)
def test_every_file_that_cannot_be_read_is_one_sentence_about_it(tmp_path, name, content):
    first, _ = made(tmp_path / "s", values=TWO)
    (first.path / name).write_bytes(content)
    assert reason(tmp_path).startswith(f"{first.path / name} cannot be read: ")
    (source,) = [one for one in all_sources(Place(probes=(tmp_path,))) if one.KIND == "probe"]
    assert len(source.read({}).runs) == 1
    assert source.sentence == "2 runs trained here: 1 done, 1 failed."


def test_a_spec_of_another_run_is_set_aside(tmp_path):
    first, second = made(tmp_path / "s", values=TWO)
    shutil.copy(second.path / SPEC, first.path / SPEC)
    assert f"is of the run {second.path.name}, and its folder is of the run {first.path.name}" in reason(tmp_path)


def test_a_folder_that_was_copied_counts_once_and_is_said(tmp_path):
    (folder,) = made(tmp_path / "s", values=ONE)
    for name in ("a copy", "zz"):
        shutil.copytree(folder.path, tmp_path / "s" / name)
    runs = read_runs(tmp_path / "s")
    assert len(runs) == 1
    assert [f"is of the same run as {folder.path}" in why for why in runs.set_aside["reason"]] == [True, True]
    assert runs.reasons == {"identical copy of another row": 2}
    shutil.copytree(tmp_path / "s", tmp_path / "elsewhere")
    assert len(read_runs([tmp_path / "s", tmp_path / "elsewhere"])) == 1


def test_a_link_in_place_of_a_run_is_refused_and_set_aside(tmp_path):
    first, second = made(tmp_path / "s", values=TWO)
    shutil.move(first.path, tmp_path / "outside")
    first.path.symlink_to(tmp_path / "outside")
    held = {one.name: one.read_bytes() for one in (tmp_path / "outside").iterdir()}
    for act in (
        lambda: first.declare(second.spec),
        lambda: first.say(Status("done")),
        lambda: first.taken().__enter__(),
    ):
        with pytest.raises(DataError, match="is a link"):
            act()
    assert {one.name: one.read_bytes() for one in (tmp_path / "outside").iterdir()} == held
    assert len(read_runs(tmp_path / "s")) == 1
    from data.probe.members import join

    join(tmp_path / "s", [first.path.name, second.path.name])
    assert "is a link" in reason(tmp_path)


def test_a_run_that_goes_on_drops_a_torn_line_and_keeps_what_says_of_damage(tmp_path):
    (folder,) = made(tmp_path / "s", values=ONE)
    rows = lines(folder)
    (folder.path / LOG).write_bytes(b"".join([rows[0], b"\0\n", rows[2], rows[3], b'{"step": 9']))
    folder.keep_until(json.loads(rows[2])["step"])
    assert lines(folder) == [rows[0], b"\0\n", rows[2]]
    folder.append({"step": 10**6})
    assert [row["step"] for row in folder.rows()][-1] == 10**6
    folder.keep_until(0)
    assert lines(folder) == []


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_what_a_run_writes_may_be_read_by_whom_the_umask_says(tmp_path, mask):
    before = os.umask(mask)
    try:
        (folder,) = made(tmp_path / "s", values=ONE)
        folder.keep_until(10**6)
    finally:
        os.umask(before)
    for name in (SPEC, STATUS, LOG):
        assert stat.S_IMODE((folder.path / name).stat().st_mode) == 0o666 & ~mask, name


@pytest.mark.parametrize(
    ("ahead", "process", "state"),
    [
        (1e9, "7 1.00 another-boot", "lost"),
        (1e9, "", "lost"),
        (1e9, f"4194303 1.00 {Process.this().boot}", "lost"),
        (1e9, f"-1 1.00 {Process.this().boot}", "lost"),
        (1e9, str(Process.this()), "running"),
        (-1e9, str(Process.this()), "running"),
        (AHEAD / 2, "7 1.00 another-boot", "running"),
        (-60, "7 1.00 another-boot another-host", "running"),
        (0.0, f"7 1.00 another-boot {Process.this().host}", "lost"),
    ],
    ids=range(9),
)
def test_a_heartbeat_of_a_time_to_come_or_of_another_boot_is_none(ahead, process, state):
    assert standing(Status("running", heartbeat=now() + ahead, process=process)).state == state


def test_what_a_lost_run_does_next_is_said_as_it_is(tmp_path):
    folder = Folder(tmp_path / "one")
    made(tmp_path, values=ONE)[0].path.rename(folder.path)
    folder.say(Status("running", heartbeat=1.0, process=""))
    assert folder.standing.sentence.endswith("; having no checkpoint yet, it begins anew when it is started again.")
    (folder.path / "checkpoint.npz").write_bytes(b"")
    assert folder.standing.sentence.endswith("; it goes on from its checkpoint when it is started again.")


def test_nothing_kept_is_said_of_a_sweep_all_of_whose_logs_are_damaged(tmp_path):
    (folder,) = made(tmp_path / "s", values=ONE)
    (folder.path / LOG).unlink()
    with pytest.raises(NothingKept, match=r"No run of s can be used. .* ends at step 0 and the run at step"):
        read_runs(tmp_path / "s")
