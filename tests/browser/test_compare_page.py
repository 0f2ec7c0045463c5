"""The Compare page in Chromium: its words stay on the page at any width, a setting moves it, its curve is taken away."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest

from dashboard.workspace import store as workspace
from tests.browser import hand
from tests.browser.hand import button, idle, press, until

pytestmark = pytest.mark.browser
SHOTS = os.environ.get("ISOFLOP_SHOTS")


@pytest.fixture(scope="module")
def home(serve_dashboard):
    return serve_dashboard.home


@pytest.fixture(scope="module")
def address(serve_dashboard):
    return serve_dashboard()


@pytest.fixture
def opened(browser_page, address, home, monkeypatch):
    """A function that opens the Compare page on three families of fifteen runs, or on bundled runs that name none."""
    monkeypatch.setenv("ISOFLOP_HOME", str(home))
    space = workspace.new()

    def open_page(families=True, **look):
        source = "bundled:probe-isoflop"
        if families:
            n, d = (a.ravel() for a in np.meshgrid(np.geomspace(1e8, 1e10, 5), np.geomspace(1e9, 1e11, 3)))
            rng = np.random.default_rng(1)
            rows = []
            for name, times in (("dense", 1.0), ("mixture of experts, 8 of 64", 0.88), ("<b>state</b> space", 1.05)):
                loss = (1.8 + times * (480 * n**-0.35 + 2000 * d**-0.365)) * np.exp(0.003 * rng.standard_normal(n.size))
                rows.append(pd.DataFrame({"params": n, "tokens": d, "loss": loss, "dataset": name}))
            source = workspace.keep(space, "families.csv", pd.concat(rows).to_csv(index=False).encode()).source
        workspace.change(space, "prepared", {"source": source})
        page = browser_page(**look)
        page.goto(f"{address}/compare?w={space.id}")
        page.locator(".iso-answer, .iso-trouble").first.wait_for()
        if families:
            page.locator("[data-testid=stPlotlyChart] .xtick text").first.wait_for()
        idle(page)
        return page

    return open_page


def shot(page, name):
    """The whole page as a picture for a person to look at, where a folder for them is given."""
    if SHOTS:
        width = page.viewport_size["width"]
        height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        page.set_viewport_size({"width": width, "height": min(height + 80, 6000)})
        idle(page)
        page.screenshot(path=f"{SHOTS}/{name}.png")


CUT = """() => [...document.querySelectorAll('.js-plotly-plot')].flatMap(plot => {
    const frame = plot.getBoundingClientRect();
    return [...plot.querySelectorAll('text')].filter(t => {
        const box = t.getBoundingClientRect();
        return t.textContent.trim() && box.width &&
            (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1);
    }).map(t => t.textContent);
})"""


def test_nothing_runs_off_the_page_and_it_answers_warns_and_gives_the_curve_away(opened):
    page = opened(width=390, dark=True)
    for width, dark in ((390, True), (1440, False)):
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.set_viewport_size({"width": width, "height": 1000})
        drawn = "wide => document.querySelector('.js-plotly-plot .main-svg').getBoundingClientRect().width > wide"
        hand.wait(page, (drawn, width / 2))
        idle(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("[data-testid=stPlotlyChart]").first.bounding_box()["height"] >= 480
        assert page.evaluate(CUT) == [], f"{width} px"
        shot(page, f"compare-{width}-{'dark' if dark else 'light'}")
        assert page.outside == []
    assert "compute than dense" in page.locator(".iso-answer").inner_text()
    assert "must not be compared" in page.locator(".iso-caution").inner_text()
    assert page.locator(".iso-families b", has_text="state").count() == 0, "a family's name was read as HTML"
    before = page.locator(".iso-under").inner_text()
    budget = page.get_by_role("textbox", name="At a budget of, FLOP")

    def type_in():
        budget.fill("1e25")
        budget.press("Enter")

    until(page, type_in, f"document.querySelector('.iso-under').innerText !== {before!r}")
    assert "At 1.0e25 FLOP" in page.locator(".iso-under").inner_text()
    idle(page)
    with page.expect_download() as found:
        button(page, "Multiplier curve").click()
    assert found.value.suggested_filename == "families.csv"


def test_the_empty_page_says_what_to_add(opened):
    page = opened(families=False)
    assert "No column of this table names families" in page.locator(".iso-answer").inner_text()
    shot(page, "compare-empty")
    link = page.get_by_role("link", name="Bring runs on the Runs page")
    press(link, lambda most: page.wait_for_url("**/?w=*", timeout=most))
