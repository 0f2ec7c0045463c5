"""The gradient of every sequence of a batch by itself, in parts that fit into memory."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, autograd

from data.probe.trainer.measure.moment import AT_ONCE, HELD, Moment
from data.probe.trainer.model import Weights, losses


def gradients(moment: Moment, tokens: Tensor) -> Iterator[Weights]:
    """Gradients by name (c, in, out) of the mean loss of each sequence (nats per token), c sequences at a time, in order.

    A stack of models is what gives them: c copies of one model, each with one sequence.
    """
    size = sum(4 * w.numel() for w in moment.weights.values())
    for part in tokens[0].split(max(1, min(AT_ONCE, HELD // size))):
        copies = {
            name: w.expand(len(part), *w.shape[1:]).clone().requires_grad_() for name, w in moment.weights.items()
        }
        with moment.products():
            lost = losses(moment.spec, copies, part[:, None]).sum()
        yield dict(zip(copies, autograd.grad(lost, list(copies.values())), strict=True))
