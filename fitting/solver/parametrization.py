"""The coordinates a fit is solved in: the data's own middle as origin, contributions to the loss instead of raw weights.

Inputs are divided by their geometric means (inputs in one unit by one of them). A coefficient A then stands for
A * x0^-alpha, the loss its term contributes at the middle of the data, and the solver moves the logarithm of that.
Exponents move in logarithms, a floor as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, wraps
from typing import Any

import numpy as np

from fitting.autodiff import Dual, seed, value_of
from fitting.law import Anchor, Law

Array = np.ndarray

# Beyond these a term is 1e-9 of the loss or 1e6 times it at the middle of the data: gone, or run away.
LOWEST_SHARE, HIGHEST_SHARE = 1e-9, 1e6
# A place on an input's axis may lie this far outside the data: e^23 is ten decades.
LOCATION_REACH = 23.0


@dataclass(frozen=True)
class Coordinates:
    """A law's internal coordinates for one table: `origin` maps each input to its geometric mean.

    `loss` is the geometric mean and `lowest` the lowest of the losses; they set the bounds of contributions and floor.
    """

    law: Law
    origin: Mapping[str, float]
    loss: float
    lowest: float

    def scaled(self, inputs: Mapping[str, Array]) -> tuple[Array, ...]:
        """The inputs over their origins, in the law's order; tokens and unique tokens over the same one."""
        return tuple(np.asarray(inputs[k], float) / self.origin[r] for k, r in self.law.rulers.items())

    @property
    def usual_term(self) -> float:
        """How large a term may well be: as the loss, or within an output that ends at 0 and 1 as the log of a small one."""
        within = self.law.output.limits is not None and self.loss < 1.0
        return max(self.loss, -float(np.log(self.loss))) if within else self.loss

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """Lowest and highest internal coordinates, each (p,)."""
        low, high = np.empty(self.law.p), np.empty(self.law.p)
        for i, p in enumerate(self.law.params):
            if p.anchor is not None and p.anchor.kind == "location":
                low[i], high[i] = -LOCATION_REACH, LOCATION_REACH
            elif p.anchor is not None:
                low[i], high[i] = np.log(self.loss * LOWEST_SHARE), np.log(self.usual_term * HIGHEST_SHARE)
            elif p.is_floor:
                # Not the lowest loss: where noise is wider than what is left above the floor, half the runs lie below it.
                low[i], high[i] = 0.0, self.loss
            elif p.log:
                low[i], high[i] = np.log(p.range[0]), np.log(p.range[1])
            else:
                low[i], high[i] = p.range
        return low, high

    def scaled_params(self, theta: Array) -> list[Dual]:
        """Parameters as they are for scaled inputs, with derivatives in `theta` (R, p); each value is (R, 1)."""
        column = [theta[:, i, None] for i in range(self.law.p)]
        out: list[Any] = [None] * self.law.p
        for i, p in enumerate(self.law.params):
            moved = Dual(column[i], {i: 1.0})
            is_linear = not p.log and p.anchor is None
            out[i] = moved if is_linear else np.exp(moved)
        for i, p in enumerate(self.law.params):
            if p.anchor is not None and p.anchor.kind == "scale":
                # (x_c / x0)^exponent is the contribution, so x_c / x0 is the contribution to the power 1 / exponent.
                exponent = out[self.law.names.index(p.anchor.exponent)]
                out[i] = np.exp(Dual(column[i], {i: 1.0}) / exponent)
        return out

    def natural(self, theta: Array) -> Array:
        """The law's own parameters (..., p) for internal coordinates (..., p)."""
        theta = np.asarray(theta, float)
        out = np.empty_like(theta)
        for i, p in enumerate(self.law.params):
            out[..., i] = theta[..., i] if (not p.log and p.anchor is None) else np.exp(theta[..., i])
        for i, p in enumerate(self.law.params):
            a = p.anchor
            if a is None:
                continue
            if a.kind == "location":
                out[..., i] *= self.origin[self.law.rulers[a.input]]
                continue
            with np.errstate(over="ignore", under="ignore"):  # a draw with an exponent near zero may leave the floats
                if a.kind == "coefficient":
                    out[..., i] = np.exp(theta[..., i] + self._log_origins(a, out))
                else:
                    exponent = out[..., self.law.names.index(a.exponent)]
                    out[..., i] = np.exp(theta[..., i] / exponent + np.log(self.origin[self.law.rulers[a.input]]))
        return out

    def internal(self, params: Array) -> Array:
        """Internal coordinates (..., p) of the law's own parameters (..., p): the inverse of `natural`."""
        params = np.asarray(params, float)
        out = np.empty_like(params)
        for i, p in enumerate(self.law.params):
            a = p.anchor
            if a is None:
                out[..., i] = np.log(params[..., i]) if p.log else params[..., i]
                continue
            log_origin = np.log(self.origin[self.law.rulers[a.input]])
            if a.kind == "location":
                out[..., i] = np.log(params[..., i]) - log_origin
                continue
            if a.kind == "coefficient":
                out[..., i] = np.log(params[..., i]) - self._log_origins(a, params)
            else:
                exponent = params[..., self.law.names.index(a.exponent)]
                out[..., i] = (np.log(params[..., i]) - log_origin) * exponent
        return out

    def _log_origins(self, a: Anchor, params: Array) -> Array:
        """The log of the product of origins to their exponents (...), for parameters (..., p), that a coefficient stands before."""
        at = (
            params[..., self.law.names.index(exponent)] * np.log(self.origin[self.law.rulers[x]])
            for x, exponent in a.factors
        )
        return np.asarray(sum(at, start=next(at)))


