"""Where and how precisely a probe is computed: the one place that asks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import torch


@dataclass(frozen=True)
class Device:
    """A device, and whether products are rounded to bfloat16 on it (`autocast`) and the model is compiled for it."""

    name: str
    autocast: bool = False
    compiled: bool = False

    @property
    def torch(self) -> torch.device:
        """As torch names it."""
        return torch.device(self.name)

    def products(self) -> Any:
        """The context in which the forward pass is computed."""
        return torch.autocast(self.torch.type, torch.bfloat16) if self.autocast else nullcontext()

    def wait(self) -> None:
        """Until what was asked of it is done: a clock that is read before says nothing."""
        if self.torch.type == "cuda":
            torch.cuda.synchronize(self.torch)

    @property
    def memory(self) -> float:
        """The memory that there is, in bytes, whoever uses it now: what is decided by it is decided alike on every start."""
        if self.torch.type == "cuda":
            return float(torch.cuda.get_device_properties(self.torch).total_memory)
        return _memory()

    @property
    def peak_memory(self) -> float:
        """The most memory that was held at once, in bytes: of the GPU, or of this process on a CPU."""
        if self.torch.type == "cuda":
            return float(torch.cuda.max_memory_allocated(self.torch))
        import resource
        import sys

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return float(most if sys.platform == "darwin" else 1024 * most)


@cache
def _memory() -> float:
    """This machine's memory, or what its control group leaves of it."""
    held = float(psutil.virtual_memory().total)
    with suppress(OSError, ValueError):
        held = min(held, float(Path("/sys/fs/cgroup/memory.max").read_text()))
    return held


def device(asked: str = "") -> Device:
    """The device that is `asked` for ("cpu", "cuda:1"), or ISOFLOP_DEVICE, or else the first GPU where there is one.

    A CPU computes in float32; a GPU rounds products to bfloat16 where it can, and compiles.
    """
    name = asked or os.environ.get("ISOFLOP_DEVICE", "") or ("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda":
        name = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    on_gpu = name.startswith("cuda")
    return Device(name, on_gpu and torch.cuda.is_bf16_supported(), on_gpu)


@contextmanager
def repeatable(threads: int = 1) -> Iterator[None]:
    """The same numbers from the same start, and no threads where a small model is slower with them."""
    before = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    torch.set_num_threads(threads)
    _deterministic("warn")
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        _deterministic(before[1])


def _deterministic(mode: str | int) -> None:
    """Have operations give the same every time. `use_deterministic_algorithms` tells the compiler, too, whose import alone takes
    longer than that of torch; without a GPU nothing is compiled."""
    if torch.cuda.is_available():
        torch.use_deterministic_algorithms(mode not in (0, "default"), warn_only=mode in (1, "warn"))
    else:
        torch.set_deterministic_debug_mode(mode)
