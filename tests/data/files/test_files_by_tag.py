"""Files and arrays that hold one quantity of a run each: its held-out loss is the loss, the others stand beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from data import ReadError, read_runs

NAMES = [
    "{run}-tag-{split}_loss.csv",
    "run-{run}-tag-{split}_loss.csv",
    "run-{run}_{split}-tag-epoch_loss.csv",
    "{run}/run-.-tag-loss_{split}.csv",
    "{run}/tag-{split}_loss.csv",
]


def written(folder: Path, pattern: str, splits: dict[str, float], head: str = "Wall time,Step,Value") -> Path:
    """Curves of two runs in a file for each split, which end at 3 for `gpt-25M` and 2.8 for `gpt-50M`, and so much above."""
    for run, end in (("gpt-25M", 3.0), ("gpt-50M", 2.8)):
        for split, above in splits.items():
            every = 1 if split == "train" else 2
            lines = [f"{1.7e9 + i},{100 * i},{end + above + 1 - i / 10:.4f}" for i in range(1, 11) if i % every == 0]
            path = folder / pattern.format(run=run, split=split)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join([head, *lines]))
    return folder


def test_the_curves_of_a_run_by_tag_are_one_run(tmp_path: Path) -> None:
    for k, pattern in enumerate(NAMES):
        for held_out in ("val", "validation", "eval"):
            here = written(tmp_path / f"{k} {held_out}", pattern, {"train": -0.1, held_out: 0.0})
            runs = read_runs(here)
            assert runs.kept["run"].tolist() == ["gpt-25M", "gpt-50M"], (pattern, held_out)
            assert runs.kept["loss"].tolist() == pytest.approx([3.0, 2.8]), (pattern, held_out)
            assert runs.kept["params"].tolist() == [25e6, 50e6], (pattern, held_out)
            assert len(runs.history) == 10, (pattern, held_out)  # type: ignore[arg-type]
            assert any("of one run, a tag each" in note for note in runs.notes), (pattern, held_out)


def test_a_training_loss_alone_is_still_asked_about(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="which one holds it"):
        read_runs(written(tmp_path, NAMES[0], {"train": 0.0}))


def metrics(end: float) -> dict[str, dict[str, list[object]]]:
    steps = [100, 200, 300, 400]
    every = {"val.loss": ([end + 0.1, end], steps[1::2]), "train.loss": ([end + 0.2, end + 0.1, end, end - 0.1], steps),
             "tokens": ([1e8, 2e8, 3e8, 4e8], steps)}  # fmt: skip
    return {
        k: {"steps": [*at], "values": [*v], "timestamps": ["2024-01-01T00:00:00"] * len(at)}
        for k, (v, at) in every.items()
    }


def test_metrics_with_their_steps_are_one_run(tmp_path: Path) -> None:
    for run, end in (("gpt-25M", 3.0), ("gpt-50M", 2.8)):
        (tmp_path / run).mkdir()
        (tmp_path / run / "metrics.json").write_text(json.dumps(metrics(end)))
    runs = read_runs(tmp_path)
    assert runs.kept["run"].tolist() == ["gpt-25M", "gpt-50M"]
    assert runs.kept[["tokens", "loss"]].to_numpy().tolist() == [[4e8, 3.0], [4e8, 2.8]]
    one = read_runs(tmp_path / "gpt-25M" / "metrics.json")
    assert one.kept["loss"].tolist() == [3.0]
    short = metrics(3.0)
    short["val.loss"]["steps"].pop()
    (tmp_path / "short.json").write_text(json.dumps(short))
    with pytest.raises(ReadError, match=r"1 step and 2 values of 'val\.loss'"):
        read_runs(tmp_path / "short.json")
