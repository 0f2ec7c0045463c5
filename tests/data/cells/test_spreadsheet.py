"""What keeps a spreadsheet from running text can be taken away again."""

import csv

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data import read_runs
from data.cells.spreadsheet import as_meant, defused
from data.readers import read_table

SIGNS = st.text(alphabet="=+-@'\t\r\n;, ax1\uff1d\uff20\"|", max_size=12)


@given(SIGNS)
@example("'=1+1")
@example("''=1")
@example("\t\t=")
@example(";'=;-")
def test_text_comes_back_as_it_was(text: str) -> None:
    assert as_meant(defused(text)) == text
    assert defused(text).replace("'", "") == text.replace("'", "")


@given(SIGNS)
def test_no_part_of_it_is_run(text: str) -> None:
    shown = defused(text)
    for separator in (";", "\t", "\n", "\r"):
        for cell in shown.split(separator):
            assert not cell.strip().startswith(("=", "+", "-", "@", "\uff1d", "\uff20"))


@pytest.mark.parametrize("plain", ["", "a", "it's", "'tis", "a-b", "1e-5", "gpt-2", "x = 1", "a; b"])
def test_other_text_is_left_alone(plain: str) -> None:
    assert defused(plain) == plain
    assert as_meant(plain) == plain


def test_a_defused_cell_is_read_as_it_was_meant() -> None:
    text = "run,params,tokens,loss,'=note\n'=a,1e8,2e9,3,'-1.5\n'@b,2e8,2e9,2.9,it's\n"
    assert read_table(text.encode(), "x.csv").headers[-1] == "=note"
    rows = list(csv.reader(text.splitlines()))
    assert rows[1][0] == "'=a"
    table = read_table(text.encode(), "x.csv")
    assert list(table.frame["run"]) == ["=a", "@b"]
    assert list(table.frame["=note"]) == ["-1.5", "it's"]


def test_a_number_that_a_spreadsheet_was_told_is_text_is_a_number(tmp_path) -> None:
    (tmp_path / "x.csv").write_text("run,params,tokens,loss,shift\na,1e8,2e9,3,'-1.5\nb,2e8,2e9,2.9,'-2\n")
    assert list(read_runs(tmp_path / "x.csv").kept["shift"]) == [-1.5, -2.0]
