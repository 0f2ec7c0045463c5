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

from data.alike import Alike
from fitting.solver.huber_scale import EFFICIENT, robust_spread

Array = np.ndarray

# An eigenvalue below this share of the largest is a direction that the law has taken up.
NOTHING = 1e-8
# The directions of a thousand groups take a second; of so many, a law of a few parameters takes next to nothing.
MOST_GROUPS = 500
# What groups share is told by how far their levels lie apart: a level of m runs varies by 1 + m r times what those runs alone
# would have it, with r the shared variance over that of the rest. Before anything is seen every factor is as likely as any
# other, below one too, up to where r is `MOST`: then the interval of a level is Student's, whether groups share anything or
# not, and also where those of a few groups agree better than chance. A belief that stops at r = 0 looks harmless and is not:
# it held alpha in 92 % of tables of 24 runs that share half the noise and in 97.4 % of those that share none, and one that
# discounts shares above three quarters in 91.7 % of the first (2,000 tables each, aim 95).
LOWEST, MOST, STEPS = -4.0, 99.0, 600


@dataclass(frozen=True, eq=False)
class Noise(Alike):
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
    most: int = 1  # runs in the largest group, of these or of those pooled with them
    elsewhere: Array | float = 0.0  # log-likelihoods (s,) of `ratios` by other runs whose noise is of the same kind

    @property
    def between_dof(self) -> int:
        """Degrees of freedom of what groups share."""
        return len(self.between)

    @cached_property
    def ratios(self) -> Array:
        """Shared variances over that of the rest, (s,), evenly in the log of how much they spread the largest group's level."""
        return np.expm1(np.linspace(LOWEST, np.log1p(MOST * self.most), STEPS)) / self.most

    @cached_property
    def likelihood(self) -> tuple[Array, Array]:
        """Log-likelihoods (s,) of `ratios` by these residuals, and the sum of squares of the rest under each."""
        return self._likelihood(self.ratios)

    def _likelihood(self, ratios: Array) -> tuple[Array, Array]:
        inflation = 1.0 + self.size * ratios[:, None]
        squares = self.within + np.sum(self.between / inflation, axis=1)
        dof = self.within_dof + self.between_dof
        log = -0.5 * np.sum(np.log(inflation), axis=1) - 0.5 * dof * np.log(np.maximum(squares, 1e-300))
        return log, squares

    @cached_property
    def _posterior(self) -> Array:
        """How probable each of `ratios` is, (s,)."""
        log = self.likelihood[0] + self.elsewhere
        weight = np.exp(log - log.max())
        return np.asarray(weight / weight.sum())

    def _scales(self, rng: np.random.Generator, count: int) -> tuple[Array, Array]:
        """Ratios (count,) of shared variance to the rest and standard deviations of the rest, as probable as residuals leave them."""
        chi = rng.chisquare(max(1, self.within_dof + self.between_dof), count)
        if not self.between_dof:
            return np.zeros(count), np.sqrt(self.within / chi)
        at = rng.choice(STEPS, size=count, p=self._posterior)
        return self.ratios[at], np.sqrt(self.likelihood[1][at] / chi)

    def scales(self, rng: np.random.Generator, count: int) -> tuple[Array, Array]:
        """Standard deviations (count,) of what groups share and of the rest, as probable as the residuals leave them."""
        ratio, rest = self._scales(rng, count)
        return rest * np.sqrt(np.maximum(ratio, 0.0)), rest

    @cached_property
    def share(self) -> tuple[float, float, float]:
        """The share of the variance that groups have in common (intra-class correlation): middle, low and high of 95 %."""
        found = np.interp((0.025, 0.5, 0.975), np.cumsum(self._posterior), self.ratios)
        low, middle, high = np.maximum(found / (1.0 + found), 0.0)
        return float(middle), float(low), float(high)

    @cached_property
    def evidence(self) -> float:
        """Log of how much likelier the residuals are where groups share something than where they share nothing."""
        some = self.ratios > 0
        log = self.likelihood[0][some] - self._likelihood(np.zeros(1))[0]
        return float(np.logaddexp.reduce(log) - np.log(len(log)))

    def errors(self, rng: np.random.Generator, count: int) -> tuple[Array, Array]:
        """`count` draws of the noise of these runs (count, n), and of one run more, of a group of its own (count, 1)."""
        n = len(self.groups)
        ratio, rest = self._scales(rng, count)
        single = rng.choice(self.shape, size=(count, n + 1)) * rest[:, None]
        if not self.between_dof:
            return single[:, :n], single[:, n:]
        shared = rest * np.sqrt(np.maximum(ratio, 0.0))
        effects = rng.standard_normal((count, int(self.groups.max()) + 2)) * shared[:, None]
        errors = single[:, :n] + effects[:, self.groups]
        below = np.flatnonzero(ratio < 0)
        errors[below] += self._drawn_together(errors[below], ratio[below])
        return errors, single[:, n:] + effects[:, -1:]

    def _drawn_together(self, errors: Array, ratio: Array) -> Array:
        """What brings the levels of groups in errors (r, n) closer than chance leaves them, by ratios (r,) below zero."""
        order, members = np.argsort(self.groups, kind="stable"), np.bincount(self.groups)
        first = np.cumsum(members) - members
        levels = np.add.reduceat(errors[:, order], first, axis=1) / members
        return np.asarray((levels * (np.sqrt(1.0 + members * ratio[:, None]) - 1.0))[:, self.groups])


def pooled(several: Sequence[Noise]) -> list[Noise]:
    """The same noises, each judging the share in common by the residuals of all: scales may differ, the share is one."""
    most = max((each.most for each in several), default=1)
    several = [replace(each, most=most) for each in several]
    logs = [each.likelihood[0] if each.between_dof else np.zeros(STEPS) for each in several]
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
    return Noise(_shape(residuals - levels, leverage, reach), within, dof, groups, between, size, int(members.max()))


def _span(slopes: Array) -> Array:
    """An orthonormal basis (n, k) of the columns of (n, p)."""
    unit = slopes / np.maximum(np.linalg.norm(slopes, axis=0), 1e-300)
    u, s, _ = np.linalg.svd(unit, full_matrices=False)
    return np.asarray(u[:, s > 1e-10 * s[0]])


def _shape(residuals: Array, leverage: Array, delta: float) -> Array:
    """Residuals as the noise they stand for: each over its root of one minus leverage, centred, of unit variance as felt."""
    free = leverage < 1.0 - 1e-6
    e = residuals[free] / np.sqrt(1.0 - leverage[free])
    if len(e) == 0:
        return np.zeros(1)
    e = e - _middle(e, delta)
    spread = np.sqrt(np.mean(_felt(e, delta) ** 2))
    return np.asarray(e / spread) if spread > 0 else np.zeros(1)


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
