"""Sizes of data that may count something else than the tokens of training: samples beside epochs, sizes too small for tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping as Pairs

import numpy as np

from data.columns.settled import TAKEN, Offers, middle
from data.errors import NO_COLUMN, Question
from data.headers.parts import header as take_apart
from data.headers.parts import scale_in
from data.mapping import Guess
from data.schema import COUNTS
from data.table import Table
from data.units.factors import DIMENSION

_SEEN = re.compile(r"\b(?:seen|trained|consumed|processed|used|cumulative|so far)\b")
_ONE = 0.02  # how far from one pass epochs are before it matters which of the two is counted
_MOST = 0.5  # of the runs that have more parameters than data before this is doubted
_BORNE_OUT = 0.25  # how near a ratio comes to one where another column says the same; epochs differ by more
_SIZE = re.compile(r"(?:train(?:ing)? )?(?:data|dataset|data set|corpus|train(?:ing)? set)(?: size)?")
_TOKENS = re.compile(r"tok", re.IGNORECASE)
_WHOLE = re.compile(
    r"(?:the )?(?:full|all|whole|entire|complete|everything)(?: (?:data(?: ?set)?|set|corpus))?", re.IGNORECASE
)
_LEAST = 1e6  # tokens of the least text that a model is trained on


@np.errstate(all="ignore")
def of_other_things(table: Table, guesses: Pairs[str, Guess], settled: set[str]) -> list[Question]:
    """A question on a size of data taken for tokens under a name without that word, where its cells speak against it.

    A cell says `full`, or numbers without a unit in the header are fewer than a model is trained on, or than the parameters of
    most runs. Not where FLOPs or steps bear the tokens out; `settled` are the columns that a person has answered for.
    """
    guess = guesses.get("tokens")
    if guess is None or "tokens" in settled or guess.header in table.from_name or guess.base:
        return []
    header = guess.header
    if not _SIZE.fullmatch(take_apart(header).words) or _TOKENS.search(header) or guess.scale != 1.0:
        return []
    counts, sizes = guess.values(table), [guesses[c].values(table) for c in COUNTS if c in guesses]
    bad = table.text(header)[table.numbers(header).bad]
    said = next((c for c in bad if _WHOLE.fullmatch(c)), "")
    least = float(np.nanmin(counts)) if np.isfinite(counts).any() else float("nan")
    few = [np.mean(counts[k] < n[k]) > _MOST for n in sizes if (k := np.isfinite(counts) & np.isfinite(n)).any()]
    if not said and not least < _LEAST and not any(few):
        return []
    if any(abs(middle(other / counts) - 1) < _BORNE_OUT for other in _by_others(table, guesses, sizes)):
        return []
    why = f"a cell says {said[:30]!r}" if said else f"they come to as few as {least:.4g}"
    why += "" if said or least < _LEAST else ", less than the parameters"
    aside = f" Rows without a number there are set aside if so, and kept with {NO_COLUMN!r}." if len(bad) else ""
    text = f"Does {header[:60]!r} count the tokens that each run was trained on? No word says tokens, and {why}.{aside}"
    needed = bool(said) or any(few)  # small numbers alone may be the tokens of small runs
    likely = NO_COLUMN if needed and least < _LEAST else header
    return [Question("columns.tokens", text, (header, NO_COLUMN), likely, needed=needed)]


def _by_others(table: Table, guesses: Pairs[str, Guess], sizes: list[np.ndarray]) -> list[np.ndarray]:
    """The tokens of each run (n,) that other columns say: FLOPs over six times the size, the batch times the steps."""
    found = {c: guesses[c].values(table) for c in ("flops", "batch", "steps") if c in guesses}
    out = [found["flops"] / (6.0 * n) for n in sizes] if "flops" in found else []
    return [*out, found["batch"] * found["steps"]] if {"batch", "steps"} <= set(found) else out


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
