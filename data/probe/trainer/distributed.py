"""Several processes that make one run: each takes its share of a step's sequences, and sums over all of them are everybody's.

`torchrun --standalone --nproc-per-node 2 -m data.probe.trainer SPEC FOLDER` starts two on one machine. Gradients go through one flat
buffer and one sum a step. What a rank computes of its own share is summed with the others' before anything is decided by it, so that
all of them decide alike; only the first rank reads and writes the run's folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed

LOST = ("connection closed by peer", "connection reset", "nccl", "timed out", "socket")


@dataclass(frozen=True)
class Ranks:
    """Which of how many processes this is; alone where nothing is said."""

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the one that reads and writes."""
        return self.rank == 0

    def add(self, tensors: Sequence[Tensor]) -> None:
        """Put in place of tensors of one type their sums over the ranks."""
        if self.world == 1:
            return
        flat = torch.cat([t.reshape(-1) for t in tensors])
        distributed.all_reduce(flat)
        for t, summed in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
            t.copy_(summed.view_as(t))

    def spread(self, tensor: Tensor) -> Tensor:
        """The first rank's tensor, which the others give room for."""
        if self.world > 1:
            distributed.broadcast(tensor, 0)
        return tensor

    def told(self, said: Any, device: torch.device) -> Any:
        """What the first rank says, a value that JSON can hold."""
        if self.world == 1:
            return said
        content = json.dumps(said).encode() if self.first else b""
        size = int(self.spread(torch.tensor([len(content)], device=device)))
        held = torch.zeros(size, dtype=torch.uint8, device=device)
        if self.first:
            held.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8))
        return json.loads(bytes(self.spread(held).cpu().tolist()))


@contextmanager
def ranks(device: torch.device) -> Iterator[Ranks]:
    """The processes that torchrun started together with this one; this one alone where it did not."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1 or not distributed.is_available():
        yield Ranks()
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Ranks(distributed.get_rank(), world)
    finally:
        distributed.destroy_process_group()


def is_of_a_lost_rank(error: BaseException) -> bool:
    """Whether an error is that of a process whose neighbour has ended."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and any(sign in str(error).lower() for sign in LOST)
