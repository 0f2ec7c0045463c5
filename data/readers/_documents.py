"""What a JSON document is a document of: a list of objects, columns, runs by name, or one run with its curve."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from data.errors import ReadError
from data.headers.names import named
from data.headers.parts import PATH_HEADS
from data.plural import agreeing, plural
from data.readers._arrays import flat, holds_loss, is_curve, is_history
from data.readers._nested import take_apart
from data.readers._nested_grid import nested_grid
from data.schema import COUNTS
from data.table import Open

Row = dict[str, Any]

_TABLES = re.compile(
    r"(all_?)?(runs?|experiments?|trials?|results?|models?|data|rows?|records?|table|sweeps?)", re.IGNORECASE
)
_HISTORIES = re.compile(
    r".*(history|log|logs|evals?|evaluations?|curves?|checkpoints?|steps?|metrics|progress)", re.IGNORECASE
)
_SPLITS = re.compile(r"train(ing)?|val(id(ation)?)?|dev|eval(uation)?|test", re.IGNORECASE)


@dataclass(frozen=True)
class Objects:
    """The objects of a document, one for each run or logged step, and notes on what was left out."""

    rows: list[Row]
    notes: tuple[str, ...] = ()
    order: str = ""  # the key along which a run's objects are its checkpoints, where the document says so
    open_columns: Mapping[str, Open] = field(default_factory=dict)  # keys that may be one of several columns


def objects(document: Any, name: str) -> Objects:
    """The objects in a document. Raises ReadError when there are none."""
    if isinstance(document, list):
        return Objects(_of_list(document, name))
    if not isinstance(document, dict) or not document:
        raise ReadError(f"{name} is JSON without objects; expected a list with one object per run.")
    key, only = next(iter(document.items()))
    if len(document) == 1 and _TABLES.fullmatch(key) and isinstance(only, dict) and _holds_arrays(only):
        return objects(only, name)
    inside = [k for k, v in document.items() if isinstance(v, dict) and _TABLES.fullmatch(k) and _holds_objects(v)]
    if len(inside) == 1 and not any(isinstance(v, list) for v in document.values()):
        return objects(document[inside[0]], name)
    return (
        _split(document)
        or _metrics(document, name)
        or _lists(document)
        or _columns(document)
        or _grid(document)
        or _groups(document)
        or _by_name(document)
        or Objects([document])
    )


def _holds_arrays(value: Row) -> bool:
    return any(isinstance(v, list) for v in value.values()) and not any(isinstance(v, dict) for v in value.values())


def _holds_objects(value: Row) -> bool:
    return len(value) >= 2 and all(isinstance(v, dict) for v in value.values())


def _of_list(document: list[Any], name: str) -> list[Row]:
    if document and all(isinstance(v, dict) for v in document):
        return document
    if document and all(isinstance(v, list) for v in document) and all(isinstance(h, str) for h in document[0]):
        return _zipped(document[0], document[1:])
    raise ReadError(f"{name} is a JSON list of other things than objects; expected one object per run.")


def _zipped(headers: list[Any], rows: list[list[Any]]) -> list[Row]:
    """Rows under headers; what stands beyond the headers gets a number for a name."""
    width = max(len(headers), max(map(len, rows), default=0))
    names = [*map(str, headers), *(f"column {i}" for i in range(len(headers) + 1, width + 1))]
    return [dict(zip(names, row, strict=False)) for row in rows]


def _split(document: Row) -> Objects | None:
    """What pandas writes with orient="split" and orient="table"."""
    columns, data, index = (document.get(k) for k in ("columns", "data", "index"))
    if isinstance(columns, list) and isinstance(data, list) and data and all(isinstance(r, list) for r in data):
        headers = [" ".join(map(str, c)) if isinstance(c, list) else c for c in columns]
        rows = _zipped(headers, data)
        if isinstance(index, list) and len(index) == len(rows) and all(isinstance(i, str) for i in index):
            rows = [{"run": i} | row for i, row in zip(index, rows, strict=True)]
        return Objects(rows)
    if isinstance(document.get("schema"), dict) and isinstance(data, list) and all(isinstance(r, dict) for r in data):
        return Objects(data) if data else None
    return None


def _metrics(document: Row, name: str) -> Objects | None:
    """What Sacred writes: each metric with its steps, its values and when they were measured; a row per value.

    Raises ReadError where a metric has not as many steps as values.
    """
    for key, metric in document.items():
        if not (isinstance(metric, dict) and {"steps", "values"} <= set(metric) <= {"steps", "values", "timestamps"}):
            return None
        steps, values = metric["steps"], metric["values"]
        if not isinstance(steps, list) or not isinstance(values, list):
            return None
        if len(steps) != len(values):
            have = f"{plural(len(steps), 'step')} and {plural(len(values), 'value')}"
            raise ReadError(f"{name} has {have} of {key[:60]!r}; expected a step for each value.")
    rows = [
        {"metric": key, "step": step, "value": value}
        for key, metric in document.items()
        for step, value in zip(metric["steps"], metric["values"], strict=True)
    ]
    return Objects(rows) if rows else None


def _lists(document: Row) -> Objects | None:
    """Lists of objects around which the document stands: runs, or one run's history, or several of either."""
    lists = {k: v for k, v in document.items() if isinstance(v, list) and v and all(isinstance(r, dict) for r in v)}
    if not lists:
        return None
    outer = {k: v for k, v in document.items() if k not in lists}
    heads = {k: [flat(r) for r in v] for k, v in lists.items()} if len(lists) > 1 else {}
    if len(lists) > 1:
        losses = [
            k for k, rows in heads.items() if holds_loss(rows) or any(is_curve(take_apart(r)) for r in lists[k][:50])
        ]
        if len(losses) == 1:
            dropped = ", ".join(k[:60] for k in lists if k not in losses)
            one = _one_list(losses[0], lists[losses[0]], outer)
            return Objects(one.rows, (*one.notes, f"Lists without a loss were left out: {dropped}."))
        return _several({k: lists[k] for k in losses or lists}, heads, document)
    key, rows = next(iter(lists.items()))
    return _one_list(key, rows, outer)


