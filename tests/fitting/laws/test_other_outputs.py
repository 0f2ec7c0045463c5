"""Laws of outputs between 0 and 1, whose terms stand inside a function: what bounds a loss's terms does not bound theirs."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from fitting import FitError, fit, load_fit
from fitting.law import Law, Output, Param, coefficient

SAMPLES = np.geomspace(1, 1e4, 30)


def law(formula, params, latex="S=x") -> Law:
    return Law(
        key="own",
        title="Own",
        formula=formula,
        latex=latex,
        inputs=("samples",),
        params=params,
        cite="-",
        output=Output("success", "Success rate", "", rises=("samples",), bounds=(0.0, 1.0)),
        unscaled=() if any(p.anchor for p in params) else ("samples",),
    )


WEIGHT = Param("a", "a", "", "", (1e-3, 1e4), anchor=coefficient("samples", "b"))
POWER = Param("b", "b", "", "", (0.001, 3.0))


@pytest.mark.parametrize(("a", "b"), [(0.8, 0.3), (15.0, 0.05), (9.0, 0.01)])
def test_the_weight_of_a_small_success_rate_may_be_far_above_it(a, b):
    one = law(lambda samples, a, b: np.exp(-a * samples**-b), (WEIGHT, POWER))
    found = fit(pd.DataFrame({"samples": SAMPLES, "success": np.exp(-a * SAMPLES**-b)}), law=one, resamples=0)
    assert found.params == pytest.approx({"a": a, "b": b}, rel=1e-6)


@pytest.mark.parametrize("left", [0.0, 0.3, 1.0, 4.0])
def test_what_is_left_inside_an_exponential_is_no_floor_of_the_output(left):
    one = law(
        lambda samples, E, a, b: np.exp(-(E + a * samples**-b)),
        (Param("E", "E", "", "", (0.0, 20.0), log=False), WEIGHT, POWER),
    )
    assert not one.param("E").is_floor
    assert one.param("E").least == 0.0
    table = pd.DataFrame({"samples": SAMPLES, "success": np.exp(-(left + 2.0 * SAMPLES**-0.5))})
    found = fit(table, law=one, resamples=0)
    assert found.params == pytest.approx({"E": left, "a": 2.0, "b": 0.5}, rel=1e-5, abs=1e-6)
    assert not [v for v in found.verdicts if v.key == "floor"]


def test_a_floor_that_the_formula_adds_is_one():
    one = law(
        lambda samples, E, a, b: E + a * samples**-b, (Param("E", "E", "", "", (0.0, 1.0), log=False), WEIGHT, POWER)
    )
    assert one.param("E").is_floor


def test_a_parameter_below_zero_is_saved_read_back_and_printed():
    one = law(
        lambda samples, m, s: 1.0 / (1.0 + np.exp(-(s * np.log(samples) - m))),
        (Param("m", "m", "", "", (-10.0, 10.0), log=False), Param("s", "s", "", "", (-2.0, 2.0), log=False)),
        r"S(k)=1/(1+e^{-(s \ln k - m)})",
    )
    table = pd.DataFrame({"samples": SAMPLES, "success": 1.0 / (1.0 + np.exp(-(0.5 * np.log(SAMPLES) + 0.7)))})
    found = fit(table, law=one, resamples=40)
    assert found.params["m"] == pytest.approx(-0.7)
    back = load_fit(found.to_json(), law=one)
    assert np.array_equal(back.values, found.values)
    assert r"- \left(-0.7" in found.to_latex()


def test_a_parameter_below_what_the_law_allows_is_damage():
    one = law(lambda samples, a, b: np.exp(-a * samples**-b), (WEIGHT, POWER))
    table = pd.DataFrame({"samples": SAMPLES, "success": np.exp(-0.8 * SAMPLES**-0.3)})
    saved = json.loads(fit(table, law=one, resamples=0).to_json())
    saved["params"]["a"] = -1.0
    saved.pop("checksum")
    with pytest.raises(FitError, match="damaged"):
        load_fit(json.dumps(saved), law=one)


def test_intervals_of_shares_come_from_whole_runs() -> None:
    """The scatter of a share in logs falls with the share, so residuals are not exchanged; 40 tables of 200 trials at 16 places."""
    one, held, k = law(lambda samples, a, b: np.exp(-a * samples**-b), (WEIGHT, POWER)), 0, np.geomspace(1, 1e4, 16)
    true = np.exp(-2.1 * k**-0.31)
    for seed in range(40):
        counted = np.random.default_rng(seed).binomial(200, true) / 200
        found = fit(pd.DataFrame({"samples": k, "success": counted}), law=one, resamples=80, seed=seed)
        assert found.settings.intervals == "runs"
        band = found.interval("a")
        held += band.low <= 2.1 <= band.high
    assert held >= 32, held
