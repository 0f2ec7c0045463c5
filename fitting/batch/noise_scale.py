"""The gradient noise scale from logged norms: how many examples it takes until noise no longer drowns the gradient.

B_simple = tr(Sigma) / |G|^2 (McCandlish et al. 2018, arXiv 1812.06162, appendix A.1). From the squared norms of a gradient over
a small and over a big batch, both parts have unbiased estimates at every step; single ones are noisy and often negative,
so each is averaged over steps and only then are they divided. Under Adam this can lie far below the batch from which more
data a step saves no steps (Merrill et al. 2025, arXiv 2505.23971): a sign, not a measurement of the critical batch.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from data.alike import Alike
from fitting.arguments import LARGEST, SMALLEST, a_level, as_numbers, in_range, in_short, together
from fitting.band import LEVEL, Band
from fitting.errors import FitError
from fitting.shown import shown

Array = np.ndarray

LEAST_STEPS = 8


@shown()
@dataclass(frozen=True, eq=False)
class NoiseScale(Alike):
    """Estimates at every step logged (n,): `noise` of tr(Sigma) and `signal` of |G|^2, negative ones kept; `steps` are their numbers."""

    noise: Array
    signal: Array
    steps: Array

    def ratio(self, level: float = LEVEL) -> Band:
        """Mean noise over mean signal, in examples, with Fieller's interval (1954).

        Where the signal's mean is not clearly above zero the interval has no upper end, and where the noise's is not either
        it begins at zero. Scatter is judged by the differences of neighbouring steps, which a drift along training leaves
        alone (von Neumann et al. 1941); around that steps are taken as independent.
        """
        level = a_level(level)
        n = len(self.noise)
        top, under = float(self.noise.mean()), float(self.signal.mean())
        steps = np.diff(np.stack([self.noise, self.signal]), axis=1)
        (tt, tu), (_, uu) = (steps @ steps.T) / (2.0 * (n - 1) * n)
        reach = float(special.stdtrit(n - 1, 0.5 * (1.0 + level))) ** 2
        return fieller((top, under), (tt, tu, uu), reach, level)

    def along(self, ends: Sequence[float] = (0.05, 0.2, 0.5, 1.0), level: float = LEVEL) -> list[tuple[int, int, Band]]:
        """The ratio over stretches of the steps logged, each to a share of them: first and last row (not included), and the band.

        It grows as the loss falls, so one number for a whole run is none. Stretches too short to judge are left out; where all
        are, the run is one.
        """
        shares = as_numbers(ends)
        rising = (
            shares is not None and shares.ndim == 1 and shares.size > 0 and np.all(np.diff(shares, prepend=0.0) > 0)
        )
        if shares is None or not rising or shares[-1] > 1:
            raise FitError(
                f"ends are shares of the steps, rising to 1 at most, such as [0.5, 1]; it was {in_short(ends)}."
            )
        cuts = np.round(np.append(0.0, shares) * len(self.noise)).astype(int)
        long = [(int(a), int(b)) for a, b in itertools.pairwise(cuts) if b - a >= LEAST_STEPS]
        return [(a, b, self.part(a, b).ratio(level)) for a, b in long or [(0, len(self.noise))]]

    def part(self, first: int, end: int) -> NoiseScale:
        """The same for the rows from `first` to before `end`."""
        return NoiseScale(self.noise[first:end], self.signal[first:end], self.steps[first:end])

    def span(self, first: int, end: int) -> tuple[float, float]:
        """The numbers of the first and last step of these rows."""
        return float(self.steps[first]), float(self.steps[end - 1])


def fieller(mean: tuple[float, float], spread: tuple[float, float, float], reach: float, level: float) -> Band:
    """Mean noise over mean signal with Fieller's interval at `level`, whose squared quantile is `reach`.

    `spread` has the variances of the two means and between them their covariance: noise, both, signal.
    """
    (top, under), (tt, tu, uu) = mean, spread
    # All ratios q with (top - q under)^2 <= reach Var(top - q under): a q^2 - 2 b q + c <= 0.
    a, b, c = under**2 - reach * uu, top * under - reach * tu, top**2 - reach * tt
    root = np.sqrt(max(0.0, b * b - a * c))
    value = top / under if under > 0.0 else np.inf
    if a > 0.0 and under > 0.0:
        return Band(value, float((b - root) / a), float((b + root) / a), level)
    if a > 0.0:  # clearly below zero, where no signal can be: these steps say nothing
        return Band(value, 0.0, np.inf, level)
    # A signal of nothing is possible, and with it any ratio from the larger root on: (b - root) / a, since a < 0.
    low = (b - root) / a if root > 0.0 and a < 0.0 else 0.0
    return Band(value, max(0.0, float(low)), np.inf, level)


def _flat(name: str, x: Any) -> Array:
    """A number, or several in order (n,)."""
    found = as_numbers(x)
    if found is None:
        raise FitError(f"{name} is a number for each step, or one for all; it was {in_short(x)}.")
    return found.ravel() if found.ndim else found


def noise_scale(
    grad_sq_small: Any, grad_sq_big: Any, batch_small: Any, batch_big: Any, steps: Any = None
) -> NoiseScale:
    """The estimates from squared gradient norms (n,) over a small and a big batch at each step, in order.

    `steps` (n,) are the numbers of those steps, from 1 where nobody says.
    In data-parallel training both are free: a device's own norm before gradients are added up, and the norm after. Raises
    FitError for too few steps, or batches that do not differ.
    """
    given = {
        "grad_sq_small": grad_sq_small,
        "grad_sq_big": grad_sq_big,
        "batch_small": batch_small,
        "batch_big": batch_big,
    }
    small, big, b, many = together({name: _flat(name, v) for name, v in given.items()}).values()
    at = np.arange(1.0, small.size + 1.0) if steps is None else _flat("steps", steps).ravel()
    if at.size != small.size:
        raise FitError(f"Each step has one number; there are {at.size} for {small.size} steps.")
    usable = np.isfinite(small) & np.isfinite(big) & np.isfinite(b) & np.isfinite(many) & np.isfinite(at)
    small, big, b, many, at = (v[usable].ravel() for v in (small, big, b, many, at))
    if len(small) < LEAST_STEPS:
        raise FitError(f"The noise scale needs norms at {LEAST_STEPS} steps or more; there are {len(small)}.")
    if np.any(np.abs(np.concatenate([small, big])) > LARGEST) or not np.all(in_range(np.concatenate([b, many]))):
        raise FitError(
            f"Squared norms are at most {LARGEST:g}, and batches positive numbers from {SMALLEST:g} to {LARGEST:g}. Give others."
        )
    if np.any(many <= b):
        raise FitError("The big batch must be larger than the small one at every step, and both above zero.")
    signal = (many * big - b * small) / (many - b)
    noise = (small - big) / (1.0 / b - 1.0 / many)
    return NoiseScale(noise, signal, at)