UNSCALED = (
    "An input is taken as it is where unscaled=(...) names it: a plain count, such as the k of 1 - (1 - p)^k, or one that the "
    "formula divides by a number of its own, as in log(params / 1e9)."
)


def check_units(law: Law) -> None:
    """Try a declaration: with inputs in another unit, and parameters as their anchors say, the output must be the same.

    Raises TypeError when it is not: such a law would be fitted as well as any, and its parameters would be wrong. So it does
    for a formula that takes no arrays, or uses a function of no known derivative.
    """
    _tried(law)
    moving = tuple(k for k in law.inputs if k not in law.unscaled)
    if _holds(law, moving):
        return
    at_fault = [
        k for k in moving if not _holds(law, tuple(j for j in moving if law.rulers[j] == law.rulers[k]))
    ] or moving
    said = f"law {law.key!r} changes when the unit of {' or '.join(at_fault)} does."
    unanchored = [p.name for p in law.params if p.anchor is None and p.unit and not p.is_floor]
    if unanchored:
        raise TypeError(
            f"{said} {UNSCALED} A parameter measured in an input's unit needs an anchor (coefficient, scale or location; "
            'coefficient("params", "a", shots="b") for A params^-a shots^-b); '
            f"without one are {', '.join(unanchored)}"
        )
    if turned := _turned(law, moving):
        raise TypeError(
            f"{said} Its exponent {turned} has the other sign in the formula than in the anchors: A x^-{turned} is what a coefficient "
            f"stands for, and (x_c / x)^{turned} a scale. Write it so; where the output rises with x give {turned} a range below 0, "
            "such as (-4, -0.05), with log=False."
        )
    raise TypeError(
        f"{said} Every parameter with a unit has an anchor. So either an anchor is of the wrong kind or lacks an input, or "
        f"{' or '.join(at_fault)} stands where no parameter takes up its unit, as an exponent does. {UNSCALED}"
    )


def _turned(law: Law, moving: tuple[str, ...]) -> str:
    """The exponent of an anchor with whose sign turned the law would keep its output in any unit; '' where there is none."""
    for name in dict.fromkeys(e for p in law.params if p.anchor is not None for e in p.anchor.exponents):
        at = len(law.inputs) + law.names.index(name)

        @wraps(law.formula)
        def formula(*given: Any, at: int = at) -> Any:
            return law.formula(*given[:at], -given[at], *given[at + 1 :])

        if _holds(replace(law, formula=formula), moving):
            return name
    return ""


def _tried(law: Law) -> None:
    """Call the formula as fits do, on arrays and with derivatives; TypeError, in a sentence, for what it cannot take."""
    x = [np.array([0.7, 1.3, 2.9])] * len(law.inputs)
    values = [float(np.sqrt(max(p.range[0], 1e-2) * max(min(p.range[1], 10.0), 1e-2))) for p in law.params]
    for given in (values, seed(values)):
        try:
            with np.errstate(all="ignore"):
                law.formula(*x, *given)
        except Exception as e:
            raise TypeError(
                f"law {law.key!r}: its formula takes no arrays of inputs, or no parameters with derivatives "
                f"({' '.join(str(e).split())[:120]}). Write it with NumPy's functions of whole arrays: np.exp for math.exp, np.where "
                "or np.minimum for an if."
            ) from None


def _holds(law: Law, moving: tuple[str, ...]) -> bool:
    """Whether the output stays as it is when the `moving` inputs are measured in units a million times as small."""
    # Inputs in one unit are measured against each other; off their middles, so that no term is a constant there.
    x = {k: np.array([0.7, 1.3, 2.9]) for k in law.inputs}
    unit = {k: 1e6 if k in moving else 1.0 for k in law.inputs}
    there = Coordinates(law, unit, 3.0, 2.0)
    low, high = there.bounds
    theta = np.empty(law.p)
    for share in (0.4, 0.04):  # a rate of successes is none where a term is above 1
        for i, p in enumerate(law.params):
            if p.anchor is not None and p.anchor.kind == "location":
                theta[i] = 0.4
            elif p.anchor is not None:
                theta[i] = np.log(share * there.loss)
            else:
                middle = 0.5 * there.loss if p.is_floor else np.log(0.3) if p.log else 0.3
                theta[i] = np.clip(middle, low[i] + 0.05 * (high[i] - low[i]), high[i] - 0.05 * (high[i] - low[i]))
        natural = dict(zip(law.names, there.natural(theta), strict=True))
        ours = np.asarray(law({k: unit[k] * v for k, v in x.items()}, natural))
        with np.errstate(all="ignore"):
            scaled = law.formula(*x.values(), *(value_of(p) for p in there.scaled_params(theta[None, :])))
        if np.isfinite(ours).any() or np.isfinite(scaled).any():
            break
    return bool(np.allclose(ours, np.ravel(scaled), rtol=1e-9, atol=0, equal_nan=True))


def coordinates(law: Law, inputs: Mapping[str, Array], loss: Array) -> Coordinates:
    """The coordinates that suit a table: centred on the geometric means of its inputs (each (n,)) and losses (n,)."""
    origin = {k: 1.0 if k in law.unscaled else float(np.exp(np.mean(np.log(inputs[k])))) for k in law.inputs}
    return Coordinates(law, origin, float(np.exp(np.mean(np.log(loss)))), float(np.min(loss)))
