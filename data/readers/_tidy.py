"""Long tables, a row for each measured value: turned into one row per run and step, with a column per quantity."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

import numpy as np
import pandas as pd

from data.cells.cleaned import clean
from data.cells.values import _is_blank, number
from data.errors import ReadError
from data.headers.names import loss_name, named, recognised
from data.headers.parts import header as take_apart
from data.readers._limits import MAX_COLUMNS, check_shape
from data.rows.progress import PROGRESS
from data.table import Table, unique, without_misfits

_TAGS = re.compile(
    r"tags?|metrics?(?: ?(?:name|key|tag|type))?|variables?|keys?|names?|series|measures?|quantity|quantities|field|stat"
    r"|statistic|attribute|indicator|scalar(?: name)?|what|param(?:eter)?(?: ?name)?|hyperparameter|property"
)
_WEAK = re.compile(r"names?|keys?|series|field|what|param(?:eter)?(?: ?name)?|property|attribute")
VALUES = re.compile(r"values?|val|(?:metric|scalar|param|tag) ?value|results?|score|reading|measurement|number|y|v")
_CLOCKS = re.compile(r"(?:wall|relative|log|logged|created|run)? ?(?:time|date|timestamp|clock)(?: ?(?:ms|s|stamp|at))?"
                     r"|timestamp|created ?at|logged ?at|_?runtime|elapsed|datetime")  # fmt: skip
_FEW = 200  # quantities under a header that does not promise any; cells that tell words from numbers
_LONGEST = 300  # signs in the name of a quantity
_COUNTER = re.compile(r"\b(?:step|iter|iteration|update|itr|epoch)$")
_OWN = frozenset(("params", "params_total", "params_nonembed", "params_active", "seed", "dataset", "width", "layers"))
_CONSTANT = frozenset(("run", "steps", "epochs", "flops"))


@dataclass(frozen=True)
class _Long:
    """The columns of a long table: what was measured, its value, the run, how far it had come, times, and the rest."""

    tag: str
    value: str
    run: tuple[str, ...]
    progress: tuple[str, ...]
    clocks: tuple[str, ...]
    rest: tuple[str, ...]


def tidy(table: Table) -> Table:
    """The table with a column for each quantity, where it is a long one; else the table as it is.

    Of several values of one quantity at one step the last is kept, and noted. Raises ReadError where nothing tells
    apart the runs whose values stand below one another.
    """
    found = _columns(table)
    if found is None:
        return table
    table = without_misfits(table)
    tags = table.text(found.tag)
    kinds = [t for t in dict.fromkeys(tags) if t]
    if len(kinds) == 1 and (tags != "").all() and not (found.run and found.progress and recognised(kinds[0])):
        return _renamed(table, found, kinds[0])
    if not _is_long(table, found, tags, kinds):
        return table
    tags, found = _with_split(table, found, tags)
    return _pivot(table, found, tags)


def _columns(table: Table) -> _Long | None:
    """The table's columns by what they are for; None where there is no pair of tag and value."""
    words = {h: take_apart(h).words for h in table.headers}
    if len(table.headers) < 2 or not any(_is_text(table, h) for h in table.headers):
        return None
    values = [h for h in table.headers if VALUES.fullmatch(words[h])]
    if not values and any(_is_text(table, h) and _names_quantities(table, h) for h in table.headers):
        values = [h for h in table.headers if not _is_text(table, h) and not recognised(h) and not _is_clock(words[h])]
    if len(values) != 1:
        return None
    value = values[0]
    others = [h for h in table.headers if h != value]
    if any(loss_name(h) is not None and table.numbers(h).share >= 0.5 for h in others):
        return None  # a table of runs that has a loss already
    tags = [h for h in others if _is_text(table, h)]
    known = [h for h in tags if _TAGS.fullmatch(words[h])]
    if not known:
        known = [h for h in tags if _names_quantities(table, h) or _names_loss(table, h)]
    known = sorted(known, key=lambda h: (not _names_quantities(table, h), bool(_WEAK.fullmatch(words[h]))))
    if not known:
        return None
    tag = known[0]
    others = [h for h in others if h != tag]
    clocks = tuple(h for h in others if _is_clock(words[h]))
    others = [h for h in others if h not in clocks]
    means = {h: next((c for c, s in named(h) if s >= 0.6), "") for h in others}
    run = tuple(h for h in others if means[h] == "run")
    progress = tuple(sorted((h for h in others if means[h] in PROGRESS), key=lambda h: PROGRESS.index(means[h])))[:1]
    rest = tuple(h for h in others if h not in run and h not in progress)
    return _Long(tag, value, run, progress, clocks, rest)


