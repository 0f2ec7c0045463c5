"""What is asked of a fit with its runs beside it refuses other runs: shuffled, with other losses, or fewer of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from data import Runs, load, read_runs
from fitting import FitError, against_papers, backtest, fit, load_fit, plan
from fitting.diagnostics.calibration import calibrate
from fitting.diagnostics.floor_profile import floor_profile
from fitting.diagnostics.sensitivity import sensitivity
from fitting.held_out import forecasts

ASKS = {
    "papers": against_papers,
    "floor": floor_profile,
    "sensitivity": lambda f, runs: sensitivity(f, runs, 1e22),
    "calibration": lambda f, runs: calibrate(f, runs, outer=40, inner=40),
    "forecast test": lambda f, runs: backtest(f, runs, resamples=20),
    "forecasts": lambda f, runs: forecasts(f, beside(runs)),
}


@pytest.fixture(scope="module")
def fitted(noisy):
    return fit(noisy, "chinchilla", resamples=50, exclude=["run-3"])


def beside(runs: Runs) -> Runs:
    """The runs and one more that is held out."""
    more = runs.kept.iloc[:1].assign(run="later", role="held out")
    return with_kept(runs, pd.concat([runs.kept.assign(role="fitted"), more]))


def with_kept(runs: Runs, kept) -> Runs:
    return replace(runs, kept=kept.reset_index(drop=True))


def scaled(runs: Runs, **factors: float) -> Runs:
    return with_kept(runs, runs.kept.assign(**{k: runs.kept[k] * f for k, f in factors.items()}))


def one_loss(runs: Runs) -> Runs:
    loss = runs.kept["loss"].to_numpy().copy()
    loss[10] += 1e-3
    return with_kept(runs, runs.kept.assign(loss=loss))


OTHERS = {
    "shuffled": lambda r: with_kept(r, r.kept.sample(frac=1, random_state=1)),
    "losses x 1.3": lambda r: scaled(r, loss=1.3),
    "one loss": one_loss,
    "tokens x 2": lambda r: scaled(r, tokens=2.0),
    "fewer": lambda r: with_kept(r, r.kept.iloc[:30]),
    "values under other names": lambda r: with_kept(r, r.kept.assign(loss=r.kept["loss"].to_numpy()[::-1])),
}


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize("other", OTHERS)
def test_other_runs_are_refused(fitted, noisy, ask, other):
    with pytest.raises(FitError, match="The runs are not those that were fitted; fit them again, then"):
        ASKS[ask](fitted, OTHERS[other](noisy))


@pytest.mark.parametrize("ask", ASKS)
def test_the_same_runs_are_taken(fitted, noisy, ask):
    """With the one left out or without it, and read again from digits."""
    assert ASKS[ask](fitted, noisy)
    assert ASKS[ask](fitted, noisy.exclude(["run-3"]))
    assert ASKS[ask](fitted, with_kept(noisy, noisy.kept.assign(loss=np.round(noisy.kept["loss"], 12))))


def test_runs_held_out_alone_are_forecast(fitted, noisy):
    whole = beside(noisy)
    alone = with_kept(whole, whole.kept[whole.kept["run"] == "later"])
    assert forecasts(fitted, alone) is not None
    assert forecasts(fitted, noisy) is None


def test_results_that_say_the_same_are_equal_and_hash_alike():
    n, d = (x.ravel() for x in np.meshgrid(np.geomspace(1e7, 1e9, 4), np.geomspace(1e9, 1e11, 4)))
    noise = np.exp(0.01 * np.random.default_rng(0).standard_normal(16))
    frame = pd.DataFrame({"params": n, "tokens": d, "loss": (1.7 + 400 * n**-0.34 + 410 * d**-0.28) * noise})
    runs = read_runs(frame)
    ask = {"law": "chinchilla", "prior": "none"}
    one, again, other = (fit(runs, resamples=20, seed=k, **ask) for k in (0, 0, 1))
    saved = one.to_json()
    for a, b in (
        (runs, read_runs(frame.copy())),
        (one, again),
        (load_fit(saved), load_fit(saved)),
        (load_fit(saved), one),
        (plan(one, flops=1e21), plan(again, flops=1e21)),
        (plan(one, flops=[1e21, 1e22]), plan(again, flops=[1e21, 1e22])),
    ):
        assert a == b, type(a)
        assert hash(a) == hash(b), type(a)
    for a, b in (
        (runs, read_runs(frame.assign(loss=1.001 * frame["loss"]))),
        (runs, runs.hold_out([runs.kept["run"][0]])),
        (one, other),
        (one, fit(runs, resamples=0, **ask)),
        (plan(one, flops=1e21), plan(one, flops=1.1e21)),
        (plan(one, flops=1e21), plan(other, flops=1e21)),
        (one, saved),
        (runs, frame),
    ):
        assert not isinstance(a == b, pd.DataFrame)
        assert a != b, type(a)


def test_fits_of_runs_grouped_otherwise_by_a_column_of_the_file_are_told_apart():
    """One table, one digest, one column to group by; other labels in it: nothing kept for one fit serves the other."""
    runs = load("simulated-ladder")
    labels = np.arange(len(runs)) % 5
    one, other, again = (
        fit(
            replace(runs, kept=runs.kept.assign(batchwise=of.astype(str))),
            "chinchilla",
            group="batchwise",
            intervals="groups",
            resamples=30,
        )
        for of in (labels, np.sort(labels), labels)
    )
    assert one.digest == other.digest
    assert one.settings == other.settings
    assert one.identity != other.identity
    assert one.identity == again.identity
