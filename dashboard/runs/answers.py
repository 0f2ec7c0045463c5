"""Answers about a table's columns, under the names by which `data.recognise` knows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from data.headers.logs import LOGS
from data.plain import With, each_usable, usable

Amount = Annotated[int, With(strict=True)] | Annotated[float, With(strict=True)]
Header = str | None


@dataclass(frozen=True)
class Answers:
    """What a page may keep of `data.reading.ANSWERS` and of how a table stands; None and nothing for what nobody said."""

    columns: Annotated[dict[str, Header], each_usable(Header)] = field(default_factory=dict)
    units: Annotated[dict[str, str | Amount], each_usable(str | Amount)] = field(default_factory=dict)
    states: Annotated[list[str], each_usable(str)] = field(default_factory=list)
    loss_unit: str | None = None
    bytes_per_token: Amount | None = None
    count: str | None = None
    rows: str | None = None
    history: str | None = None
    batch: str | None = None
    devices: Amount | None = None
    split: str | None = None
    epochs: str | None = None
    unknown_states: str | None = None
    tokens_from: str | None = None
    orientation: str | None = None


def said_of_columns(values: Any) -> dict[str, Any]:
    """The answers that plain values say, in their order; each one that makes no sense is as if nobody had given it."""
    found = usable(Answers, values)
    given = values if isinstance(values, dict) else {}
    return {name: said for name in given if (said := getattr(found, name, None)) not in (None, {}, [])}


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
