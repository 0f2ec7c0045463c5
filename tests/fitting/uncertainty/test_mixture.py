"""Doubt about the form where size and data are mixed as in no run: how far that is, and that it reaches every answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from data.schema import Runs
from fitting import all_laws, compare_families, fit, load_fit, plan
from fitting.law import Law
from fitting.uncertainty.mixture import mixture
from fitting.uncertainty.model_discrepancy import FORM_BEYOND, FORM_MIXED

TRUTH = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}
WEIGHT = TRUTH["alpha"] / (TRUTH["alpha"] + TRUTH["beta"])


def table(n: np.ndarray, d: np.ndarray, noise: float = 1e-4, seed: int = 0, **more: object) -> Runs:
    """Runs on Chinchilla's law with noise in log loss."""
    loss = all_laws()["chinchilla"]({"params": n, "tokens": d}, TRUTH)
    loss = loss * np.exp(noise * np.random.default_rng(seed).standard_normal(len(n)))
    names = [f"run-{k}" for k in range(len(n))]
    frame = pd.DataFrame({"run": names, "params": n, "tokens": d, "flops": 6 * n * d, "loss": loss, **more})
    return Runs(kept=frame, set_aside=frame.iloc[:0].assign(reason=""), name="planted")


def ladder(low: float = 10.0, high: float = 40.0, count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Sizes and tokens of runs between 1e18 and 1e21 FLOP at `low` to `high` tokens per parameter."""
    rng = np.random.default_rng(1)
    flops, ratio = np.geomspace(1e18, 1e21, count), np.exp(rng.uniform(np.log(low), np.log(high), count))
    n = np.sqrt(flops / 6 / ratio)
    return n, ratio * n


@pytest.fixture(scope="module")
def clean():
    return fit(table(*ladder()), "chinchilla", resamples=2000)


def test_the_distance_is_that_of_the_best_split():
    """ln N - ln N* at equal compute, N* by Chinchilla's closed form, is what the distance counts beyond the runs' ends."""
    n, d = ladder()
    mixed = mixture(all_laws()["chinchilla"], TRUTH, {"params": n, "tokens": d})
    assert mixed is not None
    a, b = TRUTH["alpha"], TRUTH["beta"]
    g = (a * TRUTH["A"] / (b * TRUTH["B"])) ** (1 / (a + b))

    def off(n: np.ndarray, d: np.ndarray) -> np.ndarray:
        return np.log(n) - np.log(g * (n * d) ** (b / (a + b)))

    high = np.quantile(off(n, d), 0.95)
    big, few = np.array([3e10]), np.array([1e9])
    assert mixed.outside({"params": big, "tokens": few})[0] == pytest.approx(off(big, few)[0] - high)
    inside = mixed.outside({"params": n, "tokens": d})
    assert np.mean(inside == 0) == pytest.approx(0.9, abs=0.04)


@pytest.mark.parametrize(
    "law", [law for law in all_laws().values() if {"params", "tokens"} <= set(law.inputs)], ids=lambda law: law.key
)
def test_every_law_of_size_and_data_names_its_exponents(law: Law):
    assert law.exponents is not None
    with pytest.raises(TypeError, match="exponents"):
        replace(law, exponents=("alpha", "no such"))


def test_a_new_run_mixed_as_none_has_an_interval_as_wide_as_such_forecasts_missed(clean):
    """At noise of .01 % the width is the form's doubt alone: two constants, added in squares."""
    seen = float(np.sqrt(1e20 / 6 / 20))
    for factor, beyond in ((1.0, 1.0), (20.0, 1.0), (1 / 20, 1.0), (20.0, 30.0)):
        n = seen * factor * np.sqrt(beyond)
        d = 20 * seen / factor * np.sqrt(beyond)
        band = clean.predict(params=n, tokens=d, of="run", level=0.9)
        out = clean.doubt.mixture.outside({"params": np.array([n]), "tokens": np.array([d])})[0]
        far = np.log(max(1.0, 6 * n * d / clean.ranges["flops"][1]))
        doubt = np.hypot(FORM_BEYOND * far, FORM_MIXED * out)
        half = 0.5 * np.log(band.high / band.low)
        if factor == 1.0:
            assert out == 0
            assert half < 0.001
        else:
            assert half == pytest.approx(norm.ppf(0.95) * doubt, rel=0.08)


def test_the_law_s_own_interval_does_not_hold_it(clean):
    off = clean.predict(params=1e9, tokens=1e9), clean.predict(params=1e9, tokens=1e9, of="run")
    assert off[1].high - off[1].low > 3 * (off[0].high - off[0].low)


def test_it_reaches_a_plan_at_a_chosen_size(clean):
    best, chosen = plan(clean, flops=1e20), plan(clean, flops=1e20, params=2e7)
    assert chosen.loss_run.high - chosen.loss_run.low > 5 * (best.loss_run.high - best.loss_run.low)
    assert any("balance of size and data" in note for note in chosen.notes)
    assert not any("balance of size and data" in note for note in best.notes)


def test_it_reaches_over_training():
    n, d = ladder()
    f = fit(table(n, d), "overtraining", resamples=400)
    flops = 1e20
    widths = []
    for ratio in (20.0, 2000.0):
        size = np.sqrt(flops / 6 / ratio)
        band = f.predict(params=size, tokens=ratio * size, of="run")
        widths.append(np.log(band.high / band.low))
    assert widths[1] > 3 * widths[0]


def test_it_reaches_the_comparison_of_families():
    """One family mixed as its law calls best, one far off: only the second's best loss is in doubt."""
    (n, d), (m, e) = ladder(5, 100, 40), ladder(400, 3000, 40)
    frame = table(np.concatenate([n, m]), np.concatenate([d, e]), family=["on"] * 40 + ["off"] * 40)
    found = compare_families(frame, "family", reference="on", resamples=200)
    assert found.family("on").unseen == 0
    off = found.family("off")
    # The best mixture has about 20 tokens per parameter, the runs of that family at least about 400 in 95 of 100.
    assert off.unseen == pytest.approx(0.5 * np.log(400 / 20), abs=0.25)
    loss = found.loss("off", 1e20)
    assert np.log(loss.high / loss.low) > 2 * 1.9 * FORM_MIXED * off.unseen
    assert any("balance size and data" in note and "off" in note for note in found.notes)
    assert np.log(found.loss("on", 1e20).high / found.loss("on", 1e20).low) < 0.01


def test_a_saved_fit_keeps_it_and_an_older_one_has_none(clean):
    assert load_fit(clean.to_json()).doubt.mixture == clean.doubt.mixture
    text = clean.to_json().replace('"checksum":', '"unread":')
    cut = text.index('"mixture":')
    older = text[:cut].rstrip(",") + text[text.index("}", cut) + 1 :]
    assert load_fit(older).doubt.mixture is None


def test_the_law_s_interval_lies_in_a_new_run_s_and_its_value_in_both():
    rng = np.random.default_rng(3)
    f = fit(table(*ladder(2, 200, 40), noise=0.02, seed=2), resamples=300)
    n, d = 10 ** rng.uniform(6, 12, 200), 10 ** rng.uniform(8, 14, 200)
    for level in (0.5, 0.95):
        law, run = f.predict(level=level, params=n, tokens=d), f.predict(level=level, of="run", params=n, tokens=d)
        assert np.all(run.low <= law.low)
        assert np.all(law.low <= law.value)
        assert np.all(law.value <= law.high)
        assert np.all(law.high <= run.high)
