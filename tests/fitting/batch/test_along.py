"""How the critical batch grows as the loss falls: our own ladder, planted truths, and intervals that hold them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fitting import FitError
from fitting.batch import along_loss, steps_to_target
from fitting.batch.targets import Reached
from tests.fitting.sequential import as_often

LOSSES = np.geomspace(3.0, 3.6, 6)
BATCHES = 2.0 ** np.arange(5, 13)
B_STAR, SLOPE = 2e5, -4.8


def ladder(noise=0.0, seed=0):
    """Steps to LOSSES by Kaplan's law, each batch's luck shared by its losses but for a tenth."""
    rng = np.random.default_rng(seed)
    fewest = 2e3 * (LOSSES - 2.5) ** -1.3
    steps = fewest * (1.0 + B_STAR * LOSSES**SLOPE / BATCHES[:, None])
    shared = rng.standard_normal((len(BATCHES), 1)) + 0.3 * rng.standard_normal(steps.shape)
    steps = steps * np.exp(noise * shared)
    names, plain = tuple("x" for _ in BATCHES), np.full(len(BATCHES), np.nan)
    return [
        Reached(t, BATCHES, s, names, plain, ("",) * len(BATCHES), ()) for t, s in zip(LOSSES, steps.T, strict=True)
    ]


def test_a_planted_law_comes_back():
    law = along_loss(ladder(), resamples=0)
    assert law.slope == pytest.approx(SLOPE, rel=1e-6)
    assert law.coefficient == pytest.approx(B_STAR, rel=1e-5)
    assert np.abs(law.residuals).max() < 1e-7


def test_intervals_hold_what_was_planted():
    def held(seed):
        law = along_loss(ladder(0.03, seed), resamples=150, seed=seed)
        asked = [(law.exponent(), SLOPE), (law.at(3.3), B_STAR * 3.3**SLOPE), (law.at(2.8), B_STAR * 2.8**SLOPE)]
        assert law.exponent().high - law.exponent().low < 4
        return [b.low <= truth <= b.high for b, truth in asked]

    as_often(map(held, range(40)))


def test_our_own_ladder_rises_as_the_loss_falls(dataset):
    table = pd.read_csv(dataset("probe_batch_ladder.csv"))
    curves = table.rename(columns={"run_id": "run", "batch_sequences": "batch", "val_loss": "loss"})
    law = along_loss([steps_to_target(curves, t) for t in (1.25, 1.22, 1.20, 1.18)])
    band = law.at([1.25, 1.22, 1.20, 1.18])
    # Read one by one off the same curves: 27, 36, 39 and 52 sequences.
    assert band.value == pytest.approx([27, 36, 39, 52], rel=0.1)
    assert np.all((band.low < [27, 36, 39, 52]) & (band.high > [27, 36, 39, 52]))
    assert law.exponent().high < 0  # it rises, with little doubt
    assert np.isnan(law.residuals[-1, 0])  # the largest batch never came down to 1.18


def test_too_little_is_refused():
    with pytest.raises(FitError, match="3 losses"):
        along_loss(ladder()[:2])
    with pytest.raises(FitError, match="there are 0 and 0"):
        along_loss([])
