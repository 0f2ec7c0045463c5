"""What a plan says of a run's place is said of the same run wherever it is asked: predicted, in a class of hours, over its life."""

from __future__ import annotations

import numpy as np
import pytest

from fitting import fit, plan
from fitting.planning.hour_classes import hour_classes, notes_of
from fitting.planning.lifetime import lifetime

HALF = ("beyond the largest run", "balance of size and data", "beyond the fitted")


@pytest.fixture(scope="module")
def few(make_runs):
    """Twenty tokens per parameter, a few more or less, between 1e18 and 1e20 FLOP."""
    rng = np.random.default_rng(2)
    flops, ratio = np.geomspace(1e18, 1e20, 40), 20.0 * np.exp(rng.uniform(-1.2, 1.2, 40))
    n = np.sqrt(flops / 6 / ratio)
    d = ratio * n
    loss = (1.8172 + 482.01 * n**-0.3478 + 2085.43 * d**-0.3658) * np.exp(0.002 * rng.standard_normal(40))
    return fit(make_runs(params=n, tokens=d, loss=loss), "chinchilla", resamples=100)


@pytest.fixture(scope="module")
def compute(few, make_runs):
    rng = np.random.default_rng(2)
    c = np.geomspace(1e18, 1e20, 40)
    n = np.sqrt(c / 120)
    loss = (1.7 + 900.0 * c**-0.16) * np.exp(0.001 * rng.standard_normal(40))
    return fit(make_runs(params=n, tokens=20 * n, loss=loss), "compute-floor", resamples=60)


def place(notes):
    return {note for note in notes if any(words in note for words in HALF)}


@pytest.mark.parametrize("hours", [1.0, 24.0, 1e3, 1e5, 1e6])
def test_a_class_of_hours_says_what_a_plan_of_the_same_run_says(few, hours):
    (one,) = hour_classes(few, lambda n: 4e14 / (6 * n), hours=[hours])
    planned = plan(few, flops=6 * one.params.value * one.tokens.value, params=one.params.value)
    assert place(one.notes) == place(planned.notes)
    if hours >= 1e3:
        assert any("beyond the largest run" in note for note in one.notes)


def test_notes_of_classes_say_whose_they_are(few):
    found = hour_classes(few, lambda n: 4e14 / (6 * n), hours=[1.0, 1e3, 1e3])
    assert any(note.startswith("In 1000, 1000 hours: ") for note in notes_of(found))
    alone = hour_classes(few, lambda n: 4e14 / (6 * n), hours=[1e3])
    assert notes_of(alone) == alone[0].notes


@pytest.mark.parametrize("served", [0.0, 1e11, 1e13, 1e15])
def test_a_life_says_what_a_plan_of_the_same_run_says(few, served):
    found = lifetime(few, loss=2.6, served=served)
    planned = plan(few, flops=found.train_flops.value, params=found.params.value)
    assert place(found.notes) == place(planned.notes)
    if served >= 1e15:
        assert any("balance of size and data" in note for note in found.notes)


@pytest.mark.parametrize("of", ["law", "run"])
@pytest.mark.parametrize("share", [0.05, 1.0, 20.0])
@pytest.mark.parametrize("flops", [1e18, 1e19, 1e20, 1e22, 1e24])
def test_a_run_asked_for_says_what_a_plan_says(few, of, share, flops):
    n = np.sqrt(flops / 120) * share
    said = few.predict(params=n, tokens=flops / 6 / n, of=of).notes
    planned = plan(few, flops=flops, params=n).notes
    for words in HALF:
        assert any(words in note for note in said) == any(words in note for note in planned), words
    for words in HALF[:2]:
        assert {note for note in said if words in note} == {note for note in planned if words in note}


def test_many_places_say_how_far_the_furthest_is(few):
    n = np.array([1e9, 1e8, 1e10])
    said = few.predict(params=n, tokens=2e10).notes
    assert any(note.startswith("Up to 12x beyond the largest run") for note in said)
    assert any("up to a factor of" in note for note in said)


def test_compute_beyond_the_runs_is_said_of_a_law_of_compute(compute):
    assert any("100x beyond" in note for note in compute.predict(flops=1e22).notes)
    assert any("100x beyond" in note for note in compute.predict(params=1e10, tokens=1e22 / 6e10).notes)
    assert compute.predict(flops=1e19).notes == ()


@pytest.mark.parametrize("times", [1e-10, 0.5, 0.93, 1.07, 6.0, 1e9])
def test_compute_that_contradicts_size_and_tokens_is_said(few, compute, times):
    given = {"params": 1e8, "tokens": 2e9, "flops": 6 * 2e17 * times}
    for f in (few, compute):
        assert any("times those of params and tokens" in note for note in f.predict(**given).notes)
    wrong = np.array([1.0, times])
    many = compute.predict(params=1e8, tokens=2e9, flops=1.2e18 * wrong).notes
    assert any(f"{times:.3g} times those" in note for note in many)


@pytest.mark.parametrize("times", [0.97, 1.0, 1.03])
def test_compute_that_agrees_is_nothing_to_say(few, compute, times):
    given = {"params": 1e8, "tokens": 2e9, "flops": 6 * 2e17 * times}
    for f in (few, compute):
        assert not any("times those of" in note for note in f.predict(**given).notes)


def test_a_loss_that_is_wanted_is_reached_as_it_was_asked(few):
    found = plan(few, loss=2.6)
    assert (found.loss.value, found.loss.low, found.loss.high) == (2.6, 2.6, 2.6)
    assert found.loss_run.low < 2.6 < found.loss_run.high
