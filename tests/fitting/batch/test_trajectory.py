"""The law of the whole run: golden numbers, its implicit equation to fifty digits, its derivatives, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, getcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from fitting import FitError
from fitting.batch.trajectory import KAPLAN, NAMES, of_constants, slopes
from fitting.laws.compute import PF_DAY

TABLE_3 = dict(zip(NAMES, KAPLAN.values, strict=True))
TABLE_5 = of_constants([*KAPLAN.values[:4], 2.1e8, 0.21], "tokens")  # its B* is rounded otherwise than in eq. 5.3


def bisected(law, params, batch, steps):
    """The root of the implicit equation by bisection with fifty digits, over the constants as they are stored."""
    getcontext().prec = 60
    n_c, a_n, s_c, a_s, b_star, a_b = (Decimal(float(v)) for v in law.values)
    n, b, s = (Decimal(float(v)) for v in (params, batch, steps))
    floor = ((n_c / n).ln() * a_n).exp()
    low, high = floor, floor + Decimal(10) ** 6
    for _ in range(190):
        at = (low + high) / 2
        bend = 1 + b_star / (at.ln() / a_b).exp() / b
        low, high = (at, high) if at < floor + ((s_c * bend / s).ln() * a_s).exp() else (low, at)
    return float(low)


@pytest.mark.parametrize("steps", [30.0, 1e3, 212407.0, 1e8])
@pytest.mark.parametrize("batch", [806.0, 5e5, 1e9])
@pytest.mark.parametrize("law", [KAPLAN, of_constants([1e7, 0.3, 40.0, 1.4, 5e3, 0.12], "sequences")])
@pytest.mark.parametrize("size", [3e7, 96564346372.0])
def test_the_curve_is_the_root_to_fifty_digits(law, size, batch, steps):
    assert law.curve(size, batch, steps).value == pytest.approx(bisected(law, size, batch, steps), rel=1e-10)


def test_kaplans_numbers():
    # Kaplan et al. 2020, eq. 5.6 with table 3 and eq. 5.3; worked out apart to eight digits.
    assert KAPLAN.curve(1e8, 1e30, 1e5).value == pytest.approx(2.8558889, abs=5e-8)
    assert KAPLAN.s_min(1e8, 2.8558889).value == pytest.approx(1e5, rel=1e-6)
    assert KAPLAN.b_crit(3.0).value == pytest.approx(1.069114e6, rel=5e-7)
    assert TABLE_5.b_crit(3.0).value == pytest.approx(1.122570e6, rel=5e-7)
    assert KAPLAN.s_min(5.844082e8, 2.6944432).value == pytest.approx(13160.71, rel=1e-5)


def test_kaplans_compute_efficient_frontier():
    """Kaplan et al. 2020, appendix B: its closed forms with tables 3 and 5, against the least compute that the law itself finds.

    One PF-day of least compute buys 2.694 nats; run at the critical batch, as the paper says, it takes two and 26,321 steps.
    """
    n_c, a_n, s_c, a_s, b_star, a_b = TABLE_5.values
    power = 1 / (1 / a_s + 1 / a_b + 1 / a_n)
    ends = (1 + a_n / a_s) ** (1 / a_s + 1 / a_n)
    scale = 6 * n_c * b_star * s_c * ends * (a_s / a_n) ** (1 / a_s)
    assert power == pytest.approx(0.05245294, abs=5e-9)
    assert scale == pytest.approx(1.390849e28, rel=5e-7)
    loss = (scale / PF_DAY) ** power
    size = n_c * (PF_DAY / scale) ** (power / a_n) * (1 + a_n / a_s) ** (1 / a_n)
    assert loss == pytest.approx(2.6944432, abs=5e-8)
    assert size == pytest.approx(5.844082e8, rel=5e-7)
    # The law knows none of these: of all sizes this one takes the least compute to that loss, which is a PF-day.
    found = minimize_scalar(
        lambda log_n: np.log(6 * np.exp(log_n) * TABLE_5.e_min(np.exp(log_n), loss).value),
        bounds=(np.log(3e8), np.log(3e9)), method="bounded", options={"xatol": 1e-9},
    )  # fmt: skip
    assert np.exp(found.x) == pytest.approx(size, rel=1e-6)
    assert np.exp(found.fun) == pytest.approx(PF_DAY, rel=1e-9)
    assert TABLE_5.floor(size).value * (1 + a_n / a_s) == pytest.approx(loss, rel=1e-12)
    batch = TABLE_5.b_crit(loss).value
    assert batch == pytest.approx(1.872263e6, rel=5e-7)
    steps = TABLE_5.steps(size, batch, loss).value
    assert steps == pytest.approx(26_321, abs=1)
    assert 6 * size * batch * steps == pytest.approx(2 * PF_DAY, rel=1e-9)


def test_adding_up_steps_with_the_critical_batch_of_the_moment_is_another_law():
    # A hundred million parameters at 2^19 tokens a step down to 3 nats, with table 3 and B* = 2.1e8: 55,860 steps here.
    size, batch, loss = 1e8, 2.0**19, 3.0
    assert TABLE_5.steps(size, batch, loss).value == pytest.approx(55_860, abs=1)
    fewest = np.geomspace(1e-4, TABLE_5.s_min(size, loss).value, 100_001)
    on_the_way = TABLE_5.curve(size, 1e30, fewest).value
    added = np.trapezoid(1.0 + TABLE_5.b_crit(on_the_way).value / batch, fewest)
    assert added == pytest.approx(45_017, abs=1)


@given(
    size=st.floats(1e3, 1e12),
    batch=st.floats(1e2, 1e9),
    steps=st.floats(10.0, 1e7),
)
def test_curve_and_steps_undo_each_other(size, batch, steps):
    loss = KAPLAN.curve(size, batch, steps).value
    if loss / KAPLAN.floor(size).value - 1 > 1e-6:  # nearer the floor, steps hang on the loss's last digits
        assert KAPLAN.steps(size, batch, loss).value == pytest.approx(steps, rel=1e-6)


def test_derivatives_are_those_of_finite_differences():
    size, batch, steps = np.array([1e6, 1e8, 1e9]), np.array([1e4, 1e6, 1e7]), np.array([10.0, 1e4, 1e6])
    c = KAPLAN.centred
    exact = slopes(c, KAPLAN.anchors, size, batch, steps)[1]
    for i in range(6):
        moved = [slopes(c + d * np.eye(6)[i], KAPLAN.anchors, size, batch, steps)[0] for d in (1e-5, -1e-5)]
        assert exact[:, i] == pytest.approx((moved[0] - moved[1]) / 2e-5, abs=1e-9)


def test_arrays_broadcast_and_draws_give_bands():
    drawn = KAPLAN.centred + 0.01 * np.random.default_rng(0).standard_normal((50, 6))
    law = replace(KAPLAN, drawn=drawn)
    band = law.curve(np.array([1e7, 1e8])[:, None], 5e5, np.array([1e3, 1e4, 1e5]))
    assert band.value.shape == band.low.shape == (2, 3)
    assert np.all((band.low < band.value) & (band.value < band.high))
    assert law.draws == pytest.approx(np.array([replace(KAPLAN, centred=d).values for d in drawn]))
    low, high = law.constant("alpha_S").low, law.constant("alpha_S").high
    assert low < TABLE_3["alpha_S"] < high


def test_what_cannot_be_reached_says_so():
    assert KAPLAN.steps(1e8, 5e5, 2.8).value == np.inf
    assert KAPLAN.e_min(1e8, [2.8, 3.0]).value[0] == np.inf
    assert "its lowest loss is 2.803" in KAPLAN.reachable(1e8, 2.8)
    assert KAPLAN.reachable(1e8, 2.9) == ""
    one = replace(KAPLAN, one_size=True)
    assert np.isnan(one.values[:2]).all()
    assert one.floor().value == KAPLAN.floor(1e8).value
    with pytest.raises(FitError, match="no other size"):
        one.floor(1e9)
    with pytest.raises(FitError, match="positive"):
        KAPLAN.b_crit(-1.0)
    with pytest.raises(FitError, match="Six positive constants"):
        of_constants([1, 2, 3], "tokens")


def test_published_constants_come_with_a_warning():
    assert "WebText2" in KAPLAN.warning
    assert "Do not use them for another setup" in KAPLAN.warning
    assert np.isnan(KAPLAN.b_crit(3.0).low)
