"""A table as a file holds it: headers and cells, before anything is known about their meaning."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd

from data.cells.cleaned import all_clean, clean
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
class Kept:
    """What was taken out of a frame once, by header: to fetch a column of few rows costs more than to look through it."""

    frame: pd.DataFrame | None = None
    objects: dict[str, np.ndarray] = field(default_factory=dict)  # the cells of columns of objects, as they stand there
    columns: dict[str, pd.Series] = field(default_factory=dict)
    cells: dict[str, np.ndarray] = field(default_factory=dict)
    written: dict[str, list[str]] = field(default_factory=dict)
    texts: dict[str, pd.Series] = field(default_factory=dict)
    names: dict[str, pd.Series] = field(default_factory=dict)
    numbers: dict[tuple[str, str, str], Numbers] = field(default_factory=dict)

    @cached_property
    def headers(self) -> tuple[str, ...]:
        """The frame's column names."""
        return () if self.frame is None else tuple(map(str, self.frame.columns.tolist()))


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
    called: Mapping[int, str] = field(default_factory=dict)  # names of lines, as the index of a data frame gives them
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
    kept: Kept = field(default_factory=Kept, repr=False)  # shared by all tables of the same frame

    def __post_init__(self) -> None:
        if not self.stem:
            object.__setattr__(self, "stem", PurePath(self.name).stem or self.name)
        if self.kept.frame is not self.frame:
            object.__setattr__(self, "kept", Kept(self.frame))

    @property
    def headers(self) -> tuple[str, ...]:
        """The file's column names, made unique."""
        return self.kept.headers

    @cached_property
    def digest(self) -> str:
        """The sha256 of the headers and of every cell as text, in the file's order."""
        h = hashlib.sha256("\0".join(self.headers).encode("utf-8", "surrogatepass"))
        for header in self.headers:
            cells = self.written(header)
            h.update(f"\1{len(cells)}\0".encode() + "\0".join(cells).encode("utf-8", "surrogatepass"))
        return h.hexdigest()

    def numbers(self, header: str, dimension: str = "") -> Numbers:
        """The column under `header` read as numbers; letters behind them as a column of that dimension means them.

        Without a dimension (a value of `data.units.factors.DIMENSION`) m is a million wherever it stands.
        """
        parsed, key = self.kept.numbers, (header, dimension, self.decimal)
        if key not in parsed:
            if dimension:
                found = self.numbers(header)
                found = with_signs_settled(found, dimension == "loss")
                cells = self._cells(header) if found.written or found.bad.any() else self.raw(header)
                if dimension not in NEVER:
                    found = with_thousands_doubted(found, cells, self.decimal)
                parsed[key] = with_own_units(found, cells, found.decimal or self.decimal, dimension)
            else:
                found = numbers(self.raw(header), self.decimal)
                if (
                    found.bad.any()
                    and of_a_plan(header)
                    and not (done := done_alone(self.column(header), header)).equals(self.column(header))
                ):
                    found = numbers(done, self.decimal)
                    found = replace(found, notes=(*found.notes, "of cells such as 12k/40k, what was done is read"))
                parsed[key] = found
        return parsed[key]

    def _cells(self, header: str) -> pd.Series | np.ndarray:
        """The cells (n,) that numbers are read from: of what was done of a plan (12k/40k), what was done."""
        return done_alone(self.column(header), header) if of_a_plan(header) else self.raw(header)

    def raw(self, header: str) -> pd.Series | np.ndarray:
        """The column (n,) under `header`; of one of objects its cells, which are quicker to come by."""
        objects = self.kept.objects
        if header not in objects:
            column = self.column(header)
            if column.dtype != object:
                return column
            objects[header] = column.to_numpy()
        return objects[header]

    def column(self, header: str) -> pd.Series:
        """The column (n,) under `header` as the frame has it, which is not to be written to."""
        columns = self.kept.columns
        if header not in columns:
            columns[header] = self.frame[header]
        return columns[header]

    def of_numbers(self, header: str) -> bool:
        """Whether the column under `header` holds numbers, or yes and no, and no objects that are read as such."""
        raw = self.raw(header)
        return not isinstance(raw, np.ndarray) and pd.api.types.is_numeric_dtype(raw.dtype)

    def cells(self, header: str) -> np.ndarray:
        """The cells (n,) under `header` as objects, which are not to be written to."""
        found = self.kept.cells.get(header)
        if found is None:
            raw = self.raw(header)
            if isinstance(raw, np.ndarray):
                return raw
            found = raw.astype(object).to_numpy()
            if len(found) <= _MOST_KEPT:
                self.kept.cells[header] = found
        return found

    def first(self, header: str, rows: int) -> list[Any]:
        """The first `rows` cells under `header`, as objects."""
        raw = self.raw(header)[:rows]
        return list(raw) if isinstance(raw, np.ndarray) else raw.astype(object).tolist()

    def written(self, header: str, rows: int | None = None) -> list[str]:
        """The cells (n,) under `header` as text, '' where nothing is written; of the first `rows` alone if that is given.

        The list is not to be written to.
        """
        written = self.kept.written
        if header not in written:
            if rows is not None and rows < len(self.frame):
                return _written(self.raw(header)[:rows])
            written[header] = _written(self.raw(header))
        return written[header][:rows] if rows is not None else written[header]

    def text(self, header: str, rows: int | None = None) -> pd.Series:
        """The column under `header` as text, '' where nothing is written; of its first `rows` alone if that is given."""
        texts = self.kept.texts
        if header in texts or rows is None or rows >= len(self.frame):
            if header not in texts:
                texts[header] = as_text(self.written(header), self.frame.index)
            return texts[header] if rows is None else texts[header][:rows]
        return as_text(self.written(header, rows), self.frame.index[:rows])

    def names(self, header: str) -> pd.Series:
        """The column under `header` as names without the marks around the whole of them: **124M** is 124M.

        Marks stay where names would be the same without them.
        """
        names = self.kept.names
        if header not in names:
            written = self.written(header)
            plain = {name: _unmarked(name) for name in dict.fromkeys(written)}
            if all(name == without for name, without in plain.items()):
                names[header] = self.text(header)
            else:
                often = Counter(plain.values())
                shown = {n: w if often[w] == 1 else n for n, w in plain.items()}
                names[header] = as_text([shown[n] for n in written], self.frame.index)
        return names[header]


