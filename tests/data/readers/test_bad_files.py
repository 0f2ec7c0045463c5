"""Files that are no tables, or mean harm: one sentence each, and never another exception."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from data import (
    DataError,
    MappingNeeded,
    NothingKept,
    ReadError,
    Runs,
    read_file,
    read_runs,
    read_table,
    recognise,
    to_runs,
)
from tests.soon import ends_within

Read = Callable[..., Runs]


def refused(content: bytes, name: str = "x.csv") -> str:
    """The sentence with which the bytes are refused."""
    with pytest.raises(ReadError) as caught:
        read_table(content, name)
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    assert "Traceback" not in message
    return message


def workbook(members: dict[str, bytes] | None = None) -> bytes:
    """A small real workbook, with members put in place of its own."""
    import openpyxl

    book = openpyxl.Workbook()
    for row in (["run", "params", "tokens", "loss"], ["a", 1e8, 2e9, 3.0], ["b", 2e8, 4e9, 2.9]):
        book.active.append(row)
    plain = io.BytesIO()
    book.save(plain)
    out = io.BytesIO()
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.namelist():
            if item not in (members or {}):
                new.writestr(item, old.read(item))
        for item, content in (members or {}).items():
            new.writestr(item, content)
    return out.getvalue()


@cache
def plain_workbook() -> bytes:
    """A small real workbook, the same bytes each time: a workbook carries the time of its making."""
    return workbook()


def parquet(columns: dict[str, object], **options: object) -> bytes:
    """The columns as a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"), (b"\n \n\t\n", "empty"), (b"\x00" * 100, "empty"), (b"run,params,tokens,loss\n", "no rows"),
        (bytes(range(256)) * 40, "binary"), (b"\x89PNG\r\n\x1a\n" + bytes(50), "picture"), (b"%PDF-1.7\n" + bytes(9), "PDF"),
        (gzip.compress(b"a,b\n1,2"), "gzip"), (pickle.dumps({"loss": 3}), "pickle"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "Office"), (b"just a sentence\nand another\n", "without columns"),
        (b"[" * 100_000, "nested too deeply"), (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "nested too deeply"), (b"[[1, 2], [3]]", "objects"), (b"{}", "without objects"),
        (b'{"loss": 3}\n{"loss": \n{"loss": 2}\n', "line 2"), (b'run,loss\na,"unclosed\n' + b"b,3\n" * 30_000, "quote"),
        (b"a" * 300_000 + b",b\n1,2\n", "characters"), (b"PAR1" + b"\x00" * 40 + b"PAR1", "Parquet"),
        (b"PK\x03\x04" + bytes(60), "zip"),
    ],
)  # fmt: skip
def test_a_sentence_each(content: bytes, says: str) -> None:
    assert says in refused(content)


def test_three_rows_are_runs_and_no_more(read: Read) -> None:
    assert len(read("params,tokens,loss\n1e8,2e9,3\n2e8,4e9,2.9\n3e8,6e9,2.8\n")) == 3


def test_text_where_numbers_belong(read: Read) -> None:
    runs = read("run,params,tokens,loss\na,1e8,2e9,3\nb,big,2e9,3.1\nc,1e8,2e9,oops\nd,2e8,4e9,2.9\ne,1e8,many,2.8\n")
    assert list(runs.kept["run"]) == ["a", "d"]
    assert list(runs.set_aside["reason"]) == [
        "params is not a number ('big')", "loss is not a number ('oops')", "tokens is not a number ('many')",
    ]  # fmt: skip
    with pytest.raises(MappingNeeded):
        read("params,tokens,loss\nx,y,z\np,q,r\n")


@pytest.mark.parametrize("column", ["params", "tokens", "loss"])
def test_a_column_of_zeros(read: Read, column: str) -> None:
    rows = {"params": "1e8", "tokens": "2e9", "loss": "3"} | {column: "0"}
    text = ",".join(rows) + "\n" + (",".join(rows.values()) + "\n") * 9
    with pytest.raises(NothingKept) as caught:
        read(text)
    assert str(caught.value) == f"runs.csv has 9 rows and none can be used ({column} is zero: 9)."
    assert len(caught.value.runs.set_aside) == 9


def test_flops_of_zero_everywhere_are_counted_instead(read: Read) -> None:
    runs = read("params,tokens,flops,loss\n1e8,2e9,0,3\n2e8,4e9,0,2.9\n")
    assert runs.kept["flops"].tolist() == [1.2e18, 4.8e18]
    assert any("zero everywhere" in n for n in runs.notes)


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as f:
        f.write(b"params,tokens,loss\n")
        f.truncate(300 * 2**20)  # a hole: 300 MB that take no room
    with ends_within(20), pytest.raises(ReadError, match=r"large.csv has 300 MB; files of at most 200 MB are read"):
        read_file(path)
    with pytest.raises(ReadError, match="at most 200 MB"):
        read_table(bytes(201 * 2**20), "upload.csv")


