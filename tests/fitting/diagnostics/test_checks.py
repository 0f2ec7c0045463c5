"""Each check sees what it is for, and is silent on runs that follow their law."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
from scipy.special import ndtr

from data import read_runs
from data.library import load
from fitting import all_laws, fit
from fitting.diagnostics.checks.floor import profile
from fitting.diagnostics.checks.shape import CURVED, SIGNIFICANT, _combined, _fewer, _said
from fitting.solver.initial_values import starts
from fitting.solver.parametrization import coordinates
from fitting.solver.solver import minimise, problem, residuals
from tests.fitting.sequential import as_often

CHINCHILLA = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}
KAPLAN = {"N_c": 6.4e13, "D_c": 1.8e13, "alpha_N": 0.076, "alpha_D": 0.103}
NEW = {"shape", "order", "repeats", "influence"}


def grid(sizes=8, data=6):
    return tuple(a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e10, sizes), np.geomspace(1e9, 2e11, data)))


def runs_of(make_runs, key="chinchilla", truth=CHINCHILLA, noise=0.004, seed=0, at=None):
    n, d = at or grid()
    rng = np.random.default_rng(seed)
    loss = all_laws()[key]({"params": n, "tokens": d}, truth) * np.exp(noise * rng.standard_normal(len(n)))
    return make_runs(params=n, tokens=d, loss=loss)


def verdict(f, key):
    return next(v for v in f.verdicts if v.key == key)


@pytest.mark.parametrize("delta", [1e-3, 1e-2])
def test_runs_that_follow_the_law_seldom_alarm(make_runs, delta):
    """One false alarm in twenty at most; one in four would be seen nine times of ten."""

    def quiet(seed):
        f = fit(runs_of(make_runs, seed=seed), "chinchilla", delta=delta, resamples=0)
        return not any(v.key in NEW and v.state != "pass" for v in f.verdicts)

    as_often(map(quiet, range(40)))


def test_kaplan_s_surface_is_not_chinchilla_s(make_runs):
    caught = 0
    for seed in range(8):
        f = fit(runs_of(make_runs, "kaplan", KAPLAN, seed=seed), "chinchilla", resamples=0)
        caught += verdict(f, "shape").state != "pass"
    assert caught >= 7


def test_the_bend_is_named(make_runs):
    """Size and data that help each other: a product of their logs, which no sum of powers has."""
    n, d = grid()
    x, y = (np.log(v / np.exp(np.mean(np.log(v)))) for v in (n, d))
    bent = make_runs(params=n, tokens=d, loss=runs_of(make_runs).kept["loss"] * np.exp(0.003 * x * y))
    v = verdict(fit(bent, "chinchilla", resamples=0), "shape")
    assert v.state != "pass"
    assert "with model size and tokens together" in v.sentence


def test_an_arch_against_tokens_per_parameter_is_not_lost_among_other_directions(dataset):
    """The residuals of a grid of small models arch there under Chinchilla's law, and do not under the general one."""
    runs = read_runs(dataset("probe_synthetic_grid.csv"), columns={"loss": "loss", "params": "params"})
    v = verdict(fit(runs, "chinchilla", resamples=0), "shape")
    assert v.state == "caution"
    assert "along tokens per parameter" in v.sentence
    assert verdict(fit(runs, "general", prior="none", resamples=0), "shape").state == "pass"


@pytest.mark.parametrize(
    ("along", "of"),
    [("tokens per parameter", lambda x, y: y - x), ("compute", lambda x, y: x + y), ("model size", lambda x, y: x)],
)
def test_an_arch_along_what_residuals_are_drawn_against_is_named(make_runs, along, of):
    """A planted arch of twice the noise, over twelve tables each: seen in most, and named where it is."""
    n, d = grid(10, 8)
    x, y = (np.log(v / np.exp(np.mean(np.log(v)))) for v in (n, d))
    z = of(x, y) / np.std(of(x, y))
    named = 0
    for seed in range(12):
        loss = runs_of(make_runs, at=(n, d), seed=seed).kept["loss"] * np.exp(0.008 * (z**2 - 1))
        v = verdict(fit(make_runs(params=n, tokens=d, loss=loss), "chinchilla", resamples=0), "shape")
        named += v.state != "pass" and f"along {along}" in v.sentence
    assert named >= 9


def test_a_check_that_passes_says_no_p_that_reads_as_significant(make_runs):
    """Laws, noises and tables of many kinds: a p-value beside a pass is 0.05 or more, beside a note below it."""
    said = Counter()
    n, d = (np.repeat(v, 2) for v in grid(6, 4))
    for seed in range(24):
        law = ("chinchilla", "kaplan", "kaplan-params", "compute")[seed % 4]
        runs = runs_of(make_runs, noise=0.002 * 3 ** (seed % 3), seed=seed, at=(n, d) if seed % 2 else None)
        for v in fit(runs, law, resamples=0).verdicts:
            for p in re.findall(r"\bp = ([0-9.e+-]+[0-9])", v.sentence):
                assert (float(p) >= SIGNIFICANT) == (v.state == "pass"), v
                said[v.state] += 1
    assert said["pass"] > 5
    assert said["caution"] + said["fail"] > 5


