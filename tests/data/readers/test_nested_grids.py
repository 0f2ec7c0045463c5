"""JSON objects of losses by two keys: sizes and tokens in either order, runs and steps, and what is asked about."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from data import MappingNeeded, Question, Runs

Read = Callable[..., Runs]
TRUE = [(50e6, 1e9, 3.9), (50e6, 2e9, 3.7), (100e6, 1e9, 3.6), (100e6, 2e9, 3.5)]


def nested(outer: tuple[str, str], inner: tuple[str, str], losses: tuple[float, ...] = (3.9, 3.7, 3.6, 3.5)) -> str:
    a, b, c, d = losses
    return json.dumps({outer[0]: {inner[0]: a, inner[1]: b}, outer[1]: {inner[0]: c, inner[1]: d}})


def cells(runs: Runs, *columns: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in runs.kept[list(columns)].to_numpy(dtype=object).tolist()]


def asked(read: Read, text: str, **answers: object) -> Question:
    with pytest.raises(MappingNeeded) as e:
        read(text, name="t.json", **answers)
    return e.value.questions[0]


def test_sizes_and_tokens_are_a_grid_in_either_order(read: Read) -> None:
    for outer, inner in (
        (("50M", "100M"), ("1B", "2B")), (("50000000", "100000000"), ("1000000000", "2000000000")), (("5e7", "1e8"), ("1e9", "2e9")),
        (("N=50M", "N=100M"), ("D=1B", "D=2B")), (("50M params", "100M params"), ("1B tokens", "2B tokens")),
        (("gpt-50M", "gpt-100M"), ("1B", "2B")),
    ):  # fmt: skip
        assert cells(read(nested(outer, inner), name="t.json"), "params", "tokens", "loss") == TRUE, outer
        if not outer[0].startswith("gpt"):
            turned = nested(inner, outer, (3.9, 3.6, 3.7, 3.5))
            assert sorted(cells(read(turned, name="t.json"), "params", "tokens", "loss")) == TRUE, outer
    plain = nested(("50M", "100M"), ("1B", "2B"))
    for text in (f'{{"val_loss": {plain}}}', f'{{"results": {plain}}}', plain.replace("3.9", '{"loss": 3.9}')):
        assert cells(read(text, name="t.json"), "params", "tokens", "loss") == TRUE, text
    assert cells(read(plain.replace("3.5", "null"), name="t.json"), "params", "tokens", "loss") == TRUE[:3]
    budgets = read(nested(("50M", "100M"), ("1e18", "2e18")), name="t.json")
    assert cells(budgets, "params", "flops", "loss")[1] == (50e6, 2e18, 3.7)


def test_a_grid_that_may_lie_either_way_is_asked_about(read: Read) -> None:
    text = nested(("50M", "100M"), ("100M", "200M"))
    question = asked(read, text)
    assert (question.key, question.options, question.guess) == ("columns.params", ("outer size", "inner size"), "")
    outside = read(text, name="t.json", columns={"params": "outer size"})
    assert cells(outside, "params", "tokens", "loss")[:2] == [(50e6, 100e6, 3.9), (50e6, 200e6, 3.7)]
    within = read(text, name="t.json", columns={"params": "inner size"})
    assert cells(within, "params", "tokens", "loss")[:2] == [(100e6, 50e6, 3.9), (200e6, 50e6, 3.7)]
    for outer in (("AdamW", "Muon"), ("small", "large"), ("lr=1e-3", "lr=3e-4")):
        assert asked(read, nested(outer, ("20M", "50M"))).key == "columns.params", outer
    named = nested(("AdamW", "Muon"), ("20M", "50M"))
    assert cells(read(named, name="t.json", columns={"params": "size"}), "params", "loss")[:2] == [
        (20e6, 3.9),
        (50e6, 3.7),
    ]


def test_numbers_within_a_run_are_its_places(read: Read) -> None:
    for outer in (("gpt-50M", "gpt-100M"), ("50M", "100M"), ("50000000", "100000000")):
        for inner in (("1000", "2000"), ("1k", "2k")):
            text = nested(outer, inner)
            assert asked(read, text).key == "columns.steps"
            runs = read(text, name="t.json", columns={"steps": "at"})
            assert cells(runs, "params", "steps", "loss") == [(50e6, 2000, 3.7), (100e6, 2000, 3.5)], (outer, inner)
            assert runs.history is not None
            assert len(runs.history) == 4
        assert cells(read(nested(outer, ("step_1000", "step_2000")), name="t.json"), "params", "steps", "loss") == [
            (50e6, 2000, 3.7),
            (100e6, 2000, 3.5),
        ], outer


def test_what_is_no_grid_of_losses_stays_as_it_was(read: Read) -> None:
    for text in (
        nested(("50M", "100M"), ("1B", "2B"), (0.1, 0.12, 0.13, 0.14)), nested(("50M", "100M"), ("0", "1")),
        nested(("50M", "100M"), ("c4", "pile")), nested(("train", "val"), ("50M", "100M")),
    ):  # fmt: skip
        assert asked(read, text).key == "columns.loss", text
    columns = '{"params": {"0": "20M", "1": "50M"}, "loss": {"0": 3.9, "1": 3.5}}'
    assert cells(read(columns, name="t.json"), "params", "loss") == [(20e6, 3.9), (50e6, 3.5)]
