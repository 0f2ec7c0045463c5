"""Rules of rescaling: what each keeps, how they compose, where they end, and what is refused."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitting import FitError
from fitting.batch import PUBLISHED, RULES, Optimiser, rescale
from fitting.batch.rules import ramp, timescale

BY_KEY = {rule.key: rule for rule in RULES}
ADAM = Optimiser(batch=256, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.1, ema=0.9999)

adams = st.builds(
    Optimiser,
    batch=st.floats(1, 1e6),
    lr=st.floats(1e-6, 1),
    beta1=st.floats(0.8, 0.95),
    beta2=st.floats(0.9, 0.9999),
    eps=st.floats(1e-12, 1e-6),
    weight_decay=st.just(0.0) | st.floats(1e-9, 1),
    ema=st.floats(0.9, 0.9999),
)
factors = st.floats(0.1, 2.0)  # twice in a row leaves even a beta of 0.8 above zero
noises = st.floats(1, 1e7)


def close(one: Optimiser, other: Optimiser) -> None:
    """Equal but for rounding, decays compared by what they forget in a step."""
    for name, value in asdict(one).items():
        expected = getattr(other, name)
        if name in ("beta1", "beta2", "ema"):
            value, expected = 1 - value, 1 - expected
        assert value == pytest.approx(expected, rel=1e-8), name


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.key)
def test_each_rule_says_what_it_is(rule):
    assert rule.holds.endswith(".")
    assert rule.source
    assert rule.keeps
    new = asdict(rule(ADAM, 512, noise=1e4))
    moved = {name for name, value in asdict(ADAM).items() if new[name] != value}
    assert moved == {"batch", *rule.alters}


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.key)
@given(old=adams, noise=noises)
def test_the_same_batch_changes_nothing_and_needs_no_warning(rule, old, noise):
    close(rule(old, old.batch, noise=noise), old)
    assert rule.warning(old, old.batch, noise=noise) == ""
    assert rule.warning(old, old.batch) == ""


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.key)
@given(old=adams, one=factors, two=factors, noise=noises)
def test_two_changes_are_one_and_there_and_back_is_none(rule, old, one, two, noise):
    middle = rule(old, old.batch * one, noise=noise)
    last = old.batch * one * two
    close(rule(middle, last, noise=noise), rule(old, last, noise=noise))
    close(rule(middle, old.batch, noise=noise), replace(old, batch=middle.batch / one))


@given(old=adams, k=factors, noise=noises)
def test_what_each_rule_keeps(old, k, noise):
    def after(key):
        return BY_KEY[key](old, k * old.batch, noise=noise)

    def same(quantity, new):
        assert quantity(new) == pytest.approx(quantity(old), rel=1e-8)

    same(lambda o: o.lr / o.batch, after("linear"))
    same(lambda o: o.lr / o.batch**0.5, after("sqrt"))
    same(lambda o: o.lr * (1 + noise / o.batch), after("saturating"))  # the largest rate, McCandlish et al. 2018
    adam = after("sde_adam")
    same(lambda o: o.lr / o.batch**0.5, adam)
    same(lambda o: o.eps * o.batch**0.5, adam)
    same(lambda o: o.batch / (1 - o.beta1), adam)  # examples remembered
    same(lambda o: o.batch / (1 - o.beta2), adam)
    rms = after("sde_rmsprop")
    assert (rms.lr, rms.beta2, rms.eps, rms.beta1) == (adam.lr, adam.beta2, adam.eps, old.beta1)
    same(lambda o: o.batch * np.log(0.5) / np.log(o.ema), after("ema"))  # half-life in examples
    if old.weight_decay > 0:
        for key in ("timescale", "timescale_sqrt"):
            same(lambda o: timescale(o.batch, o.lr, o.weight_decay, 1e9), after(key))


@pytest.mark.parametrize("key", ["sde_rmsprop", "sde_adam"])
def test_a_noisy_quadratic_moves_alike_at_both_batches(key):
    """Two thousand walks with noise a hundred times the gradient: the same spread after as many examples, by the rule alone."""
    old = Optimiser(batch=16.0, lr=2e-3, beta1=0.9, beta2=0.99, eps=1e-8)
    new = BY_KEY[key](old, 64.0)

    def spread(o, steps, seed):
        rng = np.random.default_rng(seed)
        x = np.ones(2000)
        first, second = np.zeros(2000), np.full(2000, 400.0 / o.batch)
        for _ in range(steps):
            g = 0.2 * x + 20.0 / np.sqrt(o.batch) * rng.standard_normal(2000)
            second = o.beta2 * second + (1 - o.beta2) * g**2
            first = o.beta1 * first + (1 - o.beta1) * g if key == "sde_adam" else g
            x = x - o.lr * first / (np.sqrt(second) + o.eps)
        return x.mean(), x.std()

    before, after, careless = (
        spread(old, 4000, 1),
        spread(new, 1000, 2),
        spread(replace(old, batch=64.0, lr=4 * old.lr), 1000, 3),
    )
    assert after == pytest.approx(before, rel=0.06)
    assert careless[1] > 1.5 * before[1]  # the linear rule walks twice as far


def test_the_numbers_of_a_fourfold_batch():
    """Malladi et al. 2022 (arXiv 2205.10287): root 4 on rate and eps, 4 on what the betas forget; Busbridge 2023: rho^4."""
    new = rescale(ADAM, 1024, BY_KEY["sde_adam"], BY_KEY["ema"], BY_KEY["timescale"])
    close(new, Optimiser(1024, lr=2e-3, beta1=0.6, beta2=0.996, eps=5e-9, weight_decay=0.4, ema=0.9999**4))
    assert BY_KEY["linear"](Optimiser(256, 0.1), 8192).lr == pytest.approx(3.2)  # Goyal et al. 2017, arXiv 1706.02677


@pytest.mark.parametrize("batch", [8.0, 64.0, 700.0])
def test_the_saturating_rule_finds_the_rate_that_lowers_a_quadratic_most(batch):
    """McCandlish et al. 2018 (arXiv 1812.06162): the expected fall of a quadratic's loss in one step, by search."""
    hessian, gradient, spread = np.array([1.0, 0.3, 0.05]), np.array([0.4, -1.0, 2.0]), np.array([30.0, 200.0, 500.0])
    curved = gradient @ (hessian * gradient)
    noise = hessian @ spread / curved
    rates = np.geomspace(1e-4, 20, 400_001)

    def best(size):
        return rates[np.argmin(-rates * (gradient @ gradient) + rates**2 / 2 * (curved + hessian @ spread / size))]

    assert BY_KEY["saturating"](Optimiser(32, best(32)), batch, noise=noise).lr == pytest.approx(best(batch), rel=1e-3)


