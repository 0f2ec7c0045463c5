"""One BLAS thread while fitting: on problems of this size more threads cost up to twenty times the work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController


@cache
def _controller() -> ThreadpoolController:
    import numpy.linalg  # noqa: F401 - the controller only sees libraries that are loaded

    return ThreadpoolController()


class _Held:
    """The limit with how many hold it: the first sets it and the last lifts it, since it is one for the whole process.

    Each restoring what it found would leave the limit behind, where one that began under another's ended after it.
    """

    def __init__(self) -> None:
        self.lock, self.holders = Lock(), 0
        self.limit: Any = None

    def take(self) -> None:
        """Set the limit, unless somebody holds it."""
        with self.lock:
            if self.holders == 0:
                self.limit = _controller().limit(limits=1, user_api="blas")
            self.holders += 1

    def leave(self) -> None:
        """Lift the limit, unless somebody else holds it."""
        with self.lock:
            self.holders -= 1
            if self.holders == 0:
                self.limit.restore_original_limits()


_HELD = _Held()


@contextmanager
def one_thread() -> Iterator[None]:
    """A context in which BLAS runs on one thread, whatever the environment says; after the last of them it is as before."""
    _HELD.take()
    try:
        yield
    finally:
        _HELD.leave()
