"""The published tests of published constants, reproduced: likelihood ratio 84.0 and chi-squared 238 on Besiroglu's 240 rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, stats

from fitting import all_laws, fit
from fitting.selection.published_constants import against_papers
from fitting.solver.huber_likelihood import log_likelihood, log_likelihood_in_scales, log_normaliser
from fitting.solver.solver import huber


@pytest.fixture(scope="module")
def fitted(epoch, highest_five):
    return fit(epoch, "chinchilla", exclude=highest_five, delta=1e-3, intervals="runs", resamples=1000)


def test_hoffmann_is_rejected_as_published(fitted, epoch):
    """Besiroglu et al. 2024, arXiv 2404.10102, section 3: likelihood ratio 84.0 (p 1.2e-16); chi2(5) = 238 (p 1.7e-49)."""
    hoffmann, besiroglu = against_papers(fitted, epoch)
    assert hoffmann.paper == "Hoffmann et al. 2022"
    assert hoffmann.freedom == 5
    assert hoffmann.ratio == pytest.approx(84.0, abs=0.05)
    assert hoffmann.ratio_chance == pytest.approx(1.2e-16, rel=0.05)
    assert hoffmann.wald == pytest.approx(238, rel=0.12)  # a thousand draws; with four thousand 231
    assert hoffmann.wald_chance < 1e-40
    assert "do not follow" in hoffmann.sentence
    assert besiroglu.ratio_chance > 0.5
    assert besiroglu.wald_chance > 0.5
    assert "agree" in besiroglu.sentence


def test_the_statistic_from_their_own_point(fitted, epoch):
    """From the constants they published instead of the optimum: theirs to the bootstrap's own spread."""
    point = np.array([np.exp(0.59711196), np.exp(6.17795598), np.exp(7.64273236), 0.34781303, 0.36585412])
    hoffmann = against_papers(replace(fitted, values=point), epoch)[0]
    assert hoffmann.wald == pytest.approx(238, rel=0.1)


def test_true_constants_are_seldom_rejected(make_runs):
    """Runs drawn from Besiroglu's constants: tested at one in a hundred, rejected about that often."""
    law = all_laws()["chinchilla"]
    truth = next(p for p in law.published if p.paper.startswith("Besiroglu")).values
    rng = np.random.default_rng(3)
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(1e8, 1e10, 8), np.geomspace(1e9, 3e11, 8)))
    chances = []
    for _ in range(20):
        loss = law({"params": n, "tokens": d}, truth) * np.exp(rng.laplace(scale=0.005, size=64))
        runs = make_runs(params=n, tokens=d, loss=loss)
        chances.append(against_papers(fit(runs, "chinchilla", resamples=0), runs)[1].ratio_chance)
    assert np.sum(np.array(chances) < 0.01) <= 3
    assert stats.kstest(chances, "uniform").pvalue > 1e-3


def test_without_draws_there_is_no_distance(fitted, epoch):
    few = replace(fitted, draws=fitted.draws[:50])
    t = against_papers(few, epoch)[0]
    assert t.wald is None
    assert t.shapes_chance is None
    assert "do not follow" in t.sentence


@pytest.mark.parametrize("d", [1e-3, 0.3, 1.345, 10.0])
def test_the_density_integrates_to_one(d):
    half = integrate.quad(lambda x: np.exp(-huber(np.array(x), d) - log_normaliser(d)), 0, d)[0]
    tail = integrate.quad(lambda u: np.exp(-u) / d, 0, np.inf)[0] * np.exp(-0.5 * d * d - log_normaliser(d))
    assert 2 * (half + tail) == pytest.approx(1.0, rel=1e-8)


def test_the_ends_are_normal_and_laplace():
    r = np.random.default_rng(0).standard_normal(200) * 0.01
    assert log_likelihood(r, float("inf")) == pytest.approx(np.sum(stats.norm.logpdf(r, scale=np.sqrt(np.mean(r**2)))))
    assert log_likelihood(r, 1.0) == pytest.approx(log_likelihood(r, float("inf")), rel=1e-6)
    laplace = np.sum(stats.laplace.logpdf(r, scale=np.mean(np.abs(r))))
    assert log_likelihood(r, 1e-7) == pytest.approx(laplace, rel=1e-4)
    assert log_likelihood_in_scales(r) == pytest.approx(laplace, rel=1e-4)
