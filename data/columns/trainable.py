"""A column of trainable parameters: the whole model's in a training from scratch, an adapter's beside a frozen model."""

from __future__ import annotations

import re

import numpy as np

from data.columns.settled import TAKEN, Offers, middle
from data.errors import NO_COLUMN, Question
from data.filenames.columns import borne_out
from data.headers.parts import header as take_apart
from data.headers.parts import scale_in
from data.schema import COUNTS
from data.table import Table
from data.units.factors import DIMENSION

_TRAINABLE = re.compile(r"\b(?:train|learn)able\b")
_SAME = 0.05  # how far below a model's size another count of it may be rounded
_BORNE_OUT = 0.25  # how near compute is to 6 × parameters × tokens where it was counted so
_A_PARAMETER = 5, 200  # tokens a parameter of models trained from scratch
_APART = 2.0  # how far sizes of one table are apart
_WHOLE = 0.9  # of the 12 × layers × width² of a transformer what its parameters are at least


@np.errstate(all="ignore")
def settle_trainable(table: Table, offers: Offers, settled: set[str], notes: list[str]) -> list[Question]:
    """Leave trainable parameters beside another count, which is said, and ask where they stand alone and may be an adapter's.

    They are the whole model's where sizes in names, compute or layers and width say so. Where tokens a parameter are those of
    models trained from scratch they are read so, and the question need not be answered.
    """
    own = [
        o for o in offers if o[0] == "params" and offers[o][0] >= TAKEN and _TRAINABLE.search(take_apart(o[1]).words)
    ]
    asked: list[Question] = []
    for o in own:
        other = max(
            ((s, h) for (c, h), (s, _) in offers.items() if c in COUNTS and h != o[1] and s >= TAKEN), default=None
        )
        if other is not None:
            offers[o] = 0.5, "those that are trained, beside another count"
            ratio = middle(_values(table, o[1], "params") / _values(table, other[1], "params"))
            if ratio < 1 - _SAME:  # more of them than without embeddings is no adapter's
                notes.append(
                    f"{o[1]!r} counts what was trained, {ratio:.2g} times {other[1]!r}: the size of the model is {other[1]!r}."
                )
        elif not settled & set(COUNTS) and not _whole(table, offers, o[1]):
            text = (
                f"Is {o[1]!r} (around {middle(_values(table, o[1], 'params')):.3g}) the size of the whole model? Of an adapter on a "
                f"frozen model it is but a part. Choose {NO_COLUMN!r} where it is no model's size."
            )
            asked.append(
                Question("columns.params", text, (o[1], NO_COLUMN), o[1], not _as_trained(table, offers, o[1]))
            )
    return asked


def _as_trained(table: Table, offers: Offers, header: str) -> bool:
    """Whether tokens rise with sizes that differ, at as many a parameter as models are trained on from scratch.

    Adapters see far more or far fewer a parameter, or the same tokens whatever their rank.
    """
    size, tokens = _values(table, header, "params"), _of(table, offers, "tokens")
    if tokens is None:
        return False
    both = np.isfinite(size) & np.isfinite(tokens)
    if not both.any():
        return False
    size, tokens = size[both], tokens[both]
    few, many = _A_PARAMETER
    each = tokens / size
    return bool(
        ((each >= few) & (each <= many)).all()
        and size.max() >= _APART * size.min()
        and tokens[size.argmax()] > tokens[size.argmin()]
    )


def _whole(table: Table, offers: Offers, header: str) -> bool:
    """Whether what stands beside trainable parameters says that they are the whole model."""
    size = _values(table, header, "params")
    tokens, flops, layers, width = (_of(table, offers, c) for c in ("tokens", "flops", "layers", "width"))
    if tokens is not None and flops is not None and abs(middle(flops / (6.0 * size * tokens)) - 1) < _BORNE_OUT:
        return True
    if layers is not None and width is not None and middle(size / (12.0 * layers * width**2)) > _WHOLE:
        return True
    return borne_out(table, header)


def _of(table: Table, offers: Offers, column: str) -> np.ndarray | None:
    """The values (n,) of the surest column of a kind; None where the table offers none."""
    found = max(((s, h) for (c, h), (s, _) in offers.items() if c == column and s >= TAKEN), default=None)
    return None if found is None else _values(table, found[1], column)


def _values(table: Table, header: str, column: str) -> np.ndarray:
    return table.numbers(header, DIMENSION.get(column, "")).scaled(scale_in(header, column)[0])
