"""How long a person waits from the command to the first chart."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest

pytestmark = pytest.mark.browser
TIMES = int(os.environ.get("ISOFLOP_LAUNCHES", "1"))


BARE = """
import plotly.graph_objects as go
import streamlit as st
st.plotly_chart(go.Figure(go.Scatter(x=[1, 2, 3], y=[1, 2, 3], mode="markers")))
"""


def first_chart(page, address: str) -> float:
    """Seconds until Plotly has drawn its first point for a browser that has seen nothing of this server."""
    began = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(".js-plotly-plot .scatterlayer .point")
    return time.perf_counter() - began


def test_how_long_it_takes_from_launch_to_the_first_chart(browser_page, serve_dashboard, record_property):
    """Reported, with a bound that only a broken page would miss: the machine is shared. The aim is 3 s.

    From the start of the process until Plotly has drawn the runs; the browser itself is already open.
    """
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        address = serve_dashboard(fresh=True)
        answered = time.perf_counter() - began
        first_chart(browser_page(fresh=True), address)
        times.append(time.perf_counter() - began)
        serve_dashboard.stop(address)
        print(f"launch to first chart {times[-1]:.1f} s (server answers after {answered:.1f} s)")
    record_property("launch_to_chart_s", times)
    assert np.median(times) < 60


def test_the_first_page_is_drawn_almost_as_soon_as_a_page_with_three_points(
    browser_page, serve_dashboard, serve_app, tmp_path, record_property
):
    """Both servers are warm and each browser is new, in turns: what is left is code that the browser has to run.

    A page of Streamlit's with one chart of three points is the least that this stack can take. Measured on two idle
    cores: 3.3 s for that, 1.2 to 1.5 times as long for ours.
    """
    script = tmp_path / "bare.py"
    script.write_text(BARE, encoding="utf-8")
    bare, address = serve_app(script), serve_dashboard()
    page = browser_page()
    for server in (bare, address):
        first_chart(page, server)  # the first page warms a server, in whichever browser
    times = np.array(
        [
            [first_chart(browser_page(fresh=True), bare), first_chart(browser_page(fresh=True), address)]
            for _ in range(TIMES)
        ]
    )
    least, ours = np.median(times, axis=0)
    print(f"first chart, warm server: {ours:.1f} s, beside {least:.1f} s for three points")
    record_property("first_chart_over_bare", float(ours / least))
    assert ours < 4 * least
