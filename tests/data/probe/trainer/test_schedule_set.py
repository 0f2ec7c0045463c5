"""One run at a constant rate and many decays from it: each decay is the run alone bit for bit, and its beginning is made once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (it comes with the probe extra)")

from data.errors import DataError  # noqa: E402
from data.probe.folder import CHECKPOINT, Folder  # noqa: E402
from data.probe.queue.store import Store  # noqa: E402
from data.probe.schedule import planned, same_until  # noqa: E402
from data.probe.sweep import sweep  # noqa: E402
from data.probe.trainer import run as running  # noqa: E402
from data.probe.trainer.device import Device, repeatable  # noqa: E402
from data.probe.trainer.run import make  # noqa: E402
from tests.data.probe.trainer.times import TIMES  # noqa: E402

CPU = Device("cpu")
LADDER = {
    "design": "schedule", "tokens": [5e3, 1e4, 2e4, 4e4, 8e4], "decay": 0.2, "width": 16, "seq_len": 32,
    "eval_tokens": 512, "evals": 6, "weight_decay": 0.1,
}  # fmt: skip


def after(folder, step):
    return [{k: v for k, v in row.items() if k not in TIMES} for row in folder.rows() if row["step"] > step]


def test_a_ladder_of_lengths_costs_little_more_than_its_longest_run(tmp_path, monkeypatch):
    made = [0]
    real = running.step
    monkeypatch.setattr(running, "step", lambda *said: (made.__setitem__(0, made[0] + 1), real(*said))[1])
    trunk, *branches = sweep(LADDER)
    store = Store(tmp_path)
    store.submit("ladder", [*branches[::-1], trunk])
    with repeatable():
        first = store.assign("cpu 0")
        assert first.key == trunk.key  # though it was submitted last
        assert store.assign("cpu 1") is None
        home = store.folder(first)
        make(home, CPU, steps=20)
        assert store.assign("cpu 1").key == branches[0].key  # what it begins from is there
        assert make(home, CPU).state == "done"
        store.ended(trunk.key, "done")
        folders = [Folder(home.path.parent / b.key) for b in branches]
        assert [make(folder, CPU).state for folder in folders] == ["done"] * 5
        longest = len(planned(branches[-1]))
        assert made[0] == sum(len(planned(b)) for b in branches) - sum(
            same_until(planned(trunk), planned(b)) for b in branches
        ) + len(planned(trunk))
        assert made[0] < 1.2 * longest < 0.65 * sum(len(planned(b)) for b in branches)
        for one in (0, 2):
            alone = Folder(tmp_path / "alone" / str(one))
            alone.declare(replace(branches[one], trunk="", trunk_tokens=0.0))
            make(alone, CPU)
            left = same_until(planned(trunk), planned(branches[one]))
            assert len(after(folders[one], left)) >= 1
            assert after(alone, left) == after(folders[one], left)
            assert next(row["step"] for row in folders[one].rows()) < left  # the curve before it is the trunk's
            with np.load(alone.path / CHECKPOINT) as x, np.load(folders[one].path / CHECKPOINT) as y:
                assert all(x[n].tobytes() == y[n].tobytes() for n in x.files if n.startswith(("weight", "state")))


def test_a_branch_makes_its_own_beginning_where_the_trunk_s_is_not_its_own(tmp_path):
    trunk, branch = sweep({**LADDER, "tokens": [1e4]})
    with repeatable():
        alone = Folder(tmp_path / "alone" / "run")
        alone.declare(replace(branch, trunk=""))
        make(alone, CPU)
        for name, change in {"gone": None, "other": {"seed": 1}, "rate": {"lr": 0.001}}.items():
            folder = Folder(tmp_path / name / branch.key)
            folder.declare(branch)
            if change is not None:
                home = Folder(tmp_path / name / trunk.key)
                home.declare(replace(trunk, **change))
                make(home, CPU)
                assert list(home.path.glob("kept-*.npz"))
            make(folder, CPU)
            assert after(folder, 0) == after(alone, 0), name


def test_kept_states_are_removed_when_nothing_is_to_begin_from_them(tmp_path):
    trunk, *branches = sweep({**LADDER, "tokens": [1e4, 2e4]})
    store = Store(tmp_path)
    store.submit("set", [trunk, *branches])
    home = store.folder(store.find(trunk.key))
    for tokens in trunk.keep:
        home.kept(tokens).write_bytes(b"")
    for one in (trunk, branches[0]):
        assert store.assign("cpu 0").key == one.key
        store.ended(one.key, "done")
        assert store.trunk_without_need(one.key) is None
    assert store.assign("cpu 0").key == branches[1].key
    store.ended(branches[1].key, "done")
    assert store.trunk_without_need(branches[1].key) == home
    home.drop_kept()
    assert not list(home.path.glob("kept-*"))


def test_decays_on_text_begin_from_a_run_of_their_sweep(tmp_path, monkeypatch):
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for k in range(30):
            (tmp_path / name / f"{k}").write_text(f"{name}{k} " * 100)
    pools = [{"corpus": f"text:{name}", "share": 0.5} for name in ("a", "b")]
    for data in ({"corpus": "text:a"}, {"pools": pools}):
        trunk, *branches = sweep({**LADDER, **data})
        assert {one.trunk for one in branches} == {trunk.key}, data


def test_what_a_schedule_set_cannot_be_is_said():
    cases = [
        ({"averages": [0.1]}, "Averages of the weights are over shares of a run"),
        ({"schedule": "cosine"}, "decays linearly"),
        ({"tokens": ["1e4"]}, "'tokens' of a sweep is a positive number"),
    ]
    for wrong, sentence in cases:
        with pytest.raises(DataError, match=sentence):
            sweep({**LADDER, **wrong})
    with pytest.raises(DataError, match="should be the key of a run"):
        sweep({"trunk": "../../etc"})
    assert len(sweep({**LADDER, "seed": [0, 1]})) == 12
    assert len(sweep({**LADDER, "decay": [0.1, 0.2]})) == 11
