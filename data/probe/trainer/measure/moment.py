"""A run at one of its evaluations, as what is measured sees it: nothing in it is changed, and nothing random is the run's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from data.probe.schedule import Plan
from data.probe.spec import Spec
from data.probe.trainer.device import Device
from data.probe.trainer.model import Weights
from data.probe.trainer.optimisers import Optimiser

AT_ONCE = 32  # sequences whose hidden states are held at once
HELD = 2**28  # bytes of gradients of single sequences that are held at once


@dataclass(frozen=True, eq=False)
class Moment:
    """One model after so many steps (`done`).

    `weights` (1, in, out) are detached, `rate` and `batch` the next step's, `seen` the tokens until now. `tokens` gives sequences of
    the run's training stream by their place in it, (1, n, length + 1), also beyond the run's end: the next step's begin at `next`, and
    from `beyond` on there are none of this run.
    """

    spec: Spec
    weights: Weights
    optimiser: Optimiser
    done: int
    seen: int
    rate: float
    batch: int
    next: int
    beyond: int
    tokens: Callable[[int, int], Tensor]
    on: Device

    @classmethod
    def at(
        cls, spec: Spec, plan: Plan, weights: Weights, optimiser: Optimiser, done: int,
        tokens: Callable[[int, int], Tensor], device: Device,
    ) -> Moment:  # fmt: skip
        """The moment at which one model of a run stands: weights and the optimiser's state begin with an axis of 1."""
        last = min(done, len(plan) - 1)
        return cls(
            spec, {name: w.detach() for name, w in weights.items()}, optimiser, done, plan.after(done),
            float(plan.rate[last]), int(plan.batch[last]), plan.sequences(done), plan.sequences(len(plan)), tokens, device,
        )  # fmt: skip

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(iter(self.weights.values())).device

    def products(self) -> AbstractContextManager[Any]:
        """The precision of training."""
        return self.on.products()

    def coming(self) -> Tensor:
        """The batch of the next step (1, batch, length + 1); after the last step the one that would follow."""
        return self.tokens(self.next, self.batch)

    def fresh(self, size: int) -> Tensor:
        """Sequences of the training stream that this run does not come to (1, size, length + 1), others at every evaluation."""
        return self.tokens(self.beyond + self.batch + self.done * size, size)

    def random(self) -> torch.Generator:
        """A source of random numbers for this evaluation, on the CPU so that they are the same on any device."""
        return torch.Generator().manual_seed((self.spec.seed * 1_000_003 + self.done) % 2**63)


def parts(tokens: Tensor, size: int = AT_ONCE) -> Iterator[Tensor]:
    """Sequences (1, n, ...) in parts of at most `size`."""
    yield from tokens.split(size, dim=1)


def leaves(weights: Weights) -> Weights:
    """Copies that gradients can be asked of."""
    return {name: w.clone().requires_grad_() for name, w in weights.items()}
