"""Numbers as people write them: every way of writing one reads back as that number."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import Runs, read_runs
from data.cells.values import SUFFIXES, decimal_sign, number, numbers


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("125M", 125e6), ("1.3B", 1.3e9), ("2.5e19", 2.5e19), ("300 B", 3e11), ("1,234,567", 1234567.0),
        ("2.1E+14", 2.1e14), ("32.0K", 32e3), ("11%", 0.11), ("1 234 567", 1234567.0), ("1\u00a0234", 1234.0),
        ("2.5x10^19", 2.5e19), ("2.5 × 10^19", 2.5e19), ("10^19", 1e19), ("1.2 ZFLOPs", 1.2e21), ("300B tokens", 3e11),
        ("~7B", 7e9), ("12M params", 12e6), ("1bn", 1e9), (".5", 0.5), ("-3", -3.0), ("\u22123", -3.0), ("5 T", 5e12),
        ("1_000", 1000.0), ("1'000'000", 1e6), ("1,5", 1.5), ("1.234.567,8", 1234567.8), (" 42 ", 42.0),
        ("inf", math.inf), ("-inf", -math.inf),
    ],
)  # fmt: skip
def test_ways_of_writing(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "abc", "-", "1.2.3", "12:30", "0x1f", "2024-02-25T10:16:21", "1,23,4", "3 of 4", "=A1*2", "e", "1e", "9" * 61,
     "5 apples", "1;2", "__import__('os')"],
)  # fmt: skip
def test_what_is_no_number(text: str) -> None:
    assert math.isnan(number(text))


def test_a_comma_means_what_the_file_says() -> None:
    assert number("1,234") == 1234
    assert number("1,234", decimal=",") == 1.234
    assert number("1.234", decimal=",") == 1234
    assert number("2,5E+19", decimal=",") == 2.5e19
    assert number("2.5E+19", decimal=",") == 2.5e19


@given(st.floats(min_value=1e-30, max_value=1e30, allow_nan=False), st.booleans())
def test_printed_floats_come_back(value: float, upper: bool) -> None:
    text = f"{value:.17g}"
    assert number(text.upper() if upper else text) == value
    assert number(text.replace(".", ","), decimal=",") == value


@given(st.integers(min_value=1, max_value=10**15))
def test_grouped_integers_come_back(value: int) -> None:
    assert number(f"{value:,}") == value
    assert number(f"{value:,}".replace(",", " ")) == value
    if value >= 10**6:
        assert number(f"{value:,}".replace(",", "."), decimal=".") == value


@given(st.integers(1, 999), st.integers(0, 99), st.sampled_from(sorted(SUFFIXES)), st.sampled_from(["", " "]))
def test_suffixes_come_back(whole: int, hundredths: int, suffix: str, space: str) -> None:
    text = f"{whole}.{hundredths:02d}{space}{suffix}"
    expected = float(f"{whole}.{hundredths:02d}e{SUFFIXES[suffix]}")
    assert number(text) == expected
    assert number(text.upper()) == expected


@given(st.text(max_size=80), st.sampled_from([".", ","]))
def test_any_text_is_a_number_or_none(text: str, decimal: str) -> None:
    assert isinstance(number(text, decimal), float)


@pytest.mark.parametrize(
    ("cells", "separator", "sign"),
    [
        (["1.5", "2.25"], ",", "."), (["1,5", "2,25"], ";", ","), (["0,123"], ";", ","), (["1.234,5"], ";", ","),
        (["1,234.5"], ",", "."), (["1,234", "5,678"], ",", "."), (["2,345", "2,567"], ";", ","), (["1,234,567"], ",", "."),
        (["loss", "", "12"], ",", "."), (["2,1E+14"], "\t", ","),
    ],
)  # fmt: skip
def test_decimal_sign_of_a_file(cells: list[str], separator: str, sign: str) -> None:
    assert decimal_sign(cells, separator) == sign


def test_columns_tell_blank_from_text_from_nan() -> None:
    found = numbers(pd.Series(["1", "", "n/a", "oops", "nan", None, 2, "3M"], dtype=object))
    assert found.blank.tolist() == [False, True, True, False, False, True, False, False]
    assert found.bad.tolist() == [False, False, False, True, False, False, False, False]
    assert np.isnan(found.values[4])
    assert found.values[[0, 6, 7]].tolist() == [1, 2, 3e6]
    assert "3M" in found.written
    assert found.share == pytest.approx(4 / 5)


def test_typed_columns() -> None:
    assert numbers(pd.Series([True, False])).share == 0
    assert numbers(pd.Series([1, 2])).share == 1
    floats = numbers(pd.Series([1.0, np.nan, np.inf]))
    assert floats.blank.tolist() == [False, True, False]
    nullable = numbers(
        pd.Series(pd.arrays.FloatingArray(np.array([1.0, np.nan, np.nan]), np.array([False, True, False])))
    )
    assert nullable.blank.tolist() == [False, True, False]
    assert numbers(pd.Series([10**400], dtype=object)).values[0] == math.inf
    assert numbers(pd.Series(pd.to_datetime(["2024-01-01"]))).share == 0


@pytest.mark.parametrize("decimal", [".", ","])
def test_no_group_of_thousands_begins_with_a_zero(decimal: str) -> None:
    assert number("0,125", decimal) == 0.125
    assert number("0.125", decimal) == 0.125
    assert number("0.125,", ".") == 0.125


def test_a_decimal_sign_that_names_cannot_hold() -> None:
    read_as = {
        "0_5B": 0.5e9, "1_3B": 1.3e9, "6_7b": 6.7e9, "12_5M": 12.5e6, "0_125B": 0.125e9, "1_3": 1.3, "1_3e9": 1.3e9,
        "1_000": 1e3, "1_000_000": 1e6, "12_345": 12345, "1_000.5": 1000.5, "1p3B": 1.3e9, "1p2b": 1.2e9, "0p5B": 0.5e9,
        "2b8": 2.8e9, "1b1": 1.1e9, "8b7": 8.7e9, "2B8": 2.8e9, "146m5": 146.5e6, "1t4": 1.4e12,
    }  # fmt: skip
    for text, value in read_as.items():
        assert number(text) == value == number(text, ","), text
        assert numbers(pd.Series([text, "7"])).values.tolist() == [value, 7.0], text
        assert number(f"**{text}**") == value, text
    for text in ("1_3_5", "1_30_0B", "1,000_000", "2b855b11b", "1pB", "1p3", "b2", "1x3B", "12h34", "2024_11_28"):
        assert np.isnan(number(text)), text


def test_minutes_between_digits_are_no_millions(read: Callable[..., Runs]) -> None:
    text = "run,params,tokens,train time,val_loss\na,0_5B,10B,2m30,2.95\nb,1_3B,26B,12m5,2.66\n"
    runs = read(text)
    assert runs.kept["params"].tolist() == [0.5e9, 1.3e9]
    assert "wall_seconds" not in runs.kept or runs.kept["wall_seconds"].isna().all()


def test_remarks_of_a_column_are_read_the_same_way_in_every_row(read: Callable[..., Runs]) -> None:
    """Whole epochs may multiply the data, and do not beside broken ones: those are passes within what was seen."""
    text = "run,params,tokens,loss\na,1M,2.5B (0.3 epochs),3.4\nb,2M,15.2B (1.7 epochs),3.0\nc,3M,{},2.8\n"
    for cell, value in (("17B (2 epochs)", 17e9), ("15.2B (20 tok/param)", 15.2e9), ("15.2B", 15.2e9)):
        runs = read(text.format(cell))
        assert runs.kept["tokens"].tolist() == [2.5e9, 15.2e9, value], cell
        assert any("(0.3 epochs)" in n for n in runs.notes), cell
    whole = read("run,params,tokens,loss\na,1M,5B,3.4\nb,2M,15.2B,3.0\nc,3M,10B (4 epochs),2.8\n")
    assert whole.reasons == {"tokens is not a number ('10B (4 epochs)')": 1}


def test_a_number_with_a_remark_is_that_number_or_none() -> None:
    read_as = {
        "2.5B (0.3 epochs)": 2.5e9, "300B (1 epoch)": 3e11, "37.3M (whole split)": 37.3e6, "7B (full training set)": 7e9,
        "3.39<sup>[2]</sup>": 3.39, "125M<sup>[a]</sup>": 125e6, "2,5 Mrd.": 2.5e9, "125 Mio.": 125e6, "2.5 bln.": 2.5e9,
        "1億2500万": 1.25e8, "1亿 2500万": 1.25e8, "3억5000만": 3.5e8, "1兆2000億": 1.2e12, "2億": 2e8,
    }  # fmt: skip
    for text, value in read_as.items():
        assert number(text) == value, text
    remarks = ("1.7 epochs", "0.5 passes", "20 tok/param", "20 tokens per parameter", "~20 TPP", "3 days", "2.5 h", "8 H100s", "64 GPUs",
               "13 GB", "24 layers")  # fmt: skip
    for remark in remarks:
        assert number(f"15.2B ({remark})") == 15.2e9, remark
        assert number(f"**15.2B** ({remark})") == 15.2e9, remark
    for text in ("10B (4 epochs)", "3.45 (diverged)", "1.3B (non-emb)", "7B (target)", "1万2億", "1億12500万", "10<sup>[2]</sup>",
                 "7B (0.3B active)", "3.05 abc.", "3.05 (step 14k)"):  # fmt: skip
        assert np.isnan(number(text)), text


def test_decimal_numbers_of_a_database_are_numbers():
    losses = [4.578335493216545, 3.5, 3.25]
    frame = pd.DataFrame(
        {"params": [1e7, 2e7, 3e7], "tokens": [1e9, 2e9, 3e9], "loss": [Decimal(str(x)) for x in losses]}
    )
    for frame_given in (
        frame,
        frame.astype({"params": object}).assign(params=[Decimal(10**7), Decimal(2 * 10**7), Decimal(3 * 10**7)]),
    ):
        assert list(read_runs(frame_given).kept["loss"]) == losses
    blank = read_runs(frame.assign(loss=[Decimal("4.5"), None, Decimal("NaN")]))
    assert list(blank.kept["loss"]) == [4.5]
