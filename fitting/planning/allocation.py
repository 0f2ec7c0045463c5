"""The best split of a budget between parameters and tokens, found numerically for any law of both.

At the optimum one more per cent of parameters buys what one more per cent of tokens costs. The log ratio of the two
slopes is a straight line in log N for Chinchilla and nearly one for its relatives, so a secant on it lands in three or
four steps for thousands of draws and budgets at once. Where it does not, a scan and golden section take over. No law's
closed form is used: a well-known codebase once shipped one that was ten times off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.alike import Alike
from fitting.accounting import Accounting
from fitting.autodiff import Dual, partials_of
from fitting.law import Law

Array = np.ndarray

STEPS = 40
SCAN = 121
FEW = 0.5  # a share of cells still sought at which the others are left out
# Where a law may have several minima along a budget: sizes looked at in all, and within `NEAR` e-folds of where it may turn.
COARSE, CLOSE, NEAR = 41, 25, 6.0
BLOCK = 20_000  # minima looked for together
GOLDEN = 0.5 * (np.sqrt(5.0) - 1.0)


@dataclass(frozen=True, eq=False)
class Optimum(Alike):
    """Best sizes, tokens and losses for each draw and budget, each (R, K)."""

    params: Array
    tokens: Array
    loss: Array


@dataclass(frozen=True, eq=False)
class Valley(Alike):
    """Loss along a budget as a function of log N, for parameter sets {name: (R, 1)} and budgets (K,).

    `given` holds what else the law asks for, the same for every run.
    """

    law: Law
    values: Mapping[str, Array]
    flops: Array
    accounting: Accounting
    given: Mapping[str, float] = field(default_factory=dict)

    def tokens(self, log_n: Array) -> Array:
        """Tokens the budget buys at each size, of the shape of `log_n`."""
        return self.accounting.tokens(self.flops, np.exp(log_n))

    def loss(self, log_n: Array) -> Array:
        """Loss at each size, of the shape of `log_n` broadcast to (R, K)."""
        out = self.law({**self.given, "params": np.exp(log_n), "tokens": self.tokens(log_n)}, self.values)
        return np.broadcast_to(out, np.broadcast_shapes(np.shape(out), log_n.shape))

    def imbalance(self, log_n: Array) -> Array:
        """Log of what parameters still buy over what tokens do; zero at the optimum, falling in log N; NaN if neither."""
        n, d = np.exp(log_n), self.tokens(log_n)
        out: Any = self.law({**self.given, "params": Dual(n, {0: n}), "tokens": Dual(d, {1: d})}, self.values)
        slopes = partials_of(out)
        with np.errstate(all="ignore"):
            return np.log(-slopes[0]) - np.log(-slopes[1] * (1.0 + self.accounting.elasticity(n)))

    def rows(self, rows: Array) -> Valley:
        """The same for some of the parameter sets."""
        shared = self.flops.ndim == 1 or len(self.flops) == 1
        flops = self.flops if shared else self.flops[rows]
        values = {k: x[rows] for k, x in self.values.items()}
        return Valley(self.law, values, flops, self.accounting.rows(rows), self.given)

    def cells(self, wanted: Array) -> Valley:
        """The parameter sets and budgets that are marked in `wanted` (R, K), each as a row with one budget of its own."""
        rows = np.nonzero(wanted)[0]
        flops = np.broadcast_to(self.flops, wanted.shape)[wanted][:, None]
        values = {k: x[rows] for k, x in self.values.items()}
        return Valley(self.law, values, flops, self.accounting.rows(rows), self.given)

    def bounds(self) -> tuple[Array, Array]:
        """Lowest and highest log N worth looking at: one parameter, and one token."""
        high = np.log(self.flops / 6.0) - self.accounting.log_least
        return np.zeros_like(high), np.maximum(high, 1.0)


def valley(
    law: Law, values: Array, flops: Array, accounting: Accounting, given: Mapping[str, float] | None = None
) -> Valley:
    """The valley of a law of params and tokens with parameters (R, p), at budgets (K,) or (R, 1) in FLOPs."""
    named = {k: values[:, i, None] for i, k in enumerate(law.names)}
    return Valley(law, named, np.asarray(flops, float), accounting, given or {})


def optimum(v: Valley, most_tokens: float | None = None) -> Optimum:
    """The best size, tokens and loss for every parameter set and budget, with no more than `most_tokens` if that is given.

    Where the best would take more tokens, the model that uses up the budget on just so many is the best that is left: along
    a budget the loss has one valley.
    """
    found = _free(v)
    if most_tokens is None or not np.any(found.tokens > most_tokens):
        return found
    log_n = np.log(np.where(found.tokens > most_tokens, v.accounting.params(v.flops, most_tokens), found.params))
    return Optimum(np.exp(log_n), np.array(v.tokens(log_n)), np.array(v.loss(log_n)))


def _free(v: Valley) -> Optimum:
    low, high = v.bounds()
    count = len(next(iter(v.values.values())))
    shape = (count, v.flops.shape[-1])
    log_n = _secant(v, np.broadcast_to(0.5 * (low + high), shape), low, high)
    lost = ~np.isfinite(log_n)
    if lost.any():  # the scan is a hundred times the work: only for those that need it
        some = v.cells(lost)
        log_n[lost] = _scan(some, some.flops.shape)[:, 0]
    if "unique_tokens" in v.given:
        log_n = _lowest_valley(v, log_n)
    return Optimum(np.exp(log_n), v.tokens(log_n), np.array(v.loss(log_n)))


def _lowest_valley(v: Valley, log_n: Array) -> Array:
    """Of a law that weighs repeats the lowest of several minima (R, K), of which `log_n` is one: new text or a larger model.

    The loss is looked at all along the budget, more closely where it buys the unique tokens just once; a minimum found
    elsewhere is refined by golden section.
    """
    out = log_n.copy()
    step = max(1, BLOCK // log_n.shape[1])
    for first in range(0, len(log_n), step):
        rows = np.arange(first, min(first + step, len(log_n)))
        some = v.rows(rows)
        low, high = (np.broadcast_to(end, (len(rows), log_n.shape[1])) for end in some.bounds())
        once = np.log(some.accounting.params(some.flops, v.given["unique_tokens"]))
        even = [low + (high - low) * share for share in np.linspace(0.0, 1.0, COARSE)]
        near = [np.clip(once + off, low, high) for off in np.linspace(-NEAR, NEAR, CLOSE)]
        x = np.sort(np.stack([*even, *near]), axis=0)
        with np.errstate(all="ignore"):
            loss = np.stack([np.where(np.isfinite(y := some.loss(at)), y, np.inf) for at in x])
            known = np.where(np.isfinite(y := some.loss(log_n[rows])), y, np.inf)
        k = np.argmin(loss, axis=0)[None]
        lower = np.take_along_axis(loss, k, 0)[0] < known
        if not lower.any():
            continue
        ends = (np.take_along_axis(x, np.clip(k + i, 0, len(x) - 1), 0)[0] for i in (-1, 1))
        out[rows] = np.where(lower, _golden(some, *ends), log_n[rows])
    return out


def _secant(v: Valley, start: Array, low: Array, high: Array) -> Array:
    """Roots of the imbalance in log N (R, K), NaN where it has none that is a minimum.

    Most cells are there after a few steps: from then on only the others are worked out.
    """
    out = np.full(start.shape, np.nan)
    left = np.ones(start.shape, bool)  # the cells of `some`, in whose shape the rest is
    some, x0, x1 = v, start - 0.5, start + 0.5
    open_ = np.ones(start.shape, bool)
    h0, h1 = some.imbalance(x0), some.imbalance(x1)
    with np.errstate(all="ignore"):
        for _ in range(STEPS):
            slope = (h1 - h0) / (x1 - x0)
            slope = np.where(np.isfinite(slope), slope, np.nan)  # through an infinity no step is the end of one
            step = np.clip(-h1 / slope, -8.0, 8.0)
            there = open_ & (np.abs(step) < 1e-10)
            out[left] = np.where(there & (slope < 0), x1, out[left].reshape(x1.shape)).ravel()
            open_ &= ~there & np.isfinite(step)
            if not open_.any():
                break
            if open_.sum() <= FEW * open_.size:
                now = np.zeros(start.shape, bool)
                now[left] = open_.ravel()
                left, some = now, v.cells(now)
                x1, h1, step = (x[open_][:, None] for x in (x1, h1, step))
                open_ = np.ones(x1.shape, bool)
            x0, h0, x1 = x1, h1, x1 + step
            h1 = some.imbalance(x1)
    return np.where((out >= low) & (out <= high), out, np.nan)


def _scan(v: Valley, shape: tuple[int, ...]) -> Array:
    """Minima over log N (R, K) by a scan of the whole range and golden section around its lowest point."""
    low, high = v.bounds()
    best = np.full(shape, np.inf)
    where = np.zeros(shape)
    width = (high - low) / (SCAN - 1)
    for k in range(SCAN):
        x = np.broadcast_to(low + k * width, shape)
        loss = np.where(np.isfinite(y := v.loss(x)), y, np.inf)
        where = np.where(loss < best, x, where)
        best = np.minimum(best, loss)
    return _golden(v, np.maximum(where - width, low), np.minimum(where + width, high))


def _golden(v: Valley, a: Array, b: Array) -> Array:
    """The minimum (R, K) between two sizes, in log N."""
    for _ in range(50):
        left, right = b - GOLDEN * (b - a), a + GOLDEN * (b - a)
        lower = v.loss(left) < v.loss(right)
        a, b = np.where(lower, a, left), np.where(lower, right, b)
    return 0.5 * (a + b)


def flat_range(v: Valley, best: Optimum, share: float = 1e-3) -> tuple[Array, Array]:
    """The sizes (R, K) between which the loss stays within `share` of the best one."""
    low, high = v.bounds()
    middle = np.log(best.params)
    limit = best.loss * (1.0 + share)
    ends = []
    for edge in (low, high):
        inside, outside = middle, np.broadcast_to(edge, middle.shape)
        for _ in range(60):
            half = 0.5 * (inside + outside)
            within = v.loss(half) <= limit
            inside, outside = np.where(within, half, inside), np.where(within, outside, half)
        ends.append(np.exp(inside))
    return ends[0], ends[1]
