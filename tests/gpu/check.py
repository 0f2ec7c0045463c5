"""What only a GPU can show, in at most eight minutes: each part says what it found, and a failed one does not stop the others.

python -m tests.gpu.check                  # on the first GPU
python -m tests.gpu.check --device cpu     # the parts that a CPU can do, at small sizes
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from data.flops import six_nd
from data.probe.folder import Folder
from data.probe.queue.serve import serve
from data.probe.queue.slots import gpus, slots
from data.probe.queue.store import Store
from data.probe.spec import spec
from data.probe.sweep import sweep
from data.probe.trainer.device import Device, device, repeatable
from data.probe.trainer.run import make
from data.probe.trainer.state import Run
from data.probe.trainer.step import step
from tests.benchmarks.probe_speed import ours, plain, seconds

LIMIT = 480.0  # seconds; no part begins later than a part's share before it
#: Dense bfloat16 FLOP a second by a part of a device's name, from the makers' data sheets.
PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12, "4090": 165e12}


def found(where: Device) -> object:
    """The device as torch and as nvidia-smi name it."""
    name = torch.cuda.get_device_name(where.torch) if where.torch.type == "cuda" else "cpu"
    return {"device": name, "bf16": where.autocast, "compiled": where.compiled, "slots": [s.name for s in slots()],
            "gpus": [g.name for g in gpus()], "torch": torch.__version__, "memory": where.memory}  # fmt: skip


def precisions(where: Device) -> object:
    """The last loss in float32, with bfloat16 products, and compiled: within 2 % of one another."""
    out = {}
    ways = {
        "float32": replace(where, autocast=False, compiled=False),
        "bf16": replace(where, autocast=True, compiled=False),
    }
    if where.torch.type == "cuda":
        ways["bf16 compiled"] = replace(where, autocast=True, compiled=True)
    for name, way in ways.items():
        with tempfile.TemporaryDirectory() as held:
            folder = Folder(Path(held))
            folder.declare(spec({"width": 32, "tokens": 1e5, "evals": 2, "eval_tokens": 8192}))
            assert make(folder, way).state == "done"
            out[name] = list(folder.rows())[-1]["loss"]
    assert max(out.values()) < 1.02 * min(out.values()), out
    return out


def utilisation(where: Device) -> object:
    """Milliseconds of a step, and model FLOP utilisation (6ND over the peak of the data sheet) where the peak is known."""
    small = where.torch.type == "cpu"
    peak = 0.0 if small else next((p for n, p in PEAKS.items() if n in torch.cuda.get_device_name(where.torch)), 0.0)
    out = []
    for width, depth, batch in ((64, 2, 2),) if small else ((512, 8, 32), (1024, 12, 32), (2048, 12, 16)):
        one = spec({"width": width, "depth": depth, "heads": max(1, width // 64), "seq_len": 128 if small else 1024,
                    "batch": batch, "vocab": 1024, "tokens": 1e9})  # fmt: skip
        run = Run.begin(one, where)
        for _ in range(5):
            step(run)
        where.wait()
        began, count = time.perf_counter(), 3 if small else 20
        for _ in range(count):
            step(run)
        where.wait()
        each = (time.perf_counter() - began) / count
        done = six_nd(one.counts.nonembed + one.counts.head, batch * one.seq_len) / each
        out.append({"parameters": one.counts.nonembed, "ms": 1e3 * each, "mfu": done / peak if peak else None,
                    "peak_memory": where.peak_memory})  # fmt: skip
        del run
    return out


def stacks(where: Device) -> object:
    """How many times as fast as one after another so many runs are at once, and one run beside a plain loop."""
    small = where.torch.type == "cpu"
    eager, out = replace(where, compiled=False), []
    for width in (16,) if small else (22, 64, 128, 256):
        one = spec({"width": width, "heads": max(1, width // 16), "batch": 4, "vocab": 32, "tokens": 1e9})
        counts = (1, 4) if small else (1, 8, 32)
        base, *each = seconds([plain(one, eager), *(ours(one, eager, k) for k in counts)], eager, 3 if small else 20, 3)
        out.append({"parameters": one.counts.nonembed + one.counts.head, "plain ms": 1e3 * base,
                    **{f"{k} at once": k * each[0] / s for k, s in zip(counts, each, strict=True)},
                    "beside plain": base / each[0]})  # fmt: skip
    return out


def whole(where: Device) -> object:
    """A sweep through the queue: every run done, with a finite loss that falls with size."""
    with tempfile.TemporaryDirectory() as held:
        store = Store(Path(held))
        small = where.torch.type == "cpu"
        made = sweep(
            {
                "width": [16, 32] if small else [32, 64, 128],
                "tokens": 2e4 if small else 1e6,
                "evals": 4,
                "eval_tokens": 8192,
            }
        )
        store.submit("sweep", made)
        serve(Path(held), slots(1, only=("cpu",) if small else ()), until_idle=True)
        jobs = store.jobs()
        assert all(job.state == "done" for job in jobs), [(job.state, job.sentence) for job in jobs]
        return {store.folder(job).spec.width: list(store.folder(job).rows())[-1]["loss"] for job in jobs}


PARTS: dict[str, tuple[Callable[[Device], object], float]] = {
    "device": (found, 10), "precisions": (precisions, 120), "utilisation": (utilisation, 120), "stacks": (stacks, 90),
    "sweep": (whole, 120),
}  # fmt: skip


def main() -> int:
    """Exit code 1 where a part failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="")
    where, began, bad = device(parser.parse_args().device), time.monotonic(), 0
    for name, (part, needs) in PARTS.items():
        if time.monotonic() - began + needs > LIMIT:
            print(f"{name}: left out, it is too late", flush=True)
            continue
        try:
            with repeatable():
                said = json.dumps(part(where))
        except Exception as error:  # the next part is worth knowing all the same
            said, bad = f"failed: {type(error).__name__}: {error}", 1
        print(f"{name} ({time.monotonic() - began:.0f} s): {said}", flush=True)
    return bad


if __name__ == "__main__":
    sys.exit(main())
