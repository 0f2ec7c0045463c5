"""Columns for what the names of a file, of its folders and of runs say, and a name for the run of each file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from data.cells.cleaned import clean
from data.cells.markup import words
from data.filenames.points import pointed
from data.filenames.sizes import facts, of_a_text, pairs, size_of_a_text, size_then_tokens
from data.filenames.steps import models, place_of
from data.headers.names import named, only_sounds
from data.headers.parts import scale_in
from data.rows.progress import PROGRESS
from data.schema import COUNTS
from data.table import Table, unique

__all__ = ["MOST_NAMES", "facts", "run_names", "speaks_against", "with_facts", "with_name_facts"]

Facts = dict[str, tuple[float, str]]
_COUNTED = ("params_total", "params_active")  # of a mixture
_FEW = 4  # readings of names that a note lists one by one
_SHOWN = 40  # characters of a name in a note
MOST_NAMES = 20_000  # names of runs that are looked into
_FAR = (
    2.0  # a factor beyond which a size in a name speaks against a count: those with and without embeddings are nearer
)
_SHORT = 1e5  # below it a count of parameters may leave out its unit
_UNITS = (1.0, 1e3, 1e6, 1e9)
OF_FILE = "in the file's name"  # how the header of a column ends that was read off it
_APART = "the number before it left out"  # of a size that may have lost its decimal point


def with_facts(table: Table, parts: Sequence[str]) -> Table:
    """The table with a column for each thing that the names of its file and folders say, marked as such."""
    read = pointed(parts)
    one, other = facts([read.texts[p] for p in parts]), facts([read.others[p] for p in parts])
    said = [(c, f"{c} {OF_FILE}", *fact) for c, fact in one.items()]
    said += [(c, f"{c} {OF_FILE}, {_APART}", *fact) for c, fact in other.items() if c in one and one[c][0] != fact[0]]
    if "tokens" in one and of_a_text(one["tokens"][1]) and _has_progress(table):
        said = [s for s in said if s[0] != "tokens"]  # how large the text is, beside what each run has seen of it
    if not said:
        return table
    frame = table.frame.copy(deep=False)
    headers = unique([*map(str, frame.columns), *(title for _, title, *_ in said)])[len(frame.columns) :]
    for header, (_, _, value, _) in zip(headers, said, strict=True):
        frame[header] = pd.Series([f"{value:.12g}"] * len(frame), index=frame.index, dtype=object)
    names = {h: (column, text) for h, (column, _, _, text) in zip(headers, said, strict=True)}
    return replace(table, frame=frame, from_name={**table.from_name, **names})


def _has_progress(table: Table) -> bool:
    """Whether a column says how far a run came."""
    ways = ("tokens", "steps", "samples", "batch", "unique_tokens")
    return any(c in ways for h in table.headers for c, sure in named(h) if sure >= 0.6)


def with_name_facts(table: Table) -> Table:
    """The table with a column for what nearly all names of its runs or models say (23M-cosine), and no column does."""
    headers = [h for h in table.headers if any(c in ("run", "family") for c, s in named(h) if s >= 0.6)][:3]
    headers += [h for h in table.headers if h not in headers and _sizes_in_words(table, h)][:1]
    have = {c for h in table.headers for c, s in named(h) if s >= 0.6 and table.numbers(h).share >= 0.5}
    doubted = _doubted(table, headers)
    if have & set(COUNTS) and not doubted:
        have |= {"params"}
    elif doubted:
        have -= set(COUNTS)
    if have & {"batch", "steps", "samples"}:
        have |= {"tokens"}  # they follow from these
    frame, said = table.frame, dict(table.from_name)
    for header in headers:
        # Each name is looked at once, and no text is made of each row: one long text may stand in two million of them.
        names = dict.fromkeys(table.cells(header))
        if not 1 <= len(names) <= MOST_NAMES or table.numbers(header).share >= 0.9:
            continue
        plain = {name: clean(words(name)) for name in names if isinstance(name, str) and name.strip()}
        read = pointed(plain.values(), table.decimal == ",")
        paired = any(map(pairs, plain.values())) or size_then_tokens(read.texts[t] for t in plain.values())
        found = {name: facts([read.texts[text]], paired) for name, text in plain.items()}
        other = {name: facts([read.others[text]], paired) for name, text in plain.items()} if read.open else found
        if not have & set(COUNTS) and found and not any(c in f for f in found.values() for c in COUNTS):
            found = _of_texts(found)
        beside = _active_beside(table, header, have, found)
        if not beside and any("params_active" in f for f in found.values()):
            for f in found.values():  # beside mixtures, a dense model's parameters are all active
                if "params" in f:
                    f["params_total"] = f["params_active"] = f.pop("params")
        for column in ("params", "params_total", "params_active", "tokens"):
            known = {name: f[column] for name, f in found.items() if column in f}
            said_of = _COUNTED if column in _COUNTED else (column,)
            differ = len({tuple(f.get(c, (0.0, ""))[0] for c in said_of) for f in found.values()}) > 1
            differ |= column == "params" and (doubted or len(names) == 1)
            taken = column in have or (column in _COUNTED and "params" in have)
            wanted = not taken and len(known) >= 0.9 * len(found) and differ
            if not wanted and not (beside and column == "params_active"):
                continue
            title = unique([*map(str, frame.columns), f"{column} in {header}"])[-1]
            frame = frame.assign(**{title: _column(table.column(header), known)})
            said[title] = (column, _examples({plain[name]: v for name, v in known.items()}))
            have.add(column)
            apart = {name: f[column] for name, f in other.items() if column in f and column in found[name]}
            if any(v != known[n][0] for n, (v, _) in apart.items()):
                also = unique([*map(str, frame.columns), f"{title}, {_APART}"])[-1]
                frame = frame.assign(**{also: _column(table.column(header), apart)})
                said |= {also: (column, _examples({plain[name]: v for name, v in apart.items()}))}
    named_so = table if frame is table.frame else replace(table, frame=frame, from_name=said)
    for header in headers:
        names = table.names(header).tolist() if len(table.frame) <= MOST_NAMES else []
        if names and models(names):
            return with_places(named_so, [p[1] if (p := place_of(n)) else math.nan for n in names], names, header)
    return named_so


def with_places(table: Table, along: Sequence[float], names: Sequence[str], header: str = "") -> Table:
    """The table with a column of how far along its run each row is, `along` (n,), where no column of its own moves forward.

    `names` are the checkpoints' names that say so, under `header` or, without one, those of files.
    """
    moving = any(
        column in PROGRESS and sure >= 0.6 and len(np.unique(table.numbers(h).values)) > 1
        for h in table.headers
        for column, sure in named(h)[:1]
    )
    kinds = {p[0] for name in names if (p := place_of(name)) is not None}
    if moving or not kinds or len(kinds) > 1:
        return table
    column = kinds.pop()
    title = unique([*table.headers, f"{column} in {header or 'the names of files'}"])[-1]
    cells = pd.Series([f"{v:.12g}" if math.isfinite(v) else "" for v in along], index=table.frame.index, dtype=object)
    said = {**table.from_name, title: (column, names[0])}
    return replace(table, frame=table.frame.assign(**{title: cells}), from_name=said)


def _sizes_in_words(table: Table, header: str) -> bool:
    """Whether a column named like parameters holds names that say them: `Small (124M)` under `Model size`."""
    if not any(c == "params" and s >= 0.6 for c, s in named(header)[:1]):
        return False
    found = table.numbers(header)
    return found.share < 0.5 and not found.blank.all()


def _of_texts(found: Mapping[str, Facts]) -> dict[str, Facts]:
    """What names say, with sizes behind the name of a text for the models' where all have one and they differ: c4-25M, c4-50M."""
    sizes = {name: size_of_a_text(clean(words(name))) for name in found}
    if len(set(sizes.values())) < 2 or not all(sizes.values()):
        return dict(found)
    return {name: {**said, **({"params": size} if (size := sizes[name]) else {})} for name, said in found.items()}


