"""The critical batch: published tables to the digit, planted bends, intervals that hold, and what cannot be said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares

from fitting import FitError
from fitting.batch import critical_batch, growth
from tests.fitting.sequential import as_often

# Zhang et al. 2024 (arXiv 2410.21676), their table of steps to a loss of its own for each model, read again by least squares
# of log(a + b / B): a, b, and the batch of 20 % overhead over linear scaling from 256 sequences.
ZHANG = {
    85e6: (1293.83, 2.83426e6, 745.3),
    151e6: (1752.42, 5.67748e6, 955.2),
    302e6: (2095.35, 1.13833e7, 1393.7),
    604e6: (2459.93, 1.94497e7, 1888.5),
    1.2e9: (3897.31, 4.33811e7, 2533.4),
}
MCCANDLISH = {85e6: 2190.6, 151e6: 3239.8, 302e6: 5432.6, 604e6: 7906.6, 1.2e9: 11131}
BATCHES = 2.0 ** np.arange(6, 15)


def planted(s_min, b_crit, batches=BATCHES, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    return s_min * (1.0 + b_crit / batches) * np.exp(noise * rng.standard_normal(len(batches)))


@pytest.fixture(scope="module")
def zhang(dataset):
    table = pd.read_csv(dataset("zhang_cbs_steps_to_target.csv"))
    return {n: critical_batch(g["batch_sequences"], g["steps_to_target"]) for n, g in table.groupby("params")}


def test_zhangs_table_to_the_digits_published(zhang):
    for params, (a, b, overhead) in ZHANG.items():
        found = zhang[params]
        assert found.s_min.value == pytest.approx(a, abs=0.006)
        assert found.e_min.value == pytest.approx(b, rel=3e-6)
        assert found.overhead_batch(256).value == pytest.approx(overhead, abs=0.06)
        assert found.b_crit.value == pytest.approx(MCCANDLISH[params], rel=3e-5)
        assert found.b_crit.low < found.b_crit.value < found.b_crit.high < 1.4 * found.b_crit.value
        assert found.notes == ()


def test_zhangs_exponent_with_an_interval(zhang):
    law = growth([n / 1e6 for n in zhang], [f.overhead_batch(256).value for f in zhang.values()])
    exponent = law.exponent()
    assert exponent.value == pytest.approx(0.4683, abs=5e-5)
    assert law.coefficient == pytest.approx(93.20, abs=0.005)
    assert 0.40 < exponent.low < exponent.value < exponent.high < 0.54
    assert law.at(302).low < ZHANG[302e6][2] < 1.05 * law.at(302).high


@given(s_min=st.floats(1.0, 1e6), b_crit=st.floats(100.0, 1e4), unit=st.floats(1e-3, 1e6))
def test_a_planted_bend_comes_back_in_any_unit(s_min, b_crit, unit):
    found = critical_batch(unit * BATCHES, planted(s_min, b_crit), resamples=0)
    assert found.s_min.value == pytest.approx(s_min, rel=1e-7)
    assert found.b_crit.value == pytest.approx(unit * b_crit, rel=1e-7)
    assert np.abs(found.residuals).max() < 1e-7


def test_it_is_the_optimum_that_scipy_finds():
    steps = planted(2000, 3000, noise=0.2, seed=3)
    found = critical_batch(BATCHES, steps, resamples=0)
    other = least_squares(lambda p: p[0] + np.log1p(np.exp(p[1]) / BATCHES) - np.log(steps), [5.0, 5.0], xtol=1e-14)
    assert np.log(found.best) == pytest.approx([other.x[0], other.x.sum()], rel=1e-6)
    assert found.residuals == pytest.approx(
        np.log(steps / found.steps_at(BATCHES).value)
    )  # observed less fitted, as everywhere


def test_the_hyperbola_and_its_identities():
    found = critical_batch(BATCHES, planted(1000, 300))
    s, e = found.steps_at(BATCHES).value, found.examples_at(BATCHES).value
    assert e == pytest.approx(s * BATCHES)
    assert (s / found.s_min.value - 1) * (e / found.e_min.value - 1) == pytest.approx(np.ones(len(s)))
    assert found.steps_at(300).value == pytest.approx(2000)
    assert found.examples_at(300).value == pytest.approx(2 * found.e_min.value)
    # At the overhead batch steps are exactly 1.2 times what linear scaling from the base would take (a = 1000, b = 3e5).
    at = found.overhead_batch(256)
    assert found.steps_at(at.value).value == pytest.approx(1.2 * found.steps_at(256).value * 256 / at.value)


def test_intervals_hold_a_planted_batch():
    held, tables = 0, 150
    for seed in range(tables):
        band = critical_batch(BATCHES, planted(2000, 2000, noise=0.08, seed=seed), resamples=200, seed=seed).b_crit
        held += band.low <= 2000 <= band.high
    # 94 to 95 of 100 in 800 tables. Of a true share of 88 % 79 times of 100 fewer would be held here, of 99 % 81 times more.
    assert 0.905 <= held / tables <= 0.98


def test_ends_that_are_open_are_said_to_be():
    linear = critical_batch(BATCHES, 1e6 / BATCHES)
    assert linear.b_crit.value == np.inf
    assert linear.e_min.value == pytest.approx(1e6)
    assert "beyond the largest" in linear.sentence
    flat = critical_batch(BATCHES, np.full(len(BATCHES), 500.0))
    assert flat.b_crit.value == 0
    assert flat.s_min.value == pytest.approx(500)
    assert "Add smaller batches" in flat.sentence
    small = critical_batch(BATCHES[:4], planted(2000, 4000, BATCHES[:4], 0.1, 1))
    assert small.b_crit.high == np.inf or small.b_crit.high > 10 * small.b_crit.value
    assert any("factor of 8" in note for note in small.notes)


@pytest.mark.parametrize(
    ("batch", "steps", "words"),
    [
        ([1, 2], [5, 4], "three batch sizes"),
        ([1, 2, 0], [3, 2, 1], "positive numbers"),
        ([1, 2, 4], [3, 2], "there are 3 and 2"),
    ],
)
def test_refusals_are_sentences(batch, steps, words):
    with pytest.raises(FitError, match=words):
        critical_batch(batch, steps)


def test_growth_needs_three_places_and_says_a_known_law():
    law = growth([1, 10, 100, 1000], [2.0 * x**0.5 for x in (1, 10, 100, 1000)])
    assert law.exponent().value == pytest.approx(0.5)
    assert law.coefficient == pytest.approx(2.0)
    assert law.at(1e4).value == pytest.approx(200.0)
    with pytest.raises(FitError, match="three places"):
        growth([1, 2, 3], [1.0, 2.0, np.inf])


def test_places_too_near_each_other_tell_no_growth():
    with pytest.raises(FitError, match="too near to tell how anything grows"):
        growth([2.151e9, 2.155e9, 2.156e9], [6.8e6, 3.6e6, 2.9e6])


def test_growths_interval_is_students():
    held, rng = 0, np.random.default_rng(0)
    x = np.array([85, 151, 302, 604, 1200.0])
    for _ in range(1000):
        band = growth(x, 93.2 * x**0.47 * np.exp(0.05 * rng.standard_normal(5))).exponent()
        held += band.low <= 0.47 <= band.high
    assert 0.93 <= held / 1000 <= 0.97


RISING = {
    "falls, then rises": [8000, 4500, 2600, 1800, 2400, 3900, 7000, 13000, 25000],
    "rises throughout": [500 * 1.5**k for k in range(9)],
    "rises in places": [8000, 2000, 6000, 1500, 5000, 1200, 4800, 1000, 4500],
}


@pytest.mark.parametrize("name", RISING)
def test_steps_that_rise_with_the_batch_are_no_hyperbola(name):
    with pytest.raises(FitError, match="the hyperbola does not hold"):
        critical_batch(BATCHES, RISING[name])


def test_noise_is_not_taken_for_a_rise():
    """A plateau goes up and down by its noise: of tables that are hyperbolas next to none is refused."""

    def read(seed):
        b_crit, noise = ((2000, 0.1), (200, 0.1), (2000, 0.03))[seed % 3]
        try:
            critical_batch(BATCHES, planted(2000, b_crit, noise=noise, seed=seed), resamples=40, seed=seed)
        except FitError:
            return False
        return True

    as_often(map(read, range(600)), 0.998, 29 / 30, surely=100)  # one refused in 30 would be seen 99 times of 100


@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize("after", [2, 4, 6, 7])
@pytest.mark.parametrize("factor", [1.8, 2.5, 4.0])
def test_steps_that_jump_up_from_a_batch_on_are_never_read_in_silence(factor, after, noise):
    """Batches from some size on take more steps, as with another learning rate: refused where steps rise, else noted."""
    batches = 2.0 ** np.arange(13, 22)
    steps = planted(1000, 262_144, batches, noise, seed=1) * np.where(np.arange(9) >= after, factor, 1.0)
    said = ""
    try:
        found = critical_batch(batches, steps, resamples=50)
    except FitError as refused:
        said = str(refused)
    if said:
        assert "the hyperbola does not hold" in said
    else:
        assert f"From batch {batches[after]:,.4g} on steps are" in found.notes[-1]
        assert steps[after] < 1.1 * steps[after - 1]


def test_noise_is_not_taken_for_a_jump():
    """At most one table in a hundred; none to two of 400 at each of these when counted."""
    noted = 0
    for seed in range(100):
        for noise in (0.02, 0.05, 0.1):
            notes = critical_batch(BATCHES, planted(2000, 2000, noise=noise, seed=seed), resamples=0).notes
            noted += any("more than noise" in note for note in notes)
    assert noted <= 3


def test_steps_that_rise_in_the_middle_are_told():
    """Which batches, wherever they lie, of 2 % noise: one that is off, two of them, or neighbours together."""
    batches = 2.0 ** np.arange(14, 23)
    for case, off in {
        "one low": {1: 0.3}, "one high": {4: 2.0}, "the last but one": {7: 2.5}, "the first two": {0: 0.2, 1: 0.5},
        "three together": {2: 2.0, 3: 2.0, 4: 2.0}, "two apart": {3: 2.5, 6: 2.5}, "some low": {2: 0.4, 3: 0.4},
    }.items():  # fmt: skip
        for seed in range(3):
            steps = planted(1000, 262_144, batches, 0.02, seed) * [off.get(k, 1.0) for k in range(9)]
            at, k = ", ".join(f"{batches[j]:,.4g}" for j in off), int(np.argmax(np.diff(np.log(steps))))
            try:
                note = critical_batch(batches, steps, resamples=20).notes[-1]
            except FitError as refused:
                note = str(refused)
                assert "the hyperbola does not hold" in note, (case, seed)
                continue
            rises = f"from {steps[k]:,.4g} at batch {batches[k]:,.4g} to {steps[k + 1]:,.4g} at {batches[k + 1]:,.4g}"
            assert rises in note and f"those at {at} are off the hyperbola" in note, (case, seed, note)  # noqa: PT018
    seeds = np.repeat(batches, 2)
    steps = planted(1000, 262_144, seeds, 0.02, 5) * np.where(seeds == batches[4], 2.0, 1.0)
    assert f"those at {batches[4]:,.4g} are off" in critical_batch(seeds, steps, resamples=20).notes[-1]


def test_noise_is_not_taken_for_a_rise_in_the_middle():
    """At most one table in a hundred; none to four of 1,000 at each of these when counted."""
    told = 0
    for seed in range(60):
        for batches, b_crit in ((7, 500), (9, 20), (9, 5000)):
            at = 16 * 2.0 ** np.arange(batches)
            try:
                notes = critical_batch(at, planted(2000, b_crit, at, 0.1, seed=500 + seed), resamples=0).notes
            except FitError:
                continue
            told += any("off the hyperbola" in note for note in notes)
    assert told <= 4  # of 180: 5 or more would be a chance of one in 29 at one in a hundred


def test_steps_that_rise_at_every_batch_are_refused_however_little():
    """Seven in order by chance: one of 5,040. Three a sixth of the time, so there the line through them is asked, and what is open said."""
    for steps in (
        [1000 + 100 * k for k in range(7)],
        [1000, 1100, 1200],
        [1000 * 1.05**k for k in range(5)],
        [1000, 1200, 1150, 1300, 1500],
    ):
        with pytest.raises(FitError, match="the hyperbola does not hold"):
            critical_batch(64 * 2.0 ** np.arange(len(steps)), steps)
    open_still = critical_batch([64, 128, 256], [1000, 1150, 1250])
    assert "rise from 1,000 at 64 to 1,250 at 256, which may be noise" in open_still.notes[0]


def test_steps_that_are_flat_but_for_noise_are_above_the_critical_batch():
    def read(seed):
        steps = 1000 * np.exp(0.05 * np.random.default_rng(seed).standard_normal(7))
        try:
            assert critical_batch(64 * 2.0 ** np.arange(7), steps, resamples=20).b_crit.low < 64
        except FitError:
            return False
        return True

    as_often(map(read, range(200)), 0.99, 14 / 15)  # one refused in 15 would be seen 9 times of 10


def test_noise_alone_is_refused_as_often_as_the_tests_together_say():
    """One table of 9 flat batches in a hundred; one in 15 would be seen 9 times of 10."""

    def read(seed):
        steps = 1000 * np.exp(0.1 * np.random.default_rng(9000 + seed).standard_normal(9))
        try:
            critical_batch(16 * 2.0 ** np.arange(9), steps, resamples=20)
        except FitError:
            return False
        return True

    as_often(map(read, range(200)), 0.99, 14 / 15)


def test_arguments_that_are_none_are_answered_in_a_sentence():
    batch, steps = [16, 64, 256, 1024], [2000, 600, 250, 150]
    found = critical_batch(batch, steps, resamples=20)
    wrong = (
        {"resamples": 1e3}, {"resamples": "x"}, {"resamples": -1}, {"seed": -1}, {"seed": 1.5}, {"doubt": "x"}, {"doubt": [0.1] * 3},
    )  # fmt: skip
    asks = [lambda kw=kw: critical_batch(batch, steps, **kw) for kw in wrong]
    asks += [lambda b=b: critical_batch(b, steps) for b in (["a", 64, 256, 1024], None, [], batch[:3])]
    asks += [lambda w=w: found.steps_at(w) for w in ("x", None, -5, 0, [64, -1])]
    asks += [lambda w=w: found.overhead_batch(w) for w in ("x", None, [64, 128], 0)]
    for k, ask in enumerate(asks):
        with pytest.raises(FitError) as said:
            ask()
        assert " is " in str(said.value) or " are " in str(said.value), k


def test_what_is_no_batch_or_no_steps_is_named():
    for batch, steps, said in (
        ([1, 2, 3], [30, 20], "there are 3 and 2"),
        ([1, -2, 3], [30, 20, 15], r"batch are positive numbers, one for every run; it was -2 \(number 2 of 3\)"),
        (
            [1, 2, 3],
            [30, float("nan"), 15],
            r"steps are positive numbers, one for every run; it was nan \(number 2 of 3\)",
        ),
        ("many", [30, 20, 15], "it was 'many'"),
    ):
        with pytest.raises(FitError, match=said):
            critical_batch(batch, steps)
