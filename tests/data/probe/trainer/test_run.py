"""Runs on one CPU: they learn, end in a state with a sentence, and are the same wherever they were stopped."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (it comes with the probe extra)")

from data.errors import DataError  # noqa: E402
from data.probe.folder import CHECKPOINT, Folder  # noqa: E402
from data.probe.language import Language  # noqa: E402
from data.probe.spec import spec  # noqa: E402
from data.probe.trainer import checkpoint  # noqa: E402
from data.probe.trainer.device import Device, repeatable  # noqa: E402
from data.probe.trainer.run import make  # noqa: E402
from tests.data.probe.trainer.times import TIMES  # noqa: E402

CPU = Device("cpu")


@pytest.fixture(autouse=True)
def alike():
    with repeatable():
        yield


def begun(path, **fields):
    folder = Folder(path)
    folder.declare(spec({"width": 16, "tokens": 4e4, "seq_len": 64, "eval_tokens": 2048, "evals": 6, **fields}))
    return folder


def curve(folder):
    return [{k: v for k, v in row.items() if k not in TIMES} for row in folder.rows()]


def weights(folder):
    return checkpoint.load(folder.path / CHECKPOINT, torch.device("cpu"))[0]


@pytest.mark.parametrize("optimiser", ["adamw", "muon", "sgd", "adafactor"])
def test_stopped_anywhere_it_goes_on_bit_for_bit(tmp_path, optimiser):
    fields = {"optimiser": optimiser, "averages": [0.2], "weight_decay": 0.1, "lr": 0.01}
    whole, parts = begun(tmp_path / "whole", **fields), begun(tmp_path / "parts", **fields)
    assert make(whole, CPU).state == "done"
    for steps in (1, 32, 7, 20):
        assert make(parts, CPU, steps=steps).state == "queued"
    with (parts.path / "log.jsonl").open("a") as log:
        log.write(
            '{"step": 9999, "loss": 0}\n{"step": 1'
        )  # measured after the checkpoint, and a line that a crash tore
    assert make(parts, CPU).state == "done"
    assert curve(parts) == curve(whole)
    assert len(curve(whole)) == 6
    a, b = weights(whole), weights(parts)
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_it_learns_and_never_knows_more_than_the_language(tmp_path):
    folder = begun(tmp_path, tokens=3e5, width=32, seq_len=128, eval_tokens=32_768)
    assert make(folder, CPU).state == "done"
    rows = list(folder.rows())
    assert rows[0]["loss"] < math.log(32) + 0.2
    assert Language().entropy < rows[-1]["loss"] < 1.45
    assert rows[-1]["grad_sq_small"] > rows[-1]["grad_sq_big"] > 0
    assert rows[-1]["batch_big"] == 4 * rows[-1]["batch_small"] == 8


def test_a_run_that_comes_apart_stops_with_its_sentence(tmp_path):
    folder = begun(tmp_path, optimiser="sgd", lr=1e6, clip=0.0)
    status = make(folder, CPU)
    assert status.state == "diverged"
    assert "step" in status.sentence
    assert folder.status == status


def test_a_folder_holds_one_run(tmp_path):
    folder = begun(tmp_path)
    folder.declare(replace(folder.spec, name="another name for it"))
    with pytest.raises(DataError, match="holds another run"):
        folder.declare(replace(folder.spec, seed=5))


def test_a_checkpoint_that_is_none_is_said(tmp_path):
    folder = begun(tmp_path)
    (tmp_path / CHECKPOINT).write_bytes(b"torn")
    with pytest.raises(DataError, match="is no checkpoint"):
        make(folder, CPU)


def test_no_file_of_a_run_needs_pickle(tmp_path):
    folder = begun(tmp_path, tokens=1e3)
    make(folder, CPU)
    assert {path.name for path in tmp_path.iterdir()} == {"spec.json", "status.json", "log.jsonl", "checkpoint.npz"}
    assert all(json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines())
