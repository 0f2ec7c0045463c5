"""What a log writes for a loss that was not evaluated at a step: -1, or 0, between measured losses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data.headers.names import loss_name, named
from data.schema import COUNTS
from data.table import Table

_WRITTEN = (-1.0, 0.0)  # no loss of a language model
_SURE = 0.6  # of a name that means a column, as in `data.recognise`
_ALONG = ("steps", "epochs", "tokens", "samples")
_OF_A_RUN = ("run", "family", *COUNTS)  # what differs from run to run


def evaluated(table: Table) -> Table:
    """The table without the losses that say by -1 or 0 that none was measured: blank for -1, NaN for 0, and a note on each column.

    It is so where all the numbers of the column that are not above zero are one of the two, and one of them stands between two
    measured losses of a curve. A 0 at the end of a curve may be a run that broke, which `data.losses.not_measured` judges.
    """
    losses = [h for h in table.headers if loss_name(h) is not None and (table.numbers(h, "loss").values <= 0).any()]
    counter = next((v for h in table.headers if (v := _counter(table, h)) is not None), None) if losses else None
    if counter is None:
        return table
    anew = np.diff(counter) < 0
    for header in table.headers:
        if any(c in _OF_A_RUN and sure >= _SURE for c, sure in named(header)):
            cells = table.text(header).to_numpy()
            anew |= cells[1:] != cells[:-1]
    curve = np.r_[0, np.cumsum(anew)]
    new, notes = {}, list(table.notes)
    for header in losses:
        values = table.numbers(header, "loss").values
        none = np.isfinite(values) & (values <= 0)
        if not none.any():
            continue
        word = values[none][0]
        if word not in _WRITTEN or (values[none] != word).any() or not _between(none, values > 0, curve):
            continue
        cells = table.frame[header].astype(object)
        new[header] = cells.mask(none, None if word else "nan")
        many = int(none.sum())
        notes.append(
            f"{header[:60]!r} is {word:g} in {many:,} row{'' if many == 1 else 's'}, between measured losses: it was not evaluated there."
        )
    return replace(table, frame=table.frame.assign(**new), notes=tuple(notes)) if new else table


def _counter(table: Table, header: str) -> np.ndarray | None:
    """The values (n,) of a column along which the rows are a curve, or several behind each other; None where they are not."""
    if loss_name(header) is not None or not any(c in _ALONG and sure >= _SURE for c, sure in named(header)):
        return None
    values = table.numbers(header).values
    moves = np.diff(values)
    if len(values) < 3 or not np.isfinite(values).all() or (moves > 0).mean() <= 0.5:
        return None
    return np.asarray(values)


def _between(none: np.ndarray, measured: np.ndarray, curve: np.ndarray) -> bool:
    """Whether one of the rows (n,) with `none` stands between two `measured` ones of its curve."""
    place = np.arange(len(none))
    last, first = np.full(curve[-1] + 1, -1), np.full(curve[-1] + 1, len(none))
    np.maximum.at(last, curve[measured], place[measured])
    np.minimum.at(first, curve[measured], place[measured])
    return bool((none & (place > first[curve]) & (place < last[curve])).any())
