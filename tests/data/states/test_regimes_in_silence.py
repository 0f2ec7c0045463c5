"""Losses, splits and regimes that once were read wrong without a word: what was not measured, or not where the others were."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from data import MappingNeeded, ReadError, Runs, read_runs
from data.headers.headings import says_where_measured
from data.headers.names import loss_name
from data.states.remarks import says_out
from tests.data.cases import side_by_side

Read = Callable[..., Runs]


def asked(read: Read, text: str, name: str = "runs.csv", **answers: object) -> dict[str, str]:
    """The keys of the questions that must be answered, each with its guess."""
    with pytest.raises(MappingNeeded) as caught:
        read(text, name, **answers)
    return {q.key: q.guess for q in caught.value.questions}


def why(runs: Runs) -> dict[str, str]:
    """The reasons of the rows that were set aside, by their names."""
    return dict(zip(runs.set_aside["run"], runs.set_aside["reason"], strict=True))


# --- columns of losses that nobody measured, and of losses less a floor ----------------------------------------------------

FORETOLD = """
pérdida proyectada|pérdida estimada|pérdida esperada|pérdida predicha|perda projetada|perda estimada|perte projetée|perte estimée
perte attendue|projizierter Loss|geschätzter Loss|erwarteter Verlust|perdita stimata|perdita attesa|прогнозируемые потери
ожидаемые потери|предсказанные потери|proj. loss|proj_loss|Est. loss|loss (est.)|estimated val loss|Expected loss|modelled loss
modeled loss|simulated loss|theoretical loss|projected loss|forecast loss|fitted loss|推定損失|予想損失|预计损失|估计损失
預估損失|预测损失|추정 손실|예상 손실
"""
LESS_A_FLOOR = """
loss - 1.69|loss-1.69|loss − 1.69|loss - E|val_loss_minus_E|loss (E subtracted)|loss above entropy|loss (minus entropy)|L-E
loss - entropy|loss minus irreducible|loss (without E)|loss (-1.69)|val loss above the floor|CE - E|cross-entropy - 1.69|loss - L_inf
reducible loss|excess loss|loss minus train loss
"""
MEASURED = """
loss|val loss|cross-entropy|cross - entropy|Cross–entropy (val)|estimate_loss|model loss|language modeling loss|attention loss|loss-0.1
loss-1.5B|val_loss_1.5B|loss (1.2)|loss - val|loss w/o embeddings|pérdida de validación|perte de validation|検証損失|测试损失|검증 손실
потери|eval loss - C4|expected next-token loss|Loss (E)
"""


def names(text: str) -> list[str]:
    return [n for line in text.strip().splitlines() for n in line.split("|")]


def test_a_loss_that_nobody_measured_is_asked_about(read: Read) -> None:
    for header in names(FORETOLD) + names(LESS_A_FLOOR):
        assert loss_name(header) is None, header
    for header in ("pérdida estimada", "Est. loss", "予想損失", "loss - 1.69", "loss (E subtracted)"):
        text = f"run,params,tokens,{header}\na,25M,.5B,4.40\nb,60M,1.2B,3.79\n"
        assert asked(read, text) == {"columns.loss": ""}, header
        runs = read(f"run,params,tokens,{header},val loss\na,25M,.5B,2.4,4.40\nb,60M,1.2B,2.1,3.79\n")
        assert runs.kept["loss"].tolist() == [4.40, 3.79], header


def test_words_that_only_sound_so_leave_a_loss_one() -> None:
    for header in names(MEASURED):
        assert loss_name(header) is not None, header


# --- a part of an epoch ------------------------------------------------------------------------------------------------------


def test_a_part_of_an_epoch_is_that_part_of_the_data(read: Read) -> None:
    heads = "dataset tokens|dataset size (tokens)|tokens in dataset|corpus tokens|data tokens|train set tokens|dataset_size|unique tokens"
    parts = (
        (("10B", "10B"), ("0.05", ".12")),
        (("2B", "4.8B"), ("0.25", "0.25")),
        (("10B", "10B"), ("5%", "12%")),
    )
    for head, (size, epochs) in side_by_side(heads.split("|"), parts):
        rows = [
            f"{n},{s},{e},{v}" for n, s, e, v in zip(("a,25M", "b,60M"), size, epochs, ("4.40", "3.79"), strict=True)
        ]
        runs = read("\n".join([f"run,params,{head},epochs,val loss", *rows]))
        assert runs.kept["tokens"].tolist() == pytest.approx([0.5e9, 1.2e9]), (head, size, epochs)
    spent = "run,params,dataset tokens,epochs,flops,val loss\na,25M,{},0.05,7.5e16,4.40\nb,60M,{},.12,4.32e17,3.79\n"
    for size in (("10B", "10B"), ("0.5B", "1.2B")):  # the FLOPs say of which the epochs are a part
        assert read(spent.format(*size)).kept["tokens"].tolist() == pytest.approx([0.5e9, 1.2e9]), size


def test_the_data_of_a_run_stay_what_they_are(read: Read) -> None:
    for size, epochs in (
        (("0.5B", "1.2B"), ("0.05", ".12")),
        (("0.5B", "1.2B"), ("1", "1")),
        (("0.5B", "1.2B"), (".999", ".998")),
    ):
        rows = [
            f"{n},{s},{e},{v}" for n, s, e, v in zip(("a,25M", "b,60M"), size, epochs, ("4.40", "3.79"), strict=True)
        ]
        runs = read("\n".join(["run,params,dataset tokens,epochs,val loss", *rows]))
        assert runs.kept["tokens"].tolist() == pytest.approx([0.5e9, 1.2e9]), (size, epochs)
    sizes, epochs, losses = (".86B", "1.58B", "3B"), (".47", ".58", ".39"), (4.64, 4.3, 4.0)
    heads = "Data|data|Training data|Data (tokens)|Tokens|D|Dataset tokens|dataset_size|corpus tokens|tokens in dataset"
    for head in heads.split("|"):  # tokens per parameter are one number as they are
        rows = "".join(
            f"{n},{d},{e},{v}\n" for n, d, e, v in zip(("43M", "79M", "150M"), sizes, epochs, losses, strict=True)
        )
        runs = read(f"N,{head},epoch,loss\n{rows}")
        assert runs.kept["tokens"].tolist() == pytest.approx([0.86e9, 1.58e9, 3e9]), head
    plain = read("N,Data,epoch,loss\n43M,.86B,.47,4.64\n79M,2.5B,.58,4.3\n150M,2B,.39,4.0\n")
    assert plain.kept["tokens"].tolist() == pytest.approx([0.86e9, 2.5e9, 2e9])
    for head in ("Data", "Training data", "Data (tokens)"):  # the same of every run, of which each saw another part
        text = f"N,{head},epoch,loss\n43M,10B,.086,4.64\n79M,10B,.158,4.3\n150M,10B,.3,4.0\n"
        assert asked(read, text) == {"columns.unique_tokens": head}, head
        parts = read(text, columns={"unique_tokens": head}).kept["tokens"].tolist()
        assert parts == pytest.approx([0.86e9, 1.58e9, 3e9]), head
    fixed = "N,Data,epoch,loss\n43M,10B,.5,4.64\n79M,10B,.5,4.3\n150M,10B,.5,4.0\n"
    assert read(fixed).kept["tokens"].tolist() == [1e10] * 3


# --- rows about other rows ---------------------------------------------------------------------------------------------------

DESCRIBED = """
,params_M,tokens_B,val_loss
count,6.0,6.0,6.0
mean,325.8,6.5,3.43
std,372.6,7.5,0.58
min,25.0,0.5,2.8
25%,75.0,1.5,3.05
50%,185.0,3.7,3.3
75%,437.5,8.75,3.69
max,1000.0,20.0,4.4
""".lstrip()


def test_statistics_alone_are_no_runs(read: Read) -> None:
    aside = [line.split(",") for line in DESCRIBED.splitlines()]
    turned = "\n".join(",".join(row) for row in zip(*aside, strict=True))
    for text in (DESCRIBED, DESCRIBED.replace(",params", "statistic,params"), turned):
        with pytest.raises(ReadError, match="statistics of runs"):
            read(text)


def test_statistics_below_their_runs_are_none(read: Read) -> None:
    runs = "run,params,tokens,loss\na,25e6,.5e9,4.4\nb,60e6,1.2e9,3.79\nc,120e6,2.4e9,3.4\n"
    below = {"mean": "68.3e6,1.367e9,3.863", "std": "48e6,.96e9,.504", "min": "25e6,.5e9,3.4", "max": "120e6,2.4e9,4.4"}
    below |= {"Median": "60e6,1.2e9,3.79", "count": "3,3,3"}
    for first in range(4):
        text = runs + "".join(f"{word},{row}\n" for word, row in list(below.items())[first:])
        assert read(text).kept["run"].tolist() == ["a", "b", "c"], first
    shares = "subset,params,tokens,loss\n25%,25e6,.5e9,4.4\n50%,60e6,1.2e9,3.79\n75%,120e6,2.4e9,3.4\n"
    assert len(read(shares).kept) == 3


def test_a_difference_is_no_run(read: Read) -> None:
    side = "| Metric | Baseline | Ours | {} |\n|---|---|---|---|\n| Params | 17.04M | 19.04M | 2M |\n"
    side += "| Tokens | 1.0B | 1.1B | 0.1B |\n| Val loss | 3.90 | 3.80 | {} |\n"
    rows = "| Model | Params | Tokens | Val loss |\n|---|---|---|---|\n| Baseline | 17.04M | 1.0B | 3.90 |\n"
    rows += "| Ours | 19.04M | 1.1B | 3.80 |\n"
    rows += "| {} | 2M | 0.1B | {} |\n"
    words = (
        "Diff",
        "Delta",
        "Δ",
        "Change",
        "Improvement",
        "Difference",
        "Δ (ours - baseline)",
        "rel. change",
        "Improvement (%)",
    )
    for form in (side, rows):
        for word, loss in side_by_side(words[form == rows :: 2], ("0.10", "-0.10")):
            runs = read(form.format(word, loss), "t.md")
            assert runs.kept["run"].tolist() == ["Baseline", "Ours"], (word, loss)
            assert runs.set_aside["reason"].tolist() == ["a difference between other rows, not a run"], (word, loss)
        for word in ("Other", "DeltaNet", "Delta-7"):
            assert len(read(form.format(word, "3.70"), "t.md").kept) == 3, word
        assert len(read(form.format("Delta", "3.70"), "t.md").kept) == 3  # the name of a model, whose loss is one


# --- remarks and stages that say a row is out ----------------------------------------------------------------------------------

OUT = """
do not use|DO NOT USE!|don't use this run|do not use for fits|ignore|ignore this run|wrong lr - ignore|bad tokenizer; do not use|excluded
still running|still training (60%)|in progress|not finished|unfinished|estimate|rough estimate|extrapolated from fit|predicted by the law
extrapolated|not measured|crashed at 5B|diverged|please ignore|exclude from fits|running
excluded from the scaling law fit|not used in fits|do not trust the loss|ignore this point|still running on 8 gpus|still training at 60%
ignore for now|estimated from the scaling law|estimated loss from 6ND|extrapolated from smaller runs|estimated from fit
not used because lr was wrong
"""
STAYS = """
good run|rerun of a|lr 3e-4|ignore warmup|crashed; resumed from 2k|never diverged|used flash attention|lr estimated by muP|not used dropout
predicted to win|running on 8 gpus|long running job|best|extrapolated to 8k context|still the best|ignore index -100|finished
estimated from 6ND|estimated using tiktoken|do not use for demos|still training longer variant|excluded from plot|excluded from fig 3
not used in paper|not used for fig 2|omitted from paper|left out in appendix|set aside for test|ignore for figures|still running evals
FLOPs, estimated with 6ND|estimated from run config|estimated from training throughput|estimate from config
interpolated from plot|not used in the final table|do not use for inference
"""


def test_a_remark_that_says_so_sets_its_row_aside(read: Read) -> None:
    table_ = "run,params,tokens,loss,{}\na,25M,.5B,4.40,\nb,60M,1.2B,3.79,fine\nc,120M,2.4B,3.39,{}\n"
    for i, remark in enumerate(names(OUT)):
        assert says_out(remark) or remark == "crashed at 5B", remark
        if i % 4 and remark != "crashed at 5B":
            continue
        text = table_.replace("fine", "") if remark == "crashed at 5B" else table_
        assert why(read(text.format("notes", remark))) == {"c": f"run state: {remark}"}, remark
    for head in ("Notes", "comment", "remarks", "Bemerkung", "备注"):
        runs = read(table_.format(head, "wrong lr - ignore"))
        assert runs.kept["run"].tolist() == ["a", "b"], head
        assert len(read(table_.format(head, "wrong lr - ignore"), states=["wrong lr - ignore"]).kept) == 3, head
    for remark in names(STAYS):
        assert not says_out(remark), remark
    assert len(read(table_.format("optimizer", "ignore")).kept) == 3


def test_what_was_tuned_further_is_no_run_beside_pretraining(read: Read) -> None:
    rows = ((0, "25M", ".5B", "4.40"), (0, "60M", "1.2B", "3.79"), (1, "25M", "10M", "3.2"), (1, "60M", "10M", "2.9"))
    stages = (
        ("pretrain (FineWeb-Edu val)", "fine-tune (Shakespeare val)"), ("Pretrain", "SFT"), ("pre-training", "finetuning"),
        ("pretraining", "RLHF"), ("pretrained", "instruction tuning"),
    )  # fmt: skip
    for header in ("stage", "phase", "Training stage", "type"):
        for pair in stages if header == "stage" else stages[len(header) % 2 :: 2]:
            text = f"| {header} | params | tokens seen | val loss |\n|---|---|---|---|\n"
            text += "".join(f"| {pair[k]} | {n} | {d} | {v} |\n" for k, n, d, v in rows)
            runs = read(text, "t.md")
            assert runs.kept["loss"].tolist() == [4.40, 3.79], (header, pair)
            assert runs.set_aside["reason"].tolist() == [f"run state: {pair[1]}"] * 2, (header, pair)
            if header == "stage":
                assert len(read(text, "t.md", states=[pair[1]]).kept) == 4, (header, pair)
        text = f"{header},params,tokens seen,val loss\n" + "".join(
            f"{('warmup', 'decay')[k]},{n},{d},{v}\n" for k, n, d, v in rows
        )
        assert len(read(text).kept) == 4, header


def test_a_copy_is_one_where_one_of_two_rows_is_blank(read: Read) -> None:
    text = "Experiment,rev,typ,Created,parent,State,val_loss,n_params,tokens\n{}"
    first = ",workspace,baseline,,,,2.869831,4e8,8e9\n"
    others = "exp-1,ab1cd,branch_commit,2024-05-02T10:00:00,main,Success,2.869831,4e8,8e9\n"
    others += "exp-2,ab2cd,branch_commit,2024-05-02T11:00:00,main,Success,2.969832,2e8,4e9\n"
    for rows in (first + others, others + first, first.replace(",workspace", "workspace,workspace", 1) + others):
        runs = read(text.format(rows))
        assert runs.kept["run"].tolist() == ["exp-1", "exp-2"], rows
        assert runs.set_aside["reason"].tolist() == ["identical copy of exp-1"], rows
    seeds = "run,params,tokens,lr,loss\na,4e8,8e9,1e-3,{0}\nb,4e8,8e9,,{0}\nc,2e8,4e9,1e-3,3.1\n"
    assert read(seeds.format("2.869831")).kept["run"].tolist() == ["a", "c"]
    assert len(read(seeds.format("2.87")).kept) == 3  # a rounded loss is that of many runs
    assert len(read(seeds.format("2.869831").replace("b,4e8,8e9", "b,4e8,9e9")).kept) == 3


# --- columns of another regime, parts of the data, copies in other units ---------------------------------------------------------


def test_the_tokens_of_another_regime_are_not_those_of_the_loss(read: Read) -> None:
    text = "params,{0}/tokens,{0}/val_loss,{1}/val_loss\n17e6,7.63e9,2.18,2.16\n40e6,3e9,2.08,2.06\n"
    for one, other in (("fixed_compute", "fixed_tokens"), ("iso-flop", "iso-token"), ("small lr", "large lr")):
        table_ = text.format(one, other)
        assert "columns.loss" in asked(read, table_)
        runs = read(table_, columns={"loss": f"{other}/val_loss"})
        assert "tokens" not in runs.kept or runs.kept["tokens"].isna().all(), (one, other)
        assert "columns.tokens" in {q.key for q in runs.questions}, (one, other)
        own = read(table_, columns={"loss": f"{one}/val_loss"})
        assert own.kept["tokens"].tolist() == [7.63e9, 3e9], (one, other)
        said = read(table_, columns={"loss": f"{other}/val_loss", "tokens": f"{one}/tokens"})
        assert said.kept["tokens"].tolist() == [7.63e9, 3e9], (one, other)
    for one, other in (("train", "val"), ("train", "eval"), ("perf", "eval"), ("c4", "wikitext")):
        runs = read(text.format(one, other), columns={"loss": f"{other}/val_loss"})
        assert runs.kept["tokens"].tolist() == [7.63e9, 3e9], (one, other)


def test_real_tokens_beside_synthetic_ones_are_not_all(read: Read) -> None:
    for one, other in (
        ("real tokens", "synthetic tokens"),
        ("real_tokens", "synth_tokens"),
        ("tokens (real)", "synthetic data tokens"),
    ):
        runs = read(f"params,{one},{other},loss\n25e6,.4e9,.1e9,4.4\n60e6,1e9,.2e9,3.79\n")
        assert "tokens" not in runs.kept or runs.kept["tokens"].tolist() == [0.5e9, 1.2e9], (one, other)
    assert read("params,real tokens,loss\n25e6,.4e9,4.4\n60e6,1e9,3.79\n").kept["tokens"].tolist() == [0.4e9, 1e9]


def test_bits_per_byte_at_a_constant_ratio_are_the_same_loss(read: Read) -> None:
    rows = ((4.40, 1.5114), (3.79, 1.3019), (3.40, 1.1679))
    for head in ("BPB", "Bits/byte", "bits per byte", "Val BPB"):
        text = f"run,params,tokens,Val loss,{head}\n" + "".join(
            f"{'abc'[i]},{25 * (i + 1)}M,{i + 1}B,{v},{b}\n" for i, (v, b) in enumerate(rows)
        )
        runs = read(text)
        assert runs.kept["loss"].tolist() == [4.40, 3.79, 3.40], head
        assert any(head in note for note in runs.notes), head
        if head != "Val BPB":
            assert "columns.loss" in asked(read, text.replace("1.1679", "1.2679")), (
                head
            )  # of another text, or another split


def test_few_seeds_are_no_parameters(read: Read) -> None:
    for names_, counts in ((("a", "b", "c"), (3, 3, 3)), (("small", "mid", "big"), (3, 3, 5))):
        rows = [
            f"{m},{n},{i + 1}B,{4 - i / 3:.2f} ± .01\n" for i, (m, n) in enumerate(zip(names_, counts, strict=True))
        ]
        runs = read("config,n,tokens,val loss (mean ± std)\n" + "".join(rows))
        assert "params" not in runs.kept, counts
        assert any("'n' holds few and whole numbers" in note for note in runs.notes), counts
    assert read("n,tokens,val loss\n25e6,1e9,4.0\n60e6,2e9,3.7\n").kept["params"].tolist() == [25e6, 60e6]
    assert "units.params" in asked(read, "n,d,loss\n1,20,2.5\n3,60,2.3\n7,140,2.1\n")


# --- the same sizes and data under headings, sheets and files, without names ------------------------------------------------------

FIRST, THEN = ((25e6, 0.5e9, 4.40), (60e6, 1.2e9, 3.75)), ((25e6, 0.5e9, 4.44), (60e6, 1.2e9, 3.79))
HELD_OUT = (("Train", "Validation"), ("Train loss", "Validation loss"), ("training", "held-out"))
TEXTS = (("C4", "FineWeb"), ("Evaluated on C4", "Evaluated on WikiText-103"), ("C4", "Pile"))
OTHERS = (("Width sweep", "Depth sweep"), ("Baseline", "Ours"), ("lr = 1e-3", "lr = 3e-4"))
EXPERIMENTS = (
    ("Training from scratch", "Evaluation of baselines"), ("Training runs", "Evaluation runs"), ("Validation of Muon", "Train longer"),
    ("Test run", "Main run"), ("Test of Muon", "Test of AdamW"), ("C4, AdamW", "C4, Muon"), ("C4 runs", "FineWeb runs"),
    ("C4 dataset", "FineWeb dataset"), ("Training on C4", "Training on FineWeb"),
)  # fmt: skip
WHERE = "Held-out data|Val (code)|Test set results|Pile (bits per byte)|Eval: German|Validation losses of all models|FineWeb-Edu|val/c4"


def markdown(one: str, other: str) -> str:
    out = ""
    for heading, rows in ((one, FIRST), (other, THEN)):
        body = "".join(f"| {n / 1e6:g}M | {d / 1e9:g}B | {v} |\n" for n, d, v in rows)
        out += f"### {heading}\n\n| Params | Tokens | Loss |\n|---|---|---|\n{body}\n"
    return out


def blocks(one: str, other: str) -> str:
    return "".join(
        f"{heading},,\nparams,tokens,loss\n" + "".join(f"{n:g},{d:g},{v}\n" for n, d, v in rows)
        for heading, rows in ((one, FIRST), (other, THEN))
    )


def sheets(one: str, other: str) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in ((one, FIRST), (other, THEN)):
        sheet = book.create_sheet(title)
        for row in (("params", "tokens", "loss"), *rows):
            sheet.append(row)
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def test_the_same_size_and_data_under_headings_of_splits_are_one_run(read: Read) -> None:
    forms = ((markdown, "t.md"), (blocks, "t.csv"), (sheets, "t.xlsx"))
    for k, (form, name) in enumerate(forms):  # each pair in one of the formats
        for pair in HELD_OUT[k::3]:
            runs = read(form(*pair), name)
            assert runs.kept["loss"].tolist() == [4.44, 3.79], (name, pair)
            assert "split" in {q.key for q in runs.questions}, (name, pair)
        for pair in TEXTS[k::3]:
            assert list(asked(read, form(*pair), name)) == ["split"], (name, pair)
            assert read(form(*pair), name, split=pair[1]).kept["loss"].tolist() == [4.44, 3.79], (name, pair)
            assert len(read(form(*pair), name, split="all").kept) == 4, (name, pair)
        for pair in (*OTHERS, *EXPERIMENTS)[k::3]:
            runs = read(form(*pair), name)
            assert len(runs.kept) == 4, (name, pair)
            assert "split" not in {q.key for q in runs.questions}, (name, pair)
    assert not any(says_where_measured(h) for pair in EXPERIMENTS for h in pair)
    assert all(map(says_where_measured, WHERE.split("|")))
    apart = (
        markdown("Train", "Validation")
        .replace("| 25M | 0.5B | 4.44", "| 30M | 0.7B | 4.2")
        .replace("60M | 1.2B | 3.79", "70M | 2B | 3.6")
    )
    assert len(read(apart, "t.md").kept) == 4  # other runs


def test_files_that_say_splits_hold_losses_of_the_same_runs(tmp_path: Path) -> None:
    def folder(one: str, other: str, head: str = "params,tokens,loss") -> Path:
        path = tmp_path / f"{one} {other} {len(head)}"
        path.mkdir()
        for stem, rows in ((one, FIRST), (other, THEN)):
            body = "".join(f"{n:g},{d:g},{v}\n" for n, d, v in rows)
            (path / f"{stem}.csv").write_text(f"{head}\n{body}")
        return path

    for pair in (("train", "val"), ("train_runs", "eval_runs")):
        runs = read_runs(folder(*pair))
        assert runs.kept["loss"].tolist() == [4.44, 3.79], pair
        assert any("files hold the same sizes and data" in note for note in runs.notes), pair
    for pair in (("c4", "wikitext"), ("loss on c4", "loss on pile")):
        path = folder(*pair)
        with pytest.raises(MappingNeeded) as caught:
            read_runs(path)
        assert [q.key for q in caught.value.questions] == ["split"], pair
        assert read_runs(sorted(path.iterdir()), split=pair[1]).kept["loss"].tolist() == [4.44, 3.79], pair
        assert len(read_runs(path, split="all").kept) == 4, pair
    for pair in (("sweep1", "sweep2"), ("baseline", "ours"), ("c4_cosine", "c4_wsd")):
        assert len(read_runs(folder(*pair)).kept) == 4, pair


def test_a_curve_ends_where_its_run_was_tuned_further(read: Read) -> None:
    text = "run,stage,params,tokens,val loss\n"
    for run, n, curve in (
        ("a", "25M", ((0.1, 5.0), (0.3, 4.6), (0.5, 4.4))),
        ("b", "60M", ((0.1, 5.0), (0.6, 4.2), (1.2, 3.79))),
    ):
        text += (
            "".join(f"{run},pretrain,{n},{d}B,{v}\n" for d, v in curve) + f"{run},sft,{n},{curve[-1][0] + 0.01}B,2.9\n"
        )
    runs = read(text)
    assert runs.kept["loss"].tolist() == [4.4, 3.79]
    assert runs.kept["tokens"].tolist() == [0.5e9, 1.2e9]
    assert read(text, states=["sft"]).kept["loss"].tolist() == [2.9, 2.9]
    kinds = "model,params,tokens,loss\nmin,25M,.5B,4.4\nmedian,60M,1.2B,3.79\nmax,120M,2.4B,3.4\n"
    assert len(read(kinds).kept) == 3  # sizes of models
