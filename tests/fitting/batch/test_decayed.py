"""The critical batch from final losses of decayed runs: planted truths back through both fits, and intervals that hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fitting import FitError
from fitting.batch import decayed
from fitting.batch.decayed import holds_decayed

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
@pytest.mark.parametrize("one_exponent", [True, False])
def test_a_planted_batch_comes_back(one_exponent, unit):
    found = decayed(planted(unit=unit), TARGET, one_exponent=one_exponent, resamples=0)
    assert found.found.b_crit.value == pytest.approx(unit * B_CRIT, rel=1e-5)
    assert found.found.e_min.value == pytest.approx(unit * LEAST, rel=1e-5)
    assert found.floor.value == pytest.approx(FLOOR, rel=1e-6)
    assert found.exponent.value == pytest.approx(BETA, rel=1e-5)
    assert found.needed.value == pytest.approx(unit * LEAST * (1 + BATCHES / B_CRIT), rel=1e-5)


def test_intervals_hold_through_both_fits():
    held = []
    for seed in range(40):
        found = decayed(planted(0.003, seed), TARGET, resamples=200, seed=seed)
        asked = [(found.found.b_crit, B_CRIT), (found.found.e_min, LEAST), (found.floor, FLOOR), (found.exponent, BETA)]
        held.append([band.low <= truth <= band.high for band, truth in asked])
        assert found.found.b_crit.high < 2 * B_CRIT
    assert np.all(np.mean(held, axis=0) > 0.83)  # 95 expected; 83 lies three and a half standard errors below


def test_the_best_run_counts_and_the_target_is_inside():
    own = planted()
    both = pd.concat([own, own.assign(loss=own["loss"] * 1.03)])
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
