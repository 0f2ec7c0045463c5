"""A table as a file holds it: headers and cells, before anything is known about their meaning."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from data.cells import Numbers, numbers


@dataclass(frozen=True, eq=False)
class Table:
    """What a reader returns. `frame` holds the rows under the file's own headers, text or numbers as they came.

    `lines` (n,) is each row's number in the file, the header included, as a spreadsheet would show it. `aside` are rows
    that are no runs by their shape alone (headings of sections), each with `reason`; `aside_lines` their numbers.
    """

    frame: pd.DataFrame
    name: str
    format: str
    lines: np.ndarray
    notes: tuple[str, ...] = ()
    decimal: str = "."
    aside: pd.DataFrame | None = None
    aside_lines: np.ndarray | None = None
    brought_down: frozenset[str] = frozenset()  # headers whose values come from the headings above the rows
    one_run: str = ""  # the run's name, where the reader knows that the whole file is one run's history
    _parsed: dict[str, Numbers] = field(default_factory=dict, init=False, repr=False)

    @property
    def headers(self) -> tuple[str, ...]:
        """The file's column names, made unique."""
        return tuple(map(str, self.frame.columns))

    def numbers(self, header: str) -> Numbers:
        """The column under `header` read as numbers."""
        if header not in self._parsed:
            self._parsed[header] = numbers(self.frame[header], self.decimal)
        return self._parsed[header]

    def text(self, header: str) -> pd.Series:
        """The column under `header` as text, '' where nothing is written."""
        cells = self.frame[header]
        if pd.api.types.is_float_dtype(cells.dtype):
            values = cells.to_numpy(dtype="float64", na_value=np.nan)
            whole = np.isfinite(values) & (values == np.round(values)) & (np.abs(values) < 1e15)
            out = [("" if v != v else str(int(v)) if w else repr(float(v))) for v, w in zip(values, whole, strict=True)]
        else:
            out = ["" if c is None or c is pd.NA or c != c else str(c).strip() for c in cells.astype(object)]
        return pd.Series(list(map(clean, out)), index=cells.index, dtype="str")


_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_LONGEST = 300  # characters of a header or of a cell of text that are carried along


def clean(text: str) -> str:
    """The text without control signs, halves of characters or excess length, none of which names anything."""
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    return _UNPRINTABLE.sub(" ", text).strip() if _UNPRINTABLE.search(text) else text


def unique(headers: list[str]) -> list[str]:
    """The headers made unique: the second `loss` becomes `loss (2)`, a missing one `column 3`."""
    seen: set[str] = set()
    out = []
    for i, header in enumerate(map(clean, headers), start=1):
        name = base = header or f"column {i}"
        k = 2
        while name in seen:
            name, k = f"{base} ({k})", k + 1
        seen.add(name)
        out.append(name)
    return out
