"""What a run costs: what is scored, measured, divided and shared counts, each as it is made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data.probe import cost
from data.probe.feed import Feed
from data.probe.schedule import planned
from data.probe.spec import MEASURES, OPTIMISERS
from data.probe.sweep import sweep


@pytest.fixture
def text(tmp_path, monkeypatch):
    """A folder with few tokens held out."""
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path / "home"))
    rng = np.random.default_rng(0)
    (tmp_path / "text").mkdir()
    for k in range(20):
        words = rng.integers(97, 123, (100, 6), dtype=np.uint8)
        words[:, 5] = 10
        (tmp_path / "text" / f"{k}.txt").write_bytes(words.tobytes())
    return f"text:{tmp_path / 'text'}"


def test_no_more_is_scored_than_is_held_out(text):
    few, many, endless = (
        *sweep({"corpus": text, "seq_len": 32, "eval_tokens": [64, 10**9]}),
        *sweep({"seq_len": 32, "eval_tokens": 10**9}),
    )
    held = Feed.of(many).sources[0].scored
    assert (cost.scored(few), cost.scored(many), cost.scored(endless)) == ((2,), (held,), (10**9 // 32,))
    assert 2 < held < 1000
    assert cost.evaluation_seconds(many) < 1e-4 * cost.evaluation_seconds(endless)


def test_every_pool_is_scored_whatever_its_share(text):
    pools = [{"corpus": text, "share": 0.0}, {"corpus": text, "share": 1.0}]
    (one,) = sweep({"pools": [pools], "seq_len": 32, "eval_tokens": 10**9})
    (alone,) = sweep({"corpus": text, "seq_len": 32, "eval_tokens": 10**9})
    assert cost.scored(one) == 2 * cost.scored(alone)
    assert cost.evaluation_seconds(one) == pytest.approx(2 * cost.evaluation_seconds(alone))


def test_text_that_is_gone_is_taken_as_it_was_asked_for(text):
    (one,) = sweep({"corpus": text, "seq_len": 32, "eval_tokens": 6400})
    assert cost.scored(replace(one, corpus="text:/nowhere/at/all")) == (200,)


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_every_measure_takes_time_at_every_evaluation(name, optimiser):
    plain, asked, more = (
        *sweep({"optimiser": optimiser, "evals": 3}),
        *sweep({"optimiser": optimiser, "evals": 3, "measure": [[name]], "measure_batch": [16, 160]}),
    )
    extra = cost.seconds(asked) - cost.seconds(plain)
    assert extra == pytest.approx(
        3 * (cost.measuring_seconds(asked, asked.batch) - cost.measuring_seconds(plain, plain.batch)), rel=1e-6
    )
    assert extra > 0
    assert (cost.seconds(more) > cost.seconds(asked)) == (name in ("noise", "update_noise", "hessian"))


def test_parts_of_a_batch_take_longer_and_less_memory():
    whole, two, eight = sweep({"width": 32, "batch": 8, "micro": [0, 4, 1]})
    steps = [cost.step_seconds(one, 8) for one in (whole, two, eight)]
    assert steps == sorted(steps)
    assert steps[2] > 1.5 * steps[0]
    assert cost.memory(eight) < cost.memory(two) < cost.memory(whole)
    assert cost.most_at_once(eight, 1e9) == cost.most_at_once(whole, 1e9)


def test_several_runs_at_once_take_less_than_one_after_another_and_hold_each_their_memory():
    (one,) = sweep({"width": 16, "batch": 4})
    assert cost.step_seconds(one, 4) < cost.step_seconds(one, 4, 8) < 8 * cost.step_seconds(one, 4)
    assert cost.process_memory(one, 8) - cost.PROCESS == pytest.approx(8 * (cost.process_memory(one) - cost.PROCESS))


def test_runs_that_stand_further_wait_and_what_is_made_is_not_made_again():
    (one,) = sweep({"width": 16, "tokens": 2e4, "seq_len": 64, "evals": 5})
    n, evaluated = len(planned(one)), planned(one).evaluated
    whole = cost.todo([one])
    assert (whole.steps, sum(whole.evaluated.values())) == ({(8, 1): n}, len(evaluated))
    two = cost.todo([one, one], [10, n - 1])
    assert two.steps == {(8, 1): n - 11, (8, 2): 1}
    assert two.evaluated[8, 2] == 1
    assert sum(two.evaluated.values()) == sum(at > 10 for at in evaluated)
    assert cost.todo([one], [n]).steps == {}
    assert planned(one).step_at(planned(one).after(7)) == 7
