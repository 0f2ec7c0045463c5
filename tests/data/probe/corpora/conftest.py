"""What tests of corpora share: a home of their own for what is kept, and small folders of text."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    """Where tokens of corpora are kept while a test runs."""
    path = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("ISOFLOP_HOME", str(path))
    return path


def written(folder, documents=40, seed=0, size=600):
    """A folder of documents of words drawn by a seed, none like another."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(documents):
        words = rng.integers(97, 123, (size // 6, 6), dtype=np.uint8)
        words[:, 5] = 10 if seed == 0 else 32
        (folder / f"{k}.txt").write_bytes(words.tobytes())
    return folder


@pytest.fixture
def write():
    """The function that writes a folder of text."""
    return written
