"""The table of devices that plans are made for: makers' figures to begin with, each the person's to change, and rows of their own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fitting.planning.devices import DEVICES

MOST_ROWS, LONGEST = 40, 40
MOST = 1e9  # of any figure


@dataclass(frozen=True)
class Row:
    """One device: dense bf16 `peak` in TFLOP/s, `bandwidth` of its memory in TB/s, `memory` in GB, `price` of an hour in dollars.

    None where it is not known: without memory nothing is said of what fits, without a price the plan's own is used.
    """

    name: str
    peak: float
    bandwidth: float | None = None
    memory: float | None = None
    price: float | None = None


NUMBERS = ("peak", "bandwidth", "memory", "price")
MAKERS = tuple(Row(d.name, d.peak / 1e12, d.bandwidth / 1e12, d.memory / 1e9) for d in DEVICES)


def read(values: Any) -> tuple[Row, ...]:
    """The rows that plain values say; one without a name of its own or a peak is left out, and so is a number that is none.

    The makers' table where none is left.
    """
    given = values if isinstance(values, Sequence) and not isinstance(values, str) else ()
    rows: dict[str, Row] = {}
    for one in list(given)[:MOST_ROWS]:
        if not isinstance(one, Mapping):
            continue
        name = one.get("name")
        name = " ".join(name.split())[:LONGEST] if isinstance(name, str) else ""
        peak = _positive(one.get("peak"))
        if name and peak is not None and name not in rows:
            rows[name] = Row(name, peak, *(_positive(one.get(k), zero=k == "price") for k in NUMBERS[1:]))
    return tuple(rows.values()) or MAKERS


def written(rows: Iterable[Row]) -> list[dict[str, Any]] | None:
    """Plain values to keep; None for the makers' table."""
    kept = tuple(rows)
    return None if kept == MAKERS else [asdict(row) for row in kept]


def edited(rows: Sequence[Row], edits: Mapping[str, Any]) -> tuple[Row, ...]:
    """The rows after the edits that Streamlit's data editor reports: changed cells, new rows, rows taken away."""
    plain = [asdict(row) for row in rows]
    for at, cells in edits.get("edited_rows", {}).items():
        if 0 <= int(at) < len(plain):
            plain[int(at)].update(cells)
    gone = {int(at) for at in edits.get("deleted_rows", ())}
    return read([row for at, row in enumerate(plain) if at not in gone] + list(edits.get("added_rows", ())))


def unfinished(edits: Mapping[str, Any]) -> bool:
    """Whether a new row still lacks its name or its peak: it is waited for, not thrown away."""
    return any(not row.get("name") or _positive(row.get("peak")) is None for row in edits.get("added_rows", ()))


def _positive(value: Any, *, zero: bool = False) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value) if 0 < value <= MOST or (zero and value == 0) else None
