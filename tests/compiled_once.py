"""Workers that begin together in a fresh clone: the first compiles what all import, the others come when it has, and read it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import cache_from_source
from pathlib import Path

import pytest

try:
    import fcntl
except ImportError:  # Windows: every worker compiles
    fcntl = None  # type: ignore[assignment]

# One of the last to be collected: where it is compiled, so is what comes before.
LATE = Path(__file__).with_name("test_words.py")


def waits() -> bool:
    """Whether this process is one of several that would all compile the same."""
    compiled = Path(cache_from_source(str(LATE))).parent.glob(f"{LATE.stem}.*{pytest.__version__}.pyc")
    return "PYTEST_XDIST_WORKER" in os.environ and not sys.dont_write_bytecode and not any(compiled)


@contextmanager
def first_alone(path: Path) -> Iterator[None]:
    """Hold the lock on a file that is there for the length of a `with` block; whoever comes meanwhile waits until it is free.

    A process that dies lets go of it.
    """
    with path.open("rb") as held:
        if fcntl is not None:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                fcntl.flock(held, fcntl.LOCK_SH)  # together with all who wait
                fcntl.flock(held, fcntl.LOCK_UN)
        yield
