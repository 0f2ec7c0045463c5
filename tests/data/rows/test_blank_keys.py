"""Tables in which a setting that tells runs apart is blank here and there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from data import DataError, Runs

Read = Callable[..., Runs]


@pytest.mark.parametrize("line", range(8))
@pytest.mark.parametrize("column", range(3))
def test_a_blank_cell_beside_a_counter_is_no_crash(read: Read, line: int, column: int) -> None:
    rows = [[f"{5 - i / 4}", f"{[9e6, 9e6, 7e6, 7e6][i % 4]:g}", f"{(i + 1) * 1e8:g}"] for i in range(8)]
    rows[line][column] = ""
    text = "loss,params,tokens_seen\n" + "\n".join(map(",".join, rows)) + "\n"
    with suppress(DataError):  # a sentence for a person, not an inner error
        runs = read(text)
        assert len(runs) + len(runs.set_aside) > 0
