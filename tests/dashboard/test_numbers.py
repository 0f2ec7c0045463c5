"""Numbers are said the same way in Python and in the browser, and never with more digits than their interval allows."""

from __future__ import annotations

import json
import math
import random
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dashboard import numbers
from fitting.export.latex import row, stands_for

CASES = json.loads((Path(__file__).parent / "number_cases.json").read_text(encoding="utf-8"))
LADDER = {"k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12, "": 1.0}
positive = st.floats(1e-2, 1e20)


@pytest.mark.parametrize(("kind", "value", "low", "high", "said", "interval"), CASES)
def test_a_number_and_its_interval(kind, value, low, high, said, interval):
    assert numbers.with_interval(value, low, high, kind) == (said, interval)


def test_the_browser_says_the_same_cases(run_js):
    said = run_js("rows => rows.map(([kind, v, low, high]) => withInterval(v, low, high, kind))", CASES)
    assert [tuple(pair) for pair in said] == [(row[4], row[5]) for row in CASES]


def test_the_browser_says_thousands_of_random_numbers_alike(run_js):
    draw = random.Random(5)
    rows = []
    for _ in range(6000):
        value = 10 ** draw.uniform(-9, 30)
        spread = 10 ** draw.uniform(-7, 1)
        low, high = value / (1 + spread), value * (1 + spread)
        rows.append([draw.choice(list(numbers.KINDS)), draw.choice([value, round(value), None]), low, high])
        rows.append([rows[-1][0], value, None, draw.choice([None, high])])
    said = run_js("rows => rows.map(([kind, v, low, high]) => withInterval(v, low, high, kind))", rows)
    ours = [list(numbers.with_interval(v, low, high, kind)) for kind, v, low, high in rows]
    different = [(row, a, b) for row, a, b in zip(rows, ours, said, strict=True) if a != b]
    assert different == []


def test_an_interval_beside_one_it_holds_never_reads_as_the_narrower(run_js):
    """Both to the same digits, in Python and in the browser: 1.077–1.096 beside 1.077–1.31 and not 1.08–1.31."""
    assert numbers.with_interval(1.081, 1.0774, 1.312, "loss", (1.0774, 1.096))[1].startswith("1.077–1.31")
    draw = random.Random(7)
    rows = []
    for _ in range(3000):
        value = draw.uniform(0.3, 12)
        inner = [value * math.exp(sign * 10 ** draw.uniform(-5, -0.5)) for sign in (-1, 1)]
        outer = [end * math.exp(sign * 10 ** draw.uniform(-6, 0)) for end, sign in zip(inner, (-1, 1), strict=True)]
        rows.append((value, inner, outer))
    script = "rows => rows.map(([v, [a, b], o]) => [withInterval(v, a, b, 'loss')[1], withInterval(v, ...o, 'loss', [a, b])[1]])"
    for (value, inner, outer), said in zip(rows, run_js(script, rows), strict=True):
        ours = [
            numbers.with_interval(value, *inner, "loss")[1],
            numbers.with_interval(value, *outer, "loss", (inner[0], inner[1]))[1],
        ]
        assert ours == said
        (a, b), (low, high) = ([float(x) for x in re.findall(r"[0-9.]+", text)] for text in said)
        assert low <= a <= b <= high, (said, inner, outer)


def test_short_names_say_what_they_mean():
    assert numbers.count(72.6e9) == "73\u202fB"
    assert numbers.flop(5.76e23) == "5.8e23"
    assert numbers.loss(1.97) == "1.97"
    assert numbers.ratio(18.2) == "18"
    assert numbers.duration(11 * 86400) == "11\u00a0days"
    roughly = [numbers.roughly(t).replace("\u00a0", " ") for t in (0.53, 1.0, 9.0, 540.0, 402.0, 7 * 3600.0)]
    assert roughly == ["1 second", "1 second", "9 seconds", "9 minutes", "6.7 minutes", "7 hours"]
    assert numbers.roughly(None) == "—"
    assert numbers.money(0.81e6) == "$0.81\u202fM"
    assert numbers.percent(0.95) == "95\u202f%"
    assert numbers.interval(860e9, 1.9e12, "count") == "860\u202fB – 1.9\u202fT"


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf, 1e305])
def test_what_is_not_a_number_is_a_dash(value):
    assert all(numbers.say(value, kind) == "—" for kind in numbers.KINDS)


def test_numpy_scalars_are_numbers():
    assert numbers.with_interval(np.float64(72.6e9), np.float32(51.2e9), np.int64(112_000_000_000), "count") == (
        "73\u202fB",
        "51–112\u202fB",
    )


def test_an_unknown_kind_is_named():
    with pytest.raises(ValueError, match=r"count, flop.*'bytes' came"):
        numbers.say(1.0, "bytes")


