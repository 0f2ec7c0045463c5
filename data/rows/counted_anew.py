"""Runs whose every counter begins anew at a resume: the loss tells whether training went on or began again."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.plural import agreeing
from data.rows.groups import each, numbered

Array = np.ndarray

COUNTERS = ("steps", "tokens", "samples", "flops", "wall_seconds")
ON, AGAIN = 0.4, 0.6  # of the loss's way from its end back to its beginning: below it went on, above it began again
_FALLEN = 0.02  # of the loss; one that fell by less tells neither


@np.errstate(all="ignore")
def counted_anew(frame: pd.DataFrame, names: pd.Series, progress: str, notes: list[str]) -> None:
    """Add to the counters of `frame` what each run had come to before they began anew, where its loss goes on, in place.

    A counter begins anew where `progress` falls to about its first value, in the order of the file. A loss back near that of
    the run's beginning says that training began again: there the later row of a place counts, as elsewhere. Between the two
    nothing is changed, and `notes` say so.
    """
    along = frame[progress].to_numpy(dtype=float)
    others = [frame[c].to_numpy(dtype=float) for c in ("steps", "tokens") if c in frame and c != progress]
    losses = frame["loss"].to_numpy(dtype=float)
    changed, went_on, unsure = 0, 0, 0
    for at in each(numbered(names)):
        at = at[np.isfinite(along[at])]
        falls = _beginnings(along[at])
        if not len(falls) or any((np.diff(v[at])[falls - 1] > 0).any() for v in others):
            continue  # or a counter that goes on says how far the run had come
        kinds = [_went_on(losses[at], along[at], int(i)) for i in falls]
        unsure += None in kinds
        if not any(kinds):
            continue
        went_on += 1
        changed += len(at) - int(falls[kinds.index(True)])
        for column in [c for c in COUNTERS if c in frame]:
            values = frame[column].to_numpy(dtype=float, copy=True)
            values[at] = _added(values[at], falls, kinds)
            frame[column] = values
    if went_on:
        rows_of = agreeing(changed, "row", "rows")
        runs = agreeing(went_on, "run", "runs")
        notes.append(
            f"{progress.capitalize()} begin anew in {runs} while the loss goes on, as after a resume: what came before is added "
            f"({rows_of} put right)."
        )
    if unsure:
        runs = agreeing(unsure, "run", "runs")
        notes.append(
            f"{progress.capitalize()} begin anew in {runs}, and the loss does not say whether training went on or began again: the "
            "later row of a place counts."
        )


def _beginnings(values: Array) -> Array:
    """Where a counter (n,) falls to its first value, or to the next where that is 0; none where some fall is to another.

    What follows passes places again that were passed before: rows in no order do not.
    """
    falls = np.flatnonzero(np.diff(values) < 0) + 1
    if not len(falls):
        return falls
    first = values[1] if values[0] == 0 else values[0]
    ends = [*falls[1:], len(values)]
    again = all(np.isin(values[i:k], values[:i]).any() for i, k in zip(falls, ends, strict=True))
    return falls if again and (values[falls] <= first).all() else falls[:0]


def _went_on(losses: Array, along: Array, at: int) -> bool | None:
    """Whether the losses (n,) from `at` on go on where those before it ended; None where they do not tell."""
    known = np.flatnonzero(np.isfinite(losses))
    before, after = known[known < at], known[known >= at]
    if len(before) < 2 or not len(after):
        return None if len(before) and len(after) else False
    first = before[along[before] <= along[after[0]]]
    start, end, now = losses[first[-1] if len(first) else before[0]], losses[before[-1]], losses[after[0]]
    if start - end <= _FALLEN * abs(end):
        return None
    way = (now - end) / (start - end)
    return True if way < ON else False if way > AGAIN else None


def _added(values: Array, falls: Array, kinds: list[bool | None]) -> Array:
    """A counter (n,) with what it had come to before each fall at which training went on; one that does not fall stays."""
    out = values.copy()
    for i, went_on in zip(falls, kinds, strict=True):
        before = out[:i][np.isfinite(out[:i])]
        if len(before) and values[i] < values[:i][np.isfinite(values[:i])][-1]:
            base = before[-1] if went_on else 0.0
            out[i:] = values[i:] + base
    return out
