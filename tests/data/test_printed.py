"""Text copied from terminals and notebooks: printed dictionaries, printed frames, and the lines around them."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import read_runs
from data.readers import read_table
from data.readers._decimal import decimal_of
from data.readers._python import NotPythonError, dictionary

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
