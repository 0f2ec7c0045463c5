"""What a law is: a formula, its parameters with their meaning, and where it was published.

A law is declared in one small file of `fitting/laws/`. Everything else (fit, intervals, bands, menus, planner, export,
golden tests) follows from the declaration, so that adding a law touches one file and no `if`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from data.schema import COLUMNS
from fitting.autodiff import partials_of, seed, value_of
from fitting.shown import shown


@dataclass(frozen=True)
class Anchor:
    """How a parameter moves when the unit of an input changes, and with it what is worth fitting instead.

    `coefficient`: A in A * x^-exponent.  `scale`: x_c in (x_c / x)^exponent.  Both stand for one number that can be
    read off the data, the loss that this input alone contributes at the middle of the data, and that number is what
    the solver moves: in (A, alpha) themselves the problem's condition number is 1e13, in these terms about 1e3.
    `location`: a place on the input's own axis, such as the break of a broken power law.
    """

    kind: str  # "coefficient" | "scale" | "location"
    input: str
    exponent: str = ""
    more: tuple[tuple[str, str], ...] = ()  # of a coefficient of several inputs: each further one with its exponent

    @property
    def factors(self) -> tuple[tuple[str, str], ...]:
        """Its inputs, each with its exponent ('' where it has none)."""
        return ((self.input, self.exponent), *self.more)

    @property
    def exponents(self) -> tuple[str, ...]:
        """The parameters that are its exponents."""
        return tuple(exponent for _, exponent in self.factors if exponent)


def coefficient(input: str, exponent: str, **more: str) -> Anchor:
    """The anchor of A in A * input^-exponent; of `coefficient("params", "a", shots="b")` in A * params^-a * shots^-b."""
    return Anchor("coefficient", input, exponent, tuple(more.items()))


def scale(input: str, exponent: str) -> Anchor:
    """The anchor of x_c in (x_c / input)^exponent."""
    return Anchor("scale", input, exponent)


def location(input: str) -> Anchor:
    """The anchor of a place on the axis of an input."""
    return Anchor("location", input)


@dataclass(frozen=True)
class Prior:
    """What published sweeps say of a parameter before any run is seen: `centre`, times or over `factor` (one deviation).

    A floor's centre is its share of the lowest loss in the table.
    """

    centre: float
    factor: float


@dataclass(frozen=True)
class Param:
    """One parameter of a law: name, LaTeX symbol, unit, meaning, and the range outside which nobody would believe it.

    `log` says that the solver moves its logarithm, as for everything that must stay positive. A parameter without an
    anchor and with `log=False` and a lower end of zero is a floor, if the output is it and what lies above: zero is allowed, and
    reported as a bound when met. `inside` is found by the law: whether the output is another function of it, or lies below.
    """

    name: str
    latex: str
    unit: str
    meaning: str
    range: tuple[float, float]
    log: bool = True
    anchor: Anchor | None = None
    prior: Prior | None = None
    inside: bool = False

    @property
    def is_floor(self) -> bool:
        """Whether this is a floor, such as an irreducible loss: added, unanchored and bounded below by zero."""
        return not self.log and self.anchor is None and self.range[0] == 0.0 and not self.inside

    @property
    def least(self) -> float:
        """What it can be no lower than: zero, or minus infinity for one that is moved as it is and may be negative."""
        return 0.0 if self.log or self.anchor is not None or self.range[0] == 0.0 else float("-inf")


UNSAID = (1e-9, 1e9)  # what an output may be where its declaration says no bounds


@dataclass(frozen=True)
class Output:
    """What a law gives: the column of the runs table that holds it, its title and its unit.

    `rises` names the inputs with which it rises; it falls with every other. `bounds` are the lowest and highest value that
    any run may have; predictions keep to those that are declared.
    """

    column: str
    title: str
    unit: str
    rises: tuple[str, ...] = ()
    bounds: tuple[float, float] = UNSAID

    @property
    def limits(self) -> tuple[float, float] | None:
        """The bounds that a prediction keeps to: those declared, or None."""
        return None if self.bounds == UNSAID else self.bounds

    @property
    def bounded(self) -> bool:
        """Whether it has a lowest and a highest value, as a share has."""
        return self.limits is not None and bool(np.isfinite(self.limits).all())

    @property
    def axis(self) -> str:
        """Its title with its unit, as an axis says it."""
        return f"{self.title}, {self.unit}" if self.unit else self.title


# What no input or output is called: what `predict` takes beside inputs, and columns that stand beside them in tables of runs.
TAKEN = frozenset(
    [
        "self", "at", "level", "of", "run", "role", "reason", "used", "observed", "fitted", "predicted", "residual", "beyond",
        "forecast", "low", "high", "off", "inside",
    ]
)  # fmt: skip

LOSS = Output("loss", "Loss", "nats per token")


@dataclass(frozen=True)
class Published:
    """Constants of a law as one paper gives them, with the standard errors it states, if any."""

    paper: str
    values: Mapping[str, float]
    source: str
    note: str = ""
    errors: Mapping[str, float] = field(default_factory=dict)


@shown(
    lambda law: [
        f"Law {law.key}: {law.title}, {law.output.column} of {', '.join(law.inputs)}; parameters {', '.join(law.names)}. {law.cite}"
    ]
)
@dataclass(frozen=True)
class Law:
    """A declared law. `formula(*inputs, *parameters)` takes broadcasting arrays and returns the output.

    Raises `TypeError` when the formula's arguments are not the declared inputs followed by the declared parameters, and for names
    that are `TAKEN`. `latex` may leave out the left side, which is then the output's title.
    """

    key: str
    title: str
    formula: Callable[..., Any]
    latex: str
    inputs: tuple[str, ...]
    params: tuple[Param, ...]
    cite: str
    output: Output = LOSS
    unscaled: tuple[str, ...] = ()  # inputs taken as they are: plain counts, and those that the formula measures itself
    frontier: bool = False  # fitted only to runs that no cheaper run beats
    exponents: tuple[str, str] | None = None  # of size and of data, for a law of both
    published: tuple[Published, ...] = ()

    def __post_init__(self) -> None:
        expected = [*self.inputs, *self.names]
        found = list(inspect.signature(self.formula).parameters)
        if found != expected:
            raise TypeError(f"law {self.key!r}: the formula takes {found}, the declaration says {expected}")
        if wrong := self._impossible():
            raise TypeError(f"law {self.key!r}: {wrong}")
        for p in self.params:
            for x, exponent in p.anchor.factors if p.anchor else ():
                if x not in self.inputs or (exponent and exponent not in self.names):
                    raise TypeError(
                        f"law {self.key!r}: {p.name} is anchored to {p.anchor}, which the law does not have"
                    )
                if x in self.unscaled:
                    raise TypeError(
                        f"law {self.key!r}: {p.name} is anchored to {x}, which is unscaled, so that no unit of it can change. "
                        "Leave out that part of the anchor, or scale the input."
                    )
        if strange := set(self.unscaled) - set(self.inputs):
            raise TypeError(f"law {self.key!r}: unscaled are {sorted(strange)}, which it does not have as inputs")
        if self.exponents and not ({"params", "tokens"} <= set(self.inputs) and set(self.exponents) <= set(self.names)):
            raise TypeError(f"law {self.key!r}: it has no exponents {self.exponents} of params and tokens")
        if strange := set(self.output.rises) - set(self.inputs):
            raise TypeError(f"law {self.key!r}: its output rises with {sorted(strange)}, which it does not have")
        for pub in self.published:
            if set(pub.values) != set(self.names):
                raise TypeError(f"law {self.key!r}: constants of {pub.paper} name {sorted(pub.values)}")
        new = (replace(p, inside=False) for p in self.params)  # another law's parameters may be given, told of that one
        told = tuple(replace(p, inside=p.is_floor and not self._adds(i)) for i, p in enumerate(new))
        object.__setattr__(self, "params", told)

    @property
    def _middle(self) -> list[float]:
        """Parameters that any formula takes."""
        ends = ((max(p.range[0], 0.0 if p.range[1] > 0 else -1.0), min(p.range[1], 1.0)) for p in self.params)
        return [0.3 if p.log or p.anchor else 0.5 * sum(end) for p, end in zip(self.params, ends, strict=True)]

    def _adds(self, which: int) -> bool:
        """Whether the output is a parameter plus what does not hang on it and is not below 0, found by trying: its slope is 1."""
        x = [np.exp(np.random.default_rng(i).normal(size=5)) for i in range(len(self.inputs))]
        with np.errstate(all="ignore"):
            for value in (0.2, 0.7):
                at = [value if i == which else v for i, v in enumerate(self._middle)]
                try:
                    out = self.formula(*x, *seed(at))
                    slope = partials_of(out).get(which, 0.0)
                except Exception:  # the formula takes no derivatives, which a fit says
                    return True
                # An output below it rises towards it: C - a x^-b, whose C is no floor but a ceiling.
                if not np.allclose(slope, 1.0, rtol=1e-9, atol=0) or np.any(value_of(out) < value - 1e-9):
                    return False
        return True

    def _impossible(self) -> str:
        """What no declaration may say, in a sentence; '' for nothing."""
        if not self.params or not self.inputs:
            return "it has no parameters or no inputs, and a fit needs one of each"
        if self.output.column in self.inputs:
            return f"its output {self.output.column} is one of its inputs"
        if taken := [c for c in (*self.inputs, self.output.column) if c in TAKEN]:
            return (
                f"{taken[0]} is an argument of predict, or a column that tables of results have beside inputs and output. Call it "
                "otherwise, and say columns={...} where a file has it under this name"
            )
        ends = {f"the range of {p.name}": p.range for p in self.params} | {
            "the bounds of its output": self.output.bounds
        }
        for what, (low, high) in ends.items():
            if not low < high:
                return f"{what}: the lower end comes first; it was ({low:g}, {high:g})"
        for p in self.params:
            if p.log and not p.range[0] > 0:
                return (
                    f"the range of {p.name} begins above 0, since its logarithm is fitted; it began at {p.range[0]:g}. "
                    "Give another, or log=False"
                )
        return ""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The parameters' names in order."""
        return tuple(p.name for p in self.params)

    @property
    def p(self) -> int:
        """The number of parameters."""
        return len(self.params)

    @cached_property
    def has_prior(self) -> bool:
        """Whether published sweeps say something of its parameters beforehand, so that it may be fitted with a prior."""
        return any(p.prior for p in self.params)

    @property
    def min_runs(self) -> int:
        """Runs below which no fit is attempted: two more than there are parameters."""
        return self.p + 2

    def param(self, name: str) -> Param:
        """The parameter called `name`; KeyError if the law has none."""
        for p in self.params:
            if p.name == name:
                return p
        raise KeyError(name)

    def __call__(self, inputs: Mapping[str, Any], params: Mapping[str, Any]) -> Any:
        """The law's output for inputs and parameters by name, broadcast together."""
        with np.errstate(all="ignore"):  # a draw at the edge may overflow; it comes out as infinite or missing
            return self.formula(*(inputs[k] for k in self.inputs), *(params[k] for k in self.names))

    @cached_property
    def shapes(self) -> tuple[int, ...]:
        """Indices of the parameters that bend the law (exponents): those with neither an anchor nor a floor."""
        return tuple(i for i, p in enumerate(self.params) if p.anchor is None and not p.is_floor)

    @cached_property
    def places(self) -> tuple[int, ...]:
        """Indices of the parameters that are a place on an input's own axis, such as a break."""
        return tuple(i for i, p in enumerate(self.params) if p.anchor is not None and p.anchor.kind == "location")

    @cached_property
    def rulers(self) -> dict[str, str]:
        """For every input the first one in the same unit: they are measured against one another, so on one scale."""
        units = {k: COLUMNS[k].unit if k in COLUMNS else k for k in self.inputs}
        alike = {k: [j for j in self.inputs if units[j] == units[k] and j not in self.unscaled] for k in self.inputs}
        return {k: k if k in self.unscaled else alike[k][0] for k in self.inputs}

    @cached_property
    def amounts(self) -> tuple[int, ...]:
        """Indices of the parameters that weigh the law's terms: floors, coefficients and scales."""
        return tuple(
            i
            for i, p in enumerate(self.params)
            if p.is_floor or (p.anchor and p.anchor.kind in ("coefficient", "scale"))
        )

    @cached_property
    def is_linear(self) -> bool:
        """Whether the output is a sum of its amounts with factors that depend on shapes and places alone.

        Found by trying: the slopes in the amounts may not move when the amounts do, and must add up to the output.
        """
        anchors = [self.params[i].anchor for i in self.amounts]
        if any(a is not None and a.kind != "coefficient" for a in anchors):
            return False
        rng = np.random.default_rng(0)
        x = [np.exp(rng.normal(size=5)) for _ in self.inputs]
        slopes = []
        for factor in (1.0, 1.7):
            at = [v * factor**k if k in self.amounts else v for k, v in enumerate(self._middle)]
            with np.errstate(all="ignore"):
                out = self.formula(*x, *seed(at))
            d = partials_of(out)
            if any(k not in d for k in self.amounts):
                return False
            total = sum(at[k] * d[k] for k in self.amounts)
            if not np.allclose(total, value_of(out), rtol=1e-10, atol=0):
                return False
            slopes.append([np.broadcast_to(d[k], x[0].shape) for k in self.amounts])
        return bool(np.allclose(slopes[0], slopes[1], rtol=1e-10, atol=0))

    @cached_property
    def own_columns(self) -> tuple[str, ...]:
        """Its inputs and output that the runs table has no column for: a table is read for it by their names."""
        return tuple(c for c in (*self.inputs, self.output.column) if c not in COLUMNS)

    @cached_property
    def is_power(self) -> bool:
        """Whether it is a power of its inputs and nothing else, which is straight on logarithmic axes; found by trying."""
        one, other = np.random.default_rng(0).normal(size=(2, len(self.inputs), 5))
        at = dict(zip(self.names, self._middle, strict=True))
        with np.errstate(all="ignore"):
            low, high, between = (
                np.log(self(dict(zip(self.inputs, np.exp(x), strict=True)), at))
                for x in (one, other, (one + other) / 2)
            )
        return bool(np.allclose(low + high, 2 * between, rtol=1e-9, atol=1e-9))

    def missing(self, columns: Collection[str]) -> tuple[str, ...]:
        """The columns this law needs and `columns` lacks."""
        return tuple(c for c in (*self.inputs, self.output.column) if c not in columns)
