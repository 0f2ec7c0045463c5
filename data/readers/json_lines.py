"""JSON and JSON lines: one object per run or per logged step, nested objects spelled out as `config/lr`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from data.errors import ReadError
from data.readers._limits import MAX_CELLS, MAX_COLUMNS, MAX_TEXT, check_shape
from data.readers._text import decode, is_text
from data.table import Table, unique

title = "JSON"
suffixes = (".jsonl", ".ndjson", ".json")

_DEPTH = 12  # objects within objects that are spelled out


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
        rows, lines = _rows(whole, name), None
        kind = "JSON"
    else:
        rows, lines = _from_lines(text, name, notes, error)
        kind = "JSON lines"
    flat = [_flat(row) for row in rows]
    keys = list(dict.fromkeys(key for row in flat for key in row))
    check_shape(name, len(flat), len(keys))
    written = {k: pd.Series([row.get(k) for row in flat], dtype=object) for k in keys}
    written = {k: c for k, c in written.items() if not c.isna().all()}
    columns = dict(zip(unique(list(written)), written.values(), strict=True))
    if not columns:
        raise ReadError(f"{name} holds no values; expected one JSON object per run.")
    frame = pd.DataFrame(columns, index=pd.RangeIndex(len(flat)))
    numbered = np.arange(1, len(flat) + 1) if lines is None else np.asarray(lines, dtype=np.int64)
    return Table(frame, name, kind, numbered, tuple(notes))


def _parse(text: str) -> tuple[Any, ValueError | None]:
    """The document and None, or None and what is wrong with it. NaN and Infinity stay text, to be told from null."""
    try:
        return json.loads(text, parse_constant=str), None
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


def _rows(document: Any, name: str) -> list[dict[str, Any]]:
    """The rows in a document: a list of objects, an object of columns, of runs, or around a list of objects."""
    if isinstance(document, list):
        if document and all(isinstance(v, dict) for v in document):
            return document
        if document and all(isinstance(v, list) for v in document) and all(isinstance(h, str) for h in document[0]):
            return [dict(zip(document[0], row, strict=False)) for row in document[1:]]
        raise ReadError(f"{name} is a JSON list of other things than objects; expected one object per run.")
    if not isinstance(document, dict) or not document:
        raise ReadError(f"{name} is JSON without objects; expected a list with one object per run.")
    values = list(document.values())
    columns = {k: v for k, v in document.items() if isinstance(v, list)}
    tables = [v for v in columns.values() if v and all(isinstance(row, dict) for row in v)]
    if len(tables) == 1:
        return tables[0]
    longest = max((len(v) for v in columns.values()), default=0)
    if len(columns) >= 2 and all(len(v) == longest for v in columns.values()) and longest:
        return [{k: v[i] for k, v in columns.items()} for i in range(longest)]
    if len(values) >= 2 and all(isinstance(v, dict) for v in values):
        keys = [set(v) for v in values]
        if all(re.fullmatch(r"[0-9]+", k) for inner in keys for k in inner) and keys[0]:
            index = sorted(set.union(*keys), key=int)  # what pandas writes: a column, then the row's number
            return [{c: v.get(i) for c, v in document.items()} for i in index]
        return [{"run": k, **v} if "run" not in v else v for k, v in document.items()]
    return [document]


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """The row with nested objects spelled out: {"config": {"lr": 1}} becomes {"config/lr": 1}. Lists are left out."""
    out: dict[str, Any] = {}
    todo: list[tuple[str, Any, int]] = [("", row, 0)]
    while todo:
        prefix, value, depth = todo.pop()
        if isinstance(value, dict):
            if depth < _DEPTH:
                # W&B wraps each setting: {"lr": {"value": 1e-3, "desc": null}}
                if prefix and set(value) <= {"value", "desc"} and "value" in value:
                    todo.append((prefix, value["value"], depth + 1))
                else:
                    inner: Iterable[tuple[Any, Any]] = list(value.items())[::-1]
                    todo += [(f"{prefix}/{k}" if prefix else str(k), v, depth + 1) for k, v in inner]
        elif not isinstance(value, list):
            key = " ".join(prefix.split()) or "value"
            if len(out) >= MAX_COLUMNS:
                continue
            out[key] = value[:MAX_TEXT] if isinstance(value, str) else value
    return out
