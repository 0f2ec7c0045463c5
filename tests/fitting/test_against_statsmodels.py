"""Regressions and tests of residuals that are written out here for their speed, against statsmodels."""

from __future__ import annotations

from copy import copy

import numpy as np
import pytest
from scipy.special import ndtr
from statsmodels.nonparametric.smoothers_lowess import lowess
from statsmodels.regression.linear_model import OLS, WLS
from statsmodels.sandbox.stats.runs import runstest_1samp
from statsmodels.stats.outliers_influence import OLSInfluence
from statsmodels.tools.tools import add_constant

from dashboard.charts.residuals import _local
from fitting import estimate, fit
from fitting.batch.growth import growth
from fitting.diagnostics.checks import shape
from fitting.isoflop.power import power_law
from fitting.isoflop.vertices import residuals


@pytest.fixture(scope="module")
def seen(noisy):
    """The evidence of a fit by least squares to 48 noisy runs."""
    kept = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(estimate, "verdicts", lambda e: kept.append(e) or ())
        fit(noisy, "chinchilla", delta=float("inf"), resamples=0)
    return kept[-1]


def test_curvature_is_whites_test_in_the_regression_on_the_law_s_slopes(seen):
    """HC3 (MacKinnon and White 1985), as an F test of the columns that the law cannot follow."""
    e = copy(seen)
    e.alike = np.arange(len(e.residuals))  # each run by itself: shared noise is judged beside this
    terms = np.array(list(shape._bends(e).values())).T
    for columns in (terms[:, :3], *(terms[:, [k]] for k in range(terms.shape[1]))):
        p, share, _ = shape._joint(e, columns)
        own = OLS(e.left_over, np.column_stack([e.basis, columns])).fit(cov_type="HC3", use_t=True)
        asked = np.eye(own.params.size)[e.basis.shape[1] :]
        assert p == pytest.approx(float(own.f_test(asked).pvalue), rel=1e-6)
        assert share == pytest.approx(1 - own.ssr / float(e.left_over @ e.left_over), rel=1e-9)


def test_stretches_of_one_sign_are_judged_as_wald_and_wolfowitz_do():
    """Theirs without the correction for steps; of an odd number they put the median itself above."""
    rng = np.random.default_rng(0)
    for n in (12, 30, 48, 200):
        r = rng.standard_normal(n)
        above = r > np.median(r)
        stretches, up = 1 + int(np.sum(above[1:] != above[:-1])), int(above.sum())
        z, _ = runstest_1samp(r, cutoff="median", correction=False)
        step = 0.5 / np.sqrt((n / 2) * (n / 2 - 1) / (n - 1))
        assert shape._fewer(stretches, up, n - up) == pytest.approx(float(ndtr(z + step)), rel=1e-9), n


def test_lack_of_fit_is_the_f_test_of_a_mean_for_each_setting(make_runs):
    rng = np.random.default_rng(3)
    setting = np.repeat(np.arange(9), 3)
    x = np.log(np.geomspace(1, 100, 9))[setting]
    y = 2 - 0.3 * x + 0.05 * x**2 + 0.1 * rng.standard_normal(27)
    line, means = OLS(y, add_constant(x)).fit(), OLS(y, np.eye(9)[setting]).fit()
    f, p, extra = means.compare_f_test(line)

    class Seen:
        residuals, is_exact = line.resid, False
        left_over = line.resid
        basis = np.linalg.qr(add_constant(x))[0]

        class table:  # noqa: N801
            inputs = {"params": np.exp(x) * 1e8}  # noqa: RUF012
            loss = np.exp(y)

    found = shape.repeats(Seen)
    assert found.sentence.startswith(f"9 settings, {int(means.df_resid)} repeats: residuals are {np.sqrt(f):.2g} times")
    assert shape._said(p, shape.UNREPEATED) in found.sentence
    assert extra == 7


