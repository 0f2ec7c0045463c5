"""A counter under a name that nobody knows: rows alike but for whole numbers that rise from each to the next."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from data.draft import MAX_EXTRAS
from data.errors import MappingNeeded, Question
from data.headers.names import loss_name
from data.headers.parts import header as take_apart
from data.mapping import Mapping
from data.rows.groups import Array, blank, different, each, numbered, only, sizes, steps, vary
from data.rows.labels import CONSTANT
from data.rows.line_order import Rows
from data.rows.progress import PROGRESS, evenly
from data.table import Table

LEAST = 3  # rows of a run
FALLING = 5  # rows from which a loss that falls along them tells a curve from repeats
_ALIKE = (*CONSTANT, "tokens", "steps", "batch", "batch_sequences", "batch_device", "seq_len")
_SETTINGS = ("lr", "weight_decay", "warmup_steps")  # may change along a run, and from run to run
_NUMBERED = re.compile(
    r"\b(?:id|idx|index|row|rank|no|nr|number|line|seed|rep|repeat|replicate|trial|fold|column|unnamed)\b"
)
#: A name that sounds like a counter's.
_COUNTER = re.compile(
    r"\b(?:steps?|iters?|iterations?|updates?|batch(?:es)?|evals?|evaluations?|rounds?|epochs?|logs?|progress|ticks?|counts?|counter"
    r"|time|seen)\b|^[tin]$"
)
#: What people vary from run to run.
_SETTING = re.compile(
    r"\b(?:sizes?|lengths?|len|per|warm ?up|cool ?down|decay|accum\w*|interval|every|freq\w*|period|max|min|num workers|windows?|heads?|kv"
    r"|groups?|loops?|chunks?|blocks?|layers?|depth|width|dims?|hidden|experts?|top ?k|rank|ratio|mult\w*|factor|vocab\w*|context|ctx"
    r"|params?|lr|rate|temperature|dropout|beta|alpha|gamma|bits?|precision|patch|stride|kernel|conv|rope|theta|base|degree|order|shards?"
    r"|buckets?|memory|cache|slots?|registers?|sinks?|recurrences?|unroll\w*|horizon|lookahead|gpus?|devices?|nodes?)\b"
)
_LONG = 10  # rows from which a loss may rise now and then
_MOST = 1e9  # beyond it the seconds of a date


def along_unread(
    names: pd.Series | None, frame: pd.DataFrame, measured: np.ndarray, table: Table, mapping: Mapping, stem: str
) -> Rows | None:
    """Rows as checkpoints along a counter that was read as no column, where a person says that they are; None where there is none.

    `names` (n,) are run names, `measured` (n,) the rows with a loss. Raises `MappingNeeded` where nobody has said.
    """
    counter = _counter(names, frame, measured, table, mapping)
    if not counter:
        return None
    steps = mapping.guesses.get("steps")
    plan = steps.header if steps is not None and "planned" in steps.how else mapping.header("total_steps") or ""
    along = Question(
        "columns.steps", f"Which column holds the steps at each row: {counter} or {plan}?", (counter, plan), counter
    )
    if not mapping.rows:
        text = (
            f"The rows are alike but for {counter!r}, which rises from row to row: are they checkpoints along it, or runs of "
            "their own?"
        )
        asked = Question("rows", text, ("checkpoints", "runs"), "checkpoints")
        raise MappingNeeded(f"{table.name}: {text}", (asked, along) if plan else (asked,))
    if plan and steps is not None and "planned" in steps.how:
        raise MappingNeeded(f"{table.name}: {along.text}", (along,))
    label = names if names is not None else pd.Series([stem] * len(frame), dtype="str")
    if names is None and _keys(frame):
        label = pd.Series([f"{stem} {k + 1}" for k in _key(frame)], dtype="str", index=frame.index)
    return Rows("history", label, counter, f"rows are checkpoints along {counter!r}, as you said")


def _counter(names: pd.Series | None, frame: pd.DataFrame, measured: np.ndarray, table: Table, mapping: Mapping) -> str:
    """The header of an unread column that rises along rows which are alike in size, plan, batch and name; '' where none does.

    Its name sounds like a counter's, or it rises evenly while the loss falls, under a name that is no setting's.
    """
    if measured.sum() < LEAST:
        return ""
    key = numbered((_key(frame) if names is None else names.to_numpy())[measured])
    fewest = int(sizes(key).min())
    if fewest < LEAST or (names is not None and blank(names)[measured].any()):
        return ""
    rows = only(frame, measured)
    if any(vary(key, rows[c]) for c in (*_ALIKE, *PROGRESS) if c in rows):
        return ""
    falls = fewest >= FALLING and "loss" in rows and _falls(rows["loss"], key, 0.8 if fewest >= _LONG else 1.0)
    settled = not any(vary(key, rows[c]) for c in _SETTINGS if c in rows)
    used = {g.header for g in mapping.guesses.values()}
    for header in table.headers[:MAX_EXTRAS]:
        if header in used or header in table.from_name or loss_name(header) is not None:
            continue
        found = table.numbers(header)
        values = found.values[measured]
        if found.share < 1.0 or found.written or not np.isfinite(values).all() or np.abs(values).max() > _MOST:
            continue
        apart = steps(key, values)
        apart = apart[~np.isnan(apart)]
        if (values != np.round(values)).any() or not (apart > 0).all():
            continue
        words = take_apart(header).path.lower()
        counts = bool((apart == 1).all()) or bool(_NUMBERED.search(words))
        setting = bool(_SETTING.search(words))
        sounds = bool(_COUNTER.search(words)) and settled and not counts
        spaced = falls and all(evenly(values[at]) for at in each(key))
        if mapping.rows or ((sounds or spaced) and not setting):
            return header
    return ""


def _falls(loss: pd.Series, key: Array, share: float) -> bool:
    """Whether the losses of this share of every two rows of a run, in the order of the file, fall."""
    change = steps(key, loss.to_numpy())
    change = change[~np.isnan(change)]
    return bool(len(change)) and float(np.mean(change < 0)) >= share


def _keys(frame: pd.DataFrame) -> list[str]:
    return [c for c in ("family", *CONSTANT) if c in frame and different(frame[c]) > 1]


def _key(frame: pd.DataFrame) -> Array:
    """A number for each row (n,) from the columns that tell runs apart."""
    keys = _keys(frame)
    return numbered(*(frame[c] for c in keys)) if keys else np.zeros(len(frame), dtype=np.int64)
