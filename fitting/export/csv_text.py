"""The one way to write CSV: a spreadsheet runs nothing of it, and a program that skips comment lines loses no row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from data.cells.spreadsheet import defused as defused_text
from fitting.export.text import finite

_QUOTED = re.compile(r"""[,;|"#\t\r\n]|^\s|\s$""")
_SPLITS = re.compile(r"[,;|]")  # a tab is written \t by JSON itself


def csv_text(table: pd.DataFrame, about: Mapping[str, Any] | None = None) -> str:
    """The table as CSV (RFC 4180, lines end in \\n) under comment lines that say what it is `about`.

    Text that a spreadsheet would run has an apostrophe before it; text with a # is quoted, so that a reader who takes # for
    the start of a comment leaves it whole. Numbers are written in full; nothing stands where there is none.
    """
    shown = defused(table)
    columns = [_cells(shown.iloc[:, i]) for i in range(shown.shape[1])]
    lines = [",".join(_quoted(str(name)) for name in shown.columns), *map(",".join, zip(*columns, strict=True))]
    return "".join(f"{line}\n" for line in (*comments(about or {}), *lines))


def comments(about: Mapping[str, Any]) -> Iterator[str]:
    """One line a value, `# settings.delta: 0.001`: JSON without the signs that a spreadsheet splits lines at.

    A list is its values one after another. What would split a line is written as JSON's own escape for it.
    """
    for name, value in _leaves("", finite(about)) if about else ():
        values = value if isinstance(value, list) else [value]
        said = " ".join(json.dumps(v) for v in values) if values else "[]"
        yield _SPLITS.sub(lambda sign: f"\\u{ord(sign[0]):04x}", f"# {json.dumps(name)[1:-1]}: {said}")


def defused(table: pd.DataFrame) -> pd.DataFrame:
    """The table with an apostrophe before any text a spreadsheet would run as a formula; numbers stay numbers."""
    out = table.copy()
    for column in out.columns:
        if not pd.api.types.is_numeric_dtype(out[column]):
            out[column] = out[column].map(lambda x: defused_text(x) if isinstance(x, str) else x)
    return out.rename(columns=lambda c: defused_text(c) if isinstance(c, str) else c)


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, of in value.items():
            yield from _leaves(f"{name}.{key}" if name else str(key), of)
    elif isinstance(value, list) and any(isinstance(v, dict | list) for v in value):
        for i, of in enumerate(value):
            yield from _leaves(f"{name}.{i}", of)
    else:
        yield name, value


def _cells(column: pd.Series) -> list[str]:
    values = column.astype(object).tolist()
    return [
        "" if none else _quoted(v) if isinstance(v, str) else _written(v)
        for v, none in zip(values, column.isna(), strict=True)
    ]


def _written(value: Any) -> str:
    """A number or a truth value in full; anything else as the text it shows."""
    if hasattr(value, "item"):  # NumPy's own scalars
        value = value.item()
    if isinstance(value, bool | int | float):
        return repr(value)
    return _quoted(defused_text(str(value)))


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text
