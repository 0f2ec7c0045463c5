"""What a fit says of itself before its numbers are used: too few refits, roles that are not read, what its intervals lack."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fitting import FitError, Law, fit, plan
from fitting.export import plan_to_latex
from fitting.law import Output, Param, coefficient


def table(n: int = 25) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    params, tokens = 10 ** rng.uniform(7, 10, n), 10 ** rng.uniform(9, 11.5, n)
    loss = (1.7 + 400 * params**-0.34 + 410 * tokens**-0.28) * np.exp(0.01 * rng.standard_normal(n))
    return pd.DataFrame({"run": [f"r{i}" for i in range(n)], "params": params, "tokens": tokens, "loss": loss})


def errors(params, tokens, E, A, B, a, b):
    return E + A * params**-a + B * tokens**-b


def law_of(output: Output) -> Law:
    return Law(
        "errors", "Errors", errors, r"e = E + A N^{-a} + B D^{-b}", ("params", "tokens"),
        (
            Param("E", "E", "", "floor", (0.0, 10.0), log=False),
            Param("A", "A", "params^a", "weight of size", (1e-12, 1e60), anchor=coefficient("params", "a")),
            Param("B", "B", "tokens^b", "weight of data", (1e-12, 1e60), anchor=coefficient("tokens", "b")),
            Param("a", "a", "", "exponent of size", (0.01, 3.0)),
            Param("b", "b", "", "exponent of data", (0.01, 3.0)),
        ),
        "a test", output,
    )  # fmt: skip


def test_an_interval_needs_as_many_refits_as_its_ends_take():
    for resamples, enough in ((1, False), (2, False), (38, False), (39, True)):
        f = fit(table(), "chinchilla", resamples=resamples, prior="none")
        said = next(v.sentence for v in f.verdicts if v.key == "refits")
        assert ("cannot give 95 % intervals" in said) != enough, resamples
        assert enough or f.status.value != "sound", resamples


def test_roles_that_are_not_read_are_warned_of():
    for words, what in ((("fitted", "held-outt"), "'held-outt'"), (("spring", "autumn"), "'autumn'")):
        f = fit(table().assign(role=[words[k > 20] for k in range(25)]), "chinchilla", resamples=0)
        assert f.n == 25, words
        assert any("no run is held out by it" in said and what in said for said in f.warnings), (words, f.warnings)
    for roles in ([""] * 25, ["fitted"] * 25):
        assert fit(table().assign(role=roles), "chinchilla", resamples=0).warnings == (), roles
    with pytest.raises(FitError, match="none is left to fit"):
        fit(table().assign(role="held out"), "chinchilla", resamples=0)


def test_a_law_of_another_output_says_what_its_interval_lacks_and_its_own_unit():
    """Model discrepancy was measured for losses; the place beyond the runs is known all the same."""
    law = law_of(Output("error_rate", "Error rate", "errors per item", bounds=(0.0, 1.0)))
    frame = table().rename(columns={"loss": "error_rate"}).assign(error_rate=lambda d: d["error_rate"] / 10)
    f = fit(frame, law, resamples=100)
    largest = float((6 * frame["params"] * frame["tokens"]).max())
    assert f.ranges["flops"][1] == pytest.approx(largest)
    p = plan(f, flops=1e25)
    assert p.beyond == pytest.approx(1e25 / largest)
    assert any("beyond the largest run" in note and "no model discrepancy" in note for note in p.notes)
    far = f.predict(params=1e12, tokens=1e13, of="run")
    assert any("no model discrepancy" in note for note in far.notes)
    assert "nats" not in plan_to_latex(f, p)
    assert "errors per item" in plan_to_latex(f, p)
    with pytest.raises(FitError, match=r"No budget reaches an error rate of 0\.01"):
        plan(f, loss=0.01)
    counted = fit(frame.assign(flops=12 * frame["params"] * frame["tokens"]), law, resamples=0)
    assert counted.ranges["flops"][1] == pytest.approx(2 * largest)
