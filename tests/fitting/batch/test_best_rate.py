"""The best learning rate of each ladder in a table, where too few widths have one for a law of the width."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fitting.batch.best_rate import best_rates


def ladder(best: float, **settings):
    lr = 0.001 * 2.0 ** np.arange(6)
    return pd.DataFrame({"lr": lr, "loss": 1.15 + 0.01 * np.log(lr / best) ** 2, **settings})


def test_each_ladder_has_its_best_rate():
    runs = pd.concat([ladder(0.004, width=32, tokens=2e5), ladder(0.002, width=64, tokens=2e5)])
    found = best_rates(runs, resamples=50)
    assert [one.called for one in found] == ["width 32", "width 64"]
    assert [float(one.rate.value) for one in found] == pytest.approx([0.004, 0.002], rel=0.01)


def test_one_ladder_alone_is_all_runs_and_an_open_end_is_said():
    (found,) = best_rates(ladder(1.0), resamples=50)
    assert found.rate.high == np.inf
    assert found.sentence.startswith("all runs: best learning rate")
    assert "may lie beyond them" in found.sentence


def test_fewer_than_four_rates_are_no_ladder():
    assert best_rates(ladder(0.004).head(3)) == ()
    assert best_rates(pd.DataFrame({"loss": [1.0, 2.0]})) == ()
