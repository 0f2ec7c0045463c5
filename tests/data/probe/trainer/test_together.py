"""A batch in parts, several processes for one run, and several runs in one process: the curves are those of a run alone."""

from __future__ import annotations

import signal
import socket
import time

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (it comes with the probe extra)")

from data.errors import DataError  # noqa: E402
from data.probe.cost import divided, most_at_once  # noqa: E402
from data.probe.folder import CHECKPOINT, Folder  # noqa: E402
from data.probe.spec import spec  # noqa: E402
from data.probe.trainer.__main__ import GO_ON  # noqa: E402
from data.probe.trainer.device import Device, repeatable  # noqa: E402
from data.probe.trainer.model import losses  # noqa: E402
from data.probe.trainer.run import make, make_all  # noqa: E402
from data.probe.trainer.state import Run  # noqa: E402
from tests.data.probe.trainer.columns import unknown  # noqa: E402
from tests.data.probe.trainer.forked import Forked  # noqa: E402
from tests.data.probe.trainer.times import TIMES as OF_MACHINE  # noqa: E402

CPU = Device("cpu")
TIMES = (*OF_MACHINE, "stack")
SMALL = {"width": 16, "seq_len": 32, "batch": 8, "tokens": 20 * 8 * 32.0, "eval_tokens": 2048, "evals": 8, "lr": 0.01}


@pytest.fixture(autouse=True)
def alike():
    with repeatable():
        yield


def declared(path, **fields):
    folder = Folder(path)
    folder.declare(spec({**SMALL, **fields}))
    return folder


def rows(folder):
    return [{k: v for k, v in row.items() if k not in TIMES} for row in folder.rows()]


def same(a, b):
    """Whether two folders hold the same, bit for bit."""
    with np.load(a.path / CHECKPOINT) as x, np.load(b.path / CHECKPOINT) as y:
        return rows(a) == rows(b) and all(x[n].tobytes() == y[n].tobytes() for n in x.files if n != "about")


def close(a, b, columns=("loss", "train_loss")):
    for name in columns:
        one, other = ([row[name] for row in rows(folder)] for folder in (a, b))
        assert len(one) > 4
        np.testing.assert_allclose(one, other, rtol=1e-5, err_msg=name)


def test_a_batch_in_parts_is_the_batch(tmp_path, monkeypatch):
    whole, parts = declared(tmp_path / "whole"), declared(tmp_path / "parts", micro=3)
    assert make(whole, CPU).state == make(parts, CPU).state == "done"
    with monkeypatch.context() as patched:
        patched.setattr("data.probe.trainer.apart.HELD", 0)  # parts that are told apart go through one after another
        heavy = declared(tmp_path / "heavy")
        assert make(heavy, CPU).state == "done"
    assert same(whole, heavy)
    close(whole, parts)
    assert {(row["batch_small"], row["batch_big"]) for row in rows(parts)} == {(2.0, 8.0)}
    run = Run.begin(parts.spec, CPU)
    each = [
        torch.autograd.grad(losses(run.spec, run.weights, run.tokens(2 * i, 2)).sum(), list(run.weights.values()))
        for i in range(4)
    ]
    squares = [sum(float(g.double().square().sum()) for g in one) for one in each]
    mean = [sum(gs) / 4 for gs in zip(*each, strict=True)]
    first = declared(tmp_path / "first", micro=2, evals=10_000)
    make(first, CPU, steps=1)
    (row,) = rows(first)
    assert row["grad_sq_small"] == pytest.approx(np.mean(squares), rel=1e-5)
    assert row["grad_sq_big"] == pytest.approx(sum(float(g.double().square().sum()) for g in mean), rel=1e-5)


def test_parts_are_of_one_size_and_follow_from_the_memory():
    assert [divided(share, most) for share, most in ((8, 8), (8, 100), (8, 7), (8, 3), (8, 1), (7, 3), (8, 0))] == [
        1, 1, 2, 4, 8, 7, 8,
    ]  # fmt: skip
    one = spec({"batch": 64, "vocab": 32})
    rooms = [most_at_once(one, room) for room in (1e5, 1e7, 1e8, 1e9)]
    assert rooms[0] == 1
    assert rooms == sorted(rooms)
    assert most_at_once(one, 1e9, 4) <= rooms[3] // 4


