"""One law fitted to several families at once: what they share has one coordinate, the rest one for each family.

The joint law is an ordinary `Law`, built on the fly: the base law's inputs, one indicator input for each family, and the
base law's parameters, each once if shared and once a family if not. So the one solver fits it. Each family keeps its own
origin (the geometric means of its inputs), so that a weight is a contribution in the middle of its own runs; floors and
exponents do not depend on the origin, and these are what can be shared.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from data.alike import Alike
from fitting.estimate import DISPLACED, RIVALS
from fitting.law import Law, Param
from fitting.solver.fit_data import Arrays
from fitting.solver.initial_values import starts
from fitting.solver.parametrization import Coordinates, coordinates
from fitting.solver.solver import Problem, Solution, minimise, problem

Array = np.ndarray


@dataclass(frozen=True)
class Part:
    """One family's runs, ready to be solved by themselves."""

    name: str
    table: Arrays
    problem: Problem

    @property
    def where(self) -> Coordinates:
        """The family's own coordinates."""
        return self.problem.coordinates


def part(name: str, table: Arrays, law: Law, delta: float) -> Part:
    """The family `name` with the arrays of its runs."""
    return Part(name, table, problem(coordinates(law, table.inputs, table.loss), table.inputs, table.loss, delta))


def shared_params(law: Law, share: str) -> frozenset[str]:
    """The names of the parameters that "nothing", "floor", "exponents" or "floor and exponents" shares."""
    floors = {p.name for p in law.params if p.is_floor} if "floor" in share else set()
    shapes = {law.params[i].name for i in law.shapes} if "exponents" in share else set()
    return frozenset(floors | shapes)


def expanded(law: Law, families: int, shared: Collection[str]) -> tuple[Law, Array]:
    """The joint law, and where each family finds the base law's parameters among its own: indices (families, p)."""
    params: list[Param] = []
    names: dict[str, int] = {}
    index = np.empty((families, law.p), int)
    for i, p in enumerate(law.params):
        for k in range(families):
            name = p.name if p.name in shared else f"{p.name}_{k}"
            if name not in names:
                names[name] = len(params)
                anchor = p.anchor
                if anchor:
                    own = {e: e if e in shared or not e else f"{e}_{k}" for _, e in anchor.factors}
                    more = tuple((x, own[e]) for x, e in anchor.more)
                    anchor = replace(anchor, exponent=own[anchor.exponent], more=more)
                params.append(replace(p, name=name, anchor=anchor))
            index[k, i] = names[name]
    count, inputs = len(law.inputs), (*law.inputs, *(f"is_{k}" for k in range(families)))

    def formula(*given: Any) -> Any:
        x, masks, values = given[:count], given[count : count + families], given[count + families :]
        own = []
        for column in index.T:
            if column[0] == column[-1]:
                own.append(values[column[0]])
                continue
            total = masks[0] * values[column[0]]
            for mask, at in zip(masks[1:], column[1:], strict=True):
                total = total + mask * values[at]
            own.append(total)
        return law.formula(*x, *own)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = inspect.Signature([inspect.Parameter(name, kind) for name in (*inputs, *names)])
    formula.__signature__ = signature  # type: ignore[attr-defined]
    joint = Law(
        key=f"{law.key} by family",
        title=f"{law.title} by family",
        formula=formula,
        latex=law.latex,
        inputs=inputs,
        params=tuple(params),
        cite=law.cite,
        output=law.output,
        unscaled=law.unscaled,
    )
    return joint, index


@dataclass(frozen=True)
class JointCoordinates(Coordinates):
    """Coordinates of a joint law (P of them): each family's are those of the base law that `index` (families, p) picks."""

    own: tuple[Coordinates, ...]
    index: Array

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """Lowest and highest coordinates, each (P,): a shared one stays inside every family's own bounds."""
        low, high = np.full(self.law.p, -np.inf), np.full(self.law.p, np.inf)
        for where, at in zip(self.own, self.index, strict=True):
            low[at], high[at] = np.maximum(low[at], where.bounds[0]), np.minimum(high[at], where.bounds[1])
        return low, high

    def families(self, theta: Array) -> list[Array]:
        """The base law's own parameters of each family, (..., p) each, for joint coordinates (..., P)."""
        return [where.natural(theta[..., at]) for where, at in zip(self.own, self.index, strict=True)]


