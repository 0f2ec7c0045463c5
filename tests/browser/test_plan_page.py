"""The Plan page in Chromium: batch and rate follow the budget, the front is dragged under a deadline, a device changes it."""

from __future__ import annotations

import os
import re

import pytest

from dashboard import workspace

pytestmark = pytest.mark.browser
SHOTS = os.environ.get("ISOFLOP_SHOTS")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def address(serve_dashboard, home):
    return serve_dashboard(home)


@pytest.fixture
def page(browser_page, address, home, monkeypatch):
    """The Plan page on the simulated ladder at 1e22 FLOP, with a deadline."""
    monkeypatch.setenv("ISOFLOP_HOME", str(home))
    space = workspace.new()
    settings = {
        "source": "bundled:simulated-ladder",
        "plan": {"deadline": 60.0, "most_devices": 4096, "panels": "all", "devices": 64},
    }
    workspace.change(space, "prepared", {**settings, "fit:bundled:simulated-ladder": {"resamples": 400}})
    page = browser_page(width=1440, height=2600)
    page.goto(f"{address}/plan?w={space.id}&c=1e22")
    page.locator(".bc-pill").nth(1).wait_for()
    settled(page)
    page.space = space
    return page


def settled(page):
    page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')")
    page.wait_for_timeout(500)


def values(page, chart):
    """Read-outs of one of the two charts: key to (value, interval, lines below)."""
    out = {}
    for box in page.locator(".bc").nth(chart).locator(".bc-readout").all():
        parts = [
            box.locator(s).all_inner_texts() for s in (".bc-readout-value", ".bc-readout-range", ".bc-readout-more")
        ]
        out[box.get_attribute("data-key")] = (parts[0][0], parts[1][0], parts[2])
    return out


def moved(page, chart, key, before):
    """Waits until Python's answer has changed a read-out."""
    from playwright.sync_api import expect

    value = page.locator(".bc").nth(chart).locator(f'.bc-readout[data-key="{key}"] .bc-readout-value')
    expect(value).not_to_have_text(before[key][0])
    settled(page)


def drag(page, chart, by):
    """Drags a chart's handle by so many pixels; returns the read-outs while it is held."""
    pill = page.locator(".bc").nth(chart).locator(".bc-pill")
    box = pill.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(x + by * step / 8, y)
    page.wait_for_timeout(60)
    held = values(page, chart)
    page.mouse.up()
    return held


def test_the_whole_run_moves_with_the_budget_and_the_front_with_its_own_line(page):
    before, front = values(page, 0), values(page, 1)
    assert set(before) == {"loss", "params", "tokens", "batch", "lr", "steps"}
    assert any("critical" in line for line in before["batch"][2])
    held = drag(page, 0, 120)
    for key in ("batch", "lr", "steps"):
        assert held[key][0] != before[key][0], f"{key} did not move"
        assert re.search(r"\d", held[key][1]), f"{key} has no interval"
    moved(page, 1, "cost", front)  # a larger budget has a dearer front

    front = values(page, 1)
    held = drag(page, 1, -150)
    for key in ("cost", "devices", "batch"):
        assert held[key][0] != front[key][0]
    for _ in range(100):  # sooner takes more devices, and Python keeps how many
        if workspace.values(page.space)["plan"]["devices"] > 64:
            break
        page.wait_for_timeout(100)
    else:
        raise AssertionError("Python was not told of the devices")
    labels = page.locator(".bc").nth(1).locator(".bc-region").all_text_contents()
    assert "after 60\u00a0days" in labels
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/plan-front.png")

    front = values(page, 1)
    page.get_by_role("combobox", name="Device").first.click()
    page.get_by_role("option", name="A100").click()
    moved(page, 1, "cost", front)
