"""What tells groups of a sweep of batches apart: settings and text that come back at several batches, and nothing that came out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.read import from_frame
from data.steps.groups import tell_apart
from data.steps.tables import steps_table

BATCH = 1000.0 * 2 ** np.arange(6, 14)
TRUTH = ((1000, 5e5), (2000, 1e6))


def steps(which: int) -> np.ndarray:
    s_min, b_crit = TRUTH[which]
    return s_min * (1 + b_crit / BATCH)


def both(column: str, values: tuple) -> pd.DataFrame:
    return pd.concat(
        [
            pd.DataFrame({"batch_tokens": BATCH, column: value, "steps_to_target": steps(k)})
            for k, value in enumerate(values)
        ]
    )


SPLIT = {
    "loss": (3.2, 3.0), "val_loss": (3.2, 3.0), "target_loss": (3.2, 3.0), "optimizer": ("adam", "muon"), "schedule": ("cosine", "wsd"),
    "weight_decay": (0.1, 0.0), "warmup_steps": (100, 2000), "layers": (12, 24), "tokenizer": ("bpe", "unigram"), "d_model": (512, 1024),
    "family": ("dense", "moe"), "params": (1e8, 1e9), "dataset": ("c4", "pile"), "seq_len": (512, 2048), "init": ("mup", "sp"),
    "precision": ("bf16", "fp8"), "qk_norm": (True, False), "run": ("adam", "muon"), "Config": ("base", "deep"),
}  # fmt: skip
SAID = {"beta2": (0.95, 0.99), "momentum": (0.9, 0.95), "clip": (0.5, 1.0)}
REPEATS = {
    "seed": (1, 2), "run": ("run1", "run2"), "trial": (1, 2), "host": ("n1", "n2"), "rep": ("a", "b"), "commit": ("ab12", "cd34"),
}  # fmt: skip


def test_every_column_in_which_rows_of_one_batch_differ_splits_or_is_said():
    for column, values in SPLIT.items():
        for frame in (both(column, values), both(column, values).sample(frac=1, random_state=0)):
            read = steps_table(from_frame(frame, "steps"))
            assert read.by == (column,), column
            groups = {n: g.sort_values("batch")["steps"].to_numpy() for n, g in read.frame.groupby("group")}
            found = sorted(groups.values(), key=lambda own: own[-1])
            assert len(found) == 2, column
            assert all(np.allclose(own, steps(k), rtol=1e-6) for k, own in enumerate(found)), column
    for column, values in SAID.items():
        read = steps_table(from_frame(both(column, values), "steps"))
        said = f"Rows at one batch differ in {column!r} ({values[0]:g}, {values[1]:g}) and count as one group"
        assert read.by == (), column
        assert read.notes[""][0].startswith(said), column
        assert steps_table(from_frame(both(column, values), "steps"), by=column).frame["group"].nunique() == 2
    for column, values in REPEATS.items():
        read = steps_table(from_frame(both(column, values), "steps"))
        assert (read.by, read.notes[""]) == ((), ()), column


def test_with_a_column_chosen_what_else_differs_is_said():
    frame = pd.concat([both("optimizer", ("adam", "muon")).assign(schedule=s) for s in ("cosine", "wsd")])
    read = steps_table(from_frame(frame, "steps"), by="schedule")
    assert set(read.frame["group"]) == {"cosine", "wsd"}
    assert "differ in 'optimizer' (adam, muon) and count as one group" in read.notes["wsd"][0]
    assert set(steps_table(from_frame(frame, "steps")).frame["group"]) == {
        f"{s}, {o}" for s in ("cosine", "wsd") for o in ("adam", "muon")
    }


def test_what_a_run_came_to_or_what_goes_with_its_batch_tells_nothing_apart():
    rng = np.random.default_rng(0)
    batch, rate = (v.ravel() for v in np.meshgrid(BATCH, (1e-3, 2e-3, 4e-3)))
    rows = pd.DataFrame(
        {
            "batch": batch, "lr": rate, "min_lr": rate / 10, "decay_with_rate": 0.1 / rate, "warmup_steps": 1e8 / batch,
            "weight_decay": np.sqrt(batch) / 1e4, "accuracy": rng.random(len(batch)), "wall_seconds": rng.random(len(batch)),
            "note": [f"try {k}" for k in range(len(batch))], "optimizer": "adam", "size": "small",
        }
    )  # fmt: skip
    assert tell_apart(rows, ["batch"]).notes == ()
    changed = rows.assign(optimizer=np.where(rows["lr"] == 1e-3, "muon", "adam"))
    assert tell_apart(changed, ["batch"]).by == ("optimizer",)


def test_batches_between_those_of_another_group_are_another_groups_too():
    """Adam at every other batch and Muon at the rest: no batch has both. Small batches of one and large of the other tell nothing."""
    rows = pd.DataFrame({"batch": 2.0 ** np.arange(10), "optimizer": ["adam", "muon"] * 5})
    assert tell_apart(rows, ["batch"]).by == ("optimizer",)
    assert tell_apart(rows.assign(optimizer=["adam"] * 5 + ["muon"] * 5), ["batch"]).by == ()


def test_text_that_writes_out_a_rate_or_names_an_amount_tells_nothing_apart():
    rates = (1e-4, 2e-4, 4e-4, 8e-4)
    batch, rate, seed = (v.ravel() for v in np.meshgrid(BATCH, rates, (0, 1)))
    rows = pd.DataFrame({"batch": batch, "lr": rate, "seed": seed})
    names = dict(zip(rates, ("low", "middle", "high", "highest"), strict=True))
    for column in ("run", "group", "sweep", "label"):
        for text in ("lr{:g}", "lr={:g}", "lr-{:.0e}", "{:g}"):
            told = tell_apart(rows.assign(**{column: [text.format(r) for r in rate]}), ["batch"])
            assert told.notes == (), (column, text)
        told = tell_apart(
            rows.assign(**{column: [f"lr{r:g}-s{s}" for r, s in zip(rate, seed, strict=True)]}), ["batch"]
        )
        assert told.notes == (), column
        told = tell_apart(rows.assign(**{column: [names[r] for r in rate]}), ["batch"])
        assert (told.by, told.mixed) == ((), (column,)), column
    assert tell_apart(rows.assign(optimizer=[names[r] for r in rate]), ["batch"]).by == ("optimizer",)
    batch, tokens = (v.ravel() for v in np.meshgrid(BATCH, 2e9 * 2.0 ** np.arange(7)))
    final = pd.DataFrame({"batch": batch, "tokens": tokens})
    assert tell_apart(final.assign(horizon=[f"{d / 1e9:.0f}B" for d in tokens]), ["batch", "tokens"]).notes == ()
    told = tell_apart(final.assign(horizon=np.where(tokens > 1e10, "long", "short")), ["batch", "tokens"])
    assert (told.by, told.mixed) == ((), ("horizon",))
    two = pd.concat([final.assign(stage="a"), final.assign(stage="b")])
    assert tell_apart(two, ["batch", "tokens"]).by == ("stage",)


def test_text_that_goes_with_the_seeds_is_said_and_splits_only_where_it_crosses_them():
    batch, seed = (v.ravel() for v in np.meshgrid(BATCH, (0, 1, 2)))
    rows = pd.DataFrame({"batch_size": batch, "seed": seed, "steps_to_target": 1000 * (1 + 3e5 / batch)})
    rng = np.random.default_rng(0)
    for values in (np.array(["us", "eu", "us"])[seed], np.array(["ann", "bob", "cy"])[rng.integers(0, 3, len(rows))]):
        for column in ("engineer", "region", "queue", "day", "converged"):
            read = steps_table(from_frame(rows.assign(**{column: values}), "steps"))
            assert (read.by, read.mixed) == ((), (column,)), column
            assert "count as one group" in read.notes[""][0], column
        for column in ("optimizer", "dataset", "tokenizer"):
            assert steps_table(from_frame(rows.assign(**{column: values}), "steps")).by == (column,), column
    for column in ("region", "optimizer", "preset"):
        crossed = pd.concat([rows.assign(**{column: "a1x"}), rows.assign(**{column: "b1x"})])
        assert steps_table(from_frame(crossed, "steps")).by == (column,), column