_FEW_CELLS = 100_000  # of a table that is kept as Python's objects whatever they are


def kept_of(names: Sequence[str], columns: Sequence[Sequence[Any]], rows: int) -> tuple[pd.DataFrame, Kept]:
    """The frame of these columns (each of `rows` cells) under their names, which differ from each other, and its cells."""
    if len(names) * rows > _FEW_CELLS:
        cells = {n: np.array(c, dtype=object) for n, c in zip(names, columns, strict=True)}
        frame = pd.DataFrame(cells, index=pd.RangeIndex(rows))
        return frame, Kept(frame)
    block = np.empty((len(names), rows), dtype=object)
    for k, column in enumerate(columns):
        block[k] = column
    frame = pd.DataFrame(block.T, columns=names, dtype=object)
    block.flags.writeable = False
    return frame, Kept(frame, dict(zip(names, block, strict=True)))


_FEW_ROWS = 1_000  # up to which strings are quicker to hand as Python's own
_MOST_KEPT = 20_000  # cells of numbers that are kept as objects as well
_TEXT = pd.StringDtype("python", na_value=np.nan)


def as_text(cells: list[str], index: pd.Index) -> pd.Series:
    """The cells (n,) as a column of pandas' `str`."""
    return pd.Series(cells, index=index, dtype=_TEXT if len(cells) <= _FEW_ROWS else "str")


def _written(cells: pd.Series | np.ndarray) -> list[str]:
    """The cells (n,) as text, '' where nothing is written."""
    if not isinstance(cells, np.ndarray) and pd.api.types.is_float_dtype(cells.dtype):
        values = cells.to_numpy(dtype="float64", na_value=np.nan)
        whole = np.isfinite(values) & (values == np.round(values)) & (np.abs(values) < 1e15)
        pairs = zip(values.tolist(), whole.tolist(), strict=True)
        return ["" if v != v else str(int(v)) if w else repr(v) for v, w in pairs]
    objects = cells.astype(object).tolist()
    if set(map(type, objects)) <= {str}:
        return all_clean([c.strip() for c in objects])
    return all_clean(["" if c is None or c is pd.NA or c != c else str(c).strip() for c in objects])


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
