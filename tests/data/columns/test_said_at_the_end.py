"""What a log says of a run once, at its end: the rows before it take their part of it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from data import Runs

Read = Callable[..., Runs]
ENTRIES = [
    {"step": s, "eval_loss": loss, "num_input_tokens_seen": s * 32768}
    for s, loss in ((1000, 4.5), (2000, 4.2), (3000, 4.0))
]
END = {"step": 3000, "train_loss": 4.06, "total_flos": 1.2e16}


def test_a_trainers_summary_with_flops_does_not_make_the_run_unusable(read: Read) -> None:
    history = [*ENTRIES, END]
    for text, name in (
        (json.dumps({"log_history": history}), "trainer_state.json"),
        (json.dumps({"log_history": history, "global_step": 3000, "max_steps": 3000}), "trainer_state.json"),
        ("\n".join(map(json.dumps, history)), "log.jsonl"),
    ):
        runs = read(text, name)
        assert runs.kept[["tokens", "loss"]].to_numpy().tolist() == [[98304000.0, 4.0]], text[:20]
        assert runs.kept["flops"].tolist() == pytest.approx([1.2e16])
        assert runs.history is not None
        assert runs.history["flops"].tolist() == pytest.approx([4e15, 8e15, 1.2e16])
        assert any("FLOPs from a later row" in note for note in runs.notes)


def test_an_evaluation_before_the_end_has_its_part(read: Read) -> None:
    history = [*ENTRIES, {**END, "step": 4000, "total_flos": 1.6e16}]
    runs = read("\n".join(map(json.dumps, history)), "log.jsonl")
    assert runs.kept[["tokens", "flops"]].to_numpy()[0].tolist() == pytest.approx([98304000.0, 1.2e16])


def test_a_size_said_at_the_end_is_that_of_the_run(read: Read) -> None:
    rows = [{**e, "params": None} for e in ENTRIES] + [{"step": 3000, "params": 25_000_000}]
    runs = read("\n".join(map(json.dumps, rows)), "log.jsonl")
    assert runs.kept[["params", "tokens", "loss"]].to_numpy().tolist() == [[25e6, 98304000.0, 4.0]]
