"""What to tell a person when something went wrong: our own errors are sentences already, any other becomes one."""

from __future__ import annotations

import contextlib
import logging
import os
import time
import traceback
from collections.abc import Iterable
from pathlib import Path

LOG = logging.getLogger("isoflop")
OURS = ("data", "fitting", "dashboard")
DETAILS = "errors.log"  # under Isoflop's home
LONGEST = 1_000_000  # bytes of it that are kept
TRACEBACK = "ISOFLOP_TRACEBACK"  # set to 1, tracebacks are shown in the terminal as well


def is_for_people(error: BaseException) -> bool:
    """True when the error's class is one of ours, whose message is a sentence written for the person at the page."""
    return any(base.__module__.split(".")[0] in OURS for base in type(error).__mro__)


def in_words(error: BaseException) -> str:
    """The sentence of an error of ours; of a table's open question, without the arguments of Python that answer it."""
    return str(getattr(error, "message", error))


def once(sentences: Iterable[str]) -> str:
    """The sentences one after another, each said once: what is true of three losses is one trouble."""
    return " ".join(dict.fromkeys(sentences))


def message_of(error: BaseException) -> tuple[str, str]:
    """What happened and what to do, in plain text; an unforeseen error is recorded, once, and goes no further."""
    if is_for_people(error):
        return in_words(error), ""
    if not getattr(error, "isoflop_recorded", False):
        LOG.error("Unforeseen error (%s); details in %s", type(error).__name__, record(error) or "no file: none opened")
        with contextlib.suppress(AttributeError):
            error.isoflop_recorded = True  # type: ignore[attr-defined]
    return unforeseen(error)


def unforeseen(error: BaseException) -> tuple[str, str]:
    """What happened and what to do where the error is none of ours."""
    if isinstance(error, MemoryError):
        return "This needs more memory than the machine has.", "Try a smaller file, or fewer resamples."
    if isinstance(error, OSError):
        return (
            "A file could not be read or written.",
            f"Check that the disk has room and that Isoflop's folder is yours; {DETAILS} in it names the file.",
        )
    return (
        "Something went wrong inside Isoflop. Your runs and settings are safe on disk.",
        f"Undo the last change or choose other data; the details are in {DETAILS} in Isoflop's folder.",
    )


def record(error: BaseException) -> Path | None:
    """Add the error's traceback to the file of details, and show it where TRACEBACK says so; None where no file opens."""
    text = "".join(traceback.format_exception(error))
    if os.environ.get(TRACEBACK) == "1":
        print(text, flush=True)
    try:
        from dashboard.workspace import files
        from dashboard.workspace import store as workspace

        path = files.private_folder(workspace.home()) / DETAILS
        if path.is_file() and path.stat().st_size > LONGEST:
            path.replace(path.with_suffix(".old"))
        with path.open("a", encoding="utf-8", errors="replace") as out:
            out.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}\n{text}\n")
    except OSError:
        return None
    return path
