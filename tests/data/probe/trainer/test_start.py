"""A probe is made in seconds: what its process loads before the first step is what it needs."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch

from data.probe.trainer.device import repeatable

ROOT = Path(__file__).parents[4]
ONE = '{"width": 8, "depth": 1, "seq_len": 16, "batch": 2, "tokens": 200, "eval_tokens": 64, "evals": 1}'


def _loaded(script: str, *given: str) -> set[str]:
    """Which of the packages that take long a process has loaded after a script."""
    slow = ("pandas", "pydantic", "sympy", "torch._inductor", "torch._dynamo", "streamlit", "scipy")
    asked = f"{script}\nimport sys\nprint(' '.join(name for name in {slow} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", asked, *given], capture_output=True, text=True, cwd=ROOT, check=True)
    return set(done.stdout.splitlines()[-1].split()) if done.stdout.strip() else set()


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU's model is compiled")
def test_a_trainer_loads_no_table_and_no_compiler(tmp_path):
    loaded = _loaded("from data.probe.trainer.__main__ import main\nmain()", ONE, str(tmp_path / "run"))
    assert (tmp_path / "run" / "log.jsonl").exists()
    assert loaded == {"pydantic"}  # which reads the spec


def test_a_queue_loads_no_table():
    assert _loaded("import data.probe.queue.__main__") == set()


def test_what_was_deterministic_before_is_so_after():
    before = torch.get_deterministic_debug_mode()
    with repeatable():
        assert torch.get_deterministic_debug_mode() == 1
    assert torch.get_deterministic_debug_mode() == before
