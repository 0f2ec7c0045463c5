"""What moves the decision: each choice is the refit it says it is, and the sentence names the strongest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fitting import FitError, fit, plan
from fitting.diagnostics.case_deletion import runs_to_drop
from fitting.diagnostics.sensitivity import sensitivity
from fitting.solver.fit_data import arrays
from fitting.solver.parametrization import coordinates
from fitting.solver.solver import minimise, problem

BUDGET = 5.76e23


@pytest.fixture(scope="module")
def fitted(epoch, highest_five):
    return fit(epoch, "chinchilla", exclude=highest_five, delta=1e-3, resamples=500)


@pytest.fixture(scope="module")
def found(fitted, epoch):
    return sensitivity(fitted, epoch, BUDGET)


def by_label(s, start):
    return next(c for c in s.choices if c.label.startswith(start))


def test_deltas_are_the_published_trap(found, fitted, epoch, highest_five):
    """Tokens per parameter at 5.76e23 with the five highest losses out: 18.3, 17.9, 16.9, 14.3 (Besiroglu's 240 rows)."""
    for label, expected in (("delta 0.0001", 18.3), ("delta 0.01", 16.9), ("least squares", 14.3)):
        size = by_label(found, label).params
        assert BUDGET / 6 / size**2 == pytest.approx(expected, abs=0.06)
    assert BUDGET / 6 / found.params.value**2 == pytest.approx(17.92, abs=0.01)
    other = fit(epoch, "chinchilla", exclude=highest_five, delta=1e-2, resamples=0)
    assert by_label(found, "delta 0.01").loss == pytest.approx(plan(other, flops=BUDGET).loss.value, rel=1e-8)


def test_runs_left_out_move_it_more_than_any_others(found, fitted, epoch):
    """Of all runs left out alone, the one named moves the best size most, to first order; ten move it more than one."""
    one, ten = by_label(found, "without "), by_label(found, "without the 10")
    base = found.params.value
    assert abs(np.log(ten.params / base)) > abs(np.log(one.params / base)) > 0
    name = one.label.removeprefix("without ")
    again = fit(epoch, "chinchilla", exclude=[*fitted.settings.excluded, name], delta=1e-3, resamples=0)
    assert one.params == pytest.approx(plan(again, flops=BUDGET).params.value, rel=1e-5)


def test_one_step_ranks_runs_as_exact_refits_do(noisy):
    """Least squares: the first-order ranking and every run truly left out agree on who matters."""
    f = fit(noisy, "chinchilla", delta=float("inf"), resamples=0)
    table = arrays(noisy, f.law)
    prob = problem(coordinates(f.law, table.inputs, table.loss), table.inputs, table.loss, float("inf"))
    theta = prob.coordinates.internal(f.values)

    def floor(t):
        return t[:, 0]

    order = runs_to_drop(prob, theta, floor)
    out = minimise(prob, np.tile(theta, (prob.n, 1)), np.ones((prob.n, prob.n)) - np.eye(prob.n)).theta[:, 0]
    rank = np.argsort(np.argsort(-out))
    assert np.corrcoef(rank[order], np.arange(prob.n))[0, 1] > 0.95
    assert rank[order[0]] < 3
    assert rank[order[-1]] >= prob.n - 3


def test_a_floor_held_is_held(found, fitted):
    low = by_label(found, f"E fixed at {fitted.interval('E').low:.4g}")
    assert not low.ruled_out
    zero = by_label(found, "E fixed at 0")
    assert zero.ruled_out
    assert zero.loss < low.loss < found.loss.value


def test_units_change_intervals_and_not_values(found):
    sizes = by_label(found, "model sizes")
    assert sizes.params == pytest.approx(found.params.value)
    assert sizes.params_interval[0] < sizes.params < sizes.params_interval[1]
    assert sizes.loss_interval[0] < sizes.loss < sizes.loss_interval[1]


def test_the_sentence_names_the_strongest_and_keeps_to_one(found):
    tried = [c for c in found.choices if not c.ruled_out]
    strongest = max(tried, key=lambda c: abs(np.log(c.params / found.params.value)))
    assert strongest.label in found.sentence
    assert found.sentence.endswith(".")
    outside = sum(not found.params.low <= c.params <= found.params.high for c in tried)
    assert f"{outside} of {len(tried)} choices tried" in found.sentence or not outside
    assert ("inside its interval" in found.sentence) == (not outside)


def test_other_counts_are_said_in_the_count_fitted(noisy):
    """The same models counted twice as large everywhere: another table, the same decision."""
    f = fit(noisy, "chinchilla", resamples=0)
    twice = replace(noisy, kept=noisy.kept.assign(params_total=2 * noisy.kept["params"]))
    s = sensitivity(f, twice, 1e22)
    other = by_label(s, "total parameters")
    assert other.params == pytest.approx(s.params.value, rel=1e-6)
    assert other.loss == pytest.approx(s.loss.value, rel=1e-8)


def test_flops_counted_otherwise(noisy):
    """Runs that count twice 6ND: with 6ND the same budget buys more of both."""
    own = replace(noisy, kept=noisy.kept.assign(flops=2 * noisy.kept["flops"]))
    s = sensitivity(fit(own, "chinchilla", resamples=0), own, 1e22)
    plain = by_label(s, "6ND")
    expected = plan(fit(noisy, "chinchilla", resamples=0), flops=1e22)
    assert plain.params == pytest.approx(expected.params.value, rel=1e-6)
    assert plain.params > s.params.value


def test_a_law_of_compute_has_a_loss_and_no_size(noisy):
    s = sensitivity(fit(noisy, "compute-floor", resamples=50), noisy, 1e23)
    assert s.params is None
    assert all(c.params is None for c in s.choices)
    assert "predicted loss" in s.sentence


def test_refusals(noisy, epoch):
    f = fit(noisy, "chinchilla", resamples=0)
    with pytest.raises(FitError, match="not those that were fitted"):
        sensitivity(f, epoch, 1e22)
    with pytest.raises(FitError, match="cannot split a budget"):
        sensitivity(fit(noisy, "kaplan-params", resamples=0), noisy, 1e22)
