"""What the budget chart is handed: columns, panels, regions, takes and options, each a declared type."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from data.plain import As, Before
from fitting.arguments import as_numbers
from fitting.digits import KINDS


def _any_number(x: Any) -> float:
    """A number of Python's or numpy's, not the text of one, nor a truth value."""
    found = None if x is None else as_numbers(x)
    if found is None or found.ndim:
        raise ValueError(f"is a number; {x!r:.40} came")
    return float(found)


def _number(x: Any) -> float:
    number = _any_number(x)
    if not math.isfinite(number):
        raise ValueError(f"is a finite number; {number} came")
    return number


def _that(expected: str, fits: Callable[[Any], bool]) -> Before:
    def check(x: Any) -> Any:
        try:
            right = fits(x)
        except (TypeError, ValueError):
            right = False
        if not right:
            raise ValueError(f"{expected}; {x!r:.40} came")
        return x

    return Before(check)


def _floats(values: Any) -> list[Any]:
    """A list of floats with None where a number is missing or not finite."""
    several = isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping)
    array = as_numbers([math.nan if v is None else v for v in values]) if several else None
    if array is None:
        raise ValueError(f"is a list of numbers; {type(values).__name__} came")
    if array.ndim != 1:
        raise ValueError(f"is a plain list of numbers; an array of shape {array.shape} came")
    out: list[Any] = array.tolist()
    return out if np.isfinite(array).all() else [v if math.isfinite(v) else None for v in out]


def _grid(values: Any) -> list[Any]:
    grid = _floats(() if values is None else values)
    if len(grid) < 2 or any(v is None for v in grid) or any(b <= a for a, b in pairwise(grid)):
        raise ValueError("is two or more increasing log10 FLOP, all finite")
    return grid


def _counts(counts: Any) -> list[tuple[float, float]]:
    pairs = [(_number(at), _number(n)) for at, n in counts]
    if not pairs or any(b[0] <= a[0] for a, b in pairwise(pairs)) or any(n <= 0 for _, n in pairs):
        raise ValueError(f"is pairs of increasing budgets and numbers above zero; {pairs} came")
    return pairs


def _flags(values: Any) -> list[bool]:
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and array.dtype.kind != "b"):
        raise ValueError(f"is a list of True and False; {values!r:.40} came")
    flags: list[bool] = array.astype(bool).tolist()
    return flags


def _finite_or_none(x: Any) -> float | None:
    return None if x is None or not math.isfinite(number := _any_number(x)) else number


def _listed(x: Any) -> Any:
    if not isinstance(x, list | tuple):
        raise ValueError(f"is a list; {type(x).__name__} came")
    return x


Finite = Annotated[float, Before(_number)]
Flags = Annotated[list[bool], Before(_flags)]
Above = Annotated[float, _that("is a number above zero", lambda x: x > 0), Before(_number)]
# A number for each row of the grid; None for a gap.
Column = Annotated[Any, As(Annotated[list[float | None], Before(_floats)], list)]
Format = Annotated[str, _that(f"is one of {', '.join(KINDS)}", KINDS.__contains__)]
Key = Annotated[
    str,
    _that(
        "is a lower-case word other than budget and beyond",
        lambda x: re.fullmatch(r"(?!(budget|beyond)$)[a-z][a-z0-9_]*", str(x)) is not None,
    ),
]


@dataclass(frozen=True)
class Series:
    """Numbers (K,) along the grid with their interval; None for what there is none of."""

    value: Column | None = None
    low: Column | None = None
    high: Column | None = None


@dataclass(frozen=True, kw_only=True)
class Labelled(Series):
    """A series beside a panel's own: its wide band, another line, or a smaller line under a read-out, in words alone if need be."""

    label: str
    format: Format = "ratio"


@dataclass(frozen=True)
class Floor:
    """A loss that no model goes under."""

    value: Finite
    label: str = "floor"


@dataclass(frozen=True)
class ShadeKey:
    """What the shades of points mean."""

    label: str
    low: Finite
    high: Finite
    format: Format


