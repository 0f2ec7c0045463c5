"""A term at the middle of the runs is the same number in every unit, and far better known than its weight."""

from __future__ import annotations

import numpy as np
import pytest

from fitting import fit


def test_terms_and_floor_add_up_to_the_law(noisy):
    f = fit(noisy, "chinchilla", resamples=300)
    t = f.terms().set_index("name")
    at = dict(zip(("params", "tokens"), t["at"], strict=True))
    assert f.params["E"] + t["value"].sum() == pytest.approx(f.predict(**at).value)
    for name, low, high in zip(t.index, t["low"], t["high"], strict=True):
        alone = f.interval(name)
        assert high / low < 0.1 * alone.high / alone.low or high / low < 1.5
    assert (t["correlation"] > 0.98).all()


def test_lengths_and_laws_without_weights(noisy):
    f = fit(noisy, "kaplan-params", resamples=100)
    (row,) = f.terms().to_dict("records")
    assert row["value"] == pytest.approx(f.predict(params=row["at"]).value)
    assert row["unit"] == "nats"


def test_the_unit_of_an_input_changes_nothing_but_where(noisy, make_runs):
    k = noisy.kept
    a = fit(noisy, "chinchilla", resamples=0).terms()
    b = fit(make_runs(params=k["params"] * 1e-6, tokens=k["tokens"], loss=k["loss"]), "chinchilla", resamples=0).terms()
    assert b["at"][0] == pytest.approx(a["at"][0] * 1e-6)
    assert np.allclose(a["value"], b["value"], rtol=1e-6)
    assert a["low"].isna().all()