def pair(folder, *more):
    """Two processes that make one run."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    told = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    return [Forked(folder, *more, RANK=str(i), LOCAL_RANK=str(i), **told) for i in range(2)]


def test_two_processes_make_the_run_of_one(tmp_path):
    fields = {"micro": 4, "averages": [0.3], "measure": ["distance"]}
    alone, two = declared(tmp_path / "alone", **fields), declared(tmp_path / "two", **fields)
    assert make(alone, CPU).state == "done"
    assert [one.wait() for one in pair(two.path)] == [0, 0]
    close(alone, two, ("loss", "train_loss", "loss_average_0.3", "grad_sq_small", "grad_sq_big", "distance"))
    assert [(r["batch_small"], r["batch_big"]) for r in rows(two)] == [(4.0, 8.0)] * len(rows(two))
    uneven = declared(tmp_path / "uneven", batch=3)
    assert [one.wait() for one in pair(uneven.path)] == [1, 1]
    assert "cannot be shared by 2 processes" in uneven.status.sentence


def test_a_signal_to_either_of_two_processes_leads_both_to_the_checkpoint(tmp_path):
    fields = {"tokens": 2.5e4, "micro": 4}
    straight, stopped = declared(tmp_path / "straight", **fields), declared(tmp_path / "stopped", **fields)
    assert [one.wait() for one in pair(straight.path)] == [0, 0]
    both = pair(stopped.path)
    while not (stopped.path / CHECKPOINT).exists():
        time.sleep(0.002)
    both[1].send(signal.SIGTERM)
    assert [one.wait() for one in both] == [GO_ON, GO_ON]
    status = stopped.status
    assert status.state == "queued"
    assert 0 < status.step < status.steps
    assert [one.wait() for one in pair(stopped.path)] == [0, 0]
    assert same(straight, stopped)


OWN = [
    {"seed": 1},
    {"seed": 2, "lr": 0.03, "schedule": "cosine"},
    {"seed": 3, "warmup": 0.2, "decay": 0.5},
    {"seed": 1, "lr": 0.002, "schedule": "constant", "clip": 0.05},
]


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
def test_each_run_of_a_stack_is_the_run_alone_bit_for_bit(tmp_path, optimiser):
    """One stands further than the others, one diverges, and the process is stopped in between."""
    shared = {"optimiser": optimiser, "averages": [0.3], "weight_decay": 0.1, "unique_tokens": 2000.0}
    shared |= {"measure": ["noise", "coordinates", "distance"], "measure_batch": 4}
    fields = [{**shared, **own} for own in [*OWN, {"seed": 5, "lr": 1e30, "clip": 0.0}]]
    alone = [declared(tmp_path / f"alone{i}", **one) for i, one in enumerate(fields)]
    stack = [declared(tmp_path / f"stack{i}", **one) for i, one in enumerate(fields)]
    states = [make(folder, CPU).state for folder in alone]
    assert states == ["done"] * 4 + ["diverged"]
    assert make(stack[1], CPU, steps=7).state == "queued"
    first = make_all(stack, CPU, steps=9)
    assert [s.state for s in first] == ["queued"] * 4 + ["diverged"]
    assert [s.state for s in make_all(stack[:4], CPU)] == ["done"] * 4
    assert all(same(a, b) for a, b in zip(alone[:4], stack[:4], strict=True))
    assert rows(alone[4]) == rows(stack[4])
    assert stack[4].status.sentence == alone[4].status.sentence
    assert max(row.get("stack", 1) for row in stack[0].rows()) == 4
    assert unknown(stack[0].rows()) == set()


def test_only_runs_of_one_shape_and_length_are_made_at_once(tmp_path):
    folders = [declared(tmp_path / "a"), declared(tmp_path / "b", width=32)]
    with pytest.raises(DataError, match="have one shape, data, length and optimiser"):
        make_all(folders, CPU)


def test_products_in_bfloat16_and_what_is_compiled_learn_alike(tmp_path, monkeypatch):
    """Autocast on the CPU rounds to eight bits; the graph that a GPU compiles is traced whole and run as it is."""
    from data.probe.trainer import step

    monkeypatch.setattr(
        step, "_compiled", lambda: torch.compile(losses, backend="eager", fullgraph=True, dynamic=False)
    )
    plain, rounded = declared(tmp_path / "plain", tokens=1.5e4), declared(tmp_path / "rounded", tokens=1.5e4)
    traced = declared(tmp_path / "traced", tokens=1.5e4)
    make(plain, CPU)
    make(rounded, Device("cpu", autocast=True))
    make(traced, Device("cpu", compiled=True))
    ends = [rows(folder)[-1]["loss"] for folder in (plain, rounded, traced)]
    assert ends[1] != ends[0]
    assert ends[1] == pytest.approx(ends[0], rel=0.02)
    assert ends[2] == pytest.approx(ends[0], rel=1e-4)
