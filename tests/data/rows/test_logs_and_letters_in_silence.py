"""Logs, letters and headings that once gave a wrong number without a word, each with variants."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from data import MappingNeeded, NothingKept, Runs
from tests.data.cases import side_by_side

Read = Callable[..., Runs]


def test_a_bare_l_of_whole_numbers_is_no_loss(read: Read) -> None:
    tables = (
        "L,W,N,min_val\n6,384,14155776,3.9621\n12,384,28311552,3.8360\n12,768,113246208,3.7504\n",
        "Model,Layers,Dim,L,Params,Data\nA,48,1600,3,1B,50B\nB,60,2000,5,3B,100B\n",
        "L,d_model,heads,params\n6,384,6,10M\n12,768,12,85M\n24,1024,16,300M\n",
        "L,N,D\n6,14155776,1e9\n12,28311552,2e9\n",
        "L,W,N\n6,384,14155776\n12,384,28311552\n12.5,768,113246208\n",
    )
    for text in tables:
        with pytest.raises(MappingNeeded) as asked:
            read(text)
        assert {q.key for q in asked.value.questions} == {"columns.loss"}, text
    with pytest.raises(MappingNeeded) as asked:
        read(tables[0])
    assert asked.value.questions[0].guess == "min_val"
    for text in (
        "N,D,L\n1e8,2e9,2.81\n2e8,4e9,2.75\n",
        "layers,heads,N,D,L\n6,6,1e8,2e9,3\n12,12,2e8,4e9,2.75\n24,16,4e8,8e9,2.61\n",
    ):
        assert read(text).kept["loss"].tolist()[-1] in (2.75, 2.61), text


_TRAIN = "10,train,5.10,{a}\n20,train,4.80,{a}\n20,val,4.95,{b}\n30,train,4.60,{a}\n40,train,4.45,{c}\n"
_LOG = "step,split,loss,{h}\n" + _TRAIN + "40,val,4.66,{b}\n50,train,4.31,{c}\n"


def test_a_setting_that_one_split_leaves_out_tells_no_runs_apart(read: Read) -> None:
    settings = (
        ("lr", "1e-4", "3e-4"),
        ("batch_size", "32", "32"),
        ("lr", "3e-4", "3e-4"),
        ("seq_len", "512", "1024"),
    )
    for (header, a, c), blank in side_by_side(settings * 2, ("", "0", "nan", "-")):
        runs = read(_LOG.format(h=header, a=a, b=blank, c=c))
        assert runs.kept["loss"].tolist() == [4.66], (header, blank)
        assert runs.kept["steps"].tolist() == [40.0], (header, blank)
    runs = read("lr,split,loss,params\n1e-3,train,3.1,1e8\n2e-3,train,2.9,1e8\n,val,3.2,2e8\n,val,3.3,4e8\n")
    assert len(runs.kept) == 4  # of other sizes: other runs


_ROWS = (
    "| Config | Params | Tokens | Val Loss |\n|---|---|---|---|\n| a | 10M | 200M | 3.9 |\n| b | 20M | 400M | 3.6 |\n"
)


def test_a_heading_that_says_its_numbers_are_not_measured_sets_them_aside(read: Read) -> None:
    for heading, word in (
        ("## Estimated results (placeholder values)", "placeholder"), ("## Expected Performance", "expected"),
        ("### 4.1 Expected results", "expected"), ("Predicted", "predicted"), ("# Projected validation loss", "projected"),
        ("## Illustrative numbers", "illustrative"), ("**Placeholder**", "placeholder"), ("## Hypothetical", "hypothetical"),
        ("## Target", "target"), ("## Results (estimated)", "estimated"), ("## Scaling results - expected", "expected"),
        ("# Measured\n\ntext\n\n## Predicted", "predicted"),
    ):  # fmt: skip
        text = f"{heading}\n\n{_ROWS}"
        with pytest.raises(NothingKept) as none:
            read(text, "t.md")
        assert none.value.runs.reasons == {f"run state: {word}": 2}, heading
        assert any("were not measured" in note for note in none.value.runs.notes), heading
        assert len(read(text, "t.md", states=[word]).kept) == 2, heading
    for heading in (
        "## Results", "## Target model: gpt", "## Estimated FLOPs and measured losses", "## Time to target loss 3.28", "# Target loss",
        "## Next-token prediction", "## Predicted vs actual", "## Measured, not predicted", "## Extrapolation of scaling laws",
        "# Predicted\n\n## Measured", "## Results match the expected scaling",
    ):  # fmt: skip
        assert len(read(f"{heading}\n\n{_ROWS}", "t.md").kept) == 2, heading
    both = f"## Runs\n\n{_ROWS}\n## Expected results\n\n{_ROWS.replace('3.9', '3.7').replace('3.6', '3.3')}"
    runs = read(both, "t.md")
    assert (runs.kept["loss"].tolist(), runs.reasons) == ([3.9, 3.6], {"run state: expected": 2})


def test_flops_of_as_many_tokens_for_every_size_are_those_of_a_pass(read: Read) -> None:
    sizes = (1e6, 4e6, 16e6, 64e6)
    for tokens in (1_000, 1_024, 2_048, 131_072):
        larger = [n * (1 if tokens < 10_000 else 100) for n in sizes]
        rows = "".join(f"m{n:g},{n:g},{4.5 - i / 2},{6 * n * tokens:.3g}\n" for i, n in enumerate(larger))
        runs = read("Model,Parameters,Loss,FLOPs\n" + rows)
        assert not {"tokens", "flops"} & set(runs.kept), tokens
        assert any("no training compute" in note for note in runs.notes), tokens
        assert "tokens" in read("Model,Parameters,Loss,FLOPs\n" + rows, columns={"flops": "FLOPs"}).kept, tokens
    for tokens in (1e8, 3e11):  # one amount of data for every size
        rows = "".join(f"m{n:g},{n:g},{4.5 - i / 2},{6 * n * tokens:.3g}\n" for i, n in enumerate(sizes))
        assert (read("Model,Parameters,Loss,FLOPs\n" + rows).kept["tokens"] / tokens - 1).abs().max() < 0.01, tokens
    rows = "".join(f"m{n:g},{n:g},{4.5 - i / 2},{6 * n * 2e4:.3g},20000\n" for i, n in enumerate(sizes))
    assert read("Model,Parameters,Loss,FLOPs,Tokens\n" + rows).kept["flops"].tolist() == [6 * n * 2e4 for n in sizes]


def test_a_sequence_length_in_a_files_name_is_none_below_32_and_is_announced(read: Read) -> None:
    text = "params,batch_size,steps,val_loss\n1000000,16,10000,3.2\n2000000,16,10000,3.1\n"
    for name in ("gpt2_ctx2.csv", "exp_seq_3.csv", "run_seq1.csv", "seq-31.csv", "a_seqlen_12.csv"):
        runs = read(text, name)
        assert not {"tokens", "seq_len"} & set(runs.kept), name
    for name, length in (("gpt_ctx1024.csv", 1024), ("gpt_ctx2k.csv", 2048), ("seq_32.csv", 32)):
        runs = read(text, name)
        assert runs.kept["tokens"].tolist() == [16 * 1e4 * length] * 2, name
        assert [q.key for q in runs.questions] == ["columns.seq_len"], name
    with_tokens = "params,tokens,val_loss\n1000000,2e7,3.2\n2000000,4e7,3.1\n"
    assert not read(with_tokens, "gpt_ctx1024.csv").questions


def test_minus_one_or_zero_between_losses_is_not_evaluated(read: Read) -> None:
    for word in ("-1", "-1.0", "0", "0.0"):
        text = f"step,train_loss,val_loss\n1,7.9,{word}\n2,7.5,7.6\n3,7.3,{word}\n4,7.1,7.2\n5,7.0,{word}\n"
        runs = read(text)
        assert (runs.kept["loss"].tolist(), runs.kept["steps"].tolist()) == ([7.2], [4.0]), word
        assert runs.history is not None
        assert runs.history["loss"].tolist() == [7.6, 7.2], word
        assert any("was not evaluated there" in note for note in runs.notes), word
        alone = f"step,val_loss\n100,{word}\n200,4.6\n300,{word}\n400,4.2\n500,{word}\n"
        assert read(alone).kept["loss"].tolist() == [4.2], word
        two = "run,step,val_loss\n" + "".join(
            f"{r},{s},{v}\n" for r in "ab" for s, v in ((1, 5.1), (2, word), (3, 4.4), (4, word))
        )
        assert read(two).kept["loss"].tolist() == [4.4, 4.4], word
    broke = "step,loss\n100,4.9\n200,4.6\n300,0\n400,0\n500,0\n"
    with pytest.raises(NothingKept):
        read(broke)
    runs = read("model,params,tokens,loss\na,1e8,2e9,3.1\nb,2e8,4e9,0\nc,4e8,8e9,2.8\n")  # runs, no curve
    assert runs.reasons == {"loss is zero": 1}


def test_columns_that_measure_something_else_are_asked_about_or_left(read: Read) -> None:
    with pytest.raises(MappingNeeded) as asked:
        read("Model,Params,Steps,Loss\na,10M,1000,-13.84\nb,20M,1000,-14.30\nc,40M,1000,0.022\nd,80M,1000,0.031\n")
    assert [q.key for q in asked.value.questions] == ["units.loss"]
    one = "Model,Params,Loss\n" + "".join(f"m{i},{i}0M,{3.5 - i / 10}\n" for i in range(1, 9)) + "m9,90M,-2.1\n"
    assert read(one).reasons == {"loss is negative": 1}  # one slip of nine
    for header, cells in (
        ("Fertility", ("1.2", "1.1")),
        ("compression ratio", ("4.1", "4.4")),
        ("OOV", ("0.1", "0.2")),
    ):
        rows = f"a,32000,1162500,0.4,{cells[0]},3.2\nb,50000,1062500,0.5,{cells[1]},3.1\n"
        text = f"Tokenizer,Vocab,Total Tokens,Accuracy,{header},Loss\n{rows}"
        for more in (text, text.replace("Vocab", "Params").replace("000,1", "000000,1")):
            with pytest.raises(MappingNeeded) as asked:
                read(more)
            assert [q.key for q in asked.value.questions if q.needed] == ["columns.tokens"], header
            assert "tokens" not in read(more, columns={"tokens": None}).kept, header
        assert "tokens" in read(text.replace("Vocab", "Params").replace("000,1", "000,1000")).kept, header
    text = "run,params,tokens,loss,{h}\na,1M,20M,3.2,121\nb,2M,40M,3.1,122\nc,3M,60M,3.0,61\n"
    for header in ("s/seed", "sec/seed", "min/seed", "hours/seed"):
        assert "seed" not in read(text.format(h=header)).kept, header
    for header in ("seed", "config/seed", "exp/seed", "train/seed"):
        assert "seed" in read(text.format(h=header)).kept, header


def test_remarks_behind_a_loss_and_an_active_count_are_read(read: Read) -> None:
    for header, cells in (
        ("Mean val loss (n)", ("{} (n=1)", "{} (n=3)")),
        ("val loss", ("{} (n = 2)", "{} (3 seeds)")),
        ("val loss", ("{} @ 3190", "{} @ 4000")),
        ("val loss", ("{} @ ep72", "{} @ step 4k")),
        ("val loss", ("{} (@ 3190)", "{}")),
        ("val loss", ("**{}** @ 3,190 steps", "{} @epoch 3")),
    ):
        one, two = (c.format(v) for c, v in zip(cells, ("3.2777", "3.15"), strict=True))
        runs = read(f"run;Params;Tokens;{header}\na;1M;20M;{one}\nb;2M;40M;{two}\n")
        assert runs.kept["loss"].tolist() == [3.2777, 3.15], cells
        assert "loss_error" not in runs.kept or not runs.kept["loss_error"].notna().any(), cells
        assert any("left out" in note for note in runs.notes), cells
    for cells in (
        ("140M / 62M active", "280M / 120M active"),
        ("140M (62M active)", "280M total / 120M active params"),
    ):
        runs = read(f"run,Params,Tokens,val loss\na,{cells[0]},2B,3.2\nb,{cells[1]},4B,3.1\nc,124M,4B,3.0\n")
        assert runs.kept["params_total"].tolist() == [140e6, 280e6, 124e6], cells
        assert runs.kept["params_active"].tolist() == [62e6, 120e6, 124e6], cells
    runs = read("run,Params (M),Tokens,val loss\na,140 / 62 active,2B,3.2\nb,280 / 120 active,4B,3.1\n")
    assert runs.kept["params_active"].tolist() == [62e6, 120e6]


def test_optimal_sizes_are_the_runs_where_nothing_else_says_them(read: Read) -> None:
    rows = "1e18,1e8,2e9,{}3.1\n1e19,3e8,6e9,{}2.8\n1e20,1e9,2e10,{}2.5\n"
    for n, d in (("optimal_parameters", "optimal_dataset_tokens"), ("optimal_params", "optimal_tokens")):
        runs = read(f"budget,{n},{d},loss\n" + rows.format("", "", ""))
        assert (runs.kept["params"].tolist(), runs.kept["tokens"].tolist()) == ([1e8, 3e8, 1e9], [2e9, 6e9, 2e10]), n
        assert {q.key for q in runs.questions} >= {"columns.params", "columns.tokens"}, n
        runs = read(f"budget,{n},{d},params_total,tokens,loss\n" + rows.format("5e7,1e9,", "6e7,2e9,", "7e7,3e9,"))
        assert (runs.kept["params"].tolist(), runs.kept["tokens"].tolist()) == ([5e7, 6e7, 7e7], [1e9, 2e9, 3e9]), n


def test_cells_that_say_steps_are_no_compute(read: Read) -> None:
    for one, two in (("5,000 steps", "55,000 steps"), ("5k steps", "**55k steps**"), ("5000 steps", "55000 steps")):
        runs = read(
            f"| budget | tokens | val loss |\n|---|---|---|\n| {one} | 41M | 1.615 |\n| {two} | 450M | 1.28 |\n", "t.md"
        )
        assert (runs.kept["loss"].tolist(), runs.kept["steps"].tolist()) == ([1.28], [55000.0]), one
        assert "flops" not in runs.kept, one


def test_units_are_not_guessed_where_nothing_speaks_for_them(read: Read) -> None:
    for text in (
        "resolution,tokens,val loss\n14x14,196,1.1528\n28x28,784,1.0874\n",
        "step,tokens,val_loss\n0,0,3.47\n1,128,2.03\n2,256,1.03\n",
    ):
        with pytest.raises(MappingNeeded) as asked:
            read(text)
        assert [(q.key, q.guess) for q in asked.value.questions] == [("units.tokens", "")], text
    with pytest.raises(MappingNeeded) as asked:
        read("params,tokens,val_loss\n125M,300,2.9\n1.3B,300,2.5\n")
    assert asked.value.questions[0].guess  # a model's size speaks for one
    with pytest.raises(MappingNeeded) as asked:
        read("Arch,L,d,params\na,2,4,1M\nb,2,4,2M\n")
    assert {q.key for q in asked.value.questions} == {"columns.loss"}
    for header, values in (
        ("Accuracy", (0.2, 0.5, 0.8)),
        ("train_runtime", (100, 220, 900)),
        ("Accuracy", (20.0, 55.5, 80.1)),
    ):
        rows = "".join(f"m{i},{i + 1}0M,{v},{3.5 - i / 10}\n" for i, v in enumerate(values))
        assert not read(f"model,params,{header},val_loss\n{rows}").questions, header
    rows = "".join(f"m{i},{i + 1}0M,{v},{3.5 - i / 10}\n" for i, v in enumerate((10, 22, 90)))
    assert [q.key for q in read(f"model,params,Wortmenge,val_loss\n{rows}").questions] == ["columns.tokens"]
