"""What the tests of the Batch page share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dashboard.batch import readings
from dashboard.batch import state as batch_state


@pytest.fixture(scope="module", autouse=True)
def few_refits() -> Iterator[None]:
    """How many there are is not looked at here; what was fitted with few is not kept for other tests."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (batch_state, readings):
            patch.setattr(module, "RESAMPLES", 500)
        forget()
        yield
    forget()


def forget() -> None:
    """Take back the fits that the page keeps."""
    for kept in (readings.from_steps, batch_state._from_curves, batch_state._critical_at):
        kept.clear()
