"""One JSON object taken apart: its plain values, its arrays and its lists of objects, under names that keep every part."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass, field
from typing import Any

from data.headers.names import loss_name
from data.plural import plural
from data.readers._limits import MAX_COLUMNS, MAX_TEXT

_DEPTH = 12  # objects within objects that are spelled out
_SHOWN = 20  # elements of an array that are kept as text


@dataclass
class Parts:
    """An object with nested names spelled out: {"config": {"lr": 1}} gives `plain` {"config/lr": 1}.

    `arrays` are lists of plain values, `records` lists of objects and curves in pairs, both without the empty ones; `other` says for each
    list of anything else, and for each object nested too deeply, what it holds. No name of one is a name of another.
    """

    plain: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, list[Any]] = field(default_factory=dict)
    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    other: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.plain) + len(self.arrays) + len(self.records) + len(self.other)


def take_apart(row: dict[str, Any]) -> Parts:
    """The object's parts. Two values that come to the same name both stay, the second as `name (2)`."""
    parts = Parts()
    todo: list[tuple[str, Any, int]] = [("", row, 0)]
    taken: set[str] = set()
    while todo:
        prefix, value, depth = todo.pop()
        if isinstance(value, dict) and depth < _DEPTH:
            # W&B wraps each setting: {"lr": {"value": 1e-3, "desc": null}}
            if prefix and len(value) <= 2 and set(value) <= {"value", "desc"} and "value" in value:
                todo.append((prefix, value["value"], depth + 1))
            else:
                inner = list(value.items())[::-1]
                todo += [(f"{prefix}/{k}" if prefix else str(k), v, depth + 1) for k, v in inner]
            continue
        if len(taken) > MAX_COLUMNS:
            break  # the table is refused for its width
        key = " ".join(prefix.split()) or "value"
        if key in taken:
            key = _free(key, taken)
        taken.add(key)
        if isinstance(value, dict):
            parts.other[key] = f"{plural(len(value), 'value')} nested more than {_DEPTH} deep" if value else ""
        elif not isinstance(value, list):
            parts.plain[key] = value if not isinstance(value, str) or len(value) <= MAX_TEXT else value[:MAX_TEXT]
        elif not value:
            parts.plain[key] = None
        elif all(isinstance(v, dict) for v in value):
            parts.records[key] = value
        elif (curve := _pairs_of(key, value)) is not None:
            parts.records[key] = curve
        elif any(isinstance(v, (dict, list)) for v in value):
            parts.other[key] = f"{len(value):,} lists" if all(isinstance(v, list) for v in value) else "a mixed list"
        else:
            parts.arrays[key] = [v[:MAX_TEXT] if isinstance(v, str) else v for v in value]
    _by_seed(parts)
    return parts


_MOST_REPEATS = 100
_REPEAT = r"(?:seed|replicate|replica|trial|repeat|repetition|fold|restart)"
_OF_REPEATS = re.compile(
    rf"[ _./-]*(?:by|per|over|across|for|of|each|all)[ _./-]*(?:{_REPEAT}|run)s?(?![A-Za-z])"
    rf"|[ _./-]+(?:{_REPEAT}s?|runs)(?![A-Za-z])|(?<![A-Za-z])(?:{_REPEAT}|runs)s?[ _./-]+(?=[A-Za-z])",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"(?:random[ _-]?)?(?:seed|replicate|replica|trial|run|repeat|fold)s?(?:[ _-]?ids?)?", re.IGNORECASE
)


def _by_seed(parts: Parts) -> None:
    """Make arrays of losses by seed (val_losses_by_seed) lists of objects, each with its seed: they are no curve.

    The seeds are those of an array beside it, else counted. An array beside it that is as long may be of runs, too: then the
    object is a table, and its arrays stay.
    """
    for key in [k for k in parts.arrays if loss_name(k) is not None and _OF_REPEATS.search(tail(k))]:
        base = _OF_REPEATS.sub("", tail(key), count=1).strip(" _./-")
        values = parts.arrays[key]
        beside = [k for k, v in parts.arrays.items() if k != key and len(v) == len(values)]
        numbered = [k for k in beside if _COUNTED.fullmatch(tail(k))]
        if (
            loss_name(base) is None
            or not 2 <= len(values) <= _MOST_REPEATS
            or not all(v is None or _plain(v) for v in values)
        ):
            continue
        if any(k not in numbered and not _OF_REPEATS.search(tail(k)) for k in beside) or len(numbered) > 1:
            continue
        if any(loss_name(k) is not None and _OF_REPEATS.search(tail(k)) for k in beside):
            continue
        seeds = parts.arrays.pop(numbered[0]) if numbered else range(1, len(values) + 1)
        del parts.arrays[key]
        parts.records[key] = [{"seed": s, base: v} for s, v in zip(seeds, values, strict=True)]


def tail(key: str) -> str:
    """The last part of a nested name."""
    return key.rsplit("/", 1)[-1]


def _pairs_of(key: str, value: list[Any]) -> list[dict[str, Any]] | None:
    """A curve of losses written as pairs, [[100, 7.88], [200, 7.40]], or as TensorBoard's times, steps and values; else None."""
    if len(value) < 2 or not isinstance(value[0], list) or loss_name(key) is None:
        return None
    width = len(value[0])
    if width not in (2, 3) or not all(isinstance(v, list) and len(v) == width and all(map(_plain, v)) for v in value):
        return None
    places = [v[-2] for v in value]
    if not all(a < b for a, b in itertools.pairwise(places)) or any(p != round(p) or p < 0 for p in places):
        return None
    if width == 3 and min(v[0] for v in value) < _SINCE_1970:
        return None
    along = "tokens" if "token" in key.lower() else "step"
    return [{along: place, key: v[-1]} for place, v in zip(places, value, strict=True)]


_SINCE_1970 = 1e9  # seconds, of a time of day in this century


def _plain(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def as_text(values: list[Any]) -> str:
    """A list in one cell: its elements, or how many there are."""
    if len(values) > _SHOWN or any(isinstance(v, (dict, list)) for v in values):
        return plural(len(values), "value")
    return "[" + ", ".join("null" if v is None else str(v)[:40] for v in values) + "]"


def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object in which a name that stands twice with different values keeps both, the second as `name (2)`."""
    out = dict(items)
    if len(out) == len(items):
        return out
    out = {}
    taken: set[str] = set()
    for key, value in items:
        if key in out and out[key] == value:
            continue
        out[_free(key, taken)] = value
    return out


def _free(key: str, taken: set[str]) -> str:
    name, k = key, 2
    while name in taken and k < 1000:
        name, k = f"{key} ({k})", k + 1
    taken.add(name)
    return name
