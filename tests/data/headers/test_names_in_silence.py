"""What names and words say of runs, where a table once gave a wrong number or a wrong row without a word."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import pytest

from data import MappingNeeded, Runs
from data.filenames.points import pointed
from data.headers.names import loss_name, named
from data.states.rows import in_a_name
from tests.data.cases import side_by_side

Read = Callable[..., Runs]

#: Names, and what each is with its decimal points put back; what may be read two ways has both.
POINTS = (
    ("pythia-70m pythia-160m pythia-1-4b pythia-2-8b", "pythia-70m pythia-160m pythia-1.4b pythia-2.8b"),
    ("pythia-1_4b pythia-2_8b opt-6-7b", "pythia-1.4b pythia-2.8b opt-6.7b"),
    ("pythia-1-4B_16384step pythia-6-9b", "pythia-1.4B_16384step pythia-6.9b"),
    ("a-1p4b a-70m", "a-1.4b a-70m"),
    ("x-0-5B x-1-5B x-7B", "x-0.5B x-1.5B x-7B"),
    ("70m 1-4b 2-8b", "70m 1.4b 2.8b"),
    ("cerebras-gpt-111m cerebras-gpt-2-7b", "cerebras-gpt-111m cerebras-gpt-2.7b"),
    ("gpt-2-124M gpt-2-355M gpt-2-1-5b", "gpt-2-124M gpt-2-355M gpt-2-1.5b"),
    ("llama-3-8b llama-2-7b qwen-2-7b", "llama-3-8b llama-2-7b qwen-2-7b"),
    ("llama-7b llama-2-7b llama-2-13b llama-3-1-8b", "llama-7b llama-2-7b llama-2-13b llama-3-1-8b"),
    ("qwen2-5-7b qwen2-5-1-5b stablelm-2-1-6b", "qwen2-5-7b qwen2-5-1.5b stablelm-2-1.6b"),
    ("a-1-70m a-2-70m a-1-160m", "a-1-70m a-2-70m a-1-160m"),
    ("lr3e-4-70m lr1e-3-70m seed-1-4b seed-2-8b", "lr3e-4-70m lr1e-3-70m seed-1-4b seed-2-8b"),
    ("arm-1-4b arm-2-4b arm-1-8b arm-2-8b", "arm-1-4b arm-2-4b arm-1-8b arm-2-8b"),
    ("gpt-125m gpt-1-3b gpt-2-7b", "gpt-125m gpt-1.3b gpt-2.7b", "gpt-125m gpt-1-3b gpt-2-7b"),
    ("a-1-4b a-2-8b", "a-1.4b a-2.8b", "a-1-4b a-2-8b"),
    ("1,1B-r3 2,3B-r4 0,4B-r1", "1.1B-r3 2.3B-r4 0.4B-r1", "1,1B-r3 2,3B-r4 0,4B-r1"),
    ("llama-0,4B llama-7B", "llama-0.4B llama-7B"),
    ("llama-0_4B llama-7B", "llama-0.4B llama-7B"),
)  # fmt: skip


def test_a_decimal_point_that_became_another_sign() -> None:
    for names, *right in POINTS:
        found = pointed(names.split())
        assert [" ".join(found.texts.values()), " ".join(found.others.values())] == [right[0], right[-1]], names


def test_sizes_of_names_without_their_points(read: Read) -> None:
    rows = "pythia-70m,3.2e9,2.70\npythia-160m,3.2e9,2.48\npythia-1-4b,4.3e9,2.21\npythia-2-8b,17e9,2.017\n"
    assert read("name,tokens,val_loss\n" + rows).kept["params"].tolist() == [7e7, 1.6e8, 1.4e9, 2.8e9]
    open_ones = "name,tokens,val_loss{}\nmodel-1-4b,3e9,2.7{}\nmodel-2-8b,3e9,2.6{}\n"
    with pytest.raises(MappingNeeded, match=r"1\.4b in 'model-1-4b'.* or 4b in") as e:
        read(open_ones.format("", "", ""))
    (question,) = e.value.questions
    answered = [read(open_ones.format("", "", ""), columns={"params": o}) for o in question.options]
    assert [r.kept["params"].tolist() for r in answered] == [[1.4e9, 2.8e9], [4e9, 8e9]]
    assert read(open_ones.format(",flops", ",7.2e19", ",1.44e20")).kept["params"].tolist() == [4e9, 8e9]  # 6 N D
    with pytest.raises(MappingNeeded, match=r"1\.4b or 4b"):
        read("step,tokens,loss\n1,2e8,3.2\n2,3e8,3.1\n3,4e8,3.0\n", "model-1-4b.csv")


def test_a_decimal_comma_in_names_of_a_file_that_has_them(read: Read) -> None:
    written = (("1,1", "2,3", "0,4"), ("1,25", "2,7", "13,5"), ("1,125", "2,35", "0,425"))
    for form, sizes in side_by_side(("{}B", "{}B-r1", "gpt-{}B", "gpt {}b lr3e-4", "run2-{}B-a"), written):
        text = "run;loss;tokens\n" + "".join(
            f"{form.format(size)};2,{8 - i}1;{i}e9\n" for i, size in enumerate(sizes, start=1)
        )
        right = [float(size.replace(",", ".")) * 1e9 for size in sizes]
        assert read(text).kept["params"].tolist() == pytest.approx(right), (form, sizes)
    with pytest.raises(MappingNeeded, match=r"1\.1B in '1,1B-a'.* or 1B in"):  # one of another sign, or two numbers
        read('run,loss,tokens\n"1,1B-a",2.8,5e9\n"2,3B-a",2.6,9e9\n')


#: Names of runs that nobody measured, and names that only sound like it.
FORETOLD = (
    "NanoLlama v1 (extrapolated to 4.72B)", "7B (predicted from fit)", "predicted 7B", "Predicted: 7B", "7B (estimated)", "7B (target)",
    "7B (planned)", "7B_pred", "7B (pred)", "7B (extrap.)", "7B (预测)", "7B（预测）", "7B (predicción)", "7B (prévu)", "7B (dự đoán)",
    "7B predicted by the law", "7B extrapolated from our fit", "predicted-7B", "7B (extrapolated to 4.72B tokens)",
)  # fmt: skip
MEASURED = (
    "7B", "mup_predicted_lr 7B", "7B predicted-lr", "7B (active)", "target-net 7B", "7B (model)", "7B-multi-token-prediction",
    "7B next-token-pred", "interpolated-rope 7B",
    "pred-head", "forecast-net", "MTP (predicted 4 tokens)", "pred_head", "Forecast-Net (d=512)", "projected-attention",
)  # fmt: skip


def test_names_that_say_that_nobody_measured() -> None:
    assert [n for n in FORETOLD if not in_a_name(n)] == []
    assert [n for n in MEASURED if in_a_name(n)] == []


def test_a_name_of_nothing_but_target_is_no_run_beside_measured_ones(read: Read) -> None:
    head, rows = "name,params,tokens,loss\n", "a,125M,2.5B,3.45\nb,350M,7B,3.05\n"
    runs = read(f"{head}{rows}target,70B,1.4T,1.90\n", "t.csv")
    assert runs.kept["loss"].tolist() == [3.45, 3.05]
    assert runs.reasons == {"run state: target": 1}
    assert len(read(f"{head}{rows}target,70B,1.4T,1.90\n", "t.csv", states=["target"]).kept) == 3
    for more in (
        "target,1B,20B,2.8\ndraft,70M,1.4B,3.9\n",
        "# best,1B,20B,2.8\n",
        "target,125M,2.5B,3.44\nema,125M,2.5B,3.41\n",
        "c,1B,20B,2.8\n",
    ):
        assert len(read(f"{head}{rows}{more}", "t.csv").kept) == 2 + more.count("\n"), more
    done = "name,params,tokens,loss,state\na,125M,2.5B,3.45,STOPPING_COMPLETED\nb,350M,7B,3.05,COMPLETED\n"
    assert len(read(done, "t.csv").kept) == 2


def test_rows_that_nobody_measured(read: Read) -> None:
    for header in ("", "Metric", "Result", "Quantity", "Value", "Set", "What", "Case", "Item", "Data", "Anything"):
        rows = "| **Predicted** | 163M | 3.26B | 2.7025 |\n| **Actual** | 163M | 3.26B | 3.3125 |\n"
        found = read(f"| {header} | Parameters | Tokens | Val Loss |\n|---|---|---|---|\n{rows}", "runs.md")
        assert found.kept["loss"].tolist() == [3.3125], header


def test_a_predicted_loss_is_no_loss() -> None:
    for header in ("Dự đoán ppl", "perte prévue", "loss (prédit)", "vorhergesagter Verlust", "loss previsto", "pérdida predicha",
                   "предсказанный loss", "予測損失", "예측 손실", "extrapolated loss", "loss_pred"):  # fmt: skip
        assert loss_name(header) is None, header
    for header in ("next token prediction loss", "下一个词预测损失", "predictive loss"):
        assert loss_name(header) is not None, header


def test_steps_with_marks_whose_points_may_be_of_thousands(read: Read) -> None:
    with pytest.raises(MappingNeeded, match="three decimals"):
        read("| Steps | loss |\n|---|---|\n| 16.000 | 3.4 |\n| 33.000 (now) | 3.2 |\n| **66.000** | 3.0 |\n", "runs.md")


def test_a_count_written_out_under_a_header_of_millions(read: Read) -> None:
    cases = [
        ("N (M)", '"2,991,928"', "0.21 B"),
        ("params_M", "12500000", "2.1e9"),
        ("params (millions)", "12500000", "210000000"),
    ]
    for header, count, tokens in cases:
        more = count.replace("2", "3").replace("1,", "5,")
        text = f"run,{header},tokens,loss\na,{count},{tokens},4.15\nb,{more},{tokens},3.43\n"
        with pytest.raises(MappingNeeded, match="seven digits") as e:
            read(text)
        (question,) = e.value.questions
        assert (question.key, question.guess) == ("units.params", "1"), header
        assert read(text, units={"params": 1}).kept["params"].iloc[0] == float(count.strip('"').replace(",", ""))
    with pytest.raises(MappingNeeded, match="seven digits"):
        read("run,params,tokens (M),loss\na,12M,210000000,4.15\nb,35M,670000000,3.43\n")
    large = read("run,params (M),tokens (M),loss\na,405000,300000,1.9\nb,70000,150000,2.1\n").kept
    assert (large["params"].iloc[0], large["tokens"].iloc[0]) == (4.05e11, 3e11)


def test_units_of_cells_are_doubted_too(read: Read) -> None:
    """2 thousand tokens for 3 billion parameters, each cell with a unit of its own."""
    with pytest.raises(MappingNeeded, match="tokens per parameter"):
        read("run,params,tokens,loss\na,3B,210k,4.15\nb,10B,670k,3.43\n")


_FOUR = "| {} | step | params | tokens | val loss |\n|---|---|---|---|---|\n" + "".join(
    f"| {o} | {s} | 120M | {t}M | {v} |\n"
    for o, s, t, v in (("AdamW", 6100, 199.9, 1.6227), ("Muon", 7000, 229.4, 1.6191),
                       ("SOAP", 12200, 399.8, 1.4925), ("Lion", 13000, 426.0, 1.5043))
)  # fmt: skip


def test_a_column_of_text_tells_runs_apart_beside_a_counter(read: Read) -> None:
    for header in ("optimizer", "variant", "method", "arm", "condition", "recipe", "setup", "ablation", "configuration",
                   "Architecture", "tokenizer", "", "anything"):  # fmt: skip
        found = read(_FOUR.format(header), "runs.md")
        assert found.kept["loss"].tolist() == [1.6227, 1.6191, 1.4925, 1.5043], header
        assert found.kept["run"].tolist() == ["AdamW", "Muon", "SOAP", "Lion"], header
    for header in ("phase", "time", "event"):  # what one run goes through
        assert len(read(_FOUR.format(header), "runs.md").kept) == 1, header
    with pytest.raises(MappingNeeded) as e:
        read(_FOUR.format("comment"), "runs.md")
    assert [q.key for q in e.value.questions] == ["rows"]
    assert len(read(_FOUR.format("comment"), "runs.md", rows="runs").kept) == 4


def test_remarks_in_a_log_name_no_runs(read: Read) -> None:
    for header, cells in (
        ("comment", ("warm", "spike", "fine", "lr cut", "end")), ("Notes", ("baseline", "", "lr lowered")), ("remark", ("", "a", "b", "c")),
        ("day", ("Mon", "Tue", "Wed", "Thu")), ("时间", ("0 min", "5 min", "10 min?", "final (15.2min)")), ("备注", ("a", "b", "c")),
    ):  # fmt: skip
        rows = "".join(f"{k}000,125M,{k}00M,{4 - k / 10},{c}\n" for k, c in enumerate(cells, 1))
        assert len(read(f"step,params,tokens,val_loss,{header}\n{rows}").kept) == 1, header


def test_words_beside_an_even_log_are_announced_and_not_asked_first(read: Read) -> None:
    cells = ("warm", "spike", "fine", "cut", "end", "more", "done")
    rows = "".join(f"{k}00,125M,{k}00M,{4 - k / 10:.1f},{c}\n" for k, c in enumerate(cells, 1))
    for header, told in (
        ("when", []),
        ("note", []),
        ("msg", []),
        ("tag", ["rows"]),
        ("label", ["rows"]),
        ("source", ["rows"]),
    ):
        for more in ("params,tokens,", ""):
            own = rows if more else "".join(f"{k}00,{4 - k / 10:.1f},{c}\n" for k, c in enumerate(cells, 1))
            runs = read(f"step,{more}loss,{header}\n{own}")
            assert runs.kept["loss"].tolist() == [3.3], (header, more)
            assert [q.key for q in runs.questions] == told, (header, more)
            if told:
                apart = read(f"step,{more}loss,{header}\n{own}", rows="runs")
                assert len(apart.kept) == len(cells), (header, more)
    few = "".join(f"{k}00,{4 - k / 10:.1f},{c}\n" for k, c in enumerate(cells[:4], 1))
    with pytest.raises(MappingNeeded):  # as likely four runs
        read(f"step,loss,label\n{few}")


def test_a_column_of_text_parts_curves_and_grids(read: Read) -> None:
    pairs = [(o, n) for o in ("AdamW", "Muon", "SOAP") for n in (120, 240)]
    grid = "".join(f"{o},{1000 + 100 * i},{n}M,{100 + i}M,{3 - 0.1 * i:.2f}\n" for i, (o, n) in enumerate(pairs))
    assert len(read("optimizer,step,params,tokens,loss\n" + grid).kept) == 6
    curves = "".join(
        f"{o},{1000 * k},{3 - 0.1 * k - less:.2f}\n" for o, less in (("AdamW", 0), ("Muon", 0.05)) for k in range(1, 7)
    )
    found = read("optimizer,step,loss\n" + curves).kept
    assert found["loss"].tolist() == [2.4, 2.35]
    behind = "".join(f"{'AdamW' if k < 5 else 'Muon'},{1000 * k},{3 - 0.1 * k:.2f}\n" for k in range(1, 9))
    for header, rows in (
        ("part", behind),
        ("optimizer", behind),
        ("anything", "".join(f"{c},{i}00,3.{9 - i}\n" for i, c in enumerate("abcd"))),
    ):
        with pytest.raises(MappingNeeded) as e:  # runs, or what one run goes through
            read(f"{header},step,loss\n{rows}")
        assert [q.key for q in e.value.questions] == ["rows"], header


def test_a_log_with_times_and_few_remarks_is_one_run(read: Read) -> None:
    rows = "".join(
        f"2024-01-0{k} 10:0{k},{k}00,{4 - 0.1 * k:.1f},{k} it/s,{'warm' if k == 3 else ''}\n" for k in range(1, 8)
    )
    assert len(read("when,step,loss,rate of it,note\n" + rows).kept) == 1


def test_few_rows_beside_numbered_checkpoints_are_asked_about(read: Read) -> None:
    text = "Checkpoint (iter) | Tokens Seen | Val Loss\n--- | --- | ---\n1000 | 1.6B | 2.9\n2000 | 3.2B | 2.7\n4000 | 6.5B | 2.6\n"
    with pytest.raises(MappingNeeded) as e:
        read(text, "runs.md")
    assert [(q.key, q.guess) for q in e.value.questions] == [("rows", "checkpoints")]
    assert read(text, "runs.md", rows="checkpoints").kept["loss"].tolist() == [2.6]


def test_headers_of_spreads_and_of_counts() -> None:
    for header in ("seed σ", "σ (seeds)", "Δ params"):
        assert named(header) == (), header
    for header in ("N (total)", "N (total, tied emb)", "N total", "Params (total, tied embeddings)", "N (full)"):
        assert named(header)[0][0] == "params_total", header


def test_trainable_parameters_may_be_those_of_an_adapter(read: Read) -> None:
    """Asked about alone, the model's where names, compute or its shape say so, and left beside another count."""
    rows = (("125M", "1B", 3.1), ("350M", "2B", 2.9), ("760M", "4B", 2.7))
    for header in (
        "Trainable params",
        "trainable_params",
        "params (trainable)",
        "model/num_trainable_params",
        "learnable params",
    ):
        lora = "".join(f"r{i},{4 * i}.2M,{d},{x}\n" for i, (_, d, x) in enumerate(rows, 1))
        with pytest.raises(MappingNeeded, match="adapter") as e:
            read(f"run,{header},tokens,loss\n{lora}")
        assert [q.key for q in e.value.questions] == ["columns.params"], header
        told = read(f"run,{header},tokens,loss\n{lora}", columns={"params": header}).kept["params"].tolist()
        assert told == [4.2e6, 8.2e6, 12.2e6], header
        named_so = "".join(f"gpt-{n},{int(float(n[:-1]) * 0.99)}M,{d},{x}\n" for n, d, x in rows)
        right = read(f"run,{header},tokens,loss\n{named_so}")
        assert right.kept["params"].tolist() == [123e6, 346e6, 752e6], header
        assert not right.questions, header
        far = read(f"run,{header},tokens,loss\n" + "".join(f"gpt-{n},4.2M,{d},{x}\n" for n, d, x in rows))
        assert far.kept["params"].tolist() == [125e6, 350e6, 760e6], header
        assert [q.key for q in far.questions] == ["columns.params"], header
        for total in ("Total params", "params", "Params (M)")[: 3 if header == "Trainable params" else 1]:
            cells = "".join(f"r,{n[:-1] if '(M)' in total else n},4.2M,{d},{x}\n" for n, d, x in rows)
            beside = read(f"run,{total},{header},tokens,loss\n{cells}", rows="runs")
            assert beside.kept["params"].tolist() == [125e6, 350e6, 760e6], (header, total)
            assert any("what was trained" in n for n in beside.notes), (header, total)
    scratch = "| run | {} | tokens | loss |\n|---|---|---|---|\n| a | 125M | {} | 3.1 |\n| b | 350M | {} | 2.9 |\n| c | 760M | {} | 2.7 |\n"
    headers = ("trainable params", "Trainable parameters", "learnable params")
    trained = (("2.5B", "7B", "15.2B"), ("12B", "12B", "15.2B"), ("1B", "2.1B", "60B"))
    tuned = (("10B", "10B", "10B"), ("1B", "2B", "1.5B"), ("40B", "40B", "160B"))
    for header, tokens, fewer in zip(headers, trained, tuned, strict=True):
        model = read(scratch.format(header, *tokens), "t.md")
        assert model.kept["params"].tolist() == [125e6, 350e6, 760e6], (header, tokens)
        assert [(q.key, q.guess, q.needed) for q in model.questions] == [("columns.params", header, False)], tokens
        with pytest.raises(MappingNeeded, match="adapter"):
            read(scratch.format(header, *fewer), "t.md")
    for more, cells in ((("n_layer,d_model"), ("12,768", "24,1024")), ("flops", ("7.44e17", "4.2e18"))):
        text = f"run,trainable params,tokens,loss,{more}\na,124e6,1B,3.1,{cells[0]}\nb,350e6,2B,2.9,{cells[1]}\n"
        assert not read(text).questions, more


