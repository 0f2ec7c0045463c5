"""Noise scale and critical batch of one ladder, at the same losses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data import read_runs
from data.probe.folder import Folder, Status
from data.probe.schedule import planned
from data.probe.sweep import sweep
from data.schema import Runs
from fitting.batch.noise_by_loss import noise_by_loss
from fitting.errors import FitError

CRITICAL, NOISE = 24.0, 40.0  # sequences at a loss of 1; both grow as the loss falls
ADAM = 60.0  # sequences likewise, in the geometry of the update
GROWTH = 3.0
VALUES = {"design": "batch", "width": 32, "batch": [4, 8, 16, 32, 64, 128], "rates": [1.0], "tokens": 2e6, "evals": 40}


def ladder(root: Path) -> Runs:
    """A batch ladder's folders whose steps to a loss, and whose squared norms, are those of known batches."""
    rng = np.random.default_rng(0)
    losses = np.geomspace(3.0, 1.0, 4000)
    for one in sweep(VALUES):
        folder = Folder(root / "ladder" / one.key)
        folder.declare(one)
        batch = one.batch
        fewest = 4.0 * np.exp(5.0 * np.log(3.0 / losses))  # steps at an endless batch
        steps = fewest * (1.0 + CRITICAL * losses**-GROWTH / batch)
        before = 3.0
        for step in sorted(planned(one).evaluated):
            loss = float(np.interp(np.log(step), np.log(steps), losses))
            signal, many = 0.1, batch
            few = batch // 4
            noise = NOISE * np.sqrt(loss * before) ** -GROWTH * signal
            scatter = 1.0 + 0.02 * rng.standard_normal(2)
            folder.append(
                {"step": step, "tokens": planned(one).after(step), "loss": loss, "lr": one.rate, "batch": batch,
                 "grad_sq_small": (signal + noise / few) * scatter[0], "grad_sq_big": (signal + noise / many) * scatter[1],
                 "batch_small": few, "batch_big": many, "signal_adam": 0.1 * scatter[0], "signal_adam_se": 0.002,
                 "noise_adam": 0.1 * ADAM * loss**-GROWTH * scatter[1], "noise_adam_se": 0.002 * ADAM * loss**-GROWTH}
            )  # fmt: skip
            before = loss
        folder.say(Status("done"))
    return read_runs(root / "ladder")


def test_both_are_found_at_the_same_losses_in_tokens(tmp_path):
    runs = ladder(tmp_path)
    asked = [1.9, 1.7, 1.55, 1.45]
    found = noise_by_loss(runs, asked)
    true = 128.0 * found.losses**-GROWTH
    assert list(found.losses) == asked
    # Of four 90 % intervals; over 200 draws of the norms 87 to 90 % hold the truth, and the mean is off by under 1 %.
    assert np.sum((found.noise.low <= NOISE * true) & (NOISE * true <= found.noise.high)) >= 3
    np.testing.assert_allclose(found.noise.value, NOISE * true, rtol=0.1)
    np.testing.assert_allclose(found.critical.value, CRITICAL * true, rtol=0.1)
    np.testing.assert_allclose(found.along.value, CRITICAL * true, rtol=0.1)
    assert list(found.to_frame()["rows"]) == list(found.rows)
    assert "times the critical batch at the 4 losses" in found.sentence
    assert found.sentence.endswith(", of the same order.")
    np.testing.assert_allclose(found.measured["Adam update"].value, ADAM * true, rtol=0.05)
    far = noise_by_loss(runs, [2.9, 0.5])  # nowhere near: nothing is said, nothing raised
    assert np.isnan(far.critical.value[-1])
    assert np.isnan(far.noise.value[-1])

    for less, said in (
        (["grad_sq_small", "noise_adam"], "no column grad_sq_small"),
        (["seq_len"], "none that is known tokens in a sequence"),
    ):
        with pytest.raises(FitError, match=said):
            noise_by_loss(replace(runs, history=runs.history.drop(columns=less)))
    alone = noise_by_loss(replace(runs, history=runs.history.drop(columns="grad_sq_small")), [1.7, 1.55])
    assert np.isnan(alone.noise.value).all()
    assert np.isfinite(alone.measured["Adam update"].value).all()
    two = runs.history.assign(params=np.where(runs.history["batch_sequences"] > 8, 1e4, 2e4))
    with pytest.raises(FitError, match="one model"):
        noise_by_loss(replace(runs, history=two))
    with pytest.raises(FitError, match="no training curves"):
        noise_by_loss(replace(runs, history=None))