@given(positive)
def test_a_count_read_back_is_within_its_last_digit(value):
    text = numbers.count(value)
    match = re.fullmatch(r"([\d.]+)(?:e(-?\d+))?(?:\u202f([kMBT]))?", text)
    assert match, text
    read = float(match[1]) * 10.0 ** int(match[2] or 0) * LADDER[match[3] or ""]
    assert read == pytest.approx(value, rel=0.051)
    if not match[2]:
        assert float(match[1]) < 1000


@given(positive, st.floats(1e-4, 5))
def test_digits_follow_the_interval(value, spread):
    """The last digit of a loss is worth at least a thirtieth of the interval, unless three digits already take more."""
    low, high = value, value * (1 + spread)
    text, _ = numbers.with_interval(value, low, high, "loss")
    if "e" in text:
        return
    decimals = len(text.partition(".")[2])
    worth = 10.0**-decimals
    if len(text.replace(".", "").lstrip("0")) > 3 and decimals:
        assert worth >= (high - low) / 30 * 0.999


@given(st.sampled_from(sorted(numbers.KINDS)), st.lists(positive, min_size=3, max_size=3).map(sorted))
def test_no_more_than_six_figures_and_no_unit_left_alone(kind, ends):
    low, value, high = ends
    text, interval = numbers.with_interval(value, low, high, kind)
    mantissa = re.split(r"[e\u202f\u00a0]", text)[0]
    figures = re.sub(r"[^\d]", "", mantissa).lstrip("0")
    assert 1 <= len(figures) <= 6 or float(figures or 0) >= 1e5
    assert "nan" not in interval
    assert " " not in text  # a number never parts from its unit


@given(positive, positive)
def test_order_of_the_ends_does_not_matter(a, b):
    assert numbers.with_interval(a, a, b, "count") == numbers.with_interval(a, b, a, "count")


@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(), st.floats())
def test_every_float_is_said(value, low, high):
    for kind in numbers.KINDS:
        said = numbers.with_interval(value, low, high, kind)
        assert all(isinstance(text, str) and text for text in said)


def _value(said: str) -> float:
    figures, _, unit = said.replace("\u202f", " ").replace("\u2212", "-").partition(" ")
    return float(figures.replace(",", "")) * LADDER[unit]


@given(
    value=st.floats(1e-5, 1e14),
    down=st.floats(1.001, 30.0),
    up=st.floats(1.001, 30.0),
    kind=st.sampled_from(["count", "flop", "loss", "ratio"]),
)
@example(1.25, 2.0, 2.0, "count")  # a half, which the page takes up
@example(9.95, 2.0, 2.0, "count")
@example(409.0, 2.0, 2.0, "count")  # a whole thing below a thousand, which the page says in full
@example(0.0675, 2.0, 2.0, "flop")  # halves that the page rounds beside a power of ten
@example(0.000335, 2.0, 2.0, "count")
@example(1.97, 1.6, 1.5, "loss")
@settings(max_examples=200)
def test_a_row_of_latex_has_the_pages_digits_in_one_notation(value, down, up, kind):
    low, high = value / down, value * up
    said, *ends = row(value, low, high, kind=kind)
    page = numbers.with_interval(value, low, high, kind)[0]
    assert stands_for(said) == pytest.approx(_value(page), rel=1e-9), (page, said)
    assert len({"times" in text for text in (said, *ends)}) == 1
    for text, number in zip((said, *ends), (value, low, high), strict=True):
        assert len(text.partition(" ")[0].replace(".", "").lstrip("0")) >= (
            1 if numbers.is_exact(number, numbers.KINDS[kind]) else 2
        )
        assert stands_for(text) == pytest.approx(number, rel=0.0501)


def test_rows_as_a_plan_shows_them():
    for (value, *ends), told in (
        ((447098762277.1, 85270252537.1, 5202401149645.5), ("4.5e11", "8.5e10", "5.2e12")),
        ((0.00033064, 6.1e-5, 0.00404), ("3.3e-4", "6.1e-5", "4.0e-3")),
        ((171630.7, 84310.98, 491839.5), ("1.7e5", "8.4e4", "4.9e5")),
        ((24.987, 0.9089, 3383.1), ("25", "0.91", "3400")),
        ((1.9503, 1.84, 2.0771), ("1.95", "1.84", "2.08")),
        ((4.8e22, 4.8e22, 4.8e22), ("4.800e22",) * 3),
        ((67408.2,), ("67000",)),
        ((9.96, 5.0, 12.0), ("10", "5.0", "12")),
        ((3e5, 1e5, math.inf), ("3.0e5", "1.0e5", r"\infty")),
    ):
        assert tuple(t.replace(r" \times 10^{", "e").rstrip("}") for t in row(value, *ends)) == told
