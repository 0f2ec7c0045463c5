"""The noise behind residuals: its scales come back from planted ones, and draws of it are what they say."""

from __future__ import annotations

import numpy as np
import pytest

from fitting.uncertainty.error_model import noise, pooled

N, SIZES = 600, 60


@pytest.fixture(scope="module")
def design():
    rng = np.random.default_rng(1)
    return rng.standard_normal((N, 5)), np.arange(N) % SIZES


def planted(design, shared: float, alone: float, seed: int = 0, runs: int = N):
    slopes, groups = (x[:runs] for x in design)
    rng = np.random.default_rng(seed)
    e = alone * rng.standard_normal(runs) + shared * rng.standard_normal(SIZES)[groups]
    q = np.linalg.qr(slopes)[0]
    return e - q @ (q.T @ e), slopes, groups


@pytest.mark.parametrize(("shared", "alone"), [(0.0, 0.01), (0.01, 0.01), (0.02, 0.005)])
def test_planted_scales_come_back(design, shared, alone):
    several = [noise(*planted(design, shared, alone, seed)) for seed in range(5)]
    found = several[0]
    middles = [[np.median(s) for s in one.scales(np.random.default_rng(0), 4000)] for one in several]
    between, rest = np.median(middles, axis=0)  # of five tables: one alone may show a little where nothing is shared
    assert rest == pytest.approx(alone, rel=0.08)
    assert between == pytest.approx(
        shared, rel=0.35, abs=0.002
    )  # 1.4 errors of what sixty groups say of nothing shared
    middle, low, high = found.share
    assert low <= shared**2 / (shared**2 + alone**2) <= high
    assert low <= middle <= high
    assert (found.evidence > 5) == (shared > 0)


def test_the_restricted_sums_are_those_of_least_squares(design):
    """Within and between against two plain regressions: on the law alone, and on the law beside one level a group."""
    residuals, slopes, groups = planted(design, 0.01, 0.01, runs=90)
    found = noise(residuals, slopes, groups)
    levels = np.eye(SIZES)[groups]
    both = np.linalg.lstsq(np.hstack([slopes, levels]), residuals, rcond=None)[0]
    left = residuals - np.hstack([slopes, levels]) @ both
    assert found.within == pytest.approx(left @ left, rel=0.02)  # but for the three or four runs cut
    assert found.within + found.between.sum() == pytest.approx(residuals @ residuals, rel=0.02)
    assert found.within_dof + found.between_dof == 90 - 5


def test_draws_have_the_scales(design):
    found = noise(*planted(design, 0.01, 0.005))
    errors, alone = found.errors(np.random.default_rng(0), 3000)
    assert errors.shape == (3000, N)
    assert alone.shape == (3000, 1)
    total = np.hypot(0.01, 0.005)
    assert errors.std() == pytest.approx(total, rel=0.1)
    assert alone.std() == pytest.approx(total, rel=0.1)
    same = np.mean(errors[:, 0] * errors[:, SIZES])  # two runs of one size
    other = np.mean(errors[:, 0] * errors[:, 1])
    assert same == pytest.approx(1e-4, rel=0.25)
    assert abs(other) < 1e-5


