"""A prior is one more term of the objective: its slopes are exact, it holds what runs do not, and yields to what they do."""

from __future__ import annotations

import numpy as np
import pytest

from fitting import all_laws
from fitting.solver.initial_values import starts
from fitting.solver.parametrization import coordinates
from fitting.solver.prior import Penalty
from fitting.solver.solver import _local, minimise, objective, problem

LAW = all_laws()["chinchilla"]


@pytest.fixture
def prob():
    rng = np.random.default_rng(3)
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(5e7, 1e10, 8), np.geomspace(1e9, 3e11, 6)))
    loss = (1.8172 + 482.01 * n**-0.3478 + 2085.43 * d**-0.3658) * np.exp(0.005 * rng.standard_normal(n.size))
    where = coordinates(LAW, {"params": n, "tokens": d}, loss)
    return problem(where, {"params": n, "tokens": d}, loss, 0.01)


def penalty(centre, spread, weight=2.5e-5) -> Penalty:
    """Beliefs about the floor (as it is) and alpha (in its logarithm)."""
    return Penalty(np.array([0, 3]), np.array([True, False]), np.log(centre), np.array(spread), weight)


def with_prior(prob, prior):
    from dataclasses import replace

    return replace(prob, prior=prior)


def test_slopes_are_exact(prob):
    held = with_prior(prob, penalty([1.5, 0.4], [0.2, 0.3]))
    theta = starts(prob)[:1] + 0.05
    gradient = _local(held, theta, None).gradient[0]
    for k in range(LAW.p):
        h = 1e-5 * np.eye(LAW.p)[k]
        assert np.isclose(gradient[k], (objective(held, theta + h) - objective(held, theta - h))[0] / 2e-5, rtol=1e-6)
    assert np.isclose(_local(held, theta, None).value, objective(held, theta))


def test_a_tight_belief_holds_and_a_wide_one_yields(prob):
    free = minimise(prob, starts(prob))
    tight = minimise(with_prior(prob, penalty([1.5, 0.4], [1e-4, 1e-4])), starts(prob))
    wide = minimise(with_prior(prob, penalty([1.5, 0.4], [1e4, 1e4])), starts(prob))
    assert tight.converged.any()
    theta = tight.theta[tight.best()]
    assert np.isclose(theta[0], 1.5, rtol=1e-3)
    assert np.isclose(np.exp(theta[3]), 0.4, rtol=1e-3)
    assert np.allclose(wide.theta[wide.best()], free.theta[free.best()], rtol=1e-6)


def test_every_refit_may_have_losses_and_beliefs_of_its_own(prob):
    """A batch with its own losses and centres is the same as one problem after another."""
    from dataclasses import replace

    rng = np.random.default_rng(5)
    centre = np.log([1.6, 0.35]) + 0.1 * rng.standard_normal((7, 2))
    losses = prob.log_loss + 0.01 * rng.standard_normal((7, prob.n))
    prior = Penalty(np.array([0, 3]), np.array([True, False]), centre, np.array([0.2, 0.3]), 2.5e-5)
    start = starts(prob)[:1]
    together = minimise(replace(prob, log_loss=losses, prior=prior), np.tile(start, (7, 1)))
    for r in range(7):
        alone = minimise(replace(prob, log_loss=losses[r], prior=replace(prior, centre=centre[r])), start)
        assert np.allclose(together.theta[r], alone.theta[0], rtol=1e-7)
