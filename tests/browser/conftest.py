"""A real Chromium and a real Streamlit server for the tests in this folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
OPENED = pytest.StashKey[list[Any]]()  # the pages that a test has opened
# Nothing is fetched or synchronised by the browser itself, and a container has no sandbox to give it.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Streamlit fades and turns what waits, at every frame: half of what drawing costs, and nothing that a test looks at.
AT_ONCE = """document.addEventListener('DOMContentLoaded', () => {
    const style = document.createElement('style');
    style.textContent = '*, *::before, *::after { animation: none !important; transition: none !important; }';
    document.head.append(style);
});"""


def _no_browser(reason: str) -> None:
    """Skips with the reason, or fails where ISOFLOP_REQUIRE_BROWSER=1 says that a browser must be there."""
    if os.environ.get("ISOFLOP_REQUIRE_BROWSER") == "1":
        pytest.fail(f"ISOFLOP_REQUIRE_BROWSER=1, and {reason}")
    pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test's report says what its pages showed, and keeps a picture of each under ISOFLOP_PICTURES where that is set."""
    report = yield
    if call.when == "call" and report.failed:
        for i, page in enumerate(item.stash.get(OPENED, [])):
            try:
                state = page.locator(".stApp").first.get_attribute("data-test-script-state", timeout=2_000)
                report.sections.append(
                    (f"page {i}: {page.url}, script {state}", page.inner_text("body", timeout=2_000))
                )
                if folder := os.environ.get("ISOFLOP_PICTURES"):
                    page.screenshot(path=Path(folder) / f"{item.name}-{i}.png", full_page=True)
            except Exception as error:  # a page that hangs has nothing to show
                report.sections.append((f"page {i}", f"says nothing: {error}"))
    return report


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One Chromium for the session: the system's `chromium` (or ISOFLOP_CHROMIUM), never one that is downloaded."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        _no_browser("playwright is not installed (it comes with the dev extra)")
    path = os.environ.get("ISOFLOP_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        _no_browser("no chromium was found on the path (ISOFLOP_CHROMIUM names another)")
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        except Error as error:
            _no_browser(f"chromium at {path} did not start: {str(error).splitlines()[0]}")
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def context(browser: Any) -> Iterator[Any]:
    """The browser context of all pages that need not be fresh.

    A context that has seen nothing takes seven seconds of processor for the code of Streamlit and Plotly before a page is
    there, and a page in one that has takes two (measured): what a page keeps for itself is cleared after every test.
    """
    held = browser.new_context()
    yield held
    held.close()


@pytest.fixture(scope="session")
def pages(context: Any) -> list[Any]:
    """The blank pages at hand.

    A page that has shown the dashboard keeps its code compiled: another address in it takes half the processor of a new page.
    """
    return []


def _watched(page: Any) -> Any:
    """The page, which from now on notes what it asks for elsewhere and what it complains of."""

    def note_request(request: Any) -> None:
        host = request.url.split("/")[2].split(":")[0] if "://" in request.url else ""
        if request.url.startswith(("http", "ws")) and host not in ("localhost", "127.0.0.1"):
            page.outside.append(request.url)

    page.add_init_script(AT_ONCE)
    page.on("request", note_request)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda m: page.complaints.append(m.text) if m.type == "error" else None)
    return page


def _emptied(page: Any) -> None:
    """Leave nothing of what the page has shown: no storage, no cookie, no document, no button held, no pointer over anything."""
    if page.url.startswith("http"):
        page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    page.context.clear_cookies()
    page.mouse.up()
    page.goto("about:blank")
    page.mouse.move(0, 0)


@pytest.fixture
def browser_page(
    request: pytest.FixtureRequest, browser: Any, context: Any, pages: list[Any]
) -> Iterator[Callable[..., Any]]:
    """A function that opens a page: `browser_page(width=1440, height=1000, dark=False, touch=False, fresh=False)`
    returns a Playwright page, in a context that has seen nothing before if `fresh`.

    What the page asked for outside this machine is in `page.outside` (a list of addresses), and what it wrote to the
    console as an error or threw in `page.complaints`. All pages are emptied after the test, and nothing of them is kept.
    """
    taken, touched, own = [], [], []

    def open_page(
        width: int = 1440,
        height: int = 1000,
        *,
        dark: bool = False,
        touch: bool = False,
        reduced_motion: bool = False,
        fresh: bool = False,
    ) -> Any:
        if fresh:
            own.append(browser.new_context())
            page = _watched(own[-1].new_page())
        else:
            page = pages.pop() if pages else _watched(context.new_page())
            taken.append(page)
        if touch:  # by the page: another context would compile everything once more
            touched.append(page.context.new_cdp_session(page))
            touched[-1].send("Emulation.setTouchEmulationEnabled", {"enabled": True})
        page.bring_to_front()  # one behind another is not drawn as often, and the pointer is not over it
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(
            color_scheme="dark" if dark else "light", reduced_motion="reduce" if reduced_motion else "no-preference"
        )
        page.set_default_timeout(60_000)  # a machine that others keep busy is no failure
        page.outside, page.complaints = [], []
        request.node.stash.setdefault(OPENED, []).append(page)
        return page

    yield open_page
    for session in touched:
        session.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
        session.detach()
    for fresh_context in own:
        fresh_context.close()
    for page in taken:
        try:
            _emptied(page)
        except Exception:  # one that a failed test left hanging is not used again
            page.close()
        else:
            pages.append(page)


@pytest.fixture(scope="session")
def serve_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """A function that serves a Streamlit script and returns its address: `serve_app(path, env={...}, args=[...])`.

    The server gets a free port on localhost and a working folder of its own, unless `cwd` is given. The same script
    with the same settings is served once a session. A server that does not answer within a minute fails the test with
    what it printed.
    """
    running: dict[tuple[Any, ...], str] = {}
    with ExitStack() as stack:

        def serve(
            script: Path | str, *, env: dict[str, str] | None = None, args: list[str] | None = None, cwd: Any = None
        ) -> str:
            key = (str(script), tuple(sorted((env or {}).items())), tuple(args or ()), str(cwd))
            if key not in running:
                folder = Path(cwd) if cwd else tmp_path_factory.mktemp("served")
                running[key] = stack.enter_context(_Served(Path(script), env or {}, args or [], folder))
            return running[key]

        yield serve


class _Served:
    """A Streamlit server for the length of a `with` block."""

    def __init__(self, script: Path, env: dict[str, str], args: list[str], folder: Path) -> None:
        self.script, self.env, self.args, self.folder = script, env, args, folder

    def __enter__(self) -> str:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        address = f"http://127.0.0.1:{port}"
        options = {
            "server.port": str(port),
            "server.address": "127.0.0.1",
            "server.headless": "true",
            "server.fileWatcherType": "none",
            "browser.gatherUsageStats": "false",
        }
        command = [sys.executable, "-m", "streamlit", "run", str(self.script)]
        command += [f"--{name}={value}" for name, value in options.items()] + self.args
        self.log = self.folder / f"server-{port}.txt"
        threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env={**os.environ, **threads, **self.env}, stdout=out, stderr=out
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                    return address
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        self.__exit__()
        pytest.fail(f"the server for {self.script} did not answer:\n{self.log.read_text()[-3000:]}")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
