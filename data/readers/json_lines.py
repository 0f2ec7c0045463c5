"""JSON and JSON lines: one object per run or per logged step, nested objects spelled out as `config/lr`."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from data.errors import ReadError
from data.readers._arrays import table_of
from data.readers._decimal import with_decimal_sign
from data.readers._documents import Objects, objects
from data.readers._limits import MAX_CELLS
from data.readers._nested import pairs
from data.readers._settings_lines import brought_down
from data.readers._text import decode, is_text
from data.table import Table

title = "JSON"
suffixes = (".jsonl", ".ndjson", ".json")


def claims(content: bytes, name: str) -> float:
    """Text that starts with an object or a list, as no other format does but a CSV with an odd header."""
    if not is_text(content):
        return 0.0
    start = decode(content[:4096])[0].lstrip()[:40]
    if re.match(r"\{\s*(\"|\}|$)", start) or re.match(r"\[\s*(\{|\[|\]|$)", start):
        return 0.8
    # The first header of a text table may stand in brackets too.
    return 0.8 if re.match(r"\[\s*(-?[0-9]|\")", start) and not name.lower().endswith((".csv", ".tsv", ".txt")) else 0.0


def read(content: bytes, name: str) -> Table:
    """The table in a JSON document or in lines of JSON. Raises `ReadError` with the line that is wrong."""
    if sum(content.count(sign) for sign in (b",", b"{", b"[", b"\n")) > 2 * MAX_CELLS:
        raise ReadError(f"{name} has more than {MAX_CELLS:,} values; export fewer columns or thin out the history.")
    text, note = decode(content)
    notes = [note] if note else []
    whole, error = _parse(text)
    if error is None:
        found, lines = objects(whole, name), None
        kind = "JSON"
    else:
        rows, lines = _from_lines(text, name, notes, error)
        rows, lines, said = brought_down(rows, lines)
        notes += [said] if said else []
        found = Objects(rows)
        kind = "JSON lines"
    notes += found.notes
    table = table_of(found.rows, name=name, format=kind, numbers=lines, notes=notes)
    if found.order or found.open_columns:
        table = replace(table, order=found.order, open_columns=found.open_columns)
    return with_decimal_sign(table)


def _parse(text: str) -> tuple[Any, ValueError | None]:
    """The document and None, or None and what is wrong with it. NaN and Infinity stay text, to be told from null."""
    try:
        return json.loads(text, parse_constant=str, object_pairs_hook=pairs), None
    except ValueError as e:
        return None, e


def _from_lines(text: str, name: str, notes: list[str], error: ValueError) -> tuple[list[dict[str, Any]], list[int]]:
    written = [(i, line) for i, line in enumerate(text.splitlines(), start=1) if line.strip()]
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    for k, (i, line) in enumerate(written):
        value, wrong = _parse(line)
        if wrong is not None or not isinstance(value, dict):
            if rows and wrong is not None and k == len(written) - 1:
                notes.append(f"Line {i}, the last one, is cut short and was left out.")
                continue
            if not rows and wrong is not None:
                at = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "its numbers"
                raise ReadError(f"{name} starts like JSON but is not ({at}); expected one object per run.")
            raise ReadError(f"{name}: line {i} is not a JSON object; expected one object per line, one line per run.")
        rows.append(value)
        lines.append(i)
    if not rows:
        raise ReadError(f"{name} holds no JSON object; expected one object per run.")
    return rows, lines
