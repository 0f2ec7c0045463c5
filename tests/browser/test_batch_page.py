"""The Batch page in Chromium: an empty page opens our own ladder, a slider moves the curve of a run not yet made, nothing spills."""

from __future__ import annotations

import pytest

from dashboard.workspace import store as workspace
from tests.browser.hand import button, idle, open_tab, press, until

pytestmark = pytest.mark.browser


def test_the_ladder_opens_and_a_slider_moves_the_whole_run(browser_page, serve_dashboard, monkeypatch):
    address = serve_dashboard()
    monkeypatch.setenv("ISOFLOP_HOME", str(serve_dashboard.home))
    space = workspace.new()
    workspace.change(space, "prepared", {"source": "bundled:cerebras-gpt"})
    page = browser_page(width=390, height=844)
    page.goto(f"{address}/batch?w={space.id}")
    press(button(page, "Open the bundled batch-size sweep"), page.locator(".iso-answer", has_text="The critical batch"))
    units = page.get_by_test_id("stButtonGroup")
    press(units.get_by_text("sequences"), page.locator(".iso-answer", has_text="sequences."))
    idle(page)  # the tabs are drawn anew with the answer
    table = page.locator(".iso-sweep")
    assert table.evaluate(
        "t => t.scrollWidth <= t.parentElement.clientWidth"
    )  # nothing to scroll for, even this narrow
    open_tab(page, "Training-curve law L(N, S)")
    taken = page.locator("tr", has_text="Steps to").last
    taken.wait_for()
    before = taken.inner_text()
    idle(page)
    slider = page.get_by_role("slider").first
    slider.focus()
    for _ in range(3):
        slider.press("ArrowRight")
    other = ("before => [...document.querySelectorAll('tr')].filter(r => r.innerText.includes('Steps to'))"
             ".at(-1)?.innerText !== before", before)  # fmt: skip
    until(page, lambda: slider.press("ArrowRight"), other)
    idle(page)  # the tab's own files come last
    page.get_by_role("button", name="LaTeX").first.wait_for()
    with page.expect_download() as taken_away:
        page.get_by_role("button", name="LaTeX").first.click()
    assert taken_away.value.suggested_filename == "whole_run.tex"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("[data-testid=stException]").count() == 0
    # A page's own address makes Streamlit look for its health beside it first.
    assert not [c for c in page.complaints if "404" not in c]
    assert not page.outside