def test_losses_that_are_the_same_number_are_no_question(read: Read) -> None:
    """The losses of three runs as `v`; others are what follows from them."""
    cases: dict[str, Callable[[float], tuple[float, ...]]] = {
        "final_train_loss,final_val_loss,best_val_loss": lambda v: (v - 0.1, v, v),
        "val_loss,test_loss": lambda v: (v, v),
        "val_loss,val_perplexity": lambda v: (v, math.exp(v)),
        "loss,bits/char,perplexity": lambda v: (v, v / math.log(2), math.exp(v)),
    }
    for header, made in cases.items():
        rows = "".join(f"r{v},{v}e7,1e9,{','.join(f'{x:.6g}' for x in made(v))}\n" for v in (3.98, 3.71, 3.45))
        assert read(f"run,params,tokens,{header}\n{rows}").kept["loss"].tolist() == [3.98, 3.71, 3.45], header
    with pytest.raises(MappingNeeded):  # one row differs
        read("run,params,tokens,val_loss,test_loss\na,1e7,1e9,3.98,3.98\nb,2e7,1e9,3.71,3.91\nc,4e7,1e9,3.45,3.45\n")
    same = read("run,params,total_params,tokens,loss\na,10M,10M,1B,3.4\nb,20M,20M,1B,3.2\n")
    assert not same.questions


