"""Forecasts beyond the runs: what a prior and doubt about the form do to them, and the test that leaves large runs out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data import read_runs
from fitting import FitError, all_laws, backtest, fit, load_fit, plan
from fitting.uncertainty.model_discrepancy import doubt

GENERAL = all_laws()["general"]
# A law of language models as published sweeps have them, and the same joined as Chinchilla joins them.
TRUTH = {"E": 1.75, "A": 300.0, "B": 900.0, "alpha": 0.31, "beta": 0.31, "q": 0.55}


def table(make_runs, q=0.55, noise=0.004, sizes=8, lengths=7, seed=0):
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(5e7, 4e9, sizes), np.geomspace(1e9, 8e10, lengths)))
    loss = GENERAL({"params": n, "tokens": d}, TRUTH | {"q": q})
    return make_runs(
        params=n, tokens=d, loss=loss * np.exp(noise * np.random.default_rng(seed).standard_normal(n.size))
    )


@pytest.mark.parametrize(
    ("given", "said"), [({"resamples": True}, "resamples is a whole"), ({"level": 95}, "give 0.95")]
)
def test_a_wrong_argument_is_no_lack_of_runs(found, runs, given, said):
    with pytest.raises(FitError, match=said):
        backtest(found, runs, **given)


@pytest.fixture(scope="module")
def runs(make_runs):
    return table(make_runs)


@pytest.fixture(scope="module")
def found(runs):
    return fit(runs, resamples=400)


def test_without_a_law_it_starts_from_published_sweeps_and_says_so(found):
    assert found.law_key == "general"
    assert found.settings.prior == "published"
    assert found.settings.intervals == "posterior"
    assert "published sweeps" in found.settings.law_reason
    assert "published sweeps" in found.settings.intervals_reason


def test_the_prior_can_be_switched_off(runs, found):
    alone = fit(runs, "general", prior="none", resamples=50)
    assert alone.settings.prior == "none"
    assert alone.settings.intervals != "posterior"
    assert alone.objective < found.objective  # nothing but the runs to please
    assert fit(runs, prior="none", resamples=0).law_key == "chinchilla"
    with pytest.raises(FitError, match="has no published one"):
        fit(runs, "chinchilla", prior="published")
    with pytest.raises(FitError, match="it was 'mine'"):
        fit(runs, prior="mine")


def test_a_prior_yields_to_runs_that_speak(make_runs):
    """As noise falls the fit goes to the planted law, which is not where the prior stands."""
    off = [
        abs(np.log(fit(table(make_runs, q=0.9, noise=s), resamples=0).predict(params=1e11, tokens=2e12).value
                   / GENERAL({"params": 1e11, "tokens": 2e12}, TRUTH | {"q": 0.9})))
        for s in (0.02, 0.002, 0.0002)
    ]  # fmt: skip
    assert off[2] < 0.002
    assert off[2] < off[0]


def test_runs_of_another_kind_are_fitted_without(make_runs):
    """Nearly all of the loss is floor and the exponents are thrice a language model's: the prior is let go, in words."""
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(2e3, 3e6, 10), np.geomspace(2e5, 1e8, 9)))
    loss = 1.08 + 200 * n**-0.95 + 4e4 * d**-1.0
    strange = make_runs(
        params=n, tokens=d, loss=loss * np.exp(0.003 * np.random.default_rng(1).standard_normal(n.size))
    )
    f = fit(strange, resamples=0)
    assert f.law_key == "chinchilla"
    assert "contradict" in f.settings.law_reason
    assert fit(strange, "general", resamples=0).settings.prior == "none"
    assert fit(strange, "general", prior="published", resamples=0).settings.prior == "published"


def test_five_broken_runs_do_not_steer_a_forecast(make_runs, runs, found):
    k = runs.kept
    loss = k["loss"].to_numpy(float).copy()
    loss[[3, 4, 10, 11, 17]] *= 1.5
    broken = make_runs(params=k["params"].to_numpy(), tokens=k["tokens"].to_numpy(), loss=loss)
    at = {"params": 7e10, "tokens": 1.4e12}
    moved = fit(broken, resamples=0).predict(**at).value / found.predict(**at).value
    assert abs(np.log(moved)) < 0.004


def test_intervals_of_a_run_grow_with_distance_and_hold_the_laws_own(found):
    n = np.geomspace(2e9, 2e12, 9)
    run = found.predict(params=n, tokens=20 * n, of="run")
    law = found.predict(params=n, tokens=20 * n)
    width = np.log(run.high / run.low)
    assert np.all(np.diff(width[3:]) > 0)
    assert np.all(width > 0.6 * np.log(law.high / law.low))
    alone = replace(found, doubt=None).predict(params=n, tokens=20 * n, of="run")
    assert width[-1] > 0.65 * np.log(alone.high[-1] / alone.low[-1])


