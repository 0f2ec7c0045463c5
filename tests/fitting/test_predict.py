"""`Fit.predict` whatever the law is of: columns it does not use, grids of any size in bounded memory, bad arguments."""

from __future__ import annotations

import pickle
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from fitting import Band, FitError, all_laws, fit
from fitting.accounting import Accounting
from fitting.result import MOST_AT_ONCE as SHIPPED


@pytest.fixture(scope="module")
def chinchilla(noisy):
    return fit(noisy, "chinchilla", resamples=400)


@pytest.fixture(scope="module")
def of_one(noisy):
    return {key: fit(noisy, key, resamples=100) for key in ("kaplan-params", "kaplan-tokens", "compute-floor")}


def test_columns_that_a_law_does_not_use_are_taken(of_one):
    n, d = np.geomspace(1e8, 1e10, 4), 2e10
    assert np.array_equal(
        of_one["kaplan-params"].predict(params=n, tokens=d, batch=1e6, lr=3e-4).value,
        of_one["kaplan-params"].predict(params=n).value,
    )
    along = of_one["kaplan-tokens"].predict(params=n, tokens=d, seed="7")
    assert along.value.shape == (4,), "what the call asks for, not what the law happens to use"
    assert np.all(along.value == of_one["kaplan-tokens"].predict(tokens=d).value)


def test_compute_follows_from_size_and_tokens_as_the_table_counts(of_one, fit_of):
    compute = of_one["compute-floor"]
    assert compute.predict(params=1e9, tokens=2e10).value == pytest.approx(
        compute.predict(flops=6 * 1e9 * 2e10).value, rel=1e-9
    )
    count = Accounting(offset=np.log(1.5))
    odd = fit_of("compute-floor", accounting=count, E=1.7, A=900.0, gamma=0.16)
    assert odd.predict(params=1e9, tokens=2e10).value == pytest.approx(1.7 + 900.0 * (9 * 2e19) ** -0.16, rel=1e-12)
    assert odd.predict(params=1e9, tokens=2e10, flops=1e21).value == pytest.approx(1.7 + 900.0 * 1e21**-0.16)


@pytest.mark.parametrize("wrong", [{"parms": 1e9}, {"token": 1e9}, {"": 1.0}, {"N": 1e9}])
def test_a_typo_stays_a_type_error(chinchilla, of_one, wrong):
    for f in (chinchilla, *of_one.values()):
        with pytest.raises(TypeError, match="is a law of"):
            f.predict(params=1e9, tokens=1e10, **wrong)


def test_a_missing_input_stays_a_type_error(chinchilla, of_one):
    for f, given in ((chinchilla, {"params": 1e9}), (of_one["compute-floor"], {"tokens": 1e9}), (chinchilla, {})):
        with pytest.raises(TypeError, match="is a law of"):
            f.predict(**given)


def test_a_band_has_room_for_notes(chinchilla):
    inside = chinchilla.predict(params=1e9, tokens=2e10)
    assert inside.notes == ()
    assert len(tuple(inside)) == 3
    note, far, mixed = chinchilla.predict(params=[1e9, 1e12], tokens=2e10).notes
    assert "beyond the fitted model sizes" in note
    assert "beyond the largest run" in far
    assert "balance of size and data" in mixed
    assert Band(1.0, 0.5, 2.0, 0.95, ("a",)).above(0.7).notes == ("a",)


@pytest.mark.parametrize("of", ["law", "run"])
def test_blocks_are_the_same_as_one_piece(noisy, of, monkeypatch):
    f = fit(noisy, "chinchilla", resamples=200)
    n, d = np.meshgrid(np.geomspace(1e8, 1e11, 7), np.geomspace(1e9, 1e12, 5))
    whole = f.predict(params=n, tokens=d, of=of)
    assert whole.value.shape == n.shape
    monkeypatch.setattr("fitting.result.MOST_AT_ONCE", 200 * 4)
    for a, b in zip(whole, f.predict(params=n, tokens=d, of=of), strict=True):
        assert np.allclose(a, b, rtol=1e-12, atol=0)
    assert f.predict(params=np.empty((0, 3)), tokens=1e9, of=of).value.shape == (0, 3)


@pytest.mark.parametrize("of", ["law", "run"])
def test_a_large_grid_takes_bounded_memory(chinchilla, of, monkeypatch):
    """90 x 90 places by 400 draws are 26 MB an array at once; blocks, an eighth as large as shipped, take less than a quarter of that."""
    most_at_once = SHIPPED // 8
    monkeypatch.setattr("fitting.result.MOST_AT_ONCE", most_at_once)
    n, d = np.meshgrid(np.geomspace(1e8, 1e11, 90), np.geomspace(1e9, 1e12, 90))
    tracemalloc.start()
    try:
        band = chinchilla.predict(params=n, tokens=d, of=of)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert band.low.shape == (90, 90)
    assert most < 16 * 8 * most_at_once  # 6 MB


