"""Start the dashboard's server on this machine only, with the same options from whichever folder it is started."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
import tomllib
import webbrowser
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

APP = Path(__file__).parents[1] / "app.py"
CONFIG = Path(__file__).parents[2] / ".streamlit" / "config.toml"
FIRST_PORT = 8510  # assumed free on most machines; not Streamlit's own 8501, so that bookmarks do not cross
THREAD_LIMITS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")

# What keeps the server private does not depend on a file being found.
PRIVATE: dict[str, Any] = {
    "server.address": "127.0.0.1",
    "server.allowedHosts": ["127.0.0.1", "localhost"],
    "server.enableXsrfProtection": True,
    "server.enableCORS": True,
    "server.enableStaticServing": False,
    "server.enableAgentApi": False,
    "server.headless": True,
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "client.disableDataExport": True,  # Streamlit's own export of a table does not defuse cells
    # Streamlit has no documented switch for its greeting; ours says the same in one line.
    "logger.hideWelcomeMessage": True,
}


def one_thread_each() -> None:
    """Hold the numeric libraries to one thread; must run before NumPy is imported.

    Measured on two busy cores: a fit of 500 runs with 100 refits took 2.4 to 8.6 s with default threads, 0.12 s so.
    """
    for name in THREAD_LIMITS:
        os.environ.setdefault(name, "1")


def server_options(port: int, config: Path = CONFIG) -> dict[str, Any]:
    """Every Streamlit option by its dotted name: the project's own file, then what must hold whatever the file says."""
    listed: dict[str, Any] = {}
    if config.is_file():
        listed = dict(_flat(tomllib.loads(config.read_text(encoding="utf-8"))))
    return {**listed, **PRIVATE, "server.port": port}


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def free_port(first: int = FIRST_PORT, tries: int = 20) -> int:
    """A port of 127.0.0.1 that nobody listens on: the first free one from `first`, else any."""
    for port in [*range(first, first + tries), 0]:
        with socket.socket() as probe:
            if os.name != "nt":  # as the server itself binds, so that a port just closed counts as free
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1; close a program that listens, or pass --port")


def serve(*, port: int | None = None, browser: bool = True, query: str = "") -> None:
    """Serve the dashboard until interrupted; `query` is what follows the ? in the address that is opened."""
    one_thread_each()
    port = port or free_port()
    url = f"http://127.0.0.1:{port}/" + (f"?{query}" if query else "")
    threading.Thread(target=_announce, args=(port, url, browser), daemon=True).start()

    import streamlit as st
    from starlette.middleware import Middleware

    from dashboard.server import gone_widgets
    from dashboard.server.headers import Headers

    # Only now: Streamlit has imported Plotly, which breaks when pandas is half imported in another thread.
    _warmed.clear()
    threading.Thread(target=_warm, daemon=True).start()
    gone_widgets.remember()
    # Streamlit hands the rest of the command line to the page, which has no use for it.
    sys.argv = [str(APP)]
    page = st.App(str(APP), on_script_error=_apologise, middleware=[Middleware(Headers)])
    page.run(config=server_options(port))


def _announce(port: int, url: str, browser: bool) -> None:
    """Say where the page is, and open it, as soon as the port answers."""
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.05)
    else:
        return
    print(f"Isoflop is open at {url}  (Ctrl+C stops it)", flush=True)
    if browser:
        webbrowser.open(url)


_warmed = threading.Event()
_warmed.set()


def wait_until_warm() -> None:
    """Wait for the import that began with the server: two threads that import one package from both its ends stop each other."""
    _warmed.wait()


def _warm() -> None:
    """Import what the first page needs while the browser is still starting."""
    try:
        import dashboard.charts.plane
        import dashboard.state  # noqa: F401
    except Exception:  # the page itself will say what is wrong
        return
    finally:
        _warmed.set()


def _apologise(error: Exception) -> bool:
    """Show a page with a sentence on it for what escapes the page, such as a widget's callback; True: handled."""
    from dashboard import frame

    frame.whole(error)
    return True
