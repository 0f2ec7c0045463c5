"""Real tables that nobody here made: how many rows, which columns, which values, and what is asked about each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data import MappingNeeded, read_file, read_runs, recognise

#: file, answers, rows kept, rows set aside, canonical columns among others, convention of the FLOPs
TABLES = [
    ("epoch_chinchilla", {}, 245, 0, "params tokens flops loss dataset", "6ND"),
    ("porian_isoflops", {}, 1745, 0, "params tokens flops loss seq_len schedule dataset", "6ND"),
    ("marin_delphi_ladder", {}, 88, 0, "params tokens flops loss batch batch_sequences seq_len width layers seed", "as logged"),
    ("datablations_fit182", {}, 182, 0, "params tokens unique_tokens epochs flops loss", "6ND"),
    ("misfitting_final", {}, 253, 8, "params params_nonembed tokens flops loss lr steps batch seq_len group family", "6ND"),
    ("misfitting_final", {"keep_copies": True}, 261, 0, "params tokens loss", "6ND"),
    ("probe_synthetic_grid", {}, 41, 0, "params params_nonembed tokens batch_sequences lr seed loss width", "6ND"),
    ("bnsl_4digit_addition", {}, 17, 0, "tokens loss", None),
    ("cerebras_gpt", {"loss": "loss_paper"}, 7, 0, "params tokens flops loss batch lr schedule family width layers", "as logged"),
    ("gadre_overtraining", {"loss": "loss_c4_val"}, 104, 0, "params params_nonembed tokens flops loss warmup_steps weight_decay", "6ND"),
    ("steplaw_dense", {"loss": "loss_smoothed"}, 1911, 0, "params params_nonembed tokens flops loss lr batch steps heads ffn", "6ND"),
    ("steplaw_moe", {"loss": "loss"}, 708, 0, "params params_total params_active tokens flops flops_per_token experts top_k", "as logged"),
    ("porian_optimal_pairs", {}, 173, 4, "group params tokens flops loss", "as logged"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "answers", "kept", "aside", "columns", "convention"), TABLES)
def test_tables(
    datasets: Path, name: str, answers: dict[str, object], kept: int, aside: int, columns: str, convention: str | None
) -> None:
    answers = dict(answers)
    loss = answers.pop("loss", None)
    runs = read_runs(datasets / f"{name}.csv", columns={"loss": str(loss)} if loss else None, **answers)  # type: ignore[arg-type]
    raw = pd.read_csv(datasets / f"{name}.csv")
    assert (len(runs.kept), len(runs.set_aside)) == (kept, aside)
    assert kept + aside == len(raw)
    assert set(columns.split()) <= set(runs.columns)
    if convention:
        assert set(runs.kept["flops_convention"]) == {convention}
    for column in {"params", "tokens", "flops", "lr", "width"} & set(raw.columns) & set(runs.columns):
        if aside == 0:
            assert np.array_equal(runs.kept[column], raw[column].astype(float), equal_nan=True), column
    assert runs.kept["run"].is_unique
    assert np.isfinite(runs.kept["loss"]).all()


SEVERAL_LOSSES = [
    ("gadre_overtraining.csv", 8, "loss_c4_val"),
    ("steplaw_dense.csv", 2, "loss_smoothed"),
    ("steplaw_moe.csv", 2, "loss_smoothed"),
    ("cerebras_gpt.csv", 2, None),
    ("raw/steplaw_dense_original_headers.csv", 2, "smooth loss"),
    ("raw/spreadsheet_with_blank_and_header_rows_misfitting_dense.csv", 3, "C4 Eval Loss"),
    ("raw/wandb_ui_export_runs_table.csv", 3, None),
    ("raw/wandb_history_olmo_190M-1xC.csv", 31, "eval/c4_en-validation/CrossEntropyLoss"),
]


@pytest.mark.parametrize(("name", "options", "guess"), SEVERAL_LOSSES)
def test_several_losses_are_asked_about(datasets: Path, name: str, options: int, guess: str | None) -> None:
    with pytest.raises(MappingNeeded) as caught:
        read_runs(datasets / name)
    question = caught.value.questions[0]
    assert question.key == "columns.loss"
    assert len(question.options) == options
    assert guess is None or question.guess == guess


@pytest.mark.parametrize("name", ["zhang_cbs_steps_to_target.csv", "probe_noise_scale.csv", "raw/biggan_metrics.jsonl"])
def test_tables_without_a_loss_say_so(datasets: Path, name: str) -> None:
    with pytest.raises(MappingNeeded, match="No column looks like a loss"):
        read_runs(datasets / name)


def test_a_printed_log_is_no_table(datasets: Path) -> None:
    with pytest.raises(MappingNeeded, match="No column of numbers could be a loss"):
        read_runs(datasets / "raw/modded_nanogpt_text_log.txt")


def test_chinchilla_values(datasets: Path) -> None:
    runs = read_runs(datasets / "epoch_chinchilla.csv")
    first = runs.kept.iloc[0]
    assert (first["run"], first["params"], first["loss"]) == ("epoch-000", 6795600349.289497, 5.005581996196243)
    assert {"size_group", "budget_group", "excluded_by_besiroglu"} <= set(runs.extras)
    assert not any("mixed up" in n for n in runs.notes)  # losses read off a picture come in few shades


def test_misfitting_copies_and_losses_under_several_rates(datasets: Path) -> None:
    runs = read_runs(datasets / "misfitting_final.csv")
    assert runs.reasons == {"identical copy of another row": 8}
    assert any(n.startswith("13 losses stand to the last digit under different inputs") for n in runs.notes)
    bodies = runs.set_aside[["params", "tokens", "lr", "loss"]]
    kept = runs.kept[["params", "tokens", "lr", "loss"]]
    assert len(bodies.merge(kept.drop_duplicates())) == 8


def test_counts_in_use(datasets: Path) -> None:
    raw = pd.read_csv(datasets / "gadre_overtraining.csv")
    runs = read_runs(datasets / "gadre_overtraining.csv", columns={"loss": "loss_openlm"}, count="params_nonembed")
    assert np.array_equal(runs.kept["params"], raw["params_nonembedding"])
    assert np.array_equal(runs.kept["params_logged"], raw["params"])
    moe = read_runs(datasets / "steplaw_moe.csv", columns={"loss": "loss"}, count="params_active")
    assert moe.kept["params"].max() < 1.3e9


@pytest.mark.parametrize(("name", "runs", "rows"), [("multipower_curves", 27, 6265), ("probe_batch_ladder", 28, 1643)])
def test_curves_have_a_history(datasets: Path, name: str, runs: int, rows: int) -> None:
    read = read_runs(datasets / f"{name}.csv")
    raw = pd.read_csv(datasets / f"{name}.csv")
    assert len(read.kept) == runs
    assert read.history is not None
    assert len(read.history) == rows
    assert any(f"({rows - runs:,} earlier rows are its history)" in n for n in read.notes)
    last = raw.sort_values("step").groupby("run_id").tail(1).set_index("run_id")
    loss = "val_loss" if "val_loss" in raw else "loss"
    assert np.array_equal(read.kept.set_index("run")["loss"].sort_index(), last[loss].sort_index())
    every = read_runs(datasets / f"{name}.csv", history="all")
    assert every.kept["group"].nunique() == runs
    assert len(every.kept) + len(every.set_aside) == rows


def test_steplaw_headers_as_released(datasets: Path) -> None:
    path = datasets / "raw/steplaw_dense_original_headers.csv"
    headers = {c: g.header for c, g in recognise(read_file(path), columns={"loss": "loss"}).guesses.items()}
    assert headers == {
        "run": "exp_name", "params": "N", "tokens": "D", "loss": "loss", "lr": "lr", "batch_sequences": "bs", "steps": "ti",
        "width": "h", "ffn": "ffnh", "heads": "numh", "layers": "numl", "tokens_per_param": "D/N",
    }  # fmt: skip
    ours = read_runs(datasets / "steplaw_dense.csv", columns={"loss": "loss"})
    theirs = read_runs(path, columns={"loss": "loss"})
    for column in ("params", "tokens", "loss", "lr", "steps", "layers"):
        assert np.array_equal(ours.kept[column], theirs.kept[column]), column
    assert np.allclose(ours.kept["batch"], theirs.kept["batch"], rtol=3e-3)  # D is rounded there


def test_a_spreadsheet_with_headings_between_the_runs(datasets: Path) -> None:
    path = datasets / "raw/spreadsheet_with_blank_and_header_rows_misfitting_dense.csv"
    runs = read_runs(path, columns={"loss": "C4 Eval Loss"})
    assert (len(runs.kept), len(runs.set_aside)) == (220, 80)
    assert runs.reasons == {"a heading between runs, not a run": 75, "no loss": 5}
    first = runs.kept.iloc[0]
    assert first["run"] == "row 4"
    values = {"params_nonembed": 12047168, "params_total": 40719168, "tokens": 209715200, "loss": 5.186, "lr": 1e-3, "steps": 200,
              "batch": 1048576, "seq_len": 2048, "layers": 5, "width": 448, "vocab": 32000, "flops": 1.52e16}  # fmt: skip
    assert {k: first[k] for k in values} == values
    assert first["flops_convention"] == "6ND with params_nonembed"
    assert first["Params"] == "12M"
    later = runs.kept[runs.kept["params_nonembed"] == 16865856]
    assert set(later["layers"]) == {7}
    by_perplexity = read_runs(path, columns={"loss": "C4 Eval PPL"})
    assert np.allclose(by_perplexity.kept["loss"], runs.kept["loss"], atol=1e-3)


def test_a_tracker_table_of_runs(datasets: Path) -> None:
    path = datasets / "raw/wandb_ui_export_runs_table.csv"
    header = "eval/ppl//fsx-onellm/data/corpora/text_only/text_eval/c4.jsonl"
    runs = read_runs(path, columns={"loss": header})
    raw = pd.read_csv(path)
    assert len(runs.kept) + len(runs.set_aside) == len(raw) == 67
    assert np.allclose(runs.kept["loss"], np.log(raw[header]))
    assert {"tokens", "lr", "steps", "seed", "layers", "heads", "experts", "batch"} <= set(runs.columns)
    assert any("perplexity, its logarithm taken" in s.how for s in runs.sources)


def test_a_tracker_history_is_one_run(datasets: Path) -> None:
    loss = "eval/c4_en-validation/CrossEntropyLoss"
    runs = read_runs(datasets / "raw/wandb_history_olmo_190M-1xC.csv", columns={"loss": loss})
    assert len(runs.kept) == 1
    assert runs.history is not None
    assert len(runs.history) == 37
    assert runs.kept["flops"].iloc[0] == runs.history["flops"].max() > 1e18  # logged in Gflops


def test_a_saved_chart_has_a_run_per_column(datasets: Path) -> None:
    runs = read_runs(datasets / "raw/wandb_ui_export_grouped.csv")
    assert runs.kept["run"].tolist() == [f"Group: k_is_{k}" for k in range(10, 0, -1)]
    assert runs.history is not None
    assert runs.history["loss"].iloc[0] == 7.953187465667725
    assert any("minima and maxima" in n for n in runs.notes)


def test_json_lines_of_checkpoints(datasets: Path) -> None:
    runs = read_runs(datasets / "raw/gemstones_hot.jsonl")
    assert len(runs.kept) == 22
    assert runs.history is not None
    assert len(runs.history) == 220
    assert runs.kept["params"].iloc[0] == 543482880
    assert [s.how for s in runs.sources if s.column == "params"] == ["the working count: active parameters"]


def test_a_bare_log_of_steps_is_one_run(datasets: Path) -> None:
    runs = read_runs(datasets / "raw/step_lr_loss_wsd_100M.csv")
    assert runs.kept["run"].tolist() == ["step_lr_loss_wsd_100M"]
    assert runs.kept["lr"].tolist() == [3e-4]


def test_every_file_reads_or_asks(datasets: Path) -> None:
    files = [p for p in sorted(datasets.rglob("*")) if p.suffix in (".csv", ".jsonl", ".txt")]
    assert len(files) >= 24
    above = {f"{name}.csv" for name, *_ in TABLES} | {
        name for name, *_ in SEVERAL_LOSSES
    }  # are read by the tests above
    assert len(above & {str(p.relative_to(datasets)) for p in files}) == len(above)
    for path in (p for p in files if str(p.relative_to(datasets)) not in above):
        table = read_file(path)
        recognise(table)
        assert len(table.frame) > 0
