"""What the budget chart is handed is checked here and turned into plain JSON values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dashboard.budget_chart.declared import Options, Payload
from data.plain import attempt, plain


class PayloadError(ValueError):
    """A payload the chart cannot draw: one sentence on what was expected and what came."""


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
    if not at:
        return "payload"
    if at[0] == "panels" and len(at) > 1:
        at[:2] = [f"panel {_get(_get(payload, 'panels')[place[1]], 'key')!s:.40}"]
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
        points |= {
            k: [each] * n
            for k, each in (("shade", 0.5), ("name", ""), ("hollow", False), ("held", False))
            if points[k] is None
        }
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
