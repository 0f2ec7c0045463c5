"""What the residuals of a robust fit are worth: the mean slope and the mean square of their influence."""

from __future__ import annotations

import numpy as np

from fitting.solver.solver import EXACT, Problem

Array = np.ndarray


def spread_of_influence(prob: Problem, r: Array) -> tuple[float, float]:
    """Mean slope and mean square of the influence psi over the residuals r (n,); NaN where the fit is exact.

    The slope is averaged over a window of a fifth-root bandwidth, since with a small delta hardly a run lies where psi
    has a slope at all, and without the p runs nearest the law, which such a fit passes through. The square counts the
    degrees of freedom that the parameters took.
    """
    n, p = prob.n, prob.coordinates.law.p
    off = r[np.argsort(np.abs(r), kind="stable")[min(p, n // 2) :]]
    middle = float(np.median(np.abs(off)))
    if middle < 1e-9 or np.sum(r**2) < EXACT * n or n <= p:
        return float("nan"), float("nan")
    width = max(1.06 * 1.4826 * middle * n**-0.2, middle)  # half of them are inside, however few they are

    def psi(x: Array) -> Array:
        return np.clip(x, -prob.delta, prob.delta)

    slope = float(np.mean(psi(off + width) - psi(off - width))) / (2 * width)
    return slope, float(np.sum(psi(r) ** 2)) / (n - p)
