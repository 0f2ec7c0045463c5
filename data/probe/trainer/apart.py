"""The gradient of a batch with those of its parts told apart, for little more than the gradient itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor

from data.probe.spec import Spec
from data.probe.trainer.model import Weights, losses


def apart(
    spec: Spec, weights: Weights, tokens: Tensor, count: int, products: Callable[[], AbstractContextManager[Any]]
) -> tuple[float, Weights, dict[str, float]]:
    """The loss of one model, its gradient by name, and the mean over `count` parts of one size of each weight's squared gradient.

    The parts go through together, each with a copy of the weights, as a stack of models does: one after another they would cost
    a small model 2 to 3 % of its time at one step in 32, and so it is a few tenths at most. It holds `count` gradients at once.
    """
    parts = tokens[0].reshape(count, -1, tokens.shape[-1])
    copies = {name: w.detach().expand(count, *w.shape[1:]).requires_grad_() for name, w in weights.items()}
    with products():
        lost = losses(spec, copies, parts)
    found = torch.autograd.grad(lost.sum(), list(copies.values()))
    squares = (torch.stack([g.square().sum() for g in found]) / count).tolist()
    total = {name: g.mean(0, keepdim=True) for name, g in zip(copies, found, strict=True)}
    return float(lost.detach().mean()), total, dict(zip(copies, squares, strict=True))
