"""Settings that are whole numbers are read as they stand, or left at their defaults."""

from __future__ import annotations

import math

from dashboard.fit.settings import FitSettings
from dashboard.plan.settings import PlanSettings
from data.plain import usable


def test_a_whole_number_is_never_cut_nor_made_of_a_truth_value():
    settings = [
        (
            FitSettings,
            "seed",
            [0, 5, 5.0, "5", "5.0", "5e2"],
            [1.5, "5.5", True, "1_0", " 5", "", "0x5", -1, 1e400, [5], {}],
        ),
        (FitSettings, "resamples", [500, 500.0, "500", "5e2"], [500.5, "1_000", True, "1000.5", [1000], 7]),
        (PlanSettings, "devices", [3, 3.0], [1.5, 0.5, True, "3", -1, math.nan]),
        (PlanSettings, "most_devices", [3, 3.0], [1.5, True, "3", -1]),
    ]
    for kind, name, right, wrong in settings:
        for x in right:
            found = getattr(usable(kind, {name: x}), name)
            assert (found, type(found)) == (int(float(x)), int), (name, x)
        for x in wrong:
            assert usable(kind, {name: x}) == kind(), (name, x)
