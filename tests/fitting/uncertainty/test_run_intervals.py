"""A new run's interval beside the law's own: it holds it at every level and place, and lies above zero."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data import read_runs
from data.library import load
from fitting import Band, FitError, fit, plan

LAWS = ("auto", "general", "chinchilla", "kaplan", "kaplan-params", "kaplan-tokens", "compute", "compute-floor")
TABLES = ("simulated-ladder", "probe-isoflop", "simulated-families", "cerebras-gpt")
WAYS = ("auto", "runs", "residuals")
PRIORS = ("auto", "none")


@cache
def fitted(table: str, law: str, intervals: str, prior: str):
    try:
        return fit(load(table), law, resamples=150, intervals=intervals, prior=prior)
    except FitError:
        return None


def holds(run: Band, law: Band) -> None:
    assert np.all(np.asarray(run.low) <= law.low)
    assert np.all(np.asarray(run.high) >= law.high)
    assert np.all(np.asarray(run.low) > 0)


@settings(max_examples=40, deadline=None)
@example("probe-isoflop", "kaplan", "auto", "auto", 0.46875, [(0.0, 0.0), (0.0, 1.0)])
@given(
    table=st.sampled_from(TABLES), law=st.sampled_from(LAWS), intervals=st.sampled_from(WAYS), prior=st.sampled_from(PRIORS),
    level=st.floats(0.01, 0.999), decades=st.lists(st.tuples(st.floats(-2, 5), st.floats(-2, 5)), min_size=1, max_size=6),
)  # fmt: skip
def test_a_new_run_s_interval_holds_the_law_s_own(table, law, intervals, prior, level, decades):
    f = fitted(table, law, intervals, prior)
    if f is None:  # these runs do not carry that law
        return
    shifts = np.array(decades).T
    at = {x: f.ranges[x][1] * 10.0 ** shifts[i % 2] for i, x in enumerate(f.law.inputs)}
    holds(f.predict(level=level, of="run", **at), f.predict(level=level, of="law", **at))


@settings(max_examples=40, deadline=None)
@given(
    table=st.sampled_from(TABLES), law=st.sampled_from(("auto", "general", "chinchilla", "compute-floor")),
    level=st.floats(0.05, 0.99), beyond=st.lists(st.floats(-2, 6), min_size=1, max_size=4), held=st.booleans(),
)  # fmt: skip
def test_so_does_the_plan_s(table, law, level, beyond, held):
    f = fitted(table, law, "auto", "auto")
    if f is None:
        return
    sized = "params" in f.law.inputs
    flops = f.ranges["flops"][1] * 10.0 ** np.array(beyond)
    p = plan(f, flops=flops, params=f.ranges["params"][1] if held and sized else None, level=level)
    holds(p.loss_run, p.loss)
    holds(*(plan(f, loss=float(np.min(p.loss.value)), level=level).__dict__[k] for k in ("loss_run", "loss")))


def test_a_digitised_table_far_beyond_its_runs(dataset):
    """A law known worse than its runs scatter: 245 runs read off a figure, some times beyond the largest."""
    f = fit(read_runs(dataset("epoch_chinchilla.csv")), resamples=400)
    p = plan(f, flops=np.geomspace(1e21, 1e27, 25))
    holds(p.loss_run, p.loss)
    for level in (0.5, 0.8, 0.99):
        p = plan(f, flops=1.3e23, level=level)
        holds(p.loss_run, p.loss)


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 2)])
def test_the_ends_have_the_shape_that_was_asked_for(shape):
    f = fitted("simulated-ladder", "auto", "auto", "auto")
    at = {"params": np.full(shape, 1e9), "tokens": np.full(shape, 2e10)}
    for of in ("law", "run"):
        for end in f.predict(of=of, **at):
            assert np.shape(end) == shape
            assert isinstance(end, float) == (shape == ())


def test_a_known_floor_cuts_the_ends_and_leaves_the_value():
    floor = 1.077
    cut = Band(1.08, 1.03, 1.09, 0.95).above(floor)
    assert tuple(cut) == (1.08, floor, 1.09)
    assert isinstance(cut.low, float)
    assert tuple(Band(0.9, 0.8, 1.0, 0.95).above(floor)) == (0.9, floor, floor)
    whole = Band(np.array([1.2, 1.0]), np.array([1.1, 0.9]), np.array([1.3, 1.1]), 0.9)
    assert np.array_equal(whole.above(floor).low, [1.1, floor])
    assert whole.above(None) is whole
