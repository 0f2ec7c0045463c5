"""A small seeded piece of the coverage table (`python -m tests.benchmarks.coverage`), so that a regression is caught."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from fitting import FitError, plan
from fitting import fit as fit_any
from tests.benchmarks.coverage.cells import BEYOND, LAW, TRUTH, Cell, quantities
from tests.benchmarks.coverage.measure import Method, measured, part
from tests.benchmarks.coverage.solved import solved

TABLES, REFITS = 40, 100
fit = partial(fit_any, law="chinchilla")


@pytest.mark.parametrize("noise", ["normal", "shared"])
def test_intervals_hold_the_truth(noise):
    """Nominal 95 %. An honest interval holds 34 of 40 or more but three times in a thousand, a true share of 75 % would be seen 9
    times of 10; the six quantities move together."""
    cell, method = Cell(24, noise), Method()
    found = measured(cell, method, [part(cell, method, range(TABLES), REFITS, 3)])
    assert found.coverage.min() >= 0.85, found.coverage
    assert 0.87 <= found.coverage.mean() <= 0.995, found.coverage
    assert np.all(found.ratio < 1.6), found.ratio


def test_calibrated_intervals_are_measured_on_the_same_tables():
    """The same estimates; ends of their own, which may be open but hold the estimate."""
    cell = Cell(24, "normal")
    plain, wide = (part(cell, Method(calibrated=count), range(2), 60, 0) for count in (0, 40))
    assert np.array_equal(plain.off, wide.off)
    assert not np.any(plain.low == wide.low)
    assert np.all((wide.low < wide.off) & (wide.off < wide.high))
    both = Method(calibrated=40)
    assert both.words.endswith("calibrated by 40 x 40")
    assert np.all(measured(cell, both, [wide]).open <= 1)


def test_the_harness_measures_fit(make_runs):
    """The same table through `fit`: the same best values and the same interval."""
    inputs, loss, of = Cell(24, "shared").table(5)
    f = fit(make_runs(**inputs, loss=loss), resamples=50, seed=2)
    at = solved(LAW, inputs, loss, {"params": of}, resamples=50, seed=2)
    assert np.allclose(f.values, at.values, rtol=1e-6)
    assert f.settings.intervals == at.how.method == "components"
    assert f.settings.grouping == "params"
    # Labels may count the sizes in another order, which deals their effects otherwise: the widths agree.
    wide = np.std(np.log(f.draws), axis=0) / np.std(np.log(at.draws), axis=0)
    assert np.all((wide > 0.6) & (wide < 1.6)), wide


def test_quantities_are_the_planner_s(make_runs):
    inputs, loss, _ = Cell(48, "normal").table(1)
    f = fit(make_runs(**inputs, loss=loss), resamples=0)
    flops = BEYOND * 6.0 * np.max(inputs["params"] * inputs["tokens"])
    alpha, beta, e, a, log_n, log_l = quantities(f.values[None, :], flops)[0]
    p = plan(f, flops=flops)
    assert (alpha, beta, e) == (f.params["alpha"], f.params["beta"], f.params["E"])
    assert a == beta / (alpha + beta)
    assert log_n == pytest.approx(np.log(p.params.value), abs=1e-6)
    assert log_l == pytest.approx(np.log(p.loss.value), abs=1e-9)


def test_noise_is_what_the_cell_says():
    for noise in ("normal", "t4", "shared"):
        errors = []
        for seed in range(60):
            inputs, loss, of = Cell(240, noise).table(seed)
            errors.append(np.log(loss / LAW(inputs, TRUTH)))
        e = np.array(errors)
        assert e.std() == pytest.approx(0.0076, rel=0.06)
        means = np.array([[row[of == g].mean() for g in range(24)] for row in e[-1:]])
        assert (means.std() > 0.003) == (noise == "shared")


# How the method is chosen.


def sized(make_runs, shared: float, alone: float, sizes: int = 12, repeats: int = 8, seed: int = 3, **more):
    rng = np.random.default_rng(seed)
    n = np.repeat(np.geomspace(5e7, 1e10, sizes), repeats)
    d = np.tile(np.geomspace(1e9, 3e11, repeats), sizes)
    e = np.repeat(shared * rng.standard_normal(sizes), repeats) + alone * rng.standard_normal(n.size)
    return make_runs(params=n, tokens=d, loss=LAW({"params": n, "tokens": d}, TRUTH) * np.exp(e), **more)


def test_auto_finds_what_sizes_share_and_says_so(make_runs):
    f = fit(sized(make_runs, 0.01, 0.003), resamples=100)
    s = f.settings
    assert (s.intervals, s.grouping, s.delta_rule) == ("components", "params", "auto")
    share = int(s.intervals_reason.split(" %")[0])
    assert 60 < share < 99
    assert "shared by runs of one model size, estimated from 12 of them" in s.intervals_reason


def test_auto_finds_the_column_that_shares(make_runs):
    rng = np.random.default_rng(0)
    sweep = np.arange(96) % 10
    runs = sized(make_runs, 0.0, 0.003)
    frame = runs.kept.assign(group=[f"sweep-{k}" for k in sweep])
    frame["loss"] *= np.exp(0.01 * rng.standard_normal(10)[sweep])
    f = fit(type(runs)(kept=frame, set_aside=runs.set_aside, name=runs.name), resamples=50)
    assert (f.settings.intervals, f.settings.grouping) == ("components", "group")


def test_without_repeats_single_residuals_are_drawn(make_runs):
    rng = np.random.default_rng(4)
    n, d = np.exp(rng.uniform(18, 23, 30)), np.exp(rng.uniform(21, 26, 30))
    runs = make_runs(
        params=n, tokens=d, loss=LAW({"params": n, "tokens": d}, TRUTH) * np.exp(0.005 * rng.normal(size=30))
    )
    s = fit(runs, resamples=50).settings
    assert (s.intervals, s.grouping) == ("residuals", "run")
    with pytest.raises(FitError, match="needs 4 groups"):
        fit(runs, intervals="components", resamples=50)
    with pytest.raises(FitError, match="a column whose values repeat"):
        fit(runs, intervals="groups", resamples=50)


def test_what_is_asked_for_is_done(noisy):
    for method in ("runs", "groups", "residuals", "components"):
        f = fit(noisy, intervals=method, group="size" if method in ("groups", "components") else None, resamples=50)
        assert f.settings.intervals == method
        assert f.settings.intervals_reason == "chosen by you"
        assert len(f.new_noise) == (50 if method in ("residuals", "components") else 0)
    with pytest.raises(FitError, match="takes each run by itself"):
        fit(noisy, intervals="runs", group="size")
    with pytest.raises(FitError, match="intervals is one of"):
        fit(noisy, intervals="magic")


def test_few_groups_named_are_drawn_whole(make_runs):
    runs = sized(make_runs, 0.0, 0.003, lab=["a", "b", "c"] * 32)
    s = fit(runs, group="lab", resamples=50).settings
    assert (s.intervals, s.grouping) == ("groups", "lab")
    assert "too few" in s.intervals_reason


def test_a_new_run_of_a_new_size_carries_its_effect(make_runs):
    """Nine in ten runs of sizes not seen are inside the 90 % interval of a new run, though sizes share most of the noise."""
    f = fit(sized(make_runs, 0.01, 0.003, sizes=16), resamples=800)
    rng = np.random.default_rng(9)
    n, d = np.exp(rng.uniform(np.log(5e7), np.log(1e10), 500)), np.exp(rng.uniform(np.log(1e9), np.log(3e11), 500))
    new = LAW({"params": n, "tokens": d}, TRUTH) * np.exp(np.hypot(0.01, 0.003) * rng.standard_normal(500))
    run = f.predict(params=n, tokens=d, level=0.9, of="run")
    assert 0.80 < np.mean((new > run.low) & (new < run.high)) < 0.98


def test_delta_follows_the_noise(make_runs):
    for alone in (0.001, 0.01):
        f = fit(sized(make_runs, 0.0, alone), resamples=0)
        assert f.settings.delta == pytest.approx(1.345 * alone, rel=0.3)
    exact = fit(sized(make_runs, 0.0, 0.0), resamples=0)
    assert exact.settings.delta == 1e-4
    assert exact.params["alpha"] == pytest.approx(TRUTH["alpha"], rel=1e-5)
    with pytest.raises(FitError, match='"auto" or a positive number'):
        fit(sized(make_runs, 0.0, 0.01), delta="noise")