def test_an_error_without_a_run_and_a_step_without_it_are_those_of_the_regression_without_its_row(seen):
    """The two formulas of the check on influence, for every run and parameter."""
    e = seen
    unit = e.jacobian / np.linalg.norm(e.jacobian, axis=0)
    own = OLS(e.clipped, unit).fit()
    inverse, influence = np.linalg.inv(unit.T @ unit), OLSInfluence(own)
    reach, spare = unit @ inverse, 1 - influence.hat_matrix_diag
    np.testing.assert_allclose(1 - np.sum(e.basis**2, axis=1), spare, rtol=1e-8)
    for run in (0, 17, 47):
        without = OLS(np.delete(e.clipped, run), np.delete(unit, run, axis=0)).fit()
        grows = np.sqrt(1 + reach[run] ** 2 / spare[run] / np.diag(inverse))
        np.testing.assert_allclose(grows, np.sqrt(np.diag(without.normalized_cov_params) / np.diag(inverse)), rtol=1e-6)
        np.testing.assert_allclose(
            reach[run] * own.resid[run] / spare[run], own.params - without.params, rtol=1e-5, atol=1e-12
        )
        np.testing.assert_allclose(
            (own.params - without.params) / np.sqrt(np.diag(inverse) * influence.sigma2_not_obsi[run]), influence.dfbetas[run],
            rtol=1e-6,
        )  # fmt: skip


def test_a_power_law_of_vertices_is_weighted_least_squares_of_logs():
    rng = np.random.default_rng(1)
    c = np.geomspace(1e18, 1e21, 9)
    y, w = 0.1 * c**0.49 * np.exp(0.05 * rng.standard_normal(9)), rng.uniform(0.5, 4, 9)
    own = WLS(np.log(y), add_constant(np.log(c / 1e19)), weights=w).fit()
    found = power_law(c, y, w)
    assert found.exponent == pytest.approx(own.params[1], rel=1e-10)
    assert found.at(1e19).value == pytest.approx(np.exp(own.params[0]), rel=1e-10)


def test_a_parabola_s_residuals_are_scaled_for_their_leverage():
    x = np.log(np.geomspace(1e7, 1e9, 9))
    y = 3 + 0.04 * (x - 18) ** 2 + 0.01 * np.random.default_rng(2).standard_normal(9)
    u = (x - x.mean()) / np.ptp(x)
    own = OLS(y, np.column_stack([np.ones(9), u, u**2])).fit()
    smooth, left = residuals(x, y)
    np.testing.assert_allclose(smooth, own.fittedvalues, rtol=1e-10)
    np.testing.assert_allclose(left, own.resid / np.sqrt(1 - own.get_influence().hat_matrix_diag), rtol=1e-7)


def test_how_a_critical_batch_grows_is_least_squares_with_students_t():
    x = np.array([1e8, 2e8, 5e8, 1e9, 3e9])
    y = 3 * x**0.4 * np.exp([0.05, -0.1, 0.02, 0.08, -0.04])
    own, found = OLS(np.log(y), add_constant(np.log(x))).fit(), growth(x, y)
    band = found.exponent(0.9)
    assert band.value == pytest.approx(own.params[1], rel=1e-9)
    assert (band.low, band.high) == pytest.approx(tuple(own.conf_int(0.1)[1]), rel=1e-9)
    there = own.get_prediction([[1, np.log(1e10)]]).summary_frame(0.05).iloc[0]
    far = found.at(1e10)
    assert (far.value, far.low, far.high) == pytest.approx(
        tuple(np.exp(there[["mean", "mean_ci_lower", "mean_ci_upper"]])), rel=1e-8
    )


def test_the_trend_in_the_residuals_is_lowess_where_no_runs_are_heaped():
    """Theirs has no value between two heaps of runs at one place, as a grid of sizes has, so it is not what is drawn."""
    rng = np.random.default_rng(4)
    x = np.sort(rng.uniform(0, 10, 80))
    y = np.sin(x) + 0.2 * rng.standard_normal(80)
    at = np.linspace(x[0], x[-1], 40)
    theirs = lowess(y, x, frac=0.6, it=0, xvals=at)
    np.testing.assert_allclose(_local(x, y, at, 48, np.ones(80)), theirs, atol=2e-4)
    heaps = np.repeat([0.0, 10.0], 40) + np.r_[np.zeros(78), -6.0, -4.0]
    with np.errstate(all="ignore"):
        assert np.isfinite(_local(heaps, y, at, 48, np.ones(80))).all()
