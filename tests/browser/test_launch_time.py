"""How long a person waits from the command to the first chart."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest

pytestmark = pytest.mark.browser
TIMES = int(os.environ.get("ISOFLOP_LAUNCHES", "1"))


def test_how_long_it_takes_from_launch_to_the_first_chart(browser_page, serve_dashboard, record_property):
    """Reported, with a bound that only a broken page would miss: the machine is shared. The aim is 3 s.

    From the start of the process until Plotly has drawn the runs; the browser itself is already open.
    """
    page = browser_page()
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        address = serve_dashboard(fresh=True)
        answered = time.perf_counter() - began
        page.goto(address)
        page.wait_for_selector(".js-plotly-plot .scatterlayer .point")
        times.append(time.perf_counter() - began)
        serve_dashboard.stop(address)
        print(f"launch to first chart {times[-1]:.1f} s (server answers after {answered:.1f} s)")
    record_property("launch_to_chart_s", times)
    assert np.median(times) < 60