_GROUPS = {
    group: {size: {"n_params": n, "tokens": 2e8, "val_loss": loss - less} for size, n, loss in
            (("tiny", 1e6, 4.1), ("small", 1e7, 3.6), ("base", 1e8, 3.2))}
    for group, less in (("sp_scaling", 0.0), ("mup_scaling", 0.1))
}  # fmt: skip


def test_runs_below_the_names_of_their_groups_in_json(read: Read) -> None:
    found = read(json.dumps({"made": "today", **_GROUPS}), "runs.json")
    assert found.kept["run"].tolist() == [f"{g}/{s}" for g in _GROUPS for s in ("tiny", "small", "base")]
    assert found.kept["group"].tolist() == ["sp_scaling"] * 3 + ["mup_scaling"] * 3
    assert found.kept["loss"].tolist() == pytest.approx([4.1, 3.6, 3.2, 4.0, 3.5, 3.1])
    assert any("left out: made" in n for n in found.notes)
    names = {"sp": {"a": _GROUPS["sp_scaling"]["tiny"]}, "mup": {"b": _GROUPS["sp_scaling"]["small"]}}
    assert read(json.dumps(names), "runs.json").kept["run"].tolist() == ["a", "b"]
    texts = {name: {"c4": {"loss": 3.1, "tokens": 5000}, "pile": {"loss": 3.0}} for name in "ab"}
    with pytest.raises(MappingNeeded):  # losses of one run on several texts
        read(json.dumps(texts), "runs.json")


