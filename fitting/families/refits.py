"""The refits that a comparison's intervals come from: each family's noise drawn anew, or its runs drawn again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from fitting.families.joint import JointFit, Part, solution_of
from fitting.solver.solver import Solution, residuals, slopes
from fitting.uncertainty import bootstrap
from fitting.uncertainty.error_model import pooled
from fitting.uncertainty.interval_method import Choice, choose_intervals

Array = np.ndarray

SEEDS_APART = 7919  # so that no two families of a table are drawn alike, nor the refits of two ways to share


def ways(parts: tuple[Part, ...], fit: JointFit, intervals: str, group: str | None) -> list[Choice]:
    """For each family how its data are drawn anew, as `choose_intervals` says of its own residuals under this fit.

    How much noise runs of one size (or budget, or group) share is judged by all families together, and a family's leverage
    by its own runs: where families share a parameter it comes out a little high, and intervals a little wide. Where one
    family's groups must be drawn whole, so are all.
    """
    r, jac = slopes(fit.problem, fit.theta[None, :])
    found, first = [], 0
    for p in parts:
        rows = slice(first, first + p.problem.n)
        moved = jac[0].T[rows]
        moved = moved[:, np.any(moved != 0.0, axis=0)]  # the other families' own parameters move nothing here
        found.append(choose_intervals(intervals, group, p.table.groupings, r[0, rows], moved, p.problem.delta))
        first = rows.stop
    if any(how.noise is None for how in found) and intervals == "auto":
        return ways(parts, fit, "groups", group)
    if len({how.column for how in found}) > 1:
        return found
    noises = pooled([how.noise for how in found if how.noise])
    return [replace(how, noise=noise) for how, noise in zip(found, noises, strict=True)] if noises else found


def refits(
    parts: tuple[Part, ...], fits: dict[str, JointFit], under: list[str], seed: int, intervals: str, group: str | None
) -> tuple[list[Array], Array]:
    """Each family's draws (R, p) and whether each refit settled (R,): one way to share each, `under` (R,).

    All refits of a block that share the same way advance together.
    """
    count = len(under)
    size = max(1, bootstrap.MOST_WEIGHTS // next(iter(fits.values())).problem.n)
    draws = [np.empty((count, p.where.law.p)) for p in parts]
    settled = np.ones(count, bool)
    for order, share in enumerate(dict.fromkeys(under)):
        rows = np.flatnonzero(np.array(under) == share)
        how = ways(parts, fits[share], intervals, group)
        found = [
            _refitted(parts, fits[share], *drawn)
            for drawn in _drawn(parts, fits[share], how, len(rows), seed + SEEDS_APART * len(parts) * order, size)
        ]
        if not found:
            continue
        settled[rows] = np.concatenate([s.converged for s in found])
        theta = np.concatenate([s.theta for s in found])
        for draw, values in zip(draws, fits[share].where.families(theta), strict=True):
            draw[rows] = values
    return draws, settled


def _drawn(
    parts: tuple[Part, ...], fit: JointFit, how: list[Choice], count: int, seed: int, size: int
) -> Iterator[tuple[list[Array] | None, list[Array] | None]]:
    """Blocks of at most `size` draws: run weights (R, n) of each family or, else, log losses (R, n) of each."""
    if any(h.noise is None for h in how):
        each = [bootstrap.blocks(h.labels, count, seed + SEEDS_APART * k, size) for k, h in enumerate(how)]
        yield from ((list(weights), None) for weights in zip(*each, strict=True))
        return
    law = np.split(fit.problem.log_loss + residuals(fit.problem, fit.theta[None, :])[0], _ends(parts))
    rngs = [np.random.default_rng(seed + SEEDS_APART * k) for k in range(len(parts))]
    for first in range(0, count, size):
        many = min(size, count - first)
        errors = [h.noise.errors(rng, many)[0] for h, rng in zip(how, rngs, strict=True) if h.noise]
        yield None, [own - e for own, e in zip(law, errors, strict=True)]


def _ends(parts: tuple[Part, ...]) -> Array:
    return np.cumsum([p.problem.n for p in parts])[:-1]


def _refitted(
    parts: tuple[Part, ...], fit: JointFit, weights: list[Array] | None, log_losses: list[Array] | None
) -> Solution:
    """The refits of one way to share to the data drawn for each family."""
    nothing = [None] * len(parts)
    if fit.share != "nothing":
        heavy = None if weights is None else np.concatenate(weights, axis=1)
        losses = None if log_losses is None else np.concatenate(log_losses, axis=1)
        return bootstrap.refits(fit.problem, fit.theta, heavy, fit.fresh, log_losses=losses)
    thetas = [fit.theta[at] for at in fit.where.index]
    found = [
        bootstrap.refits(p.problem, theta, w, log_losses=y)
        for p, theta, w, y in zip(parts, thetas, weights or nothing, log_losses or nothing, strict=True)
    ]
    return solution_of(found, fit.where.index)
