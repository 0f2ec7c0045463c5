"""The speed that hours on one device are told by: a device's peak, as open as the table's count of FLOPs, as in the terminal."""

from __future__ import annotations

import pytest

from dashboard.plan.life import speed_of
from dashboard.plan.settings import PlanSettings
from data import read_runs
from fitting import fit
from fitting.planning.hour_classes import PeakSpeed


def test_hours_by_a_devices_peak_are_as_open_as_in_the_terminal(tmp_path):
    (tmp_path / "six.csv").write_text(
        "params,tokens,loss\n" + "".join(f"{n:g},{d:g},{2 + 400 * n**-0.34 + 410 * d**-0.28}\n"
                                         for n in (1e8, 3e8, 1e9) for d in (2e9, 1e10, 5e10))
    )  # fmt: skip
    found = fit(read_runs(tmp_path / "six.csv"), "chinchilla", resamples=20)
    asked = PlanSettings()
    speed, _ = speed_of(found, asked, 2.0**18, None)
    assert isinstance(speed, PeakSpeed)
    assert speed.accounting is found.accounting
    assert speed.flops_per_second == pytest.approx(asked.row.peak * 1e12 * asked.utilisation / 100)
