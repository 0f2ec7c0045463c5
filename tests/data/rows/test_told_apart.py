"""Curves whose rows share a name, or have none: runs by their settings and by where steps begin anew."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from data import read_runs

BATCHES = (32_768, 65_536, 131_072, 262_144)
STEPS = np.unique(np.geomspace(50, 60_000, 30).astype(int))


def logs(seeds=1, rates=(0.001,)):
    """Rows of each batch, seed and rate, one run below the other, none with the same loss."""
    rng = np.random.default_rng(0)
    keys = [(b, s, r) for b in BATCHES for s in range(seeds) for r in rates]
    return pd.concat([
        pd.DataFrame({"run": f"{b}-{s}-{r}", "batch_tokens": b, "seed": s, "lr": r, "step": STEPS,
                      "loss": 2 + 3 * (STEPS * b / 1e7) ** -0.4 * np.exp(0.01 * rng.standard_normal(len(STEPS)))})
        for b, s, r in keys
    ], ignore_index=True)  # fmt: skip


FORMS = {
    "named": (logs(), 1),
    "no run column": (logs().drop(columns=["run", "seed", "lr"]), 1),
    "no run column, in no order": (logs().drop(columns=["run", "seed", "lr"]).sample(frac=1, random_state=0), 1),
    "one name": (logs().assign(run="x").drop(columns=["seed", "lr"]), 1),
    "two seeds, one name a batch": (logs(2).assign(run=lambda t: "b" + t["batch_tokens"].astype(str)), 2),
    "two seeds, one name": (logs(2).assign(run="x"), 2),
    "two seeds, no name": (logs(2).drop(columns="run"), 2),
    "two seeds that nothing tells": (logs(2).assign(run=lambda t: "b" + t["batch_tokens"].astype(str)).drop(columns="seed"), 2),
    "two rates, one name a batch": (logs(1, (0.001, 0.002)).assign(run=lambda t: "b" + t["batch_tokens"].astype(str)), 2),
    "two rates, no name": (logs(1, (0.001, 0.002)).drop(columns=["run", "seed"]), 2),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_each_run_has_its_own_curve(name):
    frame, times = FORMS[name]
    source = logs(1, (0.001, 0.002)) if "rates" in name else logs(times)
    planted = {tuple(own["loss"]) for _, own in source.groupby("run")}
    runs = read_runs(frame.reset_index(drop=True))
    assert runs.history is not None
    assert len(runs.kept) == times * len(BATCHES)
    assert len(runs.history) == times * len(BATCHES) * len(STEPS)
    for _, own in runs.history.groupby("run"):
        assert own["batch"].nunique() == 1
        assert list(own["steps"]) == list(STEPS)
    assert {tuple(own["loss"]) for _, own in runs.history.groupby("run")} == planted


def test_a_step_logged_again_is_no_new_run():
    frame = logs().drop(columns=["run", "seed", "lr"])
    again = pd.concat([frame.iloc[:21], frame.iloc[18:]], ignore_index=True)
    runs = read_runs(again)
    assert len(runs.kept) == len(BATCHES)
    assert any("3 rows repeat a place" in n for n in runs.notes)


def test_final_losses_at_several_batches_stay_runs():
    """Planned steps are no counter: rows of a batch are runs of several lengths."""
    frame = pd.DataFrame([
        {"params": 1e8, "batch_tokens": b, "steps": d // b, "tokens": d, "loss": 2 + 3e3 * (d / (1 + b / 1e5)) ** -0.4}
        for b in BATCHES for d in (10**9, 2 * 10**9, 4 * 10**9, 8 * 10**9, 16 * 10**9)
    ])  # fmt: skip
    runs = read_runs(frame)
    assert runs.history is None
    assert len(runs.kept) == 20


def test_a_batch_that_warms_up_stays_one_run():
    frame = logs()
    frame["batch_tokens"] = np.where(frame["step"] <= 300, frame["batch_tokens"] // 4, frame["batch_tokens"])
    runs = read_runs(frame)
    assert len(runs.kept) == len(BATCHES)
    assert set(runs.history.groupby("run")["batch"].nunique()) == {2}


def test_names_alike_in_their_beginning_stay_names(tmp_path) -> None:
    """Names are carried along in 300 characters, which many of a sweep share; the whole one finds its run again."""
    names = [f"{'x' * 300}-{i}" for i in range(4)]
    frame = pd.DataFrame({"params": [1e7, 2e7, 1e7, 2e7], "tokens": [1e9, 1e9, 2e9, 2e9], "loss": [3.7, 3.5, 3.4, 3.2]})
    frame.assign(run=names).to_csv(tmp_path / "runs.csv", index=False)
    read = [read_runs(frame.assign(run=names)), read_runs(frame.set_axis(names)), read_runs(tmp_path / "runs.csv")]
    for runs in read:
        kept = list(runs.kept["run"])
        assert len(set(kept)) == 4
        assert kept == list(read[0].kept["run"])
        assert all(name.startswith("xxx") and len(name) == 300 for name in kept)
        assert list(runs.exclude([names[2]]).kept["run"]) == [kept[0], kept[1], kept[3]]
        assert list(runs.hold_out(pd.Series([False, True, False, False], index=names)).held_out["run"]) == [kept[1]]
