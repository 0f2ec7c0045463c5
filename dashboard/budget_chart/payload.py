"""What the budget chart is handed, checked and turned into plain JSON values."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from dashboard.numbers import KINDS

SCALES = ("linear", "log")
AXES = ("flop", "duration")
PARTS = {"grid", "budget", "panels", "regions", "takes", "budget_unit", "numbers", "sayings", "wait"}
_KEY = re.compile(r"[a-z][a-z0-9_]*")
_NAME = re.compile(r"\{([^{}]*)\}")
_FLOP = {"label": "FLOP", "per_flop": 1.0, "format": "flop"}


class PayloadError(ValueError):
    """A payload the chart cannot draw: one sentence on what was expected and what came."""


def clean(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the payload in plain JSON values (NaN and infinities become null), or a PayloadError.

    `grid` (K,) is log10 FLOP (log10 seconds where the axis' format is "duration"), increasing, not necessarily even: a budget
    put into it is met exactly. Every array of a panel has K entries. A budget outside the grid is brought to its nearer end.
    `handle` names what is dragged, and `regions` are stretches of the axis ("from", "to", None for its end) with a label.
    `numbers` are further series that a sentence may name. `sayings` are stretches of the axis ("from", "to") with a `sentence`
    and a `subline` of their own, and in place of `takes` and of the handle's text what they say; the first that holds the line
    counts. A line of `takes` is `per_flop` times the budget; with `counts`, pairs of a budget and the devices up to it, it is
    that over the number if `divided`, "{n}" in its label is the number, and `waits` of it go with each second of `wait` (K,).
    `choice` offers options ("label", "at", and "options" with "key", "label" and "parts": the entries of the payload that
    differ under that option); what is handed on of each is only what differs. `heard`, here and of the choice, are the stamps
    of the last words that came from the chart: what it shows stays until Python has heard of it. `also` of `budget_unit` has the
    per_flop of device-hours ("hours"), "time" and "money", None for what is not known: a budget typed in one of them is read in it.
    """
    grid = _grid(payload.get("grid"))
    largest = payload.get("largest")
    panels = [_panel(panel, len(grid)) for panel in _sequence(payload.get("panels"), "panels")]
    keys = [panel["key"] for panel in panels]
    if not panels or len(set(keys)) < len(keys):
        raise PayloadError(f"The chart needs one or more panels with keys of their own; {keys} came.")
    axis = payload.get("axis") or {}
    if axis.get("format", "flop") not in AXES:
        raise PayloadError(f"The axis counts in flop or duration; {axis['format']!r} came.")
    level = float(payload.get("level", 0.95))
    if not 0 < level < 1:
        raise PayloadError(f"The intervals' level lies between 0 and 1; {level} came.")
    made: dict[str, Any] = {
        "axis": {
            "label": str(axis.get("label", "training compute")),
            "unit": str(axis.get("unit", "FLOP")),
            "format": axis.get("format", "flop"),
        },
        "handle": str(payload.get("handle", "Budget")),
        "regions": [_region(region) for region in payload.get("regions") or ()],
        "grid": grid,
        "budget": _within(payload.get("budget"), grid),
        "largest": None if largest is None or not math.isfinite(largest) else float(largest),
        "panels": panels,
        "numbers": _named(payload.get("numbers"), panels, len(grid)),
        "wait": None if payload.get("wait") is None else _column(payload["wait"], len(grid), "wait"),
        "takes": [_take(take) for take in payload.get("takes") or ()],
        "budget_unit": _unit(payload.get("budget_unit") or _FLOP),
        "level": level,
        "heard": int(payload.get("heard", 0)),
        "measure": bool(payload.get("measure", False)),
    }
    names = [*panels, *made["numbers"]]
    made |= {part: _template(payload.get(part), names) for part in ("sentence", "subline")}
    made["sayings"] = [_saying(saying, names) for saying in payload.get("sayings") or ()]
    made["choice"] = payload.get("choice") and _choice(payload["choice"], made)
    return made