def _one_list(key: str, rows: list[Row], outer: Row) -> Objects:
    spread = take_apart(outer)
    known = {k for k in (*spread.plain, *spread.arrays) if _known(k)}
    plain = [flat(r) for r in rows[:2000]]
    sized = any(named(k)[0][0].startswith("params") for k in known)
    logs = sized or (not _TABLES.fullmatch(key) and (_HISTORIES.fullmatch(key) or known))
    if logs and holds_loss(plain) and is_history(plain):
        return Objects([{key: rows} | outer])
    own = {k for row in plain for k in row}
    means = {m[0][0] for k in own if (m := named(k))}
    said = {k: v for k, v in spread.plain.items() if _known(k) and named(k)[0][0] not in means and k not in own}
    said = {k: v for k, v in said.items() if named(k)[0][0] not in ("run", "group", "family")}
    return Objects([row | said for row in rows] if said else rows)


def _several(lists: dict[str, list[Row]], heads: dict[str, list[Row]], document: Row) -> Objects:
    """Several lists of objects: parts of one run's log, a run each, or one table in pieces."""
    if all(_SPLITS.fullmatch(k) and _of_several_runs(heads[k]) for k in lists):
        note = f"The lists {_shown(lists)} were read one below the other; the column 'split' says which."
        return Objects([{"split": k} | row for k, rows in lists.items() for row in rows], (note,))
    if all(_SPLITS.fullmatch(k) or _HISTORIES.fullmatch(k) for k in lists):
        return Objects([document])
    outer = {k: v for k, v in document.items() if k not in heads}
    if all(is_history(heads[k]) for k in lists):
        return Objects([{"run": k, "history": rows} | outer for k, rows in lists.items()])
    shown = ", ".join(k[:60] for k in list(lists)[:5])
    note = f"{len(lists):,} lists of objects ({shown}) were read one below the other; the column 'list' says which is which."
    return Objects([{"list": k} | row for k, rows in lists.items() for row in rows], (note,))


def _of_several_runs(rows: list[Row]) -> bool:
    """Whether the objects of a list have a loss and sizes of their own, as runs have and the points of one log have not."""
    sizes = [k for k in rows[0] if (m := named(k)) and m[0][0] in COUNTS]
    return holds_loss(rows) and any(len({str(row.get(k)) for row in rows}) > 1 for k in sizes)


def _columns(document: Row) -> Objects | None:
    """Arrays of one length side by side: the columns of a table, unless they are a run's curve."""
    columns = {k: v for k, v in document.items() if isinstance(v, list)}
    longest = max((len(v) for v in columns.values()), default=0)
    if len(columns) < 2 or not longest or any(len(v) != longest for v in columns.values()):
        return None
    outer = {k: v for k, v in document.items() if k not in columns}
    spread = take_apart(outer)
    if any(_known(k) for k in spread.plain) and is_curve(take_apart(document)):
        return None
    said = {k: v for k, v in spread.plain.items() if k not in columns}
    return Objects([said | {k: v[i] for k, v in columns.items()} for i in range(longest)])


