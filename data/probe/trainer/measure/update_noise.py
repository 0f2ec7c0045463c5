"""The noise scale in the geometry of the optimiser's update: a Euclidean one does not describe what Adam, signs or Muon do with noise."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from data.probe.trainer.measure import dual
from data.probe.trainer.measure.dual import Dual, Sign, Spectral
from data.probe.trainer.measure.moment import Moment
from data.probe.trainer.measure.noise import measured
from data.probe.trainer.model import role
from data.probe.trainer.optimisers import gradient_size


def update_noise(moment: Moment) -> dict[str, Any]:
    """The noise scale in each geometry that belongs to the optimiser; a column's name says which.

    "adam" and "adafactor": lengths of g / (sqrt(v) + eps), with the second moments as they stand; "sign": what the two come to where
    noise is large or v follows the gradient; "spectral": Muon's, of the matrices that it takes; "euclidean": SGD's.
    """
    tokens = moment.fresh(moment.spec.measure_batch)
    kind, names = moment.spec.optimiser, list(moment.weights)
    if kind == "sgd":
        return measured(moment, tokens, "euclidean")
    if kind == "muon":
        matrices = [name for name in names if role(name) == "hidden"]
        rest = adam(moment, [name for name in names if name not in matrices])
        return _dual(moment, tokens, "spectral", Spectral(), matrices) | measured(moment, tokens, "adam", rest)
    by = adam(moment, names) if kind == "adamw" else adafactor(moment, names)
    geometry = "adam" if kind == "adamw" else "adafactor"
    return measured(moment, tokens, geometry, by) | _dual(moment, tokens, "sign", Sign(), names)


def _dual(moment: Moment, tokens: Tensor, geometry: str, norm: Dual, names: Iterable[str]) -> dict[str, Any]:
    whole, groups = dual.estimates(moment, tokens, norm, names)
    return {
        **whole.columns(geometry, moment.spec.seq_len),
        f"noise_parts_{geometry}": {name: one.plain() for name, one in groups.items()},
        "noise_batch": tokens.shape[1],
    }


def adam(moment: Moment, names: Iterable[str]) -> dict[str, Tensor]:
    """1 / (sqrt(v) + eps) by name. A coordinate that had no gradient yet has no length: it would be 1 / eps."""
    spec, steps = moment.spec, moment.optimiser.steps
    out = {}
    for name in names:
        second = moment.optimiser.state.get(f"{name}/second", torch.zeros_like(moment.weights[name]))
        size = (second / (1 - spec.beta2 ** max(1, steps))).sqrt()
        out[name] = torch.where(second > 0, 1 / (size + spec.eps * gradient_size(spec, name)), 0.0)
    return out


def adafactor(moment: Moment, names: Iterable[str]) -> dict[str, Tensor]:
    """The factored 1 / sqrt(v) by name, before updates are limited; nothing for rows and columns without a gradient yet."""
    out = {}
    for name in names:
        rows, columns = (moment.optimiser.state[f"{name}/{which}"] for which in ("rows", "columns"))
        product = rows / rows.mean(-2, keepdim=True) * columns
        out[name] = torch.where(product > math.sqrt(torch.finfo(product.dtype).tiny), product.rsqrt(), 0.0)
    return out
