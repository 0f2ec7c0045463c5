"""Intervals of the multi-power law: the noise they rest on found again, a planted truth held, and measured curves not shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fitting import FitError
from fitting.schedule.curves import logged_curves
from fitting.schedule.multi_power import Schedule, fit_curves, law, loss_curve
from fitting.schedule.noise import CurveNoise, curve_noise

WARMUP, PEAK = 2160, 3e-4
TRUTH = law.published[1].values
COUNT = np.ones(1)


def schedule(last: int, after: np.ndarray) -> Schedule:
    return Schedule.after(
        WARMUP, PEAK * np.interp(np.arange(WARMUP + 1, last + 1), np.linspace(WARMUP, last, len(after)), after)
    )


SEEN = (
    schedule(24_000, 0.55 + 0.45 * np.cos(np.linspace(0, np.pi, 200))),
    schedule(24_000, np.ones(2)),
    Schedule.after(WARMUP, PEAK * np.repeat([1.0, 0.3], [6000, 8000])),
)
NEW = schedule(24_000, np.array([1.0, 1.0, 1.0, 1.0, 0.1]))


def planted(seed: int, noise: float = 1e-3):
    """Three curves with a drift along each, a fifth of the variance a curve's own."""
    rng = np.random.default_rng(seed)
    own = CurveNoise(noise * COUNT, 1500.0 * COUNT, 0.1 * COUNT, 0.2 * COUNT)
    out = []
    for s in SEEN:
        steps = np.arange(2400, len(s.lr) + 1, 800)
        out.append((s, steps, loss_curve(s, steps, TRUTH) * np.exp(own.paths(rng, steps)[0])))
    return out


def test_the_noise_of_many_curves_is_found_again():
    """Of 40 curves: scale and shift within their sampling error, the reach within one step of its grid."""
    rng = np.random.default_rng(0)
    own = CurveNoise(2e-3 * COUNT, 800.0 * COUNT, 0.1 * COUNT, 0.4 * COUNT)
    steps = np.arange(0.0, 8000.0, 100.0)
    paths = [own.paths(rng, steps)[0] for _ in range(40)]
    slopes = np.column_stack([np.ones(80), steps])
    found = curve_noise([steps] * 40, paths, [slopes] * 40, rng, 400)
    assert np.median(found.scale) == pytest.approx(2e-3, rel=0.15)
    assert 450 < np.median(found.reach) < 1400
    assert 0.2 <= np.median(found.shift) <= 0.8
    assert np.median(found.alone) == 0.1


def test_noise_drawn_has_the_spread_it_says():
    noise = CurveNoise(*(np.full(4000, v) for v in (1e-3, 500.0, 0.3, 0.5)))
    paths = noise.paths(np.random.default_rng(1), np.array([100.0, 600.0, 5000.0]))
    correlation = np.corrcoef(paths.T)
    assert paths.std(axis=0) == pytest.approx(1e-3 * np.sqrt(1.5), rel=0.05)
    assert correlation[0, 1] == pytest.approx((0.5 + 0.7 * np.exp(-1)) / 1.5, abs=0.05)
    assert correlation[0, 2] == pytest.approx(1 / 3, abs=0.05)


def test_intervals_hold_a_planted_truth():
    """Four tables of three curves; one may miss."""
    last = np.array([24_000])
    truth = loss_curve(NEW, last, TRUTH)[0]
    held, widths = [], []
    for seed in range(4):
        f = fit_curves(planted(seed), resamples=40, seed=seed)
        value, low, high = (float(v[0]) for v in list(f.predict(NEW, last)))
        held.append(low <= truth <= high)
        widths.append((high - low) / value)
        assert low < value < high
    assert sum(held) >= 3
    assert 5e-4 < np.median(widths) < 2e-2
    assert "3 curves tell little" in f.notes[0]
    # The seed repeats it; a run's band is wider than the law's, and with the form's doubt wider still.
    again = fit_curves(planted(3), resamples=40, seed=3)
    assert np.array_equal(again.draws, f.draws)
    law_band, noise, all_of_it = (
        f.predict(NEW, last),
        f.predict(NEW, last, of="run", doubt=False),
        f.predict(NEW, last, of="run"),
    )
    assert (
        np.ptp([law_band.low, law_band.high])
        < np.ptp([noise.low, noise.high])
        < np.ptp([all_of_it.low, all_of_it.high])
    )
    # And more noise gives wider intervals.
    loud = fit_curves(planted(3, 4e-3), resamples=40, seed=3)
    assert np.ptp(list(loud.interval("L0"))[1:]) > 2 * np.ptp(list(f.interval("L0"))[1:])


def test_three_measured_curves_forecast_the_others_with_bands(dataset):
    """100M: ends of the six curves not shown. By noise alone 90 % bands hold few of them; with the form's doubt most."""
    logged = pd.read_csv(dataset("multipower_curves.csv")).rename(columns={"run_id": "run", "step": "steps"})
    curves = {c.run.removeprefix("mpl-100M-"): c for c in logged_curves(logged, 100e6, WARMUP)}
    known = ("cosine_24000", "constant_24000", "wsdcon_9")
    f = fit_curves([(c.schedule, c.steps, c.loss) for c in (curves[k] for k in known)], resamples=60)
    held = {}
    for doubt in (True, False):
        inside = []
        for name, c in curves.items():
            if name not in known:
                band = f.predict(c.schedule, c.steps[-5:], 0.9, "run", doubt)
                inside.append(np.mean((band.low <= c.loss[-5:]) & (c.loss[-5:] <= band.high)))
        held[doubt] = float(np.mean(inside))
    assert held[True] > 0.8
    assert held[False] < 0.5


def test_without_refits_there_are_no_intervals_and_questions_are_checked():
    f = fit_curves(planted(0))
    assert np.isnan(f.interval("alpha").low)
    assert f.draws.shape == (0, 7)
    assert np.isnan(f.predict(NEW, [24_000]).low[0])
    with pytest.raises(FitError, match="'delta' is none of them"):
        f.interval("delta")
    with pytest.raises(FitError, match="it was asked of 'me'"):
        f.predict(NEW, [24_000], of="me")


def test_few_refits_never_put_the_curve_outside_a_run():
    """Beyond all curves the law's own interval is nearly all there is, and the noise of a run is drawn only so often."""
    f = fit_curves(planted(3), resamples=40, seed=3)
    narrower = 0
    for peak in (1.0, 10.0, 100.0):
        for seed_of_end in (0.02, 0.1, 0.5):
            ahead = Schedule.after(WARMUP, peak * PEAK * np.linspace(1.0, seed_of_end, 6000))
            steps = np.array([3000, 5000, len(ahead.lr)])
            for level in (0.5, 0.9, 0.95):
                curve, run = f.predict(ahead, steps, level), f.predict(ahead, steps, level, of="run")
                assert np.all(run.low <= curve.low)
                assert np.all(run.high >= curve.high)
                narrower += int(np.sum(run.low < curve.low))
    assert narrower, "a run has noise of its own"
