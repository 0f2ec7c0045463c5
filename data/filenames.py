"""What the names of a file and of its folders say of its run: gpt-125M-bs256, curve_N1.2e7_D3e8, lr3e-4_seed1."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from data.names import named
from data.schema import COUNTS
from data.table import Table, clean, unique

_NUMBER = r"([0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
_FACTOR = {"k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}
_EDGE = r"(?:^|(?<=[^A-Za-z0-9.]))"
_END = r"(?=$|[^A-Za-z0-9.]|\.[^0-9])"
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("params", re.compile(rf"{_EDGE}(?:N|n_?params?|params?|size)[=_-]?{_NUMBER}([KkMmBb])?{_END}")),
    ("params", re.compile(rf"{_EDGE}n[=_-]?{_NUMBER}([KMB]){_END}")),
    ("tokens", re.compile(rf"{_EDGE}(?:D|n_?tokens?|tokens?|toks?)[=_-]?{_NUMBER}([KkMmBbTt])?{_END}")),
    ("tokens", re.compile(rf"{_EDGE}{_NUMBER}([KkMmBbTt])[_-]?(?:T|toks?|tokens?){_END}")),
    ("flops", re.compile(rf"{_EDGE}(?:C|flops?)[=_-]?([0-9]+(?:\.[0-9]+)?[eE][+]?[0-9]+)(){_END}")),
    ("batch_sequences", re.compile(rf"{_EDGE}(?:bs|bsz|gbs|batch(?:_?size)?)[=_-]?([0-9]+)([Kk])?{_END}")),
    ("lr", re.compile(rf"{_EDGE}lr[=_-]?{_NUMBER}(){_END}")),
    ("seq_len", re.compile(rf"{_EDGE}(?:seq(?:_?len)?|ctx)[=_-]?([0-9]+)([Kk])?{_END}")),
    ("seed", re.compile(rf"{_EDGE}seed[=_-]?([0-9]+)(){_END}")),
)
MOST_NAMES = 20_000  # names of runs that are looked into
_SIZE = re.compile(rf"{_EDGE}{_NUMBER}([MmBb]){_END}")  # 125M by itself: the model's size, where nothing else is one


def facts(parts: Sequence[str]) -> dict[str, tuple[float, str]]:
    """What the parts of a path say: value and text by column. A thing that they say twice over, differently, is left out."""
    found: dict[str, dict[float, str]] = {}
    sizes: dict[float, str] = {}
    for part in parts:
        text = part[:200]
        for column, pattern in _PATTERNS:
            for match in pattern.finditer(text):
                found.setdefault(column, {}).setdefault(_value(match), match[0])
            text = pattern.sub(" ", text)
        for match in _SIZE.finditer(text):
            sizes.setdefault(_value(match), match[0])
    if "params" not in found and len(sizes) == 1:
        found["params"] = sizes
    return {c: next(iter(seen.items())) for c, seen in found.items() if len(seen) == 1}


def with_facts(table: Table, parts: Sequence[str]) -> Table:
    """The table with a column for each thing that the names of its file and folders say, marked as such."""
    said = facts(parts)
    if not said:
        return table
    frame = table.frame.copy(deep=False)
    headers = unique([*map(str, frame.columns), *(f"{column} in the file's name" for column in said)])[
        len(frame.columns) :
    ]
    for header, (value, _) in zip(headers, said.values(), strict=True):
        frame[header] = pd.Series([f"{value:.12g}"] * len(frame), index=frame.index, dtype=object)
    names = {h: (c, text) for h, (c, (_, text)) in zip(headers, said.items(), strict=True)}
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
        found = {name: facts([clean(name)]) for name in names if isinstance(name, str) and name.strip()}
        for column in ("params", "tokens"):
            known = {name: f[column] for name, f in found.items() if column in f}
            if column in have or len(known) < 0.9 * len(found) or len({v for v, _ in known.values()}) < 2:
                continue
            title = unique([*map(str, frame.columns), f"{column} in {header}"])[-1]
            cells = table.frame[header].astype(object).map({name: f"{v:.12g}" for name, (v, _) in known.items()})
            cells = cells.where(cells.notna(), "")
            frame = frame.assign(**{title: cells.astype(object)})
            said[title] = (column, next(iter(known.values()))[1])
            have.add(column)
    return table if frame is table.frame else replace(table, frame=frame, from_name=said)


def _value(match: re.Match[str]) -> float:
    return float(match[1]) * _FACTOR.get((match[2] or "").lower(), 1.0)


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
