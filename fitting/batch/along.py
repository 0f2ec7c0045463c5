"""How the critical batch grows as the loss falls, B_crit(L) = B* / L^(1/aB), from one ladder of batches read at several losses.

Kaplan et al. 2020 (arXiv 2001.08361, eq. 5.3). The critical batches at several losses come off the same curves and are wrong
together, so their scatter around a line is no measure of doubt. Here all steps are fitted at once, with fewest steps free at
each loss, and each batch's residuals at all losses are drawn anew as one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from data.alike import Alike
from fitting.arguments import MOST_RESAMPLES, MOST_SEED, a_count, in_short
from fitting.band import LEVEL, Band, from_draws
from fitting.batch.descent import descend
from fitting.batch.targets import Reached
from fitting.errors import FitError
from fitting.shown import shown

Array = np.ndarray

BETWEEN = np.array([[-16.0, -80.0], [16.0, 80.0]])  # log critical batch beside the middle batch; exponent of the loss
STARTS = tuple(itertools.product((-2.0, 0.0, 2.0), (-15.0, -5.0, 0.0)))
ROUNDS = 40
LEAST_LOSSES, LEAST_BATCHES = 3, 4


@shown()
@dataclass(frozen=True, eq=False)
class AlongLoss(Alike):
    """B_crit = c L^k: `best` (2,) is log B_crit at the loss `middle` and k, `draws` (R, 2) the same from refits.

    `x` (m,) are the losses it was fitted at, `batches` (n,) the ladder, `residuals` (n, m) in log steps, observed less
    fitted, nan where a batch did not come so low.
    """

    best: Array
    draws: Array
    middle: float
    x: Array
    batches: Array
    residuals: Array

    @property
    def slope(self) -> float:
        """k, which is -1 / alpha_B."""
        return float(self.best[1])

    @property
    def coefficient(self) -> float:
        """c, which is B*: the critical batch at a loss of 1, which is seldom near the curves."""
        return float(np.exp(self.best[0] - self.best[1] * np.log(self.middle)))

    def exponent(self, level: float = LEVEL) -> Band:
        """k with its interval."""
        return self._band(lambda c: c[:, 1:], level)

    def at(self, x: Any, level: float = LEVEL) -> Band:
        """The critical batch at losses, with its interval."""
        log = np.log(np.atleast_1d(np.asarray(x, float)) / self.middle)
        return self._band(lambda c: np.exp(c[:, :1] + c[:, 1:] * log), level)

    def _band(self, ask: Callable[[Array], Array], level: float) -> Band:
        with np.errstate(over="ignore"):
            best, drawn = ask(self.best[None, :])[0], ask(self.draws)
        return from_draws(best[0], drawn[:, 0], level) if len(best) == 1 else from_draws(best, drawn, level)


def along_loss(reached: Sequence[Reached], *, resamples: int = 2000, seed: int = 0) -> AlongLoss:
    """The law of the critical batch from steps to several losses (`steps_to_target` at each), with intervals.

    Residuals of a batch are drawn as a multivariate normal of all losses, widened as Student's t is with so few batches. Raises
    FitError for fewer than three losses or four batches.
    """
    resamples, seed = a_count("resamples", resamples, MOST_RESAMPLES), a_count("seed", seed, MOST_SEED)
    if not isinstance(reached, list | tuple) or not all(isinstance(one, Reached) for one in reached):
        raise FitError(
            f"reached is a list of what steps_to_target gives, one for each loss; it was {in_short(reached)}."
        )
    losses = sorted({r.target: r for r in reached}.items())
    rungs = [_rungs(one) for _, one in losses]
    row = {key: k for k, key in enumerate(sorted({key for keys in rungs for key in keys}))}
    batches = np.array([end for end, _ in row])
    log_s = np.full((len(row), len(losses)), np.nan)
    log_b = np.tile(np.log(batches)[:, None], len(losses)) if losses else log_s
    for j, (keys, (_, one)) in enumerate(zip(rungs, losses, strict=True)):
        at = [row[key] for key in keys]
        log_s[at, j], log_b[at, j] = np.log(one.steps), np.log(one.batch)
    enough = np.sum(np.isfinite(log_s), axis=0) >= 3
    log_s, log_b, x = log_s[:, enough], log_b[:, enough], np.array([t for t, _ in losses])[enough]
    if len(x) < LEAST_LOSSES or len(batches) < LEAST_BATCHES:
        raise FitError(
            f"The scaling of the critical batch with the loss needs {LEAST_LOSSES} losses and {LEAST_BATCHES} batches or more; there "
            f"are {len(x)} and {len(batches)}."
        )
    middle = float(np.exp(np.mean(np.log(x))))
    seen = np.isfinite(log_s)
    ladder = _Ladder(log_b, np.log(x / middle), seen)
    y = ladder.centred(np.where(seen, log_s, 0.0)[None])[0]
    starts = np.array([[ladder.log_b.mean() + b, k] for b, k in STARTS])
    cost = descend(ladder.at, starts, y, ladder.low, ladder.high, ROUNDS)
    best = starts[int(np.argmin(cost))]
    fitted = ladder.at(best[None])[0][0]
    left = (fitted - y).reshape(seen.shape)
    freedom = max(1, len(batches) - 2)
    rng = np.random.default_rng(seed)
    # Rows of the residuals mixed by normal numbers have their covariance, however many losses there are.
    mixed = rng.standard_normal((resamples, len(batches), len(batches))) @ left / np.sqrt(freedom)
    mixed *= np.sqrt(freedom / rng.chisquare(freedom, (resamples, 1, 1)))
    draws = np.tile(best, (resamples, 1))
    if resamples:
        descend(ladder.at, draws, fitted - ladder.centred(mixed), ladder.low, ladder.high, ROUNDS, close=1e-6)
    return AlongLoss(best, draws, middle, x, batches, np.where(seen, -left, np.nan))


def _rungs(one: Reached) -> list[tuple[float, int]]:
    """The batch that each run ends at, with a number where several end at one: what is the same run at every loss."""
    ends = one.ends
    return [(end, ends[:k].count(end)) for k, end in enumerate(ends)]


class _Ladder:
    """Log steps of a ladder with the best fewest steps of each loss taken off: rows and losses flattened, unseen ones nothing."""

    def __init__(self, log_b: Array, log_x: Array, seen: Array) -> None:
        self.log_b, self.log_x, self.seen = log_b, log_x, seen
        self.low, self.high = np.array([log_b.mean(), 0.0]) + BETWEEN

    def centred(self, v: Array) -> Array:
        """(R, n, m) less the mean over the batches of each loss, flattened to (R, n m)."""
        held = np.where(self.seen, v, 0.0)
        held = np.where(self.seen, held - held.sum(axis=-2, keepdims=True) / self.seen.sum(axis=0), 0.0)
        return held.reshape(len(held), -1)

    def at(self, c: Array) -> tuple[Array, Array]:
        """Values (R, n m) at `c` (R, 2) and their derivatives (R, n m, 2)."""
        bend = c[:, 0, None, None] + c[:, 1, None, None] * self.log_x - self.log_b
        share = expit(bend)
        value = np.maximum(bend, 0.0) + np.log1p(np.exp(-np.abs(bend)))
        return self.centred(value), np.stack([self.centred(share), self.centred(share * self.log_x)], axis=-1)
