"""A forecast test fits again as the fit was made: whatever its settings hold is carried to the smaller runs."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from data import read_runs
from fitting import FitError, backtest, fit
from fitting.refit import refit
from fitting.settings import Settings

WAYS = {
    "runs": {"intervals": "runs"},
    "groups": {"intervals": "groups", "group": "size"},
    "residuals": {"intervals": "residuals"},
    "components": {"intervals": "components", "group": "params"},
    "delta": {"delta": 1e-3},
    "seed": {"seed": 5},
    "prior": {"prior": "published", "law": "general"},
    "no prior": {"prior": "none", "law": "general"},
    "weights": {"weights": "loss_error"},
    "auto": {},
    "auto in groups": {"group": "size"},
}
# What names the table or the search rather than a choice: another table has its own.
OF_THE_TABLE = {"delta", "resamples", "starts", "intervals_reason", "law_reason", "excluded", "held_out", "objective"}


@pytest.fixture(scope="module")
def runs(noisy):
    frame = noisy.kept.assign(loss_error=np.linspace(0.001, 0.02, len(noisy)))
    return read_runs(frame.drop(columns="flops"))


@pytest.mark.parametrize("way", WAYS)
def test_what_was_chosen_is_carried(runs, way):
    found = fit(runs, **{"law": "chinchilla", "resamples": 20, **WAYS[way]})
    again = refit(found, runs, 20)
    assert {f.name: getattr(again.settings, f.name) for f in fields(Settings) if f.name not in OF_THE_TABLE} == {
        f.name: getattr(found.settings, f.name) for f in fields(Settings) if f.name not in OF_THE_TABLE
    }
    assert again.settings.delta == pytest.approx(found.settings.delta, rel=1e-6)
    assert np.array_equal(again.draws, found.draws)


def test_a_forecast_test_is_of_the_intervals_that_the_fit_has(runs):
    frames = [
        backtest(fit(runs, "chinchilla", resamples=20, **how), runs, resamples=40).to_frame()
        for how in ({"intervals": "runs"}, {"intervals": "residuals"}, {"intervals": "groups", "group": "size"})
    ]
    assert not frames[0].equals(frames[1])
    assert not frames[0].equals(frames[2])
    assert np.array_equal(frames[0]["forecast"], frames[2]["forecast"])


def test_a_method_that_was_chosen_gives_way_to_none(runs):
    """Sizes in pairs: the smaller runs hold too few groups for the method, which is said."""
    found = fit(runs, "chinchilla", resamples=20, intervals="components", group="size")
    few = runs.exclude(~runs.kept["size"].isin(["size-0", "size-1", "size-2"]).to_numpy())
    with pytest.raises(FitError, match='"components" needs 4 groups'):
        refit(found, few, 20)
    by_itself = fit(runs, "chinchilla", resamples=20)
    if by_itself.settings.intervals == "components":
        assert refit(by_itself, few, 20).settings.intervals != "components"
