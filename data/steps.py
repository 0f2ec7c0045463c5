"""Tables of steps to a target: a row for each batch size, with the steps that one loss took, instead of a loss of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from data.errors import ReadError
from data.recognise import recognise
from data.table import Table

_STEPS = re.compile(r"^(?:train(?:ing)?_)?(?:steps?|iterations?|iters?|updates?)_(?:to|till|until)_", re.IGNORECASE)
_TARGET = re.compile(r"^(?:target|goal)(?:_|$)", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class StepsTable:
    """What a table of steps holds: `frame` with batch, steps and group (text, '' where there is one), in the file's order.

    `unit` is what a batch counts, "sequences" or "tokens". `sizes` maps a group to its number of parameters where the table
    tells one for it. `by` are the file's own columns that groups go by. `seq_len` is the tokens in a sequence, nan where the table
    does not say, or says several.
    """

    frame: pd.DataFrame
    unit: str
    by: tuple[str, ...]
    sizes: dict[str, float]
    seq_len: float = np.nan

    def counted_in(self, unit: str) -> StepsTable:
        """The same with batches in "tokens" or "sequences"; as it is where the length of a sequence is not known."""
        if unit == self.unit or not np.isfinite(self.seq_len):
            return self
        times = self.seq_len if unit == "tokens" else 1.0 / self.seq_len
        return replace(self, frame=self.frame.assign(batch=self.frame["batch"] * times), unit=unit)


def holds_steps(table: Table) -> bool:
    """Whether a column of the table is steps to a target."""
    return _steps_header(table) is not None


def steps_table(table: Table, by: str | None = None) -> StepsTable:
    """The steps to a target at each batch size. `by` is the column (as the file calls it) that tells groups apart; without
    it they go by model size or name, and by target, where these vary. Raises ReadError, in one sentence.
    """
    header = _steps_header(table)
    if header is None:
        raise ReadError(
            f"{table.name} has no column of steps to a target loss (such as steps_to_target); it has {', '.join(table.headers[:12])}."
        )
    guesses = {k: g.header for k, g in recognise(table).guesses.items()}
    unit = next((u for u, c in (("sequences", "batch_sequences"), ("tokens", "batch")) if c in guesses), None)
    if unit is None:
        raise ReadError(
            f"{table.name} has no column of batch sizes; expected one such as batch_size or batch_tokens beside {header}."
        )
    if by is not None and by not in table.headers:
        raise ReadError(f"{table.name} has no column {by!r}; it has {', '.join(table.headers[:12])}.")
    batch = table.numbers(guesses["batch_sequences" if unit == "sequences" else "batch"]).values
    steps = table.numbers(header).values
    keys = (by,) if by else _groups(table, guesses)
    names = [table.text(k) for k in keys]
    group = [", ".join(str(n.iloc[i]) for n in names) for i in range(len(batch))]
    frame = pd.DataFrame({"batch": batch, "steps": steps, "group": group})
    usable = np.isfinite(frame["batch"]) & np.isfinite(frame["steps"]) & (frame["batch"] > 0) & (frame["steps"] > 0)
    sizes: dict[str, float] = {}
    count = next((guesses[c] for c in ("params", "params_total", "params_nonembed") if c in guesses), None)
    if count is not None:
        own = pd.Series(table.numbers(count).values).groupby(group)
        sizes = {str(k): float(v.iloc[0]) for k, v in own if v.notna().all() and v.nunique() == 1}
    return StepsTable(frame[usable].reset_index(drop=True), unit, keys, sizes, _length(table, guesses))


def _steps_header(table: Table) -> str | None:
    found = [h for h in table.headers if _STEPS.match(re.sub(r"[^a-z0-9]+", "_", h.lower()))]
    return min(found, key=len) if found else None


def _length(table: Table, guesses: dict[str, str]) -> float:
    """Tokens in a sequence: as a column says, else where batches stand in both."""
    if "seq_len" in guesses:
        known = table.numbers(guesses["seq_len"]).values
    elif {"batch", "batch_sequences"} <= set(guesses):
        tokens, sequences = (table.numbers(guesses[c]).values for c in ("batch", "batch_sequences"))
        with np.errstate(all="ignore"):
            known = np.round(tokens / sequences, 6)
    else:
        return float("nan")
    known = np.unique(np.asarray(known, float)[np.isfinite(known) & (np.asarray(known, float) > 0)])
    return float(known[0]) if len(known) == 1 else float("nan")


def _groups(table: Table, guesses: dict[str, str]) -> tuple[str, ...]:
    """The columns whose values tell groups apart: model name or size, and the target, where they vary."""
    model = next((guesses[c] for c in ("family", "params", "params_total", "params_nonembed") if c in guesses), None)
    targets = [h for h in table.headers if _TARGET.match(re.sub(r"[^a-z0-9]+", "_", h.lower()))]
    keys = [k for k in (model, *targets[:1]) if k is not None and table.text(k).nunique() > 1]
    if len(keys) == 2 and table.text(keys[0]).groupby(table.text(keys[1])).nunique().max() == 1:
        first, second = (table.text(k) for k in keys)
        if second.groupby(first).nunique().max() == 1:
            keys = keys[:1]  # each model has a target of its own
    return tuple(keys)
