"""Hour classes: the plan by FLOPs where speed is FLOPs, larger models where a step has a start, and shapes to choose among."""

from __future__ import annotations

import numpy as np
import pytest

from fitting import FitError, all_laws, fit, plan
from fitting.planning.hardware import Hardware
from fitting.planning.hour_classes import CLASSES, hour_classes, tokens_in
from fitting.planning.step_time import step_time

H100 = Hardware(peak=989e12, utilisation=0.4)


def by_flops(params):
    return H100.peak * H100.utilisation / (6 * params)


@pytest.fixture(scope="module")
def fitted(noisy):
    return fit(noisy, "chinchilla", resamples=300)


def test_a_class_by_flops_is_the_plan_by_flops(fitted):
    for found in hour_classes(fitted, by_flops, hours=(3, 384)):
        planned = plan(fitted, flops=found.hours * H100.flops_per_device_hour)
        for name, rel in (("params", 5e-3), ("tokens", 5e-3), ("loss", 1e-6)):
            ours, theirs = getattr(found, name), getattr(planned, name)
            assert list(ours) == pytest.approx(list(theirs), rel=rel)
        assert 6 * found.params.value * found.tokens.value == pytest.approx(planned.flops.value, rel=1e-4)


def test_a_start_to_every_step_makes_the_best_model_larger(fitted):
    """Where a step of 2^18 tokens takes .3 s before any work, small models gain no tokens from being small."""
    params, batch = 10 ** np.linspace(8, 9.5, 8), 2.0 ** (16 + np.arange(8) % 4)
    law = step_time({"params": params, "batch": batch, "step_seconds": 0.3 + batch / by_flops(params)}, resamples=0)
    slow = hour_classes(fitted, lambda n: law.tokens_per_second(n, 2.0**18).value, batch=2.0**18)
    fast = hour_classes(fitted, by_flops, batch=2.0**18)
    assert [c.hours for c in slow] == list(CLASSES)
    for a, b in zip(slow, fast, strict=True):
        assert a.params.value > b.params.value
        assert a.loss.value > b.loss.value
        assert a.steps == a.tokens.value // 2**18
    larger = np.array([a.params.value / b.params.value for a, b in zip(slow, fast, strict=True)])
    assert np.all(np.diff(larger) < 0)  # the start matters less where steps are long
    losses = [c.loss.value for c in slow]
    assert losses == sorted(losses, reverse=True)


def test_sizes_to_choose_among(fitted):
    sizes = [1e8, 1e9, 1e10]
    for found in hour_classes(fitted, by_flops, sizes=sizes, hours=(24,)):
        assert found.params.value in sizes
        losses = [fitted.predict(params=n, tokens=by_flops(n) * 3600 * 24).value for n in sizes]
        assert found.loss.value == pytest.approx(min(losses))
        assert found.params.low in sizes


def test_tokens_in_hours():
    """The Languini Kitchen (arXiv 2309.11197): tokens = tokens a second * 3600 * hours, steps = tokens // batch."""
    assert tokens_in(6, 50_000, 2**18) == (1.08e9, 4119)
    tokens, steps = tokens_in(np.array([3.0, 6.0]), 1e5)
    assert tokens.tolist() == [1.08e9, 2.16e9]
    assert steps is None


def test_what_is_refused(fitted, fit_of):
    with pytest.raises(FitError, match="positive number of tokens a second"):
        hour_classes(fitted, lambda n: 0.0 * n)
    with pytest.raises(FitError, match="hours are positive"):
        hour_classes(fitted, by_flops, hours=(0,))
    with pytest.raises(FitError, match="outside 1e"):
        hour_classes(fitted, lambda n: np.full(n.shape, 1e5))  # size costs no time, so the largest is best
    law = all_laws()["compute"]
    other = fit_of("compute", **{p.name: p.range[1] for p in law.params})
    with pytest.raises(FitError, match="no law of size and tokens"):
        hour_classes(other, by_flops)
