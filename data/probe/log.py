"""What a run measured, a line each, as its log holds it: a line that cannot be read is passed over and counted.

A last line without its end is what a process leaves that was killed while it wrote. Any other that cannot be read is damage.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from data.probe.plain_file import OddError, parsed, read_bytes

MOST_BYTES = 100_000_000  # of a log: 10,000 evaluations of 10 kB each
MOST_LINES = 20_000  # a run is evaluated 10,000 times at most, and where others go on from it
MOST_LINE, MOST_COLUMNS = 2_000_000, 5_000  # bytes and columns of a line
#: Columns that are above zero in every run.
POSITIVE = frozenset({"loss", "tokens", "step_seconds", "peak_memory", "stack"})
Row = dict[str, Any]


@dataclass(frozen=True)
class Log:
    """The rows that could be read, in order; the numbers of the lines that could not; how many lines there are.

    `fault` is why nothing could be read at all, as a sentence. A torn last line is none of the lines.
    """

    path: Path
    rows: tuple[Row, ...] = ()
    unread: tuple[int, ...] = ()
    lines: int = 0
    fault: str = ""

    @cached_property
    def usable(self) -> tuple[Row, ...]:
        """The rows with those of their numbers alone that a run may have: anything may stand in a file."""
        return tuple({name: x for name, x in row.items() if _is_usable(name, x)} for row in self.rows)

    @property
    def last(self) -> int:
        """The step of the last row; 0 where there is none."""
        return int(self.rows[-1].get("step", 0)) if self.rows else 0

    @cached_property
    def back(self) -> tuple[int, int] | None:
        """The first step that does not follow on the one before it, behind that; None where all do."""
        steps = [row["step"] for row in self.rows if "step" in row]
        return next(((a, b) for a, b in pairwise(steps) if b <= a), None)

    @property
    def passed(self) -> str:
        """What was passed over, as a clause; '' for nothing."""
        if not self.unread:
            return ""
        first = "the first is line" if len(self.unread) > 1 else "line"
        return f"{len(self.unread):,} of its {self.lines:,} lines cannot be read, {first} {self.unread[0]:,}"


def read_log(path: Path) -> Log:
    """The log at a path; one without rows where there is none."""
    try:
        content = read_bytes(path, MOST_BYTES)
        if (count := content.count(b"\n")) > MOST_LINES:
            raise OddError(f"it has {count:,} lines, and a run is measured at most {MOST_LINES:,} times")
        lines = whole_lines(content)
    except FileNotFoundError:
        return Log(path)
    except OddError as fault:
        return Log(path, fault=f"{path} cannot be read: {fault}.")
    each = [row_of(line) for line in lines]
    unread = tuple(number for number, row in enumerate(each, start=1) if row is None)
    return Log(path, tuple(row for row in each if row is not None), unread, len(lines))


def whole_lines(content: bytes) -> list[bytes]:
    """The lines of a log, without a last one that was torn."""
    lines = content.split(b"\n")
    tail = lines.pop()
    return [*lines, tail] if row_of(tail) is not None else lines


def row_of(line: bytes) -> Row | None:
    """The row that a line says; None for one that is no row."""
    try:
        row = parsed(line) if 0 < len(line) <= MOST_LINE else None
    except OddError:
        return None
    if not isinstance(row, dict) or len(row) > MOST_COLUMNS:
        return None
    return row if "step" not in row or _is_step(row["step"]) else None


def kept_until(content: bytes, step: int) -> bytes:
    """A log without what was measured after a step and without a torn line; damage before that stays, so that it is said."""
    lines = whole_lines(content)
    ends = [
        i for i, line in enumerate(lines, start=1) if (row := row_of(line)) is not None and row.get("step", 0) <= step
    ]
    return b"".join(line + b"\n" for line in _until(lines[: ends[-1] if ends else 0], step))


def _until(lines: list[bytes], step: int) -> Iterator[bytes]:
    for line in lines:
        if (row := row_of(line)) is None or row.get("step", 0) <= step:
            yield line


def _is_step(x: Any) -> bool:
    return isinstance(x, int) and not isinstance(x, bool) and x >= 0


def _is_usable(name: str, x: Any) -> bool:
    if isinstance(x, bool) or not isinstance(x, int | float):
        return False
    return math.isfinite(x) and (x > 0 or name not in POSITIVE)
