"""Curves that DeepSpeed logs along the samples seen, which every tracker then calls the step: Train/Samples/train_loss."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from data.headers.names import named
from data.table import Table

_TAG = re.compile(r"(?<![A-Za-z])train[/_]samples[/_](?=[a-z])(?!per[/_])", re.IGNORECASE)
_STEP = re.compile(r"_?steps?", re.IGNORECASE)
_WHY = "the samples seen, along which DeepSpeed logs Train/Samples"


def samples_seen(table: Table) -> Table:
    """The table with its step told as the samples seen, where its columns or its file's name have DeepSpeed's tag.

    They are whole batches: steps that are no multiples of a batch in the file's name count something else.
    """
    steps = [h for h in table.headers if _STEP.fullmatch(h)]
    if len(steps) != 1 or not any(_TAG.search(t) for t in (table.name, *table.headers)):
        return table
    if any(named(h)[:1] and named(h)[0][0] == "samples" for h in table.headers):
        return table
    values = table.numbers(steps[0], "count").values
    batches = [table.numbers(h).values[:1] for h, (column, _) in table.from_name.items() if column == "batch_sequences"]
    if not len(values) or not np.isfinite(values).all() or any((values % b != 0).any() for b in batches):
        return table
    told = {**table.told, steps[0]: ("samples", _WHY)}
    of_one = len(values) > 1 and bool((np.diff(values) > 0).all())
    if not of_one or table.order or any(c in ("run", "family") for h in table.headers for c, _ in named(h)):
        return replace(table, told=told)
    return replace(table, told=told, order=steps[0], one_run=table.one_run or table.stem)
