"""What the workers of a fresh clone wait for, and what they do not."""

from __future__ import annotations

import sys

import pytest

from tests import compiled_once
from tests.compiled_once import first_alone, waits

fcntl = pytest.importorskip("fcntl")


def is_free(path) -> bool:
    with path.open("rb") as other:
        try:
            fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def test_the_first_is_alone_until_it_is_done(tmp_path):
    path = tmp_path / "held"
    path.touch()
    with first_alone(path):
        assert not is_free(path)
    assert is_free(path)


def test_who_waited_keeps_nobody_waiting(tmp_path):
    path = tmp_path / "held"
    path.touch()
    with path.open("rb") as one:
        fcntl.flock(one, fcntl.LOCK_SH)  # another that came too late to be the first
        with first_alone(path):
            assert is_free(path)


def test_only_workers_that_would_compile_the_same_wait(tmp_path, monkeypatch):
    late = tmp_path / "test_late.py"
    monkeypatch.setattr(compiled_once, "LATE", late)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw1")
    assert waits()
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / f"test_late.cpython-311-pytest-{pytest.__version__}.pyc").touch()
    assert not waits()
    monkeypatch.setattr(compiled_once, "LATE", tmp_path / "test_other.py")
    assert waits()
    monkeypatch.delenv("PYTEST_XDIST_WORKER")
    assert not waits()
