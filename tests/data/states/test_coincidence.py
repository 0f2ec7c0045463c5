"""Losses that agree to the last digit: chance is not reported, rows that were mixed up are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from data import read_runs
from data.losses.units import UNITS
from data.states.checks import shared_losses
from data.states.coincidence import beyond_chance, expected_pairs


def losses(rng: np.random.Generator, n: int, shape: str) -> np.ndarray:
    """Losses of n runs: anywhere, along a law, on a grid of repeats, or in clusters of seeds."""
    if shape == "anywhere":
        return rng.uniform(2, 4, n)
    if shape == "seeds":
        return np.repeat(rng.uniform(2, 4, n // 5), 5) + 1e-3 * rng.standard_normal(n)
    size, data = np.exp(rng.uniform(np.log(1e7), np.log(1e10), n)), np.exp(rng.uniform(np.log(1e9), np.log(1e12), n))
    if shape == "grid":
        size, data = rng.choice(np.geomspace(1e7, 1e10, 8), n), rng.choice(np.geomspace(1e9, 1e12, 8), n)
    return (1.8 + 480 / size**0.35 + 2085 / data**0.37) * np.exp(0.001 * rng.standard_normal(n))


def mixed_up(rng: np.random.Generator, values: np.ndarray, rows: int) -> np.ndarray:
    """The losses with some standing in other rows as well."""
    out = values.copy()
    chosen = rng.choice(len(values), 2 * rows, replace=False)
    out[chosen[:rows]] = out[chosen[rows:]]
    return out


@pytest.mark.parametrize("shape", ["anywhere", "law", "grid", "seeds"])
@pytest.mark.parametrize("decimals", [5, 6, 7])
@pytest.mark.parametrize(("n", "tables"), [(200, 200), (2_000, 100), (20_000, 10), (100_000, 1)])
def test_chance_is_not_reported(n: int, tables: int, decimals: int, shape: str) -> None:
    """At most one table of a hundred gives an alarm, and of ten large ones none.

    A rule that alarmed at 5 % of tables passes a case with a probability of .2 % at 200 rows (2 or fewer of 200), 4 % at 2,000
    (1 or none of 100) and 60 % at 20,000, and the twelve cases of any of these sizes with .2 % or less. At 100,000, where every
    other place is taken, it passes with 54 %, and one that alarms at every third table with 1 %.
    """
    rng = np.random.default_rng([n, decimals, len(shape)])
    alarms = sum(beyond_chance(np.round(losses(rng, n, shape), decimals), np.arange(n)).any() for _ in range(tables))
    assert alarms <= 0.01 * tables


@pytest.mark.parametrize("shape", ["anywhere", "law", "grid", "seeds"])
@pytest.mark.parametrize("decimals", [6, 7, 9, 16])
def test_three_rows_of_two_hundred_mixed_up_are_found(decimals: int, shape: str) -> None:
    rng = np.random.default_rng([7, decimals, len(shape)])
    found = 0
    for _ in range(100):
        values = mixed_up(rng, np.round(losses(rng, 200, shape), decimals), 3)
        found += beyond_chance(values, np.arange(200)).sum() >= 6
    assert found >= 99  # of a rule that misses 5 %, all sixteen cases pass with a probability below 1e-15


def test_no_fewer_pairs_are_expected_than_chance_has() -> None:
    """And not many more: the nearest neighbours of a value say too much on average, the most where places are taken."""
    rng = np.random.default_rng(0)
    for n, step in ((2_000, 1e-5), (20_000, 1e-5), (20_000, 3e-5)):
        seen, foretold = [], []
        for _ in range(20):
            slots = np.round(rng.normal(3, 0.2, n) / step)
            many = np.unique(slots, return_counts=True)[1]
            seen.append(np.sum(many * (many - 1) / 2))
            foretold.append(expected_pairs(slots))
        assert 1.0 < np.mean(foretold) / np.mean(seen) < 1.6


def test_what_is_mixed_up_is_no_measure_of_chance() -> None:
    rng = np.random.default_rng(1)
    values = np.round(rng.uniform(2, 4, 2_000), 7)
    before = expected_pairs(np.round(values / 1e-7))
    assert expected_pairs(np.round(mixed_up(rng, values, 300) / 1e-7)) < 1.1 * before


def test_coarse_losses_beside_fine_ones_do_not_hide_or_raise_anything() -> None:
    rng = np.random.default_rng(2)
    coarse, fine = np.round(rng.uniform(2, 4, 300), 3), np.round(rng.uniform(2, 4, 300), 8)
    both = np.concatenate([coarse, fine])
    assert not beyond_chance(both, np.arange(600)).any()
    spoilt = np.concatenate([coarse, mixed_up(rng, fine, 3)])
    assert beyond_chance(spoilt, np.arange(600)).sum() == 6
    assert not beyond_chance(spoilt, np.arange(600))[:300].any()


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_digits_that_a_short_float_does_not_have_are_not_counted(kind: type) -> None:
    rng = np.random.default_rng(3)
    for n in (200, 2_000, 20_000):
        assert not beyond_chance(rng.uniform(2, 4, n).astype(kind).astype(float), np.arange(n)).any()


def test_repeats_of_one_experiment_are_no_mix_up() -> None:
    values = np.array([3.123456, 3.123456, 2.987654, 2.5432187])
    assert not beyond_chance(values, np.array([0, 0, 1, 2])).any()
    assert list(beyond_chance(values, np.array([0, 1, 2, 3]))) == [True, True, False, False]


@pytest.mark.parametrize("unit", UNITS)
def test_digits_are_counted_in_the_files_own_unit(unit: str) -> None:
    rng = np.random.default_rng(4)
    in_file = np.round(rng.uniform(2, 4, 2_000), 5)
    frame = pd.DataFrame(
        {
            "run": [f"r{i}" for i in range(2_000)],
            "params": np.geomspace(1e7, 1e10, 2_000),
            "tokens": 1e9,
            "loss": in_file,
        }
    )
    runs = read_runs(frame, loss_unit=unit, bytes_per_token=4.2)
    assert not any("last digit" in note for note in runs.notes)


def test_the_sentence_names_runs_that_agree() -> None:
    frame = pd.DataFrame({"run": list("abcd"), "params": [1.0, 2, 3, 4], "loss": [3.123456, 2.5, 3.123456, 2.7654321]})
    assert shared_losses(frame) == (
        "1 loss stands to the last digit under different inputs (for example a, c): were rows mixed up?"
    )