def _doubted(table: Table, headers: Sequence[str]) -> bool:
    """Whether the sizes in the names of runs speak against every count of parameters, none of which says that it is one."""
    counts = [h for h in table.headers if any(c in COUNTS and s >= 0.6 for c, s in named(h)[:1])]
    if not counts or not all(only_sounds(h) for h in counts):
        return False
    apart = [far for header in headers for h in counts if (far := _apart(table, header, h)) is not None]
    return bool(apart) and all(apart)


def borne_out(table: Table, count: str) -> bool:
    """Whether the sizes in the names of runs, models or the file are those of a column of parameters, up to what is embedded."""
    headers = [h for h in table.headers if any(c in ("run", "family") for c, s in named(h) if s >= 0.6)][:3]
    apart = [far for header in headers if (far := _apart(table, header, count)) is not None]
    for told in [h for h, (column, _) in table.from_name.items() if column in COUNTS and OF_FILE in h]:
        apart += [
            not _near(table.numbers(told).values, table.numbers(count, "count").scaled(scale_in(count, "params")[0]))
        ]
    return bool(apart) and not any(apart)


def _apart(table: Table, header: str, count: str) -> bool | None:
    """Whether the sizes in a column of names are far from a column of parameters; None where there is nothing to compare."""
    cells = table.cells(header)
    names = dict.fromkeys(c for c in cells if isinstance(c, str))
    if len(names) > MOST_NAMES:
        return None
    sizes = {n: f["params"][0] for n in names if "params" in (f := facts([clean(words(n))]))}
    if not sizes:
        return None
    told = np.array([sizes.get(c, math.nan) if isinstance(c, str) else math.nan for c in cells], dtype="float64")
    values = table.numbers(count, "count").values * scale_in(count, "params")[0]
    values = np.where(values >= _SHORT, values, np.nan)
    return None if not (np.isfinite(told) & np.isfinite(values)).any() else not _near(told, values)