@given(rate=st.floats(1e-5, 1), noise=noises, factor=st.floats(1.01, 1e3))
def test_the_surge_peaks_at_the_noise_scale_and_falls_alike_on_both_sides(rate, noise, factor):
    surge = BY_KEY["surge"]
    top = Optimiser(noise, rate)
    above, below = surge(top, noise * factor, noise).lr, surge(top, noise / factor, noise).lr
    assert above == pytest.approx(below)
    assert above < rate
    small = surge(Optimiser(noise * 1e-9, rate), noise * 4e-9, noise).lr
    assert small == pytest.approx(2 * rate, rel=1e-6)  # far below it is the square-root rule


def test_linear_keeps_the_scatter_of_noisy_descent_while_rates_are_small():
    """Around a minimum of curvature h, x <- x - lr (h x + noise / sqrt(B)) settles at variance lr / (B h (2 - lr h))."""

    def variance(o, h=1.0):
        return o.lr / (o.batch * h * (2 - o.lr * h))

    old = Optimiser(32, 1e-4)
    assert variance(BY_KEY["linear"](old, 512)) == pytest.approx(variance(old), rel=1e-3)
    assert variance(BY_KEY["sqrt"](old, 512)) < variance(old) / 3


def test_the_warm_up_starts_at_the_old_rate():
    new = BY_KEY["linear"](Optimiser(256, 0.1), 2048)
    assert ramp(Optimiser(256, 0.1), new, np.array([0, 0.5, 1])) == pytest.approx([0.1, 0.45, 0.8])


def test_the_timescale_and_the_published_one():
    """Power Lines (Bergsma et al. 2025, arXiv 2505.13738): 0.22356 at 20 tokens a parameter gives the weight decay."""
    law = {law.key: law for law in PUBLISHED}["powerlines_timescale"]
    tau = float(law(params=1e9, tokens=2e10))
    assert tau == pytest.approx(0.22356, rel=1e-4)
    decay = 1e6 * 20**0.527 / (1.084 * 1e-2 * 2e10)  # the paper's closed form
    assert timescale(1e6, 1e-2, decay, 2e10) == pytest.approx(tau)


