"""Along one loss: of all sizes, each with the tokens that bring it there, the one whose training and use take the least compute.

At that size log(-N dL/dN) - log(-D dL/dD) is the log of (1 + elasticity of FLOPs) (1 + S / 3 D) for S tokens of use. Seen along log D
the difference is nearly straight, and every amount of tokens from the best to train upwards has a size that reaches the loss:
a secant lands in a few steps for thousands of draws at once. Where it does not, a scan and golden section take over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from data.alike import Alike
from fitting.accounting import Accounting
from fitting.autodiff import Dual, partials_of, value_of
from fitting.law import Law

Array = np.ndarray

SMALLEST = 1e-4  # of the size that is best to train: no less is looked at
STEPS, NEWTON, CLOSE = 40, 30, 1e-11
SCAN, ROUNDS, HALVINGS = 65, 48, 64
GOLDEN = 0.5 * (np.sqrt(5.0) - 1.0)
MOST_TOKENS = 1e30


@dataclass(frozen=True, eq=False)
class Isoloss(Alike):
    """Sizes and tokens that reach one `loss`, for parameter sets {name: (R, 1)}, and `served` tokens of use."""

    law: Law
    values: Mapping[str, Array]
    accounting: Accounting
    loss: float
    served: float

    def rows(self, rows: Array) -> Isoloss:
        """The same for some of the parameter sets."""
        values = {k: x[rows] for k, x in self.values.items()}
        return Isoloss(self.law, values, self.accounting.rows(rows), self.loss, self.served)

    def flops(self, n: Array, d: Array) -> tuple[Array, Array]:
        """FLOPs to train and to serve; a token served costs a third of a token trained."""
        return self.accounting.flops(n, d), self.accounting.flops(n, self.served) / 3.0

    def least(self, trained: Array, tokens: Array) -> tuple[Array, Array]:
        """Log size and tokens (R, 1) with the least FLOPs in all, NaN for sets whose `trained` size (R, 1) is not finite.

        `trained` and its `tokens` are best to train alone: the largest size worth looking at, and the fewest tokens.
        """
        log_n, d = np.full(trained.shape, np.nan), np.full(trained.shape, np.nan)
        known = np.flatnonzero(np.isfinite(trained[:, 0]) & np.isfinite(tokens[:, 0]))
        log_n[known], d[known] = self.rows(known).secant(np.log(trained[known]), np.log(tokens[known]))
        if len(lost := np.flatnonzero(~np.isfinite(log_n[:, 0]) & np.isfinite(trained[:, 0]))):
            log_n[lost], d[lost] = self.rows(lost).scan(np.log(trained[lost]))
        return log_n, d

    def secant(self, top: Array, start: Array) -> tuple[Array, Array]:
        """`least` from log sizes and tokens (R, 1) that are best to train; NaN where no step leads to a minimum below that size."""
        found = np.full((2, *top.shape), np.nan)
        left, some = np.arange(len(top)), self
        with np.errstate(all="ignore"):
            y0, y1 = start, start + 0.5
            x0, h0, slope = some._excess(top, y0)
            x1, h1, slope = some._excess(x0 + 0.5 * slope, y1)
            for _ in range(STEPS):
                rise = (h1 - h0) / (y1 - y0)
                step = np.where(rise > 0, np.clip(-h1 / rise, -8.0, 8.0), np.nan)
                there = np.abs(step) < CLOSE
                found[:, left[there[:, 0]]] = x1[there][:, None], y1[there][:, None]
                open_ = (~there & np.isfinite(step))[:, 0]
                if not open_.any():
                    break
                left, some = left[open_], some.rows(open_)
                y0, h0, y1, x1, step, slope = (a[open_] for a in (y1, h1, y1 + step, x1, step, slope))
                x1, h1, slope = some._excess(x1 + slope * step, y1)
        log_n, log_d = found
        inside = (log_n <= top + 1e-6) & (log_n >= top + np.log(SMALLEST)) & (log_d <= np.log(MOST_TOKENS))
        return np.where(inside, log_n, np.nan), np.where(inside, np.exp(log_d), np.nan)

    def _excess(self, log_n: Array, log_d: Array) -> tuple[Array, Array, Array]:
        """The log sizes (R, 1) that reach the loss with these tokens, by Newton's steps from `log_n`; what tokens then still save
        over what they cost, in logs, and how log size goes with log tokens."""
        d = np.exp(log_d)
        for _ in range(NEWTON):
            n = np.exp(log_n)
            out = self.law({"params": Dual(n, {0: n}), "tokens": Dual(d, {1: d})}, self.values)
            slopes = partials_of(out)
            step = np.clip((self.loss - value_of(out)) / slopes[0], -2.0, 2.0)
            log_n = log_n + step
            if not np.any(np.abs(step) > CLOSE):
                break
        cost = (1.0 + self.accounting.elasticity(n)) * (1.0 + self.served / (3.0 * d))
        return log_n, np.log(-slopes[0]) - np.log(-slopes[1] * cost), -slopes[1] / slopes[0]

    def scan(self, top: Array) -> tuple[Array, Array]:
        """`least` by sizes up to a log size (R, 1), and golden section around the best of them."""
        grid = top + np.linspace(np.log(SMALLEST), 0.0, SCAN)
        at = np.argmin(self._whole(grid), axis=1)[:, None]
        low, high = (np.take_along_axis(grid, np.clip(at + i, 0, SCAN - 1), 1) for i in (-1, 1))
        for _ in range(ROUNDS):
            a, b = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
            left = self._whole(a) < self._whole(b)
            low, high = np.where(left, low, a), np.where(left, b, high)
        middle = 0.5 * (low + high)
        return middle, self._needed(middle)

    def _whole(self, log_n: Array) -> Array:
        """FLOPs in all of sizes (R, K) trained to the loss, and served."""
        return np.asarray(sum(self.flops(np.exp(log_n), self._needed(log_n))))

    def _needed(self, log_n: Array) -> Array:
        """The tokens (R, K) that bring each size to the loss, infinite where none do, by bisection: loss falls with tokens."""
        n = np.exp(log_n)

        def above(log_d: Array) -> Array:
            with np.errstate(all="ignore"):
                return np.asarray(self.law({"params": n, "tokens": np.exp(log_d)}, self.values) > self.loss)

        low, high = np.zeros_like(n), np.full_like(n, np.log(MOST_TOKENS))
        never = above(high)
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            over = above(middle)
            low, high = np.where(over, middle, low), np.where(over, high, middle)
        return np.where(never, np.inf, np.exp(high))
