"""How much a file may hold: what is larger is refused in a sentence before it can fill the memory."""

from __future__ import annotations

from data.errors import ReadError

MAX_FILE = 200 * 2**20  # bytes of one file
MAX_INFLATED = 400 * 2**20  # bytes that a compressed file may unpack to
MAX_RATIO = 300  # how many times larger than its file; sheets of numbers reach 30
MAX_CELLS = 5_000_000  # cells of one table: 500 000 rows of 10 columns
MAX_COLUMNS = 5_000
MAX_TEXT = 100_000  # characters in one cell


def size(n: int) -> str:
    """The size in bytes as people say it: 300 MB."""
    for unit, one in (("GB", 2**30), ("MB", 2**20), ("kB", 2**10)):
        if n >= one:
            return f"{n / one:.3g} {unit}" if n < 999 * one else f"{n / one:.0f} {unit}"
    return f"{n} bytes"


def check_shape(name: str, rows: int, columns: int) -> None:
    """Raise ReadError when a table of this shape is more than is read."""
    if columns > MAX_COLUMNS:
        raise ReadError(f"{name} has {columns:,} columns; tables of at most {MAX_COLUMNS:,} columns are read.")
    if rows * columns > MAX_CELLS:
        raise ReadError(
            f"{name} has {rows:,} rows of {columns:,} columns; at most {MAX_CELLS:,} cells are read, "
            "so export fewer columns or thin out the history."
        )
