"""The table of devices that plans are made for: makers' figures to begin with, each the person's to change, and rows of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from data.plain import After, PlainError, With, between, usable
from fitting.planning.devices import DEVICES

MOST_ROWS, LONGEST = 40, 40
MOST = 1e9  # of any figure
Figure = Annotated[float, With(strict=True, gt=0, le=MOST)]


def _one_line(name: str) -> str:
    if not (shown := " ".join(name.split())[:LONGEST]):
        raise ValueError("should be a name")
    return shown


@dataclass(frozen=True)
class Row:
    """One device: dense bf16 `peak` in TFLOP/s, `bandwidth` of its memory in TB/s, `memory` in GB, `price` of an hour in dollars.

    None where it is not known: without memory nothing is said of what fits, without a price the plan's own is used.
    """

    name: Annotated[str, After(_one_line)]
    peak: Figure
    bandwidth: Figure | None = None
    memory: Figure | None = None
    price: Annotated[float, between(0, MOST)] | None = None


NUMBERS = ("peak", "bandwidth", "memory", "price")
MAKERS = tuple(Row(d.name, d.peak / 1e12, d.bandwidth / 1e12, d.memory / 1e9) for d in DEVICES)


def read(values: Any) -> tuple[Row, ...]:
    """The rows that plain values say; one without a name of its own or a peak is left out, and so is a number that is none.

    The makers' table where none is left.
    """
    given = values if isinstance(values, Sequence) and not isinstance(values, str) else ()
    rows: dict[str, Row] = {}
    for row in map(_row, list(given)[:MOST_ROWS]):
        if row is not None:
            rows.setdefault(row.name, row)
    return tuple(rows.values()) or MAKERS


def _row(values: Any) -> Row | None:
    """The row that plain values say; None without a name and a peak."""
    try:
        return usable(Row, values)
    except PlainError:
        return None


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
    return any(_row(row) is None for row in edits.get("added_rows", ()))
