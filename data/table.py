"""A table as a file holds it: headers and cells, before anything is known about their meaning."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePath

import numpy as np
import pandas as pd

from data.cells.markup import words
from data.cells.own_units import with_own_units
from data.cells.parts_done import done_alone, of_a_plan
from data.cells.signs import with_signs_settled
from data.cells.thousands import NEVER, with_thousands_doubted
from data.cells.values import Numbers, numbers


@dataclass(frozen=True)
class Open:
    """What a column may hold: canonical columns, the likelier first, the fact that a question on it begins with, and the header
    that is likelier the first of them ('' where none is). `taken` says that it was taken for the first without asking.
    """

    columns: tuple[str, ...]
    text: str
    guess: str = ""
    taken: bool = False


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
    stem: str = ""  # what a run is called that has no name but its file's
    label: str = ""  # what the file is called beside the others that are read with it
    place: tuple[str, str] = (
        "",
        "",
    )  # the folder and the file's name without its ending, where several are read together
    alone: bool = False  # whether the table is one file of several, so that a single row is a run of that name
    #: Headers of columns that were read off the file's name: the canonical column, and the text that says it.
    from_name: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    #: Headers whose column follows from what stands beside them: the canonical column ('' for none), and why.
    told: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    order: str = ""  # the header along which a run's rows are its checkpoints, where the reader knows that they are
    either_way: bool = False  # names of columns stand in the first row and in the first column
    misfits: Mapping[int, str] = field(default_factory=dict)  # lines whose cells may not be their columns', and why
    said: tuple[str, ...] = ()  # lines of words above and below the table: a title, a caption, a heading
    copies: Mapping[int, int] = field(default_factory=dict)  # lines that repeat a row of an earlier table, and its line
    above: tuple[str, ...] = ()  # those of them that stand above it, from the top
    marked: Mapping[int, str] = field(default_factory=dict)  # lines that the file does not show, and how
    #: The table as the file has it, for a person who says that one of its columns is the loss.
    before: Table | None = None
    #: Headers of columns that may be one of several things, which a person is asked about.
    open_columns: Mapping[str, Open] = field(default_factory=dict)
    _parsed: dict[tuple[str, str], Numbers] = field(default_factory=dict, init=False, repr=False)
    _texts: dict[str, pd.Series] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.stem:
            object.__setattr__(self, "stem", PurePath(self.name).stem or self.name)

    @cached_property
    def headers(self) -> tuple[str, ...]:
        """The file's column names, made unique."""
        return tuple(map(str, self.frame.columns))

    @cached_property
    def digest(self) -> str:
        """The sha256 of the headers and of every cell as text, in the file's order."""
        h = hashlib.sha256("\0".join(self.headers).encode("utf-8", "surrogatepass"))
        for header in self.headers:
            cells = self.text(header)
            h.update(f"\1{len(cells)}\0".encode() + "\0".join(cells).encode("utf-8", "surrogatepass"))
        return h.hexdigest()

    def numbers(self, header: str, dimension: str = "") -> Numbers:
        """The column under `header` read as numbers; letters behind them as a column of that dimension means them.

        Without a dimension (a value of `data.units.factors.DIMENSION`) m is a million wherever it stands.
        """
        key = header, dimension
        if key not in self._parsed:
            if dimension:
                found = self.numbers(header)
                found = with_signs_settled(found, dimension == "loss")
                cells = self._cells(header) if found.written or found.bad.any() else self.frame[header]
                if dimension not in NEVER:
                    found = with_thousands_doubted(found, cells, self.decimal)
                self._parsed[key] = with_own_units(found, cells, found.decimal or self.decimal, dimension)
            else:
                found = numbers(self.frame[header], self.decimal)
                if found.bad.any() and not (cells := self._cells(header)).equals(self.frame[header]):
                    found = numbers(cells, self.decimal)
                    found = replace(found, notes=(*found.notes, "of cells such as 12k/40k, what was done is read"))
                self._parsed[key] = found
        return self._parsed[key]

    def _cells(self, header: str) -> pd.Series:
        """The cells (n,) that numbers are read from: of what was done of a plan (12k/40k), what was done."""
        cells = self.frame[header]
        return done_alone(cells, header) if of_a_plan(header) else cells

    def text(self, header: str, rows: int | None = None) -> pd.Series:
        """The column under `header` as text, '' where nothing is written; of its first `rows` alone if that is given."""
        if rows is not None:
            return self._text(header, rows)
        if header not in self._texts:
            self._texts[header] = self._text(header, None)
        return self._texts[header]

    def _text(self, header: str, rows: int | None) -> pd.Series:
        cells = self.frame[header][:rows]
        if pd.api.types.is_float_dtype(cells.dtype):
            values = cells.to_numpy(dtype="float64", na_value=np.nan)
            whole = np.isfinite(values) & (values == np.round(values)) & (np.abs(values) < 1e15)
            out = [("" if v != v else str(int(v)) if w else repr(float(v))) for v, w in zip(values, whole, strict=True)]
        else:
            out = ["" if c is None or c is pd.NA or c != c else str(c).strip() for c in cells.astype(object)]
        return pd.Series(all_clean(out), index=cells.index, dtype="str")

    def names(self, header: str) -> pd.Series:
        """The column under `header` as names without the marks around the whole of them: **124M** is 124M.

        Marks stay where names would be the same without them.
        """
        text = self.text(header)
        plain = {name: _unmarked(name) for name in pd.unique(text)}
        if all(name == without for name, without in plain.items()):
            return text
        often = Counter(plain.values())
        return text.map({n: w if often[w] == 1 else n for n, w in plain.items()}).astype("str")