@pytest.mark.parametrize("level", [95, -1, 0, 1, None, "0.95x", float("nan"), 1e9])
def test_a_level_is_a_share(chinchilla, level):
    asks = (
        lambda: chinchilla.predict(params=1e9, tokens=1e10, level=level),
        lambda: chinchilla.interval("alpha", level),
        lambda: chinchilla.band(lambda p: p["E"] + 1, level),
        lambda: chinchilla.summary(level),
    )
    for ask in asks:
        with pytest.raises(FitError, match=r"level is a share between 0 and 1.*it was"):
            ask()
    if level == 95:
        with pytest.raises(FitError, match=r"for 95 % give 0\.95"):
            chinchilla.interval("alpha", level)


@pytest.mark.parametrize("value", [0, -3.0, None, float("nan"), [1e9, 0], "large"])
def test_an_input_is_positive(chinchilla, value):
    with pytest.raises(FitError, match="params is a positive number"):
        chinchilla.predict(params=value, tokens=1e10)


def test_a_parameter_the_law_has_not(chinchilla):
    for ask in (chinchilla.interval, chinchilla.band):
        with pytest.raises(FitError, match="E, A, B, alpha, beta; it has no 'gamma'"):
            ask("gamma")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"resamples": 1e3}, r"resamples is a whole number.*give 1000"),
        ({"resamples": -1}, "resamples is a whole number"),
        ({"resamples": None}, "resamples is a whole number"),
        ({"resamples": True}, "resamples is a whole number"),
        ({"seed": 1.5}, "seed is a whole number"),
        ({"seed": -1}, "seed is a whole number"),
        ({"delta": None}, "delta is"),
        ({"exclude": np.zeros(47, bool)}, "mask of 47 values for 48 runs"),
        ({"exclude": [True, False]}, "mask of 2 values for 48 runs"),
        ({"exclude": None}, "exclude is names of runs"),
    ],
)
def test_arguments_of_fit_are_answered_in_a_sentence(noisy, arguments, said):
    with pytest.raises(FitError, match=said) as error:
        fit(noisy, "chinchilla", **{"resamples": 10, **arguments})
    assert "\n" not in str(error.value)


def test_whole_numbers_of_numpy_are_whole_numbers(noisy):
    f = fit(noisy, "chinchilla", resamples=np.int64(20), seed=np.int32(3))
    assert type(f.settings.resamples) is int
    assert type(f.settings.seed) is int


def test_parameters_are_to_be_read(chinchilla):
    before = dict(chinchilla.params)
    with pytest.raises(TypeError):
        chinchilla.params["alpha"] = 9
    assert chinchilla.params == before
    assert pickle.loads(pickle.dumps(chinchilla)).params == before
    assert set(all_laws()["chinchilla"].names) == set(before)


@pytest.mark.parametrize("share", [0.2, 0.55, 1.2])
@pytest.mark.parametrize("level", [0.5, 0.95])
def test_the_law_s_ends_are_those_beside_a_run_s(make_runs, share, level):
    """The quick way to the law's band against the full one, where a run's doubt is less, as with a prior, and neighbours move it."""
    rng = np.random.default_rng(5)
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(5e7, 1e10, 9), np.geomspace(1e9, 3e11, 6)))
    loss = (1.8 + 480 * n**-0.35 + 2000 * d**-0.365) * np.exp(
        0.01 * np.sin(np.log(n)) + 0.001 * rng.standard_normal(54)
    )
    found = fit(make_runs(params=n, tokens=d, loss=loss), "chinchilla", resamples=200)
    assert found.doubt is not None
    found = replace(found, doubt=replace(found.doubt, share=share))
    at = {"params": n[None, :] * 3.0, "tokens": d[None, :] / 2.0}
    ends = found.law(at, {k: found.draws[:, i, None] for i, k in enumerate(found.law.names)})
    best = found.law(at, found.params)
    law, run = found.new_run.mean_and_run(at, best, ends, level, (54,))
    quick = found.predict(level=level, params=at["params"][0], tokens=at["tokens"][0])
    for a, b in zip(quick, law, strict=True):
        assert np.allclose(a, b, rtol=1e-12, atol=0)
    assert np.allclose(
        found.predict(level=level, of="run", params=at["params"][0], tokens=at["tokens"][0]).low, run.low, rtol=1e-12
    )
