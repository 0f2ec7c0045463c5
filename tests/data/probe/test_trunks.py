"""The trunk of a schedule set is no run of a fit of final losses, and comes back when it is asked for."""

from __future__ import annotations

from data import read_runs
from data.probe.folder import Folder, Status
from data.probe.sweep import sweep
from data.probe.trunks import NOT_DECAYED
from data.sources import Place, all_sources

SET = {"design": "schedule", "tokens": [2e4, 4e4], "width": [16, 24], "corpus": "synthetic"}


def made(root, values, *, without=()):
    for one in sweep(values):
        folder = Folder(root / one.key)
        folder.declare(one)
        folder.append({"step": 10, "tokens": int(one.tokens), "loss": 3.0, "batch": one.batch})
        folder.say(Status("queued" if one.key in without else "done"))
    return root


def test_a_trunk_beside_its_branches_is_set_aside_and_said(tmp_path):
    """Of the user's 12 runs that were kept 3 had not decayed, without a word."""
    runs = read_runs(made(tmp_path / "sched", SET))
    assert len(runs.kept) == 4
    assert set(runs.kept["schedule"]) == {"linear"}
    assert dict(runs.reasons) == {f"run state: {NOT_DECAYED}": 2}
    assert "2 runs hold their rates to the end" in " ".join(runs.notes)
    back = read_runs(tmp_path / "sched", states=[NOT_DECAYED])
    assert (len(back.kept), back.notes) == (6, ())
    (source,) = (one for one in all_sources(Place(elsewhere=(tmp_path / "sched",))) if one.mine)
    assert len(source.read({"states": [NOT_DECAYED]}).runs) == 6


def test_constant_runs_without_branches_are_runs_like_others(tmp_path):
    assert len(read_runs(made(tmp_path / "flat", {"schedule": "constant", "width": [16, 24], "tokens": 2e4})).kept) == 2
    both = {"schedule": ["constant", "linear"], "width": 16, "tokens": 2e4}  # compared on purpose
    assert len(read_runs(made(tmp_path / "both", both)).kept) == 2


def test_a_trunk_whose_branches_are_not_done_yet_is_a_run(tmp_path):
    specs = sweep(SET | {"width": 16})
    branches = [one.key for one in specs if one.trunk]
    runs = read_runs(made(tmp_path / "young", SET | {"width": 16}, without=branches))
    assert NOT_DECAYED not in " ".join(runs.reasons)
