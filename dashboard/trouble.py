"""What to tell a person when something went wrong: our own errors are sentences already, any other becomes one."""

from __future__ import annotations

import logging

LOG = logging.getLogger("isoflop")
OURS = ("data", "fitting", "dashboard")


def is_for_people(error: BaseException) -> bool:
    """True when the error's class is one of ours, whose message is a sentence written for the person at the page."""
    return any(base.__module__.split(".")[0] in OURS for base in type(error).__mro__)


def told(error: BaseException) -> tuple[str, str]:
    """What happened and what to do, in plain text; an unforeseen error's traceback goes to the log, never further."""
    if is_for_people(error):
        return str(error), ""
    LOG.error("Unforeseen error", exc_info=error)
    if isinstance(error, MemoryError):
        return "This needs more memory than the machine has.", "Try a smaller file, or fewer resamples."
    if isinstance(error, OSError):
        return (
            "A file could not be read or written.",
            "Check that the disk has room and that Isoflop's folder is yours; the log in the terminal names the file.",
        )
    return (
        "Something went wrong inside Isoflop. Your runs and settings are safe on disk.",
        "Undo the last change or choose other data; the details are in the terminal that started Isoflop.",
    )
