"""Words that say what they mean: aggregates of seeds, devices by other names, pplx, and states with how far a run had come."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from data import MappingNeeded, Runs
from data.states.recognise import BROKEN, FINISHED, UNFINISHED, plain

Read = Callable[..., Runs]
SIZES, LOSSES = (1.25e8, 3.5e8, 7.6e8), (3.412, 3.105, 2.913)


def test_the_mean_of_seeds_goes_before_their_least(read: Read) -> None:
    for mean, std, least in (
        ("loss_mean", "loss_std", "loss_min"), ("val loss (avg)", "val loss (sd)", "val loss (best)"),
        ("mean_loss", "std_loss", "median_loss"),
    ):  # fmt: skip
        rows = [f"{n:g},{20 * n:g},{x},0.01,{x - 0.012:.3f},3" for n, x in zip(SIZES, LOSSES, strict=True)]
        runs = read("\n".join([f"params,tokens,{mean},{std},{least},n_seeds", *rows]) + "\n")
        assert runs.kept["loss"].tolist() == list(LOSSES), mean
        assert runs.kept["loss_error"].tolist() == [0.01] * 3, mean
    with pytest.raises(MappingNeeded):
        read("\n".join(["params,tokens,loss_mean,other,loss_min,n_seeds", *rows]) + "\n")


def test_devices_by_other_names(read: Read) -> None:
    for header in ("num_tpu_cores", "num_processes", "chips", "n_chips", "tpu_chips", "num_ranks"):
        rows = [f"{n:g},4,8,{1024},5000,16,{x}" for n, x in zip(SIZES, LOSSES, strict=True)]
        text = "\n".join([f"params,micro_batch_size,grad_accum,seq_len,steps,{header},loss", *rows]) + "\n"
        assert read(text).kept["tokens"].tolist() == [4 * 8 * 16 * 1024 * 5000.0] * 3, header
    for header in ("num_workers", "dataloader_workers", "cores"):
        with pytest.raises(MappingNeeded, match="on how many devices"):
            read(text.replace("num_ranks", header))


def test_pplx_is_a_perplexity(read: Read) -> None:
    rows = [f"{n:g},{20 * n:g},{p}" for n, p in zip(SIZES, (30.326, 22.309, 18.412), strict=True)]
    for header in ("pplx", "val_pplx", "eval/pplx"):
        losses = read("\n".join([f"params,tokens,{header}", *rows]) + "\n").kept["loss"].tolist()
        assert losses == pytest.approx(LOSSES, abs=1e-4), header


def test_states_with_how_far_a_run_had_come() -> None:
    for state in (
        "running (87%)", "Running 87 %", "running (step 1200/4000)", "running 12k / 20k", "WIP", "WIP (3/10 epochs)", "to rerun",
        "needs rerun",
    ):  # fmt: skip
        assert plain(state) in UNFINISHED, state
    for state in ("node failure", "spiked", "loss spike", "failed (87%)"):
        assert plain(state) in BROKEN, state
    for state in ("completed (87%)", "finished 87%", "done 3/10"):
        assert plain(state) not in FINISHED, state
