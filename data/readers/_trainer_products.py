"""What trainers spell out as a product: fairseq's tokens of a device, passes and devices; steps of an epoch and epochs."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from data.headers.names import named
from data.headers.parts import header as take_apart
from data.table import Table, unique

_OF_A_DEVICE = re.compile(r"max tokens(?: (?:per|/) (?:gpu|device))?")
_PASSES, _DEVICES = re.compile(r"update freq"), re.compile(r"distributed world size")
_OF_AN_EPOCH = re.compile(
    r"(?:(?:n|num|number of|max|total) ?)*(?:steps|iters|iterations|updates|batches) (?:per|/|in an|each|an) ?epoch"
)
_LEAST = 1.0
_TIMES = " × "


def trainer_products(table: Table) -> Table:
    """The table with such products as columns of their own, told as the batch or the steps, each with a note."""
    return _steps(_batch(table))


def _batch(table: Table) -> Table:
    parts = [_only(table, form) for form in (_OF_A_DEVICE, _PASSES, _DEVICES)]
    if not all(parts) or _has(table, "batch", "tokens", "batch_sequences", "batch_device"):
        return table
    note = (
        f"fairseq's {parts[0]!r} counts a device's tokens of one pass at most: a step's batch is {_TIMES.join(parts)}."
    )
    return _with_product(table, parts, "batch", note, {parts[0]: ("", "a device's tokens of one pass")})


def _steps(table: Table) -> Table:
    each = _only(table, _OF_AN_EPOCH)
    epochs = [h for h in table.headers if h != each and any(c == "epochs" for c, _ in named(h)[:1])]
    if not each or len(epochs) != 1 or _has(table, "steps", "total_steps", "tokens", but=each):
        return table
    values = table.numbers(epochs[0]).values
    if not (values[np.isfinite(values)] >= _LEAST).all():  # an epoch 0 may stand before or behind its steps
        return table
    parts = [each, epochs[0]]
    return _with_product(
        table, parts, "steps", f"The steps are {_TIMES.join(parts)}.", {each: ("", "the steps of one epoch")}
    )


def _with_product(table: Table, parts: list[str], column: str, note: str, told: dict[str, tuple[str, str]]) -> Table:
    product = np.prod([table.numbers(h).values for h in parts], axis=0)
    if not np.isfinite(product).any():
        return table
    name = unique([*table.headers, _TIMES.join(parts)])[-1]
    cells = pd.Series([f"{v:.12g}" if np.isfinite(v) else "" for v in product], dtype=object, index=table.frame.index)
    return replace(
        table,
        frame=table.frame.assign(**{name: cells}),
        told={**table.told, **told, name: (column, "the product of its columns")},
        notes=(*table.notes, note),
    )


def _only(table: Table, form: re.Pattern[str]) -> str:
    """The one header of that form, by its own name or behind a folder; '' where none or several are."""
    found = [h for h in table.headers if any(form.fullmatch(w) for w in _names(h))]
    return found[0] if len(found) == 1 else ""


def _names(header: str) -> set[str]:
    taken = take_apart(header)
    return {taken.words, taken.path, *(words for words, _ in taken.tails)}


def _has(table: Table, *columns: str, but: str = "") -> bool:
    """Whether a column is plainly named for one of these."""
    others = [h for h in table.headers if h != but and not _OF_A_DEVICE.fullmatch(take_apart(h).words)]
    return any(c in columns and sure >= 0.6 for h in others for c, sure in named(h)[:1])
