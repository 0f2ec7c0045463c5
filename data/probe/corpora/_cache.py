"""What is worked out of a corpus once and kept: folders named by what they hold, which appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from platformdirs import user_cache_path

from data.errors import DataError

DONE = "done"  # the file that is written last
_STALE = 24 * 3600.0  # seconds after which what somebody began and left is taken away


def root() -> Path:
    """Where it is kept: beside what else Isoflop keeps where ISOFLOP_HOME says so, else in the user's cache."""
    home = os.environ.get("ISOFLOP_HOME", "")
    return Path(home).absolute() / "corpora" if home else user_cache_path("isoflop") / "corpora"


def kept(name: str, make: Callable[[Path], None]) -> Path:
    """The folder of this name, which `make` fills if nobody did before. Raises DataError where it cannot be written."""
    final = root() / name
    if (final / DONE).exists():
        return final
    beside: Path | None = None
    try:
        root().mkdir(parents=True, exist_ok=True)
        _tidied()
        beside = Path(tempfile.mkdtemp(dir=root(), prefix="."))
        make(beside)
        (beside / DONE).write_bytes(b"")
        for path in beside.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        try:
            beside.rename(final)
        except OSError:
            if not (final / DONE).exists():  # somebody else was not faster
                raise
    except OSError as error:
        raise DataError(
            f"The tokens of a corpus could not be kept in {root()}: {error.strerror or error}. "
            "Make room there, or set ISOFLOP_HOME to another folder."
        ) from None
    finally:
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)
    return final


def _tidied() -> None:
    for path in root().glob(".*"):
        with contextlib.suppress(FileNotFoundError):  # its maker was done in the meantime
            if time.time() - path.stat().st_mtime > _STALE:
                shutil.rmtree(path, ignore_errors=True)