def test_too_many_columns_and_cells() -> None:
    assert "200,000 columns" in refused(b",".join([b"loss"] * 200_000) + b"\n" + b",".join([b"1"] * 200_000))
    assert "cells" in refused(b"a,b,c,d,e,f\n" + b"1,1,1,1,1,1\n" * 850_000)
    assert "values" in refused(b"[" + b"{}," * 2_600_000 + b"{}]", "x.json")


def test_zip_bombs_as_workbooks() -> None:
    zeros = bytes(410 * 2**20)
    assert "unpacks from" in refused(workbook({"xl/worksheets/sheet1.xml": zeros}), "bomb.xlsx")
    # A directory that understates what comes out is caught while unpacking.
    honest = workbook({"xl/media/picture.bin": bytes(40 * 2**20)})
    lying = honest.replace(struct.pack("<I", 40 * 2**20), struct.pack("<I", 1000))
    assert lying != honest
    assert "damaged" in refused(lying, "bomb.xlsx")
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as archive:
        archive.writestr("xl/workbook.xml", b"")
        for i in range(3000):
            archive.writestr(f"xl/{i}", b"")
    assert "files" in refused(many.getvalue(), "bomb.xlsx")


def test_entities_in_a_workbook_are_not_expanded() -> None:
    laughs = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
    assert "entities" in refused(workbook({"xl/sharedStrings.xml": laughs}), "x.xlsx")
    assert "entities" in refused(workbook({"xl/worksheets/sheet1.xml": laughs.decode().encode("utf-16")}), "x.xlsx")


def test_a_sheet_that_claims_every_cell() -> None:
    xml = (
        b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        b'<dimension ref="A1:XFD1048576"/><sheetData>'
        b'<row r="1"><c r="A1" t="inlineStr"><is><t>loss</t></is></c><c r="B1" t="inlineStr"><is><t>params</t></is></c></row>'
        b'<row r="2"><c r="A2"><v>3</v></c><c r="B2"><v>100000000</v></c></row>'
        b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
    )
    with ends_within(600):
        table_or_sentence = None
        try:
            table_or_sentence = read_table(workbook({"xl/worksheets/sheet1.xml": xml}), "x.xlsx")
        except ReadError as e:
            table_or_sentence = e
        assert table_or_sentence is not None


def test_parquet_bombs() -> None:
    import pyarrow as pa

    with ends_within(960):
        zeros = parquet({"loss": pa.array(np.zeros(2_600_000)), "params": pa.array(np.zeros(2_600_000))})
        assert len(zeros) < 50_000  # 42 MB in a hundredth of the room
        assert "cells" in refused(zeros, "bomb.parquet")
        # One long text said so often that it would be 50 GB.
        texts = pa.array(["x" * 2**20]).dictionary_encode()
        repeated = pa.DictionaryArray.from_arrays(np.zeros(50_000, dtype="int32"), texts.dictionary)
        table = read_table(parquet({"name": repeated, "loss": np.full(50_000, 3.0)}), "bomb.parquet")
        assert len(table.frame) == 50_000
        assert len(table.frame["name"].iloc[0]) <= 100_000


def test_nothing_is_evaluated(read: Read) -> None:
    runs = read("run,params,tokens,loss\n=cmd|'/c calc'!A0,1e8,2e9,3\n<img src=x onerror=alert(1)>,2e8,4e9,2.9\n")
    assert list(runs.kept["run"]) == ["=cmd|'/c calc'!A0", "<img src=x onerror=alert(1)>"]
    runs = read("run,params,tokens,loss\na,1e8,2e9,=1+2\nb,2e8,4e9,2.9\n")
    assert list(runs.set_aside["reason"]) == ["loss is not a number ('=1+2')"]


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.csv", "/dev/null", "a\0b.csv"):
        with pytest.raises(ReadError):
            read_runs(path)
    with pytest.raises(ReadError, match="holds no table"):
        read_runs(tmp_path)
    with pytest.raises(ReadError, match="no file was given"):
        read_runs([])
    for nothing in ("", [""]):
        with pytest.raises(ReadError, match="a path was empty"):
            read_runs(nothing)


def survives(content: bytes, name: str) -> None:
    """Reading ends in runs or in a sentence."""
    sentence = ""
    try:
        table = read_table(content, name)
        mapping = recognise(table)
        to_runs(table, mapping)
    except DataError as e:
        sentence = str(e)
    assert "\n" not in sentence


