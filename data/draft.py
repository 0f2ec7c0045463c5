"""A runs table in the making, and the order of its columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from data.errors import Question
from data.schema import COLUMNS, Provenance

MAX_EXTRAS = 100  # columns of the file's own that are carried along


@dataclass
class Draft:
    """A runs table in the making: its columns so far, how each was got, and what is to be said and asked about them."""

    frame: pd.DataFrame
    sources: list[Provenance] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    no_place: dict[int, str] = field(default_factory=dict)  # rows whose step is a word, each with the reason against it
    several: bool = False  # whether rows of one name may be those of runs at other batches

    def got(self, column: str, how: str) -> bool:
        """Whether the column was got in this way."""
        return any(s.column == column and s.how == how for s in self.sources)


def ordered(frame: pd.DataFrame, more: Mapping[str, pd.Series] | None = None) -> pd.DataFrame:
    """The frame, with `more` columns (n,) behind its own, and the columns of the runs table first, in their order."""
    columns = {c: frame[c].array for c in frame} | {c: values.array for c, values in (more or {}).items()}
    wanted = [*(c for c in COLUMNS if c in columns), *(c for c in columns if c not in COLUMNS)]
    if list(frame) == wanted:
        return frame
    out = pd.DataFrame({c: columns[c] for c in wanted}, index=frame.index)
    out.columns = pd.Index(wanted, dtype=frame.columns.dtype)
    return out
