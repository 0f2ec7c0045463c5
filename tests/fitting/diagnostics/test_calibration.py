"""Nested refits: ranks that are uniform where intervals are exact, wider ends where plain ones fall short, and the words."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from data.library import load
from fitting import Fit, FitError, fit, load_fit
from fitting.diagnostics.calibration import calibrate
from fitting.diagnostics.double_bootstrap import Ranks, ranks
from fitting.law import Law, Param
from fitting.solver.parametrization import coordinates
from fitting.solver.solver import minimise, problem, slopes
from fitting.uncertainty.bootstrap import drawn
from fitting.uncertainty.interval_method import choose_intervals


def _level(params, c):
    return c * np.ones_like(params)


#: One number for all runs: its least-squares fit is the mean of the log losses, whose sampling is known exactly.
LEVEL = Law(
    "level", "A level", _level, "L = c", ("params",), (Param("c", "c", "nats", "the level", (1e-3, 1e3)),), "none"
)


def levelled(n: int, seed: int, method: str):
    """A table of normal log losses about 1, solved: problem, optimum, and the way its intervals are drawn."""
    inputs = {"params": np.geomspace(1e8, 1e9, n)}
    loss = np.exp(1.0 + 0.01 * np.random.default_rng(seed).standard_normal(n))
    prob = problem(coordinates(LEVEL, inputs, loss), inputs, loss, np.inf)
    best = minimise(prob, np.ones((1, 1))).theta[0]
    left, jac = slopes(prob, best[None, :])
    return prob, best, choose_intervals(method, None, {}, left[0], jac[0].T, prob.delta)


def test_ranks_are_uniform_where_draws_are_exact():
    """Residuals of a hundred normal errors, with Student's width: the plain interval is exact, and is left as it was."""
    seen: list[float] = []
    prob, best, how = levelled(100, 1, "residuals")
    found = ranks(prob, best, how, lambda v: v, 300, 79, 0, seen.append)
    assert found.low.shape == (300, 1)
    assert np.array_equal(found.low, found.high)  # no ties off a bound
    assert stats.kstest(found.low[:, 0], "uniform").pvalue > 0.01
    low, high = found.ends()
    assert 0.005 < low[0] < 0.055
    assert 0.945 < high[0] < 0.995
    assert found.held()[0] == pytest.approx(0.95, abs=0.04)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(seen) >= 10


def test_the_same_seed_gives_the_same_ranks():
    asked = [ranks(*levelled(12, 1, "residuals"), lambda v: v, 40, 40, seed) for seed in (0, 0, 1)]
    assert np.array_equal(asked[0].low, asked[1].low)
    assert not np.array_equal(asked[0].low, asked[2].low)


def test_calibrated_intervals_hold_more_where_plain_ones_fall_short():
    """Six runs drawn again: the plain interval of their mean holds 86 % or so, the calibrated one more. Forty tables."""
    plain, wide, told = [], [], []
    for seed in range(40):
        prob, best, how = levelled(6, seed, "runs")
        draws = prob.coordinates.natural(drawn(prob, best, how, 400, seed)[0].theta)
        found = ranks(prob, best, how, lambda v: v, 40, 40, seed)
        low, high = np.quantile(draws, (0.025, 0.975))
        plain.append(low <= np.e <= high)
        low, high = found.interval(draws)
        wide.append(low[0] <= np.e <= high[0])
        told.append(found.held()[0])
    assert np.mean(plain) < 0.95
    assert np.mean(told) < 0.93, "the nested draws should see that the plain intervals fall short"
    assert np.mean(wide) >= np.mean(plain) + 0.03
    assert np.mean(wide) > 0.88


def test_ends_that_draws_cannot_name_are_left_open():
    piled = np.concatenate([np.full(10, 0.005), np.linspace(0.1, 0.9, 90)])[:, None]
    low, high = Ranks(piled, piled, 99).interval(np.linspace(0, 1, 400)[:, None])
    assert low[0] == -np.inf
    assert 0.8 < high[0] < 0.9


def test_a_truth_at_a_bound_keeps_the_plain_ends():
    tied = Ranks(np.full((50, 1), 0.99), np.full((50, 1), 0.02), 99)
    low, high = tied.ends()
    assert (low[0], high[0]) == pytest.approx((0.025, 0.975))
    assert tied.held()[0] == 1.0


@pytest.fixture(scope="module")
def ladder() -> Fit:
    return fit(load("simulated-ladder"), "chinchilla", resamples=300)


@pytest.fixture(scope="module")
def calibration(ladder):
    return calibrate(ladder, load("simulated-ladder"), outer=40, inner=40, seed=1)