def _is_text(table: Table, header: str) -> bool:
    """Whether the first cells of the column are words; the whole column is not needed to tell."""
    if table.of_numbers(header):
        return False
    cells = [c for c in table.first(header, _FEW) if not _is_blank(c)]
    words = sum(not isinstance(c, (int, float)) and np.isnan(number(str(c), table.decimal)) for c in cells)
    return words > 0.5 * len(cells)


def _is_clock(words: str) -> bool:
    return bool(_CLOCKS.fullmatch(words.strip()))


def _names_quantities(table: Table, header: str) -> bool:
    """Whether the column's cells are names of columns, of a loss or of counts; most of them, under a header of another
    meaning than that.
    """
    kinds = _kinds(table, header, MAX_COLUMNS)
    if not kinds:
        return False
    losses = sum(loss_name(t) is not None for t in kinds)
    known = sum(map(recognised, kinds))
    words = take_apart(header).words
    if not _TAGS.fullmatch(words):
        return losses > 0 and known >= 0.5 * len(kinds) and len(kinds) <= _FEW
    share = 0.2 if _WEAK.fullmatch(words) else 0.0
    return (losses > 0 and known >= share * len(kinds)) or (known >= 2 and known >= 0.5 * len(kinds))


def _kinds(table: Table, header: str, most: int) -> list[str]:
    """The different words in a column, none where there are more than `most`; only these are looked at as text."""
    cells: dict[str, None] = {}
    for c in table.cells(header):
        if isinstance(c, str):
            if len(c) > _LONGEST or len(cells) > most + 1:
                return []
            cells[c] = None
    return [t for t in dict.fromkeys(clean(c.strip()) for c in cells if not _is_blank(c)) if t]


def _names_loss(table: Table, header: str) -> bool:
    kinds = _kinds(table, header, _FEW)
    return len(kinds) >= 2 and any(loss_name(t) is not None for t in kinds)


def _is_long(table: Table, found: _Long, tags: pd.Series, kinds: Sequence[str]) -> bool:
    """Whether the quantities repeat over runs or steps, as those of a long table do."""
    if not kinds or len(kinds) > MAX_COLUMNS:
        return False
    if _names_quantities(table, found.tag):
        return True
    if _WEAK.fullmatch(take_apart(found.tag).words) or len(kinds) < 2:
        return False
    # No name is known: the structure has to say it, several quantities at each step of each run and each but once.
    keys = [*found.run, *found.progress]
    if not keys:
        return False
    frame = pd.DataFrame({k: table.text(k) for k in keys})
    return bool(frame.duplicated().any()) and not frame.assign(tag=tags).duplicated().any()


def _renamed(table: Table, found: _Long, kind: str) -> Table:
    """A long table of one quantity: its name takes the place of `value`."""
    if not recognised(kind):
        return table
    frame = table.frame.drop(columns=[found.tag]).rename(columns={found.value: kind})
    frame.columns = unique([str(c) for c in frame.columns])
    note = f"Every row of {found.tag!r} says {kind!r}: it is the name of {found.value!r}."
    return replace(table, frame=frame, notes=(*table.notes, note))


def _with_split(table: Table, found: _Long, tags: pd.Series) -> tuple[pd.Series, _Long]:
    """The tags with the split they belong to, where `loss` stands twice at each step: once of train and once of val."""
    keys = [*found.run, *found.progress]
    if not keys or not found.rest:
        return tags, found
    frame = pd.DataFrame({k: table.text(k) for k in keys}).assign(tag=tags)
    repeated = int(frame.duplicated().sum())
    for h in found.rest if repeated > 0.1 * len(frame) else ():
        cells = table.text(h)
        few = _is_text(table, h) and 2 <= cells.nunique() <= 20
        if few and _is_split(cells) and not frame.assign(split=cells).duplicated().any():
            joined = pd.Series([f"{c}/{t}" if c and t else t for c, t in zip(cells, tags, strict=True)])
            return joined, replace(found, rest=tuple(r for r in found.rest if r != h))
    return tags, found


