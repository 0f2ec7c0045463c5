"""The pieces: power laws through points, E + A C^-gamma, vertices against numpy and scipy, budgets found and named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import Akima1DInterpolator

from fitting import FitError
from fitting.isoflop import floor, power_law
from fitting.isoflop.buckets import buckets, sizes
from fitting.isoflop.vertices import DOWN, EDGE, FEW, FINE, akima_lowest, akima_slopes, vertices
from fitting.isoflop.words import compute, spoken

QUICK = settings(max_examples=40, deadline=None)


@QUICK
@given(st.floats(-2, 2), st.floats(-30, 30), st.floats(0.1, 10))
def test_a_power_law_is_found_whatever_the_weights(exponent, log_scale, heavy):
    c = np.geomspace(1e18, 1e21, 6)
    law = power_law(c, np.exp(log_scale) * (c / 1e19) ** exponent, np.array([heavy, 1, 1, 1, 2, 1]))
    assert law.exponent == pytest.approx(exponent, abs=1e-9)
    assert law.at(1e19).value == pytest.approx(np.exp(log_scale), rel=1e-8)


def test_a_power_law_agrees_with_numpy_s_weighted_line():
    rng = np.random.default_rng(3)
    c, y, w = np.geomspace(1e18, 1e22, 9), np.exp(rng.normal(20, 1, 9)), rng.uniform(0.5, 4, 9)
    slope, height = np.polyfit(np.log(c), np.log(y), 1, w=np.sqrt(w))
    law = power_law(c, y, w)
    assert law.exponent == pytest.approx(slope, rel=1e-9)
    assert np.log(law.coefficient) == pytest.approx(height, rel=1e-9)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0, -1.0])
def test_a_power_law_says_which_points_it_lacks(bad):
    with pytest.raises(FitError, match=r"1 of 3 have none\. Leave those out\."):
        power_law([1e18, 1e19, 1e20], [1e9, bad, 1e10])
    with pytest.raises(FitError, match="at least 2 different budgets"):
        power_law([1e18, 1e18], [1e9, 2e9])


@QUICK
@given(st.floats(0, 3), st.floats(0.1, 3), st.floats(0.03, 0.6))
def test_a_floor_is_found_without_noise(e, a, gamma):
    c = np.geomspace(1e18, 1e22, 9)
    found = floor(c, e + a * (c / 1e20) ** -gamma)
    assert found.at(1e24).value == pytest.approx(e + a * 1e4**-gamma, rel=2e-4)
    assert found.at(1e20).value == pytest.approx(e + a, rel=1e-5)


def test_a_floor_is_never_below_zero_and_can_be_pinned():
    c = np.geomspace(1e18, 1e22, 9)
    loss = 3 * (c / 1e20) ** -0.05 - 0.5  # falls faster than any power law with a floor
    assert floor(c, loss).values[0] == 0.0
    assert floor(c, loss + 3, pinned=1.25).values[0] == 1.25
    with pytest.raises(FitError, match="at least 4 budgets; there are 3"):
        floor(c[:3], loss[:3])


def test_a_loss_that_does_not_fall_with_compute_has_no_frontier():
    c = np.geomspace(1e18, 1e22, 9)
    with pytest.raises(FitError, match="does not fall"):
        floor(c, np.linspace(2.0, 3.0, 9))


def test_resampled_floors_are_those_of_their_own_losses():
    c = np.geomspace(1e18, 1e22, 6)
    rng = np.random.default_rng(0)
    draws = 1.7 + 0.9 * (c / 1e20) ** -0.15 * np.exp(0.01 * rng.standard_normal((20, 6)))
    draws[3, 2] = np.nan
    found = floor(c, draws[0], draws)
    assert found.draws.shape == (20, 3)
    np.testing.assert_allclose(found.draws[0], found.values)
    known = np.isfinite(draws[3])
    alone = floor(c[known], draws[3][known])
    # The scale is quoted at each curve's own centre: compare the curves.
    there = found.draws[3, 0] + found.draws[3, 1] * (1e24 / found.centre) ** -found.draws[3, 2]
    assert there == pytest.approx(alone.at(1e24).value, rel=1e-5)


@QUICK
@given(st.integers(0, 10_000))
def test_a_parabola_s_vertex_is_numpy_s(seed):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(15, 25, 8))
    y = 2 + 0.02 * (x - rng.uniform(17, 23)) ** 2 + 0.01 * rng.standard_normal(8)
    found = vertices("quadratic", x, y, np.arange(8), np.ones((1, 8)))
    square, slope, height = np.polyfit(x - 20, y, 2)
    if square > 0:
        assert found.log_n[0] == pytest.approx(20 - slope / square / 2, rel=1e-6)
        assert found.height[0] == pytest.approx(height - slope**2 / square / 4, rel=1e-6)
        inside = x[0] < found.log_n[0] < x[-1]
        assert found.state[0] == (FINE if inside else EDGE)
    else:
        assert found.state[0] == DOWN
        assert np.isnan(found.log_n[0])


@QUICK
@given(st.integers(0, 10_000))
def test_akima_is_scipy_s_and_its_lowest_point_is_lowest(seed):
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.uniform(0.3, 1.0, 9))
    y = rng.standard_normal(9)
    curve = Akima1DInterpolator(x, y)
    np.testing.assert_allclose(akima_slopes(x[None], y[None])[0], curve(x, 1), atol=1e-8)
    at, lowest, _ = akima_lowest(x[None], y[None])
    fine = curve(np.linspace(x[0], x[-1], 20_001))
    assert lowest[0] <= fine.min() + 1e-12
    assert curve(at[0]) == pytest.approx(lowest[0], abs=1e-9)
    assert fine.min() - lowest[0] < 1e-5


def test_what_a_vertex_is_not():
    x = np.linspace(0.0, 4.0, 5)
    one = np.ones((1, 5))
    assert vertices("quadratic", x, -((x - 2) ** 2), np.arange(5), one).state[0] == DOWN
    assert vertices("quadratic", x, (x - 9) ** 2, np.arange(5), one).state[0] == EDGE
    assert vertices("quadratic", x, 1 - x, np.arange(5), one).state[0] == DOWN  # a straight line has no vertex
    assert vertices("quadratic", x, x * x, np.array([0, 0, 0, 1, 1]), one).state[0] == FEW
    assert vertices("akima", x, 9 - x, np.arange(5), one).state[0] == EDGE
    assert vertices("akima", x, (x - 2.2) ** 2, np.arange(5), one).state[0] == FINE


def test_seeds_of_one_size_are_one_point_of_akima():
    x = np.array([0.0, 1.0, 2.0, 2.0, 3.0, 4.0])
    y = np.array([4.0, 1.2, 0.1, 0.3, 0.9, 4.0])
    labels = np.array([0, 1, 2, 2, 3, 4])
    found = vertices("akima", x, y, labels, np.ones((1, 6)))
    mean = vertices("akima", np.arange(5.0), np.array([4, 1.2, 0.2, 0.9, 4]), np.arange(5), np.ones((1, 5)))
    assert found.log_n[0] == pytest.approx(mean.log_n[0])
    # A resample without one of the seeds is a curve through the other.
    other = vertices("akima", x, y, labels, np.array([[1.0, 1, 1, 0, 1, 1]]))
    assert other.height[0] < found.height[0]


def test_budgets_are_found_densest_first_and_named_ones_take_the_nearer():
    c = np.concatenate([np.full(5, 1e18), np.full(4, 1.08e18), np.full(6, 1e19) * np.linspace(0.96, 1.04, 6)])
    n = np.tile(np.geomspace(1e7, 1e9, 5), 3)
    found, home = buckets(np.log(c), np.log(n), 0.05)
    assert [len(b.rows) for b in found] == [9, 6]
    assert found[1].flops == pytest.approx(1e19, rel=0.01)
    assert set(home) == {0, 1}
    near, where = buckets(np.log(c), np.log(n), 0.05, [1e18, 1.08e18])
    assert [len(b.rows) for b in near] == [5, 4]
    assert list(where[9:]) == [-1] * 6
    exact, _ = buckets(np.log(c), np.log(n), 0.0)
    assert [len(b.rows) for b in exact] == [5, 4]


@QUICK
@given(st.permutations(range(12)))
def test_sizes_within_a_per_cent_are_one_size(order):
    log_n = np.log([1e7, 1.002e7, 1.004e7, 2e7, 2e7, 5e7, 5.03e7, 1e8, 3e8, 3.2e8, 9e8, 9e8])
    labels = sizes(log_n[list(order)])
    assert list(labels[np.argsort(order)]) == [0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 6]


def test_numbers_are_said_as_people_say_them():
    said = {3.12e10: "31.2 B", 4.5e8: "450 M", 999_600: "1 M", 0.46: "0.46", 12: "12", 2e15: "2e+15", 1e12: "1 T"}
    assert {x: spoken(x) for x in said} == said
    assert [compute(c) for c in (5.76e23, 1e21, 9.996e20, 120.0)] == ["5.76e23", "1e21", "1e21", "120"]
