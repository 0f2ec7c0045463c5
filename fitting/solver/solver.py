"""The one solver: minimise the sum of Huber losses of log residuals, for one table or for thousands of refits at once.

The objective is sum_i w_i huber_delta(log f(x_i) - log L_i), as in Hoffmann et al. 2022 (arXiv 2203.15556, section 3.3):
a sum, so that no default tolerance can call an early point an optimum. Each step solves
    (H_newton + mu H_major) s = -gradient,
where H_newton counts only residuals inside delta (the objective's own curvature: it finishes in a few steps once the
right residuals are inside) and H_major weighs the others by delta / |r| (a curvature nowhere below the true one, so that
a large mu always goes down). With delta far below the residuals the objective is a sum of kinks; this pair handles it
where plain Gauss-Newton cycles and plain reweighting crawls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fitting.autodiff import partials_of, value_of
from fitting.solver.parametrization import Coordinates
from fitting.solver.prior import Penalty

Array = np.ndarray

# A refit is finished when the model of the objective promises less than this share of it.
TOLERANCE = 1e-13
# Below this for each run the law passes through the runs to rounding, and there is nothing left to promise.
EXACT = 1e-26
MAX_STEPS = 300
# Measured with delta 1e-3 on hard tables: refits that do not settle fall from 13-38 % to 1-13 %, at no cost on easy ones.
# With delta 1e-5 more than this slows the walk from kink to kink.
TURN = 1e-3
# For refits of a fit with a prior, which begin at it: 7.4 evaluations each instead of 8.0 (240 runs). Without a prior a bold
# first step ends some refits of tables that hardly hold the law in a worse place.
NEAR = 0.1
# Refits advance in blocks whose arrays stay in a core's cache.
BLOCK_ELEMENTS = 60_000
# Up to so many settings for each run the law is worked out once a setting: a sweep of learning rates has a hundred runs in
# each. Then few arrays are as long as a block has elements, and larger blocks are quicker (measured with 17 and with 1,911).
MOST_SETTINGS, GATHERED = 0.6, 4


@dataclass(frozen=True)
class Alike:
    """Which runs have the same inputs: `order` (n,) puts them side by side, `first` (m,) and `size` (m,) say where and how many."""

    order: Array
    first: Array
    size: Array


def alike(inputs: tuple[Array, ...]) -> Alike | None:
    """Runs told apart by their inputs (n,) each, to the last digit; None where too few are the same to be worth it."""
    order = np.lexsort(inputs)
    sorted_ = [x[order] for x in inputs]
    new = np.any([x[1:] != x[:-1] for x in sorted_], axis=0)
    first = np.concatenate([[0], np.flatnonzero(new) + 1])
    if len(first) > MOST_SETTINGS * len(order):
        return None
    return Alike(order, first, np.diff(first, append=len(order)))


@dataclass(frozen=True)
class Problem:
    """One table and one law, ready to be solved: scaled inputs (n,) each, log losses, and the Huber delta.

    Log losses are (n,), or (R, n) where every refit has losses of its own. `prior` adds what is believed beforehand.
    `importance` (n,) is how much each run counts, 1 where it is not given. `scale` (n,) multiplies each run's residual, so
    that delta and noise are in its own unit; residuals and slopes come out scaled. `alike` tells runs of the same inputs; where it
    is `gathered`, inputs are (m,), those of its settings, and runs stand in its order.
    """

    coordinates: Coordinates
    inputs: tuple[Array, ...]
    log_loss: Array
    delta: float
    prior: Penalty | None = None
    importance: Array | None = None
    alike: Alike | None = None
    scale: Array | None = None
    gathered: bool = False

    def weighed(self, weights: Array | None) -> Array | None:
        """Run weights (R, n) or (n,) times each run's importance; None where every run counts once."""
        if self.importance is None:
            return weights
        return self.importance if weights is None else weights * self.importance

    @property
    def n(self) -> int:
        """The number of runs."""
        return self.log_loss.shape[-1]

    def rows(self, rows: Any) -> Problem:
        """The same problem for some of the refits."""
        if self.log_loss.ndim == 1 and (self.prior is None or self.prior.centre.ndim == 1):
            return self
        log_loss = self.log_loss if self.log_loss.ndim == 1 else self.log_loss[rows]
        return replace(self, log_loss=log_loss, prior=self.prior and self.prior.rows(rows))

    def gather(self) -> Problem:
        """The same problem with runs of the same inputs side by side, so that the law is worked out once for all of them."""
        if self.alike is None or self.gathered:
            return self
        order, first = self.alike.order, self.alike.order[self.alike.first]
        return replace(
            self,
            inputs=tuple(x[first] for x in self.inputs),
            log_loss=self.log_loss[..., order],
            importance=None if self.importance is None else self.importance[order],
            gathered=True,
        )

    def each(self, values: Array) -> Array:
        """Values (R, m) of the inputs as those (R, n) of the runs."""
        return np.repeat(values, self.alike.size, axis=1) if self.gathered and self.alike else values

    def total(self, values: Array) -> Array:
        """Values (R, n) of the runs, added up over those of the same inputs, (R, m)."""
        return np.add.reduceat(values, self.alike.first, axis=1) if self.gathered and self.alike else values