@dataclass(frozen=True)
class Points:
    """Runs as marks, with columns of one length."""

    x: Column
    y: Column
    shade: Column | None = None
    name: list[str] | None = None
    hollow: Flags | None = None
    held: Flags | None = None
    detail: list[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Panel(Series):
    """A quantity along the budget, with what is drawn around it."""

    key: Key
    format: Format
    label: str = ""
    unit: str = ""
    scale: Annotated[str, _that("is linear or log", ("linear", "log").__contains__)] = "linear"
    weight: Above = 1.0
    line_label: str | None = None
    extras: Sequence[Labelled] = ()
    wide: Labelled | None = None
    other: Labelled | None = None
    floor: Floor | None = None
    shade_key: ShadeKey | None = None
    points: Points | None = None


@dataclass(frozen=True, kw_only=True)
class Named(Series):
    """A series that has no panel and is named in sentences."""

    key: Key
    format: Format
    wide: None = None


@dataclass(frozen=True)
class Stretch:
    """A stretch of the axis; None for its end."""

    start: Annotated[Finite | None, Field(alias="from")] = None
    to: Finite | None = None


@dataclass(frozen=True)
class Region(Stretch):
    """A stretch that is hatched."""

    label: str = ""


@dataclass(frozen=True)
class Saying(Stretch):
    """A stretch with words of its own in place of the payload's; None for what is said as everywhere."""

    sentence: str | None = None
    subline: str | None = None
    takes: str | None = None
    handle: str | None = None


@dataclass(frozen=True)
class BudgetUnit:
    """A unit of the budget; `also` has the per_flop of device-hours ("hours"), "time" and "money", None for what is not known."""

    label: str = ""
    per_flop: Above = 1.0
    format: Format = "flop"
    also: dict[str, Above | None] | None = None


@dataclass(frozen=True, kw_only=True)
class Take:
    """A line of what a budget takes: `per_flop` times it.

    With `counts`, pairs of a budget and the devices up to it, it is that over the number if `divided`, "{n}" in its label is the
    number, and `waits` of it go with each second of the payload's `wait`.
    """

    per_flop: Above
    format: Format
    label: str = ""
    counts: Annotated[Any, As(Annotated[list[tuple[float, float]], Before(_counts)], list)] | None = None
    divided: bool = False
    waits: Finite = 0.0


@dataclass(frozen=True)
class Axis:
    """What the budget is counted in."""

    label: str = "training compute"
    unit: str = "FLOP"
    format: Annotated[str, _that("is flop or duration", ("flop", "duration").__contains__)] = "flop"


@dataclass(frozen=True)
class Option:
    """What can be chosen; `parts` are the entries of the payload that differ under it."""

    key: str
    label: str
    parts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Options:
    """A choice between options, standing at the key of one; `heard` is the stamp of the last word that came of it."""

    label: str
    at: str
    options: Sequence[Option]
    heard: int = 0


@dataclass(frozen=True, kw_only=True)
class Payload:
    """What the chart draws.

    `grid` (K,) is log10 FLOP (log10 seconds where the axis' format is "duration"), increasing, not necessarily even: a budget
    put into it is met exactly. A budget outside the grid is brought to its nearer end. `handle` names what is dragged. `numbers`
    are further series that a sentence may name. The first of `sayings` that holds the line counts.
    """

    grid: Annotated[Any, As(Annotated[list[float], Before(_grid)], list)]
    budget: Finite
    panels: Annotated[Sequence[Panel], Before(_listed)]
    axis: Axis = Axis()
    handle: str = "Budget"
    regions: Sequence[Region] = ()
    largest: Annotated[float | None, Before(_finite_or_none)] = None
    numbers: Sequence[Named] = ()
    wait: Column | None = None
    takes: Sequence[Take] = ()
    budget_unit: BudgetUnit = BudgetUnit("FLOP")
    level: Annotated[float, _that("lies between 0 and 1", lambda x: 0 < x < 1), Before(_number)] = 0.95
    heard: int = 0
    measure: bool = False
    sentence: str = ""
    subline: str = ""
    sayings: Sequence[Saying] = ()
    choice: Options | None = None

    # One that was made as this type is read like any other: its numbers are no plain values yet.
    __pydantic_config__: ClassVar = {"revalidate_instances": "always", "populate_by_name": True}


# What an option of a choice may change.
