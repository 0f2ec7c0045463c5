"""A probe's spec: what is derived from it, when two are the same run, and one sentence for whatever is wrong."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest

from data.errors import DataError
from data.plain import plain
from data.probe.schedule import planned
from data.probe.spec import Spec, spec


def test_every_field_is_read_back_as_it_was_written():
    made = spec({"width": 96, "stages": [{"tokens": 2e5, "batch": 16}], "averages": [0.1]})
    assert spec(json.loads(json.dumps(plain(made)))) == made


def test_two_specs_of_one_run_have_one_key_whatever_they_are_called():
    assert spec({"width": 32, "name": "a"}).key == spec({"width": 32, "name": "b"}).key
    keys = {
        spec({"width": 32, **other}).key for other in ({}, {"seed": 1}, {"lr": 0.01}, {"tokens": 2e6}, {"clip": 0.5})
    }
    assert len(keys) == 5


def test_parameters_are_those_of_the_matrices():
    one = spec({"width": 64, "depth": 3, "vocab": 100, "activation": "swiglu", "ffn_ratio": 2.5})
    assert one.counts.attention == 3 * 4 * 64 * 64
    assert one.counts.ffn == 3 * 3 * 64 * 160
    assert one.counts.embedding == one.counts.head == 6400


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"width": 3}, "width should be greater than or equal to 4; 3 came"),
        ({"wdth": 3}, "has no field 'wdth'; the nearest by spelling is 'width'."),
        ({"width": "64"}, "width should be a whole number; '64' came"),
        ({"width": True}, "width"),
        ({"tokens": float("nan")}, "tokens should be from 1"),
        ({"tokens": 0}, "tokens should be from 1"),
        ({"lr": float("inf")}, "lr should be a finite number"),
        ({"width": 20, "heads": 3}, "an even multiple of heads"),
        ({"optimiser": "adam"}, "optimiser should be one of 'adamw', 'muon', 'sgd', 'adafactor'; 'adam' came"),
        ({"warmup": 0.8, "decay": 0.3}, "warmup and decay should be 1 together at most"),
        ({"stages": [{"tokens": 2e5, "batch": 4}, {"tokens": 1e5, "batch": 8}]}, "stages should begin at more tokens"),
        ({"stages": [{"tokens": 2e5}]}, "stages.0.batch is missing"),
        ({"averages": [0.1, 2]}, "averages.1 should be less than or equal to 1"),
        (3, "should be an object"),
        (None, "should be an object"),
        ([], "should be an object"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(wrong, sentence):
    with pytest.raises(DataError) as said:
        spec(wrong)
    assert sentence in str(said.value)
    assert str(said.value).startswith("A probe's spec cannot be read: ")


def test_steps_are_known_before_the_run_begins():
    one = spec(
        {"tokens": 1e5, "batch": 8, "stages": [{"tokens": 3e4, "batch": 16}], "warmup": 0.1, "decay": 0.2, "lr": 1.0}
    )
    steps = planned(one)
    assert list(steps.before) == [0, *np.cumsum(steps.batch * 128)[:-1]]
    assert (steps.batch == np.where(steps.before < 3e4, 8, 16)).all()
    assert 1e5 <= steps.tokens < 1e5 + 16 * 128
    assert len(steps) in steps.evaluated
    assert all(1 <= k <= len(steps) for k in steps.evaluated)
    share = steps.before / steps.tokens
    assert (steps.rate[(share > 0.1) & (share < 0.8)] == 1.0).all()
    assert 0 < steps.rate[0] < steps.rate[1] < 1
    assert steps.rate[-1] == pytest.approx(16 * 128 / steps.tokens / 0.2)  # what is left when the last step begins


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
@pytest.mark.parametrize("final", [0.0, 0.1])
def test_schedules_end_where_they_say(schedule, final):
    steps = planned(spec({"tokens": 5e6, "schedule": schedule, "final": final, "lr": 2.0}))
    end = 2.0 if schedule == "constant" else 2.0 * final
    assert steps.rate[-1] == pytest.approx(end, abs=2e-3)
    assert steps.rate.max() == pytest.approx(2.0, rel=1e-6)


def test_a_run_of_more_steps_than_can_be_counted_is_refused():
    with pytest.raises(DataError, match="take a larger batch or fewer tokens"):
        planned(spec({"tokens": 1e12, "batch": 1}))
    assert len(planned(Spec(tokens=1.0))) == 1


def test_a_long_run_is_planned_without_its_steps():
    tracemalloc.start()
    steps = planned(
        spec(
            {
                "width": 16_384,
                "depth": 256,
                "tokens": 1e13,
                "batch": 1024,
                "keep": [1e12],
                "stages": [{"tokens": 5e12, "batch": 4096}],
            }
        )
    )
    assert len(steps) == 38_146_973 + 9_536_744
    assert steps.after(steps.step_at(1e12)) >= 1e12 > steps.after(steps.step_at(1e12) - 1)
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()
