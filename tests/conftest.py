"""What all tests share: a real dashboard to open, and no quiet skips where everything is supposed to be there."""

from __future__ import annotations

import gc
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.compiled_once import first_alone, waits

# Before anything counts with them: workers stand on every core, and threads that wait for one of their own took ten times as long.
for threads in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

# An example mostly reads a table or fits one; a busy machine makes any of them slow.
settings.register_profile("isoflop", max_examples=50, deadline=None)
settings.load_profile("isoflop")

# Reasons to skip that say "this machine lacks something", rather than "this does not apply here".
MISSING = re.compile(r"ISOFLOP_[A-Z]+|chromium|playwright|torch", re.IGNORECASE)


def _strict() -> bool:
    return os.environ.get("ISOFLOP_STRICT") == "1" or os.environ.get("CI", "").lower() == "true"


def _deny(report: Any) -> None:
    """Turn a skip for want of something into a failure where nothing may be wanting."""
    if report.skipped and not hasattr(report, "wasxfail") and _strict():
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if MISSING.search(reason):
            report.outcome = "failed"
            report.longrepr = f"skipped where everything must be there: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    report = yield
    _deny(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    report = yield
    _deny(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Compiling is half of what collecting takes in a fresh clone, and two that do it at once share nothing."""
    with first_alone(Path(__file__)) if waits() else nullcontext():
        return (yield)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What is there before the first test stays until the end: the collector of cycles need not look through it each time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name bytes by their argument: a test's name must be the same in every worker, and bytes can carry a clock."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def serve_dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """A function that starts `python -m dashboard` and returns its address: `serve_dashboard(home=None, fresh=False)`.

    Started in an empty folder with a home of its own. One server serves the whole session unless `fresh` is asked for;
    `serve_dashboard.stop(address)` ends one, so that a test can start another on the same home, and
    `serve_dashboard.home` is the shared one's, in which a test may prepare a workspace, and `serve_dashboard.said(address)`
    what a server has written so far. Whatever a server wrote about an
    unforeseen error fails the session at its end.
    """
    running: dict[str, tuple[subprocess.Popen[str], Path]] = {}
    shared: list[str] = []
    shared_home = tmp_path_factory.mktemp("shared") / "home"

    def serve(home: Path | None = None, *, fresh: bool = False) -> str:
        if home is None and not fresh and shared:
            return shared[0]
        folder = tmp_path_factory.mktemp("started")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        log = folder / "log.txt"
        with log.open("w") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "dashboard", "--no-browser", "--port", str(port)],
                cwd=folder,
                env={**os.environ, "ISOFLOP_HOME": str(home or (folder / "home" if fresh else shared_home))},
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
            )
        address = f"http://127.0.0.1:{port}"
        running[address] = process, log
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
                continue
            if home is None and not fresh:
                shared.append(address)
            return address
        pytest.fail(f"the dashboard did not answer:\n{log.read_text()[-3000:]}")

    def stop(address: str) -> str:
        process, log = running.pop(address)
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return log.read_text()

    def said_by(address: str) -> str:
        return running[address][1].read_text()

    serve.stop, serve.home, serve.said = stop, shared_home, said_by  # type: ignore[attr-defined]
    yield serve
    said = "\n".join(stop(address) for address in list(running))
    assert "Traceback" not in said, said[-5000:]
    assert "Unforeseen error" not in said, said[-5000:]


@pytest.fixture(scope="session")
def dataset() -> Callable[[str], Path]:
    """The path of one of the public data sets; skips where their folder is not named, fails where the file is missing."""
    folder = os.environ.get("ISOFLOP_DATASETS")

    def path(name: str) -> Path:
        if not folder:
            pytest.skip("ISOFLOP_DATASETS is not set")
        found = Path(folder) / name
        assert found.is_file(), f"{found} is missing"
        return found

    return path


@pytest.fixture
def dropped_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, ...]]:
    """The keys of the laws in tests/fitting/laws/dropped, which are there as if their files lay in fitting/laws."""
    import fitting.laws

    folder = Path(__file__).parent / "fitting" / "laws" / "dropped"
    known, modules = set(fitting.laws.all_laws()), set(sys.modules)
    monkeypatch.setattr(fitting.laws, "__path__", [*fitting.laws.__path__, str(folder)])
    fitting.laws._read.cache_clear()
    yield tuple(key for key in fitting.laws.all_laws() if key not in known)
    monkeypatch.undo()
    fitting.laws._read.cache_clear()
    for name in {m for m in sys.modules if m.startswith("fitting.laws.")} - modules:
        delattr(fitting.laws, name.rpartition(".")[2])
        del sys.modules[name]


@pytest.fixture
def broken_law(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dropped_in: tuple[str, ...]) -> Path:
    """A file beside the laws dropped in with a mistake in its declaration."""
    import fitting.laws

    path = tmp_path / "laws" / "acc.py"
    path.parent.mkdir()
    path.write_text('from fitting.law import Param\n\nlaw = Param("C", "C", "", "", (0.0, 1.0)).no_such_thing\n')
    monkeypatch.setattr(fitting.laws, "__path__", [*fitting.laws.__path__, str(path.parent)])
    fitting.laws._read.cache_clear()
    return path
