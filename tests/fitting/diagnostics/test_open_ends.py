"""Which end of a parameter's range is open: by its profile, wherever the slopes at the optimum point."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
from scipy import stats

import fitting.diagnostics.open_ends as ends_of_ranges
from fitting import FitError, all_laws, fit, load_fit
from fitting.diagnostics.open_ends import allowed, open_ends
from fitting.export.checksum import KEY, checksum
from fitting.open_interval import how_open
from fitting.solver.initial_values import starts
from fitting.solver.parametrization import coordinates
from fitting.solver.solver import minimise, objective, problem, residuals
from tests.planted import TWO, grid, line, noisy


def along(loss, column, seed, n=25, noise=0.004):
    """Runs along one input."""
    x = line(column, n)
    return noisy(x, loss(x[column]), noise, np.random.default_rng(seed))


def crossed(loss, seed, noise=0.004):
    """Runs of six sizes, each on four numbers of tokens."""
    x = grid()
    return noisy(x, loss(x["params"], x["tokens"]), noise, np.random.default_rng(seed))


def no_break(x):
    return 1.7 + 410 * x**-0.28


@pytest.mark.parametrize("seed", range(4))
def test_a_break_that_runs_do_not_show_is_named(seed):
    """At the optimum some noise is fitted, so that every slope there is steep."""
    f = fit(along(no_break, "tokens", seed), "broken-tokens", resamples=0)
    assert {"x1", "f1"} & set(f.unidentified)
    assert f.status.value != "sound"


def test_a_break_that_runs_do_show_is_not():
    law = all_laws()["broken-tokens"]
    there = {"E": 1.0, "B": 30.0, "c0": 0.1, "c1": 0.5, "x1": 3e9, "f1": 0.3}
    assert not fit(along(lambda x: law({"tokens": x}, there), "tokens", 0, 40), law, resamples=0).unidentified


@pytest.mark.parametrize("seed", range(4))
def test_of_two_like_terms_of_which_one_would_do_neither_is_told(seed):
    f = fit(along(lambda x: 1.7 + 410 * x**-0.3, "params", seed), TWO, resamples=0)
    assert {"a", "f"} <= set(f.unidentified)
    assert "E" not in f.unidentified


@pytest.mark.parametrize(
    ("loss", "open_ones"),
    [
        (lambda n, d: 1.82 + 2085 * d**-0.366, {"A", "alpha"}),
        (lambda n, d: 1.82 + 482 * n**-0.348, {"B", "beta"}),
        (lambda n, d: 1.82 + 482 * n**-0.348 + 2085 * d**-0.366, set()),
    ],
)
def test_the_term_that_does_not_matter_is_the_one_named(loss, open_ones):
    f = fit(crossed(loss, 1), "chinchilla", resamples=60)
    assert set(f.unidentified) == open_ones
    for name in set(f.law.names) - open_ones:
        assert math.isfinite(f.interval(name).high), name


def test_one_open_side_leaves_the_other_known_everywhere():
    """Before a break that may be anywhere the slope is at most that of all runs: said by repr, band, JSON, LaTeX and Python."""
    f = fit(along(no_break, "tokens", 0), "broken-tokens", resamples=200)
    assert f.closed_ends.get("c0") == "high"
    band = f.interval("c0")
    assert band.low == 0.0
    assert f.params["c0"] <= band.high < 1.0
    assert f.interval("c0", 0.5).high < band.high
    assert band.notes == (f"At most {band.high:.4g} by these runs.",)
    assert f"at most {band.high:.4g} by these runs" in repr(f)
    assert np.isinf(f.summary().loc["c0", "se"])
    assert re.search(r"c_0\$ & .*\\multicolumn\{2\}\{r\}\{at most \$0\.\d+\$\}", f.to_latex())
    scope: dict = {}
    exec(f.to_python(), scope)
    assert scope["INTERVALS_95"]["c0"] == [0.0, band.high]
    assert scope["INTERVALS_95"]["x1"] == [0.0, math.inf]
    assert "give no lower end for" in " ".join(f.warnings)
    again = load_fit(f.to_json())
    assert again.closed_ends == f.closed_ends
    assert again.interval("c0") == band


@pytest.mark.parametrize("ends", [{"c0": "middle"}, {"E": "high"}, {"none": "low"}, ["c0"], {"c0": 1}])
def test_a_saved_fit_with_odd_ends_is_refused(tmp_path, ends):
    f = fit(along(no_break, "tokens", 0), "broken-tokens", resamples=20)
    body = json.loads(f.to_json())
    body["closed_ends"] = ends
    body[KEY] = checksum({k: v for k, v in body.items() if k != KEY})
    path = tmp_path / "fit.json"
    path.write_text(json.dumps(body))
    with pytest.raises(FitError, match=r"damaged|ends at its"):
        load_fit(path)


def test_an_end_is_open_where_its_profile_rises_by_less_than_is_allowed():
    """Just so much, whichever end; and what is allowed is chi-squared's 95 %, F's where few runs tell the noise."""
    law = all_laws()["compute-floor"]
    frame = along(lambda x: 1.7 + 410 * x**-0.28, "flops", 0, noise=0.02)
    x, loss = {"flops": frame["flops"].to_numpy()}, frame["loss"].to_numpy()
    where = coordinates(law, x, loss)
    prob = problem(where, x, loss, np.inf)
    tried = minimise(prob, starts(prob))
    theta = tried.theta[tried.best()]
    low, high = where.bounds
    for side, end in enumerate((low + 0.02 * (high - low), high - 0.02 * (high - low))):
        start = theta[None, :].copy()
        start[0, 2] = end[2]
        rise = float((minimise(prob, start, held=(2,)).objective - objective(prob, theta[None, :]))[0])
        assert [open_ends(prob, theta, share * rise)[side][2] for share in (0.95, 1.05)] == [False, True]
    left = residuals(prob, theta[None, :])[0]
    noise = float(np.sum(left**2)) / (25 - 3)
    assert allowed(prob, left) == pytest.approx(0.5 * stats.f.ppf(0.95, 1, 22) * noise, rel=0.1)
    assert stats.f.ppf(0.95, 1, 1e9) == pytest.approx(3.841, rel=1e-3)


def solved(law, frame):
    """A least-squares problem and its optimum."""
    x, loss = {k: frame[k].to_numpy() for k in law.inputs}, frame["loss"].to_numpy()
    prob = problem(coordinates(law, x, loss), x, loss, np.inf)
    tried = minimise(prob, starts(prob))
    theta = tried.theta[tried.best()]
    return prob, theta, allowed(prob, residuals(prob, theta[None, :])[0])


def test_ends_far_beyond_a_parabola_are_not_refitted_where_none_is_open(monkeypatch):
    frame = crossed(lambda n, d: 1.82 + 482 * n**-0.348 + 2085 * d**-0.366, 0, 0.0003)
    prob, theta, cut = solved(all_laws()["chinchilla"], frame)
    full = open_ends(prob, theta, cut)
    monkeypatch.setattr(ends_of_ranges, "minimise", lambda *_, **__: pytest.fail("an end was refitted"))
    assert not np.any(full)
    assert not np.any(open_ends(prob, theta, cut))


@pytest.mark.parametrize("seed", range(3))
def test_ends_far_beyond_a_parabola_are_found_once_another_is_open(monkeypatch, seed):
    """Of all open ends a parabola that puts but one within reach loses none."""
    prob, theta, cut = solved(TWO, along(no_break, "params", seed))
    full = np.array(open_ends(prob, theta, cut))
    assert full.sum() > 1
    rise = np.full(full.shape, np.inf)
    rise[tuple(np.argwhere(full)[0])] = 2 * cut
    monkeypatch.setattr(ends_of_ranges, "parabola", lambda *_: rise)
    np.testing.assert_array_equal(full, open_ends(prob, theta, cut))


def test_each_refit_may_hold_a_coordinate_of_its_own():
    law = all_laws()["compute-floor"]
    frame = along(lambda x: 1.7 + 410 * x**-0.28, "flops", 0)
    x, loss = {"flops": frame["flops"].to_numpy()}, frame["loss"].to_numpy()
    prob = problem(coordinates(law, x, loss), x, loss, np.inf)
    start = np.tile(starts(prob)[0], (3, 1)) + 0.1
    mask = np.eye(3, dtype=bool)
    together = minimise(prob, start, held=mask)
    for i in range(3):
        alone = minimise(prob, start[[i]], held=(i,))
        assert together.theta[i, i] == start[i, i]
        np.testing.assert_allclose(together.objective[i], alone.objective[0], rtol=1e-9)


def test_an_open_interval_in_words():
    assert how_open(0.0, 3.0) == "at most 3"
    assert how_open(-math.inf, -3.0) == "at most -3"
    assert how_open(2.0, math.inf) == "at least 2"
    assert how_open(0.0, math.inf) == how_open(-math.inf, math.inf) == "not identified"