def problem(
    coordinates: Coordinates, inputs: Mapping[str, Array], loss: Array, delta: float, scale: Array | None = None
) -> Problem:
    """The problem of fitting `coordinates.law` to inputs (n,) each and losses (n,), residuals multiplied by `scale` (n,)."""
    scaled = coordinates.scaled(inputs)
    same = alike(scaled) if scale is None else None  # runs of the same inputs then count differently
    return Problem(coordinates, scaled, np.log(np.asarray(loss, float)), float(delta), alike=same, scale=scale)


@dataclass(frozen=True)
class Solution:
    """Where each of R refits ended: coordinates (R, p), objective (R,), and whether each is a certified optimum (R,).

    `promise` (R,) is the further decrease, relative to the objective, that the local model offers: the scaled gradient.
    """

    theta: Array
    objective: Array
    promise: Array
    converged: Array
    steps: int

    def best(self) -> int:
        """The index of the lowest objective."""
        return int(np.argmin(self.objective))


def huber(r: Array, delta: float) -> Array:
    """Huber's loss of residuals (...): r^2/2 within delta, delta (|r| - delta/2) beyond. delta may be infinite."""
    a = np.abs(r)
    inside = np.minimum(a, delta)
    with np.errstate(all="ignore"):  # an infinite residual costs NaN where delta is infinite too: neither is a start
        return inside * (a - 0.5 * inside)


def residuals(prob: Problem, theta: Array) -> Array:
    """Log residuals log f - log L, (R, n), at coordinates (R, p), times the problem's scale if it has one."""
    return _evaluate(prob, theta, slopes=False)[0]


def objective(prob: Problem, theta: Array, weights: Array | None = None) -> Array:
    """The objective (R,) at coordinates (R, p), with run weights (R, n) or (n,) if given."""
    h, weights = huber(residuals(prob, theta), prob.delta), prob.weighed(weights)
    with np.errstate(all="ignore"):
        fit = np.sum(h if weights is None else h * weights, axis=-1)
        return fit if prob.prior is None else fit + prob.prior.cost(theta)


def slopes(prob: Problem, theta: Array) -> tuple[Array, Array]:
    """Log residuals (R, n) and their derivatives in each coordinate (R, p, n), at coordinates (R, p)."""
    return _evaluate(prob, theta)


