"""Files as people save them: encodings, separators, headers in odd places, and the same runs from every format."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from data import Runs, read_runs, read_table
from data.errors import DataError
from data.readers import readers
from tests.data.cases import side_by_side

RUNS = pd.DataFrame(
    {
        "run": ["a", "b", "c", "d"],
        "params": [1.5e8, 3e8, 6e8, 1.2e9],
        "tokens": [3e9, 6e9, 1.2e10, 2.4e10],
        "loss": [3.25, 3.0, 2.75, 2.5],
    }
)
Read = Callable[..., Runs]


def same(runs: Runs) -> None:
    """The runs are those of `RUNS`."""
    assert list(runs.kept["run"]) == list(RUNS["run"])
    for column in ("params", "tokens", "loss"):
        assert np.array_equal(runs.kept[column], RUNS[column]), column
    assert not len(runs.set_aside)


def saved(kind: str) -> bytes:
    """`RUNS` in a format."""
    out = io.BytesIO()
    if kind == "csv":
        RUNS.to_csv(out, index=False)
    elif kind == "parquet":
        RUNS.to_parquet(out)
    elif kind == "xlsx":
        RUNS.to_excel(out, index=False)
    elif kind == "jsonl":
        out.write(RUNS.to_json(orient="records", lines=True).encode())
    else:
        out.write(RUNS.to_json(orient=kind).encode())  # type: ignore[call-overload]
    return out.getvalue()


KINDS = ["csv", "parquet", "xlsx", "jsonl", "records", "columns", "index"]


@pytest.mark.parametrize(("kind", "name"), side_by_side(KINDS * 2, ["runs", "runs.csv", "runs.parquet", "runs.xlsx"]))
def test_content_decides_and_not_the_name(read: Read, kind: str, name: str) -> None:
    same(read(saved(kind), name))


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"]


@pytest.mark.parametrize(("encoding", "separator"), side_by_side(ENCODINGS * 2, [",", "\t", ";", "|"]))
def test_encodings_and_separators(read: Read, encoding: str, separator: str) -> None:
    text = RUNS.assign(note="größer als nötig").to_csv(index=False, sep=separator)
    runs = read(text.encode(encoding))
    same(runs)
    assert runs.kept["note"].iloc[0] == "größer als nötig"


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_endings(read: Read, ending: str) -> None:
    same(read(RUNS.to_csv(index=False, lineterminator=ending)))


def test_decimal_commas(read: Read) -> None:
    runs = read(RUNS.to_csv(index=False, sep=";", decimal=","))
    same(runs)
    assert "Numbers are written with a decimal comma." in runs.notes


def test_spaces_between_columns(read: Read) -> None:
    same(read(RUNS.to_string(index=False)))


def test_blank_rows_preamble_and_repeated_headers(read: Read) -> None:
    header = "run,params,tokens,loss"
    text = (
        "# exported by a tool\nproject: ladder,,,\n\n"
        f"{header}\na,150M,3B,3.25\n,,,\nb,300 M,6e9,3.0\n{header}\nc,6.0E+08,12 B,2.75\n\nd,1.2B,24B,2.5\n\n\n"
    )
    runs = read(text)
    same(runs)
    notes = " ".join(runs.notes)
    assert "column names are in line 4" in notes
    assert "1 repeated row of column names was left out" in notes
    assert "blank" not in notes  # nobody needs to be told of them


def test_units_in_a_second_line(read: Read) -> None:
    runs = read("run,params,tokens,loss\n,M,B,nats\na,150,3,3.25\nb,300,6,3.0\nc,600,12,2.75\nd,1200,24,2.5\n")
    same(runs)


def test_no_header_is_said(read: Read) -> None:
    table = read_table(b"1e8,2e9,3.1\n2e8,4e9,2.9\n3e8,6e9,2.8\n", "x.csv")
    assert table.headers == ("column 1", "column 2", "column 3")
    assert "no row of column names" in " ".join(table.notes)
    runs = read("1e8,2e9,3.1\n2e8,4e9,2.9\n", columns={"params": "column 1", "tokens": "column 2", "loss": "column 3"})
    assert list(runs.kept["run"]) == ["row 1", "row 2"]


def test_ragged_rows_and_duplicate_headers() -> None:
    table = read_table(b"a,loss,loss,\n1,2,3,\n4,5,6,7,8\n9\n", "x.csv")
    assert table.headers == ("a", "loss", "loss (2)", "column 4", "column 5")
    assert table.frame["column 5"].tolist() == ["", "8", ""]


def test_lines_are_those_of_the_file(read: Read) -> None:
    runs = read("params,tokens,loss\n1e8,2e9,3\n\n2e8,4e9,2.9\n")
    assert list(runs.kept["run"]) == ["row 2", "row 4"]


def test_the_fuller_sheet_is_read(read: Read) -> None:
    out = io.BytesIO()
    with pd.ExcelWriter(out) as book:
        pd.DataFrame({"notes": ["read me"]}).to_excel(book, sheet_name="About", index=False)
        RUNS.to_excel(book, sheet_name="Ladder", index=False, startrow=3, startcol=2)
    runs = read(out.getvalue(), "book.xlsx")
    same(runs)
    assert any("'Ladder' was read" in n for n in runs.notes)


def test_formulas_give_their_saved_values(read: Read) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["run", "params", "tokens", "loss"])
    sheet.append(["a", 1e8, 2e9, 3.0])
    sheet.append(["b", "=B2*2", 4e9, 2.9])
    out = io.BytesIO()
    book.save(out)
    runs = read(out.getvalue(), "f.xlsx")
    assert list(runs.kept["run"]) == ["a"]
    assert list(runs.set_aside["reason"]) == ["no params"]
    assert any("formulas" in n for n in runs.notes)


def test_nested_json_is_spelled_out(read: Read) -> None:
    rows = [
        {
            "name": r,
            "config": {"lr": {"value": 1e-3, "desc": None}},
            "summary": {"val": {"loss": x}, "tokens": 1e9},
            "tags": [],
        }
        for r, x in (("a", 3.0), ("b", 2.9))
    ]
    runs = read("\n".join(map(json.dumps, rows)), "runs.jsonl")
    assert [s.header for s in runs.sources if s.column in ("loss", "lr", "tokens")] == [
        "summary/tokens", "summary/val/loss", "config/lr",
    ]  # fmt: skip
    assert runs.kept["lr"].tolist() == [1e-3, 1e-3]


def test_json_nan_is_not_null(read: Read) -> None:
    runs = read('{"loss": 3.0, "params": 1e8, "tokens": 1e9}\n{"loss": NaN, "params": 1e8, "tokens": 2e9}\n'
                '{"loss": null, "params": 1e8, "tokens": 3e9}\n{"loss": 2.9, "par', "x.jsonl")  # fmt: skip
    assert list(runs.set_aside["reason"]) == ["loss is not finite (diverged)", "no loss"]
    assert any("cut short" in n for n in runs.notes)


def test_a_list_of_runs_inside_a_document(read: Read) -> None:
    same(read(json.dumps({"project": "x", "runs": json.loads(RUNS.to_json(orient="records"))}), "x.json"))


def test_parquet_tells_null_from_nan_and_leaves_lists_out(read: Read) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "run": pa.array(["a", "b", "c"]).dictionary_encode(),
            "params": pa.array([10**8, 2 * 10**8, 3 * 10**8]),
            "tokens": pa.array([1e9, 2e9, 3e9], pa.float32()),
            "loss": pa.array([3.0, None, float("nan")]),
            "curve": pa.array([[1.0], [2.0], [3.0]]),
        }
    )
    out = io.BytesIO()
    pq.write_table(table, out)
    runs = read(out.getvalue(), "x.parquet")
    assert list(runs.kept["run"]) == ["a"]
    assert list(runs.set_aside["reason"]) == ["no loss", "loss is not finite (diverged)"]
    assert any("curve" in n for n in runs.notes)


def test_data_frames_read_too() -> None:
    same(read_runs(RUNS))
    same(read_runs(RUNS.set_index("run")))


def test_every_reader_keeps_the_contract() -> None:
    assert len(readers()) >= 4
    for reader in readers():
        assert reader.title
        assert all(s.startswith(".") for s in reader.suffixes)
        assert 0 <= reader.claims(b"a,b\n1,2\n", "x.csv") <= 1
        assert 0 <= reader.claims(b"", "x") <= 1


def test_a_markdown_table(read: Read) -> None:
    lines = ["| run | params | tokens | loss |", "|---|:---:|--:|----|"]
    lines += [f"| {r.run} | {r.params:g} | {r.tokens:g} | {r.loss} |" for r in RUNS.itertuples()]
    runs = read("\n".join(lines) + "\n", "readme.txt")
    same(runs)
    assert not runs.notes


def test_a_trainer_state_with_rows_of_two_kinds(read: Read) -> None:
    log = [
        row for s in range(1, 8) for row in ({"loss": 5 - s / 10, "step": s}, {"eval_loss": 5.5 - s / 10, "step": s})
    ]
    runs = read(
        json.dumps({"best_metric": None, "log_history": log}), "trainer_state.json", columns={"loss": "eval_loss"}
    )
    assert runs.kept["run"].tolist() == ["trainer_state"]
    assert runs.kept["loss"].tolist() == [4.8]
    assert runs.history is not None
    assert len(runs.history) == 7


def test_a_row_of_units_may_hold_a_number_before_a_unit(read: Read) -> None:
    rows = "a,25,0.5,0.075,3.9\nb,50,1,0.3,3.7\nc,100,2,1.2,3.5\n"
    for units in (
        ",M,B,1e18 FLOP,nats", ",M,B,1e18 FLOPs,nats", ",(M),(B),(1e18 FLOPs),(nats)", ",M,B,10^18 FLOP,",
        ",1e6 params,1e9 tokens,1e18,nats",
        ",M,B,x 1e18 FLOP,nats/token",
    ):  # fmt: skip
        runs = read(f"Run,Params,Tokens,Compute,Loss\n{units}\n{rows}")
        assert runs.kept["params"].tolist() == [25e6, 50e6, 100e6], units
        assert runs.kept["tokens"].tolist() == [5e8, 1e9, 2e9], units
        assert np.allclose(runs.kept["flops"], [7.5e16, 3e17, 1.2e18], rtol=1e-9), units
        assert not len(runs.set_aside), units
    runs = read("Run,Params,Tokens,Compute,Loss\na,2e7,1e9,1e18 FLOP,3.9\nb,5e7,1e9,3e18 FLOP,3.7\n")
    assert runs.kept["run"].tolist() == ["a", "b"]


def test_a_frame_of_arrow_columns_reads_as_one_of_numpy():
    import pyarrow as pa

    def said(frame):
        try:
            return read_runs(frame)
        except DataError as e:
            return f"{type(e).__name__}: {e}"

    plain = {"params": [1e7, 2e7, 4e7, 8e7], "tokens": [1e9, 2e9, 4e9, 8e9], "loss": [4.0, 3.6, 3.3, 3.0]}
    others = {
        "step": [100, 200, 400, 800],
        "epochs": [1, 1, 1, 1],
        "batch_size": [64, 64, 128, 128],
        "steps": [100, None, 400, 800],
        "run": ["a", "b", "c", "d"],
        "status": ["finished", None, "finished", "crashed"],
        "exclude": [False, True, None, False],
        "created": pd.to_datetime(["2024-01-01", "2024-01-02", None, "2024-01-04"]),
        "tokens seen": ["1B", "2B", "4B", "8B"],
    }
    frames = [pd.DataFrame(plain)] + [pd.DataFrame(plain | {name: cells}) for name, cells in others.items()]
    frames += [
        pd.DataFrame(plain | others),
        pd.DataFrame({"loss": [[4.0, 3.5, 3.0], [3.9, 3.2, 2.8]], "params": [1e7, 2e7]}),
    ]
    cases = [(frame, frame.convert_dtypes(dtype_backend="pyarrow")) for frame in frames]
    cases += [(frame.set_index("params"), arrow.set_index("params")) for frame, arrow in cases]
    words = pd.DataFrame(plain | {"name": pd.Categorical(["a", "b", "a", "b"])})
    cases.append((words, words.assign(name=words["name"].astype(pd.ArrowDtype(pa.string())).astype("category"))))
    lists = frames[-1]
    cases.append((lists, lists.assign(loss=lists["loss"].astype(pd.ArrowDtype(pa.list_(pa.float64()))))))
    for frame, arrow in cases:
        want, got, case = said(frame), said(arrow), str(dict(arrow.dtypes))
        if isinstance(want, str) or isinstance(got, str):
            assert got == want, case
        else:
            pd.testing.assert_frame_equal(got.kept, want.kept)
            pd.testing.assert_frame_equal(got.set_aside, want.set_aside)
    assert len(read_runs(cases[0][1]).kept) == 4