@pytest.mark.parametrize("p", [1e-300, 1e-9, 0.0299, 0.029999999, CURVED, 0.0301, 0.032, 0.5, 1.0])
def test_a_p_value_in_words_falls_on_the_side_that_its_check_takes(p):
    words = _said(p, CURVED)
    assert ("below" in words or float(words.split()[2].strip(",")) < SIGNIFICANT) == (p < CURVED)


def test_one_p_value_of_several_is_theirs_where_they_agree():
    assert _combined([0.03] * 6) == pytest.approx(0.03)
    assert _combined([1e-40] * 3) == pytest.approx(1e-40)
    assert _combined([1e-40, 0.5]) == pytest.approx(2e-40)
    assert _combined([0.5, 0.5]) == pytest.approx(0.5)
    assert 0.9 < _combined([1.0, 1.0]) < 1.0
    # Uniform p-values in a fixed order of dependence: the share below a level is that level.
    rng = np.random.default_rng(0)
    alone = rng.standard_normal((20_000, 1))
    tests = 2 * ndtr(-np.abs(0.8 * alone + 0.6 * rng.standard_normal((20_000, 6))))
    assert np.mean([_combined(list(row)) < 0.03 for row in tests]) == pytest.approx(0.03, abs=0.005)


def test_noise_shared_within_groups_is_not_a_bend(make_runs):
    """Most of the variance shared by all runs of a size: found, it is allowed for; told that runs are alone, it is not."""
    n, d = grid(12, 6)
    flagged = Counter()
    for seed in range(16):
        rng = np.random.default_rng(seed)
        noise = 0.006 * (rng.standard_normal(12)[np.arange(len(n)) % 12] + 0.3 * rng.standard_normal(len(n)))
        loss = all_laws()["chinchilla"]({"params": n, "tokens": d}, CHINCHILLA) * np.exp(noise)
        runs = make_runs(params=n, tokens=d, loss=loss)
        for how in ("auto", "runs"):
            flagged[how] += verdict(fit(runs, "chinchilla", intervals=how, resamples=0), "shape").state != "pass"
    assert flagged["auto"] <= 3
    assert flagged["auto"] < flagged["runs"]


def test_stretches_have_the_chance_that_counting_gives():
    """All orders of 9 ups and 9 downs (Wald and Wolfowitz 1940): the normal approximation to a few hundredths."""
    from itertools import combinations

    counts = Counter()
    for ups in combinations(range(18), 9):
        signs = np.zeros(18, bool)
        signs[list(ups)] = True
        counts[1 + int(np.sum(signs[1:] != signs[:-1]))] += 1
    total = sum(counts.values())
    for stretches in (5, 7, 9, 11):
        exact = sum(c for k, c in counts.items() if k <= stretches) / total
        assert _fewer(stretches, 9, 9) == pytest.approx(exact, abs=0.02)


def test_a_drift_along_compute_is_seen(make_runs):
    """An early half below the law and a late half above it in many small steps: few stretches."""
    n, d = grid(10, 10)
    c = np.argsort(np.argsort(n * d)) / len(n)
    runs = runs_of(make_runs, at=(n, d), noise=0.001)
    wave = make_runs(params=n, tokens=d, loss=runs.kept["loss"] * np.exp(0.004 * np.sin(6 * np.pi * c)))
    v = verdict(fit(wave, "chinchilla", resamples=0), "order")
    assert v.state == "caution"
    assert "stretches" in v.sentence


def test_repeats_tell_noise_from_lack_of_fit(make_runs):
    n, d = (np.repeat(x, 2) for x in grid(6, 5))
    good = fit(runs_of(make_runs, at=(n, d), seed=1), "chinchilla", resamples=0)
    assert verdict(good, "repeats").state == "pass"
    rng = np.random.default_rng(1)
    shared = np.repeat(0.01 * rng.standard_normal(30), 2)  # something else differs between settings
    loss = runs_of(make_runs, at=(n, d), noise=0.001).kept["loss"] * np.exp(shared)
    bad = fit(make_runs(params=n, tokens=d, loss=loss), "chinchilla", resamples=0)
    assert verdict(bad, "repeats").state == "caution"
    assert "30 settings, 30 repeats" in verdict(bad, "repeats").sentence


def test_copied_rows_are_no_repeats(make_runs):
    k = runs_of(make_runs).kept
    twice = make_runs(**{c: np.repeat(k[c].to_numpy(), 2) for c in ("params", "tokens", "loss")})
    assert not any(v.key == "repeats" for v in fit(twice, "chinchilla", resamples=0).verdicts)