def test_levels_that_agree_better_than_chance_are_drawn_so(design):
    """Groups whose levels lie closer than their runs' noise would have them: the draws' levels do too, the rest does not."""
    slopes, groups = design
    e = 0.01 * np.random.default_rng(5).standard_normal(N)
    levels = np.bincount(groups, e) / (N // SIZES)
    e = e - 0.9 * levels[groups]
    found = noise(e, slopes, groups)
    errors, _ = found.errors(np.random.default_rng(0), 2000)
    drawn = errors.reshape(2000, N // SIZES, SIZES)
    chance = errors.std() / np.sqrt(N // SIZES)
    assert drawn.mean(axis=1).std() < 0.4 * chance
    assert (drawn - drawn.mean(axis=1, keepdims=True)).std() == pytest.approx(errors.std(), rel=0.06)
    assert found.share[0] == 0.0


def test_intervals_of_a_level_are_student_s_whatever_is_shared():
    """A mean of six groups' runs: its interval needs no prior, t with five degrees of freedom on the groups' means, exact at any
    share (Scheffe 1959, chapter 7). Without a floor under the share, draws come to the same; with one they would not where
    groups agree by chance."""
    rng = np.random.default_rng(6)
    groups = np.arange(24) % 6
    for shared in (0.0, 1.0):
        ratios = []
        for _ in range(40):
            e = rng.standard_normal(24) + shared * rng.standard_normal(6)[groups]
            e -= e.mean()
            found = noise(e, np.ones((24, 1)), groups)
            drawn = found.errors(rng, 4000)[0].mean(axis=1)
            exact = 2.571 * np.std(np.bincount(groups, e) / 4, ddof=1) / np.sqrt(6)
            ratios.append(np.ptp(np.quantile(drawn, (0.025, 0.975))) / 2 / exact)
        assert np.median(ratios) == pytest.approx(1.0, abs=0.1)


def test_few_runs_leave_the_scale_open(design):
    """Seven degrees of freedom: the spread of drawn scales is Student's."""
    residuals, slopes, _ = planted(design, 0.0, 0.01, runs=12)
    found = noise(residuals, slopes)
    _, rest = found.scales(np.random.default_rng(0), 20_000)
    rest = rest * np.sqrt(np.mean(found.shape**2))  # what was cut is in the shape
    t = rest * np.random.default_rng(1).standard_normal(20_000) / np.sqrt(residuals @ residuals / 7)
    assert np.quantile(t, 0.975) == pytest.approx(2.365, rel=0.05)


def test_one_run_far_off_is_no_sign_of_anything_shared(design):
    residuals, slopes, groups = planted(design, 0.0, 0.01)
    odd = residuals.copy()
    odd[7] = 1.0
    found = noise(odd, slopes, groups, delta=0.0134)
    assert found.share[1] < 0.02
    assert np.max(np.abs(found.shape)) > 50


def test_a_lopsided_shape_moves_no_refit(design):
    """Drawn residuals, cut at delta, add up to nothing: else every refit would lie to one side of the fit."""
    _, slopes, groups = planted(design, 0.0, 0.01)
    lopsided = np.where(np.arange(N) % 4 == 0, 0.05, -0.001)
    found = noise(lopsided - 0.0, slopes, groups, delta=0.004)
    assert abs(np.mean(np.clip(found.shape * 0.004, -0.004, 0.004))) < 0.004


def test_thousands_of_groups(design):
    rng = np.random.default_rng(3)
    groups = np.arange(6000) % 2000
    e = 0.01 * rng.standard_normal(6000) + 0.01 * rng.standard_normal(2000)[groups]
    _, low, high = noise(e, rng.standard_normal((6000, 5)), groups).share
    assert low < 0.5 < high
    assert high - low < 0.1


def test_no_residuals_at_all(design):
    slopes, groups = design
    errors, alone = noise(np.zeros(N), slopes, groups).errors(np.random.default_rng(0), 5)
    assert not errors.any()
    assert not alone.any()


def test_two_tables_of_one_kind_tell_the_share_better_together(design):
    """Pooled, each judges the share by the product of both likelihoods, and keeps its own scale."""
    x, groups = design
    rng = np.random.default_rng(4)
    several = []
    for sd in (1.0, 3.0):
        e = sd * np.sqrt(0.5) * (rng.standard_normal(groups.max() + 1)[groups] + rng.standard_normal(len(groups)))
        several.append(noise(e - x @ np.linalg.lstsq(x, e, rcond=None)[0], x, groups))
    together = pooled(several)
    one, two = (n.share for n in several)
    both = [n.share for n in together]
    assert both[0] == pytest.approx(both[1])
    assert both[0][2] - both[0][1] < min(one[2] - one[1], two[2] - two[1])
    ratio = np.median(together[1].scales(rng, 2000)[1]) / np.median(together[0].scales(rng, 2000)[1])
    assert ratio == pytest.approx(3.0, rel=0.35)
    alone = noise(e, x, None)
    assert pooled([alone])[0].share == alone.share
