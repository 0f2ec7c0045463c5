"""Rows of means and sums are no runs, whatever they are called; rows of runs are no means."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from data import Runs
from data.read import from_frame
from data.readers._amounts import amounting, says_amount
from data.table import Table
from tests.data.cases import side_by_side

Read = Callable[..., Runs]
NAMES = (
    "平均", "均值", "平均值", "media", "promedio", "среднее", "Baseline avg", "avg over seeds", "Average of above", "Summe",
    "合计", "Mittel", "keskiarvo", "row 5", "zzz", "",
)  # fmt: skip
SIZES, TOKENS, LOSSES = (125, 350, 760, 1300), (2.5, 7, 15.2, 26), (3.412, 3.105, 2.913, 2.744)


def _amounting(frame: pd.DataFrame) -> dict[int, str]:
    table = Table(frame, "t", "CSV", np.arange(1, len(frame) + 1))
    return amounting(table, np.column_stack([table.text(h).to_numpy(dtype=object) for h in table.headers]))


def test_a_row_of_means_is_no_run_whatever_its_name(read: Read) -> None:
    head = "| model | params (M) | tokens (B) | loss |\n|---|---|---|---|\n"
    rows = [f"| {m} | {n} | {t} | {x} |\n" for m, n, t, x in zip("abcd", SIZES, TOKENS, LOSSES, strict=True)]
    ends = ("633.75 | 12.675 | 3.0435", "634 | 12.7 | 3.04", "2535 | 50.7 | 12.174", "555 | 11.1 | 3.009")
    for name, last in side_by_side(NAMES, ends):
        runs = read(head + "".join(rows) + f"| {name} | {last} |\n", "runs.md")
        assert runs.kept["loss"].tolist() == list(LOSSES), (name, last)
        assert len(runs.set_aside) == 1, (name, last)
    two = "".join(rows[:2]) + "| x | 237.5 | 4.75 | 3.2585 |\n" + "".join(rows[2:]) + "| y | 1030 | 20.6 | 2.8285 |\n"
    assert read(head + two, "runs.md").kept["loss"].tolist() == list(LOSSES)


def test_words_for_amounts() -> None:
    assert all(says_amount(name) for name in NAMES[:13])
    assert not any(says_amount(name) for name in ("small", "meaning-1B", "r5", "sumatra", "intermediate", "wsd-7B"))


def test_a_repeat_and_a_grid_are_runs() -> None:
    for rows in (
        [("a", 100, 2, 3.41), ("b", 200, 4, 3.22), ("c", 300, 6, 3.03), ("d", 200, 4, 3.22)],  # a repeat of b
        [("a", 100, 2, 3.4), ("b", 300, 6, 3.2), ("c", 200, 4, 3.3)],
        [("a", 100, 2, 3.4), ("b", 200, 4, 3.2), ("c", 300, 6, 6.6)],
        [("a", 100, 2, 3.412), ("a", 100, 2, 3.408), ("a", 100, 2, 3.41)],  # seeds
    ):
        assert not _amounting(pd.DataFrame(rows, columns=["run", "params (M)", "tokens (B)", "loss"])), rows


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 12), st.sampled_from(NAMES), st.integers(3, 5), st.booleans())
def test_means_of_random_tables_are_found_and_random_runs_are_not(
    seed: int, n: int, name: str, digits: int, by_text: bool
) -> None:
    random = np.random.default_rng(seed)
    sizes, data = np.round(10 ** random.uniform(1, 4, n), 1), np.round(10 ** random.uniform(0, 3, n), 2)
    losses = np.round(random.uniform(2.2, 4.5, n), 3)
    sizes[:2], losses[:2] = (17.3, 912.4), (4.217, 2.534)  # spread so that chance explains no mean of them
    frame = pd.DataFrame({"run": [f"r{i}" for i in range(n)], "params (M)": sizes, "tokens (B)": data, "loss": losses})
    assert not _amounting(frame)
    means = [float(f"{v.mean():.{digits + 1}g}") for v in (sizes, data, losses)]
    frame.loc[n] = [name, *means]
    assert list(_amounting(frame.astype(str) if by_text else frame)) == [n]


def test_grids_of_runs_hold_no_means() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        n, d = np.meshgrid(random.choice([10, 20, 30, 50, 100, 200, 300], 4), random.choice([1, 2, 4, 8, 16], 4))
        loss = np.round(1.7 + 4 * n.ravel() ** -0.3 + d.ravel() ** -0.3 + random.normal(0, 0.01, 16), 3)
        frame = pd.DataFrame({"params (M)": n.ravel(), "tokens (B)": d.ravel(), "loss": loss})
        assert not from_frame(frame).misfits
