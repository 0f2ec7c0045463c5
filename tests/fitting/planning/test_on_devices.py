"""A plan on its devices: the number that nobody chose, what holds it, and nothing said of what does not run."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.library import load
from fitting import fit, plan
from fitting.batch import from_paper, whole_run
from fitting.export import plan_to_csv, plan_to_json, plan_to_latex
from fitting.planning.devices import DEVICES, device
from fitting.planning.hardware import Hardware
from fitting.planning.on_devices import LEAST_EACH, MOST, OnDevices, ahead, automatic, automatic_for, fewest_for, place

MONTH = 28 * 86400.0


@pytest.mark.parametrize(
    ("alone", "least", "batch", "number"),
    [
        (1.0, None, None, 1),
        (MONTH, 1, 1e6, 1),
        (1.01 * MONTH, 1, 1e6, 2),
        (1000 * MONTH, 24, 5e6, 1024),
        (1.0, 12, 1e6, 16),  # memory, with a quarter to spare
        (1.0, 13, 1e6, 32),
        (1000 * MONTH, 1, 100 * LEAST_EACH, 64),  # the batch is shared by no more
        (1000 * MONTH, 200, 100 * LEAST_EACH, 256),  # but the model has to fit
        (1e9 * MONTH, 1, None, MOST),
        (3 * MONTH, math.inf, None, 4),
    ],
)
def test_the_number_that_nobody_chose(alone, least, batch, number):
    assert automatic(alone, least, batch) == number


@given(st.floats(1e-3, 1e16), st.one_of(st.none(), st.integers(1, 10**6)), st.one_of(st.none(), st.floats(1.0, 1e10)))
def test_it_is_a_power_of_two_that_holds_the_model(alone, least, batch):
    number = automatic(alone, least, batch)
    assert number & (number - 1) == 0
    assert number >= (least or 1)
    ends, shares = alone / number <= MONTH * 1.000001, batch is not None and batch / (2 * number) < LEAST_EACH
    assert ends or shares or number >= MOST
    assert automatic(2 * alone, least, batch) >= number


@given(st.floats(3.0, 45.0))
def test_the_budget_ahead_is_at_most_a_twelfth_of_a_decade_away(at):
    there = math.log10(ahead(10.0**at))
    assert -1e-8 <= there - at <= 1 / 12 + 1e-8
    assert ahead(ahead(10.0**at)) == pytest.approx(ahead(10.0**at), rel=1e-12)


@pytest.fixture(scope="module")
def fitted():
    return fit(load("simulated-ladder"), law="chinchilla", resamples=50)


def goes_with(one):
    return whole_run(one, from_paper("steplaw_batch"))


def placed(fitted, flops, kind, devices, **more):
    hardware = Hardware(1.0, kind.peak, 0.4, 2.0)
    return place(plan(fitted, flops=flops), lambda c: plan(fitted, flops=c), goes_with, hardware, devices,
                 name=kind.name, memory=kind.memory, **more)  # fmt: skip


@pytest.mark.parametrize("kind", DEVICES, ids=lambda d: d.name)
@pytest.mark.parametrize("flops", [1e17, 3.3e20, 1e22, 7.7e23, 1e24, 2e25, 1e26])
def test_an_untouched_plan_holds_and_ends_within_weeks_or_says_why_not(fitted, flops, kind):
    on = placed(fitted, flops, kind, None)
    assert on.holds == (on.least != math.inf)
    if on.holds:
        assert on.seconds <= MONTH * 1.000001 or "To end within 4 weeks" in on.notes[0]
        assert on.seconds == pytest.approx(flops / (on.devices * kind.peak * 0.4))
        assert on.money == pytest.approx(2.0 * on.devices * on.seconds / 3600)


def test_a_plan_of_1e24_is_no_nine_years(fitted):
    on = placed(fitted, 1e24, device("H100"), None)
    assert on.devices == 2048
    assert on.seconds == pytest.approx(1e24 / (2048 * 989e12 * 0.4))  # two weeks


def test_steps_that_wait_take_longer_on_any_number_of_devices(fitted):
    one, slow = (placed(fitted, 1e22, device("H100"), 64, latency=x) for x in (0.0, 0.02))
    assert slow.seconds - one.seconds == pytest.approx(0.02 * slow.steps)
    assert slow.device_hours == pytest.approx(64 * slow.seconds / 3600)


@pytest.mark.parametrize("devices", [1, 8, 23])
def test_devices_that_do_not_hold_it_take_no_time_and_cost_nothing(fitted, devices):
    """Twelve GB and more a billion parameters: 92 B of them take 1.47 TB in states, over 80 GB filled to nine tenths."""
    on = placed(fitted, 1e24, device("H100"), devices)
    least = fewest_for(plan(fitted, flops=1e24).params.value, "params", 80e9)
    assert on.least == least
    assert on.holds == (devices >= least)
    if on.holds:
        return
    assert (on.seconds, on.device_hours, on.money) == (None, None, None)
    assert on.notes == (on.needs,)
    assert (
        on.needs == f"Needs at least {least} H100 of 80 GB: {devices} {'does' if devices == 1 else 'do'} not hold it."
    )
    here = plan(fitted, flops=1e24)
    for made in (plan_to_json(fitted, here, goes_with(here), on), plan_to_csv(fitted, here, goes_with(here), on),
                 plan_to_latex(fitted, here, goes_with(here), on)):  # fmt: skip
        assert on.needs in made
    assert '"hours": null' in plan_to_json(fitted, here, None, on)
    assert "hours," not in plan_to_csv(fitted, here, None, on)
    assert "days" not in plan_to_latex(fitted, here, None, on)


def test_no_number_of_devices_is_said_as_that(fitted):
    """A pass of 256 tokens through 1 T parameters takes 2 GB, a quarter of no device of 1 GB."""
    on = placed(fitted, 1e26, replace(device("H100"), name="toy", memory=1e9), None)
    assert on.least == math.inf
    assert on.needs.startswith("No number of toy of 1 GB holds this training")
    assert on.values()["hours"] is None


def test_the_fewest_devices_grow_with_the_model():
    """No device is nearly filled by activations alone, where a little larger model would take any number of them."""
    for memory in (16e9, 24e9, 48e9, 80e9, 192e9):
        sizes = np.geomspace(1e8, 1.5e12, 300)
        least = np.array([fewest_for(float(n), "params", memory) for n in sizes], float)
        states = 16.0 * sizes / (0.9 * memory)
        assert (least[:-1] <= 1.25 * least[1:] + 1).all()
        assert (least >= 0.95 * states).all()
        assert (least <= 1.4 * states + 1).all(), (
            "at most a quarter of it is not for states, and shapes are near the size"
        )


def test_without_a_memory_nothing_is_said_of_what_fits():
    on = OnDevices(1e24, Hardware(1.0), True)
    assert on.holds
    assert on.needs == ""
    assert replace(on, least=2).needs == "Needs at least 2 devices: 1 does not hold it."


def test_an_automatic_number_follows_the_page_s_own_rows(fitted):
    """The number of a budget between two rows is that of the row above it."""
    h = Hardware(1.0, 989e12, 0.4)
    for at in (20.01, 21.5, 22.98, 24.0, 24.04):
        there = plan(fitted, flops=ahead(10.0**at))
        number = automatic_for(there, h, batch=float(goes_with(there).batch.value), memory=80e9)
        assert placed(fitted, 10.0**at, device("H100"), None).devices == number