def test_warnings_name_what_speaks_against_a_change():
    for key in ("linear", "sqrt", "sde_adam", "timescale_sqrt"):
        assert BY_KEY[key].warning(ADAM, 512) == ""
        assert "1e+04" in BY_KEY[key].warning(replace(ADAM, beta1=0.99), 20000, noise=1e4)
    for key in ("linear", "sqrt", "timescale_sqrt"):
        assert key == "linear" or "10-fold" in BY_KEY[key].warning(
            ADAM, 2560
        )  # the linear rule was measured up to there
        assert BY_KEY[key].warning(ADAM, 2560, noise=1e5) == ""
    assert "2.86 times" in BY_KEY["linear"].warning(Optimiser(1000, 0.1), 20000, noise=9230)
    assert "beta1 of -0.6" in BY_KEY["sde_adam"].warning(ADAM, 4096)
    assert "below a batch of 2560" in BY_KEY["sde_adam"].warning(ADAM, 4096)
    assert "critical batch" in BY_KEY["timescale"].warning(ADAM, 4096, noise=3000)
    assert "few steps" in BY_KEY["surge"].warning(ADAM, 4096, noise=3000)
    assert "fewer than two steps" in BY_KEY["ema"].warning(replace(ADAM, ema=0.99), 256 * 100)
    for rule in RULES:  # towards a smaller batch nothing speaks against any of them
        assert rule.warning(ADAM, 16, noise=8) == ""


def test_adams_rule_ends_where_a_beta_would_reach_zero():
    rule = BY_KEY["sde_adam"]
    assert rule(ADAM, 2559).beta1 > 0
    with pytest.raises(FitError, match=r"beta1 of .*: stay below a batch of 2560"):
        rule(ADAM, 2560.001)
    with pytest.raises(FitError, match=r"beta1 of -9 and beta2 of -0\.1"):
        rule(replace(ADAM, beta2=0.989), 25600)
    assert rule(replace(ADAM, eps=None), 512).eps is None


def test_what_is_refused():
    with pytest.raises(FitError, match="noise scale, which is not given"):
        BY_KEY["surge"](ADAM, 512)
    with pytest.raises(FitError, match="beta1 and beta2, which"):
        BY_KEY["sde_adam"](Optimiser(256, 0.1), 512)
    with pytest.raises(FitError, match="Two of these rules change lr"):
        rescale(ADAM, 512, BY_KEY["linear"], BY_KEY["sde_adam"])
    for batch in (0, -1, float("nan"), float("inf"), "512"):
        with pytest.raises(FitError, match="batch is a positive number"):
            BY_KEY["sqrt"](ADAM, batch)
    with pytest.raises(FitError, match="noise is a positive number"):
        BY_KEY["surge"](ADAM, 512, noise=0.0)
    for wrong in (
        {"lr": 0.0},
        {"beta1": 1.0},
        {"beta2": -0.1},
        {"eps": float("inf")},
        {"weight_decay": -1},
        {"ema": 1.5},
    ):
        with pytest.raises(FitError, match=next(iter(wrong))):
            replace(ADAM, **wrong)
    with pytest.raises(FitError, match="tokens is a positive number"):
        timescale(1e6, 1e-3, 0.1, 0.0)
    assert BY_KEY["sqrt"](ADAM, np.int64(1024)).lr == pytest.approx(2e-3)


def test_the_linear_rule_is_doubted_beyond_where_it_was_measured():
    """Goyal et al. 2017 (arXiv 1706.02677): up to 8,192 images with ResNet-50 on ImageNet, from 256; not from 2,048 on."""
    old, rule = Optimiser(256, 0.1), BY_KEY["linear"]
    assert [rule.warning(old, b) for b in (512, 2048, 4096, 8192)] == [""] * 4
    one, other = rule.warning(old, 16384), rule.warning(old, 65536)
    assert "up to 8,192 images" in one
    assert "2 times that" in one
    assert "8 times that" in other
    assert rule.warning(Optimiser(5e5, 1e-3), 1e6) == ""  # tokens: nothing was measured there, and twice is near
    assert "10-fold" in rule.warning(Optimiser(5e5, 1e-3), 5e6)
