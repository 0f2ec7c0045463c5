"""The three approaches side by side: a row for each, and a sentence that says whether they agree and why not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fitting import fit
from fitting.isoflop import compare, envelope, profiles


@pytest.fixture(scope="module")
def fitted(sweep):
    runs = sweep(sizes=9, noise=0.003, seed=4)
    return runs, fit(runs, "chinchilla", resamples=300)


def test_on_one_surface_they_agree(surface, fitted):
    runs, f = fitted
    truth = surface()
    c = compare(runs, f, 1e21)
    assert [r.key for r in c.rows] == ["1", "2", "3"]
    assert c.sentence == (
        "Approaches 1, 2 and 3 agree: their intervals for the exponent and for the best size at 1e21 FLOP overlap."
    )
    second, third = c.rows[1:]
    assert third.a.low < truth.a < third.a.high
    assert third.params.low < truth.params(1e21) < third.params.high
    assert second.a.value + second.b.value == pytest.approx(1, abs=1e-9)
    assert third.a.value + third.b.value == pytest.approx(1, abs=1e-6)
    assert second.loss.value == pytest.approx(third.loss.value, rel=0.01)
    assert c.bias is not None
    assert second.note == c.bias.sentence
    frame = c.to_frame()
    assert list(frame["approach"])[1:] == ["2: IsoFLOP profiles", "3: Chinchilla L(N, D)"]
    assert {"params", "params_low", "params_high", "tokens_per_param", "note"} <= set(frame)
    assert compare(runs, f).flops == pytest.approx(runs.kept["flops"].max())


def test_what_was_made_before_is_used(fitted):
    runs, f = fitted
    found, curve = profiles(runs, resamples=50, tolerance=0.05), envelope(runs, resamples=50)
    c = compare(runs, f, 1e21, found=found, curve=curve, level=0.8)
    assert c.level == 0.8
    assert c.rows[0].a == curve.a(0.8)
    assert c.rows[1].a == found.a(0.8)


def test_the_parabola_s_bias_is_named_where_it_explains_the_difference(surface, sweep):
    truth = surface(alpha=0.465, beta=0.155)
    runs = sweep(truth, 15, noise=0.0002, seed=2)
    c = compare(runs, fit(runs, "chinchilla", resamples=300), 1e24)
    assert c.sentence.startswith("Approaches 2 and 3 disagree on the best size at 1e24 FLOP (")
    assert c.sentence.endswith(
        "on the law's own surface profiles would be off by +16% without any noise, which explains it."
    )


@pytest.mark.parametrize(
    ("at", "trend", "worse", "about"),
    [
        (5e20, 0.15, 1.0, "disagree on the best size at 1e22 FLOP ("),
        (5e18, 0.05, 1.0, "disagree on the exponent of the best size ("),
        (5e20, 0.0, 1.03, "agree on the split of 1e22 FLOP and disagree on the loss it reaches ("),
    ],
)
def test_runs_outside_every_budget_are_named_where_they_make_the_difference(sweep, surface, at, trend, worse, about):
    truth = surface(alpha=0.31, beta=0.31)  # an even valley, so that no bias of the parabola can be the reason
    runs = sweep(truth, 9, noise=0.0005, seed=2)
    rng = np.random.default_rng(1)
    c = at * np.exp(rng.uniform(-0.3, 0.3, 40))
    n = truth.params(c) * np.exp(rng.uniform(-2.3, 2.3, 40))
    bad = pd.DataFrame({"run": [f"x{i}" for i in range(40)], "params": n, "tokens": c / 6 / n, "flops": c})
    bad["loss"] = truth.loss(n, bad["tokens"]) * worse * (1 + trend * np.log10(n / truth.params(at)))
    table = replace(runs, kept=pd.concat([runs.kept, bad], ignore_index=True))
    found = profiles(table, budgets=sorted(runs.kept["flops"].unique()), tolerance=0.01, resamples=200)
    assert len(found.left_out) == 40
    said = compare(table, fit(table, "chinchilla", delta=float("inf"), resamples=200), 1e22, found=found).sentence
    assert said.startswith(f"Approaches 2 and 3 {about}")
    assert "the 40 runs that belong to no profile make the difference (without them Approach 3 gives " in said


def test_a_form_that_does_not_fit_is_the_reason_left(sweep, surface):
    # A valley of the same curvature at every budget, which Chinchilla's law cannot follow.
    truth = surface(alpha=0.31, beta=0.31)
    runs = sweep(truth, 9, noise=0.0002, seed=3)
    k = runs.kept
    away = np.log(k["params"] / truth.params(k["flops"]) / (k["flops"] / 3e19) ** 0.25)
    rising = replace(runs, kept=k.assign(loss=2.5 * (k["flops"] / 1e19) ** -0.05 * np.exp(0.01 * away**2)))
    c = compare(rising, fit(rising, "chinchilla", delta=1e-3, intervals="runs", resamples=300), 1e21)
    assert "Approaches 2 and 3 disagree" in c.sentence
    assert "its form is the likeliest reason" in c.sentence


def test_without_intervals_nothing_is_said_to_agree(fitted):
    runs, _ = fitted
    f = fit(runs, "chinchilla", resamples=0)
    c = compare(runs, f, 1e21, found=profiles(runs, resamples=0))
    assert "without intervals for each it cannot be told whether they disagree" in c.sentence
    assert "agree:" not in c.sentence


def test_an_approach_that_refuses_keeps_its_row_with_the_reason(noisy, fitted, epoch):
    c = compare(noisy, fit(noisy, "chinchilla", resamples=100), 1e21)  # a grid of sizes by tokens: no budgets
    assert c.rows[1].params is None
    assert "has 0 of 4 (4 with too few sizes). Add sizes on both sides of the minimum" in c.rows[1].note
    assert c.rows[2].params is not None
    runs, _ = fitted
    alone = compare(runs, fit(runs, "compute-floor", resamples=100), 1e21)
    assert alone.rows[2].params is None
    assert "splits no budget" in alone.rows[2].note
    assert alone.rows[2].loss is not None
    assert alone.sentence.startswith("Approaches 1 and 2 agree")


def test_excluded_runs_are_seen_by_none(fitted):
    runs, _ = fitted
    gone = list(runs.kept["run"][:9])
    f = fit(runs, "chinchilla", exclude=gone, resamples=50)
    c, other = compare(runs, f, 1e21), compare(runs.exclude(gone), f, 1e21)
    assert c.rows[1] == other.rows[1]