@dataclass(frozen=True, eq=False)
class JointFit(Alike):
    """A sharing fitted: its coordinates, the best ones (P,), the objective there, and whether that is a certified optimum."""

    share: str
    where: JointCoordinates
    problem: Problem
    theta: Array
    objective: float
    converged: bool
    fresh: Array  # other starts (k, P), for refits that do not settle

    @property
    def p(self) -> int:
        """The number of parameters of all families together."""
        return len(self.theta)


def joint_problem(law: Law, parts: tuple[Part, ...], share: str) -> Problem:
    """The problem of fitting all families together, rows in the order of `parts`."""
    joint, index = expanded(law, len(parts), shared_params(law, share))
    sizes = [part.problem.n for part in parts]
    loss = np.concatenate([part.problem.log_loss for part in parts])
    where = JointCoordinates(
        joint,
        dict.fromkeys(joint.inputs, 1.0),  # inputs come scaled by each family's own means
        float(np.exp(loss.mean())),
        float(np.exp(loss.min())),
        tuple(part.where for part in parts),
        index,
    )
    inputs = [np.concatenate(x) for x in zip(*(part.problem.inputs for part in parts), strict=True)]
    masks = [np.repeat(np.eye(len(parts))[k], sizes) for k in range(len(parts))]
    return Problem(where, (*inputs, *masks), loss, parts[0].problem.delta)


def apart(law: Law, parts: tuple[Part, ...]) -> JointFit:
    """Every family fitted by itself, as one fit that shares nothing."""
    found = [_settled(part.problem, starts(part.problem)) for part in parts]
    prob = joint_problem(law, parts, "nothing")
    return _joint_fit("nothing", prob, [theta for theta, _, _ in found], found)


def together(law: Law, parts: tuple[Part, ...], share: str, known: Iterable[JointFit]) -> JointFit:
    """All families fitted at once, sharing what `share` says, from where the fits already `known` ended."""
    prob = joint_problem(law, parts, share)
    where = prob.coordinates
    assert isinstance(where, JointCoordinates)
    begin = np.concatenate([_begin(where, fit) for fit in known])
    theta, value, converged = _settled(prob, begin)
    return JointFit(share, where, prob, theta, value, converged, begin)


def _begin(where: JointCoordinates, fit: JointFit) -> Array:
    """Starts (families + 1, P): what is shared set to each family's own value in `fit`, and to their mean."""
    own = np.array([fit.theta[at] for at in fit.where.index])
    out = np.empty((len(own) + 1, where.law.p))
    for row, agreed in zip(out, [own.mean(axis=0), *own], strict=True):
        for k, at in enumerate(where.index):
            held = (where.index == at[None, :]).all(axis=0) & (len(own) > 1)
            row[at] = np.where(held, agreed, own[k])
    return out


def _settled(prob: Problem, begin: Array) -> tuple[Array, float, bool]:
    """The best optimum (P,) from these starts and from rivals displaced around it, its objective, and whether it is certified."""
    first = minimise(prob, begin)
    centre = first.theta[first.best()]
    shift = DISPLACED * np.random.default_rng(0).standard_normal((RIVALS, len(centre)))
    tried = minimise(prob, np.vstack([first.theta, centre + shift]))
    best = tried.best()
    return tried.theta[best], float(tried.objective[best]), bool(tried.converged[best])


def _joint_fit(share: str, prob: Problem, thetas: list[Array], found: list[tuple[Array, float, bool]]) -> JointFit:
    where = prob.coordinates
    assert isinstance(where, JointCoordinates)
    theta = np.empty(where.law.p)
    for at, own in zip(where.index, thetas, strict=True):
        theta[at] = own
    value, settled = sum(v for _, v, _ in found), all(ok for _, _, ok in found)
    return JointFit(share, where, prob, theta, float(value), settled, theta[None, :])


def solution_of(parts: list[Solution], index: Array) -> Solution:
    """Refits of the families by themselves as refits of a joint law that shares nothing."""
    theta = np.empty((len(parts[0].theta), index.max() + 1))
    for at, own in zip(index, parts, strict=True):
        theta[:, at] = own.theta
    return Solution(
        theta,
        np.sum([s.objective for s in parts], axis=0),
        np.max([s.promise for s in parts], axis=0),
        np.all([s.converged for s in parts], axis=0),
        max(s.steps for s in parts),
    )
