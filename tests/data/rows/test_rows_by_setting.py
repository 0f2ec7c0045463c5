"""A setting that differs along rows of one name: a schedule's is a function of the step, another's tells runs apart."""

from __future__ import annotations

import numpy as np

from data.rows.by_setting import by_setting

STEP = np.arange(100, 6001, 100.0)
SCHEDULES = {
    "cosine": 0.5e-3 * (1 + np.cos(np.pi * STEP / 6000)),
    "warm-up": np.minimum(STEP / 1000, 1) * 1e-3,
    "stable and decay": np.minimum(np.minimum(STEP / 600, 1), (6000 - STEP) / 1200) * 1e-3,
    "steps": 1e-3 * 0.1 ** (STEP // 2000),
    "triangles": 1e-3 * np.abs((STEP / 1500) % 2 - 1),
    "restarts": 0.5e-3 * (1 + np.cos(np.pi * (STEP % 1500) / 1500)),
    "rounded": np.round(1e-3 * (1 - STEP / 6000), 4),
    "two values by turns": np.where((STEP // 1000) % 2 == 0, 1e-3, 3e-3),
    "constant": np.full(len(STEP), 1e-3),
}


def test_a_schedule_is_one_runs_and_another_peak_another_runs():
    mixed = np.random.default_rng(0).permutation(len(STEP))
    for name, rate in SCHEDULES.items():
        one = {
            "as logged": (STEP, rate),
            "in no order": (STEP[mixed], rate[mixed]),
            "begun anew": (np.append(STEP[:15], STEP), np.append(rate[:15], rate)),
            "resumed": (np.append(STEP[:30], STEP[20:]), np.append(rate[:30], rate[20:])),
            "resumed at half": (np.append(STEP[:30], STEP[20:]), np.append(rate[:30], rate[20:] * 0.5)),
            "twice": (np.append(STEP, STEP), np.append(rate, rate)),
        }
        for how, (place, value) in one.items():
            assert by_setting(place, value, falls=True) is None, f"{name}, {how}"
        told = by_setting(np.append(STEP, STEP + 7), np.append(rate, 2 * rate), falls=True)
        assert told is not None, name
        assert np.array_equal(told, np.repeat([rate.max(), 2 * rate.max()], len(STEP))), name
