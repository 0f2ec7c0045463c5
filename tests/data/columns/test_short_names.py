"""Short names of settings that a step's batch hangs on: accumulated passes, effective and per-device batches, devices."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from data import MappingNeeded, Runs
from data.headers.names import named
from data.readers._devices import devices

Read = Callable[..., Runs]
ACCUMULATED = ("accum", "ga", "GA", "acc", "acc_steps", "gacc", "n_accum", "micro-steps", "grad accumulation", "accum. steps",
               "grad_accum", "GAS", "accum steps", "Acc.", "#accum", "grad. acc.", "num_microbatches")  # fmt: skip
ROWS = "| a | 19.5M | 16 | {} | 1024 | 3000 | 4.1 |\n| b | 42M | 16 | {} | 1024 | 3000 | 3.7 |\n| c | 85M | 8 | {} | 1024 | 3200 | 3.4 |\n"


def table(batch: str, accum: str, cells: tuple[str, str, str]) -> str:
    head = f"| run | params | {batch} | {accum} | seq len | steps | val loss |\n|---|---|---|---|---|---|---|\n"
    return head + ROWS.format(*cells)


def test_accumulated_passes_under_short_names_are_asked_about_as_under_their_long_one(read: Read) -> None:
    for name in ACCUMULATED:
        assert named(name)[0][0] == "grad_accum", name
    for name in ("accum", "GA", "acc"):
        text = table("batch size", name, ("8", "16", "64"))
        with pytest.raises(MappingNeeded) as caught:
            read(text, "runs.md")
        assert [q.key for q in caught.value.questions] == ["batch"], name
        assert read(text, "runs.md", batch="device").kept["tokens"].iloc[2] == 8 * 64 * 1024 * 3200, name
        assert read(text, "runs.md", batch="step").kept["tokens"].iloc[2] == 8 * 1024 * 3200, name


def test_an_accuracy_under_the_name_of_accumulation_is_none(read: Read) -> None:
    for cells in (("0.41", "0.45", "0.52"), ("41", "46", "52"), ("41%", "46%", "52%"), ("41.5", "45", "52.25")):
        runs = read(table("batch size", "acc", cells), "runs.md")
        assert "grad_accum" not in runs.kept, cells
        assert runs.kept["tokens"].iloc[2] == 8 * 1024 * 3200, cells


def test_an_abbreviated_effective_batch_is_the_whole_one(read: Read) -> None:
    wholes = (
        "eff. batch",
        "eff batch",
        "Eff. BS",
        "tot. batch",
        "glob. batch size",
        "gbs",
        "batch (eff.)",
        "batch (global)",
    )
    for whole in wholes:
        assert named(whole)[0][0] == "batch_sequences", whole
    for whole, part in zip(wholes[::2], ("bs", "mbs", "bs/gpu", "per dev. batch"), strict=True):
        head = f"| run | params | {whole} | {part} | accum | seq len | steps | val loss |\n" + "|---" * 8 + "|\n"
        text = head + "| a | 20M | 128 | 16 | 8 | 1024 | 3000 | 4.1 |\n| b | 40M | 512 | 8 | 64 | 1024 | 3200 | 3.7 |\n"
        runs = read(text, "runs.md")
        assert runs.kept["tokens"].tolist() == [128 * 1024 * 3000, 512 * 1024 * 3200], (whole, part)


def test_a_plain_batch_that_is_the_whole_one_is_none_of_a_device(read: Read) -> None:
    head = "run,params,batch_size,global_batch_size,grad_accum,seq_len,steps,loss\n"
    runs = read(head + "a,20M,128,128,8,1024,3000,4.1\nb,40M,512,512,64,1024,3200,3.7\n")
    assert runs.kept["tokens"].tolist() == [128 * 1024 * 3000, 512 * 1024 * 3200]


def test_accumulation_is_part_of_every_answer_that_it_can_be_part_of(read: Read) -> None:
    head = "| config | params | bs | ga | gpus | ctx | iters | val loss |\n|---|---|---|---|---|---|---|---|\n"
    text = head + "| s | 29.9M | 32 | 4 | 8 | 512 | 20000 | 3.9 |\n| m | 124M | 12 | 5 | 8 | 1024 | 600000 | 2.85 |\n"
    with pytest.raises(MappingNeeded) as caught:
        read(text, "runs.md")
    assert "bs × ga × gpus" in str(caught.value)
    assert read(text, "runs.md", batch="device").kept["tokens"].iloc[1] == 12 * 5 * 8 * 1024 * 600000


def test_a_short_name_means_what_it_says() -> None:
    for name, column in (("bs/gpu", "batch_device"), ("BS/dev", "batch_device"), ("per dev. batch", "batch_device"),
                         ("mbs/gpu", "batch_device"), ("tot. params", "params_total"), ("bsz", "batch_sequences")):  # fmt: skip
        assert named(name)[0][0] == column, name


def test_a_count_of_devices_is_read_from_its_cell() -> None:
    counts = {
        "8xH100": 8, "16×A100": 16, "8 GPUs": 8, "8 x A100-80GB": 8, "8": 8, "8x": 8, "1,024 GPUs": 1024, "H100 x8": 8, "A100 (x16)": 16,
        "8x H100 80GB": 8, "8xH100-80G": 8, "8x H100 (80GB)": 8, "1 RTX 3090": 1, "4 nodes x 8 GPUs": 32, "2x8 A100": 16,
        "2 × 8×A100": 16, "64 TPU v4": 64, "32 A100s": 32, "8x NVIDIA A100 SXM": 8, "**8xH100**": 8, "8xH100 (NVLink)": 8,
        "8xH100 (2 nodes)": 0, "8 nodes": 0, "A100": 0, "3090 x2": 0, "v4-32": 0, "8 GPU hours": 0, "8xH100 or 4xA100": 0, "8-16 GPUs": 0,
        "": 0, "8xH100 x 2 nodes": 0, "2x8 GPUs per node": 0, "~8 GPUs?": 0, "1k": 0, "2 mn": 0,
        # A device's own number and its memory count no devices.
        "RTX 4090": 0, "RTX4090": 0, "GTX 1080": 0, "2080 Ti": 0, "NVIDIA GeForce RTX 3090": 0, "4090": 0, "24 GB": 0, "40GB": 0,
        "80 GB A100": 0, "V100 32GB": 0, "TPU v4-8": 0, "MI300X": 0, "3090 24GB": 0, "2x RTX 4090": 2, "4x4090": 4, "2x4090 24GB": 2,
        "RTX 3090 x2": 2, "2 x 2080 Ti": 2, "H100x8": 8, "GPUx8": 8, "6000 GPUs": 6000, "8 RTX 3090": 8, "MI300X x 4": 4,
    }  # fmt: skip
    assert {c: devices(c) for c in counts} == counts


def test_devices_that_are_spelt_out_make_the_batch(read: Read) -> None:
    head = "| run | params | {} | bs/GPU | ctx | iters | loss |\n|---|---|---|---|---|---|---|\n"
    rows = "| a | 125M | {} | 16 | 1024 | 19000 | 3.45 |\n| b | 350M | {} | 32 | 1024 | 26000 | 3.05 |\n"
    rows += "| c | 1.3B | {} | 16 | 1024 | 50000 | 2.66 |\n"
    for name in ("GPUs", "hardware", "devices"):
        runs = read(head.format(name) + rows.format("8xH100", "8 GPUs", "32 × A100-80GB"), "runs.md")
        assert runs.kept["tokens"].tolist() == [8 * 16 * 1024 * 19000, 8 * 32 * 1024 * 26000, 32 * 16 * 1024 * 50000], (
            name
        )
    runs = read(head.format("GPUs") + rows.format("8xH100", "8", "A100"), "runs.md")
    assert runs.kept["tokens"].tolist() == [8 * 16 * 1024 * 19000, 8 * 32 * 1024 * 26000]
