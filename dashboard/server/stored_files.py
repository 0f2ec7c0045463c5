"""Files that buttons offer stay for a while after the page was drawn anew: a press is for what was on the page.

Streamlit (1.67, runtime/media_file_manager.py) forgets what a button would make as soon as a run of the script ends that
did not draw that button, and a run that another one cuts short draws few of them. The page in the browser still shows the
button of before, and a press on it would do nothing.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from typing import Any

from streamlit import runtime

SECONDS = 300.0  # how long a file is kept that no page needs any more
EACH = 8  # and how many of one button: what a file is made from can hold a fit


def keep() -> None:
    """Let this server keep what buttons would make, and what they made, for SECONDS; once is enough."""
    if not runtime.exists():
        return
    manager: Any = runtime.get_instance().media_file_mgr
    if not hasattr(manager, "isoflop_since"):
        manager.isoflop_since = {}
        manager.remove_orphaned_files = lambda: _remove(manager)
        logging.getLogger("streamlit.runtime.backend_operation_handler").addFilter(_without_traceback)


def _without_traceback(record: logging.LogRecord) -> bool:
    """What a file could not be made from has been recorded by then."""
    record.exc_info = record.exc_text = None
    return True


def _remove(manager: Any) -> None:
    """Remove what has not been needed by any page for a while; pictures at once, as Streamlit does."""
    with manager._lock:
        now, since = time.monotonic(), manager.isoflop_since
        needed = {file for files in manager._files_by_session_and_coord.values() for file in files.values()}
        for file in needed & set(since):
            del since[file]
        several: Counter[tuple[str, str]] = Counter()
        for file, entry in reversed(list(manager._deferred_callables.items())):  # the newest first
            button = entry["session_id"], entry["element_id"] or entry["coordinates"]
            several[button] += 1
            if file not in needed and (now - since.setdefault(file, now) > SECONDS or several[button] > EACH):
                manager._drop_deferred_id(file)
                del since[file]
        for file, entry in list(manager._file_metadata.items()):
            if file in needed:
                continue
            if entry.kind.value == "media" or now - since.setdefault(file, now) > SECONDS:
                manager._delete_file(file)
                since.pop(file, None)