def _grid(document: Row) -> Objects | None:
    """Losses by two keys, as sizes and tokens."""
    found = nested_grid(document)
    return None if found is None else Objects(found.rows, (found.note,), found.order, found.open_columns)


def _groups(document: Row) -> Objects | None:
    """Runs by name below the names of their groups, to any depth: {"sp": {"tiny": {...}, "small": {...}}, "mup": {...}}.

    A run is named by its innermost key, by all of them where that one stands in several groups.
    """
    found = [(path, run) for path, run in _below(document, ()) if len(path) > 1]
    if len(found) < 2:
        return None
    groups = dict.fromkeys(path[0] for path, _ in found)
    left = [k for k in document if k not in groups]
    if any(isinstance(document[k], (list, dict)) and _runs_in(document[k]) for k in left):
        return None
    names = [path[-1] for path, _ in found]
    once = len(set(names)) == len(names)
    rows = []
    for path, run in found:
        said = {"run": path[-1] if once else "/".join(path), "group": "/".join(path[:-1])}
        rows.append({k: v for k, v in said.items() if k not in run} | run)
    several = f"{len(groups):,} groups" if len(groups) > 1 else "one group"
    notes = [
        f"{agreeing(len(rows), 'run stands', 'runs stand')} below the names of {several} ({_shown(groups)}): the column 'group' says which."
    ]
    if left:
        notes.append(f"What stands beside the groups was left out: {_shown(left)}.")
    return Objects(rows, tuple(notes))


_DEEPEST = 4  # groups within groups
_PLACES = frozenset(
    ("best", "last", "first", "final", "latest", "min", "max", "mean", "std", "avg", "start", "end", "ema")
)  # of one run
_OF_A_RUN = frozenset((*COUNTS, "flops", "width", "layers", "lr", "steps", "seed"))


def _below(node: Row, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], Row]]:
    """The runs below a group, each with the keys that lead to it; none where some object of it is no run and no group."""
    out = []
    for key, value in node.items():
        if not isinstance(value, dict) or not value:
            if path:
                return []
            continue  # what is said of the whole document
        if key.strip().lower() in PATH_HEADS | _PLACES or _SPLITS.fullmatch(key) or _HISTORIES.fullmatch(key):
            if path:
                return []
            continue
        deeper = _below(value, (*path, key)) if len(path) < _DEEPEST else []
        if not deeper and not _runs_in(value):
            if path:
                return []
            continue
        out += deeper or [((*path, key), value)]
    return out


def _runs_in(value: Any) -> bool:
    """Whether an object is a run's by what it holds: a loss and something that is set for each run."""
    if not isinstance(value, dict):
        return False
    parts = take_apart(value)
    if not (holds_loss([flat(value)]) or is_curve(parts)):
        return False
    return any(m[0][0] in _OF_A_RUN and m[0][1] >= 0.6 for k in (*parts.plain, *parts.arrays) if (m := named(k)))


def _shown(keys: Iterable[str]) -> str:
    keys = [k[:60] for k in keys]
    return ", ".join(keys[:5]) + (f" and {len(keys) - 5} more" if len(keys) > 5 else "")


def _by_name(document: Row) -> Objects | None:
    """Objects by name: the columns of a table as pandas writes them, or runs."""
    values = list(document.values())
    if len(values) < 2 or not all(isinstance(v, dict) for v in values):
        return None
    keys = [set(v) for v in values]
    if all(re.fullmatch(r"[0-9]{1,12}", k) for inner in keys for k in inner) and keys[0]:
        index = sorted(set.union(*keys), key=int)  # what pandas writes: a column, then the row's number
        return Objects([{c: v.get(i) for c, v in document.items()} for i in index])
    if all(k.strip().lower() in PATH_HEADS or _SPLITS.fullmatch(k) or _HISTORIES.fullmatch(k) for k in document):
        return None  # the sections of one run: its settings, its results
    known = sum(_known(k) for k in document)
    rows = set.union(*keys)
    if known >= 2 and known > 0.5 * len(document) and not any(_known(k) for k in rows):
        # Columns under names that are known, their rows by name: a data frame with an index of names.
        names = list(dict.fromkeys(k for v in values for k in v))
        return Objects([{"run": r} | {c: v.get(r) for c, v in document.items()} for r in names])
    return Objects([{"run": k, **v} if "run" not in v else v for k, v in document.items()])


def _known(key: str) -> bool:
    found = named(key)
    return bool(found) and found[0][1] >= 0.6
