"""Presses as a patient person makes them: on a page that has come to rest, and again where the page shows nothing of the first."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, TimeoutError

#: What shows that a press took: something to be seen, a condition in JavaScript (with what it is asked of), or what waits so many ms.
Sign = Locator | str | tuple[str, Any] | Callable[[float], Any]
TRIES = 4
PATIENCE = 5_000  # ms for which a page at rest may show nothing of a press
MOST = 60_000  # and one at work: a machine that others keep busy is no failure
ANSWER = """pattern => new RegExp(pattern).test((document.querySelector('.iso-answer')?.innerText || '').replace(/\\s+/g, ' '))"""
RESTS = """() => document.querySelector('.stApp[data-test-script-state=notRunning][data-test-connection-state=CONNECTED]') !== null
    && !document.querySelector('[data-stale=true], [data-testid=stSkeleton]')"""
# Four looks in a row: what is sent a moment after it was asked for, such as a slider let go of, begins another run.
RESTS_FOR_A_WHILE = f"""token => {{
    if (window.restsFor !== token) [window.restsFor, window.rested] = [token, 0];
    window.rested = ({RESTS})() ? window.rested + 1 : 0;
    return window.rested > 3;
}}"""
turns = itertools.count()


def idle(page: Page) -> None:
    """Wait until the page has finished what it was asked."""
    page.wait_for_function(RESTS_FOR_A_WHILE, arg=next(turns), polling=60)


def frame(page: Page) -> None:
    """Wait until what the hand has done by now has been drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))")


def wait(page: Page, sign: Sign, most: float = MOST) -> None:
    """Wait for a sign for so many ms; raises TimeoutError."""
    if isinstance(sign, Locator):
        sign.first.wait_for(timeout=most)
    elif callable(sign):
        sign(most)
    else:
        script, arg = sign if isinstance(sign, tuple) else (sign, None)
        page.wait_for_function(script, arg=arg, timeout=most)


def until(page: Page, deed: Callable[[], Any], sign: Sign) -> None:
    """Do it on a page at rest and wait for the sign; where the page rests again without it, do it once more."""
    for turn in range(1, TRIES + 1):
        idle(page)
        deed()
        for _ in range(int(MOST / PATIENCE)):
            try:
                wait(page, sign, PATIENCE)
            except TimeoutError:
                if page.evaluate(RESTS):
                    break
            else:
                return
        print(f"Nothing was seen of press {turn} on {page.url}.")
    raise AssertionError(f"{TRIES} presses on a page at rest, and nothing came of them: {sign}")


def press(target: Locator, sign: Sign) -> None:
    """Press a button, a tab or a link until it took."""
    until(target.page, target.click, sign)


def says(page: Page, pattern: str) -> None:
    """Wait until the answer on top reads like this."""
    wait(page, (ANSWER, pattern))


def button(page: Page, name: str) -> Locator:
    """The button of that name, exactly."""
    return page.get_by_role("button", name=name, exact=True).first


def open_tab(page: Page, name: str) -> None:
    """Press a tab until it is open, and still is once the page rests."""
    opened = page.get_by_role("tab", name=name, exact=True, selected=True)

    def stays(most: float) -> None:
        opened.wait_for(timeout=most)
        idle(page)
        if not opened.count():
            raise TimeoutError(f"{name} did not stay open")

    press(page.get_by_role("tab", name=name, exact=True), stays)


def choose(page: Page, menu: Locator, option: str, sign: Sign) -> None:
    """Pick an option of a menu by its words."""
    wanted = page.get_by_role("option", name=option, exact=True)

    def deed() -> None:
        menu.click()
        try:
            wanted.click(timeout=PATIENCE)
        except TimeoutError:  # drawn anew in between, which closes it
            page.keyboard.press("Escape")

    until(page, deed, sign)
