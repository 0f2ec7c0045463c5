"""A loss that was measured at another place than the end of its run: loss@1B, loss after 5k steps, tokens_at_best."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from data import MappingNeeded, Runs

Read = Callable[..., Runs]


def table(columns: str, *cells: str) -> str:
    rows = [f"{n},{p},{c}" for n, p, c in zip("abc", ("25M", "50M", "100M"), cells, strict=True)]
    return "\n".join([f"run,params,{columns}", *rows]) + "\n"


def tokens_of(read: Read, text: str, **answers: object) -> list[float]:
    return [float(round(t)) for t in read(text, **answers).kept["tokens"]]


def test_one_loss_at_a_place_has_the_tokens_up_to_there(read: Read) -> None:
    cells = ("2B,3.71", "4B,3.62", "8B,3.50")
    for header in (
        "val loss @1B", "loss@1B", "loss@1B tokens", "loss at 1e9 tokens", "loss after 1B tokens", "C4 loss @ 1B",
    ):  # fmt: skip
        runs = read(table(f"tokens,{header}", *cells))
        assert runs.kept["tokens"].tolist() == [1e9] * 3, header
        assert runs.kept["flops"].tolist() == [1.5e17, 3e17, 6e17], header
        assert any("before the end of the run" in n for n in runs.notes), header
    for header in ("loss @ 50%", "val loss @ 50% of training"):
        assert tokens_of(read, table(f"tokens,{header}", *cells)) == [1e9, 2e9, 4e9], header
    stepped = ("10000,65536,3.71", "10000,65536,3.62", "20000,65536,3.5")
    for header in ("val_loss@5k steps", "loss after 5k steps", "loss_step5000", "val_loss (step 5000)"):
        assert tokens_of(read, table(f"steps,batch_tokens,{header}", *stepped)) == [327680000.0] * 3, header
    both = table("steps,tokens,loss after 5k steps", "10000,2B,3.71", "10000,4B,3.62", "20000,8B,3.5")
    assert tokens_of(read, both) == [1e9, 2e9, 2e9]
    assert tokens_of(read, both, columns={"tokens": "tokens"}) == [2e9, 4e9, 8e9]


def test_a_place_that_may_be_none_or_has_no_tokens_is_asked_about(read: Read) -> None:
    cells = ("2B,3.71", "4B,3.62", "8B,3.50")
    for header, options in (
        ("val_loss_1B", ("val_loss_1B", "tokens")),
        ("val loss (10M tokens)", ("val loss (10M tokens)", "tokens")),
        ("loss after 5k steps", ("tokens", "none of them")),
        ("loss @ 5k", ("tokens", "none of them")),
    ):
        with pytest.raises(MappingNeeded) as e:
            read(table(f"tokens,{header}", *cells))
        assert [(q.key, q.options) for q in e.value.questions if q.needed] == [("columns.tokens", options)], header
        assert tokens_of(read, table(f"tokens,{header}", *cells), columns={"tokens": "tokens"}) == [2e9, 4e9, 8e9], (
            header
        )
    assert tokens_of(read, table("tokens,val_loss_1B", *cells), columns={"tokens": "val_loss_1B"}) == [1e9] * 3
    steps = table("steps,batch_tokens,val_loss@5k", *("10000,65536,3.71", "10000,65536,3.62", "20000,65536,3.5"))
    with pytest.raises(MappingNeeded):
        read(steps)
    assert tokens_of(read, steps, columns={"tokens": "val_loss@5k"}) == [327680000.0] * 3
    assert tokens_of(read, steps, columns={"tokens": None}) == [655360000.0, 655360000.0, 1310720000.0]


def test_other_numbers_in_a_loss_s_name_are_no_places(read: Read) -> None:
    for header in (
        "loss (1024 tokens)",
        "loss@2048",
        "val loss (last 100 steps)",
        "loss mean of last 100 steps",
        "val_loss_2",
        "gpt2 loss",
    ):
        assert tokens_of(read, table(f"tokens,{header}", "2B,3.71", "4B,3.62", "8B,3.50")) == [2e9, 4e9, 8e9], header


def test_a_run_that_ended_before_the_place_is_set_aside(read: Read) -> None:
    runs = read(table("tokens,loss@1B", "500M,3.71", "4B,3.62", "8B,3.50"))
    assert runs.kept["run"].tolist() == ["b", "c"]
    assert runs.set_aside["reason"].tolist() == ["loss@1B lies beyond the end of the run"]
    assert not read(table("tokens,loss@1B", "1B,3.71", "1B,3.62", "1B,3.50")).notes  # the place is the end


def test_the_best_loss_has_the_tokens_of_its_place(read: Read) -> None:
    for columns, cells, wanted in (
        ("tokens,tokens_at_best,best_val_loss", ("2B,1.5B,3.71", "4B,3B,3.62", "8B,8B,3.5"), [1.5e9, 3e9, 8e9]),
        ("tokens (B),tokens_at_best,best_val_loss", ("2,1.5,3.71", "4,3,3.62", "8,8,3.5"), [1.5e9, 3e9, 8e9]),
        ("tokens,best tokens,min_val_loss", ("2B,1.5B,3.71", "4B,3B,3.62", "8B,8B,3.5"), [1.5e9, 3e9, 8e9]),
        ("tokens_at_best,best_val_loss", ("1.5B,3.71", "3B,3.62", "8B,3.5"), [1.5e9, 3e9, 8e9]),
        (
            "batch_tokens,max_steps,best_step,best_val_loss",
            ("65536,10000,7500,3.71", "65536,20000,20000,3.62", "65536,40000,30000,3.5"),
            [65536 * 7500.0, 65536 * 2e4, 65536 * 3e4],
        ),
        ("batch_tokens,best_iter,best_val_loss", ("65536,7500,3.71", "65536,20000,3.62", "65536,30000,3.5"),
         [65536 * 7500.0, 65536 * 2e4, 65536 * 3e4]),
        ("tokens,last_step,step_at_min,best_val_loss", ("2B,10000,7500,3.71", "4B,20000,20000,3.62", "8B,40000,30000,3.5"),
         [1.5e9, 4e9, 6e9]),
        ("tokens,steps,step of best val loss,val loss (best)", ("2B,10000,7500,3.71", "4B,20000,20000,3.62", "8B,40000,30000,3.5"),
         [1.5e9, 4e9, 6e9]),
    ):  # fmt: skip
        runs = read(table(columns, *cells))
        assert [float(round(t)) for t in runs.kept["tokens"]] == wanted, columns
        assert any(q.key == "columns.tokens" for q in runs.questions), columns


def test_which_of_best_and_final_loss_decides_the_place(read: Read) -> None:
    text = table(
        "tokens,tokens_at_best,best_val_loss,final_val_loss", "2B,1.5B,3.71,3.75", "4B,3B,3.62,3.65", "8B,8B,3.5,3.5"
    )
    with pytest.raises(MappingNeeded):
        read(text)
    assert tokens_of(read, text, columns={"loss": "best_val_loss"}) == [1.5e9, 3e9, 8e9]
    assert tokens_of(read, text, columns={"loss": "final_val_loss"}) == [2e9, 4e9, 8e9]
    unsure = read(table("tokens,best_iter,best_val_loss", "2B,7500,3.71", "4B,20000,3.62", "8B,30000,3.5"))
    assert [(q.key, q.needed) for q in unsure.questions] == [("columns.tokens", False)]
