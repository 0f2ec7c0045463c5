"""Which loss, which end and which rows count, where a table once gave a wrong number without a word: right, asked or set aside."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from data import MappingNeeded, Runs

Read = Callable[..., Runs]
HELD_OUT, TRAIN = [3.98, 3.71, 3.45], [3.90, 3.62, 3.35]


def table(header: str, *columns: list[str]) -> str:
    """Three runs with their parameters and tokens, and what else each has under `header`."""
    rows = zip(["a,20M,400M", "b,40M,800M", "c,80M,1.6B"], *columns, strict=True)
    return f"run,params,tokens,{header}\n" + "".join(",".join(r) + "\n" for r in rows)


def losses(header: str, *more: list[float]) -> str:
    return table(header, *([str(v) for v in column] for column in (TRAIN, HELD_OUT, *more)))


@pytest.mark.parametrize(
    "header",
    ["train_loss,eval/c4", "train/loss,val/c4", "train_loss,C4", "train_loss,wikitext103", "train_ce,pile_val", "train_loss,paloma_avg",
     "Train CE Loss,C4-en Val", "train_loss,lm_eval/pile", "loss,c4_en_validation", "train loss (nats),WikiText-2"],
)  # fmt: skip
def test_a_held_out_loss_without_the_word_goes_before_a_training_loss(read: Read, header: str) -> None:
    assert read(losses(header)).kept["loss"].tolist() == HELD_OUT


@pytest.mark.parametrize(
    "header", ["train_loss,eval_time", "train_loss,val/grad_norm", "train_loss,tokens_per_c4", "train_loss,c4_std"]
)
def test_what_an_evaluation_has_beside_a_loss_is_none(read: Read, header: str) -> None:
    assert read(losses(header)).kept["loss"].tolist() == TRAIN


def test_an_accuracy_on_a_text_is_no_loss(read: Read) -> None:
    runs = read(losses("train_loss,C4,lambada", [1.8, 2.0, 2.2]))
    assert runs.kept["loss"].tolist() == HELD_OUT


@pytest.mark.parametrize(
    "text",
    [losses("train_loss,paloma/c4_en,paloma/wikitext", [4.2, 3.9, 3.6]), losses("loss,C4"), losses("train_ppl,C4")],
)  # fmt: skip
def test_several_of_them_are_asked_about(read: Read, text: str) -> None:
    with pytest.raises(MappingNeeded) as e:
        read(text)
    assert "columns.loss" in [q.key for q in e.value.questions]


@pytest.mark.parametrize("key", ["eval", "evals"])
def test_held_out_losses_below_a_key_of_json(read: Read, key: str) -> None:
    rows = [(1e7, 4.40, 4.52, 4.21), (2e7, 4.00, 4.12, 3.81), (4e7, 3.70, 3.80, 3.50)]
    one = [f'{{"N":{n},"D":2e9,"train_loss":{t},"{key}":{{"c4":{c}}}}}' for n, t, c, _ in rows]
    two = [f'{{"N":{n},"D":2e9,"train_loss":{t},"{key}":{{"c4":{c},"pile":{p}}}}}' for n, t, c, p in rows]
    assert read("\n".join(one), "runs.jsonl").kept["loss"].tolist() == [4.52, 4.12, 3.80]
    with pytest.raises(MappingNeeded, match="c4"):
        read("\n".join(two), "runs.jsonl")


@pytest.mark.parametrize(
    ("header", "cells"),
    [("planned_steps,step,batch_tokens,tokens_planned", "{total},{step},400000,{plan}"),
     ("planned_steps,step,target_tokens", "{total},{step},{plan}"),
     ("max_steps,global_step,batch_size,seq_len,token_budget", "{total},{step},200,2000,{plan}"),
     ("step,batch_tokens,planned tokens", "{step},400000,{plan}")],
)  # fmt: skip
def test_a_run_that_stopped_saw_its_steps_and_not_its_plan(read: Read, header: str, cells: str) -> None:
    runs = [(1000, 1000, "400M"), (2000, 2000, "800M"), (4000, 2000, "1.6B")]
    rows = "".join(f"r{t},{t}M,3.9,{cells.format(total=t, step=s, plan=p)}\n" for t, s, p in runs)
    found = read(f"run,params,val_loss,{header}\n{rows}")
    assert found.kept["tokens"].tolist() == pytest.approx([4e8, 8e8, 8e8])
    assert any("is a plan" in note for note in found.notes)


@pytest.mark.parametrize(
    ("steps", "batch"), [("1000,2000,4000", "400000"), ("1000,2000,4000", "390000"), ("1000,2000,4000", "400")]
)
def test_a_plan_that_was_reached_or_is_not_borne_out_stays(read: Read, steps: str, batch: str) -> None:
    rows = zip("abc", steps.split(","), ("400M", "800M", "1.6B"), strict=True)
    text = "run,params,step,batch_tokens,planned tokens,val_loss\n" + "".join(
        f"{r},20M,{s},{batch},{t},3.9\n" for r, s, t in rows
    )
    try:
        runs = read(text)
    except MappingNeeded:
        return  # a batch of 400 tokens: asked about
    assert runs.kept["tokens"].tolist() == [4e8, 8e8, 1.6e9]
