"""The gradient of a batch with those of its parts told apart, for little more than the gradient itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor

from data.probe.spec import Spec
from data.probe.trainer.model import Weights, losses

HELD = 2**28  # bytes of gradients up to which those of all parts are held at once


def is_light(weights: Weights, count: int) -> bool:
    """Whether the gradients of so many parts may be held at once."""
    return count * sum(4 * w.numel() for w in weights.values()) <= HELD


def apart(
    spec: Spec, weights: Weights, tokens: Tensor, count: int, products: Callable[[], AbstractContextManager[Any]]
) -> tuple[Tensor, Weights, Tensor]:
    """The loss (k,) of each model, its gradient by name, and the mean over `count` parts of one size of each weight's squared
    gradient (k, names).

    The parts go through together, each with a copy of the weights, as a stack of models does: one after another they would cost
    a small model 2 to 3 % of its time at one step in 32, and so it is a few tenths at most.
    """
    k = len(tokens)
    parts = tokens.reshape(k * count, -1, tokens.shape[-1])
    copies = {
        name: w.detach()[:, None].expand(k, count, *w.shape[1:]).reshape(k * count, *w.shape[1:]).requires_grad_()
        for name, w in weights.items()
    }
    with products():
        lost = losses(spec, copies, parts)
    found = [g.view(k, count, *g.shape[1:]) for g in torch.autograd.grad(lost.sum(), list(copies.values()))]
    squares = torch.stack([g.square().sum((-2, -1)).double().mean(1) for g in found], dim=1)
    total = {name: _mean(g) for name, g in zip(copies, found, strict=True)}
    return lost.detach().double().view(k, count).mean(1), total, squares


def _mean(g: Tensor) -> Tensor:
    """The mean over parts (k, count, ...), added in their order, as where they come one after another."""
    each = g.unbind(1)
    total = each[0] / len(each)
    for one in each[1:]:
        total.add_(one, alpha=1.0 / len(each))
    return total
