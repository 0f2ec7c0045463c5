"""A press on a button gives the file of what was on the page, however often the page has been begun anew since."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit import runtime
from streamlit.runtime.backend_operation_handler import DeferredFileHandler
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.media_file_storage import MediaFileKind, MediaFileStorageError
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from dashboard import downloads
from dashboard.downloads import File
from dashboard.server import stored_files


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(stored_files.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Any:
    made = MediaFileManager(MemoryMediaFileStorage("/media"))
    monkeypatch.setattr(runtime, "exists", lambda: True)
    monkeypatch.setattr(runtime, "get_instance", lambda: SimpleNamespace(media_file_mgr=made))
    stored_files.keep()
    stored_files.keep()
    return made


def draw(manager: Any, text: str, *, ended: bool = True) -> str:
    """A run of the script that draws one button, and ends if nothing cuts it short."""
    manager.clear_session_refs()
    name: str = manager.add_deferred(lambda: text, "text/csv", "1.2", "a.csv", element_id="button")
    if ended:
        manager.remove_orphaned_files()
    return name


def cut_short(manager: Any) -> None:
    """A run that ends before it comes to the button."""
    manager.clear_session_refs()
    manager.remove_orphaned_files()


def content(manager: Any, url: str) -> bytes:
    return bytes(manager._storage.get_file(url.rsplit("/", 1)[-1]).content)


def test_without_it_a_run_cut_short_takes_the_file_away() -> None:
    """What Streamlit does by itself; when this fails, `kept_files` may have become needless."""
    plain = MediaFileManager(MemoryMediaFileStorage("/media"))
    name = draw(plain, "x")
    cut_short(plain)
    with pytest.raises(MediaFileStorageError):
        plain.execute_deferred(name)


@pytest.mark.parametrize("runs", [0, 1, 2, 7])
def test_a_press_is_for_the_page_that_was_seen(manager: Any, clock: list[float], runs: int) -> None:
    seen = draw(manager, "what was on the page")
    for i in range(runs):
        cut_short(manager)
        draw(manager, f"later {i}", ended=i % 2 == 0)
    url = manager.execute_deferred(seen)
    for _ in range(3):
        cut_short(manager)
    assert content(manager, url) == b"what was on the page"


def test_nothing_is_kept_for_ever(manager: Any, clock: list[float]) -> None:
    names = [draw(manager, str(i)) for i in range(50)]
    assert len(manager._deferred_callables) == stored_files.EACH
    url = manager.execute_deferred(names[-1])
    clock[0] += stored_files.SECONDS + 1
    cut_short(manager)
    clock[0] += stored_files.SECONDS + 1
    cut_short(manager)
    assert not manager._deferred_callables
    assert not manager._deferred_ids_by_session
    assert not manager._file_metadata
    assert not manager.isoflop_since
    with pytest.raises(MediaFileStorageError):
        manager._storage.get_file(url.rsplit("/", 1)[-1])


def test_what_a_page_needs_stays_however_old(manager: Any, clock: list[float]) -> None:
    name = draw(manager, "still here")
    for _ in range(5):
        clock[0] += stored_files.SECONDS + 1
        manager.remove_orphaned_files()
    assert content(manager, manager.execute_deferred(name)) == b"still here"


def test_pictures_go_as_they_did(manager: Any, clock: list[float]) -> None:
    manager.add(b"picture", "image/png", "1.3")
    cut_short(manager)
    assert not [m for m in manager._file_metadata.values() if m.kind is MediaFileKind.MEDIA]


async def ask(manager: Any, name: str) -> Any:
    request = SimpleNamespace(request_id="1", deferred_file=SimpleNamespace(file_id=name))
    return await DeferredFileHandler(lambda: manager).handle(request, "session")  # type: ignore[arg-type]


def test_a_file_that_cannot_be_made_says_so_without_a_traceback(
    manager: Any, caplog: pytest.LogCaptureFixture, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path))
    said: list[str] = []

    def broken() -> str:
        raise ZeroDivisionError("a defect")

    make: Callable[[], bytes] = lambda: downloads._made(File("CSV", "plan.csv", "text/csv", broken), said.append)  # noqa: E731
    name = manager.add_deferred(make, "text/csv", "1.2", "plan.csv")
    # A loop of its own: one that drives a browser may run in this thread.
    with caplog.at_level(logging.ERROR), ThreadPoolExecutor(1) as apart:
        answer = apart.submit(lambda: asyncio.run(ask(manager, name))).result()
    assert answer.error_msg
    assert said[0].startswith("plan.csv could not be made: Something went wrong")
    assert "Traceback" not in caplog.text
    assert "ZeroDivisionError" in (tmp_path / "errors.log").read_text()
