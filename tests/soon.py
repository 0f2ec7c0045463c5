"""Work that must end soon, beside fixed work timed in the same test: a machine that is slow or busy slows both."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


def unit() -> float:
    """Seconds of the processor for a hundred thousand rounds of plain Python, about a hundredth of a second."""
    began = time.process_time()
    sum(i * i for i in range(100_000))
    return time.process_time() - began


@contextmanager
def ends_within(units: float) -> Iterator[None]:
    """Fail where what is done inside takes more of the processor than so many units timed before and after it."""
    before, began = unit(), time.process_time()
    yield
    taken = time.process_time() - began
    assert taken < units * max(before, unit())
