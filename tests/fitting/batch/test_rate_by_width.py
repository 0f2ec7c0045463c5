"""The best learning rate by width: planted optima, curves that are no parabola, open ends, and refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fitting import FitError
from fitting.batch import rate_by_width, width_ladders

RATES = 0.001 * 2.0 ** np.arange(6)


def ladders(
    power: float, *, middle: float = 0.0055, noise: float = 0.0, sides=(1.0, 1.0), seeds: int = 2, seed: int = 0
):
    """Runs at four widths whose best rate is middle (width / 90)^power; `sides` are the powers that the loss rises with."""
    rng = np.random.default_rng(seed)
    left, right = sides
    rows = []
    for width in (32, 64, 128, 256):
        best = middle * (width / 90) ** power
        for lr in RATES:
            x = lr / best
            loss = 1.15 + 0.04 * (right * x**-left + left * x**right) / (left + right)
            rows += [(width, lr, loss * np.exp(noise * rng.standard_normal())) for _ in range(seeds)]
    return pd.DataFrame(rows, columns=["width", "lr", "loss"])


@pytest.mark.parametrize("power", [0.0, -0.5])
def test_without_noise_the_optimum_of_even_curves_is_found(power):
    """cosh of the log rate is no parabola but even: three rates around the best put it within a hundredth of an octave."""
    (found,) = rate_by_width(ladders(power), resamples=50)
    truth = 0.0055 * (found.widths / 90) ** power
    assert np.abs(np.log2(found.best / truth)).max() < 0.06
    assert found.exponent().value == pytest.approx(power, abs=0.03)


@pytest.mark.parametrize("power", [0.0, -1.0])
@pytest.mark.parametrize("sides", [(0.5, 1.5), (1.2, 0.5)])
def test_uneven_curves_and_noise_leave_the_truth_in_the_interval(power, sides):
    held = [
        band.low <= power <= band.high
        for seed in range(12)
        for band in [rate_by_width(ladders(power, noise=0.004, sides=sides, seed=seed), resamples=300)[0].exponent()]
    ]
    assert sum(held) >= 10


def test_what_carries_over_and_what_moves_is_said():
    both = pd.concat(
        [
            ladders(-1.0, noise=0.002).assign(parametrisation="standard"),
            ladders(0.0, noise=0.002).assign(parametrisation="mup"),
        ]
    )
    standard, mup = rate_by_width(both, resamples=300)
    assert (standard.parametrisation, mup.parametrisation) == ("standard", "mup")
    assert "falls with the width" in standard.sentence
    assert "no move with the width" in mup.sentence
    frame = standard.to_frame()
    assert list(frame) == ["parametrisation", "width", "lr", "lr_low", "lr_high"]
    assert (frame["lr_low"] <= frame["lr"]).all()
    assert (frame["lr"] <= frame["lr_high"]).all()


def test_an_optimum_beyond_the_rates_is_open_on_its_side():
    (found,) = rate_by_width(ladders(0.0, middle=0.2, noise=0.001), resamples=200)
    assert found.open.tolist() == [[False, True]] * 4
    rates = found.rates()
    assert np.isposinf(rates.high).all()
    assert (rates.low > RATES[-3]).all()
    assert "may lie beyond the rates tried" in found.notes[0]


def test_one_seed_takes_the_noise_from_what_parabolas_leave():
    (found,) = rate_by_width(ladders(-0.5, noise=0.003, seeds=1), resamples=300)
    band = found.exponent()
    assert band.low < -0.5 < band.high


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda f: f.drop(columns="lr"), "there is no lr"),
        (lambda f: f[f["width"] < 100], "needs 3 widths with 4 learning rates each; all runs has 2"),
        (lambda f: f[f["lr"] > 0.005], "all runs has 0"),
        (lambda f: f.assign(tokens=np.where(f["width"] < 100, 1e6, 2e6)), "tokens is 1e\\+06, 2e\\+06"),
        (lambda f: f.assign(loss=np.nan), "positive numbers"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, sentence):
    with pytest.raises(FitError, match=sentence):
        rate_by_width(change(ladders(0.0)), resamples=20)


def test_runs_of_one_width_and_rate_differ_in_the_seed_alone():
    """A setting that goes with the width belongs to the parametrisation; one that differs beside it is none of the seeds."""
    frame = ladders(0.0)
    assert rate_by_width(frame.assign(weight_decay=1 / frame["width"]), resamples=20)
    with pytest.raises(FitError, match=r"weight_decay is 0, 0\.1"):
        rate_by_width(frame.assign(weight_decay=np.arange(len(frame)) % 2 / 10), resamples=20)


def test_parametrisations_without_a_ladder_are_said_beside_those_with_one():
    whole, part = ladders(-1.0, noise=0.001), ladders(0.0, noise=0.001)
    both = pd.concat(
        [whole.assign(parametrisation="standard"), part[part["width"] < 100].assign(parametrisation="mup")]
    )
    found, refused = width_ladders(both, resamples=20)
    assert [one.parametrisation for one in found] == ["standard"]
    assert refused == ("The best rate by width needs 3 widths with 4 learning rates each; mup has 2. Add runs.",)
    assert width_ladders(both[both["parametrisation"] == "mup"], resamples=20) == ((), refused)
    assert width_ladders(both[(both["width"] < 100) & (both["width"].diff() != 0)], resamples=20) == ((), ())
    assert width_ladders(both.drop(columns="width"), resamples=20) == ((), ())


def test_what_was_tried_and_the_power_law_are_kept():
    (found,) = rate_by_width(ladders(-0.5), resamples=20)
    tried = found.tried[0]
    assert tried.rates.tolist() == RATES.tolist()
    assert tried.runs.tolist() == [2] * 6
    low, high = tried.span
    assert low < found.best[0] < high
    near = found.best[0] * np.array([0.7, 1.0, 1.4])
    losses = tried.parabola(near)
    assert losses[1] == losses.min()
    assert losses[1] == pytest.approx(tried.losses.min(), rel=0.005)
    assert found.line(found.widths) == pytest.approx(found.best, rel=0.05)
    assert np.diff(np.log(found.line(np.array([10.0, 1000.0])))) / np.log(100) == pytest.approx(found.exponent().value)


def test_runs_at_the_base_of_mup_count_for_both_parametrisations():
    whole = pd.concat(
        [ladders(-1.0).assign(parametrisation="standard"), ladders(0.0).assign(parametrisation="mup")],
        ignore_index=True,
    )
    base = whole["width"].min()
    given = whole.assign(base_width=np.where(whole["parametrisation"] == "mup", base, np.nan))
    at_base = (given["width"] == base) & (given["parametrisation"] == "mup")
    given.loc[at_base, "loss"] = given.loc[
        (given["width"] == base) & (given["parametrisation"] == "standard"), "loss"
    ].to_numpy()
    both, once = (rate_by_width(runs, resamples=50) for runs in (given, given[~at_base]))
    for a, b in zip(both, once, strict=True):
        assert a.parametrisation == b.parametrisation
        np.testing.assert_array_equal(a.widths, b.widths)
        np.testing.assert_allclose(a.best, b.best)
    (_, apart) = rate_by_width(given[~at_base].drop(columns="base_width"), resamples=50)
    assert base not in apart.widths  # nothing says that they are the same
