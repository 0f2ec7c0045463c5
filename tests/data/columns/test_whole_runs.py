"""A whole run's tokens in each row of its curve, and tokens of whole epochs: those at a checkpoint, and at an early end."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from data import MappingNeeded, Runs
from tests.data.cases import side_by_side

Read = Callable[..., Runs]


def curves(columns: str, row: Callable[[int, int], str], ends: tuple[int, ...] = (1000, 600)) -> str:
    """Runs r1, r2, ... of 1e8, 2e8, ... parameters, logged at every 200 steps up to their ends."""
    lines = [
        f"r{k},{k}e8,{row(k, s)},{4 - s / 1000}\n" for k, e in enumerate(ends, start=1) for s in range(200, e + 1, 200)
    ]
    return f"run,params,{columns},loss\n" + "".join(lines)


TOTALS = ["total_steps", "max_steps", "planned_steps", "num_train_steps", "train_iters", "training_steps"]


@pytest.mark.parametrize(
    ("total", "tokens", "step"),
    side_by_side(
        TOTALS * 2, ["total_tokens", "tokens", "train_tokens", "token_budget"], ["step", "iteration", "train/step"]
    ),
)
def test_a_run_that_ended_early_saw_the_tokens_of_its_steps(read: Read, tokens: str, total: str, step: str) -> None:
    runs = read(curves(f"{tokens},{step},{total}", lambda k, s: f"1e9,{s},1000"))
    assert runs.kept["tokens"].tolist() == pytest.approx([1e9, 6e8])
    assert runs.kept["batch"].tolist() == pytest.approx([1e6, 1e6])
    assert runs.kept["flops"].tolist() == pytest.approx([6e17, 6 * 2e8 * 6e8])
    assert runs.history is not None
    assert runs.history["tokens"].tolist() == pytest.approx((runs.history["steps"] * 1e6).tolist())
    assert any("1 ended before its planned last step" in note for note in runs.notes)


def test_logged_compute_of_the_whole_run_goes_along(read: Read) -> None:
    runs = read(curves("tokens,flops,step,total_steps", lambda k, s: f"1e9,{6 * k}e17,{s},1000"))
    assert runs.kept["flops"].tolist() == pytest.approx([6e17, 0.6 * 12e17])


@pytest.mark.parametrize("batch", ["batch_tokens", "tokens_per_step"])
def test_the_batch_says_at_which_step_a_run_was_to_end(read: Read, batch: str) -> None:
    runs = read(curves(f"tokens,{batch},step", lambda k, s: f"1e9,1e6,{s}"))
    assert runs.kept["tokens"].tolist() == pytest.approx([1e9, 6e8])
    assert not any("used as it stands" in note for note in runs.notes)


def test_tokens_seen_are_those_at_the_last_row(read: Read) -> None:
    runs = read(curves("tokens_seen,step,total_steps", lambda k, s: f"{600000000 if k == 2 else 1000000000},{s},1000"))
    assert runs.kept["tokens"].tolist() == pytest.approx([1e9, 6e8])


def test_without_a_plan_the_last_row_has_them_all_and_a_doubt_is_said(read: Read) -> None:
    runs = read(curves("tokens,step", lambda k, s: f"1e9,{s}"))
    assert runs.kept["tokens"].tolist() == [1e9, 1e9]
    assert any("a column total_steps would say so" in note for note in runs.notes)
    even = read(curves("tokens,step", lambda k, s: f"1e9,{s}", (1000, 1000)))
    assert not any("total_steps" in note for note in even.notes)


def test_tokens_that_rise_stay_as_they_are(read: Read) -> None:
    runs = read(curves("tokens,step,total_steps", lambda k, s: f"{s}e6,{s},1000"))
    assert runs.kept["tokens"].tolist() == [1e9, 6e8]
    assert not any("whole run's tokens" in note for note in runs.notes)


def test_samples_or_epochs_share_them_out_too(read: Read) -> None:
    text = "run,params,tokens,consumed_samples,loss\n" + "".join(
        f"a,1e8,1e9,{s},{4 - s / 1000}\n" for s in (250, 500, 1000)
    )
    runs = read(text)
    assert runs.history is not None
    assert runs.history["tokens"].tolist() == pytest.approx([2.5e8, 5e8, 1e9])


def test_an_object_with_its_curve(read: Read) -> None:
    row = {
        "params": 1e8,
        "tokens": 1e9,
        "total_steps": 1000,
        "history": [{"step": s, "loss": 4 - s / 1000} for s in (100, 500)],
    }
    runs = read(json.dumps([{"run": "a", **row}, {"run": "b", **row}]), "x.json")
    assert runs.kept["tokens"].tolist() == [5e8, 5e8]


# Epochs --------------------------------------------------------------------------------------------------------------


def epochs(header: str, places: list[str], more: str = "") -> str:
    lines = [f"r{k},{k}e8,1e9,{e},{4 - i / 100}\n" for k in (1, 2) for i, e in enumerate(places)]
    return f"run,params,unique_tokens,{header}{more},loss\n" + "".join(lines)


@pytest.mark.parametrize("header", ["epoch", "Epoch", "train/epoch", "epochs"])
def test_epochs_from_zero_are_asked_about(read: Read, header: str) -> None:
    text = epochs(header, ["0", "1", "2", "3"])
    with pytest.raises(MappingNeeded) as caught:
        read(text)
    assert {q.key: q.options for q in caught.value.questions} == {"epochs": ("after", "before")}
    after = read(text, epochs="after")
    assert after.kept["tokens"].tolist() == [4e9, 4e9]
    assert after.kept["epochs"].tolist() == [4, 4]
    assert after.kept["flops"].tolist() == pytest.approx([6 * 1e8 * 4e9, 6 * 2e8 * 4e9])
    assert after.history is not None
    assert after.history["tokens"].tolist() == [1e9, 2e9, 3e9, 4e9] * 2
    before = read(text, epochs="before")
    assert before.kept["tokens"].tolist() == [3e9, 3e9]


@pytest.mark.parametrize("places", [["1", "2", "3"], ["0.5", "1.0", "1.5", "2.0"], ["0.0", "0.25", "0.5"]])
def test_other_epochs_are_not(read: Read, places: list[str]) -> None:
    assert read(epochs("epoch", places)).kept["tokens"].tolist() == [float(places[-1]) * 1e9] * 2


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("every", [10, 25, 50])
def test_many_rows_in_an_epoch_follow_the_steps(read: Read, first: int, every: int) -> None:
    """400 steps make an epoch, whichever number the first of them bears; runs of 3.5 epochs."""
    places = [f"{first + s // 400},{s}" for s in range(every, 1401, every)]
    runs = read(epochs("epoch", places, ",step"))
    assert runs.kept["tokens"].tolist() == pytest.approx([3.5e9] * 2, rel=0.05)
    assert any("Many rows stand in each epoch" in note for note in runs.notes)
    assert runs.history is not None
    ratio = runs.history["tokens"] / runs.history["steps"]
    assert ratio.max() == pytest.approx(ratio.min())
