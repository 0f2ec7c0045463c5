"""Approach 2: what is flagged, what is left out, what is refused, and what no reordering or unit may change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fitting import FitError
from fitting.isoflop import ProfilesError, profiles
from tests.fitting.sequential import as_often


def with_kept(runs, frame):
    return replace(runs, kept=frame.reset_index(drop=True))


@pytest.fixture(scope="module")
def noisy_sweep(sweep):
    return sweep(sizes=9, noise=0.002, seed=5)


def test_the_exponent_and_the_split_come_back(surface, sweep):
    truth = surface(alpha=0.31, beta=0.31)  # an even valley: the parabola has no bias of its own
    found = profiles(sweep(truth, 9, noise=0.002, seed=1), resamples=400)
    a = found.a()
    assert a.low < truth.a < a.high
    assert a.high - a.low < 0.1
    at = 3e20
    assert found.params(at).low < truth.params(at) < found.params(at).high
    assert found.params(at).value * found.tokens(at).value * 6 == pytest.approx(at, rel=1e-9)
    ratio = found.tokens_per_param(at)
    assert ratio.value == pytest.approx(found.tokens(at).value / found.params(at).value, rel=1e-9)
    assert found.loss(1e22).low < truth.loss(truth.params(1e22), truth.tokens(1e22)) < found.loss(1e22).high
    table = found.minima()
    assert list(table["used"]) == [True] * 7
    assert (table["params_low"] < table["params"]).all()
    assert (table["params"] < table["params_high"]).all()


def test_intervals_hold_the_truth_about_as_often_as_they_say(surface, sweep):
    truth = surface(alpha=0.31, beta=0.31)

    def held(seed):
        a = profiles(sweep(truth, 7, noise=0.002, seed=seed), resamples=200, seed=seed).a()
        return a.low < truth.a < a.high

    as_often(map(held, range(60)), surely=25)  # a true share of 75 % would be seen 95 times of 100


def test_a_vertex_at_or_beyond_the_sizes_tried_is_flagged_and_not_used(surface, sweep):
    truth = surface()
    runs = sweep(truth, 9)
    frame = runs.kept
    lowest, highest = sorted(frame["flops"].unique())[0], sorted(frame["flops"].unique())[-1]
    best = {c: truth.params(c) for c in (lowest, highest)}
    small = (frame["flops"] == lowest) & (frame["params"] < 1.05 * best[lowest])
    large = (frame["flops"] == highest) & (frame["params"] > 0.95 * best[highest])
    found = profiles(with_kept(runs, frame[~small & ~large]), resamples=50)
    flags = [p.flag for p in found.profiles]
    assert flags[0].startswith("lowest at or beyond the smallest size tried")
    assert flags[-1].startswith("lowest at or beyond the largest size tried")
    assert flags[1:-1] == [""] * 5
    assert list(found.used) == [False, *[True] * 5, False]
    assert any("2 of 7 budgets are flagged and not used" in note for note in found.notes)
    # A sweep that ends on its best size has not shown that the size beyond is worse.
    kept = profiles(with_kept(runs, frame[~small & ~large]), resamples=50, keep_flagged=True)
    assert kept.used.all()
    assert np.isfinite(kept.vertex_draws[:, 0]).mean() > 0.9
    akima = profiles(with_kept(runs, frame[~small & ~large]), method="akima", resamples=0)
    assert list(akima.used) == [False, *[True] * 5, False]


def test_a_parabola_that_opens_downwards_is_flagged(sweep):
    runs = sweep(sizes=7)
    frame = runs.kept.copy()
    top = frame["flops"] == frame["flops"].max()
    frame.loc[top, "loss"] = 6.0 - frame.loc[top, "loss"]
    found = profiles(with_kept(runs, frame), resamples=20)
    assert "opens downwards" in found.profiles[-1].flag
    assert np.isnan(found.profiles[-1].params)
    assert not found.profiles[-1].used
    assert list(found.used[:-1]) == [True] * 6


def test_three_sizes_are_shown_and_not_believed(sweep):
    runs = sweep(sizes=7)
    frame = runs.kept
    first = frame["flops"] == frame["flops"].min()
    found = profiles(with_kept(runs, frame[~first | (frame.groupby("flops").cumcount() % 3 == 0)]), resamples=0)
    assert found.profiles[0].flag == "3 sizes, where a parabola needs 4"
    assert not found.profiles[0].used


def test_each_run_left_out_is_named_with_the_tolerance(sweep):
    runs = sweep(sizes=7)
    strangers = pd.DataFrame(
        {
            "run": ["lost-1", "lost-2"],
            "params": [1e8, 1e8],
            "tokens": [1e10, 3e9],
            "flops": [6e18, 1.8e18],
            "loss": [3, 3],
        }
    )
    found = profiles(with_kept(runs, pd.concat([runs.kept, strangers])), resamples=0)
    assert {r.run: r.reason for r in found.left_out} == {
        "lost-1": "fewer than 3 sizes within 12% of its 6e18 FLOP",
        "lost-2": "fewer than 3 sizes within 12% of its 1.8e18 FLOP",
    }
    assert "2 of 51 runs belong to no profile at a tolerance of 12%." in found.notes
    named = profiles(
        with_kept(runs, pd.concat([runs.kept, strangers])), budgets=[1e18, 1e21], tolerance=0.05, resamples=0
    )
    assert len(named.left_out) == 5 * 7 + 2
    assert all("are within 5% of no budget of 3 sizes" in r.reason for r in named.left_out)
    runs = sweep(sizes=15)
    close = profiles(runs, within=3.0, resamples=0)
    assert {r.reason.split(",")[0] for r in close.left_out} == {"over 3 times the size"}
    assert sum(len(p.runs) for p in close.profiles) + len(close.left_out) == len(runs)


def test_one_budget_written_with_scatter_is_one_budget(sweep, surface):
    runs = sweep(sizes=9)
    rng = np.random.default_rng(0)
    frame = runs.kept.copy()
    frame["flops"] *= np.exp(rng.uniform(-0.04, 0.04, len(frame)))
    frame["tokens"] = frame["flops"] / 6 / frame["params"]
    frame["loss"] = surface().loss(frame["params"], frame["tokens"])
    scattered, plain = profiles(with_kept(runs, frame), resamples=0), profiles(runs, resamples=0)
    assert len(scattered.flops) == 7
    # Moving runs to the middle of their budget takes the scatter out again.
    assert scattered.a().value == pytest.approx(plain.a().value, abs=0.002)
    unlevelled = profiles(with_kept(runs, frame), level=False, resamples=0)
    assert abs(unlevelled.a().value - plain.a().value) > 3 * abs(scattered.a().value - plain.a().value)


def test_sizes_that_are_moved_to_one_place_are_one_point(sweep, surface):
    runs = sweep(sizes=9)
    twins = runs.kept[runs.kept["run"].str.slice(1).astype(int) % 9 == 3]
    c, n = (
        twins["flops"] * np.exp(0.06),
        twins["params"] * np.exp(0.03),
    )  # half of .06 is .03: the twin comes to rest on it
    twins = twins.assign(run=twins["run"] + "-twin", flops=c, params=n, tokens=c / 6 / n)
    twins["loss"] = surface().loss(twins["params"], twins["tokens"])
    both = with_kept(runs, pd.concat([runs.kept, twins]))
    for method in ("quadratic", "akima"):
        alone, found = (profiles(r, method=method, resamples=50) for r in (runs, both))
        assert all(len(p.runs) == 10 for p in found.profiles)
        assert found.a().value == pytest.approx(alone.a().value, abs=0.01)
        assert np.isfinite(found.a().low)


def test_refusals_say_what_to_do(sweep):
    runs = sweep(sizes=7)
    frame = runs.kept
    one = with_kept(runs, frame[frame["flops"] == frame["flops"].min()])
    with pytest.raises(ProfilesError, match=r"needs at least 2 budgets; this table has 1, of 1e18 FLOP") as caught:
        profiles(one)
    assert len(caught.value.profiles) == 1
    ray = frame.groupby("flops").head(1)
    with pytest.raises(ProfilesError, match=r"No budget of this table has 3 sizes within 12%") as caught:
        profiles(with_kept(runs, ray))
    assert len(caught.value.left_out) == 7
    many = sweep(sizes=11).kept
    right = with_kept(runs, many[many.groupby("flops").cumcount() > 5])
    with pytest.raises(ProfilesError, match="7 lowest at the smallest size"):
        profiles(right)
    with pytest.raises(FitError, match=r"has no flops\. Map the columns"):
        profiles(with_kept(runs, frame.drop(columns="flops")))
    for wrong, said in (
        ({"tolerance": -1}, "share of the budget"), ({"within": 0.5}, "factor in size above 1"),
        ({"resamples": -1}, "whole number from 0"), ({"budgets": [0]}, "positive numbers of FLOP"),
        ({"method": "akima", "resample": "residuals"}, "leaves no residuals"),
    ):  # fmt: skip
        with pytest.raises(ProfilesError, match=said):
            profiles(runs, **wrong)


QUICK = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUICK
@given(seed=st.integers(0, 1000))
def test_the_order_of_the_rows_changes_nothing(noisy_sweep, seed):
    other = with_kept(noisy_sweep, noisy_sweep.kept.sample(frac=1.0, random_state=seed))
    one, two = profiles(noisy_sweep, resamples=40), profiles(other, resamples=40)
    assert one.a() == two.a()
    assert one.params(1e23) == two.params(1e23)
    assert [p.runs for p in one.profiles] == [p.runs for p in two.profiles]


@QUICK
@given(
    size=st.floats(1e-2, 1e2),
    tokens=st.floats(1e-2, 1e2),
    loss=st.floats(0.3, 3.0),
    method=st.sampled_from(["quadratic", "akima"]),
)
def test_units_move_the_numbers_and_not_the_exponents(noisy_sweep, size, tokens, loss, method):
    frame = noisy_sweep.kept
    scaled = with_kept(
        noisy_sweep,
        frame.assign(params=frame["params"] * size, tokens=frame["tokens"] * tokens, flops=frame["flops"] * size * tokens,
                     loss=frame["loss"] * loss),
    )  # fmt: skip
    one, two = profiles(noisy_sweep, method=method, resamples=0), profiles(scaled, method=method, resamples=0)
    assert two.a().value == pytest.approx(one.a().value, abs=1e-6)
    moved = two.params(1e21 * size * tokens).value / one.params(1e21).value
    assert moved == pytest.approx(size, rel=1e-6)
    assert two.tokens(1e21 * size * tokens).value / one.tokens(1e21).value == pytest.approx(tokens, rel=1e-6)
    assert two.loss(1e21 * size * tokens).value == pytest.approx(loss * one.loss(1e21).value, rel=1e-4)
