"""Arrays of losses by seed, which are no curve, and curves whose steps stand in a folder of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from data import Runs

Read = Callable[..., Runs]
BY_SEED = (
    "val_losses_by_seed", "loss_seeds", "losses_per_trial", "seed_losses", "val_loss_replicates", "results/val_loss_runs", "losses_folds"
)  # fmt: skip


def test_losses_by_seed_are_a_run_each(read: Read) -> None:
    for key in BY_SEED:
        for more in ({}, {"seeds": [7, 8, 9]}):
            objects = [
                {"params": n, "tokens": 20 * n, key: [x + 0.01, x, x - 0.01], **more}
                for n, x in ((1.25e8, 3.412), (3.5e8, 3.105))
            ]
            runs = read(json.dumps(objects), "a.json")
            assert len(runs) == 6, key
            assert sorted(runs.kept["seed"].astype(float)) == sorted(more.get("seeds", [1, 2, 3]) * 2), key
            assert runs.kept["tokens"].tolist() == [2.5e9] * 3 + [7e9] * 3, key
    table = {"params": [1e8, 2e8], "tokens": [2e9, 4e9], "loss_by_run": [3.2, 3.0]}
    assert read(json.dumps(table), "a.json").kept["params"].tolist() == [1e8, 2e8]
    curve: dict[str, Any] = {
        "params": 1e8,
        "batch_tokens": 1e6,
        "step": [100, 200, 300],
        "loss_by_run": [4.0, 3.5, 3.2],
    }
    assert read(json.dumps([curve, curve | {"params": 2e8}]), "a.json").kept["steps"].tolist() == [300, 300]


def test_steps_inside_a_history_are_its_steps(read: Read) -> None:
    losses = [3.9, 3.6, 3.4]
    for folder in ("history", "log", "curves", "train_history"):
        for step in ("step", "iter", "global_step", "steps"):
            for more in ({}, {"val_loss": 3.4}):
                objects = [
                    {"name": f"r{i}", "n_params": n, "tokens_per_step": 262144, **more,
                     folder: {step: [1000, 2000, 4000], "val_loss": losses}}
                    for i, n in enumerate((1.25e8, 3.5e8))
                ]  # fmt: skip
                runs = read(json.dumps(objects), "a.json")
                assert runs.kept["steps"].tolist() == [4000, 4000], (folder, step)
                assert runs.kept["tokens"].tolist() == [4000 * 262144] * 2, (folder, step)
                assert not any("nothing says" in n for n in runs.notes), (folder, step)
                assert runs.history is not None
                assert len(runs.history) == 6, (folder, step)
