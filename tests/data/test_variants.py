"""A sample of tables in varied writing: none is read wrong in silence, and none ends in a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.reading_variants import judged
from tests.data.pasted.world import surface
from tests.data.variants import COLUMNS, FORMATS, LOCALES, LOSSES, MARKS, PARAMS, ROWS, TOKENS, variant

SEED = 3
SAMPLE = 80  # the least in which every form occurs is 59


@pytest.mark.parametrize("tenth", range(10))
def test_no_variant_is_wrong_in_silence(tmp_path: Path, tenth: int) -> None:
    bad = []
    for index in range(tenth, SAMPLE, 10):
        one = variant(SEED, index)
        verdict = judged(one, tmp_path)
        if verdict.kind in ("WRONG IN SILENCE", "traceback"):
            bad.append(f"{verdict.kind}: {one.name} {one.drawn} asked {verdict.asked}: {verdict.why}")
    assert not bad, "\n".join(bad)


def test_a_variant_is_the_same_each_time() -> None:
    for index in range(30):
        one, other = variant(1, index), variant(1, index)
        assert one.answer == other.answer
        assert one.content == other.content or one.name.endswith(".xlsx")  # a zip carries the clock


def test_every_form_occurs_in_a_sample() -> None:
    drawn = [variant(SEED, index).drawn for index in range(SAMPLE)]
    for dimension, values in (
        ("format", FORMATS),
        ("params", PARAMS),
        ("data", TOKENS),
        ("loss", LOSSES),
        ("locale", LOCALES),
        ("marks", MARKS),
        ("rows", ROWS),
        ("columns", COLUMNS),
        ("orientation", ("rows", "transposed")),
    ):
        assert {d[dimension] for d in drawn} == set(values), dimension


def test_the_written_truth_is_the_planted_one() -> None:
    """What an answer says of sizes, data and losses lies on the planted surface, within noise and rounding."""
    for index in range(400):
        one = variant(2, index)
        columns = one.answer["columns"]
        if "params_nonembed" in columns and "params_total" not in columns and "total" in one.drawn["params"]:
            continue  # all parameters stand in a plain column
        sizes = columns.get("params_total") or columns.get("params") or columns["params_nonembed"]
        tokens = columns.get("tokens") or [c / 6 / n for c, n in zip(columns["flops"], sizes, strict=True)]
        for n, t, loss in zip(sizes, tokens, columns["loss"], strict=True):
            assert loss == pytest.approx(surface(n, t), rel=0.025), (one.name, one.drawn)
