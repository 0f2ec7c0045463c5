"""A mask of True and False over runs: whom its values mean, by the labels of its index or by position."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from data.cells.cleaned import clean
from data.errors import DataError
from data.given import LONGEST, in_short
from data.spelling import nearest

MOST_SAID = 3


def given_names(x: Any, what: str = "runs") -> list[Any]:
    """What names runs, or is a mask over them, as a list. Raises DataError for what is neither, and for a frame, which is many masks."""
    if isinstance(x, pd.DataFrame):
        has = f": frame[{x.columns[0]!r}]" if len(x.columns) and isinstance(x.columns[0], str) else ""
        raise DataError(
            f"{what} is names of runs, or one mask over them; it was a DataFrame. Give one of its columns{has:.60}."
        )
    if isinstance(x, str):
        return [x]
    if not isinstance(x, Iterable) or isinstance(x, bytes):
        raise DataError(f"{what} is names of runs, or a mask over them; it was {in_short(x)}. Give a list of names.")
    return list(x)


def not_called(unknown: Sequence[str], names: Sequence[str]) -> str:
    """That no kept run has these names, and which there are, in a sentence."""
    each = [f"{name:.{LONGEST}}{nearest(name, names)}" for name in unknown[:MOST_SAID]]
    more = f" and {len(unknown) - MOST_SAID} more" if len(unknown) > MOST_SAID else ""
    known = ", ".join(f"{name:.{LONGEST}}" for name in names[:MOST_SAID])
    others = f" and {len(names) - MOST_SAID} more" if len(names) > MOST_SAID else ""
    return f"no kept run is called {', '.join(each)}{more}. Name some of those kept: {known}{others}."


def is_mask(values: Sequence[Any]) -> bool:
    """Whether values hold a True or False, and so are no names."""
    return any(isinstance(one, bool | np.bool_) for one in values)


def masked(
    mask: Iterable[Any],
    names: Sequence[str],
    labels: Mapping[Hashable, str] | None = None,
    fresh: bool = False,
    own: Any = None,
) -> tuple[str, ...]:
    """The `names` of runs (n,) for which a mask is True: aligned by its index where it has one, else by position.

    `labels` are those of the frame that the runs were read from, each with its run's name. An index may hold the names, these
    labels, or the places 0 to n - 1 of `runs.kept`, in any order; the last is not meant where the frame is `fresh`, which nobody
    has seen as runs. Two indexes mean one thing alone: the very index of `runs.kept` (`own`), which a mask made from it has, and
    the labels in the order of the frame, where that is not 0 to n - 1. Raises DataError for another length, a value that is
    neither, an index of anything else, and one that says one thing as labels and another as places.
    """
    values = list(mask)
    index = getattr(mask, "index", None)
    at = None if index is None or callable(index) or not isinstance(index, Iterable) else list(index)
    if not all(isinstance(one, bool | np.bool_) for one in values):
        raise _other(values, names)
    if at is None:
        if len(values) != len(names):
            raise _other(values, names)
        return tuple(name for name, out in zip(names, values, strict=True) if out)
    said = dict(zip(at, values, strict=True))
    if len(said) < len(at):
        if len(values) != len(names):
            raise _other(values, names)
        raise DataError(
            "the index of a mask has a label more than once. Give one with the index of the table, or names of runs"
        )
    in_order = at == list(range(len(names)))
    if in_order and index is not None and own is not None and index.is_(own):
        return tuple(name for name, out in zip(names, values, strict=True) if out)
    texts = {clean(" ".join(str(label).split())): out for label, out in said.items()}
    readings = []
    if labels and set(names) <= (of := {labels[label] for label in said if label in labels}) and len(of) >= len(names):
        by_label = {labels[label]: out for label, out in said.items() if label in labels}
        readings.append([bool(by_label[name]) for name in names])
    if all(name in texts for name in names) and len(texts) == len(said):
        readings.append([bool(texts[name]) for name in names])
    of_frame = bool(readings and labels) and not in_order and at == list(labels or ())
    if set(at) == set(range(len(names))) and not ((fresh or of_frame) and readings):
        readings.append([bool(said[k]) for k in range(len(names))])
    if not readings:
        raise _unaligned(at, texts, names)
    if any(one != readings[0] for one in readings):
        raise DataError(
            'the index of a mask names other rows in the frame that was read than in runs.kept. Give runs.kept["run"][mask.to_numpy()] '
            "for a mask in the order of runs.kept, or mask.loc[frame.index] for one with the labels of the frame that was read"
        )
    return tuple(name for name, out in zip(names, readings[0], strict=True) if out)


def _other(values: Sequence[Any], names: Sequence[str]) -> DataError:
    return DataError(
        f"expected names of runs, or a mask of True and False for the {len(names)} runs kept; it was a mask of {len(values)} values. "
        "Give one True or False for each row of runs.kept"
    )


def _unaligned(at: Sequence[Any], texts: Mapping[str, Any], names: Sequence[str]) -> DataError:
    lacks = [name for name in names if name not in texts]
    if len(lacks) < len(names):
        return DataError(
            f"a mask whose index has {len(names) - len(lacks)} of the {len(names)} runs kept; it has no {lacks[0]!r:.60}. Give one with "
            "all of them, or the names of runs"
        )
    if len(at) != len(names):
        return _other(at, names)
    return DataError(
        f"a mask whose index ({', '.join(map(repr, at[:MOST_SAID]))} ...) is neither that of the table nor the runs' names. Give one with "
        "the index of the table, the names of runs, or mask.to_numpy(), in the order of runs.kept"
    )
