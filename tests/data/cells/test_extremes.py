"""Cells at the ends of what a number can be, in every column: the row is kept or set aside with its reason, never an error."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data import read_runs
from data.errors import ReadError
from data.schema import COLUMNS, COUNTS, NEEDED

EXTREMES = [
    "1e300", "1e-308", "5e-324", "1e308", "-1e300", "inf", "-inf", "nan", "-1", "0", "-0", "", "big", "1e999", "9" * 55, "9" * 400,
    "1e400M", "n/a", "True", "1,5", "=1+1", "1e8",
]  # fmt: skip
NUMBERS = [name for name, column in COLUMNS.items() if column.kind == "number"]


def test_a_word_in_the_working_count_sets_its_row_aside() -> None:
    table = pd.DataFrame(
        {"run": ["a", "b"], "params_total": ["1e8", "big"], "tokens": ["2e9"] * 2, "loss": ["3", "3.1"]}
    )
    runs = read_runs(table)
    assert list(runs.kept["run"]) == ["a"]
    assert list(runs.set_aside["reason"]) == ["params is not a number ('big')"]


@pytest.mark.parametrize("count", COUNTS)
def test_the_reason_quotes_the_cell_of_the_count_that_fits_use(count: str) -> None:
    names = [f"word in {other}" for other in COUNTS]
    table = pd.DataFrame({"run": ["good", *names], "tokens": 2e9, "loss": [3.0, 2.9, 2.8, 2.7, 2.6]})
    for other in COUNTS:
        table[other] = ["1e8", *(f"x {other}" if name.endswith(f" {other}") else "2e8" for name in names)]
    runs = read_runs(table, count=count)
    assert list(runs.set_aside["run"]) == [f"word in {count}"]
    assert list(runs.set_aside["reason"]) == [f"params is not a number ('x {count}')"]


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    """A few good runs, one of them spoilt in any canonical column, the needed ones among them or not."""
    size = draw(st.sampled_from(["params", "params_total", "params_nonembed", "params_active"]))
    others = draw(st.lists(st.sampled_from([c for c in NUMBERS if c not in (size, "loss")]), unique=True, max_size=4))
    rows = draw(st.integers(2, 6))
    table = {"run": [f"r{i}" for i in range(rows)]}
    for k, column in enumerate((size, *others, "loss")):
        good = [f"{(3 - 0.1 * i) if column == 'loss' else (i + 1) * 10 ** (6 + k)}" for i in range(rows)]
        for i in draw(st.lists(st.integers(0, rows - 1), max_size=3)):
            good[i] = draw(st.sampled_from(EXTREMES))
        table[column] = good
    return pd.DataFrame(table)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables())
def test_no_cell_is_an_inner_error(table: pd.DataFrame) -> None:
    try:
        runs = read_runs(table)
    except ReadError:  # a sentence for a person, with whatever was kept of the table
        return
    assert len(runs) + len(runs.set_aside) == len(table)
    assert (runs.set_aside["reason"] != "").all()
    for column in set(NEEDED) & set(runs.kept):
        values = runs.kept[column].to_numpy()
        assert (np.isfinite(values) & (values > 0)).all()
