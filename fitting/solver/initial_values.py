"""Starts that do not depend on luck: the exponents on a grid, everything else solved for exactly where it is linear.

Variable projection (Golub and Pereyra 1973): with the exponents held, Chinchilla is linear in its floor and weights, so
a 12 x 12 grid over the exponents with a small non-negative least squares inside replaces thousands of random starts.
A law that is not linear in its amounts gets a grid over those too, and the best points are polished.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from fitting.autodiff import partials_of, seed
from fitting.solver.solver import Problem, objective

Array = np.ndarray

KEEP = 6
GRID = {1: 24, 2: 12, 3: 6}
# Rows used to rank starts: a long table says no more about where to begin than a thousand of its rows.
ENOUGH_ROWS = 1000
# A grid of thousands is ranked on fewer rows still: no more than so many values of the law in all.
MOST_VALUES = 600_000


def starts(prob: Problem, keep: int = KEEP) -> Array:
    """The most promising internal coordinates (k, p), best first, from a grid that is the same every time."""
    small = _thinned(prob, ENOUGH_ROWS)
    candidates = _linear(small) if prob.coordinates.law.is_linear else _product(small)
    small = _thinned(small, max(ENOUGH_ROWS // 10, MOST_VALUES // len(candidates)))
    low, high = prob.coordinates.bounds
    candidates = np.clip(candidates, low, high)
    block = max(1, 200_000 // small.n)
    cost = np.concatenate([objective(small, candidates[i : i + block]) for i in range(0, len(candidates), block)])
    order = np.argsort(np.where(np.isfinite(cost), cost, np.inf), kind="stable")
    return candidates[order[:keep]]


def _thinned(prob: Problem, most: int) -> Problem:
    if prob.n <= most:
        return prob
    rows = np.linspace(0, prob.n - 1, most).astype(int)
    rows = np.argsort(prob.inputs[0], kind="stable")[rows]
    importance = None if prob.importance is None else prob.importance[rows]
    scale = None if prob.scale is None else prob.scale[rows]
    inputs = tuple(x[rows] for x in prob.inputs)
    log_loss = prob.log_loss[..., rows]
    return replace(prob, inputs=inputs, log_loss=log_loss, importance=importance, alike=None, scale=scale)


def _shape_grid(prob: Problem) -> tuple[list[int], Array]:
    """The parameters that are no amounts, and a product grid (G, s) over their internal coordinates."""
    law = prob.coordinates.law
    low, high = prob.coordinates.bounds
    per_axis = GRID.get(len(law.shapes), 4)
    axes = {i: np.linspace(low[i], high[i], per_axis + 2)[1:-1] for i in law.shapes}
    axes |= {i: _places(prob, i) for i in law.places}
    return list(axes), np.array(list(itertools.product(*axes.values())))


def _places(prob: Problem, i: int) -> Array:
    """Where on its input's axis the i-th parameter may begin: the quartiles of the data."""
    law = prob.coordinates.law
    anchor = law.params[i].anchor
    assert anchor is not None
    return np.quantile(np.log(prob.inputs[law.inputs.index(anchor.input)]), [0.25, 0.5, 0.75])


def _linear(prob: Problem) -> Array:
    """Grid points with their amounts solved by non-negative least squares on relative residuals."""
    law = prob.coordinates.law
    bent, grid = _shape_grid(prob)
    theta = np.zeros((len(grid), law.p))
    theta[:, bent] = grid
    unit = [theta[:, i, None] for i in range(law.p)]
    values = [np.exp(u) if law.params[i].log else u for i, u in enumerate(unit)]
    for i in law.amounts:
        values[i] = np.ones((len(grid), 1))
    shape = (len(grid), prob.n)
    loss = np.exp(prob.log_loss)
    with np.errstate(all="ignore"):  # inputs over dozens of decades to a high power; such a start is ranked last
        slopes = partials_of(law.formula(*prob.inputs, *seed(values)))
        columns = np.stack([np.broadcast_to(slopes[i], shape) / loss for i in law.amounts], axis=1)
        amounts = nonnegative(columns, np.ones(prob.n))
    for column, i in enumerate(law.amounts):
        a = amounts[:, column]
        smallest = 1e-6 * prob.coordinates.loss
        theta[:, i] = a if law.params[i].is_floor else np.log(np.maximum(a, smallest))
    return theta


def nonnegative(columns: Array, target: Array) -> Array:
    """Non-negative least-squares solutions (G, k) of columns (G, k, n) to target (n,) or (G, n), by trying every active set.

    With k at most four or so there are few sets, and trying all is exact, and one batch of arrays.
    """
    count, k, _ = columns.shape
    gram = np.matmul(columns, columns.transpose(0, 2, 1))
    right = columns @ target if target.ndim == 1 else np.einsum("gkn,gn->gk", columns, target)
    best = np.zeros((count, k))
    gained = np.zeros(count)  # decrease of half the squared residual below that of the zero solution
    for size in range(1, k + 1):
        for chosen in itertools.combinations(range(k), size):
            pick = np.array(chosen)
            g = gram[:, pick[:, None], pick[None, :]]
            ridge = 1e-13 * np.einsum("gii->gi", g)
            g = g.copy()
            g[:, np.arange(size), np.arange(size)] += ridge
            x = np.linalg.solve(g, right[:, pick, None])[:, :, 0]
            gain = 0.5 * np.einsum("gs,gs->g", x, right[:, pick])
            take = np.all(x >= 0, axis=1) & (gain > gained)
            gained[take] = gain[take]
            best[take] = 0.0
            best[np.ix_(take, pick)] = x[take]
    return best


def _product(prob: Problem) -> Array:
    """A product grid over shapes, shares of the loss and places, for laws that are linear in nothing."""
    c, law = prob.coordinates, prob.coordinates.law
    low, high = c.bounds
    axes: list[Array] = []
    for i, p in enumerate(law.params):
        if i in law.shapes:
            per_axis = {1: 16, 2: 8, 3: 5}.get(len(law.shapes), 3)
            axes.append(np.linspace(low[i], high[i], per_axis + 2)[1:-1])
        elif p.is_floor:
            axes.append(np.array([0.2, 0.6, 0.9]) * c.lowest)
        elif i in law.places:
            axes.append(_places(prob, i))
        elif p.anchor:
            axes.append(np.log(np.array([0.05, 0.2, 0.5, 0.9]) * c.usual_term))
        else:
            axes.append(np.linspace(low[i], high[i], 5)[1:-1])
    return np.array(list(itertools.product(*axes)))
