"""Steps, tokens and batches as trainers count them: Composer's durations, fairseq's tokens of a device, steps of an epoch."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from data import Runs

Read = Callable[..., Runs]
SIZES, LOSSES = (1.25e8, 3.5e8, 7.6e8), (3.412, 3.105, 2.913)


def _table(header: str, *rows: str) -> str:
    body = [f"r{i},{n:g},{row},{x}" for i, (n, row, x) in enumerate(zip(SIZES, rows, LOSSES, strict=True))]
    return "\n".join([f"run,n_params,{header},loss", *body]) + "\n"


def test_durations_say_what_they_count(read: Read) -> None:
    for cells, tokens in (
        (("4800ba", "9600ba", "19_200ba"), [4800 * 2**21, 9600 * 2**21, 19200 * 2**21]),
        (("2.5e9tok", "7e9tok", "15e9tok"), [2.5e9, 7e9, 15e9]),
        (("1024000sp", "2048000sp", "4096000sp"), [1024000 * 2048, 2048000 * 2048, 4096000 * 2048]),
    ):
        for header in ("max_duration", "trainer.max_duration"):
            rows = [f"1024,2048,{c}" for c in cells]
            runs = read(_table(f"global_train_batch_size,max_seq_len,{header}", *rows))
            assert runs.kept["tokens"].tolist() == tokens, (cells, header)
            assert any("how long each run was to train" in n for n in runs.notes), cells
    passes = read(_table("tokens_per_epoch,max_duration", "1e9,1ep", "1e9,2ep", "1e9,4ep"))
    assert passes.kept["tokens"].tolist() == [1e9, 2e9, 4e9]
    mixed = read(_table("tokens,max_duration", "1e9,1ep", "2e9,4800ba", "4e9,2ep"))
    assert mixed.kept["tokens"].tolist() == [1e9, 2e9, 4e9]
    seen = read(_table("step,batch_tokens,max_duration", "4000,1e6,4800ba", "9600,1e6,9600ba", "19200,1e6,19200ba"))
    assert seen.kept["steps"].tolist() == [4000, 9600, 19200]


def test_the_batch_of_fairseq(read: Read) -> None:
    rows = [f"4096,4,32,{s}" for s in (5000, 10000, 20000)]
    runs = read(_table("max_tokens,update_freq,distributed_world_size,max_update", *rows))
    assert runs.kept["batch"].tolist() == [524288] * 3
    assert runs.kept["tokens"].tolist() == [524288 * s for s in (5000, 10000, 20000)]
    assert any("fairseq" in n for n in runs.notes)
    limit = read(_table("max_tokens,tokens", *(f"512,{20 * n:g}" for n in SIZES)))  # of what is generated
    assert limit.kept["tokens"].tolist() == [20 * n for n in SIZES]


def test_steps_of_an_epoch_times_epochs(read: Read) -> None:
    for header in ("max_steps_per_epoch", "steps_per_epoch", "batches/epoch"):
        runs = read(_table(f"{header},epochs,batch_tokens", "500,2,1e6", "1000,2,1e6", "2000,3,1e6"))
        assert runs.kept["tokens"].tolist() == [1e9, 2e9, 6e9], header
    given = read(
        _table("steps_per_epoch,epochs,steps,batch_tokens", "500,2,900,1e6", "1000,2,1900,1e6", "2000,3,6000,1e6")
    )
    assert given.kept["steps"].tolist() == [900, 1900, 6000]


def test_batches_of_a_core_and_counts_in_crore(read: Read) -> None:
    for header in ("per_core_batch_size", "batch per chip", "batch_size_per_replica"):
        rows = [f"4,8,16,1024,{s}" for s in (5000, 10000, 20000)]
        runs = read(_table(f"{header},gradient_accumulation,data_parallel_degree,seq_len,steps", *rows))
        assert runs.kept["batch"].tolist() == [524288] * 3, header
    for text in (
        "run;params (crore);tokens (lakh);loss\na;12.5;25000;3.412\nb;35;70000;3.105\nc;76;150000;2.913\n",
        "run;params;tokens;loss\na;12.5 crore;25000 lakh;3.412\nb;35 crore;70000 lakh;3.105\nc;76 crore;150000 lakh;2.913\n",
    ):
        runs = read(text)
        assert runs.kept["params"].tolist() == pytest.approx(SIZES)
        assert runs.kept["tokens"].tolist() == pytest.approx([2.5e9, 7e9, 15e9])