NAMES = st.sampled_from(["x.csv", "x.parquet", "x.xlsx", "x.json", "x", "../../etc/passwd", "x.tsv"])


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=2000), NAMES)
@example(b"PAR1" + b"\xff" * 30 + b"PAR1", "x.parquet")
@example(b"loss\x1f,params\n3,1e8\n", "x.csv")
def test_random_bytes(content: bytes, name: str) -> None:
    survives(content, name)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="runlosparmteNDC,;|\t\n\"'0123456789.eE+-%{}[]: BM\u00e9", max_size=400), NAMES)
def test_random_text(text: str, name: str) -> None:
    survives(text.encode(), name)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.sampled_from(["xlsx", "json", "csv"]))
def test_damaged_files(data: st.DataObject, kind: str) -> None:
    rows = [
        {"run": "a", "params": 1e8, "tokens": 2e9, "loss": 3.0},
        {"run": "b", "params": 2e8, "tokens": 4e9, "loss": 2.9},
    ]
    whole = {
        "xlsx": plain_workbook(),
        "json": json.dumps(rows).encode(),
        "csv": b"run,params,tokens,loss\na,1e8,2e9,3\nb,2e8,4e9,2.9\n",
    }[kind]
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        if data.draw(st.booleans()):
            damaged[at] = data.draw(st.integers(0, 255))
        else:
            del damaged[at:]
            break
    survives(bytes(damaged), f"x.{kind}")


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_damaged_members_of_a_workbook(data: st.DataObject) -> None:
    with zipfile.ZipFile(io.BytesIO(plain_workbook())) as archive:
        member = data.draw(st.sampled_from([n for n in archive.namelist() if n.endswith(".xml")]))
        xml = bytearray(archive.read(member))
    at = data.draw(st.integers(0, len(xml) - 1))
    xml[at : at + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=5))
    survives(workbook({member: bytes(xml)}), "x.xlsx")


def test_damaged_parquet() -> None:
    whole = parquet({"run": ["a", "b"], "params": [1e8, 2e8], "loss": [3.0, 2.9]}, compression="snappy")
    rng = np.random.default_rng(0)
    for _ in range(400):
        damaged = bytearray(whole)
        for at in rng.integers(4, len(whole) - 8, size=rng.integers(1, 4)):
            damaged[at] = rng.integers(0, 256)
        survives(bytes(damaged), "x.parquet")


def test_zlib_streams_are_no_text() -> None:
    assert "binary" in refused(zlib.compress(np.random.default_rng(0).bytes(5000)))


def test_names_that_no_screen_can_show(read: Read) -> None:
    hostile = '{"run": "a\\ud800\\u0000\\u202eb", "loss\\u0000": 1, "loss": 3, "params": 1e8, "tokens": 1e9}\n'
    runs = read(
        hostile + '{"run": "' + "x" * 5000 + '", "loss": 2.9, "params": 1e8, "tokens": 2e9}\n',
        "x.jsonl",
        columns={"loss": "loss (2)"},
    )
    assert runs.kept["run"].iloc[0] == "a   b"
    assert len(runs.kept["run"].iloc[1]) == 300
    assert len(runs.digest) == 64


def test_wide_tables_are_recognised_quickly() -> None:
    """Ten times the columns take about ten times as long; a look at every pair of columns would take a hundred."""
    took = {}
    for columns in (490, 4_900):
        headers = [f"eval/task_{i}/some metric of no interest" for i in range(columns)] + ["params", "tokens", "loss"]
        start = time.process_time()
        survives((",".join(headers) + "\n" + (",".join(["1.5"] * len(headers)) + "\n") * 20).encode(), "x.csv")
        took[columns] = time.process_time() - start
    assert took[4_900] < 30 * took[490]


def test_numbers_beyond_all_numbers(read: Read) -> None:
    runs = read("run,params,tokens,loss\na,1e300,1e300,3\nb,1e8,1e9,1e30\nc,1e8,2e9,2.9\nd,1e8,3e9,2.8\n")
    assert dict(zip(runs.set_aside["run"], runs.set_aside["reason"], strict=True)) == {
        "a": "FLOP count is not finite",
        "b": "loss is above that of guessing (diverged)",
    }


def test_floods_of_nothing_are_refused_before_they_are_parsed() -> None:
    lines = b"\n" * (12 * 2**20)
    assert "cells" in refused(b"a,b\n" + lines + b"1,2")
    assert "cells" in refused(b"a b\n" + b"1 2\n" * 6_000_000)
    assert "values" in refused(b'{"a": 1}' + lines + b'{"a": 2}', "x.jsonl")


def test_many_sheets_share_one_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    import openpyxl

    monkeypatch.setattr("data.readers.excel.MAX_CELLS", 1000)
    book = openpyxl.Workbook()
    for k in range(5):
        sheet = book.create_sheet(f"s{k}")
        for _ in range(30):
            sheet.append([1] * 10)
    out = io.BytesIO()
    book.save(out)
    assert "1,000 cells" in refused(out.getvalue(), "x.xlsx")
