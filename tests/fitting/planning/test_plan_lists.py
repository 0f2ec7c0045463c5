"""Lists of budgets, losses, sizes and hours: each entry is what it is alone, its notes too; and what no plan can be."""

from __future__ import annotations

import numpy as np
import pytest

from fitting import FitError, fit, plan
from fitting.planning.hardware import Hardware
from fitting.planning.on_devices import on_devices

NAMES = ("flops", "params", "tokens", "tokens_per_param", "loss", "loss_run")


@pytest.fixture(scope="module")
def fitted(noisy):
    return fit(noisy, "chinchilla", resamples=200)


@pytest.mark.parametrize(
    ("given", "fixed"),
    [
        ({"flops": [1e20, 1e23, 1e26]}, {}),
        ({"loss": [2.6, 2.2, 2.05]}, {}),
        ({"loss": [2.6, 2.5]}, {"params": 2e9}),
        ({"params": [1e8, 1e9, 1e10]}, {"flops": 1e22}),
        ({"params": [1e9, 3e9], "loss": [2.5, 2.3]}, {}),
        ({"hours": [10, 1000]}, {"devices": 8}),
        ({"money": [1e3, 1e6]}, {"price": 2.0}),
        ({"flops": [1e20, 1e24]}, {"unique_tokens": 1e9}),
    ],
)
def test_an_entry_is_what_it_is_alone(fitted, given, fixed):
    made = plan(fitted, **given, **fixed)
    for k in range(len(next(iter(given.values())))):
        one = plan(fitted, **{name: float(x[k]) for name, x in given.items()}, **fixed)
        for name in NAMES:
            for side in ("value", "low", "high"):
                assert getattr(getattr(made, name), side)[k] == pytest.approx(
                    getattr(getattr(one, name), side), rel=1e-6
                )
        for note in one.notes:
            assert any(said.endswith(note) for said in made.notes), note
    assert made.loss.value.shape == (k + 1,)


def test_a_note_of_all_is_said_once_and_of_some_with_its_budget(fitted):
    largest = fitted.ranges["flops"][1]
    near, far = plan(fitted, flops=[largest / 2, largest * 77]).notes, plan(fitted, flops=[largest * 77] * 3).notes
    assert sum("77x beyond" in note for note in near) == 1
    assert next(note for note in near if "77x" in note).startswith(f"At {largest * 77:.3g} FLOP: ")
    assert sum("77x beyond" in note for note in far) == 1
    assert far == plan(fitted, flops=largest * 77).notes


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"loss": 1e9}, "takes no training"),
        ({"loss": [2.4, 1e9]}, "takes no training"),
        ({"loss": [2.4, 0.5]}, "No budget reaches a loss of 0.5"),
        ({"flops": 1e22, "params": 1e30}, "at least 1 and at most"),
        ({"loss": 2.5, "params": 1e30}, "at least 1 and at most"),
        ({"flops": 1e18, "params": 1e20}, "less than one token"),
        (
            {"flops": [1e22, 1e10], "params": 1e12},
            "At 1 T parameters a budget of 1e\\+10 FLOP buys less than one token",
        ),
        (
            {"flops": 1e22, "params": [1e9, 1e23]},
            "At 1e\\+23 parameters a budget of 1e\\+22 FLOP buys less than one token",
        ),
        ({"hours": [1.0, 1e-9], "devices": 1, "params": 1e12}, "budget of 1.42e\\+09 FLOP buys less than one token"),
        ({"money": [1e-9, 1.0], "price": 1.0, "params": 1e12}, "budget of 1.42e\\+09 FLOP buys less than one token"),
        ({"loss": 3000.0, "params": 1e12}, "A loss of 3000 at 1 T parameters takes less than one token"),
        ({"loss": [2.2, 3000.0], "params": 1e12}, "A loss of 3000 at 1 T parameters takes less than one token"),
        ({"flops": []}, "the list was empty"),
        ({"loss": "low"}, "'low'"),
        ({"flops": [1e20, 1e21], "params": [1e8, 1e9, 1e10]}, "goes with one budget"),
    ],
)
def test_what_is_no_plan(fitted, asked, said):
    with pytest.raises(FitError, match=said):
        plan(fitted, **asked)


def test_time_and_money_of_a_loss_are_as_uncertain_as_its_compute(fitted):
    hardware = Hardware(devices=64, price=2.0)
    found = plan(fitted, loss=2.15, devices=64, price=2.0)
    on = on_devices(found, hardware, chosen=True)
    for quantity, each in (("seconds", 3600 / 64), ("device_hours", 1.0), ("money", 2.0)):
        band = on.between(quantity)
        wanted = [c / hardware.flops_per_device_hour * each for c in found.flops]
        assert list(band) == pytest.approx(wanted, rel=1e-12)
        assert band.low < band.value < band.high
    assert on.values()["money_interval"]["low"] == pytest.approx(on.between("money").low)
    assert on_devices(plan(fitted, flops=1e22), hardware, chosen=True).between("money") is None
    assert np.isfinite(band.high)


def test_the_members_of_a_list_that_are_none_are_said(fitted):
    cases = (
        ({"flops": [1e20] * 500 + [-1] + [1e20] * 499}, r"it was -1 \(number 501 of 1000\)"),
        ({"flops": [1e20, None]}, r"it was None \(number 2 of 2\)"),
        ({"flops": [1e20, 1e80]}, r"it was 1e\+80 \(number 2 of 2\)"),
        ({"money": [1e4, -5], "price": 2.0}, r"money is a positive number.* it was -5 \(number 2 of 2\)"),
        ({"hours": [1e4, 0.0], "devices": 8}, r"hours are positive numbers.* it was 0.0 \(number 2 of 2\)"),
        ({"loss": [2.2, -1.0, 2.3]}, r"it was -1.0 \(number 2 of 3\)"),
        ({"flops": 1e21, "params": [1e9, 0]}, r"it was 0 \(number 2 of 2\)"),
        ({"flops": [-k for k in range(1, 9)]}, r"\(number 3 of 8\) and 5 more"),
    )
    for asked, said in cases:
        with pytest.raises(FitError, match=said):
            plan(fitted, **asked)
