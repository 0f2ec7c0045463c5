"""Schedules that follow the noise: the identity, power laws in closed form, no better schedule found, and doublings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitting import FitError
from fitting.batch import RULES, Optimiser, adaptive_batch, warm_up
from fitting.batch.adaptive import BatchSchedule, progress_of

curves = st.lists(st.floats(1.0, 1e5), min_size=2, max_size=12)
PROGRESS = np.linspace(0.0, 1000.0, 4001)


def rising(power, s=PROGRESS):
    return 5.0 + 1e3 * (s / s[-1]) ** power


def steps_through(stages, examples, unit=1.0):
    """Steps that a run of these stages has taken after `examples`, `unit` of them in one of the batch."""
    starts, steps, batches = (np.array([getattr(s, k) for s in stages], float) for k in ("examples", "step", "batch"))
    which = np.maximum(np.searchsorted(starts, examples, side="right") - 1, 0)
    return steps[which] + (examples - starts[which]) / (batches[which] * unit)


@settings(deadline=None, max_examples=60)
@given(noise=curves, ratio=st.floats(1e-3, 1e6))
def test_the_identity_is_exact_and_a_fixed_batch_has_one(noise, ratio):
    """McCandlish et al. 2018 (arXiv 1812.06162), appendix D."""
    found = adaptive_batch(np.arange(len(noise)) * 100.0, noise, ratio=ratio)
    gamma = (found.weight @ np.sqrt(found.noise)) ** 2 / (found.s_min * found.e_min)
    assert found.gamma == pytest.approx(gamma, rel=1e-9)
    assert gamma <= 1 + 1e-12
    fixed = BatchSchedule(found.progress, found.noise, np.full(len(found.noise), found.fixed_batch), found.weight)
    assert fixed.gamma == pytest.approx(1.0)
    assert fixed.examples == pytest.approx(found.examples)
    assert fixed.steps == pytest.approx(found.fixed_steps)
    assert found.steps <= fixed.steps * (1 + 1e-12)
    assert -1e-12 <= found.steps_saved <= 1 - gamma + 1e-12


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_a_power_law_of_noise_has_its_gamma_in_closed_form(power):
    """The noise scale c s^p gives gamma = (p + 1) / (p / 2 + 1)^2; at twice E_min, (1 - gamma) / 2 of the steps are saved."""
    s = np.linspace(1e-6, 1.0, 4001) * 500
    found = adaptive_batch(s, 3.0 * s**power, examples=1.0 + 2.0 * 3.0 * 500 ** (power + 1) / (power + 1))
    gamma = (power + 1) / (power / 2 + 1) ** 2
    assert found.gamma == pytest.approx(gamma, rel=2e-3)
    assert found.e_min == pytest.approx(3.0 * 500 ** (power + 1) / (power + 1), rel=2e-3)
    assert found.steps_saved == pytest.approx((1 - gamma) / 2, rel=1e-2)


def test_what_is_asked_for_is_what_comes():
    noise = rising(1.0)
    by_examples = adaptive_batch(PROGRESS, noise, examples=1.5e6)
    assert by_examples.examples == pytest.approx(1.5e6)
    by_steps = adaptive_batch(PROGRESS, noise, steps=by_examples.steps)
    assert by_steps.examples == pytest.approx(1.5e6)
    ratio = float(by_steps.batch[0] ** 2 / by_steps.noise[0])
    assert adaptive_batch(PROGRESS, noise, ratio=ratio).steps == pytest.approx(by_steps.steps)
    step, seen = by_steps.along()
    assert (step[-1], seen[-1]) == (pytest.approx(by_steps.steps), pytest.approx(by_steps.examples))
    assert np.all(np.diff(seen) > 0)


def test_no_other_schedule_of_as_many_examples_takes_fewer_steps():
    best = adaptive_batch(PROGRESS, rising(1.0), examples=1.5e6)
    rng = np.random.default_rng(0)
    for _ in range(200):
        bent = best.batch * np.exp(
            0.3 * rng.standard_normal() * np.cos(rng.integers(0, 6) * best.progress / 300 + rng.uniform(0, 6))
        )
        extra = best.weight @ bent
        bent *= (best.examples - best.e_min) / extra
        other = BatchSchedule(best.progress, best.noise, bent, best.weight)
        assert other.examples == pytest.approx(best.examples)
        assert other.steps >= best.steps * (1 - 1e-12)


def test_doublings_keep_most_of_the_gain_and_carry_the_rate():
    smooth = adaptive_batch(PROGRESS, rising(1.0), examples=1.5e6)
    staged = smooth.doublings(32, Optimiser(32, 1e-3))
    sizes = [s.batch for s in staged.stages]
    assert sizes == [128.0 * 2**k for k in range(5)]
    assert set(staged.batch) == set(sizes)
    for stage in staged.stages:
        assert stage.optimiser.lr == pytest.approx(1e-3 * np.sqrt(stage.batch / 32))
        assert stage.optimiser.batch == stage.batch
    steps = [s.step for s in staged.stages]
    assert steps[0] == 0
    assert steps == sorted(steps)
    assert smooth.gamma < staged.gamma < 1
    assert 0.5 * smooth.steps_saved < staged.steps_saved < smooth.steps_saved
    assert steps_through(staged.stages, staged.examples) == pytest.approx(staged.steps, rel=2e-3)
    assert steps_through(staged.stages, 0.0) == 0.0
    assert "fewer steps than the fixed batch of" in staged.sentence
    linear = smooth.doublings(None, Optimiser(16, 0.1), next(r for r in RULES if r.key == "linear"))
    assert linear.stages[-1].optimiser.lr == pytest.approx(0.1 * linear.stages[-1].batch / 16)
    assert smooth.doublings().stages[0].batch == 2.0 ** round(np.log2(smooth.batch[0]))


def test_a_falling_noise_never_lowers_the_batch():
    staged = adaptive_batch(PROGRESS, rising(1.0)[::-1], examples=1.5e6).doublings()
    assert len(staged.stages) == 1


def test_the_gain_is_modest():
    """A noise scale that grows tenfold in a line with progress saves 3.2 % of the steps at twice the fewest examples.

    McCandlish et al. report about 4 % on SVHN.
    """
    noise = 1.0 + 9.0 * PROGRESS / PROGRESS[-1]
    found = adaptive_batch(PROGRESS, noise, examples=2 * 5.5 * PROGRESS[-1])
    mean_root = (10**1.5 - 1) / 9 * 2 / 3
    assert found.gamma == pytest.approx(mean_root**2 / 5.5, rel=1e-5)
    assert found.steps_saved == pytest.approx((1 - mean_root**2 / 5.5) / 2, rel=1e-3)
    assert 0.03 < found.steps_saved < 0.05


def test_progress_of_a_logged_run():
    step = np.linspace(0, 2000, 2001)
    assert progress_of(step, 300.0, 100.0)[-1] == pytest.approx(2000 / 4)
    along = adaptive_batch(PROGRESS, rising(1.0), examples=1.5e6)
    taken, _ = along.along()
    again = progress_of(taken, along.noise, along.batch)
    assert again[-1] == pytest.approx(along.s_min, rel=1e-4)


def test_the_warm_up_of_a_1b_model():
    """Merrill et al. 2025 (arXiv 2505.23971): 1,024 documents of 4,096 tokens, doubled at 168e9 and again at 503e9 tokens."""
    power = np.log(2) / np.log(503 / 168)
    tokens = np.concatenate([[1e9, 168e9, 503e9], np.linspace(2e9, 600e9, 300)])
    tokens = np.unique(tokens)
    critical = 2048 * (tokens / 168e9) ** power
    stages = warm_up(tokens, critical, 1024, unit=4096, optimiser=Optimiser(1024, 4e-4))
    assert [s.batch for s in stages] == [1024, 2048, 4096]
    assert [s.examples for s in stages] == pytest.approx([0, 168e9, 503e9])
    assert [s.optimiser.lr for s in stages] == pytest.approx([4e-4, 4e-4 * 2**0.5, 8e-4])
    assert [s.step for s in stages] == pytest.approx([0, 168e9 / (1024 * 4096), (168 + 335 / 2) * 1e9 / (1024 * 4096)])
    total = steps_through(stages, np.array([168e9, 600e9]), unit=4096)
    assert total == pytest.approx([168e9 / (1024 * 4096), (168 + 335 / 2 + 97 / 4) * 1e9 / (1024 * 4096)])


def test_a_critical_batch_that_starts_high_starts_at_its_batch():
    stages = warm_up([0.0, 10.0], [9.0, 9.0], 1.0)
    assert [(s.examples, s.batch) for s in stages] == [(0.0, 8.0)]
    assert len(warm_up([0.0, 10.0], [1.0, 2.0], 1.0)) == 1  # twice the batch is not more than twice
    later = warm_up([0.0, 10.0], [0.0, 10.0], 1.0)
    assert [(s.examples, s.batch) for s in later] == [(0.0, 1.0), (2.0, 2.0), (4.0, 4.0), (8.0, 8.0)]


def test_what_is_refused():
    for wrong in (([0.0], [1.0]), ([0.0, 0.0], [1.0, 1.0]), ([0.0, 1.0], [1.0])):
        with pytest.raises(FitError, match="progress rises"):
            adaptive_batch(*wrong, ratio=1.0)
    with pytest.raises(FitError, match="average over longer stretches"):
        adaptive_batch([0.0, 1.0], [1.0, -1.0], ratio=1.0)
    with pytest.raises(FitError, match="one of ratio, steps and examples"):
        adaptive_batch([0.0, 1.0], [1.0, 1.0])
    with pytest.raises(FitError, match="takes more than 10"):
        adaptive_batch([0.0, 10.0], [1.0, 1.0], steps=10.0)
    with pytest.raises(FitError, match="on 10 examples; it takes more than 10"):
        adaptive_batch([0.0, 10.0], [1.0, 1.0], examples=10.0)
    with pytest.raises(FitError, match="ratio is a positive"):
        adaptive_batch([0.0, 10.0], [1.0, 1.0], ratio=0.0)
    with pytest.raises(FitError, match="base is the smallest"):
        adaptive_batch([0.0, 10.0], [1.0, 1.0], ratio=1.0).doublings(-1.0)
    with pytest.raises(FitError, match="seen rises"):
        warm_up([1.0, 0.0], [1.0, 1.0], 1.0)
    with pytest.raises(FitError, match="batch and unit positive"):
        warm_up([0.0, 1.0], [1.0, 1.0], 0.0)
    with pytest.raises(FitError, match="steps rise"):
        progress_of([0.0, 1.0], [1.0, -1.0], 1.0)
