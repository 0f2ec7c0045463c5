"""Arrays of unequal length side by side: refused in a sentence that names them, never taken for a curve."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from data import ReadError, Runs, read_runs

Read = Callable[..., Runs]


@pytest.mark.parametrize("lengths", [(3, 3, 2), (2, 2, 3), (3, 2, 2), (2, 3, 3), (3, 2, 4), (40, 40, 39)])
@pytest.mark.parametrize(
    "names", [("params", "tokens", "loss"), ("N", "D", "val_loss"), ("model_size", "train_tokens", "eval/loss")]
)
@pytest.mark.parametrize("inside", [False, True])
def test_columns_of_unequal_length_are_refused(
    read: Read, lengths: tuple[int, int, int], names: tuple[str, str, str], inside: bool
) -> None:
    values = ([i * 1e8 for i in range(1, 50)], [i * 1e9 for i in range(1, 50)], [3 - i / 100 for i in range(1, 50)])
    document: dict[str, Any] = {name: v[:n] for name, v, n in zip(names, values, lengths, strict=True)}
    with pytest.raises(ReadError, match="arrays of unequal length") as caught:
        read(json.dumps({"runs": document} if inside else document), "a.json")
    assert names[2] in str(caught.value)
    assert f"has {lengths[2]}" in str(caught.value)


def test_equal_lengths_are_a_table_and_a_run_with_arrays_a_curve(read: Read) -> None:
    table = read('{"params":[1e8,2e8,4e8],"tokens":[1e9,2e9,3e9],"loss":[3.2,3.0,null]}', "a.json")
    assert table.kept[["params", "tokens", "loss"]].values.tolist() == [[1e8, 1e9, 3.2], [2e8, 2e9, 3.0]]
    curve = read('{"n_params":1e8,"tokens":[1e9,2e9,3e9],"loss":[3.2,3.0,2.9]}', "a.json")
    assert curve.kept[["params", "tokens", "loss"]].values.tolist() == [[1e8, 3e9, 2.9]]
    assert curve.history is not None
    aside = read('{"params":[1e8,2e8,4e8],"tokens":[1e9,2e9,3e9],"loss":[3.2,3.0,2.9],"tags":["x","y"]}', "a.json")
    assert len(aside) == 3


@pytest.mark.parametrize(
    "document",
    [
        {"n_params": 1e8, "tokens": [1e9, 2e9, 3e9], "loss": [3.2, 3.0]},
        {"n_params": 1e8, "step": [1, 2], "loss": [3.2, 3.0, 2.9]},
        {"run": ["a", "b", "c"], "params": [1e8, 2e8], "loss": [3.2, 3.0]},
        # 3 held-out losses among 100 steps: at which of them?
        {"n_params": 1e8, "step": [*range(100)], "train_loss": [4 - i / 100 for i in range(100)], "val_loss": [4, 3, 2]},
        [{"run": "a", "step": [1, 2, 3], "loss": [3.2, 3.0, 2.9]}, {"run": "b", "step": [1, 2, 3], "loss": [3.2, 3.0]}],
    ],
)  # fmt: skip
def test_curves_whose_steps_do_not_fit_are_refused(read: Read, document: Any) -> None:
    with pytest.raises(ReadError, match="unequal length") as caught:
        read(json.dumps(document), "a.json")
    if isinstance(document, list):
        assert "object 2" in str(caught.value)


def test_curves_with_steps_of_their_own_stay(read: Read) -> None:
    document = {
        "n_params": 1e8,
        "train": {"step": [1, 2, 3, 4], "tokens": [1e8, 2e8, 3e8, 4e8], "loss": [4, 3, 2.5, 2.2]},
        "val": {"step": [2, 4], "loss": [3.1, 2.4]},
        "lr_milestones": [2, 3, 4, 5, 6],
    }
    runs = read(json.dumps(document), "a.json")
    assert runs.kept[["loss", "tokens"]].values.tolist() == [[2.4, 4e8]]


def test_a_frame_with_arrays_in_its_cells_is_refused_too() -> None:
    with pytest.raises(ReadError, match="object 2 holds arrays of unequal length"):
        read_runs(pd.DataFrame({"run": ["a", "b"], "step": [[1, 2], [1, 2]], "loss": [[3.0, 2.9], [3.1]]}))


def test_the_last_step_of_a_run_is_not_held_against_the_tokens_of_its_curve(read: Read) -> None:
    def run(name: str, short: float) -> dict[str, Any]:
        history = [
            {"_step": s, "val/loss": 5 - s / 1000, "tokens_seen": int(s * 65536 * short)} for s in range(100, 700, 100)
        ]
        whole = {"_step": 600, "tokens_seen": history[-1]["tokens_seen"]}
        sizes = {"n_params": 25296128, "batch_size": 64, "seq_len": 1024}
        return {"id": name, "name": name, "config": sizes, "summary": whole, "history": history}

    for short in (1, 0.5):
        runs = read(json.dumps([run("a", short), run("b", short)]), "api.json")
        assert runs.kept["tokens"].tolist() == [600 * 65536 * short] * 2
        assert any("0.5 times batch × steps" in n for n in runs.notes) == (short == 0.5), short
        assert any("times batch × steps" in n for n in runs.notes) == (short == 0.5), short