def test_a_run_that_alone_tells_a_parameter_is_named(make_runs):
    """All sizes alike but one: what size does rests on that run."""
    rng = np.random.default_rng(0)
    n = np.append(np.exp(rng.uniform(np.log(0.9e9), np.log(1.1e9), 29)), 4e7)
    d = np.append(np.geomspace(1e9, 1e11, 29), 1e10)
    f = fit(runs_of(make_runs, at=(n, d)), "chinchilla", resamples=0)
    v = verdict(f, "influence")
    assert v.state == "caution"
    assert "depends on the run run-29" in v.sentence


def test_a_run_that_moves_the_fit_is_named(make_runs):
    """Least squares, one run half again as high: leaving it out moves a parameter by many errors."""
    k = runs_of(make_runs).kept
    loss = k["loss"].to_numpy().copy()
    loss[47] *= 1.5
    f = fit(make_runs(params=k["params"], tokens=k["tokens"], loss=loss), "chinchilla", delta=float("inf"), resamples=0)
    v = verdict(f, "influence")
    assert v.state == "caution"
    assert "run-47" in v.sentence


def test_an_exponent_at_its_bound_is_named(make_runs):
    n, d = grid()
    loss = 2 + np.where(n < 2e7, 1.0, 1e-4) + 300 * d**-0.3
    f = fit(make_runs(params=n, tokens=d, loss=loss), "chinchilla", resamples=0)
    v = verdict(f, "bounds")
    assert v.state == "fail"
    assert "alpha ended at its upper bound, 3" in v.sentence


@pytest.mark.parametrize("delta", [1e-3, float("inf")])
def test_the_floor_s_profile_covers_it(make_runs, delta):
    """Forty-eight runs: a true share of 75 % for 95 % would be seen 95 times of 100."""
    law = all_laws()["chinchilla"]

    def held(seed):
        k = runs_of(make_runs, seed=seed, noise=0.0076).kept
        x, loss = {c: k[c].to_numpy() for c in law.inputs}, k["loss"].to_numpy()
        prob = problem(coordinates(law, x, loss), x, loss, delta)
        found = minimise(prob, starts(prob))
        theta = found.theta[found.best()]
        p = profile(prob, theta, residuals(prob, theta[None, :])[0])
        assert p.low <= theta[0] <= p.high
        return p.low <= CHINCHILLA["E"] <= p.high

    as_often(map(held, range(50)), surely=25)


def test_the_profile_is_what_refits_cost(epoch, highest_five):
    """E held at 1.75, 1.80, 1.85, 1.90 costs 3.8, .3, 1.1, 7.0 % of the objective on Besiroglu's 240 rows."""
    law = all_laws()["chinchilla"]
    k = epoch.exclude(highest_five).kept
    x, loss = {c: k[c].to_numpy() for c in law.inputs}, k["loss"].to_numpy()
    prob = problem(coordinates(law, x, loss), x, loss, 1e-3)
    found = minimise(prob, starts(prob))
    theta = found.theta[found.best()]
    start = np.tile(theta, (4, 1))
    start[:, 0] = (1.75, 1.80, 1.85, 1.90)
    held = minimise(prob, start, held=(0,))
    assert np.array_equal(held.theta[:, 0], start[:, 0])
    cost = 100 * (held.objective / found.objective.min() - 1)
    assert np.allclose(cost, [3.8, 0.3, 1.1, 7.0], atol=0.06)


def test_every_public_table_is_judged_in_words(dataset):
    """Checks on real tables end in sentences, whatever the law."""
    runs = read_runs(dataset("marin_delphi_ladder.csv"))
    for key in ("chinchilla", "general", "kaplan", "compute-floor"):
        f = fit(runs, key, resamples=0)
        assert all(v.sentence.endswith(".") and "nan" not in v.sentence for v in f.verdicts)


def test_a_fit_shows_itself_as_a_person_would_read_it():
    found = fit(load("simulated-ladder"), "chinchilla", resamples=100)
    shown = repr(found).splitlines()
    assert shown[0] == f"Chinchilla L(N, D), {found.n} runs of {found.table}: {found.status.value}"
    assert [line.split()[0] for line in shown[1:6]] == list(found.law.names)
    _, low, high = found.interval("alpha")
    assert f"95 % {low:.4g} to {high:.4g}" in shown[4]
    assert len(shown) == 6 + sum(v.state != "pass" for v in found.verdicts)
    assert "95 %" not in repr(fit(load("simulated-ladder"), "chinchilla", resamples=0))


def test_two_kinds_of_run_that_take_turns_are_seen(make_runs):
    """36 runs in order of compute, every other one 2 % above the law and the rest below: 36 stretches."""
    flops = np.geomspace(1e18, 1e21, 36)
    n = np.sqrt(flops / 6 / np.tile([5, 20, 80, 30], 9))
    d = flops / 6 / n
    loss = all_laws()["chinchilla"]({"params": n, "tokens": d}, CHINCHILLA) * np.exp(0.02 * np.tile([1, -1], 18))
    loss *= np.exp(0.004 * np.random.default_rng(0).standard_normal(36))
    v = verdict(fit(make_runs(params=n, tokens=d, loss=loss), "chinchilla", resamples=0), "order")
    assert v.state == "caution"
    assert "alternate in sign" in v.sentence
