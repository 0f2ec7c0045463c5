"""A run at one of its evaluations, as what is measured sees it: nothing in it is changed, and nothing random is the run's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from data.probe.schedule import Plan
from data.probe.spec import Spec
from data.probe.trainer.device import Device
from data.probe.trainer.measure.energy import Meter
from data.probe.trainer.model import Weights
from data.probe.trainer.optimisers import Optimiser

AT_ONCE = 32  # sequences whose hidden states are held at once
HELD = 2**28  # bytes of gradients of single sequences that are held at once


class Running(Protocol):
    """What is needed of a run of one model. `tokens` gives sequences of its training stream by their place in it, (1, n, length + 1)."""

    spec: Spec
    plan: Plan
    device: Device
    weights: Weights
    optimiser: Optimiser
    done: int
    meter: Meter
    lengths: Tensor | None

    def tokens(self, first: int, size: int) -> Tensor: ...


@dataclass(frozen=True, eq=False)
class Moment:
    """One model after so many steps (`done`). `weights` (1, in, out) are detached; `rate` and `batch` are the next step's."""

    spec: Spec
    weights: Weights
    optimiser: Optimiser
    done: int
    rate: float
    batch: int
    next: int
    beyond: int
    lengths: Tensor | None
    tokens: Callable[[int, int], Tensor]
    products: Callable[[], AbstractContextManager[Any]]

    @classmethod
    def of(cls, run: Running) -> Moment:
        """The moment at which a run stands."""
        last = min(run.done, len(run.plan) - 1)
        return cls(
            run.spec,
            {name: w.detach() for name, w in run.weights.items()},
            run.optimiser,
            run.done,
            float(run.plan.rate[last]),
            int(run.plan.batch[last]),
            run.plan.sequences(run.done),
            run.plan.sequences(len(run.plan)),
            run.lengths,
            run.tokens,
            run.device.products,
        )

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(iter(self.weights.values())).device

    def coming(self) -> Tensor:
        """The batch of the next step (1, batch, length + 1); after the last step the one that would follow."""
        return self.tokens(self.next, self.batch)

    def fresh(self, size: int) -> Tensor:
        """Sequences of the training stream that this run does not come to (1, size, length + 1), others at every evaluation."""
        return self.tokens(self.beyond + self.batch + self.done * size, size)

    def random(self) -> torch.Generator:
        """A source of random numbers for this evaluation, on the CPU so that they are the same on any device."""
        return torch.Generator().manual_seed(self.spec.seed * 1_000_003 + self.done)


def parts(tokens: Tensor, size: int = AT_ONCE) -> Iterator[Tensor]:
    """Sequences (1, n, ...) in parts of at most `size`."""
    yield from tokens.split(size, dim=1)


def leaves(weights: Weights) -> Weights:
    """Copies that gradients can be asked of."""
    return {name: w.clone().requires_grad_() for name, w in weights.items()}
