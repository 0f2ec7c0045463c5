"""The noise around a law, as residuals show it: how much of it is shared within a group, and draws of new noise.

With p parameters fitted, residuals are smaller than the noise by a share that differs from run to run (leverage), and
where runs of a group share their luck, the law takes part of that up too. So the noise is judged as in a linear model at
the optimum: the sums of squares there are those of the restricted likelihood (Patterson and Thompson 1971). Every draw of
noise first draws its scales, from what that likelihood leaves open about them, so that intervals widen as Student's t
does when runs or groups are few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from fitting.scale import EFFICIENT, robust_spread

Array = np.ndarray

# An eigenvalue below this share of the largest is a direction that the law has taken up.
NOTHING = 1e-8
# The directions of a thousand groups take a second; of so many, a law of a few parameters takes next to nothing.
MOST_GROUPS = 500
# How likely each share of the variance in common is before anything is seen: none at all one time in four, and if any,
# each alike (as in Daniels 1999). Chosen on simulated tables of 24 and 48 runs: flat is wider where nothing is shared, a
# half at none falls shorter where half the variance is. Without any prior, intervals at 24 runs were 1.5 to 1.9 times the
# estimator's own range where nothing is shared (measured, 100 tables).
NONE = 0.25
SHARES = np.concatenate([[0.0], (np.arange(200) + 0.5) / 200])
PRIOR = np.concatenate([[NONE], np.full(200, (1.0 - NONE) / 200)])


@dataclass(frozen=True)
class Noise:
    """Noise of n runs, in log loss: a shape (k,) to draw from, and what the residuals say of its scales.

    Scales are those that the fit feels: Huber's estimate has the variance of residuals cut at delta over the share that
    is not cut (Huber 1973), whatever the tails, so squares are of those. The shape keeps its tails, and has unit variance
    in the same sense.
    `within` is the sum of squares of what runs do not share and `within_dof` its degrees of freedom. `between` (b,) are
    squares of what groups share, each `size` (b,) times their variance plus that of the rest; none without groups.
    """

    shape: Array
    within: float
    within_dof: int
    groups: Array
    between: Array
    size: Array
    elsewhere: Array | float = 0.0  # log-likelihoods (s,) of SHARES by other runs whose noise is of the same kind

    @property
    def between_dof(self) -> int:
        """Degrees of freedom of what groups share."""
        return len(self.between)

    @cached_property
    def likelihood(self) -> tuple[Array, Array]:
        """Log-likelihoods (s,) of SHARES by these residuals, and the sum of squares of the rest under each."""
        inflation = 1.0 + self.size * (SHARES / (1.0 - SHARES))[:, None]
        squares = self.within + np.sum(self.between / inflation, axis=1)
        dof = self.within_dof + self.between_dof
        log = -0.5 * np.sum(np.log(inflation), axis=1) - 0.5 * dof * np.log(np.maximum(squares, 1e-300))
        return log, squares

    @cached_property
    def _posterior(self) -> tuple[Array, Array, Array]:
        """Shares (s,) of variance in common, how probable each is, and the sum of squares of the rest under each."""
        log, squares = self.likelihood
        log = log + self.elsewhere + np.log(PRIOR)
        weight = np.exp(log - log.max())
        return SHARES, weight / weight.sum(), squares

    def scales(self, rng: np.random.Generator, count: int) -> tuple[Array, Array]:
        """Standard deviations (count,) of what groups share and of the rest, as probable as the residuals leave them."""
        dof = max(1, self.within_dof + self.between_dof)
        chi = rng.chisquare(dof, count)
        if not self.between_dof:
            return np.zeros(count), np.sqrt(self.within / chi)
        share, weight, squares = self._posterior
        at = rng.choice(len(share), size=count, p=weight)
        rest = squares[at] / chi
        return np.sqrt(rest * share[at] / (1.0 - share[at])), np.sqrt(rest)

    @cached_property
    def share(self) -> tuple[float, float, float]:
        """The share of the variance that groups have in common (intra-class correlation): middle, low and high of 95 %."""
        share, weight, _ = self._posterior
        low, middle, high = np.interp((0.025, 0.5, 0.975), np.cumsum(weight), share)
        return float(middle), float(low), float(high)

    @cached_property
    def evidence(self) -> float:
        """Log of how much likelier the residuals are where groups share something than where they share nothing."""
        _, weight, _ = self._posterior
        return float(np.log(PRIOR[0] / weight[0]))

    def errors(self, rng: np.random.Generator, count: int) -> tuple[Array, Array]:
        """`count` draws of the noise of these runs (count, n), and of one run more, of a group of its own (count, 1)."""
        n = len(self.groups)
        shared, rest = self.scales(rng, count)
        single = rng.choice(self.shape, size=(count, n + 1)) * rest[:, None]
        if not self.between_dof:
            return single[:, :n], single[:, n:]
        effects = rng.standard_normal((count, int(self.groups.max()) + 2)) * shared[:, None]
        return single[:, :n] + effects[:, self.groups], single[:, n:] + effects[:, -1:]


def pooled(several: Sequence[Noise]) -> list[Noise]:
    """The same noises, each judging the share in common by the residuals of all: scales may differ, the share is one."""
    logs = [each.likelihood[0] if each.between_dof else np.zeros(len(SHARES)) for each in several]
    total = np.sum(logs, axis=0)
    return [replace(each, elsewhere=total - log) for each, log in zip(several, logs, strict=True)]


def noise(residuals: Array, slopes: Array, groups: Array | None = None, delta: float = np.inf) -> Noise:
    """The noise behind log residuals (n,) of a fit with derivatives (n, p): shared within `groups` (n,), or by none.

    Group labels are integers 0..G-1. `delta` is Huber's, taken as scaled to the noise where it is smaller: the shape is
    centred where that loss puts the middle.
    """
    n = len(residuals)
    basis = _span(slopes)
    reach = max(delta, EFFICIENT * robust_spread(residuals))
    kept = _felt(residuals, reach)
    left = kept - basis @ (basis.T @ kept)
    if groups is None:
        leverage = np.sum(basis**2, axis=1)
        dof = max(1, n - basis.shape[1])
        total = float(left @ left)
        return Noise(_shape(residuals, leverage, reach), total, dof, np.arange(n), np.empty(0), np.empty(0))
    sums, members = np.bincount(groups, left), np.bincount(groups).astype(float)
    leverage = np.sum(basis**2, axis=1)
    if len(members) > MOST_GROUPS:
        levels, size, between = (sums / members)[groups], members, sums**2 / members
        leverage = leverage + 1.0 / members[groups]
    else:
        into = np.zeros((len(members), basis.shape[1]))
        np.add.at(into, groups, basis)
        # How many runs' worth of a group's level each direction among the groups shows, once the law has had its part.
        size, axes = np.linalg.eigh(np.diag(members) - into @ into.T)
        keep = size > NOTHING * size.max()
        size, axes = size[keep], axes[:, keep]
        between = (axes.T @ sums) ** 2 / size
        inverse = (axes / size) @ axes.T
        levels = (inverse @ sums)[groups]
        levels = levels - basis @ (basis.T @ levels)
        # Leverage of law and group levels together, without forming the n x n projection.
        across = into.T @ inverse
        leverage += np.sum(basis * (basis @ (across @ into)), axis=1)
        leverage += np.diag(inverse)[groups] - 2.0 * np.sum(basis * across.T[groups], axis=1)
    within = float(np.sum((left - levels) ** 2))
    dof = max(1, n - basis.shape[1] - len(size))
    return Noise(_shape(residuals - levels, leverage, reach), within, dof, groups, between, size)


def _span(slopes: Array) -> Array:
    """An orthonormal basis (n, k) of the columns of (n, p)."""
    unit = slopes / np.maximum(np.linalg.norm(slopes, axis=0), 1e-300)
    u, s, _ = np.linalg.svd(unit, full_matrices=False)
    return np.asarray(u[:, s > 1e-10 * s[0]])


def _shape(residuals: Array, leverage: Array, delta: float) -> Array:
    """Residuals as the noise they stand for: each over its root of one minus leverage, centred, of unit variance as felt."""
    free = leverage < 1.0 - 1e-6
    e = residuals[free] / np.sqrt(1.0 - leverage[free])
    if len(e) == 0 or not np.any(e):
        return np.zeros(1)
    e = e - _middle(e, delta)
    return np.asarray(e / np.sqrt(np.mean(_felt(e, delta) ** 2)))


def _felt(e: Array, delta: float) -> Array:
    """What Huber's estimate feels of residuals (n,): cut at delta, over the share that is not."""
    return np.clip(e, -delta, delta) / max(float(np.mean(np.abs(e) <= delta)), 1.0 / len(e))


def _middle(e: Array, delta: float) -> float:
    """Huber's middle of (n,): where residuals, cut at delta, add up to nothing.

    A shape centred on its mean would, where errors lean to one side, move refits off the fit (Shorack 1982).
    """
    if np.isinf(delta):
        return float(np.mean(e))
    low, high = float(e.min()), float(e.max())
    for _ in range(60):
        middle = 0.5 * (low + high)
        if np.sum(np.clip(e - middle, -delta, delta)) > 0:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)
