"""Answers about a table's columns, under the names by which `data.recognise` knows them."""

from __future__ import annotations

from typing import Any

from data.headers.logs import LOGS


def put(answers: dict[str, Any], key: str, value: Any) -> None:
    """Enter one answer: `columns.loss`, `units.tokens`, `loss_unit`; None for a choice takes it back."""
    group, _, column = key.partition(".")
    if not column:
        if value is None:
            answers.pop(group, None)
        else:
            answers[group] = value
        return
    held = dict(answers.get(group, {}))
    held[column] = float(value) if group == "units" and value not in LOGS else value
    answers[group] = held