def minimise(
    prob: Problem,
    start: Array,
    weights: Array | None = None,
    held: tuple[int, ...] | Array = (),
    most: int = MAX_STEPS,
    tolerance: float = TOLERANCE,
    caution: float = 1.0,
) -> Solution:
    """Local optima reached from starts (R, p), each with its own run weights (R, n) if given; all advance together.

    Coordinates whose index is in `held`, or that a mask (R, p) holds, stay where each start has them. At most `most` steps are
    made, and none once the model promises less than a share `tolerance` of the objective. `caution` is how much the first step
    is held back: less where the starts are known to be near.
    """
    start = np.atleast_2d(np.asarray(start, float))
    if not isinstance(held, np.ndarray):
        held = np.isin(np.arange(start.shape[1]), held)
    fixed = np.broadcast_to(held, start.shape) if held.any() else None
    block = max(1, BLOCK_ELEMENTS * (GATHERED if prob.alike else 1) // max(1, prob.n))
    parts = []
    for i in range(0, max(1, len(start)), block):
        part = slice(i, i + block)
        own, fast = (None if x is None else x[part] for x in (weights, fixed))
        parts.append(_minimise_block(prob.rows(part), start[part], own, fast, most, tolerance, caution))
    return joined(parts)


def joined(parts: list[Solution]) -> Solution:
    """The solutions of several blocks as one."""
    return Solution(
        np.concatenate([s.theta for s in parts]),
        np.concatenate([s.objective for s in parts]),
        np.concatenate([s.promise for s in parts]),
        np.concatenate([s.converged for s in parts]),
        max(s.steps for s in parts),
    )


def _evaluate(prob: Problem, theta: Array, slopes: bool = True) -> tuple[Array, Array]:
    """Log residuals (R, n) and, if asked, the derivatives (R, p, n) of the law's logarithm; (R, p, m) where runs are gathered."""
    c = prob.coordinates
    rows = len(theta)
    if rows > 1 and np.array_equal(theta[0], theta[1]) and np.all(theta == theta[0]):
        theta = theta[:1]  # refits begin together at the fit: the law there is worked out once
    with np.errstate(all="ignore"):  # a wild start may overflow; it comes out as an infinite objective and is refused
        params = c.scaled_params(theta)
        if not slopes:
            params = [value_of(p) for p in params]
        out = c.law.formula(*prob.inputs, *params)
        value = value_of(out)
        count = len(prob.alike.first) if prob.gathered and prob.alike else prob.n
        log = np.log(value)
        r = prob.each(log if np.shape(log) == (rows, count) else np.broadcast_to(log, (rows, count))) - prob.log_loss
        if prob.scale is not None:
            r = r * prob.scale
        if not slopes:
            return r, np.empty(0)
        partials = partials_of(out)
        jac = (np.empty if len(partials) == c.law.p else np.zeros)((len(theta), c.law.p, count))
        inverse = 1.0 / value
        for k, d in partials.items():
            np.multiply(d, inverse, out=jac[:, k, :])
        if prob.scale is not None:
            jac *= prob.scale
    return r, jac if len(jac) == rows else np.broadcast_to(jac, (rows, c.law.p, count))


@dataclass
class _Local:
    """The objective and its local models at R points."""

    value: Array  # (R,)
    gradient: Array  # (R, p)
    newton: Array  # (R, p, p)
    major: Array  # (R, p, p)


def _local(prob: Problem, theta: Array, weights: Array | None) -> _Local:
    r, jac = _evaluate(prob, theta)
    weighed = prob.weighed(weights)
    with np.errstate(all="ignore"):  # where the formula overflows the objective is infinite, and no step goes there
        pull = np.minimum(np.maximum(r, -prob.delta), prob.delta)  # np.clip takes thrice as long to begin
        heavy = pull if weighed is None else pull * weighed
        value = np.einsum("rn,rn->r", heavy, r) - 0.5 * np.einsum("rn,rn->r", heavy, pull)
        if not np.isfinite(value).all():
            value[~np.isfinite(value)] = np.inf
        transposed = jac.transpose(0, 2, 1)
        gradient = np.matmul(jac, prob.total(heavy)[:, :, None])[:, :, 0]
        if np.isinf(prob.delta):
            w = 1.0 if weighed is None else weighed
            newton = major = np.matmul(jac * prob.total(np.broadcast_to(w, r.shape))[:, None, :], transposed)
        else:
            a = np.abs(r)
            inside, share = (a <= prob.delta).astype(float), np.maximum(a, prob.delta)
            if weighed is None:
                np.divide(prob.delta, share, out=share)
            else:
                inside *= weighed
                np.divide(prob.delta * weighed, share, out=share)
            major = np.matmul(jac * prob.total(share)[:, None, :], transposed)
            newton = np.matmul(jac * prob.total(inside)[:, None, :], transposed)
        at = _Local(value, gradient, newton, major)
    return at if prob.prior is None else _with_prior(prob.prior, theta, at)


def _with_prior(prior: Penalty, theta: Array, at: _Local) -> _Local:
    """The objective and its local models with the prior's cost added."""
    z, slope = prior.distance(theta)
    bend = np.zeros_like(at.major)
    bend[:, prior.index, prior.index] = prior.weight * slope**2
    gradient = at.gradient.copy()
    gradient[:, prior.index] += prior.weight * z * slope
    return _Local(at.value + 0.5 * prior.weight * np.sum(z**2, axis=1), gradient, at.newton + bend, at.major + bend)


def _minimise_block(
    prob: Problem,
    start: Array,
    weights: Array | None,
    held: Array | None,
    most: int,
    tolerance: float,
    caution: float,
) -> Solution:
    if prob.alike is not None:
        weights = None if weights is None else weights[:, prob.alike.order]
        prob = prob.gather()
    low, high = prob.coordinates.bounds
    reach = np.minimum(2.0, high - low)  # of one step: the formulas are exponentials of these
    theta = np.minimum(np.maximum(start, low), high)
    count = len(theta)
    here = _local(prob, theta, weights)
    mu = np.full(count, caution)
    promise = np.full(count, np.inf)
    calm = np.zeros(count, int)  # consecutive steps that promised nothing
    # A certified optimum promises nothing twice running. Where near is enough, the step that promises less than that is made too.
    enough = 2 if tolerance <= TOLERANCE else 1
    live = np.flatnonzero(
        _usable(here)
    )  # a start where the formula overflows stays there, and is never called an optimum
    step = 0
    everyone = len(live) == count
    own, heavy = prob, weights  # of those that are live
    if not everyone:
        own, heavy = prob.rows(live), None if weights is None else weights[live]
    for step in range(1, most + 1 if len(live) else 1):  # noqa: B007 - the count is reported
        if everyone:  # nothing to pick, and nothing below writes into what is picked
            at, from_, damping = here, theta, mu
        else:
            at = _Local(here.value[live], here.gradient[live], here.newton[live], here.major[live])
            from_, damping = theta[live], mu[live]
        move, gain = _step(from_, at, damping, low, high, reach, None if held is None else held[live])
        # Damping shrinks the step and with it the gain: (1 + mu) of it is what the undamped model promises at most.
        share = gain * (1.0 + damping) / np.maximum(at.value, 1e-300)
        exact = at.value < EXACT * prob.n
        promise[live] = np.where(exact, 0.0, share)
        trial = np.minimum(np.maximum(from_ + move, low), high)
        there = _local(own, trial, heavy)
        got = at.value - there.value
        better = (got >= 0) & _usable(there)
        good = better & (got > 0.25 * gain)
        damping = np.where(good, damping * 0.1, np.where(better, damping, damping * 5.0))
        mu[live] = np.minimum(np.maximum(damping, 1e-9), 1e9)
        if everyone and better.all():
            theta, here = trial, there
        else:
            won = live[better]
            theta[won] = trial[better]
            for name in ("value", "gradient", "newton", "major"):
                getattr(here, name)[won] = getattr(there, name)[better]
        calm[live] = np.where((share < tolerance) | exact, calm[live] + 1, 0)
        still = calm[live] < enough
        if not still.all():
            live, everyone = live[still], False
            if len(live) == 0:
                break
            own, heavy = prob.rows(live), None if weights is None else weights[live]
    return Solution(theta, here.value, promise, calm >= enough, step)


def _usable(at: _Local) -> Array:
    """Where the objective and its local models are all finite, (R,)."""
    finite = np.isfinite(at.value)
    models = (at.gradient, at.newton) if at.major is at.newton else (at.gradient, at.newton, at.major)
    if all(np.isfinite(x).all() for x in models):
        return finite
    finite = finite & np.all(np.isfinite(at.gradient), axis=1)
    return finite & np.all(np.isfinite(at.newton), axis=(1, 2)) & np.all(np.isfinite(at.major), axis=(1, 2))


def _step(
    theta: Array, at: _Local, mu: Array, low: Array, high: Array, reach: Array, held: Array | None
) -> tuple[Array, Array]:
    """The damped step (R, p) within bounds, no further than `reach` (p,), and the decrease it promises (R,)."""
    edge = ((theta <= low) & (at.gradient > 0)) | ((theta >= high) & (at.gradient < 0))
    if held is not None:
        edge |= held
    bound = edge.any()
    gradient = np.where(edge, 0.0, at.gradient) if bound else at.gradient
    diagonal = at.major.diagonal(axis1=1, axis2=2)
    # Every coordinate in its own unit of curvature. One that nothing depends on, or a refit that a few runs fit exactly,
    # would leave the matrix singular; a whisper on the diagonal keeps it solvable.
    unit = np.sqrt(np.maximum(diagonal, 1e-16 * diagonal.max(axis=1, keepdims=True)))
    unit = np.where(unit > 1e-150, unit, 1.0)
    matrix = (at.newton + mu[:, None, None] * at.major) / (unit[:, :, None] * unit[:, None, :])
    turn = 1e-12 + TURN * mu[:, None]
    if bound:
        matrix = np.where(edge[:, :, None] | edge[:, None, :], 0.0, matrix)
        turn = np.where(edge, 1.0, turn)
    # A share of mu on the diagonal turns a damped step towards the gradient (Levenberg, Marquardt): along a curved
    # valley, as in most resamples of a table that hardly holds the law, shortening the step alone gets nowhere.
    ridge = np.einsum("rii->ri", matrix)  # a view
    ridge += turn
    move = -np.linalg.solve(matrix, (gradient / unit)[:, :, None])[:, :, 0] / unit
    gain = -0.5 * np.einsum("rp,rp->r", gradient, move)
    longest = (np.abs(move) / reach).max(axis=1)
    return move / np.maximum(1.0, longest)[:, None], gain
