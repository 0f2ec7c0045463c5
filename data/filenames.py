"""Columns for what the names of a file, of its folders and of runs say, and a name for the run of each file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from data.headers import scale_in
from data.in_names import facts
from data.markup import words
from data.names import named
from data.points import pointed
from data.schema import COUNTS
from data.table import Table, clean, unique

__all__ = ["MOST_NAMES", "facts", "run_names", "with_facts", "with_name_facts"]

Facts = dict[str, tuple[float, str]]
_COUNTED = ("params_total", "params_active")  # of a mixture
MOST_NAMES = 20_000  # names of runs that are looked into
OF_FILE = "in the file's name"  # how the header of a column ends that was read off it
_APART = "the number before it left out"  # of a size that may have lost its decimal point


def with_facts(table: Table, parts: Sequence[str]) -> Table:
    """The table with a column for each thing that the names of its file and folders say, marked as such."""
    read = pointed(parts)
    one, other = facts([read.texts[p] for p in parts]), facts([read.others[p] for p in parts])
    said = [(c, f"{c} {OF_FILE}", *fact) for c, fact in one.items()]
    said += [(c, f"{c} {OF_FILE}, {_APART}", *fact) for c, fact in other.items() if c in one and one[c][0] != fact[0]]
    if not said:
        return table
    frame = table.frame.copy(deep=False)
    headers = unique([*map(str, frame.columns), *(title for _, title, *_ in said)])[len(frame.columns) :]
    for header, (_, _, value, _) in zip(headers, said, strict=True):
        frame[header] = pd.Series([f"{value:.12g}"] * len(frame), index=frame.index, dtype=object)
    names = {h: (column, text) for h, (column, _, _, text) in zip(headers, said, strict=True)}
    return replace(table, frame=frame, from_name=names)


def with_name_facts(table: Table) -> Table:
    """The table with a column for what nearly all names of its runs or models say (23M-cosine), and no column does."""
    headers = [h for h in table.headers if any(c in ("run", "family") for c, s in named(h) if s >= 0.6)][:3]
    have = {c for h in table.headers for c, s in named(h) if s >= 0.6 and table.numbers(h).share >= 0.5}
    if have & set(COUNTS):
        have |= {"params"}
    if have & {"batch", "steps", "samples"}:
        have |= {"tokens"}  # they follow from these
    frame, said = table.frame, dict(table.from_name)
    for header in headers:
        # Each name is looked at once, and no text is made of each row: one long text may stand in two million of them.
        names = dict.fromkeys(table.frame[header].astype(object))
        if not 2 <= len(names) <= MOST_NAMES or table.numbers(header).share >= 0.9:
            continue
        texts = {name: clean(words(name)) for name in names if isinstance(name, str) and name.strip()}
        read = pointed(texts.values())
        found = {name: facts([read.texts[text]]) for name, text in texts.items()}
        other = {name: facts([read.others[text]]) for name, text in texts.items()} if read.open else found
        beside = _active_beside(table, header, have, found)
        if not beside and any("params_active" in f for f in found.values()):
            for f in found.values():  # beside mixtures, a dense model's parameters are all active
                if "params" in f:
                    f["params_total"] = f["params_active"] = f.pop("params")
        for column in ("params", "params_total", "params_active", "tokens"):
            known = {name: f[column] for name, f in found.items() if column in f}
            said_of = _COUNTED if column in _COUNTED else (column,)
            differ = len({tuple(f.get(c, (0.0, ""))[0] for c in said_of) for f in found.values()}) > 1
            taken = column in have or (column in _COUNTED and "params" in have)
            wanted = not taken and len(known) >= 0.9 * len(found) and differ
            if not wanted and not (beside and column == "params_active"):
                continue
            title = unique([*map(str, frame.columns), f"{column} in {header}"])[-1]
            frame = frame.assign(**{title: _column(table.frame[header], known)})
            said[title] = (column, next(iter(known.values()))[1])
            have.add(column)
            apart = {name: f[column] for name, f in other.items() if column in f and column in found[name]}
            differ_at = next((n for n, (v, _) in apart.items() if v != known[n][0]), None)
            if differ_at is not None:
                also = unique([*map(str, frame.columns), f"{title}, {_APART}"])[-1]
                frame = frame.assign(**{also: _column(table.frame[header], apart)})
                said |= {title: (column, known[differ_at][1]), also: (column, apart[differ_at][1])}
    return table if frame is table.frame else replace(table, frame=frame, from_name=said)


def _column(names: pd.Series, known: Mapping[str, tuple[float, str]]) -> pd.Series:
    """A column of the numbers that names (n,) say, '' where they say none."""
    cells = names.astype(object).map({name: f"{v:.12g}" for name, (v, _) in known.items()})
    return cells.where(cells.notna(), "").astype(object)


def _active_beside(table: Table, header: str, have: set[str], found: Mapping[str, Facts]) -> bool:
    """Whether names say what a mixture computes with, and the table counts all its parameters and nothing less.

    A model whose name does not say it is dense: all of its parameters are active.
    """
    sizes = {name: (f["params_total"][0], f["params_active"][0]) for name, f in found.items() if {*_COUNTED} <= set(f)}
    if not sizes or "params_active" in have:
        return False
    if "params_total" in have:
        return True
    counts = [h for h in table.headers if any(c in COUNTS for c, s in named(h)[:1] if s >= 0.6)]
    cells = table.frame[header].astype(object)
    at = [i for i, c in enumerate(cells) if c in sizes]
    for h in counts:
        values = table.numbers(h, "count").values[at] * scale_in(h, "params")[0]
        near = [
            abs(math.log(v / total)) < abs(math.log(v / active))
            for v, (total, active) in zip(values, (sizes[c] for c in cells.iloc[at]), strict=True)
            if v > 0 and math.isfinite(v)
        ]
        if near and all(near):
            return True
    return False


def run_names(paths: Sequence[Sequence[str]]) -> list[str]:
    """A name for the run of each file from the parts of its path: the stem, or the folder's where files share theirs."""
    stems = [parts[-1] if parts else "" for parts in paths]
    if len(stems) > 1 and len(set(stems)) == 1:
        folders = [parts[:-1] for parts in paths]
        if all(folders) and len({tuple(f) for f in folders}) == len(folders):
            return ["/".join(f[_shared(folders) :]) or f[-1] for f in folders]
    return [
        "/".join(parts[-2:]) if stems.count(stem) > 1 and len(parts) > 1 else stem
        for parts, stem in zip(paths, stems, strict=True)
    ]


def _shared(folders: Sequence[Sequence[str]]) -> int:
    """How many leading folders all paths have in common."""
    k = 0
    while all(len(f) > k + 1 for f in folders) and len({f[k] for f in folders}) == 1:
        k += 1
    return k
