"""Odd headers in a real browser: a column mapped by hand, its unit said, runs brought back that their state set aside."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.hand import ANSWER, button, choose, idle, open_tab, press, until

pytestmark = pytest.mark.browser
SHOTS = os.environ.get("ISOFLOP_SHOTS")

ODD = "name,zorb,Data seen [Gtok],val loss,State\n" + "".join(
    f"r{i}{j},{n},{d},{4 - 0.2 * i - 0.1 * j:.3f},{'crashed' if (i, j) == (2, 1) else 'finished'}\n"
    for i, n in enumerate((74, 160, 410, 1000, 2800))
    for j, d in enumerate((2, 8, 30, 100))
)


CHART = ".js-plotly-plot .scatterlayer path.point"


def headline(pattern: str) -> tuple[str, str]:
    """The sign that the answer on top reads like this."""
    return ANSWER, pattern


def under(page: Any, pattern: str) -> Any:
    return page.locator(".iso-under").filter(has_text=re.compile(pattern))


def test_odd_headers_are_mapped_units_set_and_runs_brought_back(
    serve_dashboard: Callable[..., str], browser_page: Callable[..., Any]
) -> None:
    """By a narrow window, in which everything is harder to reach; the wide one is looked at."""
    page = browser_page(width=390, dark=True)
    page.goto(serve_dashboard())
    page.wait_for_selector(CHART)

    def fits(name: str) -> None:
        """Nothing is wider than the window, nor than a wide one."""
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 1000})
            if SHOTS:
                page.screenshot(path=f"{SHOTS}/{name}-{width}.png", full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth") <= width + 1

    file = {"name": "odd.csv", "mimeType": "text/csv", "buffer": ODD.encode()}
    until(
        page,
        lambda: page.set_input_files("[data-testid=stFileUploaderDropzoneInput]", file),
        page.get_by_text("No column was taken for the parameters"),
    )
    idle(page)
    fits("announced")
    press(button(page, "Use zorb"), page.get_by_text("In which unit is"))
    press(button(page, "Read the runs"), headline("19 runs from 74.M to 2\\.8.B"))
    # The unit stands beside its column, and another is said there.
    open_tab(page, "Columns")
    choose(page, page.get_by_role("combobox", name="Unit").first, "billions", headline("19 runs from 74.B to 2\\.8.T"))
    press(button(page, "Undo"), headline("19 runs from 74.M"))

    def type_unit() -> None:  # a factor that no menu holds
        page.get_by_role("combobox", name="Unit").nth(1).click()
        page.keyboard.type("2e9")
        page.keyboard.press("Enter")

    until(page, type_unit, under(page, r"4.B to 200.B training tokens"))
    press(button(page, "Undo"), under(page, r"2.B to 100.B training tokens"))
    # A crashed run comes back by one click, and leaves by undo.
    open_tab(page, "Set aside")
    idle(page)
    fits("aside")
    press(button(page, "Bring back 1 crashed run"), headline("20 runs from 74.M"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390 + 1
    assert not page.complaints
