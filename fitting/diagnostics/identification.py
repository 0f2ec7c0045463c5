"""Which parameters can these runs not tell, whatever they are? Directions in which a fit may move and forecast the same.

Small changes of the parameters change the log predictions of the runs by the Jacobian times them. A direction that the Jacobian
takes to nothing is one the runs are silent on: along it parameters trade against each other, and an interval from refits
would show no more than where they started. Two kinds are told. One is structural: the direction is there to rounding, at the
optimum and away from it (Rothenberg 1971; Bellman and Astrom 1970). The other is practical (Raue et al. 2009): the 95 %
interval of a parameter's profile reaches an end of its range, or both (`fitting.diagnostics.open_ends`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from fitting.diagnostics.open_ends import allowed, open_ends
from fitting.law import Law
from fitting.solver.parametrization import Coordinates
from fitting.solver.solver import Problem, slopes

Array = np.ndarray

# A singular value of unit columns below this has a square that no float holds beside one: the solver's matrix is singular there.
ROUNDING = float(np.sqrt(np.finfo(float).eps))
# Places beside the optimum at which a structural direction must be there too, displaced by so much in every coordinate; a
# term that has vanished, or two that happen to be alike, are accidents of the one place.
PLACES, DISPLACED = 3, 0.3
# Inputs beyond those of the runs, by so many e-folds, where the predictions must not move along the direction either.
ELSEWHERE, FAR = 64, 3.0


@dataclass(frozen=True)
class Unidentified:
    """Which parameters the runs cannot tell, by name.

    `groups` trade against each other exactly; a group of one is a parameter on which nothing depends. `everywhere` is whether
    other inputs than those of the runs could not tell the parameters of a group either. Of the rest, `below` and `above` are
    those whose 95 % interval reaches the lower and the upper end of what is possible.
    """

    groups: tuple[tuple[str, ...], ...] = ()
    everywhere: tuple[bool, ...] = ()
    below: tuple[str, ...] = ()
    above: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every parameter that is not identified, each once."""
        return tuple(dict.fromkeys([name for group in self.groups for name in group] + [*self.below, *self.above]))

    @property
    def closed(self) -> dict[str, str]:
        """Of those with one open end, the other: "low" or "high"."""
        one = set(self.below) ^ set(self.above)
        return {name: "high" if name in self.below else "low" for name in self.names if name in one}

    def has_ridge(self, name: str) -> bool:
        """Whether a parameter trades against others in every table, so that its own value means nothing."""
        return any(name in group for group, same in zip(self.groups, self.everywhere, strict=True) if same)


NONE = Unidentified()


def unidentified(prob: Problem, theta: Array, residuals: Array, rivals: Array | None = None) -> Unidentified:
    """What the runs of a problem cannot tell of its parameters at the optimum `theta` (p,), with residuals (n,) there.

    `rivals` (k, p) are where other starts ended.
    """
    law = prob.coordinates.law
    jac = _jacobian(prob, theta)
    ridges = _shared(prob, theta, _null(jac))
    unit = _units(jac)[
        :, None
    ]  # what a parameter's part of a direction is worth to the predictions, whatever its own unit
    parts = _apart(ridges * unit)
    merged: list[tuple[set[int], bool]] = []
    for part in parts:
        group, same = {*_trading(part)}, _same_elsewhere(prob, theta, part / unit)
        group = group | _weights_of(law, group)
        for other, also in [m for m in merged if m[0] & group]:
            merged.remove((other, also))
            group, same = group | other, same and also
        merged.append((group, same))
    known = {i for group, _ in merged for i in group}
    below, above = natural_ends(prob.coordinates, *open_ends(prob, theta, allowed(prob, residuals), rivals, known))
    return Unidentified(
        tuple(tuple(law.names[i] for i in sorted(group)) for group, _ in merged),
        tuple(s for _, s in merged),
        tuple(name for i, name in enumerate(law.names) if below[i] and i not in known),
        tuple(name for i, name in enumerate(law.names) if above[i] and i not in known),
    )


