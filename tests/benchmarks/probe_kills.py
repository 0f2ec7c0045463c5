"""Kill the trainer at random moments and go on until it is done: the log and the weights are those of a run that nobody stopped.

python -m tests.benchmarks.probe_kills --moments 30 --seed 0
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from data.probe.folder import CHECKPOINT, Folder
from data.probe.spec import spec
from tests.data.probe.trainer.times import TIMES

ROOT = Path(__file__).parents[2]
RUN = {
    "width": 16,
    "tokens": 3e5,
    "seq_len": 64,
    "eval_tokens": 2048,
    "evals": 24,
    "averages": [0.2],
    "weight_decay": 0.1,
}


def started(folder: Path, *more: str) -> subprocess.Popen[bytes]:
    """The trainer at work in a folder, which writes its checkpoint every few steps."""
    told = [sys.executable, "-m", "data.probe.trainer", str(folder / "spec.json"), str(folder), "--keep-every", "0.05"]
    kept = {**os.environ, "OMP_NUM_THREADS": "1", "ISOFLOP_DEVICE": "cpu"}
    return subprocess.Popen([*told, *more], cwd=ROOT, env=kept, stdout=subprocess.DEVNULL)


def killed(
    folder: Path, rng: random.Random, moments: int, span: float = 0.0, start: Callable[[Path], Any] = started
) -> list[int]:
    """Make a run whose process is killed so many times; returns the steps of the checkpoints that it went on from.

    Every second moment is anywhere in the first `span` seconds of the process, the others a few checkpoints and a bit later.
    """
    stood = []
    for moment in range(moments):
        process = start(folder)
        if span and moment % 2:
            time.sleep(rng.uniform(0.0, span))
        else:
            for _ in range(rng.randint(1, 4)):
                before = _written(folder)
                while process.poll() is None and _written(folder) == before:
                    time.sleep(0.001)
            time.sleep(rng.uniform(0.0, 0.06))
        process.kill()
        process.wait()
        stood.append(_step(folder))
    assert start(folder).wait() == 0
    return stood


def differences(a: Path, b: Path) -> list[str]:
    """In what two folders differ, apart from times: columns of the log, tensors of the checkpoint."""
    one, other = ([{k: v for k, v in row.items() if k not in TIMES} for row in Folder(path).rows()] for path in (a, b))
    found = [f"step {x.get('step')}" for x, y in zip(one, other, strict=False) if x != y]
    found += [] if len(one) == len(other) else [f"{len(one)} and {len(other)} rows"]
    with np.load(a / CHECKPOINT) as x, np.load(b / CHECKPOINT) as y:
        found += [] if x.files == y.files else ["names of tensors"]
        found += [name for name in x.files if name in y.files and x[name].tobytes() != y[name].tobytes()]
    return found


def declared(path: Path, **fields: object) -> Path:
    """A folder whose run is not begun."""
    Folder(path).declare(spec({**RUN, **fields}))
    return path


def _written(folder: Path) -> int:
    try:
        return (folder / CHECKPOINT).stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _step(folder: Path) -> int:
    if not (folder / CHECKPOINT).exists():
        return 0
    with np.load(folder / CHECKPOINT) as held:
        return int(json.loads(held["about"].tobytes())["done"])


def main() -> None:
    """Say from which steps it went on, and whether anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as held:
        whole, parts = declared(Path(held) / "whole"), declared(Path(held) / "parts")
        began = time.monotonic()
        assert started(whole).wait() == 0
        stood = killed(parts, random.Random(given.seed), given.moments, span=1.2 * (time.monotonic() - began))
        found = differences(whole, parts)
    print(f"Killed {len(stood)} times; went on from steps {stood}.")
    print("Log and weights are the same bit for bit." if not found else f"They differ: {found}")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
