"""What a sweep may be called: its name is a folder's, below the folder of all runs and nowhere else."""

from __future__ import annotations

from data.errors import DataError

MOST = 200  # bytes; a folder's name has 255 on most systems
_FIRST = (".", "-", " ")  # `..`, what is hidden and never read, what a command takes for an option
_LAST = (
    ".json",
    ".lock",
    ".log",
    ".sqlite",
    ".sqlite-wal",
    ".sqlite-shm",
    ".",
    " ",
)  # the queue's own files lie beside


def checked(name: str) -> str:
    """The name of a sweep, as it came. Raises DataError for one that is no plain folder's name."""
    plain = name.isprintable() and not set(name) & set("/\\")
    if not plain or not name or name.startswith(_FIRST) or name.endswith(_LAST) or len(name.encode()) > MOST:
        raise DataError(
            f"No sweep can be called {name!r:.60}, as its folder would be. Give its file a name of up to {MOST} bytes that begins with "
            "a letter, a digit or _, has no / or \\ in it, and ends otherwise than a file of the queue (.json, .lock, .log, .sqlite)."
        )
    return name
