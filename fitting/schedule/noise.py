"""The noise of loss curves around one law: drifting along a curve, alone at a point, or a whole curve's own.

Neighbouring losses of a curve share their luck, so a thousand of them witness less than a thousand. Log residuals are taken
as s^2 ((1 - w) exp(-|t - t'| / reach) + w [t = t'] + shift), one shift a curve, and judged by the restricted likelihood
(Patterson and Thompson 1971), for a law with as many constants as this takes much of the noise up. A few curves leave
these numbers open, so every draw of noise first draws them from what the likelihood and a prior leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.alike import Alike
from fitting.solver.huber_scale import robust_spread

Array = np.ndarray

REACHES = 10  # how many lengths of drift are tried, from half a spacing to half of the longest curve
ALONE = np.array([0.0, 0.1, 0.3, 0.6, 1.0])
SHIFTS = np.array([0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6])
# Assumed: one time in four curves have no luck of their own, else each shift is alike. Three curves can't tell, as the law's
# constants take up what they differ by.
NONE = 0.25
MOST_ROWS = 160  # of a curve, for the likelihood alone
ODD = 4.0  # robust deviations at which a residual is cut: a spike says nothing of the rest


@dataclass(frozen=True, eq=False)
class CurveNoise(Alike):
    """R draws of what the noise may be: `scale` (R,) in log loss, `reach` (R,) in steps, shares `alone` and `shift` (R,)."""

    scale: Array
    reach: Array
    alone: Array
    shift: Array

    def paths(self, rng: np.random.Generator, steps: Array) -> Array:
        """Noise (R, n), in log loss, of one curve more at rising steps (n,)."""
        r, n = len(self.scale), len(steps)
        drift = np.empty((r, n))
        drift[:, 0] = rng.standard_normal(r)
        for i in range(1, n):
            kept = np.exp(-(steps[i] - steps[i - 1]) / self.reach)
            drift[:, i] = kept * drift[:, i - 1] + np.sqrt(1.0 - kept**2) * rng.standard_normal(r)
        single = rng.standard_normal((r, n)) * np.sqrt(self.alone)[:, None]
        whole = rng.standard_normal((r, 1)) * np.sqrt(self.shift)[:, None]
        return np.asarray((np.sqrt(1.0 - self.alone)[:, None] * drift + single + whole) * self.scale[:, None])


def curve_noise(
    steps: Sequence[Array], residuals: Sequence[Array], slopes: Sequence[Array], rng: np.random.Generator, count: int
) -> CurveNoise:
    """`count` draws of the noise behind log residuals (n,) at steps (n,) of each curve, with derivatives (n, p) of the law."""
    spread = robust_spread(np.concatenate(residuals)) or np.inf
    unit = np.maximum(np.linalg.norm(np.concatenate(slopes), axis=0), 1e-300)
    parts = []
    for t, r, j in zip(steps, residuals, slopes, strict=True):
        rows = np.unique(np.linspace(0, len(t) - 1, min(len(t), MOST_ROWS)).astype(int))
        cut = np.clip(r, -ODD * spread, ODD * spread)
        parts.append((t[rows], np.column_stack([j / unit, cut, np.ones(len(t))])[rows]))
    p, total = slopes[0].shape[1], sum(len(t) for t, _ in parts)
    gaps = np.concatenate([np.diff(t) for t, _ in parts])
    longest = max(float(t[-1] - t[0]) for t, _ in parts)
    reaches = np.geomspace(0.5 * np.median(gaps), max(0.5 * longest, np.median(gaps)), REACHES)
    dof = max(1, total - p)
    log, squares = np.empty((2, REACHES, len(ALONE), len(SHIFTS)))
    for i, reach in enumerate(reaches):
        turned = []
        for t, x in parts:
            value, axes = np.linalg.eigh(np.exp(-np.abs(t[:, None] - t) / reach))
            turned.append((value, axes.T @ x))
        for k, alone in enumerate(ALONE):
            log[i, k], squares[i, k] = _likelihood(turned, alone, p, dof)
    prior = np.log(np.where(SHIFTS == 0, NONE, (1.0 - NONE) / (len(SHIFTS) - 1)))
    weight = (log + prior).ravel()
    weight = np.exp(weight - weight.max())
    at = np.unravel_index(rng.choice(weight.size, size=count, p=weight / weight.sum()), log.shape)
    scale = np.sqrt(squares[at] / rng.chisquare(dof, count))
    return CurveNoise(scale, reaches[at[0]], ALONE[at[1]], SHIFTS[at[2]])


def _likelihood(turned: Sequence[tuple[Array, Array]], alone: float, p: int, dof: int) -> tuple[Array, Array]:
    """Restricted log-likelihoods of SHIFTS and the sums of squares under each, from curves in the axes of their drift."""
    gram = np.zeros((len(SHIFTS), p + 1, p + 1))
    volume = np.zeros(len(SHIFTS))
    for value, x in turned:
        spread = np.maximum((1.0 - alone) * value + alone, 1e-9)
        every = x.T @ (x / spread[:, None])
        one, rest = every[-1], every[:-1, :-1]
        share = SHIFTS / (1.0 + SHIFTS * one[-1])
        gram += rest - share[:, None, None] * np.outer(one[:-1], one[:-1])
        volume += np.sum(np.log(spread)) + np.log1p(SHIFTS * one[-1])
    by = gram[:, :p, :p]
    ridge = 1e-12 * np.trace(by, axis1=1, axis2=2)[:, None, None] * np.eye(p)
    pull = np.linalg.solve(by + ridge, gram[:, :p, p:])[..., 0]
    squares = np.maximum(gram[:, p, p] - np.sum(gram[:, :p, p] * pull, axis=1), 1e-300)
    bend = np.linalg.slogdet(by + ridge)[1]
    return -0.5 * (volume + bend + dof * np.log(squares)), squares
