"""What the budget chart is handed: declared here, checked, and turned into plain JSON values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from dashboard.numbers import KINDS
from data.plain import As, Before, attempt, plain


class PayloadError(ValueError):
    """A payload the chart cannot draw: one sentence on what was expected and what came."""


def _number(x: Any) -> float:
    try:
        number = float(x)
    except (TypeError, ValueError):
        raise ValueError(f"is a number; {x!r:.40} came") from None
    if not math.isfinite(number):
        raise ValueError(f"is a finite number; {number} came")
    return number


def _that(expected: str, fits: Callable[[Any], bool]) -> Before:
    def check(x: Any) -> Any:
        if not fits(x):
            raise ValueError(f"{expected}; {x!r:.40} came")
        return x

    return Before(check)


def _floats(values: Any) -> list[Any]:
    """A list of floats with None where a number is missing or not finite."""
    try:
        array = np.asarray([math.nan if v is None else v for v in values], dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"is a list of numbers; {type(values).__name__} came") from None
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


def _listed(x: Any) -> Any:
    if not isinstance(x, list | tuple):
        raise ValueError(f"is a list; {type(x).__name__} came")
    return x


Finite = Annotated[float, Before(_number)]
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
    hollow: Annotated[list[bool], Before(lambda xs: [bool(x) for x in xs])] | None = None
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
    largest: Annotated[float | None, Before(lambda x: x if x is not None and math.isfinite(x) else None)] = None
    numbers: Sequence[Named] = ()
    wait: Column | None = None
    takes: Sequence[Take] = ()
    budget_unit: BudgetUnit = BudgetUnit("FLOP")
    level: Annotated[float, _that("lies between 0 and 1", lambda x: 0 < float(x) < 1)] = 0.95
    heard: int = 0
    measure: bool = False
    sentence: str = ""
    subline: str = ""
    sayings: Sequence[Saying] = ()
    choice: Options | None = None

    # One that was made as this type is read like any other: its numbers are no plain values yet.
    __pydantic_config__: ClassVar = {"revalidate_instances": "always", "populate_by_name": True}


# What an option of a choice may change.
PARTS = {"grid", "budget", "panels", "regions", "takes", "budget_unit", "numbers", "sayings", "wait"}


def clean(payload: Payload | Mapping[str, Any], heard: int | None = None) -> dict[str, Any]:
    """A payload in plain JSON values, NaN and infinities as null and of each option only what differs; or a PayloadError.

    `heard` is the stamp of the last budget that came from the chart: what it shows stays until Python has heard of it.
    """
    found, faults = attempt(Payload, payload)
    for place, said in faults[:1]:
        raise PayloadError(f"The {_path(place, payload)} {said}.")
    made: dict[str, Any] = plain(replace(found, choice=None, heard=found.heard if heard is None else heard))
    made["budget"] = min(max(made["budget"], made["grid"][0]), made["grid"][-1])
    rows, panels, keys = len(made["grid"]), made["panels"], [one["key"] for one in (*made["panels"], *made["numbers"])]
    if not panels or len(set(keys)) < len(keys):
        raise PayloadError(f"The chart needs one or more panels with keys of their own; {keys} came.")
    for panel in panels:
        _panel(panel, rows)
    for one in made["numbers"]:
        _series(one, rows, f"the number {one['key']}")
    if made["wait"] is not None:
        _column(made, "wait", rows, "the chart")
    for said in (made, *made["sayings"]):
        _templates(said, [*panels, *made["numbers"]])
    if made["budget_unit"]["also"] is None:
        del made["budget_unit"]["also"]
    made["choice"] = None if found.choice is None else _choice(found.choice, made, keys)
    return made


def _path(place: Sequence[int | str], payload: Any) -> str:
    """Where a fault is, in words; a panel is called by its key."""
    ends = {"from": "region's end", "to": "region's end"}
    at = [ends.get(p, p) if isinstance(p, str) else f"number {p}" for p in place]
    if at[0] == "panels" and len(at) > 1:
        at[:2] = [f"panel {_get(_get(payload, 'panels')[place[1]], 'key')}"]
    return " of ".join(reversed(at))


def _get(x: Any, name: str) -> Any:
    return x.get(name) if isinstance(x, Mapping) else getattr(x, name, None)


def _choice(choice: Options, made: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    options = []
    # What sentences may name, for options under which the panels are drawn alike: these are not read again.
    bare = [{"key": p["key"], "format": p["format"], "wide": p["wide"] and {"label": ""}} for p in made["panels"]]
    for option in choice.options:
        if not set(option.parts) <= PARTS:
            raise PayloadError(f"An option may change {', '.join(sorted(PARTS))}; {', '.join(option.parts)} came.")
        given = {name: part for name, part in option.parts.items() if part is not None}
        drawn = {"panels"} if {"panels", "grid"} & set(given) else set()
        parts = clean({**made, **({} if drawn else {"panels": bare}), **given})
        if [one["key"] for one in (*parts["panels"], *parts["numbers"])] != names:
            raise PayloadError(
                "An option of the chart has the same panels as the chart itself, and names the same numbers."
            )
        changed = _difference({name: parts[name] for name in PARTS - {"panels"} | drawn}, made) or {}
        options.append({"key": option.key, "label": option.label, "parts": changed})
    keys = [option.key for option in choice.options]
    if choice.at not in keys or len(set(keys)) < len(keys):
        raise PayloadError(f"The choice stands at one of its options, {', '.join(keys)}; {choice.at!r} came.")
    return {"label": choice.label, "at": choice.at, "heard": choice.heard, "options": options}


def _difference(new: Any, old: Any) -> Any:
    """What of `new` differs from `old`: some entries of a mapping, a list of mappings place by place; None where nothing does."""
    if new == old:
        return None
    if isinstance(new, dict) and isinstance(old, dict):
        return {k: v if v is None else _difference(v, old.get(k)) for k, v in new.items() if v != old.get(k)}
    places = isinstance(new, list) and isinstance(old, list) and len(new) == len(old)
    if places and all(isinstance(v, dict) for v in (*new, *old)):
        return [_difference(a, b) for a, b in zip(new, old, strict=True)]
    return new


def _panel(panel: dict[str, Any], rows: int) -> None:
    where, positive = f"panel {panel['key']}", panel["scale"] == "log"
    panel["label"] = panel["label"] or panel["key"]
    _series(panel, rows, where, positive=positive)
    if panel["wide"]:
        _series(panel["wide"], rows, f"the wide band of {where}", positive=positive)
    if panel["other"]:
        _series(panel["other"], rows, f"the other line of {where}", positive=positive)
    for extra in panel["extras"]:
        if extra["value"] is not None:
            _series(extra, rows, f"{extra['label']!r} in {where}")
    if (points := panel["points"]) is not None:
        n = len(points["x"])
        points |= {k: [each] * n for k, each in (("shade", 0.5), ("name", ""), ("hollow", False)) if points[k] is None}
        lengths = {name: len(column) for name, column in points.items() if column is not None}
        if len(set(lengths.values())) > 1:
            raise PayloadError(f"The points of {where} need columns of one length; {lengths} came.")


def _series(series: dict[str, Any], rows: int, where: str, *, positive: bool = False) -> None:
    for end in ("value", "low", "high"):
        _column(series, end, rows, where, positive=positive)
    for row, (a, b) in enumerate(zip(series["low"], series["high"], strict=True)):
        if a is not None and b is not None and a > b:
            raise PayloadError(f"In {where} low is above high in row {row}: {a:g} and {b:g}.")


def _column(series: dict[str, Any], name: str, rows: int, where: str, *, positive: bool = False) -> None:
    column = series[name] = [None] * rows if series[name] is None else series[name]
    if len(column) != rows:
        raise PayloadError(
            f"The {name} of {where} needs {rows} numbers, one for each row of the grid; {len(column)} came."
        )
    if positive and any(v is not None and v <= 0 for v in column):
        raise PayloadError(f"The {name} of {where} is drawn on a log scale and needs numbers above zero.")


def _templates(said: Mapping[str, Any], panels: Sequence[Mapping[str, Any]]) -> None:
    known = {"budget", "beyond"}
    for panel in panels:
        known |= {panel["key"], f"{panel['key']}.range"} | ({f"{panel['key']}.wide"} if panel["wide"] else set())
    text = " ".join(
        said.get(part) or ""
        for part in ("sentence", "subline", "takes", "handle")
        if part != "takes" or "grid" not in said
    )
    if unknown := [name for name in re.findall(r"\{([^{}]*)\}", text) if name not in known]:
        raise PayloadError(f"A sentence may name {', '.join(sorted(known))}; {', '.join(unknown)} came.")
