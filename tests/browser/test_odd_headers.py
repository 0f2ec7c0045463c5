"""Odd headers in a real browser: a column mapped by hand, its unit said, runs brought back that their state set aside."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import TimeoutError

pytestmark = pytest.mark.browser

ODD = "name,zorb,Data seen [Gtok],val loss,State\n" + "".join(
    f"r{i}{j},{n},{d},{4 - 0.2 * i - 0.1 * j:.3f},{'crashed' if (i, j) == (2, 1) else 'finished'}\n"
    for i, n in enumerate((74, 160, 410, 1000, 2800))
    for j, d in enumerate((2, 8, 30, 100))
)


CHART = ".js-plotly-plot .scatterlayer path.point"


def idle(page: Any) -> None:
    """Wait until the page has finished what it was asked."""
    page.wait_for_timeout(250)
    page.wait_for_selector(".stApp[data-test-script-state=notRunning]")


def headline(page: Any, pattern: str) -> None:
    page.locator(".iso-answer").filter(has_text=re.compile(pattern)).wait_for()


def choose(page: Any, label: str, option: str) -> None:
    """Pick an option of a menu by what it says."""
    wanted = page.get_by_role("option", name=option, exact=True)
    for _ in range(5):  # a drawing that comes in between closes an open menu
        idle(page)
        page.get_by_role("combobox", name=label).first.click()
        try:
            wanted.click(timeout=5000)
        except TimeoutError:
            page.keyboard.press("Escape")
        else:
            return
    wanted.click()


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_odd_headers_are_mapped_units_set_and_runs_brought_back(
    serve_dashboard: Callable[..., str], browser_page: Callable[..., Any], width: int, dark: bool, tmp_path: Any
) -> None:
    page = browser_page(width=width, dark=dark)
    page.goto(serve_dashboard())
    page.wait_for_selector(CHART)
    idle(page)
    page.set_input_files(
        "[data-testid=stFileUploaderDropzoneInput]", {"name": "odd.csv", "mimeType": "text/csv", "buffer": ODD.encode()}
    )
    page.get_by_text("No column was taken for the parameters").wait_for()
    idle(page)
    page.screenshot(path=tmp_path / f"announced-{width}.png", full_page=True)
    page.get_by_role("button", name="Use zorb").click()
    page.get_by_text("In which unit is").first.wait_for()
    idle(page)
    page.get_by_role("button", name="Read the runs").click()
    headline(page, r"19\s*runs from\s*74.M\s*to\s*2\.8.B")
    # The unit stands beside its column, and another is said there.
    page.get_by_role("tab", name="Columns").click()
    choose(page, "Unit", "billions")
    headline(page, r"19\s*runs from\s*74.B\s*to\s*2\.8.T")
    idle(page)
    page.get_by_role("button", name="Undo").click()
    headline(page, r"19\s*runs from\s*74.M")
    unit = page.get_by_role("combobox", name="Unit").nth(1)  # a factor that no menu holds is typed
    idle(page)
    unit.click()
    page.keyboard.type("2e9")
    page.keyboard.press("Enter")
    page.locator(".iso-under").filter(has_text=re.compile(r"4.B to 200.B training tokens")).wait_for()
    idle(page)
    page.get_by_role("button", name="Undo").click()
    page.locator(".iso-under").filter(has_text=re.compile(r"2.B to 100.B training tokens")).wait_for()
    # A crashed run comes back by one click, and leaves by undo.
    page.get_by_role("tab", name="Set aside").click()
    idle(page)
    page.screenshot(path=tmp_path / f"aside-{width}.png", full_page=True)
    page.get_by_role("button", name="Bring back 1 crashed run").click()
    headline(page, r"20\s*runs from\s*74.M")
    assert page.evaluate("document.documentElement.scrollWidth") <= width + 1
    assert not page.complaints
