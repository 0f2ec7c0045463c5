"""Headers that once gave a wrong number without a word: each read right, asked about, or set aside."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from data import Runs, read_runs

Read = Callable[..., Runs]


def values(runs: Runs, *columns: str) -> list[list[object]]:
    return runs.kept[list(columns)].values.tolist()


# Names in two rows -----------------------------------------------------------------------------------------------------

SIZES = [[1e7, 1e9, 3.5], [2e7, 2e9, 3.3], [4e7, 4e9, 3.1], [8e7, 8e9, 2.9]]


@pytest.mark.parametrize("top", ["Model,,Compute,Loss", "Model,Model,Compute,Loss", "Config,,Compute,Loss"])
@pytest.mark.parametrize(
    ("n", "d", "unit"), [("N", "D", 1), ("N (M)", "D (M)", 1e6), ("n", "d", 1), ("params", "D", 1)]
)
def test_a_letter_below_model_is_no_width(read: Read, top: str, n: str, d: str, unit: float) -> None:
    body = [f"{p / unit:g},{t / unit:g},{9 * p * t:g},{loss}" for p, t, loss in SIZES]
    runs = read("\n".join([top, f"{n},{d},FLOPs,val", *body]) + "\n")
    assert values(runs, "params", "tokens", "loss") == SIZES


def test_d_below_model_is_the_width_where_it_is_as_small_as_one(read: Read) -> None:
    runs = read("Model,,Training,,Loss\nd,layers,params,tokens,val\n512,8,1e7,1e9,3.5\n768,12,2e7,2e9,3.3\n")
    assert values(runs, "width", "params", "tokens") == [[512, 1e7, 1e9], [768, 2e7, 2e9]]


@pytest.mark.parametrize(("name", "column"), [
    ("steps", "steps"), ("params", "params"), ("tokens", "tokens"), ("lr", "lr"), ("D", "tokens"), ("iterations", "steps"),
])  # fmt: skip
@pytest.mark.parametrize("group", ["Val", "Eval", "Test", "Validation"])
def test_a_group_of_losses_owns_no_column_of_the_run(read: Read, group: str, name: str, column: str) -> None:
    one, two = (0.001, 0.002) if name == "lr" else (1e9, 2e9) if column in ("params", "tokens") else (1000, 2000)
    runs = read(f",Train,,{group},,\nrun,loss,acc,loss,acc,{name}\na,3.4,.1,3.5,.1,{one}\nb,3.2,.1,3.3,.1,{two}\n")
    assert values(runs, "run", "loss", column) == [["a", 3.5, one], ["b", 3.3, two]]


@pytest.mark.parametrize("group", ["Eval", "Val", "Test", "Model", "Results"])
def test_params_and_tokens_below_a_group_are_the_runs(read: Read, group: str) -> None:
    body = "\n".join(f"r,{p:g},{t:g},{loss}" for p, t, loss in SIZES)
    runs = read(f",{group},{group},Result\nname,params,tokens,loss\n{body}\n")
    assert values(runs, "params", "tokens", "loss") == SIZES


def test_tokens_below_train_go_before_those_below_val(read: Read) -> None:
    text = "Train,,Val,,Size\ntokens,loss,tokens,loss,params\n1e9,3.4,1e6,3.5,1e7\n2e9,3.2,1e6,3.3,2e7\n"
    assert values(read(text), "tokens", "loss") == [[1e9, 3.5], [2e9, 3.3]]
    frame = pd.DataFrame(
        [[1e9, 3.4, 1e6, 3.5, 1e7], [2e9, 3.2, 1e6, 3.3, 2e7]],
        columns=pd.MultiIndex.from_tuples(
            [("train", "tokens"), ("train", "loss"), ("val", "tokens"), ("val", "loss"), ("size", "params")]
        ),
    )
    assert values(read_runs(frame), "tokens", "loss") == [[1e9, 3.5], [2e9, 3.3]]
