"""A press on a button that gives a file gives it, also while the page is being drawn anew."""

from __future__ import annotations

import pytest

from dashboard.workspace import store as workspace

pytestmark = pytest.mark.browser
PRESSES = 16


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_every_press_gives_a_file_while_a_slider_moves(browser_page, serve_dashboard, home):
    space = workspace.new()
    workspace.change(space, "prepared", {"source": "bundled:probe-batch-ladder"})
    page = browser_page()
    address = serve_dashboard(home)
    page.goto(f"{address}/batch?w={space.id}&batch_tab=Training-curve+law+L(N,+S)")
    page.get_by_role("tab", name="Training-curve law L(N, S)").click()
    slider = page.get_by_role("slider").first
    slider.wait_for()
    slider.focus()
    missed = []
    for turn in range(PRESSES):
        # Moves that each begin a run of the page, most of which the next one cuts short; then a press at once, on the
        # tab's own buttons and on the page's, which are drawn last.
        for step in range(1 + turn % 4):
            slider.press("ArrowRight" if (turn // 6) % 2 == 0 else "ArrowLeft", delay=10)
            page.wait_for_timeout(40 * (step % 2) + 7 * turn)
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
    assert "not found" not in serve_dashboard.stop(address)
