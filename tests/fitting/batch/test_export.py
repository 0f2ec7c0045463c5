"""What is taken away says what the fit says, and runs nothing on the way."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest

from dashboard import numbers
from fitting.batch import critical_batch, growth
from fitting.export.critical_batch import to_csv, to_json, to_latex, to_python
from fitting.export.latex import stands_for

BATCHES = 2.0 ** np.arange(6, 15)
NAMES = ("125M", "=1+1", 'it\'s\n"quoted"')


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(0)
    return {
        name: critical_batch(BATCHES, 1000 * (k + 1) * (1 + 900 / BATCHES) * np.exp(0.05 * rng.standard_normal(9)), resamples=200)
        for k, name in enumerate(NAMES)
    }  # fmt: skip


def test_json_holds_every_band_and_reason(found):
    body = json.loads(to_json(found, {**dict.fromkeys(found, ()), "few": ("too few",)}, "tokens", 256, 0.5))
    assert [g["group"] for g in body["groups"]] == [*NAMES, "few"]
    assert body["groups"][-1]["notes"] == ["too few"]
    first, f = body["groups"][0], found["125M"]
    assert first["b_crit"] == {"value": f.b_crit.value, "low": f.b_crit.low, "high": f.b_crit.high, "level": 0.95}
    assert first["overhead_batch"]["value"] == f.overhead_batch(256, 0.5).value
    steep = critical_batch(BATCHES, 1e6 / BATCHES, resamples=20)
    assert json.loads(to_json({"a": steep}, {"a": ()}, "tokens"))["groups"][0]["b_crit"]["value"] == "inf"


def test_csv_is_read_back_and_no_name_is_a_formula(found):
    text = to_csv(found, "sequences", 256, 0.2)
    table = pd.read_csv(io.StringIO(text))
    assert list(table["b_crit"]) == [f.b_crit.value for f in found.values()]
    assert list(table["batch_20_percent_over_linear_from_256"]) == [f.overhead_batch(256).value for f in found.values()]
    assert not table["group"].str.startswith("=").any()


def test_python_runs_alone_and_says_the_same(found):
    told: dict = {}
    exec(to_python(found, "sequences"), told)  # our own text, which is what is tested
    for name, f in found.items():
        assert told["steps"](name, 777.0) == pytest.approx(f.steps_at(777.0).value, rel=1e-12)
        assert told["critical_batch"](name) == pytest.approx(f.b_crit.value, rel=1e-12)


def test_latex_rounds_for_reading_and_keeps_every_number_in_full(found):
    text = to_latex(found, "sequences", 256, 0.5)
    f = found["125M"]
    assert f'% "125M" b_crit = {f.b_crit.value!r} ({f.b_crit.low!r} to {f.b_crit.high!r} at 0.95)' in text
    assert f'"125M" over_linear = {f.overhead_batch(256, 0.5).value!r}' in text
    body = text[text.index(r"\begin{tabular}") :]
    assert "50\\,\\% over linear from 256 &" in body
    assert body.count(r" \\") == 1 + len(NAMES)
    assert all(
        line.startswith("%") for line in text[: text.index(r"\begin{equation}")].splitlines()
    )  # no name ends its comment
    page, _, unit = numbers.with_interval(*f.b_crit, "count")[0].partition(numbers.THIN)  # in the digits of the page
    said = stands_for(body.split("  125M & $")[1].partition("$")[0])
    assert said == pytest.approx(float(page) * {"": 1.0, "k": 1e3}[unit], rel=1e-12)
    steep = critical_batch(BATCHES, 1e6 / BATCHES, resamples=20)
    assert r"$\infty$" in to_latex({"a": steep}, "tokens", 256, 0.2)


@pytest.mark.parametrize("along", ["params", "loss"])
def test_the_law_of_growth_goes_along(found, along):
    law = growth([1.0, 2.0, 4.0], [300.0, 410.0, 640.0])
    outside: dict = {}
    exec(to_python(found, "tokens", law, along), outside)
    assert outside["critical_batch_at"](3.0) == pytest.approx(law.at(3.0).value, rel=1e-12)
    text = to_latex(found, "tokens", 256, 0.2, law, along)
    assert f"exponent = {law.exponent().value!r}" in text
    assert rf"B_{{\mathrm{{crit}}}}({'N' if along == 'params' else 'L'}) = " in text
