"""Columns recognised from the names people use, and what is asked instead of assumed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import COLUMNS, DataError, MappingNeeded, Runs, recognise, to_runs
from data.headers.names import loss_name, named
from data.headers.parts import header
from data.read import from_frame

Read = Callable[..., Runs]


@pytest.mark.parametrize(
    ("raw", "column"),
    [
        ("n_params", "params"), ("Model Size", "params"), ("N", "params"), ("num. model params", "params"),
        ("n_model_params", "params"), ("model_nparams", "params"), ("numel", "params"),
        ("total_num_params", "params_total"), ("model_total_params", "params_total"), ("llm_size", "params"), ("# params", "params"),
        ("num_parameters", "params"),
        ("Number of Parameters (M)", "params"), ("params_nonembedding", "params_nonembed"), ("N_w_emb", "params_total"),
        ("non-embedding params", "params_nonembed"), ("Params (no embeddings)", "params_nonembed"), ("total_params", "params_total"),
        ("params_active_precise", "params_active"), ("D", "tokens"), ("train/tokens", "tokens"), ("tokens (B)", "tokens"),
        ("optim/n_tokens", "tokens"), ("throughput/total_tokens", "tokens"), ("Training tokens (billions)", "tokens"),
        ("tokensSeen", "tokens"), ("C", "flops"), ("FLOPs (1e18)", "flops"), ("Compute (PF-days)", "flops"),
        ("throughput/total_training_Gflops", "flops"), ("Train PFLOPs", "flops"), ("trainFLOPs", "flops"),
        ("flops_per_token", "flops_per_token"), ("optim.lr", "lr"), ("learning_rate_peak", "lr"), ("_step", "steps"),
        ("optim/learning_rate_group0", "lr"), ("train/step", "steps"), ("itr", "steps"), ("total steps", "total_steps"),
        ("batch_size_in_tokens", "batch"), ("tok / batch", "batch"), ("batch_sequences", "batch_sequences"), ("bs", "batch_sequences"),
        ("seq len", "seq_len"), ("context_length", "seq_len"), ("model.n_layers", "layers"), ("numl", "layers"), ("ffnh", "ffn"),
        ("config.d_model", "width"), ("arch/d_model", "width"), ("num_gpus", "devices"), ("local bsz", "batch_device"),
        ("per_device_train_batch_size", "batch_device"), ("micro_batch_size", "batch_device"), ("batch_size_per_gpu", "batch_device"),
        ("gradient_accumulation_steps", "grad_accum"), ("accumulate_grad_batches", "grad_accum"), ("data_parallel_size", "data_parallel"),
        ("global_batch_size", "batch_sequences"), ("GBS", "batch_sequences"), ("consumed_samples", "samples"), ("State", "state"),
        ("flops_budget", "flops"), ("budget", "flops"), ("PF-days", "flops"), ("EFLOPs", "flops"), ("C (E)", "flops"), ("C / 1e18",
        "flops"),
        ("tokens_per_param", "tokens_per_param"), ("D/N", "tokens_per_param"), ("Data seen [Gtok]", "tokens"), ("mdl_sz_mln",
        "params"), ("#tok", "tokens"), ("wall (h)", "wall_seconds"), ("ctx", "seq_len"),
        ("model dim", "width"), ("numh", "heads"), ("run_id", "run"), ("Name", "run"),
        ("exp_name", "run"), ("torch_seed", "seed"), ("lr_decay", "schedule"), ("sweep", "group"), ("vocab", "vocab"),
    ],
)  # fmt: skip
def test_names_people_use(raw: str, column: str) -> None:
    assert named(raw)[0][0] == column
    assert named(raw)[0][1] >= 0.6


@pytest.mark.parametrize(
    "raw",
    ["attn params / layer", "params / token", "tok / sec", "HW TFLOP/s/GPU", "FLOPs / update", "% FLOPS attn",
     "Budget ($)", "compute (gpu hours)", "Created", "batch_small", "warmup", "n_boot", "updates per second",
     "steps_to_target"],
)  # fmt: skip
def test_names_that_mean_something_else(raw: str) -> None:
    assert not named(raw)
    assert loss_name(raw) is None


@pytest.mark.parametrize(
    ("raw", "split", "unit"),
    [
        ("val_loss", "validation", ""), ("loss", "", ""), ("train/avg_loss_AVG", "train", ""), ("test_xent", "test", ""),
        ("eval/c4_en-validation/CrossEntropyLoss", "validation", ""), ("C4 Eval PPL", "validation", "perplexity"),
        ("loss (bits per byte)", "", "bits per byte"), ("bpb", "", "bits per byte"), ("Loss (nats/token)", "", "nats"),
        ("bits per token", "", "bits"), ("L", "", ""), ("bpc", "", "bits per character"), ("bits/char", "", "bits per character"),
        ("bpd", "", "bits per dimension"), ("bits_per_byte", "", "bits per byte"), ("nll (nats)", "", "nats"), ("log2 ppl", "", "bits"),
        ("val log-perplexity", "validation", "nats"), ("eval nats/byte", "validation", "nats per byte"), ("log10 ppl", "",
        "log10 perplexity"),
    ],
)  # fmt: skip
def test_losses(raw: str, split: str, unit: str) -> None:
    found = loss_name(raw)
    assert found is not None
    assert (found.split, found.unit) == (split, unit)


@pytest.mark.parametrize(
    "raw",
    ["target_loss", "loss_std", "loss_lower_c4_val", "max_loss_MAX", "moe_load_balance_loss", "z_loss", "loss scale"],
)
def test_what_is_no_loss(raw: str) -> None:
    assert loss_name(raw) is None


@pytest.mark.parametrize(
    ("raw", "scale"),
    [
        ("FLOPs (1e18)", 1e18), ("tokens (B)", 1e9), ("N (M)", 1e6), ("n_params_m", 1e6), ("tokens_b", 1e9), ("D [1e9 tokens]", 1e9),
        ("Compute (PF-days)", 8.64e19), ("total_training_Gflops", 1e9), ("total train ZFLOPs", 1e21), ("Train PFLOPs", 1e15),
        ("Parameters (millions)", 1e6), ("Training tokens (in billions)", 1e9), ("compute [x10^18 FLOP]", 1e18), ("params", 1),
        ("training compute [FLOP]", 1), ("seed_b", 1), ("loss (nats)", 1), ("FLOPs (P)", 1e15), ("FLOPs (PF)", 1e15), ("C (E)", 1e18),
        ("FLOPs (×10¹⁸)", 1e18), ("FLOPs ($10^{18}$)", 1e18), ("C / 1e18", 1e18), ("N / 1,000,000", 1e6), ("EFLOPs", 1e18),
        ("PFLOP/s-days", 8.64e19), ("Data seen [Gtok]", 1e9), ("mdl_sz_mln", 1e6), ("tokens, B", 1e9), ("batch_tokens (M)", 1e6),
        ("batch_size (k tokens)", 1e3), ("steps (k)", 1e3), ("million tokens", 1e6), ("Btokens", 1e9), ("lr (×10⁻⁴)", 1e-4),
        ("wall (h)", 3600), ("train time (min)", 60), ("runtime_hours", 3600), ("top_k", 1), ("wall time (s)", 1), ("lr_m", 1),
    ],
)  # fmt: skip
def test_units_in_headers(raw: str, scale: float) -> None:
    assert header(raw).scale == scale


def test_every_pattern_names_a_column() -> None:
    from data.headers.names import NAMES

    assert {column for column, _, _ in NAMES} <= set(COLUMNS)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_can_be_a_header(raw: str) -> None:
    named(raw)
    loss_name(raw)
    assert header(raw).scale > 0


def test_units_are_applied_and_said(read: Read) -> None:
    runs = read("Model Size,tokens (B),FLOPs (1e18),val_loss\n125M,2.5,1.875,3.2\n1.3B,26,202.8,2.7\n")
    assert runs.kept["params"].tolist() == [125e6, 1.3e9]
    assert runs.kept["tokens"].tolist() == [2.5e9, 26e9]
    assert np.allclose(runs.kept["flops"], [1.875e18, 2.028e20])
    said = {s.column: s for s in runs.sources}
    assert "125M" in said["params"].how
    assert said["tokens"].header == "tokens (B)"
    assert "1e+09" in said["tokens"].how
    assert runs.kept["flops_convention"].unique().tolist() == ["6ND"]


def test_several_losses_are_asked_about(read: Read) -> None:
    text = "params,tokens,c4_loss,pile_loss\n1e8,2e9,3,3.1\n2e8,4e9,2.8,2.9\n"
    with pytest.raises(MappingNeeded) as caught:
        read(text)
    question = caught.value.questions[0]
    assert (question.key, question.guess) == ("columns.loss", "c4_loss")
    assert set(question.options) == {"c4_loss", "pile_loss"}
    assert read(text, columns={"loss": "PILE_LOSS"}).kept["loss"].tolist() == [3.1, 2.9]


@pytest.mark.parametrize(
    ("training", "held_out"),
    [("train_loss", "val_loss"), ("final_train_loss", "final_val_loss"), ("loss", "val_loss"), ("loss", "eval_loss"),
     ("train/loss", "test/loss"), ("Training loss", "Held-out loss"), ("cross_entropy", "dev loss")],
)  # fmt: skip
def test_the_one_loss_named_held_out_is_meant_and_said(read: Read, training: str, held_out: str) -> None:
    text = f"params,tokens,{training},{held_out}\n1e8,2e9,3,3.1\n2e8,4e9,2.8,2.9\n"
    runs = read(text)
    assert runs.kept["loss"].tolist() == [3.1, 2.9]
    assert [s.header for s in runs.sources if s.column == "loss"] == [held_out]
    assert any("held out, beside a training loss" in s.how for s in runs.sources)
    assert read(text, columns={"loss": training}).kept["loss"].tolist() == [3, 2.8]


def test_two_held_out_losses_are_asked_about(read: Read) -> None:
    with pytest.raises(MappingNeeded):
        read("params,tokens,train_loss,val_loss,test_loss\n1e8,2e9,3,3.1,3.2\n2e8,4e9,2.8,2.9,3.0\n")


def test_a_perplexity_beside_its_logarithm_is_the_same_loss(read: Read) -> None:
    runs = read("params,tokens,loss,ppl\n1e8,2e9,3.0,20.0855\n2e8,4e9,2.9,18.1741\n")
    assert runs.kept["loss"].tolist() == [3.0, 2.9]


@pytest.mark.parametrize(
    ("name", "values", "answers"),
    [
        ("ppl", [np.exp(3.0), np.exp(2.5)], {}),
        ("loss (bits/token)", [3.0 / np.log(2), 2.5 / np.log(2)], {}),
        ("bpb", [3.0 / np.log(2) / 4, 2.5 / np.log(2) / 4], {"bytes_per_token": 4.0}),
        ("loss", [np.exp(3.0), np.exp(2.5)], {"loss_unit": "perplexity"}),
        ("loss", [3.0, 2.5], {}),
    ],
)
def test_losses_come_out_in_nats_per_token(
    read: Read, name: str, values: list[float], answers: dict[str, object]
) -> None:
    text = f"params,tokens,{name}\n1e8,2e9,{float(values[0])!r}\n2e8,4e9,{float(values[1])!r}\n"
    assert read(text, **answers).kept["loss"].tolist() == pytest.approx([3.0, 2.5])


def test_units_of_loss_that_must_be_asked(read: Read) -> None:
    with pytest.raises(MappingNeeded, match="bits per byte"):
        read("params,tokens,bpb\n1e8,2e9,1.1\n2e8,4e9,1.0\n")
    with pytest.raises(MappingNeeded, match="too high for nats per token") as caught:
        read("params,tokens,loss\n1e8,2e9,40\n2e8,4e9,30\n")
    assert caught.value.questions[0].guess == "perplexity"
    with pytest.raises(DataError, match="loss unit"):
        read("params,tokens,loss\n1e8,2e9,4\n", loss_unit="furlongs")
    with pytest.raises(DataError, match="positive number"):
        read("params,tokens,bpb\n1e8,2e9,1.1\n", bytes_per_token=-1)


def test_counts_too_small_to_be_counts(read: Read) -> None:
    text = "params,tokens,flops,loss\n125,2.5,1.875e18,3.2\n1300,26,2.028e20,2.7\n"
    with pytest.raises(MappingNeeded) as caught:
        read(text)
    asked = {q.key: q for q in caught.value.questions}
    assert set(asked) == {"units.params", "units.tokens"}
    assert "1e+06" in asked["units.params"].options
    runs = read(text, units={"params": 1e6, "tokens": 1e9})
    assert runs.kept["params"].tolist() == [125e6, 1.3e9]
    one = "params,tokens,flops,loss\n0.125,2.5e9,1.875e18,3.2\n1.3,26e9,2.028e20,2.7\n"
    with pytest.raises(MappingNeeded) as caught:
        read(one)
    assert caught.value.questions[0].guess == "1e+09"  # the only factor that makes FLOPs 6 N D


def test_n_beside_n_with_embeddings(read: Read) -> None:
    runs = read("N,N_w_emb,D,loss\n12047168,40719168,2e8,5\n16865856,45537856,4e8,4\n")
    assert runs.kept["params_nonembed"].tolist() == [12047168, 16865856]
    assert runs.kept["params"].tolist() == [40719168, 45537856]
    assert any("taken as the count without embeddings" in s.how for s in runs.sources)
    assert read("N,D,loss\n12047168,2e8,5\n16865856,4e8,4\n").kept["params"].tolist() == [12047168, 16865856]


def test_the_count_that_fits_use_is_chosen_and_said(read: Read) -> None:
    text = "params,params_nonembedding,tokens,loss\n1e8,6e7,2e9,3\n2e8,1.5e8,4e9,2.9\n"
    assert read(text).kept["params"].tolist() == [1e8, 2e8]
    runs = read(text, count="params_nonembed")
    assert runs.kept["params"].tolist() == [6e7, 1.5e8]
    assert runs.kept["params_logged"].tolist() == [1e8, 2e8]
    assert runs.kept["flops"].tolist() == [6 * 6e7 * 2e9, 6 * 1.5e8 * 4e9]
    assert [s.how for s in runs.sources if s.column == "params"] == ["the working count: parameters without embeddings"]
    with pytest.raises(DataError, match="active"):
        read(text, count="params_active")


def test_sizes_written_as_model_names(read: Read) -> None:
    runs = read("model,tokens,loss\n125M,2e9,3\n1.3B,4e9,2.9\n")
    assert runs.kept["params"].tolist() == [125e6, 1.3e9]
    assert runs.kept["family"].tolist() == ["125M", "1.3B"]


def test_batch_in_tokens_or_sequences_by_its_values(read: Read) -> None:
    sequences = read(
        "params,tokens,steps,batch_size,seq_len,loss\n1e8,1048576000,1000,512,2048,3\n2e8,2097152000,2000,512,2048,2.9\n"
    )
    assert sequences.kept["batch_sequences"].tolist() == [512, 512]
    assert sequences.kept["batch"].tolist() == [1048576, 1048576]
    tokens = read("params,tokens,steps,batch_size,loss\n1e8,1e9,1000,1e6,3\n2e8,2e9,2000,1e6,2.9\n")
    assert tokens.kept["batch"].tolist() == [1e6, 1e6]
    assert "batch_sequences" not in tokens.kept


def test_what_follows_from_other_columns(read: Read) -> None:
    runs = read("params,batch_tokens,steps,loss\n1e8,1e6,1000,3\n2e8,1e6,2000,2.9\n")
    assert runs.kept["tokens"].tolist() == [1e9, 2e9]
    assert runs.kept["flops"].tolist() == [6e17, 2.4e18]
    by = read("params,flops,loss\n1e8,6e17,3\n2e8,2.4e18,2.9\n")
    assert by.kept["tokens"].tolist() == [1e9, 2e9]
    per = read("params,tokens,flops_per_token,loss\n1e8,1e9,7e8,3\n2e8,2e9,1.4e9,2.9\n")
    assert per.kept["flops"].tolist() == [7e17, 2.8e18]
    assert per.kept["flops_convention"].tolist() == ["as logged"] * 2
    some = read("params,tokens,flops,loss\n1e8,1e9,7e17,3\n2e8,2e9,,2.9\n")
    assert some.kept["flops_convention"].tolist() == ["as logged", "6ND"]
    assert some.kept["flops"].tolist() == [7e17, 2.4e18]


def test_answers_that_do_not_fit(read: Read) -> None:
    text = "params,tokens,loss\n1e8,2e9,3\n"
    with pytest.raises(DataError, match="has no column 'los'"):
        read(text, columns={"loss": "los"})
    with pytest.raises(DataError, match="no column 'size' in the runs table"):
        read(text, columns={"size": "params"})
    with pytest.raises(DataError, match="history is"):
        read(text, history="some")


def test_a_column_can_be_left_out(read: Read) -> None:
    runs = read("params,tokens,lr,loss\n1e8,2e9,.1,3\n", columns={"lr": None})
    assert "lr" not in runs.columns
    assert runs.kept["lr (file)"].tolist() == [0.1]


def test_the_page_can_show_the_guess_and_answer() -> None:
    table = from_frame(
        pd.DataFrame({"N": [1e8, 2e8], "D": [1e9, 2e9], "c4_loss": [3, 2.9], "pile_loss": [3.1, 3.0]}), "t"
    )
    mapping = recognise(table)
    assert [q.key for q in mapping.needed] == ["columns.loss"]
    assert mapping.header("loss") == "c4_loss"
    with pytest.raises(MappingNeeded):
        to_runs(table, mapping)
    answered = recognise(table, columns={"loss": mapping.header("loss")})
    assert not answered.needed
    assert len(to_runs(table, answered)) == 2
