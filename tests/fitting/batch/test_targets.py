"""Steps to a loss read off curves: crossings, best rates and their sweep's ends, and the probe's own ladder."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fitting import FitError
from fitting.batch import critical_batch, steps_to_target
from fitting.batch.targets import one_ladder


def curve(run, batch, rate, scale, steps=(1, 2, 4, 8, 16, 32, 64)):
    """Loss 1 + scale / step, so that it comes down to 1.5 at step 2 scale."""
    return pd.DataFrame({"run": run, "batch": batch, "lr": rate, "step": steps, "loss": [1 + scale / s for s in steps]})


def test_the_probes_ladder(dataset):
    """28 curves; the fewest steps to four losses give critical batches of 27, 36, 39 and 52 sequences, rising as loss falls."""
    table = pd.read_csv(dataset("probe_batch_ladder.csv"))
    curves = table.rename(columns={"run_id": "run", "batch_sequences": "batch", "val_loss": "loss"})
    found = {}
    for target in (1.25, 1.22, 1.20, 1.18):
        reached = steps_to_target(curves, target)
        found[target] = critical_batch(reached.batch, reached.steps)
    values = [f.b_crit.value for f in found.values()]
    assert values == pytest.approx([27, 36, 39, 52], rel=0.1)
    assert values == sorted(values)
    for f in found.values():
        assert f.b_crit.low < f.b_crit.value < f.b_crit.high < 2 * f.b_crit.value
    assert "No run at batch 128" in steps_to_target(curves, 1.18).notes[-1]


def test_the_first_crossing_is_interpolated_in_logarithms():
    steps, loss = np.array([10.0, 100.0]), np.array([4.0, 1.0])
    frame = pd.DataFrame({"run": "a", "batch": 8, "step": steps, "loss": loss})
    assert steps_to_target(frame, 2.0).steps[0] == pytest.approx(
        10**1.5
    )  # half way in log loss is half way in log step
    back = pd.DataFrame({"run": "a", "batch": 8, "step": [1, 2, 3, 4], "loss": [3.0, 1.9, 2.5, 1.0]})
    assert 1 < steps_to_target(back, 2.0).steps[0] < 2
    assert steps_to_target(back, 2.0, smooth=0.5).steps[0] > 3


def test_each_batch_has_its_best_rate_and_an_end_of_the_sweep_is_said():
    frame = pd.concat(
        [
            curve("slow", 8, 0.1, 9), curve("best", 8, 0.2, 3), curve("wild", 8, 0.4, 7),
            curve("low", 16, 0.1, 2), curve("higher", 16, 0.2, 5),
            curve("only", 32, 0.3, 1),
            curve("never", 64, 0.3, 90),
        ]
    )  # fmt: skip
    found = steps_to_target(frame, 1.5)
    assert list(found.batch) == [8, 16, 32]
    assert found.run == ("best", "low", "only")
    assert list(found.rate) == [0.2, 0.1, 0.3]
    assert found.edge == ("", "low", "")
    assert found.missed == (64,)
    assert len(found.notes) == 2


def test_refusals_are_sentences():
    with pytest.raises(FitError, match="there is no batch and no loss"):
        steps_to_target(pd.DataFrame({"run": ["a"], "step": [1]}), 2.0)
    with pytest.raises(FitError, match=r"the lowest there is 1\.016"):
        steps_to_target(curve("a", 8, 0.1, 1), 1.0)
    with pytest.raises(FitError, match="smooth is a weight"):
        steps_to_target(curve("a", 8, 0.1, 1), 1.5, smooth=1.0)


def test_of_several_sizes_one_ladder_is_read():
    rows = [(n, b) for n, batches in ((1e6, (1, 2, 4)), (1e7, (1, 2, 4)), (1e8, (1, 2))) for b in batches]
    frame = pd.DataFrame(rows, columns=["params", "batch"])
    ladder, size = one_ladder(frame)
    assert size == 1e7
    assert set(ladder["params"]) == {1e7}
    alone, none = one_ladder(ladder)
    assert alone is ladder
    assert np.isnan(none)
