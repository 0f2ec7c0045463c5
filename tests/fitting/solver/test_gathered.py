"""Runs of the same inputs share one evaluation of the law, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fitting import all_laws
from fitting.solver.initial_values import starts
from fitting.solver.parametrization import coordinates
from fitting.solver.prior import penalty
from fitting.solver.solver import alike, minimise, problem, residuals, slopes

LAW = all_laws()["general"]
TRUTH = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658, "q": 1.0}


@pytest.fixture(scope="module")
def sweep():
    """Twelve settings, five to fifteen runs of each, in no order, with noise."""
    rng = np.random.default_rng(0)
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(5e7, 1e10, 4), np.geomspace(1e9, 3e11, 3)))
    pick = rng.permutation(np.repeat(np.arange(12), rng.integers(5, 16, 12)))
    inputs = {"params": n[pick], "tokens": d[pick]}
    loss = LAW(inputs, TRUTH) * np.exp(0.01 * rng.standard_normal(len(pick)))
    return problem(coordinates(LAW, inputs, loss), inputs, loss, 0.01)


def test_settings_are_found_wherever_their_runs_stand(sweep):
    found = sweep.alike
    assert len(found.first) == 12
    assert found.size.sum() == sweep.n
    for first, size in zip(found.first, found.size, strict=True):
        own = found.order[first : first + size]
        same = np.all([x == x[own[0]] for x in sweep.inputs], axis=0)
        assert set(np.flatnonzero(same)) == set(own)
    assert alike((np.arange(10.0), np.arange(10.0))) is None


@pytest.mark.parametrize("believed", [False, True])
@pytest.mark.parametrize("weighed", [False, True])
@pytest.mark.parametrize("delta", [1e-3, 0.01, np.inf])
def test_gathered_refits_end_where_others_do(sweep, believed, weighed, delta):
    """The same optimum with every refit's own losses, weights and importance, whatever the order of the runs."""
    rng = np.random.default_rng(1)
    prior = penalty(sweep.coordinates, 0.01, 0.01) if believed else None
    prob = replace(
        sweep,
        delta=delta,
        prior=prior,
        importance=rng.uniform(0.5, 2.0, sweep.n),
        log_loss=sweep.log_loss + 0.005 * rng.standard_normal((8, sweep.n)),
    )
    weights = rng.multinomial(sweep.n, np.full(sweep.n, 1 / sweep.n), 8).astype(float) if weighed else None
    begin = np.tile(starts(replace(sweep, delta=0.01), 1), (8, 1))
    one, other = minimise(prob, begin, weights), minimise(replace(prob, alike=None), begin, weights)
    settled = one.converged & other.converged
    assert settled.sum() >= 6
    assert np.allclose(one.objective[settled], other.objective[settled], rtol=1e-9)
    if believed:  # without beliefs twelve settings leave the general law a valley
        assert np.allclose(one.theta[settled], other.theta[settled], atol=1e-5)


def test_residuals_and_slopes_keep_the_order_of_the_runs(sweep):
    theta = starts(sweep, 2)
    assert np.array_equal(residuals(sweep, theta), residuals(replace(sweep, alike=None), theta))
    r, jac = slopes(sweep, theta)
    assert r.shape == (2, sweep.n)
    assert jac.shape == (2, LAW.p, sweep.n)
