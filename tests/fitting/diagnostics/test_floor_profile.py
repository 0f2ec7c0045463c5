"""The floor's profile: lowest at the fit, its interval where the rise crosses the limit, the exponents carried along."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2

from fitting import FitError, all_laws, fit
from fitting.diagnostics.floor_profile import floor_profile

LAW = all_laws()["chinchilla"]


def test_it_is_lowest_at_the_fit_and_its_interval_is_where_it_crosses(noisy):
    f = fit(noisy, "chinchilla", resamples=0)
    p = floor_profile(f, noisy)
    at = int(np.argmin(np.abs(p.floors - f.params["E"])))
    assert p.floors[at] == pytest.approx(f.params["E"], rel=1e-12)
    assert p.rise[at] == pytest.approx(0.0, abs=1e-9)
    assert np.all(np.diff(p.rise[: at + 1]) < 0)
    assert np.all(np.diff(p.rise[at:]) > 0)
    assert p.limit == pytest.approx(chi2.ppf(0.95, 1))
    for end in (p.low, p.high):
        assert np.interp(end, p.floors, p.rise) == pytest.approx(p.limit, rel=0.1)
    assert p.ends == (True, True)
    for name in ("alpha", "beta"):
        assert p.exponents[name][at] == pytest.approx(f.params[name], rel=1e-6)
        assert np.all(np.diff(p.exponents[name]) > 0), "a higher floor wants steeper falls"
    said = next(v.sentence for v in f.verdicts if v.key == "floor")
    assert f"by its profile {p.low:.3g} to {p.high:.3g}" in said
    assert re.fullmatch(
        r"The 95 % profile interval of E is [\d.]+ to [\d.]+; over that interval alpha \([\d.]+ to [\d.]+\) and "
        r"beta \([\d.]+ to [\d.]+\) change with it\.", p.sentence,
    )  # fmt: skip


def test_everything_else_is_at_its_best(noisy):
    """Least squares with the floor held, by an outside solver: the same exponents and the same rise of squares."""
    f = fit(noisy, "chinchilla", delta=float("inf"), resamples=0)
    p = floor_profile(f, noisy)
    k = noisy.kept
    log_n, log_d, log_l = (np.log(k[c].to_numpy(float)) for c in ("params", "tokens", "loss"))

    def squares(x: np.ndarray, floor: float) -> float:
        terms = np.exp(x[0] - x[2] * (log_n - 20)) + np.exp(x[1] - x[3] * (log_d - 23))
        return 0.5e6 * float(np.sum((np.log(floor + terms) - log_l) ** 2))

    begin = [np.log(f.params[w]) - f.params[e] * m for w, e, m in (("A", "alpha", 20), ("B", "beta", 23))]
    rises = []
    for at in (2, len(p.floors) - 3):
        out = minimize(
            squares, [*begin, f.params["alpha"], f.params["beta"]], args=(p.floors[at],), method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-9, "maxiter": 20_000, "maxfev": 20_000},
        )  # fmt: skip
        assert out.x[2] == pytest.approx(p.exponents["alpha"][at], rel=1e-4)
        assert out.x[3] == pytest.approx(p.exponents["beta"][at], rel=1e-4)
        rises.append((out.fun / 1e6 - f.objective) / p.rise[at])
    assert rises[0] == pytest.approx(rises[1], rel=1e-4), "one unit for all floors"


def test_a_fit_with_a_prior_has_the_profile_of_its_checks(noisy):
    f = fit(noisy, resamples=50)
    assert f.settings.prior == "published"
    p = floor_profile(f, noisy)
    said = next(v.sentence for v in f.verdicts if v.key == "floor")
    assert f"by its profile {p.low:.3g} to {p.high:.3g}" in said


def test_an_open_end_is_said(make_runs):
    """No floor in the truth: every floor down to zero will do."""
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e9, 6), np.geomspace(1e9, 1e11, 5)))
    rng = np.random.default_rng(0)
    loss = (20 * n**-0.1 + 30 * d**-0.1) * np.exp(0.03 * rng.standard_normal(n.size))
    runs = make_runs(params=n, tokens=d, loss=loss)
    p = floor_profile(fit(runs, "chinchilla", resamples=0), runs)
    assert p.ends[0] is False
    assert p.low == 0.0
    assert "is everything below" in p.sentence


def test_refusals_are_sentences(noisy, make_runs):
    with pytest.raises(FitError, match="has no floor to profile"):
        floor_profile(fit(noisy, "kaplan", resamples=0), noisy)
    with pytest.raises(FitError, match="not those that were fitted"):
        floor_profile(fit(noisy, "chinchilla", resamples=0), noisy.exclude(["run-3"]))
    k = noisy.kept
    truth = {"E": 1.8, "A": 480.0, "B": 2085.0, "alpha": 0.35, "beta": 0.37}
    exact = make_runs(params=k["params"], tokens=k["tokens"], loss=LAW({c: k[c] for c in ("params", "tokens")}, truth))
    with pytest.raises(FitError, match="No profile is drawn"):
        floor_profile(fit(exact, "chinchilla", resamples=0), exact)
