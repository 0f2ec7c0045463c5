"""The gradient noise scale: unbiased parts, an interval that holds, open ends, and the probe's own norms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fitting import FitError
from fitting.batch import noise_scale

TRUTH, SMALL, PARTS, SIZE = 100.0, 4, 8, 60


def norms(rng, steps, signal=1.0):
    """Squared norms over batches of 4 (the mean over eight of them) and of 32, with |G|^2 = signal and tr(Sigma) = 100."""
    gradient = np.full(SIZE, np.sqrt(signal / SIZE))
    parts = gradient + np.sqrt(TRUTH / SIZE / SMALL) * rng.standard_normal((steps, PARTS, SIZE))
    return np.mean(np.sum(parts**2, axis=2), axis=1), np.sum(parts.mean(axis=1) ** 2, axis=1)


def test_the_probes_norms(dataset):
    """Ratios of means of 1.2, 12.8, 23 and 38 sequences over the steps' 0-5, 5-20, 20-50 and 50-100 %."""
    table = pd.read_csv(dataset("probe_noise_scale.csv"))
    found = noise_scale(*(table[c] for c in ("grad_sq_small", "grad_sq_big", "batch_small", "batch_big"))).along()
    assert [band.value for _, _, band in found] == pytest.approx([1.2, 12.8, 23.0, 38.0], rel=0.02)
    assert [a for a, _, _ in found[1:]] == [b for _, b, _ in found[:-1]]
    for _, _, band in found:
        assert 0.85 * band.value < band.low < band.value < band.high < 1.2 * band.value


def test_both_parts_are_unbiased_and_the_interval_holds():
    held, tables, parts = 0, 600, []
    for seed in range(tables):
        found = noise_scale(*norms(np.random.default_rng(seed), 40), SMALL, SMALL * PARTS)
        band = found.ratio()
        held += band.low <= TRUTH <= band.high
        parts.append((found.noise.mean(), found.signal.mean()))
    means, errors = np.mean(parts, axis=0), np.std(parts, axis=0) / np.sqrt(tables)
    assert np.all(np.abs(means - [TRUTH, 1.0]) < 3 * errors)
    assert 0.92 <= held / tables <= 0.98


def test_a_signal_that_may_be_nothing_leaves_the_upper_end_open():
    few = noise_scale(*norms(np.random.default_rng(1), 12, signal=1e-3), SMALL, SMALL * PARTS)
    assert np.any(few.signal < 0)  # kept, not clipped
    band = few.ratio()
    assert band.high == np.inf
    assert 0 < band.low < TRUTH / 1e-3
    wrong = noise_scale(np.full(9, 9.0) + np.arange(9) % 2, np.full(9, 1.0) + 0.01 * (np.arange(9) % 2), 4, 32).ratio()
    assert (wrong.low, wrong.high) == (0.0, np.inf)  # no gradient is shorter than nothing


def test_open_intervals_hold_too():
    held = 0
    for seed in range(400):
        band = noise_scale(*norms(np.random.default_rng(seed), 20, signal=0.05), SMALL, SMALL * PARTS).ratio()
        held += band.low <= TRUTH / 0.05 <= band.high
    assert held / 400 >= 0.92


def test_a_drift_along_training_does_not_widen_the_interval():
    rng = np.random.default_rng(1)
    small, big = norms(rng, 200)
    drift = np.linspace(1.0, 3.0, 200)
    still, moved = (noise_scale(small * d, big * d, 4, 32).ratio() for d in (np.full(200, 2.0), drift))
    assert moved.high - moved.low < 1.5 * (still.high - still.low)


def test_refusals_are_sentences():
    ones = np.ones(20)
    with pytest.raises(FitError, match="8 steps or more; there are 3"):
        noise_scale(ones[:3], ones[:3], 4, 32)
    with pytest.raises(FitError, match="must be larger"):
        noise_scale(ones, ones, 32, 32)
