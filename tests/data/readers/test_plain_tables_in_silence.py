"""Plain tables that once were read wrong without a word, or not at all: titles, products, lines above and units in other places."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook

from data import MappingNeeded, ReadError, Runs, read_runs

Read = Callable[..., Runs]
ROWS = "m1,1e8,2e9,3.9\nm2,2e8,4e9,3.5\nm3,4e8,8e9,3.2\n"


def asked(read: Read, text: str, name: str = "runs.csv", **answers: object) -> dict[str, str]:
    with pytest.raises(MappingNeeded) as caught:
        read(text, name, **answers)
    return {q.key: q.guess for q in caught.value.questions}


# --- lines above a table ----------------------------------------------------------------------------------------------


def test_a_line_of_words_above_a_table_with_columns_of_text_is_no_damage(read: Read) -> None:
    header = "| Preset Name | Params | Tokens | Attention | Position | FFN | Norm | Val Loss |\n|---|---|---|---|---|---|---|---|\n"
    rows = "| A | 25M | 1B | MHA | sin | SWIGLU | RMS | 3.72 |\n| C | 50M | 2B | MQA | sin | SWIGLU | LAYER | 4.60 |\n"
    for above in ("All presets:\n\n", "## Ablation\n\n", "## Ablation\n", ""):
        runs = read(above + header + rows, "runs.md")
        assert runs.kept["loss"].tolist() == [3.72, 4.60], above
        assert runs.kept["params"].tolist() == [25e6, 50e6], above
    short = header.replace(" Params | Tokens |", "").replace("|---|---|", "|", 1)
    runs = read("All presets:\n\n" + short + rows.replace(" 25M | 1B |", "").replace(" 50M | 2B |", ""), "runs.md")
    assert runs.kept["loss"].tolist() == [3.72, 4.60]


def test_a_title_with_commas_is_no_row_of_names(read: Read) -> None:
    titles = (
        "Scaling sweep, FineWeb, May 2024, ppl in appendix",
        "FineWeb sweep, ppl in appendix",
        "# Scaling sweep, FineWeb, ppl in appendix, May",
        "# sweep, ppl",
        "# sweep, May\n# FineWeb, losses, ppl",
        "Date:,2024-05-01,,Eval:,C4 (ppl)",
        "Eval:,C4 (ppl),,",
        "Sweep 3, May, with muP, ppl, bits, and more",
    )
    for title in titles:
        runs = read(f"{title}\nname,params,tokens,loss\n{ROWS}")
        assert runs.kept["loss"].tolist() == [3.9, 3.5, 3.2], title
        assert runs.kept["params"].tolist() == [1e8, 2e8, 4e8], title
        assert runs.kept["run"].tolist() == ["m1", "m2", "m3"], title


def test_groups_above_full_names_still_say_what_is_below_them(read: Read) -> None:
    groups = (
        "Setup,,,Perplexity",
        ",,,Perplexity",
        "Setup,Setup,Setup,Perplexity",
        "Run,Model,Data,Perplexity",
        "Run,Model,Training,Validation perplexity",
        "Model,Model,Data,Perplexity",
        "Model:,,Data:,Perplexity:",
    )
    for group in groups:
        runs = read(f"{group}\nname,params,tokens,loss\nm1,1e8,2e9,30\nm2,2e8,4e9,20\nm3,4e8,8e9,16\n")
        assert runs.kept["loss"].tolist() == pytest.approx([3.4012, 2.9957, 2.7726], abs=1e-4), group
    finer = read("Run,Non-embedding,Training,Val\nname,params,tokens,loss\n" + ROWS)
    assert finer.kept["params_nonembed"].tolist() == [1e8, 2e8, 4e8]


# --- batches ----------------------------------------------------------------------------------------------------------


def batched(header: str, *cells: str) -> str:
    rows = [f"{i + 1}00M,{i + 1}B,{c},{3.9 - i / 5:.1f}" for i, c in enumerate(cells)]
    return "\n".join([f"Params,Tokens,{header},Loss", *rows]) + "\n"


def test_the_k_of_a_sequence_in_a_product_is_1024(read: Read) -> None:
    cases: tuple[tuple[str, tuple[str, ...], list[float], list[float]], ...] = (
        ("Batch", ("256x2k", "256x2k", "512x2k"), [256, 256, 512], [2048] * 3),
        ("Batch", ("256 × 4K", "128 × 8K", "64 × 16K"), [256, 128, 64], [4096, 8192, 16384]),
        ("Batch size", ("256 x 1 K", "200 x 1K", "100 x 1k"), [256, 200, 100], [1024] * 3),
        ("Batch", ("256x2048", "256x2k", "512x2048"), [256, 256, 512], [2048] * 3),
        ("Batch (seqs x len)", ("256x2k", "512x2k", "512x4k"), [256, 512, 512], [2048, 2048, 4096]),
        ("Batch (len x seqs)", ("512x2k", "512x4k", "512x2k"), [2000, 4000, 2000], [512] * 3),
        ("Batch (seq × context)", ("100 × 1000", "200 × 1000", "200 × 1000"), [100, 200, 200], [1000] * 3),
        ("Batch", ("256x2048", "256x2048", "512x2048"), [256, 256, 512], [2048] * 3),
        ("Batch", ("2048 x 500", "2048 x 250", "2048 x 500"), [500, 250, 500], [2048] * 3),
    )
    for header, cells, sequences, lengths in cases:
        kept = read(batched(header, *cells)).kept
        assert kept["batch_sequences"].tolist() == sequences, (header, cells)
        assert kept["seq_len"].tolist() == lengths, (header, cells)
        assert kept["batch"].tolist() == [a * b for a, b in zip(sequences, lengths, strict=True)], (header, cells)


def test_a_logarithm_of_a_batch_is_judged_by_what_it_is_of(read: Read) -> None:
    for header, cells, batch in (
        ("log2 batch", (18, 18, 19), [262144, 262144, 524288]),
        ("batch (log2)", (18, 18, 19), [262144, 262144, 524288]),
        ("log2(batch size)", (8, 8, 9), [262144, 262144, 524288]),  # sequences of 1,024
        ("log10 batch", (5, 5, 6), [1e5, 1e5, 1e6]),
        ("log2 batch_tokens", (18, 18, 19), [262144, 262144, 524288]),
        ("batch", (262144, 262144, 524288), [262144, 262144, 524288]),
    ):
        rows = "".join(f"{i + 1}e8,{i + 1}e9,{c},1024,{3.9 - i / 5:.1f}\n" for i, c in enumerate(cells))
        runs = read(f"params,tokens,{header},seq_len,loss\n{rows}")
        assert runs.kept["batch"].tolist() == pytest.approx(batch), header
        assert "batch" not in {q.key for q in runs.questions}, header


# --- counters ---------------------------------------------------------------------------------------------------------


def test_deepspeed_counts_samples_under_the_name_of_steps(tmp_path: Path) -> None:
    plain = "step,train_loss\n256000,4.5\n512000,3.9\n2048000,{}\n"
    board = "Wall time,Step,Value\n1,256000,4.5\n2,512000,3.9\n3,2048000,{}\n"
    one = "Step,Train/Samples/train_loss\n256000,4.5\n512000,3.9\n2048000,{}\n"
    name = "gpt-{}M_bs512_ctx2048"
    cases = (
        (plain, f"{name}/Train_Samples_train_loss.csv", {}),
        (board, f"run-{name}-tag-Train_Samples_train_loss.csv", {"columns": {"loss": "Value"}}),
        (one, f"{name}.csv", {}),
    )
    for k, (text, place, answers) in enumerate(cases):
        for size, last in ((160, 3.5), (80, 3.7)):
            path = tmp_path / str(k) / place.format(size)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.format(last))
        kept = read_runs(tmp_path / str(k), **answers).kept.sort_values("loss")
        assert kept["loss"].tolist() == [3.5, 3.7], place
        assert kept["params"].tolist() == [160e6, 80e6], place
        assert kept["samples"].tolist() == [2048000] * 2, place
        assert kept["tokens"].tolist() == [2048000 * 2048] * 2, place
    steps = tmp_path / "steps" / name.format(160) / "Train_Samples_train_loss.csv"
    steps.parent.mkdir(parents=True)
    steps.write_text("step,train_loss\n1000,4.5\n2000,3.9\n3000,3.5\n")  # no whole batches of 512
    assert read_runs(tmp_path / "steps").kept["tokens"].tolist() == [3000 * 512 * 2048]


# --- sizes ------------------------------------------------------------------------------------------------------------


def test_an_exact_count_goes_before_the_size_that_models_are_called_by(read: Read) -> None:
    head = "| Size | Non-embed Params | FLOPs | Val Loss |\n|---|---|---|---|\n"
    rows = "| 1M | 1,033,824 | 2.26×10¹⁴ | 3.244 |\n| 3M | 3,241,216 | 1.2×10¹⁵ | 2.9 |\n| 10M | 9,812,480 | 1.0×10¹⁶ | 2.5 |\n"
    kept = read(head + rows, "a.md").kept
    assert kept["params"].tolist() == [1033824, 3241216, 9812480]
    assert kept["tokens"].iloc[0] == pytest.approx(2.26e14 / (6 * 1033824))
    mixture = read("config,active,total,tokens,loss\nnano_125m,123.1M,413.4M,2B,3.5\nnano_250m,247.3M,801.2M,4B,3.3\n")
    assert mixture.kept["params"].tolist() == [123.1e6, 247.3e6]
    assert mixture.kept["params_total"].tolist() == [413.4e6, 801.2e6]
    assert {q.key for q in mixture.questions} == {"count"}
    far = read(
        "Size,non-embedding params,tokens,loss\n70M,18915328,2B,3.5\n160M,85056000,4B,3.3\n410M,302311424,8B,3.1\n"
    )
    assert far.kept["params"].tolist() == [70e6, 160e6, 410e6]  # another count, not the same one rounded
    assert "count" in {q.key for q in far.questions}


def test_tokens_with_the_epochs_behind_them_are_tokens(read: Read) -> None:
    for header in ("tokens (epochs)", "Tokens (epoch)", "tokens"):
        runs = read(
            f"params,{header},loss\n1e8,2.5B (0.3 epochs),3.9\n2e8,5B (0.6 epochs),3.5\n4e8,10B (1.2 epochs),3.2\n"
        )
        assert runs.kept["tokens"].tolist() == [2.5e9, 5e9, 1e10], header
    whole = read("params,tokens (epochs),loss\n1e8,2.5B (2 epochs),3.9\n2e8,5B (4 epochs),3.5\n")
    assert any("'tokens'" in note for note in whole.notes)  # the data, or all that was seen: not used, and said


# --- settings side by side --------------------------------------------------------------------------------------------


def test_losses_of_settings_side_by_side_are_a_run_a_cell(read: Read) -> None:
    rows = "1e7,2e8,4.11,4.05,4.08\n2e7,4e8,3.9,3.85,3.88\n"
    losses, rates = [4.11, 4.05, 4.08, 3.9, 3.85, 3.88], [1e-3, 2e-3, 4e-3] * 2
    for heads in (
        "params,tokens,lr=1e-3,lr=2e-3,lr=4e-3",
        ",,Validation loss,,\nparams,tokens,lr=1e-3,lr=2e-3,lr=4e-3",
        "params,tokens,Loss (lr=1e-3),Loss (lr=2e-3),Loss (lr=4e-3)",
        "params,tokens,val loss lr 1e-3,val loss lr 2e-3,val loss lr 4e-3",
        "params,tokens,lr=1e-3 loss,lr=2e-3 loss,lr=4e-3 loss",
        "params,tokens,loss_lr0.001,loss_lr0.002,loss_lr0.004",
        "params,tokens,learning rate = 1e-3,learning rate = 2e-3,learning rate = 4e-3",
    ):
        kept = read(f"{heads}\n{rows}").kept
        assert kept["loss"].tolist() == losses, heads
        assert kept["lr"].tolist() == rates, heads
        assert kept["params"].tolist() == [1e7] * 3 + [2e7] * 3, heads
        assert kept["run"].is_unique, heads
    batches = read(f"name,tokens,bs=128,bs=256,bs=512\n{rows}".replace("1e7", "gpt-10M").replace("2e7", "gpt-20M")).kept
    assert batches["batch_sequences"].tolist() == [128, 256, 512] * 2
    assert batches["run"].tolist()[:2] == ["gpt-10M, bs=128", "gpt-10M, bs=256"]


def test_one_setting_named_as_the_loss_is_no_column_of_rates(read: Read) -> None:
    text = "params,tokens,lr=1e-3,lr=2e-3,lr=4e-3\n1e7,2e8,4.11,4.05,4.08\n2e7,4e8,3.9,3.85,3.88\n"
    runs = read(text, columns={"loss": "lr=2e-3"})
    assert runs.kept["loss"].tolist() == [4.05, 3.85]
    assert "lr" not in runs.kept


def test_shares_below_settings_are_no_losses(read: Read) -> None:
    rows = "1e7,2e8,{0},{1},{0}\n2e7,4e8,{1},{0},{1}\n"
    head = "params,tokens,lr=1e-3,lr=2e-3,lr=4e-3\n"
    assert asked(read, head + rows.format(0.31, 0.42)) == {"columns.loss": ""}
    assert asked(read, f"Accuracy on HellaSwag\n{head}" + rows.format(1.9, 2.1)) == {"columns.loss": ""}


# --- numbers and their units ------------------------------------------------------------------------------------------


def test_a_power_of_ten_may_stand_behind_a_space(read: Read) -> None:
    plain = read("params,tokens,loss\n4.47 e7,2.9 e8,4.1\n8.9 E7,5.8 e+8,3.8\n1.6 e8,1.2 e9,3.5\n")
    assert plain.kept["params"].tolist() == [44.7e6, 89e6, 160e6]
    assert plain.kept["tokens"].tolist() == [2.9e8, 5.8e8, 1.2e9]
    comma = read("params;flops;loss\n4,47 e7;2,9 e18;4,1\n8,9 e7;5,8 e18;3,8\n1,6 e8;1,2 e19;3,5\n")
    assert comma.kept["params"].tolist() == [44.7e6, 89e6, 160e6]
    assert comma.kept["flops"].tolist() == [2.9e18, 5.8e18, 1.2e19]
    french = read("params;tokens;loss\n0,1 Md;0,5 Md;3,9\n0,2 Md;1 Md;3,6\n0,4 Md;2,5 Mds;3,3\n")
    assert french.kept["params"].tolist() == [1e8, 2e8, 4e8]
    assert french.kept["tokens"].tolist() == [5e8, 1e9, 2.5e9]


def test_what_stands_in_brackets_behind_a_loss_is_left_out(read: Read) -> None:
    for cells in (
        ("4.47 (BPB 1.79)", "4.2 (BPB 1.69)", "4.0 (BPB 1.60)"),
        ("4.47 (ppl 87.4)", "4.2 (ppl 66.7)", "4.0 (ppl 54.6)"),
        ("4.47 (1.79 bits/byte)", "4.2 (1.69 bits/byte)", "4.0 (1.60 bits/byte)"),
        ("4.47", "4.2", "4.0 (final)"),
        ("4.47 (final)", "4.2 (final)", "4.0 (last)"),
    ):
        rows = "".join(f"{i + 1}e7,{i + 1}e8,{c}\n" for i, c in enumerate(cells))
        assert read(f"params,tokens,loss\n{rows}").kept["loss"].tolist() == [4.47, 4.2, 4.0], cells
    curve = read("step,loss\n100,4.5\n200,3.5\n300,2.464 (final)\n", "gpt-10M-bs32-ctx512.csv")
    assert curve.kept["loss"].tolist() == [2.464]


def test_a_unit_may_stand_before_its_word(read: Read) -> None:
    for header, cells in (
        ("B tokens", (2.5, 5, 10)),
        ("Gtok", (2.5, 5, 10)),
        ("Btok", (2.5, 5, 10)),
        ("MTok", (2500, 5000, 10000)),
        ("M tokens", (2500, 5000, 10000)),
        ("T tokens", (0.0025, 0.005, 0.01)),
        ("tokens (Md)", (2.5, 5, 10)),
    ):
        rows = "".join(f"{i + 1}e8,{c},{3.9 - i / 5}\n" for i, c in enumerate(cells))
        assert read(f"params,{header},loss\n{rows}").kept["tokens"].tolist() == pytest.approx([2.5e9, 5e9, 1e10]), (
            header
        )
    for header, sizes in (
        ("M params", (100, 200, 400)),
        ("B params", (0.1, 0.2, 0.4)),
        ("K params", (100000, 200000, 400000)),
        ("B parameters", (0.1, 0.2, 0.4)),
    ):
        rows = "".join(f"{c},{i + 1}e9,{3.9 - i / 5}\n" for i, c in enumerate(sizes))
        assert read(f"{header},tokens,loss\n{rows}").kept["params"].tolist() == pytest.approx([1e8, 2e8, 4e8]), header
    for header in ("steps (x1000)", "steps (x 1,000)", "steps (1000s)", "steps [×1000]"):
        rows = "".join(f"{i + 1}e8,{c},5e5,{3.9 - i / 5}\n" for i, c in enumerate((10, 20, 40)))
        kept = read(f"params,{header},batch_tokens,loss\n{rows}".replace("x 1,000", "x 1 000")).kept
        assert kept["steps"].tolist() == [1e4, 2e4, 4e4], header
    batch = read("params,tokens,B tokens,loss\n1e8,1e9,524288,3.9\n2e8,2e9,524288,3.5\n")
    assert batch.kept["tokens"].tolist() == [1e9, 2e9]
    assert asked(read, "params,B tokens,loss\n1e8,2500000000,3.9\n2e8,5000000000,3.5\n") == {"units.tokens": "1"}


def test_models_called_by_sizes_of_shirts_stand_along_a_table_on_its_side(read: Read) -> None:
    text = ",S,M,L,XL\nparams,1e7,2e7,4e7,8e7\ntokens,2e8,4e8,8e8,1.6e9\nloss,4.1,3.8,3.5,3.2\n"
    assert read(text).kept["loss"].tolist() == [4.1, 3.8, 3.5, 3.2]
    assert read(text.replace("S,M,L,XL", "XS,S,M,L")).kept["run"].tolist() == ["XS", "S", "M", "L"]


# --- forms of files ---------------------------------------------------------------------------------------------------


def test_cells_one_space_apart_are_read_below_names_of_several_words(read: Read) -> None:
    for header, row in (
        ("# N D L", "{n}e7 {d}e8 {loss}"),
        ("Params Tokens Val loss", "{n}0M 0.{d}B {loss}"),
        ("Model size Tokens Val loss", "{n}0M 0.{d}B {loss}"),
        ("Params (M) Tokens (B) Validation loss", "{n}0 0.{d} {loss}"),
        ("Table 2. Runs of the sweep.\nParams Training tokens Loss", "{n}0M 0.{d}B {loss}"),
        ("Params Tokens Train loss Val loss", "{n}0M 0.{d}B 1.5 {loss}"),
        ("Name Params Tokens Val loss", "m{n} {n}0M 0.{d}B {loss}"),
    ):
        body = "\n".join(row.format(n=n, d=2 * n, loss=loss) for n, loss in ((1, 4.9), (2, 4.5), (4, 4.1)))
        for name in ("runs.txt", "runs.csv"):
            kept = read(f"{header}\n{body}\n", name).kept
            assert kept["params"].tolist() == pytest.approx([1e7, 2e7, 4e7]), header
            assert kept["tokens"].tolist() == pytest.approx([2e8, 4e8, 8e8]), header
            assert kept["loss"].tolist() == [4.9, 4.5, 4.1], header
    with pytest.raises(ReadError):  # two ways of cutting, or words that nobody knows
        read("Params Foo Bar loss\n25M 0.5B 4.021\n50M 1B 3.8\n", "runs.txt")


def test_lists_of_dictionaries_as_python_writes_them_are_read(read: Read) -> None:
    rows = "[{'params': 20000000, 'tokens': 4e8, 'loss': 3.9},\n {'params': 40_000_000, 'tokens': 8e8, 'loss': 3.6},\n]"
    for text in (rows, f"runs = {rows}", f"# a sweep\nruns = {rows};\n", rows.replace("'", '"').replace("[", "x = [")):
        for name in ("runs.txt", "runs.py", "pasted.csv"):
            kept = read(text, name).kept
            assert kept["params"].tolist() == [2e7, 4e7], (text, name)
            assert kept["tokens"].tolist() == [4e8, 8e8], (text, name)
            assert kept["loss"].tolist() == [3.9, 3.6], (text, name)
    spread = rows.replace(", '", ",\n    '").replace("},", "},  # of the sweep\n")
    assert read(spread, "runs.txt").kept["loss"].tolist() == [3.9, 3.6]
    code = read(
        "runs = [{'params': 2e7, 'tokens': 4e8, 'loss': 3.9}, {'params': 4e7, 'tokens': 20 * 4e7, 'loss': 3.6}]\n",
        "a.txt",
    )
    assert any("not plain" in note for note in code.notes)
    for hostile in (
        "[{'loss': __import__('os').system('true')}]",
        "x = [{'loss': (lambda: 3)()}]",
        "[" * 5000 + "{'a': 1}",
    ):
        with pytest.raises((ReadError, MappingNeeded)):
            read(hostile, "runs.txt")


def test_lists_of_runs_by_split_are_rows_with_their_split(read: Read) -> None:
    def runs(shift: float, times: int = 1) -> list[dict[str, float]]:
        return [{"params": times * 1e7 * 2**i, "tokens": 2e8 * 2**i, "loss": 4 + shift - 0.2 * i} for i in range(3)]

    both = read(json.dumps({"train": runs(0), "val": runs(0.05)}), "runs.json")
    assert both.kept["loss"].tolist() == pytest.approx([4.05, 3.85, 3.65])
    assert both.kept["params"].tolist() == [1e7, 2e7, 4e7]
    assert "split" in {q.key for q in both.questions}
    other = read(json.dumps({"train": runs(0), "test": runs(0.05, 8)}), "runs.json")
    assert len(other.kept) + len(other.set_aside) == 6
    assert "split" in {q.key for q in other.questions}


def test_settings_on_another_sheet_are_joined_by_name(tmp_path: Path) -> None:
    def book(configs: list[list[object]]) -> Runs:
        made = Workbook()
        made.active.title = "README"
        made.active.append(["Runs of the sweep"])
        for title, rows in (("configs", configs), ("results", results)):
            sheet = made.create_sheet(title)
            for row in rows:
                sheet.append(row)
        made.save(tmp_path / "book.xlsx")
        return read_runs(tmp_path / "book.xlsx")

    results: list[list[object]] = [
        ["run", "tokens", "train", "val"],
        ["a", 2e8, 3.9, 4.0],
        ["b", 4e8, 3.6, 3.7],
        ["c", 8e8, 3.3, 3.4],
    ]
    for names in (["train", "val"], ["train_loss", "val_loss"]):
        results[0][2:] = names
        runs = book([["run", "params"], ["b", 2e7], ["a", 1e7], ["c", 4e7]])
        kept = runs.kept.sort_values("run")
        assert kept["params"].tolist() == [1e7, 2e7, 4e7]
        assert kept["tokens"].tolist() == [2e8, 4e8, 8e8]
        assert kept["loss"].tolist() == [4.0, 3.7, 3.4]
    assert any("joined by name" in note for note in runs.notes)
    assert "params" not in book([["run", "params"], ["b", 2e7], ["a", 1e7], ["d", 4e7]]).kept  # other runs