@np.errstate(all="ignore")
def _near(told: np.ndarray, values: np.ndarray) -> bool:
    """Whether sizes (n,) are those of a count (n,) for the middle of the rows that have both."""
    apart = np.abs(np.log(values / told))
    return float(
        np.median(np.append(apart[np.isfinite(apart)], [] if np.isfinite(apart).any() else [np.inf]))
    ) < np.log(_FAR)


def speaks_against(table: Table, header: str, counts: Sequence[str]) -> bool:
    """Whether a size in the file's name, under `header`, speaks against every count of parameters, none of which says that it is one.

    The file is of one size by each count; a small count may leave out its unit.
    """
    told = table.numbers(header).values[:1]
    for h in counts:
        values = np.unique(table.numbers(h, "count").values * scale_in(h, "params")[0])
        values = values[np.isfinite(values)]
        if not only_sounds(h) or len(values) != 1 or values[0] <= 0 or not len(told) or not told[0] > 0:
            return False
        units = _UNITS if values[0] < _SHORT else _UNITS[:1]
        if any(1 / _FAR < values[0] * unit / told[0] < _FAR for unit in units):
            return False
    return True


def _examples(known: Mapping[str, tuple[float, str]]) -> str:
    """What names were read as, each with its name: all where they are few, else the least and the greatest."""
    by_value = {value: f"{text} in {name[:_SHOWN]!r}" for name, (value, text) in known.items()}
    ordered = [by_value[value] for value in sorted(by_value)]
    return ", ".join(ordered) if len(ordered) <= _FEW else f"{ordered[0]} to {ordered[-1]}"


def _column(names: pd.Series, known: Mapping[str, tuple[float, str]]) -> pd.Series:
    """A column of the numbers that names (n,) say, '' where they say none."""
    shown = {name: f"{v:.12g}" for name, (v, _) in known.items()}
    return pd.Series([shown.get(n, "") for n in names], index=names.index, dtype=object)


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
    cells = table.cells(header)
    at = [i for i, c in enumerate(cells) if c in sizes]
    for h in counts:
        values = table.numbers(h, "count").values[at] * scale_in(h, "params")[0]
        near = [
            abs(math.log(v / total)) < abs(math.log(v / active))
            for v, (total, active) in zip(values, (sizes[c] for c in cells[at]), strict=True)
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
