"""A level that is no share is answered in the same sentence by whatever makes an interval."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from dashboard.commands.batch import command
from fitting import Band, FitError, backtest, compare_families, fit, plan
from fitting.bands import quantiles
from fitting.batch import growth
from fitting.lifetime import lifetime

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
        "backtest": lambda: backtest(noisy, fitted, level=level, resamples=20),
        "growth": lambda: law.at(2e8, level),
        "growth's exponent": lambda: law.exponent(level),
    }
    answered = []
    for name, ask in asks.items():
        with pytest.raises(FitError, match="level is a share between 0 and 1"):
            ask()
        answered.append(name)
    assert answered == list(asks)


def test_ends_of_an_interval_in_order():
    draws = np.arange(99.0)[:, None]
    assert [float(x[0]) for x in quantiles(draws, (0.025, 0.975))] == pytest.approx([1.5, 96.5])
    for at in ((0.9, 0.1), (-0.1, 1.1), (float("nan"), 0.5)):
        with pytest.raises(FitError):
            quantiles(draws, at)


@pytest.mark.parametrize("arguments", [{"resamples": 1e3}, {"exclude": np.zeros(48, bool)}, {"delta": None}])
def test_a_comparison_of_families_asks_as_a_fit_does(noisy, arguments):
    with pytest.raises(FitError, match=r"whole number|exclude is names of runs|delta is"):
        compare_families(noisy, "size", **arguments)


def test_a_loss_to_reach_is_positive(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("batch_size,step,loss\n16,1,3\n", encoding="utf-8")
    done = CliRunner().invoke(command, [str(path), "--target", "-1"])
    assert done.exit_code == 2
    assert "-1" in done.output
    assert "Traceback" not in done.output
