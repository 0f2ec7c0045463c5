"""Tables with two columns for one quantity, or with a column that only sounds like one: read right, asked about, or said."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product, zip_longest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import MappingNeeded, Runs, read_runs
from tests.data.cases import side_by_side

Read = Callable[..., Runs]


def asked(read: Read, text: str, **answers: object) -> dict[str, tuple[str, ...]]:
    """The options of each question that must be answered before the table is read."""
    with pytest.raises(MappingNeeded) as caught:
        read(text, **answers)
    return {q.key: q.options for q in caught.value.questions}


def two(one: str, other: str, a: float, b: float, shared: str = "params,loss") -> str:
    """Three runs with two more columns, `a` and `b` times the number of the run."""
    rows = [{"params": n * 1e8, "tokens": n * 2e9, "loss": 4 - n / 10, one: n * a, other: n * b} for n in (1, 2, 4)]
    names = [one, other, *shared.split(",")]
    return "\n".join([",".join(names), *(",".join(f"{row[h]:.8g}" for h in names) for row in rows)]) + "\n"


OTHER_TOKENS = (
    "tokens_seen", "tokens_trained", "train_tokens", "consumed_tokens", "total_tokens", "target_tokens", "planned_tokens",
    "budget_tokens", "token_budget", "tokens_target", "actual_tokens", "D",
)  # fmt: skip


@pytest.mark.parametrize(("other", "swapped"), side_by_side(OTHER_TOKENS, [False, True]))
def test_tokens_far_from_another_column_of_tokens_are_asked_about(read: Read, other: str, swapped: bool) -> None:
    names = (other, "tokens") if swapped else ("tokens", other)
    values = (2e9, 300e9) if swapped else (300e9, 2e9)
    text = two(*names, *values)
    assert set(asked(read, text)["columns.tokens"]) == {"tokens", other}
    for header, each in zip(names, values, strict=True):
        if header == "tokens" and other != OTHER_TOKENS[0]:
            continue  # the plain name is answered with once
        runs = read(text, columns={"tokens": header})
        assert runs.kept["tokens"].tolist() == pytest.approx([each, 2 * each, 4 * each])
        assert not [q for q in runs.questions if q.key == "columns.tokens"]


@pytest.mark.parametrize(
    ("one", "other", "a", "b"),
    [
        ("tokens", "tokens_seen", 2e9, 2e9),
        ("tokens", "tokens_seen", 2e9, 2.03e9),
        ("tokens (B)", "tokens_seen", 2, 2e9),
        ("train_tokens", "D", 2e9, 2e9),
        ("tokens_B", "total_tokens", 2.1, 2.1e9),
    ],
)
def test_tokens_that_agree_are_not_asked_about(read: Read, one: str, other: str, a: float, b: float) -> None:
    runs = read(two(one, other, a, b))
    assert runs.kept["tokens"].tolist() == pytest.approx([n * b for n in (1, 2, 4)], rel=0.02)
    assert not runs.questions


SEEN = ["tokens_seen", "consumed_tokens", "tokens_trained", "tokens_used", "actual_tokens"]
PLANNED = ["target_tokens", "planned_tokens", "token_budget", "total_tokens", "max_tokens"]


@pytest.mark.parametrize(("one", "plan"), side_by_side(list(product(SEEN, (False, True))), PLANNED))
def test_what_was_seen_goes_before_what_was_planned(read: Read, one: tuple[str, bool], plan: str) -> None:
    seen, swapped = one
    runs = read(two(plan, seen, 20e9, 2e9) if swapped else two(seen, plan, 2e9, 20e9))
    assert runs.kept["tokens"].tolist() == pytest.approx([2e9, 4e9, 8e9])
    assert any(repr(seen) in note and plan in note for note in runs.notes)


def test_a_plan_that_the_compute_bears_out_is_asked_about(read: Read) -> None:
    text = "params,total_tokens,tokens_seen,flops,loss\n1e8,2e9,1e8,1.2e18,3.5\n2e8,4e9,2e8,4.8e18,3.2\n"
    assert asked(read, text)["columns.tokens"] == ("total_tokens", "tokens_seen")


def test_one_run_that_fell_short_of_its_plan_counts(read: Read) -> None:
    runs = read("params,tokens,target_tokens,loss\n1e8,2e9,2e9,3.5\n2e8,1e9,4e9,3.4\n4e8,8e9,8e9,3\n")
    assert runs.kept["tokens"].tolist() == [2e9, 1e9, 8e9]
    assert [(q.key, q.guess, q.needed) for q in runs.questions] == [("columns.tokens", "tokens", False)]
    none = "params,tokens,target_tokens,loss\n1e8,2e9,300e9,3.5\n2e8,1e9,300e9,3.4\n4e8,8e9,600e9,3\n"
    assert asked(read, none)["columns.tokens"] == ("tokens", "target_tokens")


@pytest.mark.parametrize("other", ["n_params", "model_size", "parameters", "N", "num_parameters"])
def test_two_plain_counts_that_differ_are_asked_about(read: Read, other: str) -> None:
    text = two("params", other, 1e8, 3e8, "tokens,loss")
    assert set(asked(read, text)["columns.params"]) == {"params", other}
    assert not read(two("params", other, 1e8, 1e8, "tokens,loss")).questions
    near = read(two("params", other, 1e8, 1.2e8, "tokens,loss"))
    assert [(q.key, q.needed) for q in near.questions] == [("columns.params", False)]


@pytest.mark.parametrize("short", ["0.1B", "125M", "0.12B"])
def test_a_size_written_short_agrees_with_the_count(read: Read, short: str) -> None:
    runs = read(f"params,model_size,tokens,loss\n124439808,{short},2e9,3.5\n354823168,{'350M'},4e9,3.2\n")
    assert runs.kept["params"].tolist() == [124439808, 354823168]
    assert not runs.questions


def test_compute_that_six_per_parameter_and_token_bears_out_is_taken_and_said(read: Read) -> None:
    for one, other in (("flops", "flops_used"), ("flops_used", "flops")):
        text = f"params,tokens,{one},{other},loss\n1e8,2e9,1.2e18,9e18,3.5\n2e8,2e9,2.4e18,18e18,3.2\n"
        runs = read(text)
        assert runs.kept["flops"].tolist() == [1.2e18, 2.4e18]
        assert [(q.key, q.guess) for q in runs.questions] == [("columns.flops", one)]
    assert "columns.flops" in asked(read, "params,flops,flops_used,loss\n1e8,1.2e18,9e18,3.5\n2e8,2.4e18,18e18,3.2\n")


def test_compute_in_two_units_that_agrees_is_not_asked_about(read: Read) -> None:
    pf_day = 8.64e19
    rows = "".join(f"{n}e8,2e9,{1.2e18 * n:g},{1.2e18 * n / pf_day:.6f},{4 - n / 10}\n" for n in (1, 2, 4))
    runs = read("params,tokens,flops,compute (PF-days),loss\n" + rows)
    assert runs.kept["flops"].tolist() == pytest.approx([1.2e18, 2.4e18, 4.8e18])
    assert not runs.questions


def test_steps_that_tokens_follow_from_are_asked_about(read: Read) -> None:
    text = "params,batch_tokens,{}loss\n1e8,1e6,2000,1000,{}3.5\n2e8,1e6,2000,1000,{}3.2\n"
    assert set(asked(read, text.format("steps,step,", "", ""))["columns.steps"]) == {"steps", "step"}
    runs = read(text.format("steps,step,tokens,", "1e9,", "1e9,"))
    assert runs.kept["steps"].tolist() == [1000, 1000]  # tokens over batch
    assert [(q.key, q.guess) for q in runs.questions] == [("columns.steps", "step")]


def test_two_batch_sizes_that_tokens_follow_from_are_asked_about(read: Read) -> None:
    text = "params,batch_size,batch,steps,seq_len,loss\n1e8,64,256,1000,2048,3.5\n2e8,64,256,1000,2048,3.2\n"
    assert set(asked(read, text)["columns.batch_sequences"]) == {"batch_size", "batch"}
    runs = read(text, columns={"batch_sequences": "batch"})
    assert runs.kept["tokens"].tolist() == [256 * 2048 * 1000] * 2


@pytest.mark.parametrize("whole", ["tokens", "total_tokens", "target_tokens", "train_tokens"])
def test_on_a_curve_the_column_that_rises_is_taken(read: Read, whole: str) -> None:
    rows = "".join(
        f"{run},{n:g},{s},{4e9},{s * 1e6:g},{5 - s / 1000}\n"
        for run, n in (("a", 1e8), ("b", 2e8))
        for s in (1000, 2000, 3000, 4000)
    )
    runs = read(f"run,params,step,{whole},tokens_seen,loss\n" + rows)
    assert runs.kept["tokens"].tolist() == [4e9, 4e9]
    assert runs.history is not None
    assert runs.history["tokens"].tolist() == [1e9, 2e9, 3e9, 4e9] * 2
    assert not runs.questions


def test_one_name_twice_is_two_columns(read: Read) -> None:
    text = "tokens,tokens,params,loss\n4e9,2e9,1e8,3.5\n8e9,2e9,2e8,3.4\n"
    assert set(asked(read, text)["columns.tokens"]) == {"tokens", "tokens (2)"}
    assert not read(text.replace(",2e9,1e8", ",4e9,1e8").replace(",2e9,2e8", ",8e9,2e8")).questions


def test_a_round_number_is_no_rounded_copy(read: Read) -> None:
    runs = read("N,params,D,tokens,loss\n1e8,1.3e8,2e9,2e9,3.5\n2e8,2.4e8,4e9,4e9,3.2\n")
    assert [q.key for q in runs.questions] == ["columns.params"]


def test_a_data_set_or_an_optimum_beside_the_tokens_is_no_rival(read: Read) -> None:
    assert not read(two("tokens", "dataset_tokens", 2e9, 900e9)).questions
    assert not read(two("tokens", "tokens_opt", 2e9, 90e9)).questions


def test_a_part_of_a_batch_larger_than_the_whole_is_asked_about(read: Read) -> None:
    text = "params,micro_batch_size,global_batch_size,seq_len,steps,loss\n1e8,512,64,2048,1000,3.5\n2e8,512,64,2048,900,3.2\n"
    assert asked(read, text) == {"batch": ("step", "device")}
    assert read(text, batch="step").kept["tokens"].tolist() == [64 * 2048 * 1000, 64 * 2048 * 900]
    assert read(text, batch="device").kept["tokens"].tolist() == [512 * 2048 * 1000, 512 * 2048 * 900]
    measured = (
        "params,micro_batch_size,grad_accum,global_batch_size,tokens,loss\n1e8,32,4,64,1e9,3.5\n2e8,32,4,64,1e9,3\n"
    )
    assert [q.key for q in read(measured).questions] == ["batch"]
    assert not read(measured.replace(",64,", ",128,")).questions


def test_a_batch_in_tokens_smaller_than_a_sequence_is_asked_about(read: Read) -> None:
    text = "params,batch_tokens,seq_len,steps,loss\n1e8,512,2048,100000,3.5\n2e8,512,2048,200000,3.2\n"
    assert set(asked(read, text)["batch"]) == {"tokens", "sequences"}
    assert read(text, batch="tokens").kept["tokens"].tolist() == [512e5, 1024e5]
    assert read(text, batch="sequences").kept["tokens"].tolist() == [512 * 2048e5, 1024 * 2048e5]
    runs = read(
        "params,batch_tokens,seq_len,steps,tokens,loss\n1e8,512,2048,1000,1.05e9,3.5\n2e8,512,2048,1000,1.05e9,3\n"
    )
    assert runs.kept["batch"].tolist() == [512 * 2048] * 2
    assert [(q.key, q.guess) for q in runs.questions] == [("batch", "sequences")]


def test_a_batch_given_twice_is_asked_about_where_the_two_differ(read: Read) -> None:
    text = (
        "params,batch_tokens,batch_size,seq_len,steps,loss\n1e8,500000,64,2048,1000,3.5\n2e8,500000,64,2048,1000,3.2\n"
    )
    assert set(asked(read, text)["batch"]) == {"tokens", "sequences"}
    assert read(text, batch="tokens").kept["tokens"].tolist() == [5e8] * 2
    assert read(text, batch="sequences").kept["tokens"].tolist() == [64 * 2048e3] * 2
    measured = text.replace("steps", "tokens,steps").replace(",1000,", ",131072000,1000,")
    assert read(measured).kept["batch"].tolist() == [64 * 2048] * 2
    assert not read(text.replace("500000", "131072")).questions


@pytest.mark.parametrize(
    ("column", "cell", "short"), [("seq_len", 2048, 2048), ("n_gpus", 8, 8), ("gradient_accumulation_steps", 16, 16)]
)
def test_tokens_short_of_batch_and_steps_by_a_known_factor_are_asked_about(
    read: Read, column: str, cell: int, short: int
) -> None:
    rows = "".join(f"{n}e8,2097152,{cell},{1000 * n},{2097152 * 1000 * n // short},{4 - n / 10}\n" for n in (1, 2, 4))
    text = f"params,batch_tokens,{column},steps,tokens,loss\n" + rows
    assert set(asked(read, text)["units.tokens"]) == {f"{short}", "1"}
    whole = [2097152 * 1000 * n for n in (1, 2, 4)]
    assert read(text, units={"tokens": short}).kept["tokens"].tolist() == whole
    assert read(text, units={"tokens": 1}).kept["tokens"].tolist() == [w // short for w in whole]


def test_tokens_that_are_sequences_are_asked_about(read: Read) -> None:
    text = "params,batch_size,seq_len,steps,tokens,loss\n1e8,64,2048,1000,64e3,3.5\n2e8,64,2048,1000,64e3,3.2\n"
    assert set(asked(read, text)["units.tokens"]) == {"2048", "1"}
    runs = read(text, units={"tokens": 2048})
    assert runs.kept[["tokens", "batch", "batch_sequences"]].values.tolist() == [[64 * 2048e3, 64 * 2048, 64]] * 2


@pytest.mark.parametrize(
    ("names", "cells", "says"),
    [
        ("seq_len,samples", ("2048,1e6,1e9", "2048,2e6,2e9"), "0.488 times samples × seq_len"),
        ("unique_tokens,epochs", ("1e9,4,1e9", "1e9,4,1e9"), "0.25 times unique tokens × epochs"),
        ("tokens_per_param", ("20,1e9", "20,2e9"), "0.5 times tokens_per_param × parameters"),
    ],
)
def test_tokens_off_what_other_columns_come_to_are_said(
    read: Read, names: str, cells: tuple[str, str], says: str
) -> None:
    runs = read(f"params,{names},tokens,loss\n1e8,{cells[0]},3.5\n2e8,{cells[1]},3.2\n")
    assert any(says in note for note in runs.notes)


@pytest.mark.parametrize("counted", ["samples", "steps"])
def test_tokens_that_are_sequences_are_asked_about_without_a_batch(read: Read, counted: str) -> None:
    cells = (1e6, 1e6) if counted == "samples" else (1000, 64e3)
    rows = "".join(f"{n}e8,2048,{cells[0] * n:g},{cells[1] * n:g},{4 - n / 10}\n" for n in (1, 2, 4))
    text = f"params,seq_len,{counted},tokens,loss\n" + rows
    assert set(asked(read, text)["units.tokens"]) == {"2048", "1"}
    assert read(text, units={"tokens": 2048}).kept["tokens"].tolist() == [2048 * cells[1] * n for n in (1, 2, 4)]


def test_no_batch_follows_from_more_steps_than_tokens(read: Read) -> None:
    runs = read("params,steps,tokens,loss\n1e8,1e6,1e5,3.5\n2e8,1e6,2e5,3.2\n")
    assert "batch" not in runs.columns
    assert any("no batch was derived" in note for note in runs.notes)


@pytest.mark.parametrize("factor", [0.7, 1.2, 3, 40])
def test_tokens_off_batch_and_steps_are_said(read: Read, factor: float) -> None:
    rows = "".join(f"{n}e8,1e6,{1000 * n},{factor * 1e9 * n:g},{4 - n / 10}\n" for n in (1, 2, 4))
    runs = read("params,batch_tokens,steps,tokens,loss\n" + rows)
    assert any(f"{factor:g} times batch × steps" in note for note in runs.notes)


def test_a_global_batch_that_tokens_speak_against_is_said(read: Read) -> None:
    runs = read(
        "params,global_batch_size,seq_len,steps,grad_accum,tokens,loss\n1e8,64,2048,1000,8,1.05e9,3.5\n"
        "2e8,64,2048,1000,8,1.05e9,3.2\n"
    )
    assert runs.kept["batch_sequences"].tolist() == [512, 512]
    assert [q.key for q in runs.questions] == ["batch"]


@pytest.mark.parametrize(
    ("names", "cells", "column"),
    [
        ("samples,seq_len", ("1,2048", "2,2048"), "samples"),
        ("steps,batch_tokens", ("10,1024", "20,1024"), "steps"),
        ("steps,batch_size,seq_len", ("10,2,512", "20,2,512"), "steps"),
        ("unique_tokens,epochs", ("1000,2", "1000,4"), "unique_tokens"),
    ],
)
def test_tokens_that_follow_and_are_too_few_are_asked_about(
    read: Read, names: str, cells: tuple[str, str], column: str
) -> None:
    text = f"params,{names},loss\n1e8,{cells[0]},3.5\n2e8,{cells[1]},3.2\n"
    assert f"units.{column}" in asked(read, text)
    one = read(text, units={column: 1}).kept["tokens"]
    assert read(text, units={column: 1e6}).kept["tokens"].tolist() == (1e6 * one).tolist()


def test_tokens_that_follow_and_are_too_many_are_left_out_and_said(read: Read) -> None:
    runs = read("params,steps,batch_tokens,loss\n1e8,1e6,1e9,3.5\n2e8,1e6,1e9,3.2\n")
    assert "tokens" not in runs.columns
    assert any("which no run has" in note for note in runs.notes)


def test_a_size_that_follows_and_cannot_be_is_left_out_and_said(read: Read) -> None:
    runs = read("tokens,flops,loss\n2e9,1e12,3.5\n4e9,4e12,3.2\n")
    assert "params" not in runs.columns
    assert any("parameters were not derived" in note for note in runs.notes)


def test_compute_does_not_follow_from_what_is_no_compute_of_a_token(read: Read) -> None:
    runs = read("params,tokens,flops_per_token,loss\n1e8,2e9,6e14,3.5\n2e8,4e9,12e14,3.2\n")
    assert runs.kept["flops"].tolist() == pytest.approx([6 * 1e8 * 2e9, 6 * 2e8 * 4e9])
    assert any("'flops_per_token'" in note and "no training" in note for note in runs.notes)


#: Headers that carry the word of a quantity and hold another: what they become in a table of params, tokens and loss, ''
#: for nothing; with a value such as they have.
OTHERS = {
    "params_seed": ("", 3), "params_id": ("", 7), "params_gb": ("", 0.4), "model_size_gb": ("", 0.4), "checkpoint_size_gb": ("", 1.2),
    "params_per_layer": ("", 1e6), "params_ratio": ("", 0.9), "param_norm": ("", 12.5), "embedding_params": ("", 3e7),
    "trainable_params": ("", 9e7), "lora_params": ("", 1e6), "model_dim": ("width", 512), "vocab_size": ("vocab", 50257),
    "tokens_per_second": ("", 5e5), "tokens/s": ("", 5e5), "tok/s": ("", 5e5), "tokens_per_gpu": ("", 1e6), "tokens_per_day": ("", 1e9),
    "tokens_per_step": ("batch", 5e5), "tokens_per_batch": ("batch", 5e5), "tokens_per_sample": ("", 2048), "warmup_tokens": ("", 1e8),
    "eval_tokens": ("", 1e7), "val_tokens": ("", 1e7), "decay_tokens": ("", 1e8), "prompt_tokens": ("", 1e8), "max_tokens": ("", 256),
    "tokenizer_size": ("", 50257), "token_id": ("", 3),
    "flops_per_second": ("", 1.5e14), "flops_utilization": ("", 0.4), "mfu": ("", 0.4), "peak_flops": ("", 9.9e14),
    "flops_per_step": ("", 3e14), "flops_per_sample": ("", 1e12), "tflops": ("", 152), "TFLOPs": ("", 152), "TFLOP/s": ("", 152),
    "train/tflops": ("", 152), "achieved_tflops": ("", 152), "tflops_per_gpu": ("", 152), "gpu_hours": ("", 12), "compute_hours": ("", 12),
    "compute_cost": ("", 120),
    "batch_time": ("", 0.4), "step_time": ("", 0.4), "batch_idx": ("", 10), "eval_batch_size": ("", 8), "batch_seed": ("", 1),
    "num_batches": ("", 100), "lr_warmup_steps": ("warmup_steps", 500), "eval_steps": ("", 500), "save_steps": ("", 500),
    "logging_steps": ("", 10), "decay_steps": ("", 100), "steps_per_second": ("", 2), "steps_per_epoch": ("", 100),
    "seconds_per_step": ("", 0.5), "max_lr": ("lr", 3e-4), "min_lr": ("", 3e-5), "final_lr": ("", 3e-5), "lr_min": ("", 3e-5),
    "lr_multiplier": ("", 1), "eval_seq_len": ("", 2048), "model_seed": ("seed", 1),
    "loss_scale": ("", 65536), "loss_weight": ("", 1), "aux_loss": ("", 0.01), "z_loss": ("", 0.001), "moe_loss": ("", 0.01),
    "load_balancing_loss": ("", 1.01), "router_z_loss": ("", 0.2), "grad_norm": ("", 0.5), "target_loss": ("", 3.1),
    "loss_at_step_1000": ("", 6.1), "loss_at_1B": ("", 6.1), "loss_delta": ("", 0.1), "relative_loss": ("", 1.02), "loss_ratio": ("", 1.02),
    "loss_std": ("loss_error", 0.01), "initial_loss": ("", 10.9), "start_loss": ("", 10.9), "fitted_loss": ("", 3.4),
    "predicted_loss": ("", 3.4), "loss_residual": ("", 0.01), "loss_rank": ("", 2), "irreducible_loss": ("", 1.7), "reward_loss": ("", 0.6),
    "kl_loss": ("", 0.1), "value_loss": ("", 0.3), "mse_loss": ("", 0.3),
}  # fmt: skip


@pytest.mark.parametrize("headers", [list(OTHERS)[i::24] for i in range(24)], ids=" ".join)
def test_a_column_that_only_sounds_like_one_changes_nothing(read: Read, headers: list[str]) -> None:
    """Four or so to a table, of different quantities: one that was taken for a quantity would stand among its columns or questions."""
    becomes = {OTHERS[h][0] for h in headers} - {""}
    rows = "".join(
        f"{n}e8,{20 * n}e8,{','.join(f'{OTHERS[h][1] * (1 + n / 100):.6g}' for h in headers)},{4 - n / 10}\n"
        for n in (1, 2, 4)
    )
    runs = read(f"params,tokens,{','.join(headers)},loss\n" + rows)
    named = {"params", "tokens", "flops", "flops_convention", "loss", "run"}
    assert set(runs.columns) == named | becomes
    assert runs.kept["loss"].tolist() == [3.9, 3.8, 3.6]
    assert runs.kept["flops"].tolist() == pytest.approx([6 * n * 1e8 * n * 20e8 for n in (1, 2, 4)])
    assert all(q.key == "columns.flops" and "FLOP per second" in q.text for q in runs.questions)


NO_LOSSES = [h for h, (becomes, _) in OTHERS.items() if "loss" in h and not becomes]


@pytest.mark.parametrize("headers", [NO_LOSSES[i::8] for i in range(8)], ids=" ".join)
def test_what_is_no_loss_is_not_taken_for_want_of_another(read: Read, headers: list[str]) -> None:
    more = len(headers)
    text = f"params,tokens,{','.join(headers)}\n" + "".join(
        f"{n}e8,{2 * n}e9{f',{1.5 - n / 10:.1f}' * more}\n" for n in (1, 2, 3)
    )
    assert "columns.loss" in asked(read, text)


@pytest.mark.parametrize("header", ["tflops", "train/tflops", "TFLOPs", "gflops", "PFLOPs"])
def test_a_rate_is_no_compute_that_tokens_follow_from(read: Read, header: str) -> None:
    value = {"PFLOPs": 0.2, "gflops": 152e3}.get(header, 152)
    known = "params" if header in ("tflops", "TFLOPs", "PFLOPs") else "tokens"
    rows = "".join(f"{n}e8,{value * (1 + n / 50):.6g},{4 - n / 10}\n" for n in (1, 2, 4))
    runs = read(f"{known},{header},loss\n" + rows)
    assert set(runs.columns) == {known, "loss", "run"}
    assert [q.key for q in runs.questions] == ["columns.flops"]
    assert "flops" in read(f"{known},{header},loss\n" + rows, columns={"flops": header}).columns


@pytest.mark.parametrize("header", ["tflops", "total_tflops", "train_pflops"])
def test_compute_in_large_units_is_still_compute(read: Read, header: str) -> None:
    unit = 1e15 if "pflops" in header else 1e12
    for scale in (1.0, 1e-4):  # and that of small models
        n = [k * 1e8 * scale for k in (1, 2, 4, 8)]
        rows = "".join(f"{p:g},{20 * p:g},{120 * p * p / unit:g},{4 - p / 1e9}\n" for p in n)
        runs = read(f"params,tokens,{header},loss\n" + rows)
        assert runs.kept["flops"].tolist() == pytest.approx([120 * p * p for p in n], rel=1e-4)
        assert not runs.questions


@pytest.mark.parametrize("other", ["best_loss", "min_loss", "loss_ema", "smoothed_loss"])
def test_two_losses_are_asked_about(read: Read, other: str) -> None:
    text = f"params,tokens,loss,{other}\n1e8,2e9,3.5,3.4\n2e8,4e9,3.2,3.1\n"
    assert set(asked(read, text)["columns.loss"]) == {"loss", other}


def sweep(params: str, tokens: str, loss: str, extra: str = "") -> str:
    rows = "".join(f"{n}e8,{2 * n}e9,{4 - n / 10}{f',{n}' if extra else ''}\n" for n in (1, 2, 4, 8))
    return ",".join(filter(None, (params, tokens, loss, extra))) + "\n" + rows


SIZES = (
    "Parameter", "Paramètres", "Parámetros", "Parâmetros", "Parametri", "参数量", "参数", "參數量", "模型参数", "パラメータ数", "параметры",
    "число параметров", "매개변수", "Anzahl Parameter", "Anzahl der Parameter", "Nombre de paramètres", "Número de parámetros",
    "Nb params", "#params", "# params", "# of parameters", "#Parameters", "No. of params", "No. params", "Nr. of parameters",
    "Number of Parameters", "model size (non-emb)", "Model Size (w/o embeddings)", "Modellgröße", "Taille du modèle", "模型大小", "N",
    "N (params)", "Par.",
)  # fmt: skip
DATA = (
    "Token", "训练token数", "训练Token数量", "トークン数", "学習トークン数", "токены", "토큰", "词元数", "Tok.", "No. of tokens",
    "# of tokens", "#tok", "Trained on (tokens)", "D (tokens)", "D", "Anzahl Tokens", "Nombre de tokens", "Trainingstokens",
    "Trainings-Tokens", "jetons", "训练数据量", "Data", "Tokens d'entraînement",
)  # fmt: skip
LOSSES = (
    "Verlust", "Testverlust", "Validierungsverlust", "perte", "Perte de validation", "pérdida", "Perda", "perdita", "损失", "损失值",
    "損失", "验证损失", "検証損失", "потери", "손실", "L", "NLL", "CE", "Val. Loss",
)  # fmt: skip


@pytest.mark.parametrize(
    "headers",
    [*zip_longest(SIZES, ("tokens", *DATA), ("loss", *LOSSES[::-1]), fillvalue=""),
     ("参数量", "训练token数", "验证损失"), ("N", "D", "L"), ("Paramètres", "Jetons", "Perte")],
    ids=" ".join,
)  # fmt: skip
def test_names_of_other_languages_and_spellings_are_read(read: Read, headers: tuple[str, str, str]) -> None:
    """Each name once, beside two others of its list or plain ones."""
    runs = read(sweep(*(own or plain for own, plain in zip(headers, ("params", "tokens", "loss"), strict=True))))
    assert runs.kept["params"].tolist() == [1e8, 2e8, 4e8, 8e8]
    assert runs.kept["tokens"].tolist() == [2e9, 4e9, 8e9, 16e9]
    assert runs.kept["loss"].tolist() == pytest.approx([3.9, 3.8, 3.6, 3.2])
    assert not runs.questions


@pytest.mark.parametrize(("unit", "factor"), [("亿", 1e8), ("億", 1e8), ("百万", 1e6), ("十亿", 1e9), ("万亿", 1e12)])
def test_units_of_ten_thousands_are_read(read: Read, unit: str, factor: float) -> None:
    runs = read(f"params,训练token数({unit}),loss\n1e10,12,3.9\n2e10,24,3.6\n4e10,48,3.4\n")
    assert runs.kept["tokens"].tolist() == pytest.approx([12 * factor, 24 * factor, 48 * factor])


@pytest.mark.parametrize(
    ("named", "others"),
    side_by_side(list(product(["params", "tokens"], ["#P", "Seen", "Trained on", "xyz", "大小", "ขนาด"])), [0, 5]),
)
def test_a_law_in_fewer_inputs_is_never_without_a_word(read: Read, named: tuple[str, str], others: int) -> None:
    """A column under no known name beside a loss and one of size and data is announced, however many others there are."""
    column, header = named
    values = ((1, 2), (2, 4), (4, 8))
    more = "".join(f",benchmark {k}" for k in range(others))
    rows = "".join(f"{n}e8,{d}e9,{4 - n / 10}" + f",{d * 3}" * others + "\n" for n, d in values)
    names = (header, "tokens") if column == "params" else ("params", header)
    runs = read(f"{names[0]},{names[1]},loss{more}\n" + rows)
    asked_about = {q.key: q.text for q in runs.questions}
    assert repr(header) in asked_about[f"columns.{column}"]


def test_a_batch_under_its_letter_is_announced(read: Read) -> None:
    runs = read(
        "N,D,C,B,L\n" + "".join(f"{n}e8,{2 * n}e9,{1.2 * n * n}e18,{n * 65536},{4 - n / 10}\n" for n in (1, 2, 4))
    )
    assert [q.key for q in runs.questions] == ["columns.batch"]


def read_or_asked(frame: pd.DataFrame) -> Runs | set[str]:
    """The runs, or the keys of the questions that must be answered first."""
    try:
        return read_runs(frame)
    except MappingNeeded as e:
        return {q.key for q in e.questions}


def test_nominal_sizes_far_from_the_count_are_told(read: Read) -> None:
    rows = "".join(f"{n}e9,{n * 1154781985},{20 * n}e9,{4 - n / 10}\n" for n in (1, 2, 4))
    runs = read("model_size,n_params,tokens,loss\n" + rows)
    assert runs.kept["params"].tolist() == [1154781985 * n for n in (1, 2, 4)]
    assert any("'model_size'" in note and "'n_params'" in note for note in runs.notes)


def test_columns_six_per_cent_apart_are_told_whichever_is_the_larger(read: Read) -> None:
    for factor in (1.0602, 1 / 1.0602):
        rows = "".join(f"{n}e9,{n * factor}e9,{20 * n}e9,{120 * n * n}e18,{4 - n / 10}\n" for n in (1, 2, 4, 8))
        runs = read("params,n_params,tokens,flops,loss\n" + rows)
        assert runs.notes or runs.questions, factor


NAMES = {
    "tokens": ("tokens", "tokens_seen", "train_tokens", "target_tokens", "total_tokens", "D", "token_budget", "tokens_trained"),
    "params": ("params", "n_params", "N", "model_size", "num_parameters"),
    "flops": ("flops", "flops_used", "compute", "total_flops", "compute_budget", "C", "planned_flops"),
}  # fmt: skip


@settings(max_examples=24, deadline=None)
@given(st.data(), st.sampled_from(sorted(NAMES)), st.floats(-4, 4), st.booleans())
def test_columns_that_differ_are_never_settled_in_silence(
    draw: st.DataObject, column: str, power: float, whole: bool
) -> None:
    one, other = draw.draw(st.permutations(NAMES[column]))[:2]
    factor = 1.0 if whole else 10.0**power
    n = np.array([1.0, 2.0, 4.0, 8.0])
    own = {"tokens": 20e9 * n, "params": 1e9 * n, "flops": 120e18 * n**2}
    frame = pd.DataFrame({k: v for k, v in own.items() if k != column and (k != "flops" or not whole)})
    frame = frame.assign(**{one: own[column], other: own[column] * factor, "loss": 4 - n / 10})
    runs = read_or_asked(frame)
    if isinstance(runs, set):
        assert f"columns.{column}" in runs
        return
    same = abs(factor - 1) < 0.06
    said = any(q.key == f"columns.{column}" for q in runs.questions) or any(one in x and other in x for x in runs.notes)
    assert same or said
    assert not (whole and said)
    taken = runs.kept[column].to_numpy()
    assert np.allclose(taken, own[column]) or np.allclose(taken, own[column] * factor)
