"""The critical batch from final losses of decayed runs: planted truths back through both fits, and intervals that hold."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq

from fitting import FitError
from fitting.batch import decayed
from fitting.batch.along_finals import decayed_along
from fitting.batch.decayed import decayed_by_size, holds_decayed
from tests.fitting.sequential import as_often

FLOOR, BETA, K = 1.8, 0.4, 2000.0
B_CRIT, TARGET = 5e5, 2.3
BATCHES = np.array([3e4, 1e5, 3e5, 1e6, 3e6])
LEAST = (K / (TARGET - FLOOR)) ** (1 / BETA)


def planted(noise=0.0, seed=0, unit=1.0):
    """Runs of 5 batches on 5 amounts of data, K_B such that at any loss the data needed are D_min (1 + B / B_crit)."""
    rng = np.random.default_rng(seed)
    b, d = (v.ravel() for v in np.meshgrid(BATCHES, LEAST * np.array([0.6, 1.2, 2.4, 5, 10]), indexing="ij"))
    loss = FLOOR + K * (1.0 + b / B_CRIT) ** BETA * d**-BETA
    return pd.DataFrame(
        {"batch": unit * b, "tokens": unit * d, "loss": loss * np.exp(noise * rng.standard_normal(b.size))}
    )


@pytest.mark.parametrize("unit", [1.0, 1 / 2048])
@pytest.mark.parametrize("one_exponent", [None, True, False])
def test_a_planted_batch_comes_back(one_exponent, unit):
    found = decayed(planted(unit=unit), TARGET, one_exponent=one_exponent, resamples=0)
    assert found.found.b_crit.value == pytest.approx(unit * B_CRIT, rel=1e-5)
    assert found.found.e_min.value == pytest.approx(unit * LEAST, rel=1e-5)
    assert found.floor.value == pytest.approx(FLOOR, rel=1e-6)
    assert found.exponent.value == pytest.approx(BETA, rel=1e-5)
    assert found.needed.value == pytest.approx(unit * LEAST * (1 + BATCHES / B_CRIT), rel=1e-5)


def test_intervals_hold_through_both_fits():
    def held(seed):
        found = decayed(planted(0.003, seed), TARGET, resamples=100, seed=seed)
        asked = [(found.found.b_crit, B_CRIT), (found.found.e_min, LEAST), (found.floor, FLOOR), (found.exponent, BETA)]
        assert found.found.b_crit.high < 2 * B_CRIT
        return [band.low <= truth <= band.high for band, truth in asked]

    as_often(map(held, range(40)))


MIDDLE = 5e9  # tokens at which the critical batch of `growing` is a million, whatever its power
LOSSES = (2.05, 2.1, 2.2, 2.35)


def growing(k, noise=0.0, seed=0, by_own=False):
    """The runs of `without_noise`, with noise."""
    frame = without_noise(k, by_own)
    return frame.assign(loss=frame["loss"] * np.exp(noise * np.random.default_rng(seed).standard_normal(len(frame))))


@cache
def without_noise(k, by_own):
    """11 batches x 10 horizons with B_crit = 1e6 (D / MIDDLE)^k, D the least data to the loss or the run's own.

    Least data come from a root search, run by run; runs with fewer steps than any loss takes are left out.
    """
    rows = []
    for b in np.geomspace(1e4, 1e7, 11):
        for d in np.geomspace(5e8, 5e10, 10):
            if by_own:
                least = d / (1 + b / (1e6 * (d / MIDDLE) ** k))
            else:

                def over(log, b=b, d=d):
                    return log + np.log1p(b / 1e6 * np.exp(k * (np.log(MIDDLE) - log))) - np.log(d)

                if over(-20.0) > 0:
                    continue
                least = np.exp(brentq(over, -20.0, np.log(d) + 1.0, xtol=1e-14))
            rows.append((b, d, FLOOR + K * least**-BETA))
    return pd.DataFrame(rows, columns=["batch", "tokens", "loss"]).query("loss < 9")


def critical_at(loss, k, by_own=False):
    """The batch at which a run takes twice the least data."""
    least = (K / (loss - FLOOR)) ** (1 / BETA)
    return 1e6 * ((2 * least if by_own else least) / MIDDLE) ** k


@pytest.mark.parametrize("by_own", [False, True])
@pytest.mark.parametrize("k", [0.0, 0.3, 0.462, 0.8, 1.0])
def test_a_critical_batch_that_grows_with_the_data_comes_back(k, by_own):
    runs = growing(k, by_own=by_own)
    read = [one for _, _, one in decayed_by_size(runs, LOSSES, resamples=60)]
    assert [one.found.b_crit.value for one in read] == pytest.approx(
        [critical_at(t, k, by_own) for t in LOSSES], rel=1e-4
    )
    for one in read:
        assert one.grows.value == pytest.approx(k, abs=1e-4)
        assert one.found.e_min.value == pytest.approx((K / (one.target - FLOOR)) ** (1 / BETA), rel=1e-4)
        assert np.abs(one.found.residuals).max() < 1e-3  # each batch's own data lie on the law
    power = np.polyfit(np.log(LOSSES), np.log([critical_at(t, k, by_own) for t in LOSSES]), 1)[0]
    assert decayed_along(read).slope == pytest.approx(power, abs=1e-3)
    assert decayed_along(read[:2]) is None


@pytest.mark.parametrize(("k", "noise"), [(0.462, 0.01), (1.0, 0.003)])
def test_intervals_hold_a_batch_that_grows(k, noise):
    power = np.polyfit(np.log(LOSSES), np.log([critical_at(t, k) for t in LOSSES]), 1)[0]

    def held(seed):
        read = [one for _, _, one in decayed_by_size(growing(k, noise, seed), LOSSES, resamples=100, seed=seed)]
        asked = [(one.found.b_crit, critical_at(one.target, k)) for one in read]
        asked += [(read[0].grows, k), (decayed_along(read).exponent(), power)]
        assert read[0].grows.high - read[0].grows.low > 1e-3  # a power is never known for nothing
        return [band.low <= truth <= band.high for band, truth in asked]

    as_often(map(held, range(40)))


def test_batches_that_share_luck_widen_the_intervals():
    runs = growing(0.462, 0.002, 1)
    luck = dict(zip(np.unique(runs["batch"]), 0.01 * np.random.default_rng(3).standard_normal(11), strict=True))
    shared = runs.assign(loss=runs["loss"] * np.exp(runs["batch"].map(luck)))
    one, other = (decayed(t, 2.2, resamples=200).found for t in (runs, shared))
    assert "scatter more" in " ".join(other.notes)
    assert "scatter more" not in " ".join(one.notes)
    assert np.log(other.b_crit.high / other.b_crit.low) > 2 * np.log(one.b_crit.high / one.b_crit.low)


def test_the_best_run_counts_and_the_target_is_inside():
    own = planted()
    both = pd.concat([own.assign(lr=1e-3), own.assign(lr=3e-3, loss=own["loss"] * 1.03)])
    one, other = (decayed(t, resamples=50) for t in (own, both))
    assert one.target == other.target
    assert one.found.b_crit == other.found.b_crit
    assert holds_decayed(own)


def test_what_is_not_told_is_refused():
    own = planted()
    assert not holds_decayed(own[own["batch"] < 2e5])
    with pytest.raises(FitError, match="3 batch sizes"):
        decayed(own[own["batch"] < 2e5])
    with pytest.raises(FitError, match="higher loss"):
        decayed(planted(0.003), 1.7, resamples=50)
    with pytest.raises(FitError, match="no tokens"):
        decayed(own.drop(columns="tokens"))
    assert "are a forecast" in " ".join(decayed(own, 1.95, resamples=50).found.notes)
