"""What reading a file came to, as plain values for a terminal, a script or a page."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from data.errors import DataError, MappingNeeded, Question, sentence
from data.given import takes
from data.read import read_runs
from data.schema import COLUMNS, NothingKept, Runs


def read_summary(source: Any, *, rows: bool = False, rows_are: str | None = None, **answers: Any) -> dict[str, Any]:
    """What `read_runs(source, **answers)` found, as JSON-ready values; with `rows`, every row as well.

    `rows_are` is the answer that `read_runs` calls `rows`.

    Keys: `name`, `digest`, `kept`, `held_out` (of those kept) and `set_aside` (numbers of rows), `reasons`, `columns` (each
    with its unit, the file's header, how it was recognised, its range), `extras`, `notes`, `questions` (those that a guess has
    answered), `history` (number of checkpoints).
    Raises what `read_runs` raises; `describe_error` turns that into plain values too.
    """
    return describe(read_runs(source, rows=rows_are, **answers), rows=rows)


@takes(runs=Runs)
def describe(runs: Runs, *, rows: bool = False) -> dict[str, Any]:
    """The runs as JSON-ready values; see `read_summary`."""
    by_column = {s.column: s for s in runs.sources}
    columns = []
    for name in runs.columns:
        source = by_column.get(name)
        entry: dict[str, Any] = {
            "column": name,
            "unit": COLUMNS[name].unit,
            "meaning": COLUMNS[name].meaning,
            "header": source.header if source else "",
            "how": source.how if source else "",
            "confidence": source.confidence if source else 1.0,
        }
        if COLUMNS[name].kind == "number" and len(runs.kept):
            entry["min"], entry["max"] = _plain(runs.kept[name].min()), _plain(runs.kept[name].max())
        else:
            entry["distinct"] = int(runs.kept[name].nunique())
        columns.append(entry)
    out: dict[str, Any] = {
        "name": runs.name,
        "digest": runs.digest,
        "kept": len(runs.kept),
        "held_out": len(runs.held_out),
        "set_aside": len(runs.set_aside),
        "reasons": runs.reasons,
        "columns": columns,
        "extras": list(runs.extras),
        "notes": list(runs.notes),
        "questions": [_question(q) for q in runs.questions],
        "history": None if runs.history is None else len(runs.history),
    }
    if rows:
        out["runs"] = _records(runs.kept)
        out["set_aside_runs"] = _records(runs.set_aside)
    return out


def describe_error(error: DataError) -> dict[str, Any]:
    """What went wrong as JSON-ready values: the sentence, and the questions or the reasons where there are some."""
    out: dict[str, Any] = {"error": sentence(error)}
    if isinstance(error, MappingNeeded):
        out["questions"] = [_question(q) for q in error.questions]
    if isinstance(error, NothingKept):
        out["reasons"] = error.runs.reasons
    return out


def _question(question: Question) -> dict[str, Any]:
    return {
        "key": question.key,
        "text": question.text,
        "options": list(question.options),
        "guess": question.guess,
        "needed": question.needed,
        "files": list(question.files),
    }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): _plain(v) for k, v in row.items()} for row in frame.to_dict("records")]


def _plain(value: Any) -> Any:
    """The value as JSON knows it: no NumPy types, and None for what is not finite."""
    if isinstance(value, str) or value is None or isinstance(value, bool):
        return value
    number = float(value)
    return number if math.isfinite(number) else None