def _grid(values: Any) -> list[Any]:
    grid = _numbers(values, "grid")
    if len(grid) < 2 or any(v is None for v in grid) or any(b <= a for a, b in pairwise(grid)):
        raise PayloadError("The chart's grid is two or more increasing log10 FLOP, all finite.")
    return grid


def _within(budget: Any, grid: list[Any]) -> float:
    return float(min(max(_finite(budget, "budget"), grid[0]), grid[-1]))


def _choice(choice: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
    options = []
    for option in _sequence(choice.get("options"), "choice's options"):
        parts = option.get("parts") or {}
        if not set(parts) <= PARTS:
            raise PayloadError(f"An option may change {', '.join(sorted(PARTS))}; {', '.join(parts)} came.")
        changed = _difference(_parts(parts, made), made) or {}
        options.append({"key": str(option["key"]), "label": str(option["label"]), "parts": changed})
    keys = [str(option["key"]) for option in options]
    if choice.get("at") not in keys or len(set(keys)) < len(keys):
        raise PayloadError(f"The choice stands at one of its options, {', '.join(keys)}; {choice.get('at')!r} came.")
    stamp = int(choice.get("heard", 0))
    return {"label": str(choice["label"]), "at": choice["at"], "heard": stamp, "options": options}


def _parts(parts: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of a payload that an option changes, checked as those of a payload are."""
    grid = _grid(parts.get("grid", made["grid"]))
    out: dict[str, Any] = {"grid": grid, "budget": _within(parts.get("budget", made["budget"]), grid)}
    if "panels" in parts or len(grid) != len(made["grid"]):
        out["panels"] = [_panel(panel, len(grid)) for panel in parts.get("panels", made["panels"])]
        if [p["key"] for p in out["panels"]] != [p["key"] for p in made["panels"]]:
            raise PayloadError("An option of the chart has the same panels as the chart itself.")
    if "numbers" in parts or len(grid) != len(made["grid"]):
        out["numbers"] = _named(parts.get("numbers", made["numbers"]), made["panels"], len(grid))
        if [n["key"] for n in out["numbers"]] != [n["key"] for n in made["numbers"]]:
            raise PayloadError("An option of the chart names the same numbers as the chart itself.")
    if "sayings" in parts:
        out["sayings"] = [_saying(saying, [*made["panels"], *made["numbers"]]) for saying in parts["sayings"]]
    if parts.get("wait") is not None:
        out["wait"] = _column(parts["wait"], len(grid), "wait")
    if "regions" in parts:
        out["regions"] = [_region(region) for region in parts["regions"]]
    if "takes" in parts:
        out["takes"] = [_take(take) for take in parts["takes"]]
    if "budget_unit" in parts:
        out["budget_unit"] = _unit(parts["budget_unit"])
    return out


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


def _panel(panel: Mapping[str, Any], rows: int) -> dict[str, Any]:
    key = str(panel.get("key"))
    if not _KEY.fullmatch(key) or key in ("budget", "beyond"):
        raise PayloadError(f"A panel's key is a lower-case word other than budget and beyond; {key!r} came.")
    where = f"panel {key}"
    scale = panel.get("scale", "linear")
    if scale not in SCALES:
        raise PayloadError(f"The scale of {where} is linear or log; {scale!r} came.")
    weight = _finite(panel.get("weight", 1.0), f"weight of {where}")
    if weight <= 0:
        raise PayloadError(f"The weight of {where} is a number above zero; {weight} came.")
    out: dict[str, Any] = {
        "key": key,
        "label": str(panel.get("label", key)),
        "unit": str(panel.get("unit") or ""),
        "scale": scale,
        "weight": weight,
        "format": _format(panel, where),
        "value": _column(panel.get("value"), rows, f"value of {where}", positive=scale == "log"),
        **_ends(panel, rows, where, positive=scale == "log"),
        "line_label": None if panel.get("line_label") is None else str(panel["line_label"]),
        "extras": [_extra(extra, rows, where) for extra in panel.get("extras") or ()],
    }
    wide, floor, key_ = panel.get("wide"), panel.get("floor"), panel.get("shade_key")
    out["wide"] = wide and {
        "label": str(wide["label"]),
        **_ends(wide, rows, f"the wide band of {where}", positive=scale == "log"),
    }
    out["floor"] = floor and {
        "value": _finite(floor["value"], f"floor of {where}"),
        "label": str(floor.get("label", "floor")),
    }
    out["shade_key"] = key_ and {
        "label": str(key_["label"]),
        "low": _finite(key_["low"], f"shade key of {where}"),
        "high": _finite(key_["high"], f"shade key of {where}"),
        "format": _format(key_, f"the shade key of {where}"),
    }
    out["points"] = _points(panel.get("points"), where)
    other = panel.get("other")
    out["other"] = other and {
        "label": str(other["label"]),
        "value": _column(other["value"], rows, f"the other line of {where}", positive=scale == "log"),
    }
    return out


def _named(numbers: Any, panels: Sequence[Mapping[str, Any]], rows: int) -> list[dict[str, Any]]:
    """Series that have no panel and are named in sentences."""
    out: list[dict[str, Any]] = []
    for one in numbers or ():
        key = str(one.get("key"))
        if not _KEY.fullmatch(key) or key in ("budget", "beyond", *(p["key"] for p in [*panels, *out])):
            raise PayloadError(f"A number's key is a lower-case word of its own; {key!r} came.")
        where = f"the number {key}"
        value = _column(one.get("value"), rows, f"value of {where}")
        out.append({"key": key, "format": _format(one, where), "value": value, **_ends(one, rows, where), "wide": None})
    return out


def _saying(saying: Mapping[str, Any], names: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A stretch of the axis, as a region has it, with what is said there; None for what is said as everywhere."""
    texts = {part: saying.get(part) for part in ("sentence", "subline", "takes", "handle")}
    said = {part: None if text is None else _template(text, names) for part, text in texts.items()}
    return {**{end: part for end, part in _region(saying).items() if end != "label"}, **said}


def _take(take: Mapping[str, Any]) -> dict[str, Any]:
    """A line of what a budget takes."""
    out = _rate(take, "a line of takes")
    if take.get("counts") is None:
        return out
    counts = [[_finite(at, "a budget of counts"), _finite(n, "a number of devices")] for at, n in take["counts"]]
    if not counts or any(b[0] <= a[0] for a, b in pairwise(counts)) or any(n <= 0 for _, n in counts):
        raise PayloadError(f"Counts are pairs of increasing budgets and numbers above zero; {counts} came.")
    waits = _finite(take.get("waits", 0.0), "waits of a line of takes")
    return {**out, "counts": counts, "divided": bool(take.get("divided")), "waits": waits}


def _region(region: Mapping[str, Any]) -> dict[str, Any]:
    ends = {end: None if region.get(end) is None else _finite(region[end], "a region's end") for end in ("from", "to")}
    return {**ends, "label": str(region.get("label", ""))}


def _extra(extra: Mapping[str, Any], rows: int, where: str) -> dict[str, Any]:
    """A smaller line under a read-out; one without values is a note in words."""
    label = str(extra["label"])
    if extra.get("value") is None:
        return {"label": label, "format": "ratio", "value": None, "low": None, "high": None}
    where = f"{label!r} in {where}"
    return {
        "label": label,
        "format": _format(extra, where),
        "value": _column(extra["value"], rows, f"value of {where}"),
        **_ends(extra, rows, where),
    }


def _points(points: Mapping[str, Any] | None, where: str) -> dict[str, Any] | None:
    if not points:
        return None
    xs, ys = _numbers(points.get("x"), f"x of points in {where}"), _numbers(points.get("y"), f"y of points in {where}")
    n = len(xs)
    shades = points.get("shade")
    columns: dict[str, list[Any]] = {
        "x": xs,
        "y": ys,
        "shade": [0.5] * n if shades is None else _numbers(shades, f"shade of points in {where}"),
        "name": [str(name) for name in points.get("name", [""] * n)],
        "hollow": [bool(flag) for flag in points.get("hollow", [False] * n)],
        "held": [bool(flag) for flag in points.get("held", [False] * n)],
    }
    if points.get("detail") is not None:
        columns["detail"] = [str(text) for text in points["detail"]]
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise PayloadError(f"The points of {where} need columns of one length; {lengths} came.")
    return columns


def _ends(band: Mapping[str, Any], rows: int, where: str, *, positive: bool = False) -> dict[str, list[float | None]]:
    low = _column(band.get("low"), rows, f"low of {where}", positive=positive)
    high = _column(band.get("high"), rows, f"high of {where}", positive=positive)
    for row, (a, b) in enumerate(zip(low, high, strict=True)):
        if a is not None and b is not None and a > b:
            raise PayloadError(f"In {where} low is above high in row {row}: {a:g} and {b:g}.")
    return {"low": low, "high": high}


def _column(values: Any, rows: int, where: str, *, positive: bool = False) -> list[float | None]:
    if values is None:
        return [None] * rows
    column = _numbers(values, where)
    if len(column) != rows:
        raise PayloadError(f"The {where} needs {rows} numbers, one for each row of the grid; {len(column)} came.")
    if positive and any(v is not None and v <= 0 for v in column):
        raise PayloadError(f"The {where} is drawn on a log scale and needs numbers above zero.")
    return column


def _numbers(values: Any, where: str) -> list[Any]:
    """A list of floats with None where a number is missing or not finite."""
    try:
        array = np.asarray([math.nan if v is None else v for v in values], dtype=float)
    except (TypeError, ValueError) as error:
        raise PayloadError(f"The {where} is a list of numbers; {type(values).__name__} came.") from error
    if array.ndim != 1:
        raise PayloadError(f"The {where} is a plain list of numbers; an array of shape {array.shape} came.")
    out: list[Any] = array.tolist()
    if not np.isfinite(array).all():
        out = [v if math.isfinite(v) else None for v in out]
    return out


def _finite(value: Any, where: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise PayloadError(f"The {where} is a number; {value!r} came.") from error
    if not math.isfinite(number):
        raise PayloadError(f"The {where} is a finite number; {number} came.")
    return number


def _format(part: Mapping[str, Any], where: str) -> str:
    kind = part.get("format")
    if kind not in KINDS:
        raise PayloadError(f"The format of {where} is one of {', '.join(KINDS)}; {kind!r} came.")
    return str(kind)


def _rate(part: Mapping[str, Any], where: str) -> dict[str, Any]:
    rate = _finite(part.get("per_flop"), f"per_flop of {where}")
    if rate <= 0:
        raise PayloadError(f"The per_flop of {where} is a number above zero; {rate} came.")
    return {"label": str(part.get("label", "")), "per_flop": rate, "format": _format(part, where)}


def _unit(part: Mapping[str, Any]) -> dict[str, Any]:
    """The unit of the budget; `also` is the per_flop of other kinds of unit that may be typed, None where one cannot be converted."""
    unit = _rate(part, "budget_unit")
    if part.get("also") is None:
        return unit
    rates = {str(kind): None if rate is None else _finite(rate, "a unit typed") for kind, rate in part["also"].items()}
    if any(rate is not None and rate <= 0 for rate in rates.values()):
        raise PayloadError(f"The per_flop of a unit typed is a number above zero; {rates} came.")
    return {**unit, "also": rates}


def _sequence(value: Any, where: str) -> Sequence[Any]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise PayloadError(f"The chart's {where} is a list; {type(value).__name__} came.")
    return value


def _template(text: Any, panels: Sequence[Mapping[str, Any]]) -> str:
    template = str(text or "")
    known = {"budget", "beyond"}
    for panel in panels:
        known |= {panel["key"], f"{panel['key']}.range"} | ({f"{panel['key']}.wide"} if panel["wide"] else set())
    unknown = [name for name in _NAME.findall(template) if name not in known]
    if unknown:
        raise PayloadError(f"A sentence may name {', '.join(sorted(known))}; {', '.join(unknown)} came.")
    return template
