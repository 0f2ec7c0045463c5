"""Geometries of updates that are no lengths of coordinates: of signs, and of matrices without their singular values.

An update of the largest entry, or largest singular value, 1 lowers the loss most by the sum of the gradient's absolute entries, or
of its singular values: the norm dual to the update's. Of the noise the bound of the same norm is taken: the sum of the entries'
standard deviations, or the trace of the root of E[(g - G)(g - G)^T], on the side of a matrix where it is smaller. The squared
ratio is the batch at which noise and gradient are of one size there (Naganuma et al. 2026, arXiv 2602.03001).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from data.probe.trainer.measure.each import gradients
from data.probe.trainer.measure.estimate import Estimate
from data.probe.trainer.measure.moment import Moment
from data.probe.trainer.model import group


class Dual(Protocol):
    """A norm of gradients g (c, in, out)."""

    def second(self, g: Tensor) -> Tensor:
        """Sum over c of what the noise is made of."""

    def root(self, second: Tensor) -> tuple[Tensor, Tensor]:
        """The noise of a second moment, and its slope."""

    def along(self, slope: Tensor, g: Tensor) -> Tensor:
        """What each gradient adds to the noise, (c,)."""

    def direction(self, g: Tensor) -> Tensor:
        """The update of norm 1 along which a gradient (in, out) falls most."""


class Sign:
    """The norm of updates is their largest entry."""

    def second(self, g: Tensor) -> Tensor:
        return g.square().sum(0)

    def root(self, second: Tensor) -> tuple[Tensor, Tensor]:
        sd = second.clamp(min=0).sqrt()
        return sd.sum(), torch.where(sd > 0, 0.5 / sd.clamp(min=torch.finfo(sd.dtype).tiny), 0.0)

    def along(self, slope: Tensor, g: Tensor) -> Tensor:
        return (slope * g.square()).sum((1, 2))

    def direction(self, g: Tensor) -> Tensor:
        return g.sign()


class Spectral:
    """The norm of updates is their largest singular value."""

    def second(self, g: Tensor) -> Tensor:
        g = g if g.shape[1] <= g.shape[2] else g.mT
        return (g @ g.mT).sum(0)

    def root(self, second: Tensor) -> tuple[Tensor, Tensor]:
        values, vectors = torch.linalg.eigh(second.double())
        sd = values.clamp(min=0).sqrt()
        seen = sd > 1e-6 * sd.max()  # what is below is rounding
        slope = (vectors * torch.where(seen, 0.5 / sd.clamp(min=1e-300), 0.0)) @ vectors.mT
        return sd.sum(), slope.to(second.dtype)

    def along(self, slope: Tensor, g: Tensor) -> Tensor:
        g = g if g.shape[1] <= g.shape[2] else g.mT
        return (g * (slope @ g)).sum((1, 2))

    def direction(self, g: Tensor) -> Tensor:
        u, values, v = torch.linalg.svd(g, full_matrices=False)
        return u * (values > 1e-6 * values.max()) @ v


@dataclass
class _Sums:
    halves: list[Tensor]
    second: Tensor | None = None


def estimates(moment: Moment, tokens: Tensor, norm: Dual, names: Iterable[str]) -> tuple[Estimate, dict[str, Estimate]]:
    """The squared noise and signal of all these weights, and of each group, from n sequences.

    The signal is what the direction of one half of the sequences gains on the other half: never above the norm in expectation, and
    below it the more the half's direction is noise; the norm of the mean itself would be the noise's. Its standard error
    takes the directions as given, and is a quarter too small where they are mostly noise; the noise's is that of its first-order terms.
    """
    names, n = list(names), tokens.shape[1]
    half = n // 2
    sums = {name: _Sums([torch.zeros_like(moment.weights[name][0]) for _ in range(2)]) for name in names}
    at = 0
    for found in gradients(moment, tokens):
        for name in names:
            g, held = found[name], sums[name]
            cut = max(0, half - at)
            held.halves[0] += g[:cut].sum(0)
            held.halves[1] += g[cut:].sum(0)
            held.second = norm.second(g) if held.second is None else held.second + norm.second(g)
        at += len(g)
    means, slopes, ways, noises = {}, {}, {}, {}
    for name, held in sums.items():
        assert held.second is not None
        means[name] = (held.halves[0] + held.halves[1])[None] / n
        root, slopes[name] = norm.root((held.second - n * norm.second(means[name])) / (n - 1))
        ways[name] = [norm.direction(one) for one in held.halves]
        noises[name] = float(root)
    spread: dict[str, list[Tensor]] = {name: [] for name in names}
    gain: dict[str, list[Tensor]] = {name: [] for name in names}
    at = 0
    for found in gradients(moment, tokens):
        for name in names:
            g, cut = found[name], max(0, half - at)
            spread[name].append(norm.along(slopes[name], g - means[name]).double())
            other = torch.cat([(g[:cut] * ways[name][1]).sum((1, 2)), (g[cut:] * ways[name][0]).sum((1, 2))])
            gain[name].append(other.double())
        at += len(g)
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(group(name), []).append(name)

    def of(some: list[str]) -> Estimate:
        noise = sum(noises[name] for name in some)
        first = torch.stack([torch.cat(spread[name]) for name in some]).sum(0)
        gains = torch.stack([torch.cat(gain[name]) for name in some]).sum(0).split([half, n - half])
        signal = 0.5 * float(gains[0].mean() + gains[1].mean())
        signal_se = 0.5 * float(torch.sqrt(gains[0].var() / half + gains[1].var() / (n - half)))
        return Estimate(
            noise**2, 2 * noise * float(first.std()) / n**0.5, signal * abs(signal), 2 * abs(signal) * signal_se
        )

    return of(names), {part: of(some) for part, some in groups.items()}
