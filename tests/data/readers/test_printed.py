"""Text copied from terminals and notebooks: printed dictionaries, printed frames, and the lines around them."""

from __future__ import annotations

import contextlib
import json
import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import ReadError, read_runs
from data.readers import read_table
from data.readers._decimal import decimal_of
from data.readers._python import NotPythonError, dictionary
from data.table import Table
from tests.data.cases import side_by_side
from tests.soon import ends_within

PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20),
)  # fmt: skip
NESTED = st.recursive(
    PLAIN,
    lambda v: st.lists(v, max_size=4) | st.dictionaries(st.text("abc_ '", max_size=5), v, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text("abc_/", min_size=1, max_size=8), NESTED, max_size=6))
def test_what_python_prints_comes_back(value: dict[str, Any]) -> None:
    printed = repr(value)
    assert dictionary(printed) == (value, len(printed))


@given(st.text("{}[]()'\":,abN0.e-\\ \n", max_size=60))
def test_any_text_is_a_dictionary_or_none(text: str) -> None:
    try:
        value, end = dictionary("{" + text)
    except NotPythonError:
        return
    assert isinstance(value, dict)
    assert end <= len(text) + 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a': nan, 'b': inf, 'c': -inf}", {"a": "NaN", "b": "Infinity", "c": "-Infinity"}),
        ("{'a': np.float64(3.2), 'b': tensor(2.5, device='cuda:0')}", {"a": 3.2, "b": 2.5}),
        ("{'a': (1, 2), 'b': torch.bfloat16x(1)}", {"a": [1, 2], "b": "torch.bfloat16x"}),
        ("{'a': 1_000, 'b': 0x, }", None),
        ("{'a'}", None),
        ("{" * 5000, None),
        ("{'a': " * 5000, None),
        ("{'a': __import__('os').system('ls')}", None),
    ],
)
def test_values_python_prints(text: str, value: dict[str, Any] | None) -> None:
    if value is None:
        with pytest.raises(NotPythonError):
            dictionary(text)
    else:
        assert dictionary(text)[0] == value


@pytest.mark.parametrize("write", [repr, json.dumps], ids=["python", "json"])
@pytest.mark.parametrize("before", ["", "INFO 2024-05-02 trainer: "])
def test_dictionaries_in_a_log_are_runs(write: Any, before: str) -> None:
    rows = [
        {"params": n, "tokens": 20.0 * n, "val_loss": loss} for n, loss in ((10**7, 4.5), (10**8, 3.5), (10**9, 2.5))
    ]
    text = "start\n" + "".join(f"[rank0] done\n{before}{write(row)}\n" for row in rows)
    table = read_table(text.encode(), "stdout.txt")
    assert table.frame.to_dict("records") == rows
    assert list(table.lines) == [3, 5, 7]
    assert "4 lines between the printed dictionaries were left out." in table.notes


def test_a_cell_with_a_dictionary_does_not_make_a_table_a_log(tmp_path: Any) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(
        "params,tokens,loss,extra\n" + "".join(f"{n}e7,{n}e9,{4 - 0.1 * n},\"{{'a': {n}}}\"\n" for n in range(1, 6))
    )
    runs = read_runs(path)
    assert len(runs.kept) == 5
    assert runs.kept["loss"].tolist() == pytest.approx([3.9, 3.8, 3.7, 3.6, 3.5])


@pytest.mark.parametrize(
    ("rows", "separator", "sign"),
    [
        ([["params", "loss"], ["70,451,200", "6.190"], ["7,045,120", "6.532"]], "\t", "."),
        ([["tokens", "loss"], ["20,621", "6.190"], ["41,200", "6.532"]], "\t", "."),
        ([["tokens", "loss"], ["20.621", "6,190"], ["41.200", "6,532"]], "\t", ","),
        ([["params", "loss"], ["70.451.200", "6,190"]], ";", ","),
        ([["lr", "tokens", "loss"], ["0.5", "1,200", "3.214"], ["0.25", "2,400", "3.114"]], "|", "."),
        ([["params", "steps", "ppl"], ["1.16×10⁷", "6,400", "373.014"], ["3.61×10⁸", "7,900", "15.484"]], " ", "."),
        ([["steps", "ppl"], ["6,400", "373.014"], ["7,900", "15.484"]], " ", "."),
        ([["steps", "ppl"], ["6.400", "373,014"], ["7.900", "15,484"]], " ", ","),
        ([["size", "steps", "ppl"], ["1,2 Mrd.", "6.400", "73,014"]], " ", ","),
        ([["remark", "loss", "tokens"], ["1,5", "3.25", "2.5"], ["", "3.15", "5.5"]], "\t", "."),
    ],
)  # fmt: skip
def test_the_decimal_sign_is_weighed_over_all_columns(rows: list[list[str]], separator: str, sign: str) -> None:
    assert decimal_of(rows, separator) == sign


