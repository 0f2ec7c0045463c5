"""Laws compared: the true one wins on its own runs, laws of other runs are compared by forecast alone, reasons are said."""

from __future__ import annotations

import numpy as np
import pytest

from fitting import FitError, all_laws
from fitting.selection.compare_laws import compare_laws

TRUTHS = {
    "chinchilla": {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658},
    "kaplan": {"N_c": 6.4e13, "D_c": 1.8e13, "alpha_N": 0.076, "alpha_D": 0.103},
}


def grid(make_runs, key, noise=0.003, seed=0):
    rng = np.random.default_rng(seed)
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e10, 8), np.geomspace(1e9, 1e11, 7)))
    loss = all_laws()[key]({"params": n, "tokens": d}, TRUTHS[key]) * np.exp(noise * rng.standard_normal(n.size))
    return make_runs(params=n, tokens=d, loss=loss)


@pytest.mark.parametrize("key", list(TRUTHS))
def test_the_true_law_wins_by_aicc_and_forecasts_to_the_noise(make_runs, key):
    found = compare_laws(grid(make_runs, key))
    scores = {s.key: s for s in found.scores}
    true = scores[key]
    assert true.aicc < 4
    assert true.error < 0.006
    wrong = scores["kaplan" if key == "chinchilla" else "kaplan-params"]
    assert wrong.aicc > 50
    assert wrong.error > 2 * true.error
    assert true.error < 2 * found.scores[0].error  # a special case of the truth may come nearer by luck


def test_laws_of_the_frontier_are_compared_by_forecast_alone(make_runs):
    found = compare_laws(grid(make_runs, "chinchilla"))
    s = next(s for s in found.scores if s.key == "compute-floor")
    assert s.error is None
    assert s.aicc is None
    assert s.best_error is not None
    assert s.runs < 56


def test_whole_budgets_are_held_out(make_runs):
    runs = grid(make_runs, "chinchilla")
    found = compare_laws(runs)
    flops = runs.kept["flops"]
    assert found.held_out == int((flops >= found.cut).sum()) >= 11
    assert found.best_held_out <= found.held_out


def test_a_law_that_cannot_be_fitted_says_why(make_runs):
    n = np.geomspace(1e8, 1e10, 16)
    runs = make_runs(params=n, tokens=20 * n, loss=1.8 + 500 * n**-0.3)
    found = compare_laws(runs)
    scores = {s.key: s for s in found.scores}
    assert "stand on one line" in scores["chinchilla"].reason
    assert scores["chinchilla"].error is None
    assert scores["kaplan-params"].reason == ""
    assert found.scores[-1].reason
    assert found.sentence.endswith(".")


def test_too_few_runs_to_hold_any_out(make_runs):
    n = np.geomspace(1e8, 1e10, 7)
    with pytest.raises(FitError, match=r"takes ten runs.*has 7"):
        compare_laws(make_runs(params=n, tokens=n[::-1] * 20, loss=1.8 + 500 * n**-0.3))