def test_curves_in_pairs_of_step_and_loss(read: Read) -> None:
    curves = {"a": [[100, 7.88], [200, 7.4], [300, 7.1]], "b": [[100, 7.8], [200, 7.3]]}
    runs = [{"name": n, "n_params": 1e6, "tokens_per_step": 1e4, "eval_loss": c} for n, c in curves.items()]
    found = read(json.dumps(runs), "runs.json")
    assert found.kept[["run", "loss", "steps", "tokens"]].values.tolist() == [
        ["a", 7.1, 300, 3e6],
        ["b", 7.3, 200, 2e6],
    ]
    assert found.history is not None
    assert len(found.history) == 5
    timed = [[1.7e9 + s, s, loss] for s, loss in curves["a"]]  # as TensorBoard writes scalars
    one = read(json.dumps({"n_params": 1e6, "tokens_per_step": 1e4, "eval_loss": timed}), "runs.json").kept
    assert one[["loss", "steps"]].values.tolist() == [[7.1, 300]]


def test_tables_of_the_same_names_beside_each_other(read: Read) -> None:
    head, rows = (
        ["LR", "Val Loss", "Train Loss"],
        [["1e-4", "3.1", "3.0"], ["2e-4", "3.07", "2.98"], ["25e-5", "3.06", "2.97"]],
    )
    right = [["3e-4", "3.05", "2.96"], ["4e-4", "3.03", "2.95"], ["", "", ""]]
    for gap in ([""], []):
        cells = [[*a, *gap, *b] for a, b in zip([head, *rows], [head, *right], strict=True)]
        marks = ["---"] * len(cells[0])
        lines = [cells[0], marks, *cells[1:]]
        for text, name in (
            ("\n".join(f"| {' | '.join(c)} |" for c in lines), "runs.md"),
            ("\n".join(map(",".join, cells)), "runs.csv"),
        ):
            found = read(text, name)
            assert found.kept["loss"].tolist() == [3.1, 3.07, 3.06, 3.05, 3.03], (name, gap)
            assert any("beside each other" in n for n in found.notes)
    with pytest.raises(MappingNeeded):  # curves of two runs, which nothing would tell apart
        read("step,loss,,step,loss\n100,3.1,,100,3.05\n200,3.07,,200,3.03\n")