def _is_split(cells: pd.Series) -> bool:
    """Whether the cells say where something was measured, and do not tell runs apart."""
    return all(_SPLIT.search(t.lower()) for t in cells.unique() if t)


_SPLIT = re.compile(r"train|val|eval|test|dev|held")


def _pivot(table: Table, found: _Long, tags: pd.Series) -> Table:
    blank = (tags == "").to_numpy()
    if blank.any():
        lines = dict.fromkeys(map(int, table.lines[blank]), "a value without the name of its quantity")
        table = without_misfits(replace(table, misfits=lines))
        tags = tags[~blank].reset_index(drop=True)
    n = len(table.frame)
    notes = list(table.notes)
    cells = {h: table.text(h) for h in (*found.run, *found.progress, *found.rest)}
    kind, kinds = pd.factorize(tags)
    varying = [h for h in found.rest if not _follows(cells, found, h) and not _of_one_quantity(cells[h], kind)]
    run = _codes([cells[h] for h in found.run], n)
    row = _codes([cells[h] for h in (*found.run, *found.progress)], n)
    if varying and (not found.run or _repeats(row, kind).any()):
        row = _codes([cells[h] for h in (*found.run, *found.progress, *varying)], n)
        run = _codes([cells[h] for h in (*found.run, *varying)], n)
    place = np.zeros(n, dtype=int)
    again = _repeats(row, kind)
    if again.any() and not found.progress:
        place = _places(table.name, found, row, kind)
        row = _codes([pd.Series(row), pd.Series(place)], n)
    elif again.any():
        if not found.run and again.sum() > 0.1 * n:
            raise ReadError(
                f"{table.name} has several values of one quantity at one step ({int(again.sum()):,} of {n:,} rows) and "
                "no column that tells runs apart; add a column run, or save one file per run."
            )
        same = "value" if again.sum() == 1 else "values"
        notes.append(f"{int(again.sum()):,} repeated {same} of one quantity at one step: the last of each was kept.")
    rows = int(row.max()) + 1
    check_shape(table.name, rows, len(kinds) + len(cells) + len(found.clocks) + 2)
    first, last = np.full(rows, n), np.zeros(rows, dtype=int)
    np.minimum.at(first, row, np.arange(n))
    np.maximum.at(last, row, np.arange(n))
    columns = [(h, table.cells(h)[first]) for h in found.run]
    # A counter tells a curve from totals. Where a name stands over several sizes it is judged as in any table.
    counter = [h for h in found.progress if _COUNTER.search(take_apart(h).words)]
    several = len(np.unique(row)) > len(np.unique(run))
    known = not any(named(h) for h in varying) and not _change(table, found, run, tags)
    curves = several and ((bool(counter) and (known or not found.run)) or (bool(place.any()) and bool(found.run)))
    if curves and not found.run and varying:
        names = [", ".join(f"{h}={cells[h].iloc[i]}" for h in varying[:6]) for i in first]
        columns.append(("run", np.array(names, dtype=object)))
    if not found.progress and curves:
        columns.append(("index", place[first] + 1))
    columns += [(h, table.cells(h)[first]) for h in found.progress]
    at_order = len(columns) - 1
    values = table.cells(found.value)
    by_kind = np.argsort(kind, kind="stable")
    for k, here in zip(kinds, np.split(by_kind, np.cumsum(np.bincount(kind, minlength=len(kinds)))[:-1]), strict=True):
        column = np.full(rows, None, dtype=object)
        column[row[here]] = values[here]
        columns.append((str(k), column))
    for h in (*found.rest, *found.clocks):
        at = last if h in found.clocks else _first_filled(cells[h], row, first)
        columns.append((h, table.cells(h)[at]))
    headers = unique([h for h, _ in columns])
    frame = pd.DataFrame(dict(zip(headers, [c for _, c in columns], strict=True)), dtype=object)
    if curves or found.progress:
        frame = _taken_down(
            frame, run[first], [h for h, (k, _) in zip(headers, columns, strict=True) if k in set(kinds)]
        )
    per = "run and step" if counter else "run"
    many = f"{len(kinds):,} quantities" if len(kinds) > 1 else "one quantity"
    notes.append(f"A long table of {many} in {found.tag!r} was read as one row per {per}.")
    alone = curves and not found.run and not varying
    return replace(
        table,
        frame=frame,
        lines=table.lines[first],
        notes=tuple(notes),
        order=headers[at_order] if curves else "",
        one_run=PurePath(table.name).stem if alone else table.one_run,
    )