def test_the_plan_and_the_law_widen_alike(found):
    p = plan(found, flops=5e23)
    run = found.predict(params=p.params.value, tokens=p.tokens.value, of="run")
    assert p.loss_run.value == pytest.approx(run.value, rel=1e-9)
    assert np.log(p.loss_run.high / p.loss_run.low) == pytest.approx(np.log(run.high / run.low), rel=0.1)
    assert any("model discrepancy" in note for note in p.notes)
    far = plan(found, flops=1e27)
    assert any("checked up to" in note for note in far.notes)


def test_json_brings_the_same_forecasts_back(found):
    back = load_fit(found.to_json())
    at = {"params": np.array([1e9, 7e10]), "tokens": np.array([2e10, 1.4e12])}
    for one, other in zip(found.predict(of="run", **at), back.predict(of="run", **at), strict=True):
        assert np.array_equal(one, other)


def test_leftovers_that_neighbours_share_are_carried_over():
    """A smooth bump in the leftovers moves a forecast beside it, and not one far away."""
    rng = np.random.default_rng(0)
    n, d = np.exp(rng.uniform(18, 23, 80)), np.exp(rng.uniform(21, 25, 80))
    bump = 0.02 * np.sin(np.log(n) / 2)
    shared = doubt({"params": n, "tokens": d}, -bump + 0.001 * rng.standard_normal(80), 0.02, 1.0)
    assert shared.ratio > 1
    near, variance = shared.at({"params": n[:5] * 1.05, "tokens": d[:5]})
    assert np.allclose(near, bump[:5], atol=0.004)
    far, wide = shared.at({"params": n[:5] * 1e9, "tokens": d[:5]})
    assert np.all(np.abs(far) < 1e-6)
    assert np.all(wide > 5 * variance)


def test_noise_alone_is_not_carried_over():
    rng = np.random.default_rng(1)
    ratios = []
    for _ in range(20):
        n, d = np.exp(rng.uniform(18, 23, 60)), np.exp(rng.uniform(21, 25, 60))
        ratios.append(doubt({"params": n, "tokens": d}, 0.01 * rng.standard_normal(60), 0.01, 1.0).ratio)
    assert np.median(ratios) <= 0.05


def test_the_largest_runs_are_left_out_and_foretold(runs, found):
    test = backtest(found, runs, resamples=200)
    k = runs.kept.set_index("run")
    assert 1 <= len(test.cuts) <= 3
    for c in test.cuts:
        assert np.all(c.beyond > 1.5)
        assert np.array_equal(c.actual, k.loc[list(c.runs), "loss"])
        assert c.seen == int((k["flops"] <= c.flops).sum())
        assert c.error < 0.02
        assert c.covered >= 0.7 * len(c.actual)
        assert 0 <= c.regret < 0.01
    assert len(test.to_frame()) == sum(len(c.actual) for c in test.cuts)
    assert f"{sum(c.covered for c in test.cuts)} of {len(test.to_frame())}" in test.sentence


def test_regret_is_what_another_split_costs(runs, found):
    """A fit that puts ten times too much into size pays for it, by the fit that knows better."""
    from fitting.forecast import regret

    wrong = replace(found, values=found.values * np.array([1, 8, 1, 1, 1, 1]))
    size, best = (plan(f, flops=1e22).params.value for f in (wrong, found))
    assert size > 2 * best
    assert regret(found, wrong, 1e22) == pytest.approx(
        plan(found, flops=1e22, params=size).loss.value / plan(found, flops=1e22).loss.value - 1, rel=1e-9
    )
    assert regret(found, found, 1e22) == pytest.approx(0.0, abs=1e-9)


def test_too_few_runs_leave_nothing_out(make_runs, found):
    n = np.geomspace(1e8, 2e8, 9)
    few = make_runs(
        params=n,
        tokens=1e22 / n**1.5 * 1.2 ** np.tile([0, 1, 2], 3),
        loss=2.5 - 0.01 * np.arange(9) + 0.001 * np.arange(9) ** 2,
    )
    with pytest.raises(FitError, match="Add larger runs"):
        backtest(fit(few, found.law, resamples=0), few)


@pytest.mark.parametrize("delta", [1e-4, 1e-3, 1e-2, float("inf")])
def test_a_prior_weighs_the_same_whatever_delta(runs, found, delta):
    """The objective's unit changes by orders of magnitude with delta; what prior and runs come to does not."""
    other = fit(runs, delta=delta, resamples=0)
    assert other.law_key == "general"
    assert other.settings.prior == "published"
    at = {"params": 7e10, "tokens": 1.4e12}
    assert other.predict(**at).value == pytest.approx(found.predict(**at).value, rel=0.01)
    assert 0.4 < other.params["q"] / found.params["q"] < 2.5


def test_runs_contradict_it_whatever_delta(dataset):
    runs = read_runs(dataset("probe_synthetic_grid.csv"), columns={"loss": "loss", "params": "params"})
    for delta in (1e-4, 1e-3, "auto"):
        assert fit(runs, delta=delta, resamples=0).law_key == "chinchilla"
