"""Sizes of what stands in a model and of what a step changes, by layer: the coordinate check of muP, and alignment."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import Tensor

from data.probe.trainer.measure.moment import Moment, leaves, parts
from data.probe.trainer.model import Weights, forward, losses
from data.probe.trainer.optimisers import Optimiser, clip_weights, scale


def coordinates(moment: Moment) -> dict[str, Any]:
    """Root mean squares of hidden states, weights and the next update, alignment, rates and small gradients, by name.

    Alignment is log_n(RMS(x W) / (RMS(x) RMS(W))), n the fan-in: 1/2 where x and W are independent, 1 where they are aligned
    (Everett et al. 2024, arXiv 2407.05872, section 3); of the update the same with what it adds to W. The
    update is the very one that the next step makes, with its batch, clipping and weight decay.
    """
    tokens = moment.coming()
    gradients = _gradient(moment, tokens)
    update = _update(moment, gradients)
    seen: dict[str, Tensor] = {}
    with torch.no_grad(), moment.products():
        forward(moment.spec, moment.weights, next(iter(parts(tokens)))[..., :-1], seen)
    row: dict[str, Any] = {
        "activation_rms": {name: _rms(x) for name, x in seen.items() if not name.endswith("/in")},
        "weight_rms": {name: _rms(w) for name, w in moment.weights.items()},
        "update_rms": {name: _rms(u) for name, u in update.items()},
        "lr_by_layer": {name: moment.rate * scale(moment.spec, name) for name in moment.weights},
        "under_eps": {name: float((g.abs() < moment.spec.eps).double().mean()) for name, g in gradients.items()},
        "alignment": {},
        "update_alignment": {},
    }
    for name in moment.weights:
        if f"{name}/in" in seen:
            x = seen[f"{name}/in"].float()
            row["alignment"][name] = _aligned(x, moment.weights[name])
            row["update_alignment"][name] = _aligned(x, update[name])
    for column in ("alignment", "update_alignment"):
        row[column] = {name: value for name, value in row[column].items() if value == value}
    return row


def _gradient(moment: Moment, tokens: Tensor) -> Weights:
    """The mean gradient of a batch."""
    total = {name: torch.zeros_like(w) for name, w in moment.weights.items()}
    for part in parts(tokens):
        copies = leaves(moment.weights)
        with moment.products():
            lost = losses(moment.spec, copies, part).sum() * (part.shape[1] / tokens.shape[1])
        for name, g in zip(copies, torch.autograd.grad(lost, list(copies.values())), strict=True):
            total[name] += g
    return total


def _update(moment: Moment, gradients: Weights) -> Weights:
    """What a step with this gradient would add to the weights; made with copies."""
    state = {name: s.clone() for name, s in moment.optimiser.state.items()}
    optimiser = Optimiser(moment.spec, state, moment.optimiser.steps)
    moved = copy.deepcopy(moment.weights)
    sizes = torch.stack([g.square().sum() for g in gradients.values()])
    norm = math.sqrt(float(sizes @ sizes.new_tensor(clip_weights(moment.spec, gradients))))
    clip = moment.spec.clip / norm if moment.spec.clip and norm > moment.spec.clip else 1.0
    with torch.no_grad():
        clipped = {name: g * clip for name, g in gradients.items()}
        optimiser.step(moved, clipped, torch.tensor([moment.rate], device=moment.device))
        return {name: w - moment.weights[name] for name, w in moved.items()}


def _aligned(x: Tensor, w: Tensor) -> float:
    """Not a number where nothing is said: a matrix of zeros, or a fan-in of 1."""
    w = w[0].float()
    size = _rms(x) * _rms(w)
    given = _rms(x @ w)
    return math.log(given / size) / math.log(len(w)) if size > 0 and given > 0 and len(w) > 1 else math.nan


def _rms(x: Tensor) -> float:
    return float(x.double().square().mean().sqrt())
