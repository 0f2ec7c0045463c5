"""Fits side by side: errors cross between processes, and fits in several threads leave BLAS as they found it."""

from __future__ import annotations

import importlib
import importlib.util
import os
import pickle
import pkgutil
import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import dashboard
import data
import fitting
from data import read_runs
from data.schema import NothingKept
from fitting import fit
from fitting.solver.threads import one_thread

NOTHING = pd.DataFrame({"run": ["a", "b"], "params": [1e6, 2e6], "tokens": [1e8, 1e8], "loss": [float("nan"), -1.0]})


def refused():
    with pytest.raises(NothingKept) as error:
        read_runs(NOTHING)
    return error.value


def test_nothing_kept_is_pickled_with_its_runs():
    error = refused()
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is NothingKept
    assert str(back) == str(error)
    assert list(back.runs.set_aside["reason"]) == list(error.runs.set_aside["reason"])


def _errors():
    found = set()
    for package in (data, fitting, dashboard):
        for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if info.name.endswith("__main__") or ".views" in info.name or info.name == "dashboard.app":
                continue
            if info.name.startswith("data.probe.trainer.") and importlib.util.find_spec("torch") is None:
                continue
            module = importlib.import_module(info.name)
            found |= {
                x for x in vars(module).values()
                if isinstance(x, type) and issubclass(x, Exception) and x.__module__ == info.name
            }  # fmt: skip
    return sorted(found, key=lambda x: x.__qualname__)


@pytest.mark.parametrize("kind", _errors(), ids=lambda x: x.__qualname__)
def test_every_error_of_ours_is_pickled(kind):
    try:
        error = kind("A sentence.")
    except TypeError:
        error = kind("A sentence.", refused().runs)
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is kind
    assert str(back) == str(error)


POOL = """
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pandas as pd

from data import read_runs

if __name__ == "__main__":
    frame = pd.DataFrame({"run": ["a", "b"], "params": [1e6, 2e6], "tokens": [1e8, 1e8], "loss": [float("nan"), -1.0]})
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        error = pool.submit(read_runs, frame).exception(timeout=100)
    print(type(error).__name__, len(error.runs.set_aside))
"""


def test_a_bad_table_in_a_pool_of_processes_is_an_answer(tmp_path):
    (tmp_path / "pool.py").write_text(POOL)
    done = subprocess.run(
        [sys.executable, tmp_path / "pool.py"], capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(data.__file__).parents[1])},
    )  # fmt: skip
    assert done.stdout.split() == ["NothingKept", "2"], done.stderr


def blas() -> list[int]:
    return [x["num_threads"] for x in threadpool_info() if x["user_api"] == "blas"]


def test_overlapping_fits_leave_blas_as_it_was():
    """The second begins under the first's limit and ends after it."""
    with threadpool_limits(limits=2, user_api="blas"):
        before = blas()
        assert set(before) == {2}
        first, second = one_thread(), one_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert set(blas()) == {1}, "one still fits"
        second.__exit__(None, None, None)
        assert blas() == before


def test_fits_in_threads_leave_blas_as_it_was(noisy):
    with threadpool_limits(limits=2, user_api="blas"):
        before = blas()
        workers = [
            threading.Thread(target=lambda s=s: fit(noisy, "chinchilla", resamples=20, seed=s)) for s in range(4)
        ]
        for w in workers:
            w.start()
        for w in workers:
            w.join()
        assert blas() == before


def test_an_error_inside_lifts_the_limit():
    with threadpool_limits(limits=2, user_api="blas"):
        before = blas()
        with pytest.raises(ZeroDivisionError), one_thread():
            _ = 1 / 0
        assert blas() == before
