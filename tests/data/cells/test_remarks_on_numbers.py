"""Marks and remarks on a number: named errors, praise, footnotes without a sign, formulas of one number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from data import Runs
from data.cells.stated import reading

Read = Callable[..., Runs]
WITH_ERROR = (
    "{} (SE {})", "{} (s.d. {})", "{} σ={}", "{}_(±{})", "{} ± {} (std)", "{} (σ = {})", "{} [SEM: {}]", "{} std {}", "{} (s.e.m. {})"
)  # fmt: skip
ALONE = (
    "{} best",
    "{} new SOTA",
    "{} (best)",
    "{}^",
    "{}^[1]",
    "={}",
    "**{}** best",
    "{} best so far!",
    "{} at step 9000",
)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from((*WITH_ERROR, *ALONE)), st.integers(1500, 9999), st.integers(1, 99))
def test_a_remark_does_not_change_the_number(form: str, value: int, error: int) -> None:
    found = reading(form.format(f"{value / 1000:.3f}", f"{error / 1000:.3f}"))
    assert found is not None
    assert found.value == value / 1000
    assert np.isclose(found.error, error / 1000) if form in WITH_ERROR else np.isnan(found.error)


def test_the_best_run_is_kept(read: Read) -> None:
    for form in (*WITH_ERROR, *ALONE):
        cells = ["3.412", "3.105", form.format("2.913", "0.01"), "2.744"]
        rows = [
            f"| r{i} | {n} | {d} | {c} |"
            for i, (n, d, c) in enumerate(zip((125, 350, 760, 1300), (2.5, 7, 15, 26), cells, strict=True))
        ]
        text = "\n".join(["| run | params (M) | tokens (B) | val loss |", "|---|---|---|---|", *rows]) + "\n"
        runs = read(text, "a.md")
        assert runs.kept["loss"].tolist() == [3.412, 3.105, 2.913, 2.744], form
        assert ("loss_error" in runs.kept) == (form in WITH_ERROR), form


def test_what_is_no_such_remark_stays_text() -> None:
    for text in (
        "=2+3", "=B2", "2.913 at 9000", "125M best", "2.913 best of 3", "3 at step 4", "12 des 2024", "2.913 used 3", "10^[7]", "10^",
        "2.10^7", "v1.2 best", "2.913 SE", "7B se 2024",
    ):  # fmt: skip
        assert reading(text) is None, text
