"""Optimisers for a stack of models: each model has its own rate, and a state that is plain tensors.

Written out so that a stack of models steps at once and a checkpoint is arrays by name; held against torch's own in the tests.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from data.probe.spec import Spec
from data.probe.trainer.model import Weights, role

MOMENTUM = 0.95  # of Muon
# Coefficients of the quintic that brings singular values near 1 (Jordan 2024, Muon), and how often it is applied.
QUINTIC, TURNS = (3.4445, -4.7750, 2.0315), 5
FACTORED = 0.8  # Adafactor's decay 1 - t^-.8 (Shazeer and Stern 2018, arXiv 1804.04235, section 7.2)
UPDATE_CLIP, LEAST = 1.0, 1e-30  # and its limit of an update's root mean square, and what is added to squares


@dataclass
class Optimiser:
    """`step` changes the weights in place; `state` holds tensors by name."""

    spec: Spec
    state: dict[str, Tensor] = field(default_factory=dict)
    steps: int = 0

    def step(self, weights: Weights, gradients: Weights, rates: Tensor) -> None:
        """One step with gradients by name at rates (k,), one for each model."""
        self.steps += 1
        for name, w in weights.items():
            rate = rates.view(-1, 1, 1) * scale(self.spec, name)
            update = self._update(name, w, gradients[name])
            if self.spec.weight_decay and role(name) == "hidden":
                # By the rate that is said, not the scaled one: what decay does to a matrix over a run is then the same at every
                # width (Wang and Aitchison 2024, arXiv 2405.13698).
                w.mul_(1.0 - rates.view(-1, 1, 1) * self.spec.weight_decay)
            w.sub_(rate * update)

    def _update(self, name: str, w: Tensor, g: Tensor) -> Tensor:
        kind = self.spec.optimiser
        if kind == "muon" and role(name) == "hidden":
            return self._muon(name, g)
        if kind == "sgd":
            return self._momentum(name, g, self.spec.beta1)
        return self._adafactor(name, g) if kind == "adafactor" else self._adam(name, g)

    def _held(self, name: str, like: Tensor) -> Tensor:
        if name not in self.state:
            self.state[name] = torch.zeros_like(like)
        return self.state[name]

    def _momentum(self, name: str, g: Tensor, beta: float) -> Tensor:
        return self._held(f"{name}/first", g).mul_(beta).add_(g).clone()

    def _adam(self, name: str, g: Tensor) -> Tensor:
        """Kingma and Ba 2014, arXiv 1412.6980, algorithm 1."""
        b1, b2 = self.spec.beta1, self.spec.beta2
        first = self._held(f"{name}/first", g).mul_(b1).add_(g, alpha=1 - b1)
        second = self._held(f"{name}/second", g).mul_(b2).addcmul_(g, g, value=1 - b2)
        size = (second / (1 - b2**self.steps)).sqrt_().add_(self.spec.eps * gradient_size(self.spec, name))
        return (first / (1 - b1**self.steps)).div_(size)

    def _muon(self, name: str, g: Tensor) -> Tensor:
        """Nesterov momentum made nearly orthogonal (Jordan 2024), its singular values near the root of out / in, at least 1."""
        held = self._held(f"{name}/first", g).mul_(MOMENTUM).add_(g)
        rows, columns = g.shape[-2:]
        return orthogonal(g + MOMENTUM * held) * math.sqrt(max(1.0, columns / rows))

    def _adafactor(self, name: str, g: Tensor) -> Tensor:
        """Second moments as an outer product of their rows' and columns' means (Shazeer and Stern 2018, algorithm 4)."""
        beta = 1.0 - self.steps**-FACTORED
        squares = g.square() + LEAST
        rows = self._held(f"{name}/rows", g[..., :1]).mul_(beta).add_(squares.mean(-1, keepdim=True), alpha=1 - beta)
        columns = (
            self._held(f"{name}/columns", g[..., :1, :]).mul_(beta).add_(squares.mean(-2, keepdim=True), alpha=1 - beta)
        )
        update = g * (rows / rows.mean(-2, keepdim=True)).rsqrt() * columns.rsqrt()
        size = update.square().mean((-1, -2), keepdim=True).sqrt()
        return update / (size / UPDATE_CLIP).clamp(min=1.0)


def orthogonal(g: Tensor) -> Tensor:
    """The nearest matrices (k, m, n) with orthonormal rows or columns, roughly: singular values within about .7 to 1.2."""
    a, b, c = QUINTIC
    x = g / (g.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    tall = x.shape[-2] > x.shape[-1]
    x = x.mT if tall else x
    for _ in range(TURNS):
        s = x @ x.mT
        x = a * x + (b * s + c * (s @ s)) @ x
    return x.mT if tall else x


def scale(spec: Spec, name: str) -> float:
    """What a weight's rate is to the rate that is said, under the spec's parametrisation.

    Yang et al. 2022, arXiv 2203.03466, table 3: with Adam 1 / width for what has the width as its fan-in; with SGD the width for
    the embedding and 1 / width for the head. Adafactor is used here without a rate relative to the weights and limits the root mean
    square of an update to 1, as Adam's is about: Adam's rule. Muon's update has singular values that no width changes, which is
    what a hidden matrix may be changed by at any width (Yang et al. 2023, arXiv 2310.17813). With the depth rule branches are
    scaled by 1 / sqrt(depth), and the rate inside them likewise where an update's size does not follow the gradient's (Yang et
    al. 2023, arXiv 2310.02244).
    """
    if spec.parametrisation == "standard":
        return 1.0
    part = role(name)
    if spec.optimiser == "sgd":
        return _width_metric(spec, name)
    if spec.optimiser == "muon" and part == "hidden":
        return _deep(spec, name)
    return _deep(spec, name) * (1.0 if part == "embedding" else 1.0 / _wider(spec))


def gradient_size(spec: Spec, name: str) -> float:
    """What a weight's gradient is under muP to that at the base width and depth: 1 / width but in the head.

    Adam's eps goes with it, or wider models would have more of their gradients under it.
    """
    if spec.parametrisation == "standard":
        return 1.0
    return 1.0 if role(name) == "head" else _deep(spec, name) / _wider(spec)


def clip_weights(spec: Spec, names: Iterable[str]) -> list[float]:
    """What each weight's squared gradient counts in the norm that is clipped: 1, or SGD's scale of its rate under muP.

    The head's gradient grows as the root of the width under muP, so that a limit on the plain norm would slow wide models down. In
    the coordinates in which SGD has one rate for all weights no part of the norm hangs on the width.
    """
    return [1.0 if spec.parametrisation == "standard" else _width_metric(spec, name) for name in names]


def _width_metric(spec: Spec, name: str) -> float:
    wider = _wider(spec)
    return {"embedding": wider, "hidden": 1.0, "head": 1.0 / wider}[role(name)]


def _wider(spec: Spec) -> float:
    return spec.width / (spec.base_width or spec.width)


def _deep(spec: Spec, name: str) -> float:
    inside = spec.parametrisation == "mup_depth" and role(name) == "hidden"
    return math.sqrt(spec.base_depth / spec.depth) if inside else 1.0