def natural_ends(where: Coordinates, below: Array, above: Array) -> tuple[Array, Array]:
    """The open ends (p,) each of the law's own parameters from those of its coordinates.

    A weight is its term times a power of the input, so it is as open as its exponent. A floor of none is a value like
    others, of which another check speaks.
    """
    law, low, high = where.law, below.copy(), above.copy()
    for i, p in enumerate(law.params):
        if p.is_floor:
            low[i] = below[i] and above[i]
        for x, exponent in p.anchor.factors if p.anchor and p.anchor.kind != "location" else ():
            k = law.names.index(exponent) if exponent else i
            ends = (below[k], above[k]) if where.origin[law.rulers[x]] >= 1 else (above[k], below[k])
            if p.anchor and p.anchor.kind == "scale":  # a power of its term, of one over the exponent
                ends = (any(ends),) * 2
            low[i], high[i] = low[i] or ends[0], high[i] or ends[1]
    return low, high


def _jacobian(prob: Problem, theta: Array) -> Array:
    """Derivatives (n, p) of the log predictions of the runs, without any prior."""
    return np.nan_to_num(slopes(prob, theta[None, :])[1][0].T)


def _units(jac: Array) -> Array:
    """The size (p,) of each column of a Jacobian, 1 for one of zeros."""
    size = np.linalg.norm(jac, axis=0)
    return np.where(size > 0, size, 1.0)


def _null(jac: Array) -> Array:
    """Orthonormal directions (p, k) in units of the columns that a Jacobian (n, p) takes to nothing but rounding."""
    unit = _units(jac)
    _, s, rows = np.linalg.svd(np.linalg.qr(jac / unit, mode="r"), full_matrices=True)  # of p rows, however many runs
    s = np.concatenate([s, np.zeros(jac.shape[1] - len(s))])
    return np.asarray(rows[s <= ROUNDING * max(float(s[0]), 1e-300)].T / unit[:, None])


def _shared(prob: Problem, theta: Array, null: Array) -> Array:
    """The directions (p, k) in which the optimum and each of the places beside it have a ridge.

    A curved ridge has another direction at each place, so it is as many there that count, and those of the optimum are given.
    """
    if not null.shape[1]:
        return null
    rng = np.random.default_rng(0)
    low, high = prob.coordinates.bounds
    inner = 1e-3 * (high - low)
    for _ in range(PLACES):
        moved = np.clip(theta + DISPLACED * rng.standard_normal(len(theta)), low + inner, high - inner)
        jac = _jacobian(prob, moved)
        if np.all(np.isfinite(jac)) and _null(jac).shape[1] < null.shape[1]:
            return null[:, :0]
    return null


def _apart(null: Array) -> list[Array]:
    """Directions (p, k) in groups of parameters that have nothing to do with each other, each (p, j)."""
    if not null.shape[1]:
        return []
    basis = linalg.orth(null / np.max(np.abs(null)))
    projector = basis @ basis.T
    linked = np.abs(projector) > ROUNDING**0.5
    groups: list[set[int]] = []
    for i in np.flatnonzero(np.diag(linked)):
        joined = {int(i), *(int(j) for j in np.flatnonzero(linked[i]))}
        for group in [g for g in groups if g & joined]:
            groups.remove(group)
            joined |= group
        groups.append(joined)
    out = []
    for group in sorted(groups, key=min):
        mask = np.zeros(len(projector))
        mask[sorted(group)] = 1.0
        out.append(linalg.orth(projector * mask[:, None]))
    return out


def _trading(part: Array) -> list[int]:
    """The indices of the parameters that move along directions (p, j)."""
    return [int(i) for i in np.flatnonzero(np.max(np.abs(part), axis=1) > ROUNDING**0.5)]


def _weights_of(law: Law, group: set[int]) -> set[int]:
    """Coefficients and lengths whose own value follows an exponent of the group: A is its term times a power of the input."""
    names = {law.names[i] for i in group}
    return {i for i, p in enumerate(law.params) if p.anchor is not None and p.anchor.exponent in names}


def _same_elsewhere(prob: Problem, theta: Array, part: Array) -> bool:
    """Whether the law's output at inputs far and wide has no slope along directions (p, j) either."""
    rng = np.random.default_rng(0)
    logs = [np.log(x) for x in prob.inputs]
    inputs = tuple(np.exp(rng.uniform(x.min() - FAR, x.max() + FAR, ELSEWHERE)) for x in logs)
    there = Problem(prob.coordinates, inputs, np.zeros(ELSEWHERE), prob.delta)
    jac = _jacobian(there, theta)
    size = np.abs(jac) @ np.abs(part)
    return bool(np.all(np.abs(jac @ part) <= ROUNDING**0.5 * np.maximum(size, 1e-300)))
