"""What is said of runs in flight: where they are heading, and whether that is what the law says."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from fitting.errors import FitError
from fitting.in_flight import LEAST, Curve, in_flight
from tests.benchmarks.in_flight_coverage import cut, drawn, law_of


@pytest.fixture(scope="module")
def known():
    curves = drawn(np.random.default_rng(3), 16)
    return SimpleNamespace(curves=curves, law=law_of(curves))


def test_finals_are_forecast_within_their_intervals_on_the_way():
    """Each of 30 runs at four shares: at least 75 % inside a 90 % interval, which chance alone breaks once in 1e4 such tests."""
    rng, held, width = np.random.default_rng(0), [], []
    for _ in range(15):
        others, two = drawn(rng, 12), drawn(rng, 2)
        for one in (replace(two[0], name="a"), replace(two[1], name="b")):
            for share in (0.1, 0.5, 0.7):
                said = in_flight(cut(one, share), others).projected
                held.append(said.low <= one.loss[-1] <= said.high)
                width.append(np.log(said.high / said.low))
    assert np.mean(held) > 0.75
    assert np.median(width) < 0.08  # a tenth of what the decay alone moves at the smallest size would be no forecast


def test_a_run_is_on_track_or_off_since_the_share_at_which_it_left_its_band(known):
    (one,) = drawn(np.random.default_rng(5), 1)
    one = replace(one, name="new")
    said = in_flight(cut(one, 0.6), known.curves, known.law)
    assert said.status == "on track"
    assert said.path is not None
    assert said.final is not None
    for factor, side in ((1.15, "above"), (0.87, "below")):
        since = 0.3
        loss = np.where(one.shares >= since, factor, 1.0) * one.loss
        said = in_flight(cut(replace(one, loss=loss), 0.6), known.curves, known.law)
        first = one.shares[one.shares >= since][0]
        assert said.status == f"{side} its band since {100 * first:.0f} %", said
        assert (said.off > 0) == (side == "above")
    assert "on track" in in_flight(cut(one, 0.6), known.curves, known.law).sentence.lower()


def test_a_decaying_run_is_not_called_above_for_the_loss_that_its_decay_still_takes_off(known):
    """At half of the run its loss is far above the law's at the tokens so far; held against curves it is on track."""
    (one,) = drawn(np.random.default_rng(6), 1)
    one = replace(one, name="new")
    half = cut(one, 0.5)
    so_far = known.law.predict(params=one.inputs["params"], tokens=half.shares[-1] * one.inputs["tokens"], of="run")
    assert half.loss[-1] > so_far.high
    assert in_flight(half, known.curves, known.law).status == "on track"


def test_what_cannot_be_said_is_said_in_a_sentence(known):
    (one,) = drawn(np.random.default_rng(7), 1)
    one = replace(one, name="new")
    other = [replace(c, design="cosine") for c in known.curves]
    for run, finished, law, why in (
        (cut(one, 0.5), other, known.law, "there are 0"),
        (cut(one, 0.5), known.curves[: LEAST - 1], known.law, f"there are {LEAST - 1}"),
        (cut(one, 0.01), known.curves, known.law, "Only 1.0 % of it is done"),
        (cut(one, 0.5), known.curves, None, "There is no fit to hold it against."),
        (cut(replace(one, inputs={"tokens": 1e6}), 0.5), known.curves, known.law, "takes what is not known"),
    ):
        said = in_flight(run, finished, law)
        assert said.status == ""
        assert said.path is None
        assert why in said.sentence, said.sentence
    assert in_flight(cut(one, 0.5), known.curves).projected is not None  # without a fit
    with pytest.raises(FitError, match="logged no loss"):
        in_flight(Curve("x", {}, np.array([]), np.array([])), known.curves)


def test_runs_at_a_constant_rate_may_be_held_against_the_law_at_the_tokens_so_far(known):
    run = replace(cut(drawn(np.random.default_rng(8), 1)[0], 0.5), name="new", constant=True)
    tokens = run.shares * run.inputs["tokens"]
    loss = np.array([known.law.predict(params=run.inputs["params"], tokens=t).value for t in tokens])
    constant = [replace(c, constant=True) for c in known.curves[:2]]
    assert in_flight(replace(run, loss=loss), constant, known.law).status == "on track"
    assert in_flight(replace(run, loss=1.2 * loss), constant, known.law).status.startswith("above its band since")
    assert in_flight(replace(run, loss=loss), known.curves[:2], known.law).status == ""  # the law is of decayed runs
