"""Curves whose steps stand in a folder of their own."""

from __future__ import annotations

import json
from collections.abc import Callable

from data import Runs

Read = Callable[..., Runs]


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
