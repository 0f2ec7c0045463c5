"""Noise over signal, with what each is known to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Estimate:
    """`noise` of one sequence's gradient and `signal`, both squared lengths in one geometry, each with its standard error.

    `scale`, their ratio, is the noise scale in sequences. A signal that is not above zero gives none, and is kept.
    """

    noise: float
    noise_se: float
    signal: float
    signal_se: float

    @property
    def scale(self) -> float:
        """The noise scale in sequences; not a number where the signal is not above zero."""
        return self.noise / self.signal if self.signal > 0 else math.nan

    def columns(self, geometry: str, seq_len: int) -> dict[str, Any]:
        """The columns of the log for a geometry."""
        return {
            f"noise_{geometry}": self.noise,
            f"noise_{geometry}_se": self.noise_se,
            f"signal_{geometry}": self.signal,
            f"signal_{geometry}_se": self.signal_se,
            f"noise_scale_{geometry}": self.scale,
            f"noise_scale_tokens_{geometry}": self.scale * seq_len,
        }

    def plain(self) -> list[float]:
        """The four numbers, in order."""
        return [self.noise, self.noise_se, self.signal, self.signal_se]


def euclidean(squares: Tensor, dots: Tensor) -> Estimate:
    """From n sequences: |g_i|^2 and g_i . sum_j g_j, both (n,).

    tr(Sigma) = n / (n - 1) (mean |g_i|^2 - |mean g|^2) and |G|^2 = |mean g|^2 - tr(Sigma) / n, both without bias; standard errors by
    the jackknife, which for |G|^2 is too wide by at most a root of 2 where there is nothing but noise.
    """
    n = len(squares)
    total = dots.sum()
    from_mean = squares - 2 * dots / n + total / n**2
    noise = from_mean.sum() / (n - 1)
    signal = (dots - squares).sum() / (n * (n - 1))
    noise_without = ((n - 1) * noise - n / (n - 1) * from_mean) / (n - 2)
    signal_without = (n * (n - 1) * signal - 2 * (dots - squares)) / ((n - 1) * (n - 2))
    return Estimate(float(noise), _jackknife(noise_without), float(signal), _jackknife(signal_without))


def _jackknife(without: Tensor) -> float:
    n = len(without)
    return float(torch.sqrt((n - 1) / n * (without - without.mean()).square().sum()))
