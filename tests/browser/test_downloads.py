"""A press on a button that gives a file gives it, also while the page is being drawn anew."""

from __future__ import annotations

import pytest

from dashboard.workspace import store as workspace
from tests.browser.hand import open_tab

pytestmark = pytest.mark.browser
PRESSES = 8  # each of four buttons twice, after each of four numbers of moves


def test_every_press_gives_a_file_while_a_slider_moves(browser_page, serve_dashboard, monkeypatch):
    address = serve_dashboard()
    before = len(serve_dashboard.said(address))
    monkeypatch.setenv("ISOFLOP_HOME", str(serve_dashboard.home))
    space = workspace.new()
    workspace.change(space, "prepared", {"source": "bundled:probe-batch-ladder"})
    page = browser_page()
    page.goto(f"{address}/batch?w={space.id}&batch_tab=Training-curve+law+L(N,+S)")
    open_tab(page, "Training-curve law L(N, S)")
    slider = page.get_by_role("slider").first
    slider.wait_for()
    slider.focus()
    missed = []
    for turn in range(PRESSES):
        # Moves that each begin a run of the page, most of which the next one cuts short; then a press at once, on the
        # tab's own buttons and on the page's, which are drawn last.
        for step in range(1 + turn % 4):
            slider.press("ArrowRight" if turn < 4 else "ArrowLeft", delay=10)
            page.wait_for_timeout(40 * (step % 2) + 15 * turn)
        button = page.get_by_role("button", name=("LaTeX", "CSV")[turn % 2]).nth((turn // 2) % 2)
        try:
            with page.expect_download(timeout=20_000) as taken:
                button.evaluate("b => b.click()")
            if not taken.value.path().stat().st_size:
                missed.append((turn, "empty"))
        except Exception as error:  # which presses, not only that one did
            missed.append((turn, str(error).splitlines()[0]))
        slider.focus()
    assert missed == []
    assert "not found" not in serve_dashboard.said(address)[before:]
