"""Tables whose layout or names once gave a wrong number without a word: each read right, asked about, or set aside."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import product

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data import MappingNeeded, ReadError, Runs, read_runs
from data.filenames.columns import facts
from tests.data.cases import side_by_side

Read = Callable[..., Runs]


def values(runs: Runs, *columns: str) -> list[list[object]]:
    return runs.kept[list(columns)].values.tolist()


# Names in two rows -----------------------------------------------------------------------------------------------------

TOP = ("name", "size", "", "loss", "")
BELOW = ("", "params (M)", "tokens (B)", "train", "val")
BODY = (("a", "100", "2", "3.4", "3.5"), ("b", "200", "4", "3.1", "3.2"), ("c", "400", "8", "2.9", "3.0"))
TRUE = [["a", 100e6, 2e9, 3.5], ["b", 200e6, 4e9, 3.2], ["c", 400e6, 8e9, 3.0]]
Lines = list[tuple[str, ...]]


def repeated(lines: Lines) -> Lines:
    return [("name", "size", "size", "loss", "loss"), *lines[1:]]


def as_csv(lines: Lines, sign: str = ",") -> str:
    return "\n".join(sign.join(line) for line in lines) + "\n"


def as_markdown(lines: Lines) -> str:
    rows = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([rows[0], "|---|---|---|---|---|", *rows[1:]])


def as_latex(lines: Lines) -> str:
    head = r"\multirow{2}{*}{name} & \multicolumn{2}{c}{size} & \multicolumn{2}{c}{loss} \\ \cmidrule{2-3}"
    rows = [" & ".join(line) + r" \\" for line in lines[1:]]
    return "\n".join([r"\begin{tabular}{lrrrr}", r"\toprule", head, *rows, r"\bottomrule", r"\end{tabular}"])


def as_html(lines: Lines) -> str:
    head = "<tr><th rowspan=2>name</th><th colspan='2'>size</th><th colspan=\"2\">loss</th></tr>"
    names = "".join(f"<th>{c}</th>" for c in lines[1][1:])
    rows = "".join(f"<tr>{''.join(f'<td><b>{c}</b></td>' for c in line)}</tr>\n" for line in lines[2:])
    return f"<html><body><p>Words, and more.</p>\n<table>{head}\n<tr>{names}</tr>\n{rows}</table></body></html>"


def as_workbook(lines: Lines) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    for line in lines:
        sheet.append([float(c) if c[:1].isdigit() else c or None for c in line])
    for merged in ("A1:A2", "B1:C1", "D1:E1"):
        sheet.merge_cells(merged)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("write", [
    as_csv, lambda t: as_csv(t, "\t"), lambda t: as_csv(t, ";"), lambda t: as_csv(repeated(t)), as_markdown,
    lambda t: as_markdown(repeated(t)), as_latex, as_workbook, as_html, lambda t: "Table 3: results,,,,\n" + as_csv(t),
])  # fmt: skip
def test_names_in_two_rows_are_joined(read: Read, write: Callable[[Lines], str | bytes]) -> None:
    runs = read(write([TOP, BELOW, *BODY]), "table")
    assert values(runs, "run", "params", "tokens", "loss") == TRUE
    assert any("joined" in note for note in runs.notes)
    assert {s.header for s in runs.sources} >= {"size params (M)", "size tokens (B)", "loss val"}


@pytest.mark.parametrize(("text", "columns", "true"), [
    ("name,model,,results,,\n,size,,loss,,acc\n,params (M),tokens (B),train,val,test\na,100,2,3.4,3.5,.5\nb,200,4,3.1,3.2,.6\n",
     ("params", "tokens", "loss"), [[1e8, 2e9, 3.5], [2e8, 4e9, 3.2]]),
    ("method,size,size,loss,loss\nstat,params,tokens,mean,std\nname,,,,\na,1e8,2e9,3.4,.01\nb,2e8,4e9,3.1,.01\n",
     ("run", "params", "tokens", "loss", "loss_error"), [["a", 1e8, 2e9, 3.4, 0.01], ["b", 2e8, 4e9, 3.1, 0.01]]),
    ("| | **Train** | | **Eval** | |\n|---|---|---|---|---|\n| **run** | tokens (B) | loss | tokens (M) | loss |\n"
     "| a | 2 | 3.4 | 10 | 3.5 |\n| b | 4 | 3.1 | 10 | 3.2 |\n", ("run", "tokens", "loss"), [["a", 2e9, 3.5], ["b", 4e9, 3.2]]),
    ("           train              eval\nrun   tokens      loss    tokens   loss\na        2e9      3.4        1e7   3.5\n"
     "b        4e9      3.1        1e7   3.2\n", ("run", "tokens", "loss"), [["a", 2e9, 3.5], ["b", 4e9, 3.2]]),
    ("name,size,,loss,\n,params,tokens,train,val\n,(M),(B),nats,bits\na,100,2,3.4,5.0\nb,200,4,3.1,4.5\n",
     ("params", "tokens", "loss"), [[1e8, 2e9, 5 * 0.6931471805599453], [2e8, 4e9, 4.5 * 0.6931471805599453]]),
    (",size,,,loss,\nname,params (M),tokens (B),seed,train,val\na,100,2,1,3.4,3.5\nb,200,4,1,3.1,3.2\n",
     ("run", "params", "tokens", "loss"), [["a", 1e8, 2e9, 3.5], ["b", 2e8, 4e9, 3.2]]),
    ("name,train,,eval,\n,tokens (B),loss,tokens (M),loss\na,100,3.4,10,3.5\nb,200,3.1,10,3.2\n",
     ("tokens", "loss"), [[1e11, 3.5], [2e11, 3.2]]),
    ("name,parameters,,tokens,loss\n,total,active,,\na,8e9,1e9,1e11,3.5\nb,4e9,5e8,1e11,3.7\n",
     ("params_total", "params_active", "tokens", "loss"), [[8e9, 1e9, 1e11, 3.5], [4e9, 5e8, 1e11, 3.7]]),
    ("Model,Model,Data,Optim,Optim,Eval\nname,N,D,lr,batch,loss\na,8e7,1e9,3e-4,256,3.5\nb,16e7,2e9,3e-4,256,3.2\n",
     ("params", "tokens", "lr", "loss"), [[8e7, 1e9, 3e-4, 3.5], [16e7, 2e9, 3e-4, 3.2]]),
    ("Run,Parameters,Tokens,Loss\nid,non-embedding,seen,validation\na,8e7,1e9,3.5\nb,16e7,2e9,3.2\n",
     ("run", "params_nonembed", "tokens", "loss"), [["a", 8e7, 1e9, 3.5], ["b", 16e7, 2e9, 3.2]]),
    ("name,size,,loss,\n,params (M),tokens (B),train,val\nSmall models,,,,\na,100,2,3.4,3.5\nLarge models,,,,\nc,1000,2,2.4,2.5\n",
     ("run", "family", "params", "loss"), [["a", "Small models", 1e8, 3.5], ["c", "Large models", 1e9, 2.5]]),
    ("size,params,1e8,2e8,4e8\n,tokens,2e9,4e9,8e9\nloss,train,3.4,3.1,2.9\n,val,3.5,3.2,3.0\n",
     ("params", "tokens", "loss"), [[1e8, 2e9, 3.5], [2e8, 4e9, 3.2], [4e8, 8e9, 3.0]]),
    (",,a,b,c\nsize,params,1e8,2e8,4e8\n,tokens,2e9,4e9,8e9\nloss,train,3.4,3.1,2.9\n,val,3.5,3.2,3.0\n",
     ("run", "params", "tokens", "loss"), [["a", 1e8, 2e9, 3.5], ["b", 2e8, 4e9, 3.2], ["c", 4e8, 8e9, 3.0]]),
])  # fmt: skip
def test_names_in_rows_of_every_habit(
    read: Read, text: str, columns: tuple[str, ...], true: list[list[object]]
) -> None:
    assert [pytest.approx(row) if not any(isinstance(v, str) for v in row) else row for row in true] == values(
        read(text), *columns
    )


#: What stands below a name, the column that it is, its values and its unit.
GROUPS: dict[str, tuple[tuple[str, str, tuple[float, ...], float], ...]] = {
    "size": (("params (M)", "params", (100, 200, 400), 1e6), ("tokens (B)", "tokens", (2, 4, 8), 1e9)),
    "Model": (("params", "params", (1e8, 2e8, 4e8), 1), ("layers", "layers", (12, 24, 36), 1), ("d_model", "width", (512, 768, 1024), 1)),
    "Scale": (("N", "params", (1e8, 2e8, 4e8), 1), ("D", "tokens", (2e9, 4e9, 8e9), 1)),
    "Data": (("tokens", "tokens", (2e9, 4e9, 8e9), 1), ("seq len", "seq_len", (1024, 2048, 1024), 1)),
    "Optimizer": (("lr", "lr", (1e-3, 2e-3, 3e-3), 1), ("weight decay", "weight_decay", (0.1, 0.2, 0.1), 1)),
    "loss": (("train", "", (3.4, 3.1, 2.9), 1), ("val", "loss", (3.5, 3.2, 3.0), 1)),
    "Validation": (("loss", "loss", (3.5, 3.2, 3.0), 1), ("ppl", "", (33.1, 24.5, 20.1), 1)),
    "Results": (("val loss", "loss", (3.5, 3.2, 3.0), 1), ("acc", "", (0.4, 0.5, 0.6), 1)),
    "Loss": (("C4", "loss", (3.5, 3.2, 3.0), 1),),
}  # fmt: skip


@settings(max_examples=24, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_groups_of_names_in_every_order(read: Read, data: st.DataObject) -> None:
    loss = data.draw(st.sampled_from(["loss", "Validation", "Results", "Loss"]))
    others = data.draw(st.sets(st.sampled_from(["Model", "Data", "Optimizer"]), max_size=3))
    size = [] if others & {"Model", "Data"} else [data.draw(st.sampled_from(["size", "Scale"]))]
    groups = data.draw(st.permutations([loss, *sorted(others), *size]))
    again, named = data.draw(st.booleans()), data.draw(st.sampled_from([("name", ""), ("", "run"), None]))
    columns = [(g if again or i == 0 else "", *c) for g in groups for i, c in enumerate(GROUPS[g])]
    if len(columns) < 2 + len(groups) % 2:
        return
    rows = [[c[0] for c in columns], [c[1] for c in columns], *([f"{c[3][i]:g}" for c in columns] for i in range(3))]
    if named:
        rows = [[first, *row] for first, row in zip([*named, "a", "b", "c"], rows, strict=True)]
    lines = [tuple(row) for row in rows]
    form = data.draw(st.sampled_from([as_csv, lambda t: as_csv(t, "\t"), lambda t: workbook(all=t)]))
    runs = read(form(lines), "table")
    for _, _, column, true, factor in columns:
        if column:
            assert runs.kept[column].tolist() == pytest.approx([v * factor for v in true])


def test_several_losses_below_one_name_are_asked_about(read: Read) -> None:
    text = "name,N,D,C4,C4,Pile,Pile\n,,,loss,ppl,loss,ppl\na,1e8,2e9,3.4,30.0,2.9,18.2\nb,2e8,4e9,3.1,22.2,2.7,14.9\n"
    with pytest.raises(MappingNeeded) as caught:
        read(text)
    assert [q.key for q in caught.value.questions] == ["columns.loss"]
    assert read(text, columns={"loss": caught.value.questions[0].options[0]}).kept["loss"].iloc[0] == 3.4


def test_seeds_below_one_name_are_runs(read: Read) -> None:
    text = "params,tokens,loss,loss,loss\n,,seed 0,seed 1,seed 2\n1e8,2e9,3.4,3.41,3.42\n2e8,4e9,3.2,3.21,3.19\n"
    runs = read(text).kept
    assert runs["loss"].tolist() == [3.4, 3.41, 3.42, 3.2, 3.21, 3.19]
    assert runs["params"].tolist() == [1e8] * 3 + [2e8] * 3
    assert runs["seed"].astype(str).tolist() == ["0", "1", "2"] * 2


def test_a_first_run_in_words_is_no_row_of_names(read: Read) -> None:
    runs = read("name,params,tokens,loss,\na,1e8,2e9,oom,failed\nb,1e8,2e9,3.4,\nc,2e8,4e9,3.2,\n")
    assert values(runs, "run", "params", "tokens", "loss") == [["b", 1e8, 2e9, 3.4], ["c", 2e8, 4e9, 3.2]]
    assert len(runs.set_aside) == 1


def test_levels_of_a_data_frame_are_joined(read: Read) -> None:
    levels = [("size", "params (M)"), ("size", "tokens (B)"), ("loss", "train"), ("loss", "val")]
    frame = pd.DataFrame([list(map(float, row[1:])) for row in BODY], columns=pd.MultiIndex.from_tuples(levels))
    assert values(read_runs(frame), "params", "tokens", "loss") == [row[1:] for row in TRUE]
    frame.index = pd.Index(["a", "b", "c"])
    for name in (None, "run"):
        frame.index.name = name
        for written in (frame.to_string(), frame.to_csv(), frame.to_csv(sep=";")):
            assert values(read(written, "x.txt"), "params", "tokens", "loss") == [row[1:] for row in TRUE]


# What names say ----------------------------------------------------------------------------------------------------------

N, D, TOTAL, ACTIVE = "params", "tokens", "params_total", "params_active"
SAID: dict[str, dict[str, float]] = {
    # words behind the numbers, before them, in one word with them
    "1.3B_params_26B_tokens_lr3e-4": {N: 1.3e9, D: 26e9, "lr": 3e-4}, "1.3B-param-2.6B-token": {N: 1.3e9, D: 2.6e9},
    "1.3B params, 26B tokens": {N: 1.3e9, D: 26e9}, "Model with 125M parameters on 2.5B tokens": {N: 125e6, D: 2.5e9},
    "tokens-1B-params-125M": {N: 125e6, D: 1e9}, "params=1.3e9-tokens=2.6e10": {N: 1.3e9, D: 26e9}, "tokens-of-3B": {D: 3e9},
    "125Mparams": {N: 125e6}, "size125M": {N: 125e6}, "1.3B_26Btokens_lr3e-4": {N: 1.3e9, D: 26e9, "lr": 3e-4},
    "d512_l8_2Btok": {D: 2e9}, "2Btok-7B": {N: 7e9, D: 2e9}, "125M_1e9tok": {N: 125e6, D: 1e9}, "124M-params": {N: 124e6},
    # a word between two numbers speaks for the first, where the other can then be the model
    "7B-tokens-1B": {N: 1e9, D: 7e9}, "20B-tokens-125M": {N: 125e6, D: 20e9}, "1e9-tokens-125M": {N: 125e6, D: 1e9},
    "llama-2-tokens-7B": {D: 7e9}, "llama-2-params-7B-tokens": {}, "gpt-2-124M-tokens-9B": {},
    "model-125M-tokens-2.5B": {}, "7B-batch-4M": {}, "4M-batch-7B": {},
    "125M-20B-tokens": {N: 125e6, D: 20e9}, "tokens-20B-125M": {N: 125e6, D: 20e9}, "opt-6.7b-180b-tokens": {N: 6.7e9, D: 180e9},
    "125M_bs256_tokens": {N: 125e6, "batch_sequences": 256},
    # T behind a number
    "gpt2-124M-10BT": {N: 124e6, D: 10e9}, "gpt3-175B-300BT": {N: 175e9, D: 300e9}, "llama-7b-1T": {N: 7e9, D: 1e12},
    "phi-3-3.8b-3.3T": {N: 3.8e9, D: 3.3e12}, "7B-2Ttokens": {N: 7e9, D: 2e12}, "Llama 2 7B (2T tokens)": {N: 7e9, D: 2e12},
    "1T": {},
    # letters for keys
    "N125M_D2.5B": {N: 125e6, D: 2.5e9}, "N=125M,D=2.5B": {N: 125e6, D: 2.5e9}, "N-125M-D-2.5B": {N: 125e6, D: 2.5e9},
    "variant-D-7B": {N: 7e9}, "N12_d768": {}, "D512": {}, "b64_s1024": {}, "C1e19_125M": {N: 125e6, "flops": 1e19},
    # one size alone, and two
    "pythia-1.4b-deduped-step143000": {N: 1.4e9}, "13b_v2": {N: 13e9}, "gemma-2-9b": {N: 9e9}, "falcon-7b-instruct": {N: 7e9},
    "7B-chat-4bit": {N: 7e9}, "GPT-3 (175B)": {N: 175e9}, "125M-2.5B": {}, "125m_1b": {}, "1.3Bx26B": {}, "70M-vs-160M": {},
    "run_2b_or_not": {}, "stage-2b": {}, "exp_70M": {N: 70e6}, "run2M": {},
    # mixtures
    "8x7B": {}, "Mixtral-8x7B-v0.1": {}, "Mixtral 8×7B": {}, "Mixtral 8 x 7B": {}, "mixtral-8x22b": {}, "olmoe-1b-7b": {},
    "moe-7B": {}, "Llama-4-Scout-17B-16E": {}, "Q-30B-A3B": {TOTAL: 30e9, ACTIVE: 3e9}, "qwen3-30b-a3b": {TOTAL: 30e9, ACTIVE: 3e9},
    "Kimi-K2-1T-A32B": {TOTAL: 1e12, ACTIVE: 32e9}, "16B-A2.4B-5.7T": {TOTAL: 16e9, ACTIVE: 2.4e9, D: 5.7e12},
    "671B-37B-active": {TOTAL: 671e9, ACTIVE: 37e9}, "13B-active-47B-total": {TOTAL: 47e9, ACTIVE: 13e9},
    "1b-active-7b": {TOTAL: 7e9, ACTIVE: 1e9}, "7B-active-1B": {},
    # other things that are counted
    "100M_samples": {}, "4.8M-seqs": {}, "125M-20k-steps": {N: 125e6}, "125M-steps-20000": {N: 125e6}, "1.5M-steps-125M": {},
    "batch_size_4M": {}, "7B_batch-size-4M": {}, "dataset_size_3B": {}, "30B-3B-active-params": {TOTAL: 30e9, ACTIVE: 3e9},
    "batch-4M-7B-2T": {N: 7e9, D: 2e12}, "bs1M_124M": {N: 124e6}, "124M_bs0.5M": {N: 124e6}, "ctx-4k-7b": {N: 7e9, "seq_len": 4096},
}  # fmt: skip


@pytest.mark.parametrize("name", SAID)
def test_the_word_beside_a_number_decides_what_it_counts(name: str) -> None:
    assert {c: v for c, (v, _) in facts([name]).items()} == pytest.approx(SAID[name])


SIZES, LENGTHS = ("125M", "1.3B", "7b"), ("26B", "300B", "2T")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("form", [
    "{n}-params-{d}-tokens", "{d}_tokens_{n}_params", "params-{n}-tokens-{d}", "{n}-{d}-tokens", "{d}tokens-{n}", "gpt-{n}-{d}tok-v2",
    "tokens_{d}_{n}", "N{n}-tok{d}", "{d}-tokens-{n}", "lr1e-3-{n}-params-{d}-tokens-seed2", "{n}params_{d}toks_bs64",
])  # fmt: skip
def test_sizes_and_tokens_of_names_in_every_order(size: str, length: str, form: str) -> None:
    if form.startswith("N") and size.endswith("b"):
        size = size.upper()
    factor = {"M": 1e6, "B": 1e9, "b": 1e9, "T": 1e12}
    true = {c: float(t[:-1]) * factor[t[-1]] for c, t in ((N, size), (D, length))}
    said = {c: v for c, (v, _) in facts([form.format(n=size, d=length)]).items() if c in (N, D)}
    assert said == pytest.approx(true)


def test_names_of_files_give_numbers_that_are_announced(read: Read) -> None:
    runs = read("step,loss\n100,4\n200,3.5\n300,3.3\n", "7B-tokens-1B.csv")
    assert values(runs, "params", "tokens") == [[1e9, 7e9]]
    assert {"columns.params", "columns.tokens"} <= {q.key for q in runs.questions}


def test_mixtures_among_models_by_name(read: Read) -> None:
    runs = read("model,tokens,loss\nQwen3-30B-A3B,36T,2.1\nQwen3-8B,36T,2.2\nQwen3-235B-A22B,36T,1.9\n")
    assert values(runs, "params_total", "params_active") == [[30e9, 3e9], [8e9, 8e9], [235e9, 22e9]]
    assert runs.kept["flops"].tolist() == pytest.approx([6 * n * 36e12 for n in (3e9, 8e9, 22e9)])
    assert {"columns.params_total", "columns.params_active", "count"} <= {q.key for q in runs.questions}
    assert "params" not in read("model,tokens,loss\nMixtral 8x7B,5T,2.1\nLlama 2 7B,2T,2.2\nLlama 2 13B,2T,2.1\n").kept


# Quotes that are signs like any other ------------------------------------------------------------------------------------

RUNS = [[f"m{i}", f"{2**i}e8", f"{2**i}e9", str(3.5 - i / 4)] for i in range(5)]


STRAYS = [(0,), (1,), (4,), (0, 2), (1, 2), (0, 4), (0, 1, 3)]
QUOTED = ['"{}', '"{} inch', '{}" run', '{}"', '5" {}"']


@pytest.mark.parametrize(("strays", "sign"), side_by_side(list(product(STRAYS, QUOTED)), [",", ";", "\t"]))
def test_a_stray_quote_swallows_no_run(read: Read, strays: tuple[tuple[int, ...], str], sign: str) -> None:
    """Which rows have quotes and how these stand decide together where a cell would end; the sign between cells does not."""
    rows, form = strays
    lines = [[form.format(row[0]) if i in rows else row[0], *row[1:]] for i, row in enumerate(RUNS)]
    runs = read("\n".join(sign.join(line) for line in [["name", "params", "tokens", "loss"], *lines]))
    assert values(runs, "params", "tokens", "loss") == [[float(c) for c in row[1:]] for row in RUNS]
    assert not len(runs.set_aside)
    if form.startswith('"'):
        assert any("quote" in note for note in runs.notes)


@pytest.mark.parametrize("text", [
    'name,params,tokens,loss,note\na,1e8,2e9,3.5,"big\nb,2e8,4e9,3.2,ok\nc,4e8,8e9,3.0,ok"\n',
    'name,"params,tokens,loss\na,1e8,2e9,3.5\nb,2e8,4e9,3.2\nc,4e8,8e9,3.0\n',
])  # fmt: skip
def test_a_stray_quote_in_a_note_or_a_name_swallows_no_run(read: Read, text: str) -> None:
    assert values(read(text), "tokens", "loss") == [[2e9, 3.5], [4e9, 3.2], [8e9, 3.0]]


def test_a_note_over_several_lines_stays_one_cell(read: Read) -> None:
    runs = read('name,params,tokens,loss,note\na,1e8,2e9,3.5,"one, two\nthree"\n"b\nc",2e8,4e9,3.2,"d"\n')
    assert values(runs, "run", "loss", "note") == [["a", 3.5, "one, two three"], ["b c", 3.2, "d"]]
    assert not any("quote" in note for note in runs.notes)


# Tables printed for eyes -------------------------------------------------------------------------------------------------

HEAD = ["Run", "Parameters (million)", "d_model", "Val loss", "Train tokens (B)"]
CELLS = [
    ["a", "125.0", "768", "3.50", "2.5"],
    ["b", "350.0", "1024", "3.20", "7.0"],
    ["c", "760.0", "1536", "2.90", "15.0"],
]
PRINTED = [["a", 125e6, 2.5e9, 3.5], ["b", 350e6, 7e9, 3.2], ["c", 760e6, 15e9, 2.9]]


def spaced(gap: int, right: bool) -> str:
    widths = [max(len(row[j]) for row in [HEAD, *CELLS]) for j in range(len(HEAD))]
    put = str.rjust if right else str.ljust
    lines = [(" " * gap).join(put(c, w) for c, w in zip(row, widths, strict=True)).rstrip() for row in [HEAD, *CELLS]]
    return "\n".join(lines) + "\n"


def between(left: str, mid: str, right: str, cells: list[str], widths: list[int]) -> str:
    return left + mid.join(f" {c:>{w}} " for c, w in zip(cells, widths, strict=True)) + right


def boxed(top: str, rule: str, inner: str, bottom: str, bar: str) -> str:
    """A table with lines drawn: each of the four is its left end, line, crossing and right end, '' for none."""
    widths = [max(len(row[j]) for row in [HEAD, *CELLS]) for j in range(len(HEAD))]

    def drawn(signs: str) -> list[str]:
        return [signs[0] + signs[2].join(signs[1] * (w + 2) for w in widths) + signs[3]] if signs else []

    body: list[str] = []
    for i, row in enumerate(CELLS):
        body += [*(drawn(inner) if i else []), between(bar, bar, bar, row, widths)]
    return "\n".join([*drawn(top), between(bar, bar, bar, HEAD, widths), *drawn(rule), *body, *drawn(bottom)]) + "\n"


def plain_bars(rule: bool) -> str:
    lines = [" | ".join(row) for row in [HEAD, *CELLS]]
    return "\n".join([lines[0], *(["|".join(["----"] * len(HEAD))] if rule else []), *lines[1:]]) + "\n"


@pytest.mark.parametrize("text", [
    spaced(2, True), spaced(2, False), spaced(4, True), spaced(1, True), spaced(3, False), plain_bars(True), plain_bars(False),
    boxed("+-++", "+-++", "", "+-++", "|"), boxed("+-++", "+-++", "", "+-++", "|") + "3 rows in set (0.00 sec)\n",
    boxed("", "|-+|", "", "", "|"), boxed("+-++", "+=++", "+-++", "+-++", "|"), boxed("╒═╤╕", "╞═╪╡", "├─┼┤", "╘═╧╛", "│"),
    "Results\n" + boxed("┏━┳┓", "┡━╇┩", "", "└─┴┘", "│"), boxed("┌─┬┐", "╞═╪╡", "", "└─┴┘", "│"), boxed("╭─┬╮", "├─┼┤", "", "╰─┴╯", "│"),
    "\t\t".join(HEAD) + "\n" + "\n".join("\t".join(row) for row in CELLS),
    " \t".join(HEAD) + "\n" + "\n".join(" \t  ".join(row) for row in CELLS),
])  # fmt: skip
def test_printed_tables_with_names_of_several_words(read: Read, text: str) -> None:
    assert values(read(text, "x.txt"), "run", "params", "tokens", "loss") == PRINTED


def test_a_blank_name_among_names_shifts_no_column(read: Read) -> None:
    runs = read("Run,,Params (M),Val loss,Tokens (B)\na,125,3.5,2.5\nb,350,3.2,7\n")
    assert values(runs, "run", "params", "loss", "tokens") == [["a", 125e6, 3.5, 2.5e9], ["b", 350e6, 3.2, 7e9]]
    kept = read("Run,,Params (M),Val loss,Tokens (B)\na,x,125,3.5,2.5\nb,350,3.2,7\n").kept
    assert kept["params"].iloc[0] == 125e6


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("words", [True, False])
def test_a_data_frame_cut_short_says_so(read: Read, named: bool, words: bool) -> None:
    n = 30
    frame = pd.DataFrame({
        "run": [f"m{i}" for i in range(n)], "params": [1e8 * (i + 1) for i in range(n)],
        "tokens": [2e9 * (i + 1) for i in range(n)], "loss": [3.5 - i / 100 for i in range(n)],
        "a_long_column_name": [0.1] * n, "another_long_column_name": ["x y" if words else "x"] * n,
    })  # fmt: skip
    shown = frame.set_index("run") if named else frame
    with pd.option_context("display.max_rows", 6, "display.max_columns", 10, "display.width", 200):
        runs = read(repr(shown), "x.txt")
    assert runs.kept["run"].tolist() == ["m0", "m1", "m2", "m27", "m28", "m29"]
    assert runs.kept["loss"].tolist() == pytest.approx([3.5, 3.49, 3.48, 3.23, 3.22, 3.21])
    assert any("leaves out rows" in note and "of 30" in note for note in runs.notes)


def test_a_page_with_two_tables_is_read_like_a_text_with_two(read: Read) -> None:
    def table(lines: Lines) -> str:
        return "<table>" + "".join(f"<tr>{''.join(f'<td>{c}' for c in line)}\n" for line in lines) + "</table>"

    runs = read(f"<h1>Runs</h1>{table(CONFIG)}<h2>Results</h2>{table(ROWS)}", "page.html")
    assert values(runs, "run", "params", "tokens", "loss") == KEPT
    assert any("joined" in note and "run" in note for note in runs.notes)
    other = read(f"<h1>Runs</h1>{table(OTHER)}<h2>Results</h2>{table(ROWS)}", "page.html")
    assert values(other, "run", "params", "tokens", "loss") == KEPT
    assert any("left out, with columns run, lr, layers, heads" in note for note in other.notes)
    inside = read(as_csv(ROWS).replace("loss", "loss,note", 1).replace("3.5", "3.5,<table><tr><td>x</td></tr></table>"))
    assert values(inside, "run", "params", "tokens", "loss") == KEPT


@pytest.mark.parametrize("page", [
    "<table><tr><td>only words</td></tr></table>", "<table><tr>" + "<td>" * 200_000, "<table><tr><td rowspan=9999 colspan=9999>x" * 3000,
    "<table><tr><td " * 20_000, "<table><tr><td><!--" * 20_000,
])  # fmt: skip
def test_hostile_pages_end_in_a_sentence(read: Read, page: str) -> None:
    with pytest.raises(ReadError) as caught:
        read(page, "x.html")
    assert "damaged" not in str(caught.value)


@pytest.mark.parametrize(
    ("way", "dots"), side_by_side(list(product(range(5), [True, False])), ["...", "…", "⋮", "..", r"\vdots"])
)
def test_rows_of_dots_say_that_rows_are_missing(read: Read, way: tuple[int, bool], dots: str) -> None:
    form, whole = way
    lines: Lines = [*ROWS[:2], (dots,) * 4 if whole else (dots, "", "", ""), ROWS[2]]
    latex = "\\begin{tabular}{lrrr}\n" + "".join(" & ".join(line) + " \\\\\n" for line in lines) + "\\end{tabular}"
    text = (as_csv(lines), as_csv(lines, "\t"), as_markdown4(lines), latex, workbook(all=lines))[form]
    runs = read(text, "table")
    assert values(runs, "run", "params", "tokens", "loss") == KEPT
    assert not len(runs.set_aside)
    assert any("leaves out rows" in note for note in runs.notes)


# Names with marks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mark", "header"),
    side_by_side(
        ["**{}**", "`{}`", "***{}***", "~~{}~~", "[{}](https://a.b/c)", "\\textbf{{{}}}", "<b>{}</b>", "{} †"],
        ["run", "model", "name"],
    ),
)
def test_names_come_without_their_marks(read: Read, mark: str, header: str) -> None:
    names = ["124M", "my_run_1", "gpt-350M"]
    rows = "".join(f"{mark.format(n) if i != 1 else n},{i + 1}e8,2e9,{3.5 - i}\n" for i, n in enumerate(names))
    runs = read(f"{header},params,tokens,loss\n{rows}")
    assert runs.kept["run"].tolist() == names
    if header == "model":
        assert runs.kept["family"].tolist() == names


def test_marks_stay_where_they_alone_tell_runs_apart(read: Read) -> None:
    runs = read("run,params,tokens,loss\na,1e8,2e9,3.5\n**a**,2e8,2e9,3.3\nb,4e8,2e9,3.2\n")
    assert runs.kept["run"].tolist() == ["a", "**a**", "b"]


def test_sizes_are_read_out_of_marked_names(read: Read) -> None:
    runs = read("run,tokens,loss\n**124M-cosine**,2e9,3.5\n350M-cosine,2e9,3.3\n`760M-cosine`,2e9,3.2\n")
    assert values(runs, "run", "params") == [["124M-cosine", 124e6], ["350M-cosine", 350e6], ["760M-cosine", 760e6]]


def test_blank_lines_need_no_word(read: Read) -> None:
    assert not read("run,params,tokens,loss\n\na,1e8,2e9,3.5\n\n,,,\nb,2e8,2e9,3.3\n").notes


# Several tables, and rows about other rows -------------------------------------------------------------------------------

ROWS: Lines = [("run", "params", "tokens", "loss"), ("a", "1e8", "2e9", "3.5"), ("b", "2e8", "4e9", "3.2")]
MORE: Lines = [("run", "params", "tokens", "loss"), ("c", "1e9", "2e10", "2.5"), ("d", "2e9", "4e10", "2.3")]
CONFIG: Lines = [("run", "lr", "layers", "heads"), ("b", "0.001", "12", "4"), ("a", "0.002", "16", "8")]
OTHER: Lines = [("run", "lr", "layers", "heads"), ("x", "0.001", "12", "4"), ("y", "0.002", "16", "8")]
KEPT = [["a", 1e8, 2e9, 3.5], ["b", 2e8, 4e9, 3.2]]


def sheet(lines: Lines) -> list[list[object]]:
    return [[float(c) if c[:1].isdigit() else c or None for c in line] for line in lines]


def workbook(**sheets: Lines) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, lines in sheets.items():
        page = book.create_sheet(title)
        for row in sheet(lines):
            page.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def beside(one: Lines, other: Lines) -> Lines:
    return [(*left, "", *right) for left, right in zip(one, other, strict=True)]


def test_of_two_tables_that_with_runs_is_read_and_said(read: Read) -> None:
    for text in (
        f"# R\n\nWords, and more.\n\n## Results\n\n{as_markdown4(ROWS)}\n\n## Config\n\n{as_markdown4(OTHER)}\n",
        f"## Config\n\n{as_markdown4(OTHER)}\n\n## Results\n\n{as_markdown4(ROWS)}\n",
        as_csv(ROWS) + "\n" + as_csv(OTHER), as_csv(ROWS) + as_csv(OTHER), as_csv(OTHER) + as_csv(ROWS),
    ):  # fmt: skip
        runs = read(text, "table.md")
        assert values(runs, "run", "params", "tokens", "loss") == KEPT
        assert any("1 other table was left out, with columns run, lr, layers, heads" in note for note in runs.notes)
        assert not len(runs.set_aside)


def as_markdown4(lines: Lines) -> str:
    rows = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([rows[0], "|---|---|---|---|", *rows[1:]])


@pytest.mark.parametrize("write", [as_csv, lambda t: workbook(all=t)])
def test_tables_beside_each_other(read: Read, write: Callable[[Lines], str | bytes]) -> None:
    joined = read(write(beside(ROWS, CONFIG)), "x")
    assert values(joined, "run", "params", "tokens", "loss", "lr") == [[*KEPT[0], 0.002], [*KEPT[1], 0.001]]
    assert any("joined by these names" in note for note in joined.notes)
    below = read(write(beside(ROWS, MORE)), "x")
    assert values(below, "run", "params", "tokens", "loss") == [*KEPT, ["c", 1e9, 2e10, 2.5], ["d", 2e9, 4e10, 2.3]]
    assert any("stand beside each other" in note for note in below.notes)
    apart = read(write(beside(ROWS, OTHER)), "x")
    assert values(apart, "run", "params", "tokens", "loss") == KEPT
    assert "lr" not in apart.kept
    assert any("left out, with columns run, lr, layers, heads" in note for note in apart.notes)


def test_a_blank_column_inside_a_table_parts_nothing(read: Read) -> None:
    runs = read("run,params,,tokens,loss\na,1e8,,2e9,3.5\nb,2e8,,4e9,3.2\n")
    assert values(runs, "run", "params", "tokens", "loss") == KEPT


def test_the_sheet_with_runs_is_read(read: Read) -> None:
    prices: Lines = [("thing", "price"), *((f"x{i}", str(i)) for i in range(9))]
    runs = read(workbook(prices=prices, runs=ROWS), "x.xlsx")
    assert values(runs, "run", "params", "tokens", "loss") == KEPT
    assert any("The sheet 'runs' was read" in note for note in runs.notes)


PLAIN = "name,params,tokens,loss\na,1e8,2e9,3.5\nb,2e8,4e9,3.2\nc,4e8,8e9,3.0\n"


@pytest.mark.parametrize("row", [
    "Average,,,3.2333", "Average,2.333e8,4.667e9,3.2333", "Mean,,,3.23", "Median,2e8,4e9,3.2", "Mean ± std,,,3.23 ± 0.2",
    "mean (std),,,3.23", "Best,4e8,8e9,3.0", "Best,,,3.0", "**Best (c)**,4e8,8e9,3.0", "Best run,4e8,8e9,3.0", "Worst,1e8,2e9,3.5",
    "Total,7e8,14e9,",
])  # fmt: skip
def test_a_row_about_other_rows_is_no_run(read: Read, row: str) -> None:
    for text in (PLAIN + row + "\n", PLAIN.replace("a,", row + "\na,", 1) if "Best" in row else PLAIN + row):
        runs = read(text)
        assert runs.kept["run"].tolist() == ["a", "b", "c"]
        assert "not a run" in runs.set_aside["reason"].iloc[0] or "not another run" in runs.set_aside["reason"].iloc[0]


def test_means_over_seeds_are_no_runs(read: Read) -> None:
    runs = read(
        "name,params,tokens,seed,loss\na,1e8,2e9,1,3.5\na,1e8,2e9,2,3.6\na,1e8,2e9,mean,3.55\nb,2e8,4e9,1,3.2\nb,2e8,4e9,2,3.3\n"
        "b,2e8,4e9,mean,3.25\n"
    )
    assert runs.kept["loss"].tolist() == [3.5, 3.6, 3.2, 3.3]
    names = [f"{n}{end}" for n in "ab" for end in (" s1", " s2", " mean")]
    lines = zip(names, (3.5, 3.6, 3.55, 3.2, 3.3, 3.25), strict=True)
    rows = "".join(f"{n},{'1e8,2e9' if n[0] == 'a' else '2e8,4e9'},{loss}\n" for n, loss in lines)
    assert read("name,params,tokens,loss\n" + rows).kept["loss"].tolist() == [3.5, 3.6, 3.2, 3.3]


@pytest.mark.parametrize("text", [
    "name,params,tokens,loss\npool-max,1e8,2e9,3.5\npool-last,1e8,2e9,3.3\npool-mean,1e8,2e9,3.4\n",
    "name,params,tokens,loss\na,1e8,2e9,3.5\nb,2e8,4e9,3.2\nbest,3e8,5e9,3.0\n",
    "name,params,tokens,loss\nBaseline,4e8,8e9,3.1\na,1e8,2e9,3.5\nb,2e8,4e9,3.2\n",
])  # fmt: skip
def test_runs_with_such_names_stay_runs(read: Read, text: str) -> None:
    assert len(read(text)) == 3


def test_a_table_on_its_side_may_begin_with_any_of_its_columns(read: Read) -> None:
    rest = "params,25e6,25e6,124e6,354e6\nD,5e8,1e9,2e9,7e9\nval loss,3.9,4.5,3.1,2.9\n"
    for first in ("beta2,0.95,0.95,0.95,0.99", "grad norm,0.5,0.61,0.3,0.2", "optimizer,adam,adam,lion,adam"):
        runs = read(f"{first}\n{rest}")
        assert runs.kept["params"].tolist() == [25e6, 25e6, 124e6, 354e6], first
        assert runs.kept["loss"].tolist() == [3.9, 4.5, 3.1, 2.9], first
        assert [str(v) for v in runs.kept[first.split(",")[0]]] == first.split(",")[1:], first
    trained = "trainable_params,25470425,25470425,1103447565\nD,2.097e9,2.884e8,2.1e10\nval loss,3.9,4.5,2.6\n"
    sized = read(trained, columns={"params": "trainable_params"})
    assert sized.kept["params"].tolist() == [25470425, 25470425, 1103447565]
    for first in ("label,S1,S2,M1,L1", ",25M,26M,124M,354M", "model,a,b,c,d"):
        runs = read(f"{first}\n{rest}")
        assert runs.kept["tokens"].tolist() == [5e8, 1e9, 2e9, 7e9], first
        assert not set(runs.extras) & {"label", "model"}, first


def test_rows_of_a_grid_that_name_their_tokens_leave_the_sizes_to_the_columns(read: Read) -> None:
    right = [(77e6, 1e9, 3.78), (354e6, 1e9, 3.44), (77e6, 5e9, 3.5), (354e6, 5e9, 3.1)]
    named = (
        ("loss @ 1B", "loss @ 5B"),
        ("1B tokens", "5B tokens"),
        ("D=1e9", "D=5e9"),
        ("val loss at 1B", "val loss at 5B"),
    )
    corners = ("Model", "model size", "N \\ D", "params", "N")
    for (rows, sizes), corner in side_by_side(list(product(named, ("77000000,354000000", "77M,354M"))), corners):
        runs = read(f"{corner},{sizes}\n{rows[0]},3.78,3.44\n{rows[1]},3.5,3.1\n")
        found = list(zip(runs.kept["params"], runs.kept["tokens"], runs.kept["loss"], strict=True))
        assert sorted(found) == sorted(right), (corner, sizes, rows)


def test_a_corner_that_names_the_loss_alone_says_nothing_of_rows_and_columns(read: Read) -> None:
    with pytest.raises(ReadError, match="does not say what its rows"):
        read("loss,77000000,354000000\n1B,3.78,3.44\n5B,3.5,3.1\n10B,3.3,3.0\n")


def test_sizes_written_out_under_a_unit_are_asked_about_in_grids_and_lists(read: Read) -> None:
    grid = "Params (M) \\ Tokens (B),2,5,10\n124000000,3.43,3.19,3.1\n354000000,3.2,2.99,2.9\n774000000,3,2.8,2.7\n"
    rows = "Params (M),Tokens (B),loss\n124000000,2,3.43\n354000000,5,3.2\n774000000,10,3.0\n"
    for text in (grid, rows):
        with pytest.raises(MappingNeeded) as asked:
            read(text)
        assert [(q.key, q.guess) for q in asked.value.questions] == [("units.params", "1")], text
        assert read(text, units={"params": 1}).kept["params"].min() == 124e6
    assert read(rows.replace("000000", "")).kept["params"].min() == 124e6
