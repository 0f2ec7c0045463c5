"""Start the process that serves a queue, apart from whoever asks: it lives on when a browser, a page or a terminal closes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from data.errors import DataError
from data.probe.queue.serve import is_served

LOG = "queue.log"
PATIENCE = 20.0  # seconds in which it has to begin
_apart: list[subprocess.Popen[bytes]] = []  # those that began here; each is waited for once it has ended


def ensure_served(root: Path, *, cpus: int = 1, devices: tuple[str, ...] = ()) -> None:
    """Have the queue served, by whoever serves it already or by a process that begins now. Raises DataError where none comes up."""
    if is_served(root):
        return
    told = [
        sys.executable,
        "-m",
        "data.probe.queue",
        str(root.resolve()),
        "--cpus",
        str(cpus),
        "--devices",
        ",".join(devices),
    ]
    root.mkdir(parents=True, exist_ok=True)
    with (root / LOG).open("ab") as out:
        started = subprocess.Popen(
            told, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=Path(__file__).parents[3],
            start_new_session=True, env=dict(os.environ),
        )  # fmt: skip
    _apart[:] = [started, *(one for one in _apart if one.poll() is None)]
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if is_served(root) or started.poll() == 0:
            return
        if started.poll() is not None:
            break
        time.sleep(0.1)
    raise DataError(f"The queue in {root} did not come up; {root / LOG} says why.")
