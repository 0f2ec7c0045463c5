"""The batch of a whole step from its parts, and the tokens that follow: worked out where it can be, asked where it cannot."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import DataError, MappingNeeded, Runs, read_runs
from fitting import fit

Read = Callable[..., Runs]


def table(header: str, row: str) -> str:
    return f"run,params,{header},seq_len,steps,loss\n" + "".join(
        f"{name},{n}e8,{row},1024,50000,{loss}\n" for name, n, loss in (("a", 1, 3.1), ("b", 2, 2.9), ("c", 4, 2.7))
    )


def asks(text: str, key: str, read: Read) -> MappingNeeded:
    with pytest.raises(MappingNeeded) as caught:
        read(text)
    assert [q.key for q in caught.value.questions] == [key]
    return caught.value


def test_tokens_are_batch_times_length_times_steps(read: Read) -> None:
    runs = read(table("batch_size", "64"))
    assert runs.kept["batch"].tolist() == [65536] * 3
    assert runs.kept["tokens"].tolist() == [64 * 1024 * 50000] * 3
    assert runs.kept["flops"].tolist() == [6e8 * 64 * 1024 * 50000 * k for k in (1, 2, 4)]


def test_a_planted_grid_without_tokens_gives_its_law() -> None:
    """Chinchilla with alpha .34 and beta .28 planted, data given as batch x length x steps."""
    rows = []
    for n in (5e7, 1e8, 2e8, 4e8):
        for steps in (5_000, 20_000, 80_000):
            d = 256 * 1024 * steps
            rows.append((f"{n:g}-{steps}", n, 256, 1024, steps, 1.7 + 400 / n**0.34 + 410 / d**0.28))
    frame = pd.DataFrame(rows, columns=["run", "params", "batch_size", "seq_len", "steps", "loss"])
    found = fit(read_runs(frame), law="chinchilla", resamples=0)
    assert found.law_key == "chinchilla"
    assert found.params["alpha"] == pytest.approx(0.34, abs=1e-4)
    assert found.params["beta"] == pytest.approx(0.28, abs=1e-4)


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("per_device_train_batch_size,gradient_accumulation_steps,num_gpus", "2,4,8"),
        ("micro_batch_size,gradient_accumulation_steps,world_size", "2,4,8"),
        ("train_micro_batch_size_per_gpu,grad_accum,gpus", "2,4,8"),
        ("micro_batch_size,gradient_accumulation_steps,data_parallel_size", "2,4,8"),
        ("micro_batch_size,gradient_accumulation_steps,data_parallel_size,world_size", "2,4,8,64"),
        (
            "micro_batch_size,gradient_accumulation_steps,num_gpus,tensor_parallel_size,pipeline_parallel_size",
            "2,4,64,4,2",
        ),
        ("micro_batch_size,gradient_accumulation_steps,num_gpus,global_batch_size", "2,4,8,64"),
        ("device_batch_size,accumulate_grad_batches,n_gpus", "2,4,8"),
        ("global_batch_size,num_gpus,gradient_accumulation_steps", "64,8,4"),
        ("batch_size", "64"),
    ],
)
def test_the_global_batch_is_worked_out_from_all_its_parts(read: Read, header: str, row: str) -> None:
    runs = read(table(header, row))
    assert runs.kept["batch_sequences"].tolist() == [64] * 3
    assert runs.kept["batch"].tolist() == [65536] * 3
    assert runs.kept["tokens"].tolist() == [64 * 1024 * 50000] * 3


def test_the_formula_is_shown(read: Read) -> None:
    runs = read(table("per_device_train_batch_size,gradient_accumulation_steps,num_gpus", "2,4,8"))
    how = {s.column: s.how for s in runs.sources}
    assert how["batch_sequences"] == "per_device_train_batch_size × gradient_accumulation_steps × num_gpus"
    assert how["tokens"] == "tokens per step times steps"


@pytest.mark.parametrize(
    ("answer", "sequences"), [("step", 2), ("device", 64), ("accumulated", 16), ("all devices", 8)]
)
def test_a_plain_batch_size_beside_devices_and_accumulation_is_asked(read: Read, answer: str, sequences: int) -> None:
    text = table("batch_size,gradient_accumulation_steps,num_gpus", "2,4,8")
    asked = asks(text, "batch", read).questions[0]
    assert set(asked.options) == {"step", "device", "accumulated", "all devices"}
    assert asked.guess == "device"
    assert read(text, batch=answer).kept["batch_sequences"].tolist() == [sequences] * 3


def test_devices_alone_leave_two_readings(read: Read) -> None:
    text = table("batch_size,gpus", "8,4")
    assert asks(text, "batch", read).questions[0].options == ("step", "device")
    assert read(text, batch="device").kept["batch_sequences"].tolist() == [32] * 3
    assert read(table("batch_size,gpus", "8,1")).kept["batch_sequences"].tolist() == [8] * 3


def test_tokens_over_steps_decide(read: Read) -> None:
    for tokens, sequences in ((2 * 1024 * 50000, 2), (64 * 1024 * 50000, 64), (16 * 1024 * 50000, 16)):
        text = table("tokens,batch_size,gradient_accumulation_steps,num_gpus", f"{tokens * 1.002:.4g},2,4,8")
        runs = read(text)
        assert runs.kept["batch_sequences"].tolist() == [sequences] * 3
        assert not runs.questions


def test_one_devices_batch_without_devices_is_asked_for_them(read: Read) -> None:
    text = table("micro_batch_size,gradient_accumulation_steps", "2,4")
    asks(text, "devices", read)
    assert read(text, devices=8).kept["batch_sequences"].tolist() == [64] * 3
    with pytest.raises(DataError, match="devices is a number"):
        read(text, devices=0)
    known = read(table("tokens,micro_batch_size", f"{64 * 1024 * 50000},2"))
    assert known.kept["batch"].tolist() == [65536] * 3


def test_parts_that_do_not_multiply_to_the_whole_are_asked(read: Read) -> None:
    text = table("micro_batch_size,gradient_accumulation_steps,num_gpus,global_batch_size", "2,4,8,128")
    assert asks(text, "batch", read).questions[0].options == ("step", "device")
    assert read(text, batch="device").kept["batch_sequences"].tolist() == [64] * 3
    assert read(text, batch="step").kept["batch_sequences"].tolist() == [128] * 3


def test_answers_that_mean_nothing_are_refused(read: Read) -> None:
    text = table("batch_size,gradient_accumulation_steps,num_gpus", "2,4,8")
    with pytest.raises(DataError, match="batch is one of"):
        read(text, batch="both")
    with pytest.raises(DataError, match="no columns for the batch read as"):
        read(table("batch_size,gpus", "8,4"), batch="all devices")


def test_an_exact_batch_is_not_replaced_by_tokens_over_steps(read: Read) -> None:
    """16 x 128 = 2,048, where rounded tokens over steps come to 2,032."""
    runs = read(
        "run,params,tokens,batch_size,seq_len,steps,loss\na,1e8,2.032e6,16,128,1000,3\nb,2e8,4.06e6,16,128,2000,2.9\n"
    )
    assert runs.kept["batch"].tolist() == [2048, 2048]


def test_tokens_that_are_far_from_batch_times_steps_are_said(read: Read) -> None:
    runs = read("run,params,tokens,batch_tokens,steps,loss\na,1e8,1e10,1e6,1000,3\nb,2e8,2e10,1e6,2000,2.9\n")
    assert runs.kept["tokens"].tolist() == [1e10, 2e10]
    assert any("10 times batch × steps" in n for n in runs.notes)


@pytest.mark.parametrize(
    ("columns", "row", "expected"),
    [
        ("consumed_samples,seq_len", "1000000,2048", 1000000 * 2048),
        ("unique_tokens,epochs", "1e9,4", 4e9),
        ("D/N", "20", 2e9),
        ("flops", "1.2e18", 2e9),
    ],
)
def test_other_ways_to_the_tokens(read: Read, columns: str, row: str, expected: float) -> None:
    runs = read(f"run,params,{columns},loss\na,1e8,{row},3\nb,1e8,{row},2.9\n")
    assert runs.kept["tokens"].tolist() == pytest.approx([expected] * 2)


def test_parameters_follow_from_flops_and_tokens(read: Read) -> None:
    runs = read("FLOPs (P),tokens,loss\n1000,1e9,3.1\n1000,2e9,3.0\n1000,4e9,3.05\n")
    assert runs.kept["params"].tolist() == pytest.approx([1e18 / 6e9, 1e18 / 12e9, 1e18 / 24e9])
    assert any("FLOPs / (6 × tokens)" in n for n in runs.notes)
    how = {s.column: s.how for s in runs.sources}["flops_convention"]
    assert "compared" not in how


@settings(max_examples=20, deadline=None)
@given(
    st.integers(1, 64),
    st.integers(1, 32),
    st.integers(1, 512),
    st.sampled_from([128, 1024, 4096]),
    st.integers(100, 10**6),
)
def test_any_product_comes_out(device: int, accumulated: int, devices: int, length: int, steps: int) -> None:
    frame = pd.DataFrame({
        "run": ["a", "b"], "params": [1e6, 2e6], "per_device_train_batch_size": device, "gradient_accumulation_steps": accumulated,
        "num_gpus": devices, "seq_len": length, "steps": steps, "loss": [3.0, 2.9],
    })  # fmt: skip
    tokens = device * accumulated * devices * length * steps
    if tokens / 1e6 > 1e6 or tokens < 1e3:
        return
    assert np.allclose(read_runs(frame).kept["tokens"], tokens)


def test_a_batch_in_sequences_under_each_name_of_them(read: Read) -> None:
    rows = "a,19,256,2.5,2048,3.88\nb,85,512,5,2048,3.31\nc,302,1024,7.5,2048,2.94\n"
    for header in (
        "Batch (seq)", "Batch (# seq)", "batch_seq", "Batch size (seq)", "Batch (seqs)", "Batch (sequences)", "Batch [seq]",
        "global batch (seq)", "bsz_seq", "Batch (no. of seq)", "Batch (sequence)", "Batch (sample)",
        "# seq / step", "num_sequences_per_batch",
    ):  # fmt: skip
        runs = read(f"run,N (M),{header},Steps (k),Seq,Loss\n{rows}", "runs.csv")
        assert runs.kept["tokens"].tolist() == [256 * 2048 * 2500, 512 * 2048 * 5000, 1024 * 2048 * 7500], header
        assert runs.kept["batch_sequences"].tolist() == [256, 512, 1024], header


def test_no_offer_names_a_unit_that_the_header_contradicts(read: Read) -> None:
    rows = "a,{},256000,3.88\nb,{},512000,3.31\nc,{},1024000,2.94\n"
    for other, sizes in (("params", ("19M", "85M", "302M")), ("tokens", ("1B", "2B", "3B"))):
        for header in (
            "Batch (docs)", "batch (images)", "Minibatch (seq)", "batch seq raw", "Data (docs)", "Corpus (words)", "dataset samples",
            "Compute ($)", "Compute (samples)", "Size (documents)", "corpus lines",
        )[other == "tokens" :: 2]:  # fmt: skip
            runs = read(f"run,{other},{header},Loss\n{rows.format(*sizes)}", "runs.csv")
            assert not any(header in q.options for q in runs.questions), (other, header)
            assert not {"batch", "tokens", "params", "flops"} - {other} & set(runs.kept.columns), (other, header)
    runs = read(f"run,params,text data amount,Loss\n{rows.format('19M', '85M', '302M')}", "runs.csv")
    assert [q.options for q in runs.questions] == [("text data amount",)]
