"""A level that is no share is answered in the same sentence by whatever makes an interval."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from dashboard.commands.batch import command
from fitting import Band, FitError, backtest, compare_families, fit, plan
from fitting.band import quantiles
from fitting.batch import critical_batch, growth
from fitting.planning.lifetime import lifetime

BAD = [95, -1, 0.0, 1.0, float("nan")]


@pytest.fixture(scope="module")
def fitted(noisy):
    return fit(noisy, "chinchilla", resamples=50)


@pytest.mark.parametrize("level", BAD)
def test_every_interval_asks_for_a_share(level, fitted, noisy):
    law = growth([1e8, 3e8, 1e9], [500.0, 900.0, 1600.0])
    asks = {
        "band": lambda: Band(1.0, 0.5, 2.0, level),
        "plan": lambda: plan(fitted, flops=1e22, level=level),
        "plan for a loss": lambda: plan(fitted, loss=2.2, level=level),
        "lifetime": lambda: lifetime(fitted, loss=2.2, served=1e12, level=level),
        "terms": lambda: fitted.terms(level),
        "backtest": lambda: backtest(fitted, noisy, level=level, resamples=20),
        "growth": lambda: law.at(2e8, level),
        "growth's exponent": lambda: law.exponent(level),
    }
    answered = []
    for name, ask in asks.items():
        with pytest.raises(FitError, match="level is a share between 0 and 1"):
            ask()
        answered.append(name)
    assert answered == list(asks)


LEVELS = (0.02, 0.1, 0.2, 0.3, 0.5, 0.8, 0.95)


def test_a_band_holds_its_value():
    nan, inf = float("nan"), float("inf")
    for value, low, high, wanted in (
        (2.0, 1.0, 3.0, (1.0, 3.0)),
        (0.5, 1.0, 3.0, (0.5, 3.0)),
        (4.0, 1.0, 3.0, (1.0, 4.0)),
        (inf, 1.0, 3.0, (1.0, inf)),
        (2.0, nan, nan, (nan, nan)),
        (nan, 1.0, 3.0, (1.0, 3.0)),
    ):
        band = Band(value, low, high, 0.5)
        assert (band.low, band.high) == pytest.approx(wanted, nan_ok=True), (value, low, high)
        assert isinstance(band.low, float)
    many = Band(np.array([0.5, 2.0, 4.0, nan]), np.full(4, 1.0), np.full(4, 3.0), 0.5)
    assert np.array_equal(many.low, [0.5, 1.0, 1.0, 1.0])
    assert np.array_equal(many.high, [3.0, 3.0, 4.0, 3.0])


def test_intervals_hold_their_value_and_nest_at_every_level():
    """25 runs of a planted Chinchilla law with 1 % noise: at .2 the first of these once ran from 2.36642 down to 2.36302."""
    at = {"params": np.array([1e9, 1e7, 1e12, 7e10]), "tokens": np.array([2e10, 1e13, 1e9, 1e12])}
    sizes = np.geomspace(16, 4096, 9)
    for seed, law, resamples in ((5, "auto", 1000), (3, "general", 200), (0, "chinchilla", 200)):
        rng = np.random.default_rng(seed)
        n, d = 10 ** rng.uniform(7.5, 9.5, 25), 10 ** rng.uniform(9, 11, 25)
        loss = (1.7 + 400 * n**-0.34 + 1500 * d**-0.36) * np.exp(0.01 * rng.standard_normal(25))
        found = fit(pd.DataFrame({"params": n, "tokens": d, "loss": loss}), law=law, resamples=resamples)
        steps = 900 * (1 + 300 / sizes) * np.exp(0.03 * rng.standard_normal(9))
        batch = critical_batch(sizes, steps, resamples=200)
        asks = {
            "law": lambda q, f=found: f.predict(**at, level=q),
            "run": lambda q, f=found: f.predict(**at, level=q, of="run"),
            "plan": lambda q, f=found: plan(f, flops=[1.2e20, 1e24], level=q).loss,
            "plan of a run": lambda q, f=found: plan(f, flops=[1.2e20, 1e24], level=q).loss_run,
            "steps": lambda q, b=batch: b.steps_at(sizes, q),
            **{k: lambda q, f=found, k=k: f.interval(k, q) for k in found.law.names},
        }
        for name, ask in asks.items():
            bands = [ask(q) for q in LEVELS]
            for q, b in zip(LEVELS, bands, strict=True):
                assert np.all((b.low <= b.value) & (b.value <= b.high)), (seed, name, q)
            for inner, outer in pairwise(bands):
                assert np.all((outer.low <= inner.low) & (inner.high <= outer.high)), (seed, name, outer.level)
        for q in LEVELS:
            law_band, run = asks["law"](q), asks["run"](q)
            assert np.all((run.low <= law_band.low) & (law_band.high <= run.high)), (seed, q)
            assert np.all(law_band.low < law_band.high), (seed, q)


def test_ends_of_an_interval_in_order():
    draws = np.arange(99.0)[:, None]
    assert [float(x[0]) for x in quantiles(draws, (0.025, 0.975))] == pytest.approx([1.5, 96.5])
    for at in ((0.9, 0.1), (-0.1, 1.1), (float("nan"), 0.5)):
        with pytest.raises(FitError):
            quantiles(draws, at)


@pytest.mark.parametrize("arguments", [{"resamples": 1e3}, {"exclude": np.zeros(3, bool)}, {"delta": None}])
def test_a_comparison_of_families_asks_as_a_fit_does(noisy, arguments):
    with pytest.raises(FitError, match=r"whole number|mask of 3 values|delta is"):
        compare_families(noisy, "size", **arguments)


def test_a_loss_to_reach_is_positive(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("batch_size,step,loss\n16,1,3\n", encoding="utf-8")
    done = CliRunner().invoke(command, [str(path), "--target", "-1"])
    assert done.exit_code == 2
    assert "-1" in done.output
    assert "Traceback" not in done.output


def test_one_column_has_the_quantiles_of_numpy_to_the_last_digit():
    rng = np.random.default_rng(1)
    for n in (1, 2, 3, 19, 20, 500, 4001):
        draws = rng.standard_cauchy(n)
        for tail in (0.0, 0.025, 0.1, 0.3, 0.5):
            found = quantiles(draws, (tail, 1.0 - tail))
            assert [*found] == [*np.quantile(draws, (tail, 1.0 - tail), method="weibull")], (n, tail)


def test_a_column_of_draws_has_the_quantiles_that_it_has_alone():
    """An infinite or a missing draw beside it changes nothing, to the last digit."""
    draws = np.random.default_rng(0).standard_normal((101, 2, 3))
    draws[5, 0, 1], draws[7, 1, 2] = np.inf, np.nan
    together = quantiles(draws, (0.025, 0.975))
    for i, j in np.ndindex(2, 3):
        alone = quantiles(draws[:, i, j], (0.025, 0.975))
        assert [float(x[i, j]) for x in together] == pytest.approx([float(x) for x in alone], rel=0, abs=0, nan_ok=True)
