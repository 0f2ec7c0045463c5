"""Where a profile is lowest, for one profile or for thousands of resampled ones at once: by a parabola or by Akima.

Quadratic: a least-squares parabola of the loss in log N (Hoffmann et al. 2022, arXiv 2203.15556, section 3.2). Akima: a
local cubic through the mean of each size in log loss and log N (Akima 1970; Porian et al. 2024, arXiv 2406.19146,
appendix), which bends with a lopsided valley and has no noise model of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.alike import Alike

Array = np.ndarray

#: Sizes below which a vertex is flagged: one more than the curve needs to have something left over.
LEAST = {"quadratic": 4, "akima": 5}
FINE, EDGE, DOWN, FEW = range(4)


@dataclass(frozen=True, eq=False)
class Vertices(Alike):
    """The lowest point of R profiles: log N (R,), its height (R,), and what is wrong (R,): FINE, EDGE, DOWN or FEW.

    `shape` (R, 3) holds a parabola's height, slope and curvature about `centre`; it is empty for Akima.
    """

    log_n: Array
    height: Array
    state: Array
    shape: Array
    centre: float


def vertices(method: str, log_n: Array, height: Array, labels: Array, weights: Array) -> Vertices:
    """Vertices of profiles with rows (n,), heights (n,) or (R, n), labels of their sizes (n,), row weights (R, n)."""
    shape = np.broadcast_shapes(height.shape, weights.shape)
    height, weights = np.broadcast_to(height, shape), np.broadcast_to(weights, shape)
    return (_parabolas if method == "quadratic" else _akimas)(log_n, height, labels, weights)


def residuals(log_n: Array, height: Array) -> tuple[Array, Array]:
    """The parabola's heights (n,) and what it leaves over (n,), scaled up for its leverage; NaN where it has no choice."""
    x = (log_n - log_n.mean()) / max(np.ptp(log_n) / 2.0, 1e-12)
    basis = np.stack([np.ones_like(x), x, x * x], axis=1)
    hat = basis @ np.linalg.pinv(basis)
    smooth, room = hat @ height, 1.0 - np.diag(hat)
    with np.errstate(all="ignore"):
        return smooth, np.where(room > 1e-6, (height - smooth) / np.sqrt(room), np.nan)


def _present(labels: Array, weights: Array) -> Array:
    """The weight of every size, (R, S)."""
    return weights @ (labels[:, None] == np.arange(labels.max() + 1))


def _parabolas(log_n: Array, height: Array, labels: Array, weights: Array) -> Vertices:
    centre, span = float(np.mean(log_n)), float(max(np.ptp(log_n) / 2.0, 1e-12))
    x = (log_n - centre) / span
    basis = np.stack([np.ones_like(x), x, x * x])
    few = np.count_nonzero(_present(labels, weights), axis=1) < 3
    weighted = weights[:, None, :] * basis
    matrix = weighted @ basis.T
    matrix[few] = np.eye(3)
    c = np.linalg.solve(matrix, weighted @ height[:, :, None])[:, :, 0]
    c[few] = np.nan
    with np.errstate(all="ignore"):
        u = -0.5 * c[:, 1] / c[:, 2]
        lowest = c[:, 0] + 0.5 * c[:, 1] * u
    present = weights > 0
    left = np.min(np.where(present, x, np.inf), axis=1)
    right = np.max(np.where(present, x, -np.inf), axis=1)
    # A straight profile has a curvature of rounding's size and either sign.
    down = ~(c[:, 2] > 1e-12 * np.max(np.abs(height), initial=0.0))
    state = np.where(few, FEW, np.where(down, DOWN, np.where((u <= left) | (u >= right), EDGE, FINE)))
    shape = c / np.array([1.0, span, span**2])
    nothing = few | down
    return Vertices(
        np.where(nothing, np.nan, centre + span * u), np.where(nothing, np.nan, lowest), state, shape, centre
    )


def _akimas(log_n: Array, height: Array, labels: Array, weights: Array) -> Vertices:
    """Sizes that a resample did not draw are gaps: resamples with equally many sizes are solved together."""
    member = (labels[:, None] == np.arange(labels.max() + 1)).astype(float)
    mass = weights @ member
    # A size stands at one place in every resample: means of those drawn could meet its neighbour's.
    x = np.broadcast_to(log_n @ member / member.sum(axis=0), mass.shape)
    with np.errstate(invalid="ignore"):
        y = (weights * height) @ member / mass
    held = mass > 0
    order = np.argsort(np.where(held, x, np.inf), axis=1, kind="stable")
    x, y = np.take_along_axis(x, order, 1), np.take_along_axis(y, order, 1)
    counts = held.sum(axis=1)
    at, lowest = np.full(len(weights), np.nan), np.full(len(weights), np.nan)
    state = np.full(len(weights), FEW)
    for m in np.unique(counts[counts >= 3]):
        rows = counts == m
        at[rows], lowest[rows], edge = akima_lowest(x[rows, :m], y[rows, :m])
        state[rows] = np.where(edge, EDGE, FINE)
    return Vertices(at, lowest, state, np.empty((len(weights), 0)), 0.0)


def akima_slopes(x: Array, y: Array) -> Array:
    """Slopes (R, m) of the Akima spline at its knots, x ascending and y, each (R, m) with m at least 3."""
    d = np.diff(y, axis=1) / np.diff(x, axis=1)
    before = 2.0 * d[:, :1] - d[:, 1:2]
    after = 2.0 * d[:, -1:] - d[:, -2:-1]
    d = np.concatenate([2.0 * before - d[:, :1], before, d, after, 2.0 * after - d[:, -1:]], axis=1)
    turn = np.abs(np.diff(d, axis=1))
    left, right = turn[:, 2:], turn[:, :-2]
    total = left + right
    straight = total <= 1e-9 * np.max(total, axis=1, keepdims=True)
    safe = np.where(straight, 1.0, total)
    return np.where(straight, 0.5 * (d[:, 1:-2] + d[:, 2:-1]), (left * d[:, 1:-2] + right * d[:, 2:-1]) / safe)


def akima_lowest(x: Array, y: Array) -> tuple[Array, Array, Array]:
    """Where R Akima splines are lowest (R,), how low (R,), and whether that is the first or the last knot (R,)."""
    slope = akima_slopes(x, y)
    h = np.diff(x, axis=1)
    start, end = slope[:, :-1] * h, slope[:, 1:] * h
    rise = np.diff(y, axis=1)
    # On each stretch y0 + start t + square t^2 + cube t^3, with t from 0 to 1.
    square, cube = 3.0 * rise - 2.0 * start - end, start + end - 2.0 * rise
    with np.errstate(all="ignore"):
        root = np.sqrt(square**2 - 3.0 * cube * start)
        # The root where the slope rises, in the form that does not cancel.
        t = np.where(square > 0, -start / (square + root), (-square + root) / (3.0 * cube))
    inside = (t > 0) & (t < 1)
    t = np.where(inside, t, 0.0)
    value = np.where(inside, y[:, :-1] + t * (start + t * (square + t * cube)), np.inf)
    heights = np.concatenate([y, value], axis=1)
    places = np.concatenate([x, x[:, :-1] + t * h], axis=1)
    pick = np.argmin(heights, axis=1)
    rows = np.arange(len(x))
    return places[rows, pick], heights[rows, pick], (pick == 0) | (pick == x.shape[1] - 1)
