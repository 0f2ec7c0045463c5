"""JSON objects of losses by two keys: {"50M": {"1B": 3.9, "2B": 3.7}, "100M": {...}}, sizes and tokens, or runs and the steps of each."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from data.cells.values import number
from data.filenames.sizes import facts
from data.headers.names import loss_name, recognised
from data.readers._curves import OPTIMIZER
from data.readers._matrix import SAID, axis_called
from data.readers._wide import NO_RUN
from data.table import Open

Row = dict[str, Any]
_KEY = re.compile(
    r"(?:(?P<name>[A-Za-z][A-Za-z_ ]{0,11}?)\s*[=:_ -]\s*)?(?P<value>[0-9][0-9.,]*(?:e[+-]?[0-9]+)?\s*[kmbgt]?)"
    r"\s*[-_]?(?P<unit>[A-Za-z]{1,10})?",
    re.IGNORECASE,
)
_LOSSES = (0.2, 20.0)  # nats or bits of a language model
_FLOPS = 1e15  # from which a budget is one of compute
_PLACE = 1e6  # below which plain numbers count steps, and neither parameters nor tokens
_PLAIN = 3.0  # tokens per parameter that tell sizes from tokens
_MOST = 200  # keys of a side that people write


@dataclass(frozen=True)
class NestedGrid:
    """The losses one below the other, with what a table says of such: see `data.table.Table`."""

    rows: list[Row]
    note: str
    order: str = ""
    open_columns: Mapping[str, Open] = field(default_factory=dict)


@dataclass(frozen=True)
class _Side:
    """The keys of one side: their amounts by key, empty where they are names, and what they say that they count ('' for nothing)."""

    keys: tuple[str, ...]
    amounts: dict[str, float]
    axis: str

    @property
    def places(self) -> bool:
        """Whether the keys are steps, or numbers too small to be parameters or tokens."""
        small = bool(self.amounts) and not self.axis and max(self.amounts.values()) < _PLACE
        return small or self.axis == "steps"


def nested_grid(document: Row) -> NestedGrid | None:
    """The losses of a document by two keys; None where it is anything else."""
    loss = "loss"
    if len(document) == 1:
        key, inside = next(iter(document.items()))
        if loss_name(key) is not None and isinstance(inside, dict):
            loss, document = key, inside
    if len(document) < 2 or not all(isinstance(v, dict) and v for v in document.values()):
        return None
    outer = _side(document)
    if not outer.amounts and any(recognised(k) or NO_RUN.search(k.replace("_", " ")) for k in document):
        return None
    cells = [(o, i, _leaf(v)) for o, inner in document.items() for i, v in inner.items() if v is not None]
    known = [v for *_, v in cells if math.isfinite(v)]
    least, most = _LOSSES
    if not known or len(known) < 0.8 * len(cells) or not all(0 < v <= most for v in known) or median(known) < least:
        return None
    inner_side = _side(dict.fromkeys(i for _, i, _ in cells))
    if (
        not inner_side.amounts
        or len(inner_side.keys) < 2
        or sorted(inner_side.amounts.values()) == list(range(len(inner_side.keys)))
    ):
        return None  # 0, 1, 2: the rows of a data frame
    if outer.places and not inner_side.places:  # steps outside, and the models within
        cells, outer, inner_side = [(i, o, v) for o, i, v in cells], inner_side, outer
    if inner_side.places and not outer.places:
        return _curves(cells, loss, outer, inner_side)
    return _grid(cells, loss, outer, inner_side)


def _curves(cells: Sequence[tuple[str, str, float]], loss: str, runs: _Side, places: _Side) -> NestedGrid:
    """Losses by run and place."""
    along = places.axis.removesuffix("s") or "at"
    sized = runs.axis in ("", "params")
    rows = [
        {"run": o, along: f"{places.amounts[i]:.12g}", loss: v}
        | ({"params": f"{runs.amounts[o]:.12g}"} if runs.amounts and sized else {})
        for o, i, v in cells
    ]
    open_ = (
        {}
        if places.axis
        else {"at": Open(("steps", "tokens"), f"Numbers within each run ({_shown(places)}) stand in 'at'.", "at")}
    )
    return NestedGrid(rows, "Losses by run and place were read as the curve of each run.", along, open_)


def _grid(cells: Sequence[tuple[str, str, float]], loss: str, outer: _Side, inner: _Side) -> NestedGrid | None:
    """Losses by two sizes, or by names and a size."""
    if max(len(outer.keys), len(inner.keys)) > _MOST:
        return None
    open_: dict[str, Open] = {}
    if outer.amounts:
        o, i = _axes(cells, outer, inner)
        if not o or not i:
            first, then = o or ("outer size" if not i else "size"), i or ("inner size" if not o else "size")
            text = f"A grid of losses has {_shown(outer)} in {first!r} and {_shown(inner)} in {then!r}."
            both = ("params", "tokens")
            open_ = {h: Open(both, text) for h, said in ((first, o), (then, i)) if not said}
            o, i = first, then
        if o == i:
            return None
        values = {k: outer.amounts[k] for k in outer.keys}
    else:
        o = "optimizer" if all(OPTIMIZER.search(k.replace("_", " ")) for k in outer.keys) else "model"
        i, values = inner.axis or _beside_names(cells, inner), {}
        if not i:
            i = "size"
            open_ = {i: Open(("params", "tokens"), f"The sizes beside each name ({_shown(inner)}) stand in 'size'.")}
    unit = f" {SAID[i]}" if i in SAID and not inner.axis else ""
    rows = []
    for a, b, v in cells:
        size = f"{values[a]:.12g}" if values else a
        rows.append({"run": f"{a} at {b}{unit}", o: size, i: f"{inner.amounts[b]:.12g}", loss: v})
    return NestedGrid(
        rows, f"A grid of losses was read as one run a cell: {o} outside, {i} within.", open_columns=open_
    )


def _axes(cells: Sequence[tuple[str, str, float]], outer: _Side, inner: _Side) -> tuple[str, str]:
    """What each side counts, '' for both where tokens are not plainly more than parameters, for one where its compute leaves it open."""
    o, i = outer.axis or _budget(outer), inner.axis or _budget(inner)
    if o and i:
        return o, i
    pairs = [(outer.amounts[a], inner.amounts[b]) for a, b, _ in cells]
    if not o and not i:
        ratios = [b / a for a, b in pairs]
        if min(ratios) >= 1 and median(ratios) >= _PLAIN:
            return "params", "tokens"
        if max(ratios) <= 1 and median(ratios) <= 1 / _PLAIN:
            return "tokens", "params"
        return "", ""
    said, left = (o, [b for _, b in pairs]) if o else (i, [a for a, _ in pairs])
    if said == "flops":
        budgets = [a if o else b for a, b in pairs]
        ratio = median(c / (6.0 * v * v) for c, v in zip(budgets, left, strict=True))
        other = "params" if ratio >= _PLAIN else "tokens" if ratio <= 1 / _PLAIN else ""
    else:
        other = {"params": "tokens", "tokens": "params"}.get(said, "")
    return (o, other) if o else (other, i)


def _budget(side: _Side) -> str:
    return "flops" if side.amounts and min(side.amounts.values()) >= _FLOPS else ""


def _beside_names(cells: Sequence[tuple[str, str, float]], inner: _Side) -> str:
    """What sizes beside names count: tokens where the names say the models' sizes, and far fewer of them."""
    if _budget(inner):
        return "flops"
    said = {a: facts([a]).get("params") for a, *_ in cells}
    ratios = [inner.amounts[b] / size[0] for a, b, _ in cells if (size := said[a])]
    return "tokens" if len(ratios) == len(cells) and min(ratios) >= 1 and median(ratios) >= _PLAIN else ""


def _side(keys: Iterable[str]) -> _Side:
    """The keys of a side; names where one of them is no amount, or where they say different things."""
    listed = tuple(keys)
    found = [_KEY.fullmatch(k.strip()) for k in listed]
    amounts = {k: number(m["value"]) for k, m in zip(listed, found, strict=True) if m}
    words = [(m["name"] or m["unit"] or "").strip() for m in found if m]
    axes = {axis_called(w).partition(" (")[0] if w else "" for w in words}
    unknown = any(words) and "" in axes
    plain = (
        len(amounts) == len(listed)
        and all(map(math.isfinite, amounts.values()))
        and len(set(amounts.values())) == len(listed)
    )
    if not plain or unknown or len(axes) != 1:
        return _Side(listed, {}, "")
    return _Side(listed, amounts, axes.pop())


def _shown(side: _Side) -> str:
    return ", ".join(k[:20] for k in side.keys[:3]) + (", ..." if len(side.keys) > 3 else "")


def _leaf(value: Any) -> float:
    """The loss at a leaf, or in an object that holds one and nothing else; NaN where there is none."""
    if isinstance(value, dict) and len(value) == 1:
        key, inside = next(iter(value.items()))
        value = inside if loss_name(key) is not None else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return math.nan
    return float(value)
