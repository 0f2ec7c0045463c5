"""Folders of probes as runs: read by what they say of themselves, and again when they change."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from data import read_runs
from data.errors import DataError
from data.probe.folder import SPEC, STATUS, Folder, Status, now
from data.probe.language import Language
from data.probe.process import Process
from data.probe.schedule import planned
from data.probe.sweep import sweep
from data.schema import NothingKept
from data.sources import Place, all_sources
from data.sources.probe import probe_key
from tests.soon import ends_within

SWEEP = {"width": [16, 32], "tokens": [2e4, 4e4], "batch": [4, 8], "schedule": "constant", "evals": 6}


def made(
    root: Path, state: str = "done", sentence: str = "", values: dict | None = None, **status: object
) -> list[Folder]:
    """A sweep's folders as a trainer would leave them, each with a curve of losses that fall with size and tokens."""
    folders = []
    for one in sweep(values or SWEEP):
        folder = Folder(root / one.key)
        folder.declare(one)
        plan = planned(one)
        for step in sorted(plan.evaluated):
            tokens = plan.after(step)
            row = {
                "step": step,
                "tokens": tokens,
                "loss": 1.1 + 30 / one.width**1.5 + 40 / tokens**0.5,
                "loss_se": 0.01,
            }
            row |= {"lr": float(plan.rate[step - 1]), "batch": int(plan.batch[step - 1]), "step_seconds": 0.01}
            folder.append(row | {"grad_sq_parts": {"mlp": [1.0, 0.5]}})
        folder.say(Status(state, sentence, len(plan), len(plan), plan.tokens, **{"heartbeat": now(), **status}))  # type: ignore[arg-type]
        folders.append(folder)
    return folders


def test_runs_done_are_kept_with_their_curves_and_the_others_have_their_state_as_reason(tmp_path):
    folders = made(tmp_path / "ladder")
    says = {
        1: (Status("running", heartbeat=now(), process=str(Process.this())), "run state: running"),
        2: (
            Status("running", heartbeat=now() - 60, process=str(replace(Process.this(), pid=2**22 + 1))),
            "run state: lost",
        ),
        3: (Status("running", heartbeat=now() - 1e5, process="7 1.00 another-machine"), "run state: lost"),
        4: (Status("failed", "Out of memory."), "run state: failed (Out of memory)"),
        5: (Status("cancelled"), "run state: cancelled"),
    }
    for i, (status, _) in says.items():
        folders[i].say(status)
    (folders[6].path / STATUS).unlink()
    (folders[7].path / SPEC).write_text('{"widht": 4}')
    runs = read_runs(tmp_path / "ladder")
    assert len(runs) == 1
    assert runs.history is not None
    assert len(runs.history) == len(list(folders[0].rows()))
    kept, what = runs.kept.iloc[0], folders[0].spec
    assert (kept["params"], kept["params_total"]) == (what.counts.nonembed, what.counts.total)
    assert (kept["tokens"], kept["batch"], kept["seq_len"]) == (planned(what).tokens, what.batch * 128, 128)
    assert kept["lr"] == what.rate
    assert kept["flops"] == 6 * what.counts.nonembed * planned(what).tokens
    assert runs.history["lr"].iloc[0] < what.rate  # the rate of that step, in warm-up
    reasons = set(runs.set_aside["reason"])
    assert {reason for _, reason in says.values()} | {"run state: queued"} < reasons
    assert any("widht" in reason for reason in reasons)
    assert len(read_runs(tmp_path / "ladder", states=["cancelled"])) == 2
    assert read_runs(tmp_path, count="params_total").kept["params"].iloc[0] == what.counts.total  # a folder of sweeps
    assert read_runs(folders[0].path).digest == runs.digest  # a run's own


def test_a_source_lists_each_sweep_and_is_another_as_soon_as_a_run_changes(tmp_path):
    folders = made(tmp_path / "one", "queued")
    made(tmp_path / "two", values={**SWEEP, "corpus": "synthetic:1.2"})
    (tmp_path / "empty").mkdir()
    place = Place(probes=(tmp_path, tmp_path / "none"))
    listed = {s.key: s for s in all_sources(place) if s.KIND == "probe"}
    assert sorted(s.title for s in listed.values()) == ["one", "two"]
    one, two = (listed[probe_key(tmp_path / name)] for name in ("one", "two"))
    assert (one.true_floor, two.true_floor) == (Language().entropy, Language(1.2).entropy)
    assert (one.batch_sweep, two.batch_sweep) == ("probe-batch-ladder", "")
    assert one.sentence == "8 runs trained here: 8 queued."
    assert isinstance(one.read({}).trouble, NothingKept)
    before = one.version
    assert one.version == before
    folders[0].say(Status("done"))
    assert one.version != before
    assert len(one.read({}).runs) == 1
    before = one.version
    folders[0].append({"step": 1000, "tokens": 9e9, "loss": 1.5, "batch": 8})
    assert one.version != before
    assert one.read({}).runs.kept["loss"].iloc[0] == 1.5
    scope: dict = {}
    exec("\n".join(one.code({"count": "params_total"})), scope)
    assert scope["runs"].digest == one.read({"count": "params_total"}).runs.digest


def test_what_probes_cannot_be_told_is_refused(tmp_path):
    made(tmp_path / "one")
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    for source, answers, said in (
        (tmp_path / "one", {"loss_unit": "bits"}, "leave out loss_unit"),
        (tmp_path / "one", {"count": "params"}, "params_nonembed or params_total"),
        ([tmp_path / "one", tmp_path / "x.csv"], {}, "holds no probes"),
    ):
        with pytest.raises(DataError, match=said):
            read_runs(source, **answers)


def test_two_hundred_runs_are_read_again_soon(tmp_path):
    folders = made(tmp_path / "many", values={**SWEEP, "seed": list(range(25)), "evals": 20})
    assert len(folders) == 200
    read_runs(tmp_path / "many")
    with ends_within(120):
        (folders[0].path / STATUS).write_text(json.dumps({"state": "failed"}))
        os.utime(folders[0].path / STATUS)
        assert len(read_runs(tmp_path / "many")) == 199


def test_a_run_says_on_what_it_was_trained(tmp_path):
    made(tmp_path / "one", device="cuda:1")
    assert set(read_runs(tmp_path / "one").kept["device"]) == {"cuda"}
