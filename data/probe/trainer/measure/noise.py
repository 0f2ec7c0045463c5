"""The gradient noise scale from the gradients of single sequences (McCandlish et al. 2018, arXiv 1812.06162, appendix A)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from data.probe.trainer.measure.each import gradients
from data.probe.trainer.measure.estimate import Estimate, euclidean
from data.probe.trainer.measure.moment import Moment
from data.probe.trainer.model import group


def noise(moment: Moment) -> dict[str, Any]:
    """tr(Sigma), |G|^2 and the noise scale of unclipped gradients, whole and by group."""
    return measured(moment, moment.fresh(moment.spec.measure_batch), "euclidean")


def measured(moment: Moment, tokens: Tensor, geometry: str, by: Mapping[str, Tensor] | None = None) -> dict[str, Any]:
    """The columns of a geometry in which a gradient's length is that of the gradient times `by` (1, in, out), by name.

    Only the weights in `by` count; without it all do, as they are.
    """
    whole, groups = estimates(moment, tokens, by)
    return {
        **whole.columns(geometry, moment.spec.seq_len),
        f"noise_parts_{geometry}": {name: one.plain() for name, one in groups.items()},
        "noise_batch": tokens.shape[1],
    }


def estimates(
    moment: Moment, tokens: Tensor, by: Mapping[str, Tensor] | None = None
) -> tuple[Estimate, dict[str, Estimate]]:
    """The estimates of all weights and of each group. Every gradient is computed twice and held once."""
    names = list(moment.weights if by is None else by)

    def each() -> Iterable[dict[str, Tensor]]:
        for found in gradients(moment, tokens):
            yield {name: found[name] if by is None else found[name] * by[name] for name in names}

    total = {name: torch.zeros_like(moment.weights[name]) for name in names}
    for found in each():
        for name, g in found.items():
            total[name] += g.sum(0, keepdim=True)
    squares: dict[str, list[Tensor]] = {group(name): [] for name in names}
    dots: dict[str, list[Tensor]] = {group(name): [] for name in names}
    for found in each():
        for held, with_ in ((squares, found), (dots, total)):
            for part, values in _by_group(found, with_).items():
                held[part].append(values)
    square = {name: torch.cat(values) for name, values in squares.items()}
    dot = {name: torch.cat(values) for name, values in dots.items()}
    whole = euclidean(torch.stack(list(square.values())).sum(0), torch.stack(list(dot.values())).sum(0))
    return whole, {name: euclidean(square[name], dot[name]) for name in square}


def _by_group(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Products of gradients (c, in, out) and others, summed over the weights of each group, (c,)."""
    out: dict[str, Tensor] = {}
    for name, x in a.items():
        product = (x * b[name]).sum((1, 2)).double()
        part = group(name)
        out[part] = out[part] + product if part in out else product
    return out
