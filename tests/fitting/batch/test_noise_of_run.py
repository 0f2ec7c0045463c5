"""The noise scale of one run against its loss, by what its log tells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fitting.batch.noise_of_run import noise_of_run

TRUE = 20.0  # sequences at a loss of 1; it grows as the loss falls


def log(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """A run's log: squared norms of parts of 4 and of a batch of 32, and noise and signal measured with known errors."""
    loss = np.geomspace(3.0, 1.0, rows)
    before = np.r_[np.nan, loss[:-1]]
    signal, scale = 0.1, TRUE * np.sqrt(loss * before) ** -2.0
    scatter = 1 + 0.02 * rng.standard_normal((2, rows))
    noise = 0.1 * TRUE * loss**-2.0
    return pd.DataFrame(
        {
            "loss": loss,
            "grad_sq_small": signal * (1 + scale / 4) * scatter[0],
            "grad_sq_big": signal * (1 + scale / 32) * scatter[1],
            "batch_small": 4.0,
            "batch_big": 32.0,
            "noise_adam": noise + 0.05 * rng.standard_normal(rows),
            "noise_adam_se": 0.05,
            "signal_adam": signal + 0.01 * rng.standard_normal(rows),
            "signal_adam_se": 0.01,
        }
    )


def test_each_geometry_has_its_interval_at_the_losses_of_the_run():
    inside = []
    for seed in range(20):
        parts, measured = noise_of_run(log(61, np.random.default_rng(seed)))
        assert (parts.geometry, measured.geometry) == ("Euclidean", "Adam update")
        assert (parts.of, measured.of) == ("parts of batches", "single sequences")
        for one, rows in ((parts, 60), (measured, 61)):
            assert one.rows.sum() == rows
            assert np.all(np.diff(one.losses) < 0)
            true = TRUE * one.losses**-2.0
            inside += list((one.scale.low <= true) & (true <= one.scale.high))
    assert 0.9 <= np.mean(inside) <= 1.0  # of intervals of 95 %


def test_a_signal_that_may_be_nothing_leaves_the_interval_open():
    frame = log(6, np.random.default_rng(0)).assign(signal_adam=0.01, signal_adam_se=0.2)
    (found,) = noise_of_run(frame)  # of too few rows norms tell nothing
    assert found.geometry == "Adam update"
    assert np.all(np.isinf(found.scale.high))
    assert np.all(found.scale.low > 0)


@pytest.mark.parametrize("less", ["loss", "noise_adam", "signal_adam_se"])
def test_a_log_without_its_columns_tells_nothing(less):
    frame = log(6, np.random.default_rng(0)).drop(columns=less)
    assert noise_of_run(frame) == ()