def test_a_fit_says_its_calibrated_ends(ladder, calibration):
    f = ladder.calibrated(calibration)
    alpha = calibration.of("alpha")
    assert tuple(f.interval("alpha")) == (f.params["alpha"], alpha.low, alpha.high)
    assert tuple(f.band("alpha"))[1:] == tuple(ladder.interval("alpha"))[1:] == pytest.approx(alpha.plain, rel=1e-12)
    for level in (0.9, 0.94, 0.99):
        with pytest.raises(FitError, match=r"calibrated at level 0\.95 alone; it was asked at 0\.9"):
            f.interval("alpha", level)
        with pytest.raises(FitError, match="calibrated at level"):
            f.summary(level)
        assert tuple(f.band("alpha", level)) == tuple(ladder.interval("alpha", level))
    assert (
        tuple(f.interval("alpha", 1 - 0.05)) == tuple(f.interval("alpha")) == tuple(f.interval("alpha", 0.95 + 1e-16))
    )
    assert f.summary().set_index("name").loc["alpha", "low"] == alpha.low
    assert f.settings.intervals_reason.endswith(calibration.reason)
    assert f"alpha {100 * alpha.held:.0f} %" in calibration.reason
    assert f.calibrated(calibration).settings == f.settings, "said once"
    names = [q.name for q in calibration.quantities if q.kind == "decision"]
    assert names == ["exponent", "params", "loss"]
    assert calibration.flops == pytest.approx(100 * ladder.ranges["flops"][1])


def test_a_parameter_that_was_not_calibrated_says_so(ladder, calibration):
    """Left out, or kept at its plain ends: its interval is plain, and not in silence."""
    alone = ladder.calibrated(
        replace(calibration, quantities=tuple(q for q in calibration.quantities if q.name != "beta"))
    )
    assert tuple(alone.interval("beta")) == tuple(ladder.interval("beta"))
    assert alone.interval("beta").notes
    assert not alone.interval("alpha").notes or alone.calibration.of("alpha").kept


def test_it_survives_json(ladder, calibration):
    f = ladder.calibrated(
        replace(calibration, quantities=(replace(calibration.quantities[0], low=-np.inf), *calibration.quantities[1:]))
    )
    text = f.to_json()
    back = load_fit(text)
    assert back.calibration == f.calibration
    assert back.to_json() == text
    assert tuple(back.interval("beta")) == tuple(f.interval("beta"))
    exec(f.to_python(), {})
    assert r"-\infty" in f.to_latex()
    first = json.loads(text)["calibration"]["quantities"][0]
    wrong = [{"outer": 0}, {"quantities": 3}, {"more": 1}]
    wrong += [
        {"quantities": [first | other]} for other in ({"held": 2}, {"value": 7.0}, {"plain": [1.0]}, {"low": None})
    ]
    for damage in wrong:
        body = json.loads(text)
        body["calibration"] |= damage
        del body["checksum"]
        with pytest.raises(FitError, match="damaged"):
            load_fit(json.dumps(body))


def test_what_cannot_be_calibrated_is_refused_in_a_sentence(ladder, calibration, noisy, make_runs):
    runs = load("simulated-ladder")
    with pytest.raises(FitError, match="no refits"):
        calibrate(fit(runs, "chinchilla", resamples=0), runs)
    with pytest.raises(FitError, match="published sweeps"):
        calibrate(fit(runs, resamples=40), runs)
    with pytest.raises(FitError, match="not those that were fitted"):
        calibrate(ladder, noisy)
    with pytest.raises(FitError, match="at least 40"):
        calibrate(ladder, runs, outer=10)
    many = replace(ladder, residuals=np.zeros(2001), runs=tuple(map(str, range(2001))))
    with pytest.raises(FitError, match="2,001 runs"):
        calibrate(many, runs)
    with pytest.raises(FitError, match="of another fit"):
        fit(noisy, "chinchilla", resamples=40).calibrated(calibration)


@pytest.mark.parametrize("method", ["runs", "groups"])
def test_runs_and_groups_are_drawn_from_what_was_drawn(noisy, method):
    """A run that a simulated table lacks is in none of its draws; calibrating a fit with runs left out takes them out."""
    f = fit(
        noisy,
        "chinchilla",
        intervals=method,
        group="size" if method == "groups" else None,
        resamples=60,
        exclude=["run-3"],
    )
    found = calibrate(f, noisy, outer=40, inner=40)
    assert all(0.6 <= q.held <= 1.0 for q in found.quantities)
    assert len(found.quantities) == 8


def test_laws_without_a_split_have_parameters_alone():
    runs = load("simulated-ladder")
    found = calibrate(fit(runs, "compute-floor", resamples=60), runs, outer=40, inner=40)
    assert [q.name for q in found.quantities] == ["E", "A", "gamma"]
