"""What the tests of reading share: the folder of public data sets, and files made on the spot."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from data import Runs, read_runs


@pytest.fixture(scope="session")
def datasets() -> Path:
    """The folder of public run data, named by ISOFLOP_DATASETS."""
    folder = os.environ.get("ISOFLOP_DATASETS")
    if not folder:
        pytest.skip("ISOFLOP_DATASETS is not set: it names the folder of public run data")
    return Path(folder)


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Runs]:
    """Write text to a file and read it as runs; within a test the same text under the same answers is read once.

    What comes back is shared by the calls that ask for the same: no test may alter it.
    """
    before: dict[tuple[str | bytes, str, str], Runs | Exception] = {}

    def write_and_read(text: str | bytes, name: str = "runs.csv", **answers: object) -> Runs:
        asked = text, name, repr(sorted(answers.items()))
        if asked not in before:
            path = tmp_path / name
            path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
            try:
                before[asked] = read_runs(path, **answers)  # type: ignore[arg-type]
            except Exception as error:
                before[asked] = error
        found = before[asked]
        if isinstance(found, Exception):
            raise found
        return found

    return write_and_read