def test_losses_of_six_stay_losses_of_six(tmp_path: Any) -> None:
    path = tmp_path / "runs.tsv"
    path.write_text("params\ttokens\tval loss\n70,451,200\t20,621,000\t6.190\n170,451,200\t40,621,000\t5.832\n")
    kept = read_runs(path).kept
    assert kept["loss"].tolist() == [6.19, 5.832]
    assert kept["params"].tolist() == [70451200, 170451200]
    assert math.isclose(kept["tokens"].iloc[0], 20621000)


FRAME = pd.DataFrame(
    {
        "run": [f"r{i}" for i in range(30)],
        "params": [10**7 * (1 + i // 3) for i in range(30)],
        "tokens": [2e8 * (1 + i) for i in range(30)],
        "lr": [1e-3] * 30,
        "val_loss": [6 - 0.125 * i for i in range(30)],
        "gain": [-0.125 * i for i in range(30)],
    }
)


def same(text: str, rows: Any, columns: tuple[str, ...] = ("params", "tokens", "val_loss")) -> Table:
    """The table in the text, whose columns are those of the frame at the rows."""
    table = read_table(text.encode(), "output.txt")
    assert len(table.frame) == len(FRAME.iloc[rows])
    for column in columns:
        assert table.numbers(column).values.tolist() == pytest.approx(FRAME[column].iloc[rows].tolist()), column
    return table


@pytest.mark.parametrize("index", [None, "run", ["params", "run"], ["lr", "params", "run"]])
@pytest.mark.parametrize("prompt", ["", "In [4]: df\nOut[4]:\n", ">>> print(df)\n", "Some words on the runs.\n\n"])
def test_a_printed_frame_is_read(index: Any, prompt: str) -> None:
    frame = FRAME.head(9) if index is None else FRAME.head(9).set_index(index)
    table = same(prompt + frame.to_string() + "\n\nIn [5]: \n", slice(0, 9))
    assert table.text("run").tolist() == FRAME["run"].head(9).tolist()
    assert set(table.headers) == set(FRAME.columns)


def test_an_index_without_a_name_names_the_runs() -> None:
    table = same(FRAME.head(5).set_index("run").rename_axis(None).to_string(), slice(0, 5))
    assert table.text("run").tolist() == ["r0", "r1", "r2", "r3", "r4"]


@pytest.mark.parametrize("width", [24, 30, 40, 50])
def test_a_wrapped_frame_is_joined(width: int) -> None:
    text = FRAME.head(8).to_string(line_width=width)
    assert "\\\n" in text
    assert list(same(text, slice(0, 8)).headers) == list(FRAME.columns)


def test_what_printing_leaves_out_is_said() -> None:
    with pd.option_context("display.max_rows", 10, "display.width", 1000):
        table = same(repr(FRAME), [*range(5), *range(25, 30)])
    assert any("leaves out rows" in note and "of 30" in note for note in table.notes)
    with pd.option_context("display.max_columns", 4):
        table = same(repr(FRAME.head(8)), slice(0, 8), ("params", "val_loss"))
    assert any("leaves out columns" in note for note in table.notes)
    assert "..." not in table.headers


DRAWN = {
    "polars": """shape: (3, 4)
┌──────┬──────────┬───────────┬──────────┐
│ run  ┆ params   ┆ tokens    ┆ val_loss │
│ ---  ┆ ---      ┆ ---       ┆ ---      │
│ str  ┆ i64      ┆ f64       ┆ f64      │
╞══════╪══════════╪═══════════╪══════════╡
│ a    ┆ 10000000 ┆ 2e8       ┆ 5.125    │
│ b    ┆ 20000000 ┆ 4e8       ┆ 4.5      │
│ …    ┆ …        ┆ …         ┆ …        │
└──────┴──────────┴───────────┴──────────┘
""",
    "rich": """┏━━━━━┳━━━━━━━━━━┳━━━━━━━━┳━━━━━━━━━━┓
┃ run ┃ params   ┃ tokens ┃ val_loss ┃
┡━━━━━╇━━━━━━━━━━╇━━━━━━━━╇━━━━━━━━━━┩
│ a   │ 10000000 │ 2e8    │ 5.125    │
│ b   │ 20000000 │ 4e8    │ 4.5      │
└─────┴──────────┴────────┴──────────┘
""",
    "grid": """+-----+----------+--------+----------+
| run |   params | tokens | val_loss |
+=====+==========+========+==========+
| a   | 10000000 |    2e8 |    5.125 |
+-----+----------+--------+----------+
| b   | 20000000 |    4e8 |      4.5 |
+-----+----------+--------+----------+
""",
    "psql": """ run |  params  | tokens | val_loss
-----+----------+--------+----------
 a   | 10000000 |    2e8 |    5.125
 b   | 20000000 |    4e8 |      4.5
(2 rows)
""",
    "tabulate": """run      params    tokens    val_loss
-----  --------  --------  ----------
a      10000000       2e8       5.125
b      20000000       4e8       4.5
""",
    "fenced csv": "Here:\n\n```csv\nrun,params,tokens,val_loss\na,1e7,2e8,5.125\nb,2e7,4e8,4.5\n```\n",
    "single spaces in cells": """run    params    tokens   val_loss
a      10 M      0.2 B    5.125

b      20 M      0.4 B    4.5
""",
}


@pytest.mark.parametrize("text", DRAWN.values(), ids=DRAWN)
def test_a_drawn_table_is_read(text: str) -> None:
    table = read_table(text.encode(), "output.txt")
    assert table.text("run").tolist() == ["a", "b"]
    for column, values in {"params": [1e7, 2e7], "tokens": [2e8, 4e8], "val_loss": [5.125, 4.5]}.items():
        assert table.numbers(column).values.tolist() == values


@pytest.mark.parametrize(
    "content",
    [(b" " * 9000 + b"x\n") * 60, b"---  " * 100_000, (b"-" * 15_000 + b"x\n") * 60, (b"params  loss  \\\n1  2  \n\n") * 20_000,
     b"run,params,loss\n" + b"Average,1,2\na,3,4\n" * 9000, b"{'a': " * 100_000, (b"{'a': {'b': [1,2," * 20 + b"\n") * 2000,
     ("┃" + "-" * 15_000 + "x┃\n").encode() * 60, b"a  " * 300_000],
    ids=range(9),
)  # fmt: skip
def test_hostile_text_ends_soon(content: bytes) -> None:
    with ends_within(960), contextlib.suppress(ReadError):
        read_table(content, "output.txt")


MARKDOWN = "| params | tokens | loss |\n|---|---|---|\n"


def test_tables_of_the_same_columns_are_joined_under_their_headings() -> None:
    text = f"# Results\n\n### Transformer\n\n{MARKDOWN}| 10M | 1B | 4.2 |\n| 20M | 1B | 4.0 |\n\n"
    text += f"### Mamba\n\n{MARKDOWN}| 10M | 1B | 4.1 |\n| 20M | 1B | 3.9 |\n\nThat's all.\n"
    table = read_table(text.encode(), "README.md")
    assert table.numbers("loss").values.tolist() == [4.2, 4.0, 4.1, 3.9]
    assert table.text("family").tolist() == ["Transformer", "Transformer", "Mamba", "Mamba"]
    assert list(table.lines) == [7, 8, 14, 15]


@pytest.mark.parametrize("sign", [",", "\t", ";"])
@pytest.mark.parametrize("first", [True, False])
def test_of_several_tables_the_one_with_runs_is_read(sign: str, first: bool) -> None:
    runs = [["params", "tokens", "val loss"], ["1e7", "2e8", "4.5"], ["2e7", "4e8", "4.2"]]
    other = [["layers", "width", "lr"], ["4", "128", "1e-3"], ["5", "256", "1e-3"], ["6", "512", "1e-3"]]
    rows = [*runs, [], *other] if first else [*other, [], *runs]
    table = read_table("\n".join(sign.join(row) for row in rows).encode(), "all.csv")
    assert table.numbers("val loss").values.tolist() == [4.5, 4.2]
    assert any("layers, width, lr" in note for note in table.notes)


def test_a_table_whose_header_repeats_is_one_table() -> None:
    block = "params,tokens,loss\n1e7,2e8,4.5\n2e7,4e8,4.2\n"
    table = read_table(f"{block}\n{block}".encode(), "x.csv")
    assert table.headers == ("params", "tokens", "loss")
    assert len(table.frame) == 4


def test_rows_below_an_empty_line_stay_rows_whatever_short_line_follows(read: Any) -> None:
    rows = [["exp-r1", "124e6", "3e8", "4.4222"], ["exp-r2", "124e6", "5e8", "4.3222"]]
    rows += [["exp-r4", "607e6", "5e8", "4.1222"], ["exp-r5", "1307e6", "9e8", "3.9111"]]
    header = ["name", "N", "tokens", "val loss"]
    ends = ["", "best: exp-r5", "# done", "\nlr-sweep", "--- sweep 2 ---", "mean|4.1947", "\n\nbest: exp-r5 at 3.9111"]
    for side in ("ljust", "rjust"):
        widths = [max(len(r[j]) for r in (header, *rows)) for j in range(4)]

        def line(cells: list[str], side: str = side, widths: list[int] = widths) -> str:
            return "  ".join(getattr(c, side)(w) for c, w in zip(cells, widths, strict=True)).rstrip()

        for end, at in side_by_side(ends * 2, (1, 2, 3)):
            last = line([end.split("|")[0], "", "", end.split("|")[1]]) if "|" in end else end
            lines = [line(header), *map(line, rows[:at]), "", *map(line, rows[at:]), last]
            runs = read("\n".join(lines), "t.txt")
            assert list(runs.kept["run"]) == [r[0] for r in rows], (side, at, end, runs.set_aside)
            assert runs.kept["loss"].tolist() == [float(r[3]) for r in rows], (side, at, end)
            assert runs.kept["params"].tolist() == [float(r[1]) for r in rows], (side, at, end)
