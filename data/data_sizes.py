"""Samples beside epochs: those of the data set, which each run passed over, or all that it was trained on."""

from __future__ import annotations

import re

import numpy as np

from data.errors import NO_COLUMN, Question
from data.headers import header as take_apart
from data.headers import scale_in
from data.schema import COUNTS
from data.settled import TAKEN, Offers, middle
from data.table import Table
from data.units import DIMENSION

_SEEN = re.compile(r"\b(?:seen|trained|consumed|processed|used|cumulative|so far)\b")
_ONE = 0.02  # how far from one pass epochs are before it matters which of the two is counted
_BORNE_OUT = 0.25  # how near a ratio comes to one where another column says the same; epochs differ by more


@np.errstate(all="ignore")
def samples_of_data_or_seen(table: Table, offers: Offers, settled: set[str]) -> list[Question]:
    """Take samples for those of the data set where tokens or FLOPs bear that out; a question where nothing decides.

    Not where each run passed once over its data, where samples rise with the epochs, or where the name says that they were seen.
    """
    samples = max(((s, h) for (c, h), (s, _) in offers.items() if c == "samples" and s >= TAKEN), default=None)
    if (
        samples is None
        or settled & {"samples", "unique_samples", "epochs"}
        or _SEEN.search(take_apart(samples[1]).words)
    ):
        return []
    found = {c: _values(table, offers, c) for c in ("epochs", "seq_len", "tokens", "flops", "steps", "batch", *COUNTS)}
    if found["epochs"] is None or any(
        c in ("unique_samples", "unique_tokens") for (c, _), (s, _) in offers.items() if s >= TAKEN
    ):
        return []
    sure, header = samples
    count, epochs = _scaled(table, header, "samples"), found["epochs"]
    both = np.isfinite(count) & np.isfinite(epochs) & (epochs > 0) & (count > 0)
    if not (np.abs(epochs[both] - 1) > _ONE).any() or _in_step(count[both], epochs[both]):
        return []
    size = next((found[c] for c in COUNTS if found[c] is not None), None)
    seen = found["tokens"]
    if seen is None and found["flops"] is not None and size is not None:
        seen = found["flops"] / (6.0 * size)
    length = found["seq_len"]
    if seen is not None and length is not None:
        if abs(middle(seen / (count * length)) - 1) < _BORNE_OUT:
            return []
        if abs(middle(seen / (count * length * epochs)) - 1) < _BORNE_OUT:
            del offers["samples", header]
            offers["unique_samples", header] = sure, "the sequences of the data, seen as often as the epochs say"
            return []
    passes = max((s, h) for (c, h), (s, _) in offers.items() if c == "epochs")[1]
    text = (
        f"Is {header!r} the data that {passes!r} passes over? Then each run was trained on its {middle(count[both]):.4g} sequences as "
        f"often as its epochs say ({_span(epochs[both])}). Choose {NO_COLUMN!r} if it counts all that each run was trained on."
    )
    needed = found["tokens"] is None and length is not None and (found["steps"] is None or not _batched(offers))
    return [Question("columns.unique_samples", text, (header, NO_COLUMN), header, needed=needed)] if needed else []


def _in_step(samples: np.ndarray, epochs: np.ndarray) -> bool:
    """Whether samples (n,) rise as the epochs do, as those seen so far do."""
    ratio = samples / epochs
    return (
        len(np.unique(samples)) > 1
        and bool(ratio.max() < 1.05 * ratio.min())
        and bool(np.ptp(epochs) > _ONE * epochs.max())
    )


def _batched(offers: Offers) -> bool:
    """Whether the table says how large a step's batch is."""
    return any(c in ("batch", "batch_sequences", "batch_device") and s >= TAKEN for (c, _), (s, _) in offers.items())


def _span(values: np.ndarray) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _scaled(table: Table, header: str, column: str) -> np.ndarray:
    return table.numbers(header, DIMENSION.get(column, "")).scaled(scale_in(header, column)[0])


def _values(table: Table, offers: Offers, column: str) -> np.ndarray | None:
    """The surest column's values (n,) in its own unit; None where the table offers none."""
    found = [(s, h) for (c, h), (s, _) in offers.items() if c == column and s >= TAKEN and h not in table.from_name]
    return _scaled(table, max(found)[1], column) if found else None
