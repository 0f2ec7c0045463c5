"""Arguments that are no numbers, or several where one is meant, are answered in a sentence; a frame goes where a table does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fitting import FitError, compare_families, fit, plan
from fitting.batch import critical_batch, noise_scale
from fitting.diagnostics.calibration import calibrate
from fitting.diagnostics.floor_profile import floor_profile
from fitting.diagnostics.sensitivity import sensitivity
from fitting.planning.hardware import Hardware
from fitting.planning.hour_classes import hour_classes
from fitting.planning.lifetime import lifetime
from fitting.planning.on_devices import MOST, automatic
from fitting.schedule.curves import ahead
from fitting.selection.compare_laws import compare_laws
from fitting.selection.published_constants import against_papers

NO_NUMBERS = (None, [1.0, 2.0], "a", float("nan"), float("inf"), -1.0, [], {}, True, [[1.0], [2.0, 3.0]])


@pytest.fixture(scope="module")
def chinchilla(noisy):
    return fit(noisy, "chinchilla", resamples=60)


@pytest.mark.parametrize("wrong", NO_NUMBERS)
def test_what_is_one_number_is_one(chinchilla, wrong):
    for ask in (
        lambda: lifetime(chinchilla, loss=2.3, served=wrong),
        lambda: lifetime(chinchilla, loss=wrong, served=1e12),
    ):
        with pytest.raises(FitError, match="it was"):
            ask()
    if wrong is not None:
        for ask in (
            lambda: plan(chinchilla, flops=1e21, unique_tokens=wrong),
            lambda: hour_classes(chinchilla, lambda n: 1e12 / n, hours=[24.0], batch=wrong),
        ):
            with pytest.raises(FitError, match="it was"):
                ask()


@pytest.mark.parametrize("wrong", [["x"], [0.0], [-1.0], [np.inf], [], "x", [1e8, "a"], None])
def test_hours_and_sizes_are_positive_numbers(chinchilla, wrong):
    with pytest.raises(FitError, match="hours are positive numbers"):
        hour_classes(chinchilla, lambda n: 1e12 / n, hours=wrong)
    if wrong is not None:
        with pytest.raises(FitError, match="sizes are positive numbers"):
            hour_classes(chinchilla, lambda n: 1e12 / n, sizes=wrong)


def test_a_batch_of_nothing_is_refused(chinchilla):
    with pytest.raises(FitError, match="batch"):
        hour_classes(chinchilla, lambda n: 1e12 / n, batch=0)


def test_one_class_may_be_given_as_a_number(chinchilla):
    (one,) = hour_classes(chinchilla, lambda n: 1e15 / n, hours=24)
    assert one.hours == 24.0


@pytest.mark.parametrize("wrong", [None, 3, ["A"], "nothing"])
def test_a_parameter_is_asked_by_its_name(chinchilla, wrong):
    with pytest.raises(FitError, match="has the parameters"):
        chinchilla.band(wrong)


@pytest.mark.parametrize("wrong", [np.inf, [1e9, np.inf], -np.inf])
def test_no_size_is_infinite(chinchilla, wrong):
    with pytest.raises(FitError, match="params is a positive number"):
        chinchilla.predict(params=wrong, tokens=1e10)


def test_what_is_no_number_is_said_by_whatever_takes_one(chinchilla, noisy):
    """No NumPy error, and no truth value read as 1."""
    f = chinchilla
    frame = noisy.kept.assign(size=np.where(np.arange(len(noisy.kept)) % 2, "a", "b"))
    found = compare_families(frame, "size", reference="a", resamples=4)
    wrong = ([[1.0], [2.0, 3.0]], {}, True, np.array(True), [True, 2.0], 10**400, np.datetime64("2020"), 1 + 0j, "a")
    asks = {
        "predict": lambda w: f.predict(params=w, tokens=1e10),
        **{f"plan {k}": lambda w, k=k: plan(f, **{k: w}) for k in ("flops", "loss")},
        "plan at a size": lambda w: plan(f, flops=1e21, params=w),
        "plan hours": lambda w: plan(f, hours=w, devices=8),
        "plan money": lambda w: plan(f, money=w, price=2.0),
        **{
            f"plan {k}": lambda w, k=k: plan(f, hours=10, **{"devices": 8, k: w})
            for k in ("devices", "peak", "utilisation", "price")
        },
        "hardware": lambda w: Hardware(devices=w),
        "delta": lambda w: fit(noisy, "chinchilla", delta=w, resamples=0),
        "families' delta": lambda w: compare_families(frame, "size", delta=w, resamples=0),
        "target": lambda w: compare_families(frame, "size", target=w, resamples=0),
        "multiplier": lambda w: found.multiplier("b", w),
        "versus": lambda w: found.versus("b", w),
        "calibrate at": lambda w: calibrate(f, noisy, flops=w),
        "calibrate by": lambda w: calibrate(f, noisy, outer=w),
    }
    for name, ask in asks.items():
        for w in (*wrong, *(() if "plan" in name or name in ("multiplier", "predict") else ([1.0, 2.0],))):
            with pytest.raises(FitError) as said:
                ask(w)
            assert "it was" in str(said.value), (name, w)
    for k in ("devices", "peak", "utilisation", "price"):
        with pytest.raises(FitError, match=f"{k} is "):
            plan(f, hours=10, **{"devices": 8, k: [1, 2]})
    for name in ("law", "group"):
        with pytest.raises(FitError):
            fit(noisy, **{name: ["A"]})


def test_lists_of_places_go_together_or_are_counted(chinchilla):
    with pytest.raises(FitError, match="there are 2 of params and 3 of tokens"):
        chinchilla.predict(params=[1e9, 2e9], tokens=[1e10, 2e10, 3e10])
    assert chinchilla.predict(params=[[1e9], [2e9]], tokens=[1e10, 2e10, 3e10]).value.shape == (2, 3)


def test_a_frame_is_a_table(chinchilla, noisy):
    frame = pd.DataFrame(noisy.kept)
    assert against_papers(chinchilla, frame) == against_papers(chinchilla, noisy)
    assert compare_laws(frame).sentence == compare_laws(noisy).sentence
    assert sensitivity(chinchilla, frame, 1e22).sentence == sensitivity(chinchilla, noisy, 1e22).sentence
    assert np.array_equal(floor_profile(chinchilla, frame).rise, floor_profile(chinchilla, noisy).rise)
    alike = [calibrate(chinchilla, table, outer=40, inner=40).quantities for table in (frame, noisy)]
    assert alike[0] == alike[1]


def test_a_constant_open_beyond_floats_is_no_warning(chinchilla, recwarn):
    """Draws of a length that no data hold: 1e-300 to 1e300."""
    from types import SimpleNamespace

    from fitting import all_laws
    from fitting.diagnostics.checks.constants import weights
    from fitting.diagnostics.identification import NONE

    law = all_laws()["kaplan-params"]
    rng = np.random.default_rng(0)
    exponents = {p.anchor.exponent for p in law.params if p.anchor is not None}
    draws = np.stack(
        [
            rng.uniform(1e-6, 0.1, 200) if p.name in exponents else 10.0 ** rng.uniform(-300, 300, 200)
            for p in law.params
        ],
        axis=1,
    )
    weights(
        SimpleNamespace(law=law, draws=draws, unidentified=NONE, table=SimpleNamespace(ranges={"params": (1e7, 1e9)}))
    )
    assert [str(w.message) for w in recwarn if issubclass(w.category, RuntimeWarning)] == []


def test_a_frame_of_places_holds_numbers_too(chinchilla):
    """What is refused by name is refused in a frame: dates, truth values, text, lists, two columns of one name."""
    tokens = [1e10, 1e10]
    for cells in (pd.to_datetime(["2020-01-01"] * 2), [True, True], ["1e9", "abc"], [[1e9], [1e9]], [1e9 + 5j, 1e9]):
        with pytest.raises(FitError, match="params is a positive number"):
            chinchilla.predict(pd.DataFrame({"params": cells, "tokens": tokens}))
    twice = pd.DataFrame([[1e9, 2e9, 1e10]], columns=["params", "params", "tokens"])
    with pytest.raises(FitError, match="in one column"):
        chinchilla.predict(twice)
    hidden = np.ma.masked_array([1e9, 2e9], [False, True])
    for wrong in (pd.Series([1e9, True], dtype=object), [[1e9, True]], hidden):
        with pytest.raises(FitError, match="params is a positive number"):
            chinchilla.predict(params=wrong, tokens=1e10)
    plain = chinchilla.predict(params=[1e9, 2e9], tokens=1e10)
    assert chinchilla.predict(pd.DataFrame({"params": [1e9, 2e9], "tokens": tokens})).value == pytest.approx(
        plain.value
    )


def test_numbers_that_no_float_squares_are_refused_and_warn_of_nothing(chinchilla, recwarn):
    for ask in (
        lambda: chinchilla.predict(params=1e308, tokens=1e11),
        lambda: chinchilla.predict(params=1e-320, tokens=1e10),
        lambda: plan(chinchilla, flops=1e21, unique_tokens=1e300),
        lambda: lifetime(chinchilla, loss=2.5, served=1e300),
        lambda: hour_classes(chinchilla, lambda n: 1e5 + 0 * n, hours=1e300),
        lambda: critical_batch([1e-300, 1.0, 1e300], [3.0, 2.0, 1.0]),
        lambda: noise_scale(np.full(20, 1e308), np.full(20, 1e307), 8, 64),
    ):
        with pytest.raises(FitError):
            ask()
    assert not recwarn.list


def test_a_peak_of_nearly_nothing_has_an_answer(chinchilla):
    alone = 3600 * Hardware(1, peak=1e-90).device_hours(1e21)
    assert automatic(alone) == MOST


def test_a_schedule_to_come_is_one_that_can_be_run():
    good = {"shape": "wsd", "steps": 2_000, "peak": 1e-3, "warmup": 100}
    assert ahead(**good).lr.max() == pytest.approx(1e-3)
    for wrong in ({"cooldown": -1}, {"cooldown": 0}, {"cooldown": 1.5}, {"end": 1.5}, {"warmup": -1}, {"steps": 2400.5}, {"steps": "3"},
                  {"steps": None}, {"peak": True}, {"peak": [1e-3]}, {"peak": float("nan")}):  # fmt: skip
        with pytest.raises(FitError):
            ahead(**{**good, **wrong})


def test_names_and_levels_are_checked_wherever_they_are_asked(noisy):
    frame = noisy.kept.assign(size=np.where(np.arange(len(noisy.kept)) % 2, "a", "b"))
    found = compare_families(frame, "size", resamples=4)
    for wrong in ("nope", None, 3, []):
        with pytest.raises(FitError, match="There is no family"):
            found.crossing(wrong)
    scale = noise_scale(2 + np.sin(np.arange(20.0)), 1 + 0.1 * np.cos(np.arange(20.0)), 8, 64)
    for wrong in (None, "3", [], True, -1):
        with pytest.raises(FitError, match="level"):
            scale.ratio(wrong)
        with pytest.raises(FitError, match="ends"):
            scale.along(wrong)
    with pytest.raises(FitError, match="No run is left"):
        critical_batch([], [])
