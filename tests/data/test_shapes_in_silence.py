"""Tables whose layout or names once gave a wrong number without a word: each read right, asked about, or set aside."""

from __future__ import annotations

import io
from collections.abc import Callable

import pandas as pd
import pytest

from data import MappingNeeded, Runs, read_runs

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
    lambda t: as_markdown(repeated(t)), as_latex, as_workbook, lambda t: "Table 3: results,,,,\n" + as_csv(t),
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
     ("run", "params", "tokens", "loss"), [["a", 1e8, 2e9, 3.4], ["b", 2e8, 4e9, 3.1]]),
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


@pytest.mark.parametrize("text", [
    "name,N,D,C4,C4,Pile,Pile\n,,,loss,ppl,loss,ppl\na,1e8,2e9,3.4,30.0,2.9,18.2\nb,2e8,4e9,3.1,22.2,2.7,14.9\n",
    "params,tokens,loss,loss,loss\n,,seed 0,seed 1,seed 2\n1e8,2e9,3.4,3.41,3.42\n2e8,4e9,3.2,3.21,3.19\n",
])  # fmt: skip
def test_several_losses_below_one_name_are_asked_about(read: Read, text: str) -> None:
    with pytest.raises(MappingNeeded) as caught:
        read(text)
    assert [q.key for q in caught.value.questions] == ["columns.loss"]
    assert read(text, columns={"loss": caught.value.questions[0].options[0]}).kept["loss"].iloc[0] == 3.4


def test_a_first_run_in_words_is_no_row_of_names(read: Read) -> None:
    runs = read("name,params,tokens,loss,\na,1e8,2e9,oom,failed\nb,1e8,2e9,3.4,\nc,2e8,4e9,3.2,\n")
    assert values(runs, "run", "params", "tokens", "loss") == [["b", 1e8, 2e9, 3.4], ["c", 2e8, 4e9, 3.2]]
    assert len(runs.set_aside) == 1


def test_levels_of_a_data_frame_are_joined() -> None:
    levels = [("size", "params (M)"), ("size", "tokens (B)"), ("loss", "train"), ("loss", "val")]
    frame = pd.DataFrame([list(map(float, row[1:])) for row in BODY], columns=pd.MultiIndex.from_tuples(levels))
    assert values(read_runs(frame), "params", "tokens", "loss") == [row[1:] for row in TRUE]
