"""Files that each hold one quantity of a run, as TensorBoard saves its curves: joined into one table of each run."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

import pandas as pd

from data.filenames.columns import with_facts
from data.readers._samples_seen import samples_seen
from data.readers._tidy import tidy
from data.table import Table

_COLUMNS = {"wall time": "wall_time", "step": "step", "value": "value"}
_TAG = re.compile(r"(?P<run>.*?)[-_]?(?<![a-z])tag[-_](?P<tag>.+)", re.IGNORECASE)
#: What stands at the end of a run's name where train and validation are logged to folders of their own.
_SPLIT = re.compile(r"(?P<run>.+?)[-_./](?P<split>train|validation|valid|val|eval|test)", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Found:
    """A table, the parts of its place below what was given, and its whole path, the last parts being the run's own name."""

    table: Table
    parts: tuple[str, ...]
    path: str


def by_tag(found: Sequence[Found]) -> list[Found]:
    """The tables with those that are quantities of one run joined to one, where the first of them stood.

    Such files have TensorBoard's three columns and names `RUN-tag-TAG.csv`. One without others of its run stays as it is.
    """
    named = {i: n for i, f in enumerate(found) if _is_curve(f.table) and (n := _named(f))[1]}
    named = _with_splits_parted(named, found)
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, (run, _) in named.items():
        groups[_folder(found[i]), run].append(i)
    instead: dict[int, Found | None] = {}
    for (_, run), group in groups.items():
        tags = [named[i][1] for i in group]
        one = _joined([found[i] for i in group], tags, run) if len(group) == len(set(tags)) > 1 else None
        if one is not None:
            instead |= dict.fromkeys(group)
            instead[group[0]] = one
    return [f for i, old in enumerate(found) if (f := instead.get(i, old)) is not None]


def _folder(found: Found) -> str:
    return str(PurePath(found.path).parent)


def _is_curve(table: Table) -> bool:
    headers = [h.strip().lower().replace("_", " ") for h in table.headers if h not in table.from_name]
    return sorted(headers) == sorted(_COLUMNS)


def _named(found: Found) -> tuple[str, str]:
    """The run and the tag that a file's name says, '' where it says none; a run that it leaves out is its folder's."""
    stem = found.parts[-1]
    match = _TAG.fullmatch(stem)
    if match is None:
        return "", ""
    run = re.sub(r"^run[-_](?=.)", "", match["run"])
    run = run if re.search(r"\w", run) else ""
    return run or (found.parts[-2] if len(found.parts) > 1 else ""), match["tag"]


def _with_splits_parted(named: dict[int, tuple[str, str]], found: Sequence[Found]) -> dict[int, tuple[str, str]]:
    """Runs and tags with the split of `gpt_train` and `gpt_validation` as a part of the tag, where both are there."""
    places: dict[tuple[str, str], set[str]] = defaultdict(set)
    parted: dict[int, tuple[str, str]] = {}
    for i, (run, tag) in named.items():
        if match := _SPLIT.fullmatch(run):
            places[_folder(found[i]), match["run"]].add(match["split"].lower())
            parted[i] = match["run"], f"{match['split']}/{tag}"
    several = {i for i, (run, _) in parted.items() if len(places[_folder(found[i]), run]) > 1}
    return {i: parted[i] if i in several else n for i, n in named.items()}


def _joined(files: Sequence[Found], tags: Sequence[str], run: str) -> Found | None:
    """One table of a run, a column per tag and a row per step; None where no tag is known."""
    first = files[0]
    frames = []
    for f, tag in zip(files, tags, strict=True):
        frame = f.table.frame[[h for h in f.table.headers if h not in f.table.from_name]]
        frame = frame.rename(columns={h: _COLUMNS[h.strip().lower().replace("_", " ")] for h in frame.columns})
        frames.append(frame.astype(object).assign(tag=tag))
    whole = pd.concat(frames, ignore_index=True)
    path = PurePath(first.path).with_name(f"{run}-tag-*{PurePath(first.path).suffix}")
    long = Table(whole, path.name, first.table.format, whole.index.to_numpy() + 2, decimal=first.table.decimal)
    table = tidy(long)
    if table is long:
        return None
    shown = ", ".join(t[:40] for t in tags[:5]) + (f" and {len(tags) - 5} more" if len(tags) > 5 else "")
    note = f"{len(files):,} files of one run, a tag each ({shown}), were read as one."
    parts = (*first.parts[:-1], run)
    table = with_facts(replace(table, notes=(note,), one_run=run, stem=run), parts)
    return Found(samples_seen(table), parts, str(path))
