"""A parameter that the runs cannot tell is said to be so: its interval is open, and no prediction changes."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from data import read_runs
from fitting import Law, fit, load_fit
from fitting.law import Param, coefficient

PARAMS = {
    "E": Param("E", "E", "nats", "floor", (0.0, 10.0), log=False),
    "A": Param("A", "A", "nats params^a", "weight of size", (1e-12, 1e60), anchor=coefficient("params", "a")),
    "B": Param("B", "B", "nats tokens^b", "weight of data", (1e-12, 1e60), anchor=coefficient("tokens", "b")),
    "C": Param("C", "C", "nats tokens^b", "weight of data, again", (1e-12, 1e60), anchor=coefficient("tokens", "b")),
    "a": Param("a", "a", "", "exponent of size", (0.01, 3.0)),
    "b": Param("b", "b", "", "exponent of data", (0.01, 3.0)),
    "c": Param("c", "c", "", "a factor", (1e-3, 1e3)),
    "d": Param("d", "d", "", "another factor", (1e-3, 1e3)),
}


def shares(params, tokens, E, A, B, a, b, c):
    return E + (A * params**-a + B * tokens**-b) * c / (1 + c)


def twice(params, tokens, E, A, B, C, a, b):
    return E + A * params**-a + B * tokens**-b + C * tokens**-b


def overall(params, tokens, E, A, B, a, b, c):
    return c * (E + A * params**-a + B * tokens**-b)


def ignores(params, tokens, E, A, B, a, b, c):
    return E + A * params**-a + B * tokens**-b


def ratio(params, tokens, E, A, B, a, b, c, d):
    return E + A * params**-a + B * tokens**-b + 0.01 * c / d


def chinchilla(params, tokens, E, A, B, a, b):
    return E + A * params**-a + B * tokens**-b


def law_of(formula):
    names = formula.__code__.co_varnames[2:]
    params = tuple(PARAMS[k] for k in names)
    return Law(formula.__name__, formula.__name__, formula, "L = x", ("params", "tokens"), params, "a test")


def table():
    rng = np.random.default_rng(1)
    params, tokens = 10 ** rng.uniform(7, 10, 25), 10 ** rng.uniform(9, 11.5, 25)
    loss = (1.7 + 400 * params**-0.34 + 410 * tokens**-0.28) * np.exp(0.01 * rng.standard_normal(25))
    return pd.DataFrame({"run": [f"r{i}" for i in range(25)], "params": params, "tokens": tokens, "loss": loss})


def test_what_cannot_be_told_is_open_and_named():
    runs = table()
    plain = fit(runs, law_of(chinchilla), resamples=60)
    assert not plain.unidentified
    assert not any(v.key == "identified" for v in plain.verdicts)
    at = {"params": 3e9, "tokens": 1e11}
    for formula, open_ones in (
        (shares, {"A", "B", "c"}), (twice, {"B", "C"}), (overall, {"E", "A", "B", "c"}), (ignores, {"c"}), (ratio, {"E", "c", "d"}),
    ):  # fmt: skip
        what, law = formula.__name__, law_of(formula)
        f = fit(runs, law, resamples=60)
        assert set(f.unidentified) == open_ones, what
        assert f.status.value != "sound", what
        assert any("Not identified" in said and all(k in said for k in open_ones) for said in f.warnings), what
        for name in law.names:
            low, high = f.conf_int().loc[name]
            assert ((low, high) == (0.0, math.inf)) == (name in open_ones), (what, name)
        assert np.isinf(f.summary().loc[sorted(open_ones), "se"]).all(), what
        assert f.cov().loc["a", "a"] > 0, what
        assert f.cov().loc[sorted(open_ones)].isna().all(axis=None), what
        assert set(f.terms().set_index("name").query("high == inf").index) == open_ones & {"A", "B", "C"}, what
        assert "starts converge to the same optimum" not in repr([v.sentence for v in f.verdicts]), what
        here, there = f.predict(**at), plain.predict(**at)
        np.testing.assert_allclose([here.value, here.low, here.high], [there.value, there.low, there.high], rtol=2e-3)
        again = load_fit(f.to_json(), law=law)
        assert again.unidentified == f.unidentified, what
        assert again.interval("c" if "c" in open_ones else "B") == f.interval("c" if "c" in open_ones else "B"), what
        assert f.to_latex().count(r"\multicolumn{2}{r}{not identified}") == len(open_ones), what


def test_a_term_that_the_runs_do_not_show_leaves_its_exponent_open():
    """The weight of size ends at nothing: its exponent may then be anything, and other sizes may differ."""
    runs = table()
    rng = np.random.default_rng(2)
    runs["loss"] = (1.7 + 410 * runs["tokens"] ** -0.28 + 1e-9 * runs["params"] ** 0.3) * np.exp(
        0.003 * rng.standard_normal(25)
    )
    f = fit(runs, law_of(chinchilla), resamples=60)
    assert "a" in f.unidentified
    assert f.interval("a").high == math.inf
    assert any("predictions at other inputs may be off" in said for said in f.warnings)


def test_a_parameter_at_one_bound_is_told_by_the_other(dataset):
    """The exponent of the batch ladder's law ends near its least; at its greatest the runs are far off: it is at most so much."""
    runs = read_runs(dataset("probe_batch_ladder.csv"), columns={"loss": "val_loss", "params": "params"})
    f = fit(runs, resamples=60)
    assert f.closed_ends == {"alpha_D": "high"}
    low, high = f.conf_int().loc["alpha_D"]
    assert low == 0.0
    assert f.params["alpha_D"] <= high < 0.1
