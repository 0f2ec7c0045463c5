"""Runs on text and on mixtures: the same wherever they were stopped, and not on text that has changed since."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (it comes with the probe extra)")

from data.errors import DataError  # noqa: E402
from data.probe.folder import Folder  # noqa: E402
from data.probe.spec import spec  # noqa: E402
from data.probe.trainer.device import Device, repeatable  # noqa: E402
from data.probe.trainer.run import make  # noqa: E402
from tests.data.probe.trainer.columns import unknown  # noqa: E402
from tests.data.probe.trainer.times import TIMES  # noqa: E402


def begun(path, **fields):
    folder = Folder(path)
    folder.declare(spec({"width": 8, "tokens": 1e4, "seq_len": 32, "eval_tokens": 512, "evals": 3, **fields}))
    return folder


def curve(folder):
    return [{k: v for k, v in row.items() if k not in TIMES} for row in folder.rows()]


def test_a_mixture_of_texts_goes_on_bit_for_bit_and_says_what_was_seen(tmp_path, monkeypatch):
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path / "home"))
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for k in range(30):
            (tmp_path / name / f"{k}").write_bytes(rng.integers(97, 123, 400, dtype=np.uint8).tobytes())
    pools = [{"corpus": f"text:{tmp_path}/{name}", "share": share} for name, share in (("a", 0.75), ("b", 0.25))]
    whole, parts = (begun(tmp_path / name, pools=pools) for name in ("whole", "parts"))
    cpu = Device("cpu")
    with repeatable():
        assert make(whole, cpu).state == "done"
        for steps in (1, 13, 5):
            assert make(parts, cpu, steps=steps).state == "queued"
        kept = (parts.path / "checkpoint.npz").read_bytes()
        assert make(parts, cpu).state == "done"
        assert curve(parts) == curve(whole)
        assert unknown(curve(whole)) == set()
        last = curve(whole)[-1]
        assert last["loss"] == pytest.approx(0.75 * last["loss_pool_0"] + 0.25 * last["loss_pool_1"])
        assert last["tokens_pool_0"] + last["tokens_pool_1"] == last["tokens"]
        assert last["tokens_pool_0"] / last["tokens"] == pytest.approx(0.75, abs=0.02)
        for i in range(2):
            assert last[f"tokens_pool_{i}"] == pytest.approx(last[f"unique_tokens_pool_{i}"] * last[f"passes_pool_{i}"])
        (tmp_path / "b" / "0").write_bytes(b"changed")
        (parts.path / "checkpoint.npz").write_bytes(kept)
        with pytest.raises(DataError, match="not what it was when the run began"):
            make(parts, cpu)