# What stands before and behind a name that is emphasised, or a link, as a whole.
_BEFORE = re.compile(r"[*_`~]*(?:\\(?:text(?:bf|it|tt)|sout|st)\{|\[|<(?:b|strong|i|em|u|code|s|del|strike)>)?[*_`~]*")
_BEHIND = re.compile(r"[*_`~]*(?:\}|\]\([^()]*\)|</(?:b|strong|i|em|u|code|s|del|strike)>)?[*_`~]*(?: ?[†‡§*])*")


def _unmarked(name: str) -> str:
    plain = words(name)
    if plain == name or not plain:
        return name
    at = name.find(plain)
    while at >= 0:
        if _BEFORE.fullmatch(name[:at]) and _BEHIND.fullmatch(name[at + len(plain) :]):
            return plain
        at = name.find(plain, at + 1)
    return name


REASON = "\0reason"  # a name that no header can have


def without_misfits(table: Table) -> Table:
    """The table with the rows that do not fit its columns in `aside`, each with its reason."""
    if not table.misfits:
        return table
    odd = np.array([int(line) in table.misfits for line in table.lines], dtype=bool)
    reasons = np.array([table.misfits[int(line)] for line in table.lines[odd]], dtype=object)
    return replace(without_rows(table, odd, reasons), misfits={})


def without_rows(table: Table, odd: np.ndarray, reasons: np.ndarray) -> Table:
    """The table with the rows `odd` (n,) in `aside`, each with its reason: `reasons` (k,) are those of these rows alone."""
    if not odd.any():
        return table
    aside = table.frame[odd].reset_index(drop=True).assign(**{REASON: reasons})
    before = [] if table.aside is None else [table.aside]
    numbered = [] if table.aside_lines is None else [table.aside_lines]
    return replace(
        table,
        frame=table.frame[~odd].reset_index(drop=True),
        lines=table.lines[~odd],
        aside=pd.concat([*before, aside], ignore_index=True) if before else aside,
        aside_lines=np.concatenate([*numbered, table.lines[odd]]),
    )


_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_LONGEST = 300  # characters of a header or of a cell of text that are carried along


def clean(text: str) -> str:
    """The text without control signs, halves of characters or excess length, none of which names anything."""
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    return _UNPRINTABLE.sub(" ", text).strip() if _UNPRINTABLE.search(text) else text


def all_clean(texts: list[str]) -> list[str]:
    """Each of the texts without what `clean` takes away; together they are looked through once."""
    if max(map(len, texts), default=0) <= _LONGEST and not _UNPRINTABLE.search("".join(texts)):
        return texts
    return list(map(clean, texts))


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
