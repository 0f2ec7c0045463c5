"""B and S of the papers: the batch of a step and the steps, where each stands beside the other."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np

from data.columns.settled import Offers
from data.errors import NO_COLUMN, Question
from data.headers.names import loss_name, named
from data.mapping import Guess
from data.table import Open, Table

BATCH, STEPS = "B", "S"
_SURE = 0.7  # as sure as a column called `batch`, of which its values tell whether it counts tokens or sequences
_HOW = f"{BATCH} beside {STEPS}"
_LENGTHS = (128, 2**20)  # tokens of the shortest and the longest sequence that models are trained on


def with_letters(table: Table) -> Table:
    """The table with S open where it may be steps or the length of a sequence: beside B, all powers of two that lengths are."""
    headers = set(table.headers)
    if not {BATCH, STEPS} <= headers or any(_means(h) & {"steps", "seq_len"} for h in headers - {STEPS}):
        return table
    values = table.numbers(STEPS, "count").values
    values = values[np.isfinite(values) & (values > 0)]
    if not len(values) or values.min() < _LENGTHS[0] or values.max() > _LENGTHS[1] or (np.log2(values) % 1 != 0).any():
        return table
    text = f"{STEPS!r} beside {BATCH!r} may be the steps of a run or the length of its sequences."
    return replace(table, open_columns={**table.open_columns, STEPS: Open(("steps", "seq_len"), text)})


def offer_batch(table: Table, offers: Offers, settled: Collection[str]) -> None:
    """Offer B as the batch where S says the steps, a loss stands beside them and no column is a batch."""
    headers = set(table.headers)
    if not {BATCH, STEPS} <= headers or BATCH in {h for _, h in offers} or {"batch", "batch_sequences"} & set(settled):
        return
    batches = {c for c, _ in offers} & {"batch", "batch_sequences", "batch_device"}
    values = table.numbers(BATCH, "count").values
    values = values[np.isfinite(values)]
    whole = bool(len(values)) and bool((values >= 1).all()) and bool((values == np.round(values)).all())
    if whole and not batches and any(loss_name(h) is not None for h in headers):
        offers["batch_sequences", BATCH] = _SURE, _HOW


def announced(guesses: Mapping[str, Guess]) -> list[Question]:
    """Whether B is the batch, where it was taken so from the S beside it: the tokens of runs follow from it."""
    for column in ("batch", "batch_sequences"):
        guess = guesses.get(column)
        if guess is not None and guess.header == BATCH and guess.how.startswith(_HOW):
            what = "tokens" if column == "batch" else "sequences"
            text = f"{BATCH!r} was taken for the {what} of a step, as it stands beside {STEPS!r}. Is that right?"
            return [Question(f"columns.{column}", text, (BATCH, NO_COLUMN), BATCH, needed=False)]
    return []


def _means(header: str) -> set[str]:
    return {c for c, sure in named(header) if sure >= 0.6}
