"""Losses at several places of a run side by side: a curve along steps where headers say so, else asked about."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from data import MappingNeeded, Question, Runs

Read = Callable[..., Runs]
BODY = "a,20M,5.0,4.5,4.0\nb,50M,4.8,4.2,3.7\nc,125M,4.6,4.0,3.4\n"
ENDS = [["a", 20e6, 4.0], ["b", 50e6, 3.7], ["c", 125e6, 3.4]]


def table(*headers: str) -> str:
    return f"name,params,{','.join(headers)}\n{BODY}"


def asked(read: Read, text: str, **answers: object) -> Question:
    with pytest.raises(MappingNeeded) as e:
        read(text, **answers)
    return e.value.questions[0]


def test_headers_that_say_steps_make_a_curve_of_each_run(read: Read) -> None:
    for form, numbers in (
        ("loss@{} steps", "1k 2k 5k"), ("loss_step{}", "1000 2000 5000"), ("val_loss (step {})", "1000 2000 5000"),
        ("loss at {} iters", "1k 2k 5k"), ("step {} loss", "1000 2000 5000"), ("loss@step{}", "1000 2000 5000"),
    ):  # fmt: skip
        runs = read(table(*map(form.format, numbers.split())))
        assert runs.kept[["run", "params", "loss"]].to_numpy(dtype=object).tolist() == ENDS, form
        assert runs.history is not None
        curve = runs.history[runs.history["run"] == "b"]
        assert curve["steps"].tolist() == [1000, 2000, 5000], form
        assert curve["loss"].tolist() == [4.8, 4.2, 3.7], form
    assert read("params,batch tokens,loss@1k steps,loss@2k steps\n20M,5e5,4,3.5\n50M,5e5,3.8,3.3\n").kept[
        "tokens"
    ].tolist() == [1e9, 1e9]


def test_a_number_without_a_unit_is_asked_about(read: Read) -> None:
    for headers, key, guess in (
        (("loss@1k", "loss@2k", "loss@5k"), "columns.steps", "at"), (("loss_1000", "loss_2000", "loss_5000"), "columns.steps", "at"),
        (("loss_512", "loss_1024", "loss_2048"), "columns.steps", ""),
        (("val_loss_1B", "val_loss_2B", "val_loss_5B"), "columns.tokens", "at"),
    ):  # fmt: skip
        question = asked(read, table(*headers))
        assert (question.key, question.options, question.guess) == (key, ("at", "none of them"), guess), headers
    bare = table("loss@1k", "loss@2k", "loss@5k")
    runs = read(bare, columns={"steps": "at"})
    assert runs.kept[["run", "params", "loss"]].to_numpy(dtype=object).tolist() == ENDS
    assert runs.kept["steps"].tolist() == [5000] * 3
    assert asked(read, bare, columns={"steps": None}).key == "columns.tokens"
    counted = read(bare, columns={"steps": None, "tokens": "at"}, units={"tokens": 1e6})
    assert counted.kept["tokens"].tolist() == [5e9] * 3
    assert asked(read, bare, columns={"steps": None, "tokens": None}).key == "columns.loss"
    assert read(bare, columns={"loss": "loss@5k"}).kept["loss"].tolist() == [4.0, 3.7, 3.4]


def test_other_numbers_behind_a_loss_stay_as_they_were(read: Read) -> None:
    for headers in (
        ("loss_1", "loss_2", "loss_3"),
        ("loss", "loss_1000", "loss_2000"),
        ("loss_epoch1", "loss_epoch2", "loss_epoch3"),
    ):
        assert asked(read, table(*headers)).key == "columns.loss", headers
    totals = "name,params,tokens,loss@1k steps,loss@2k steps\na,20M,5e8,4,3.5\nb,50M,5e8,3.8,3.3\n"
    assert asked(read, totals).key == "columns.loss"
    assert len(read(table("loss@1B", "loss@2B", "loss@5B"))) == 9
