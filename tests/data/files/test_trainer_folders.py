"""The folder that a trainer writes: the mean over training is passed over where another file has the evaluated loss."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from data import MappingNeeded, read_runs


def written(folder: Path, seen: float, leave: tuple[str, ...] = ()) -> Path:
    """Two runs of 25 and 50 million parameters that end at 3.5123 and 3.3123, with the tokens that the trainer counted."""
    for name, loss, size in (("gpt-25M", 3.5123, 25e6), ("gpt-50M", 3.3123, 50e6)):
        ended = {"epoch": 1.0, "eval_loss": loss, "eval_runtime": 10.0, "eval_samples_per_second": 10.0}
        trained = {
            "train_loss": loss + 0.4,
            "train_runtime": 100.0,
            "total_flos": 6 * size * 5e8,
            "num_input_tokens_seen": seen,
        }
        log = [{"step": 100 * i, "epoch": i / 5, "loss": round(loss + 0.6 - i / 10, 4)} for i in range(1, 6)]
        log += [{"step": 100 * i, "epoch": i / 5, "eval_loss": round(loss + 0.5 - i / 10, 4)} for i in (1, 3, 5)]
        state = {"global_step": 500, "total_flos": 6 * size * 5e8, "num_input_tokens_seen": seen, "log_history": log}
        files = {
            "all_results": ended | trained,
            "eval_results": ended,
            "train_results": trained,
            "trainer_state": state,
        }
        (folder / name).mkdir(parents=True)
        for file, content in files.items():
            if file not in leave:
                (folder / name / f"{file}.json").write_text(json.dumps(content))
    return folder


def test_the_folder_of_a_trainer_is_one_run(tmp_path: Path) -> None:
    for seen in (5e8, 0):
        for leave in ((), ("trainer_state",), ("all_results",), ("eval_results",))[:: 1 if seen else 2]:
            here = written(tmp_path / f"{seen} {leave}", seen, leave)
            runs = read_runs(here)
            found = runs.kept[["params", "tokens", "loss"]].to_numpy().tolist()
            assert found == [pytest.approx(row) for row in ([25e6, 5e8, 3.5123], [50e6, 5e8, 3.3123])], (seen, leave)
            assert sum("the mean over all of training" in note for note in runs.notes) == 2, (seen, leave)
            one = read_runs(here / "gpt-50M")
            assert one.kept["loss"].tolist() == [3.3123], (seen, leave)


def test_a_mean_over_training_without_an_evaluated_loss_beside_it_is_asked_about(tmp_path: Path) -> None:
    here = written(tmp_path / "x", 5e8, ("all_results", "eval_results", "trainer_state"))
    (here / "other.csv").write_text("run,params,tokens,loss\na,1e8,2e9,3.1\n")
    with pytest.raises(MappingNeeded, match="mean over all of training"):
        read_runs(here)
    none = {"*train_results.json": {"columns": {"loss": "none of them"}}}
    runs = read_runs(here, by_file=none)
    assert runs.kept["run"].tolist() == ["a"]
    said = [note for note in runs.notes if "no column of the loss, as you said" in note]
    assert len(said) == 1, said
    assert "2 files (gpt-25M/train_results.json, gpt-50M/train_results.json)" in said[0]