def _repeats(row: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """Where the same quantity stands again further down for the same row: (n,) bool."""
    return pd.DataFrame({"r": row, "t": kind}).duplicated(keep="last").to_numpy()


def _places(name: str, found: _Long, row: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """Which of the values of its quantity each is (n,), where no step says so; what stands once belongs to the last."""
    pair = pd.DataFrame({"r": row, "t": kind})
    place = pair.groupby(["r", "t"]).cumcount().to_numpy()
    count = pair.groupby(["r", "t"])["t"].transform("size")
    several = count[count > 1].groupby(row[count > 1]).nunique()
    if (several > 1).any():
        raise ReadError(
            f"{name} has more values of one quantity than of another in {found.tag!r} and no column of steps; "
            "add one that says which values belong together."
        )
    most = count.groupby(row).transform("max").to_numpy()
    return np.where(count.to_numpy() == 1, most - 1, place)


def _follows(cells: dict[str, pd.Series], found: _Long, header: str) -> bool:
    """Whether the column has one value in each run: a setting, which needs no row of its own."""
    if not found.run and not found.progress:
        return False
    keys = found.run or found.progress
    filled = cells[header] != ""
    per = pd.DataFrame({"r": _codes([cells[k] for k in keys], len(filled)), "c": cells[header]})[filled]
    return not len(per) or int(per.groupby("r")["c"].nunique().max()) <= 1


def _of_one_quantity(cells: pd.Series, kind: np.ndarray) -> bool:
    """Whether each cell of a column stands beside one quantity alone, as the number of a row does.

    A run has several quantities, so that such a column tells no runs apart.
    """
    filled = (cells != "").to_numpy()
    per = pd.DataFrame({"c": cells[filled], "k": kind[filled]}).groupby("c")["k"].nunique()
    return len(np.unique(kind)) > 1 and len(per) > 0 and int(per.max()) == 1


def _change(table: Table, found: _Long, run: np.ndarray, tags: pd.Series) -> bool:
    """Whether a count of parameters or another setting of a run's own changes within a run."""
    own = tags.map(lambda t: bool(named(t)) and named(t)[0][0] in _OWN).to_numpy(dtype=bool)
    per = pd.DataFrame({"r": run, "t": tags, "v": table.text(found.value)})[own]
    return bool(len(per)) and int(per.groupby(["r", "t"])["v"].nunique().max()) > 1


def _first_filled(cells: pd.Series, row: np.ndarray, first: np.ndarray) -> np.ndarray:
    """For each row of the pivoted table, the position of the first cell that has something in it."""
    filled = np.flatnonzero((cells != "").to_numpy())
    at = first.copy()
    at[row[filled[::-1]]] = filled[::-1]
    return at


def _taken_down(frame: pd.DataFrame, runs: np.ndarray, kinds: list[str]) -> pd.DataFrame:
    """The table with settings that were written once in each run in all the rows of the run."""
    sizes = np.bincount(runs)
    for k in kinds:
        if k not in frame or loss_name(k) is not None or not named(k) or named(k)[0][0] in _CONSTANT:
            continue
        filled = frame[k].notna().to_numpy()
        per = np.bincount(runs[filled], minlength=len(sizes))
        if (per <= 1).all() and per.any() and (sizes[per == 1] > 1).any():
            values = pd.Series(frame[k].to_numpy(dtype=object)[filled], index=runs[filled])
            frame[k] = pd.Series(runs).map(values).astype(object).where(lambda s: s.notna(), None).to_numpy()
    return frame


def _codes(columns: Sequence[pd.Series], n: int) -> np.ndarray:
    """The rows (n,) numbered from 0 by what stands in the columns, in order of first appearance."""
    if not columns:
        return np.zeros(n, dtype=int)
    frame = pd.DataFrame({i: c.to_numpy() for i, c in enumerate(columns)})
    return pd.factorize(frame.groupby(list(frame), sort=False, dropna=False).ngroup())[0]
