"""What the rows of a table are: runs of their own, or checkpoints along the curves of fewer runs."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from data.cells.values import numbers
from data.errors import DataError, MappingNeeded, Question
from data.filenames.steps import bare_places, in_order, models, of_a_checkpoint, places
from data.headers.parts import header as take_apart
from data.mapping import Mapping
from data.rows.apart import apart
from data.rows.curves_of_settings import (
    CHECKPOINT,
    ask_of_checkpoints,
    ask_of_curves,
    curve_keys,
    group_of,
    names_checkpoints,
)
from data.rows.from_zero import from_zero
from data.rows.grids import grid, multiples
from data.rows.groups import blank, different, each, numbered, only, repeats, sizes, vary
from data.rows.labels import CONSTANT, TOLD, labels_of, run_labels, varying, words_of
from data.rows.line_order import (
    FEW,
    MANY,
    VARIED,
    Rows,
    few_epochs,
    if_in_order,
    if_resumed,
    of_one_training,
    own_plans,
    stands_in_order,
)
from data.rows.progress import LEAST, PROGRESS, ascending, begins_anew, evenly, rises, usable
from data.rows.runs_of_batches import of_batches, stated_batch
from data.rows.so_far import says_so_far as _is_counter

_ONE_LOG = "the file is one run's history, named after the file"
_RESUMED = "the file is one run's history, resumed, named after the file"
PAIRS = 3  # rows of a model that are sooner its runs at two or three lengths than what is left of a log


def judge(
    names: pd.Series | None, frame: pd.DataFrame, measured: np.ndarray, mapping: Mapping, stem: str, table: str
) -> Rows:
    """What the rows of a table are, judged by names (n,) where it has some, by what rises along them and by what stays.

    Rows without a loss, by `measured` (n,), do not count: trackers write a row for every call. `stem` is the file's name,
    for the run of a table that is one run's log. Raises `MappingNeeded` where two readings are as likely.
    """
    return of_batches(_judged(names, frame, measured, mapping, stem, table), names, frame, mapping)


def _judged(
    names: pd.Series | None, frame: pd.DataFrame, measured: np.ndarray, mapping: Mapping, stem: str, table: str
) -> Rows:
    lines = pd.Series([""] * len(frame), dtype="str") if names is None else names
    if mapping.rows == "runs":
        return Rows("lines" if names is None else "repeats", lines, why="as you said")
    if mapping.rows == "checkpoints":
        label, column = (frame.get("family", lines), "family") if names is None else (names, "run")
        stepped = _stepped(label, frame, measured & (label != "").to_numpy(), mapping, column, stem, table)
        return stepped or _as_said(names, frame, measured, mapping, stem, table)
    if names is None:
        return _without_names(frame, measured, mapping, stem, lines, table)
    return _with_names(names, frame, measured, mapping, stem, table)


def _with_names(
    names: pd.Series, frame: pd.DataFrame, measured: np.ndarray, mapping: Mapping, stem: str, table: str
) -> Rows:
    written = ~blank(names)
    known = written & measured
    told = _stepped(names, frame, known, mapping, "run", stem, table) or _places(names, frame, known, mapping, True)
    if told:
        return told
    text = names.to_numpy()
    if not known.any() or (repeats(text[written]) and not repeats(text[known])):
        known = written  # one loss a run, among rows of other things
    some, rows = only(names, known), only(frame, known)
    ask_of_checkpoints(some, rows, mapping, table)
    own = numbered(some)
    again = sizes(own)[own] > 1  # only names that repeat can say anything about what repeating means
    if not again.any():
        return Rows("runs", names)
    some, rows = only(some, again), only(rows, again)
    found = _progress(some, rows, mapping)
    counter = found if found and _is_counter(found, mapping) else ""
    differ = varying(numbered(some), rows)
    if differ and not counter:
        by_place = _places(names, frame, known, mapping, False)
        if by_place:
            return by_place
    if differ:
        label = run_labels(names, frame, differ)  # the name is a setting's where seeds or sizes tell its runs apart
        for c in PROGRESS:
            counts = _is_counter(c, mapping) or (c == found and TOLD in differ and not _weak(mapping))
            if usable(rows, c) and counts and rises(label[rows.index], rows[c]):
                return Rows("history", label, c, f"the same name stands over different {words_of(differ)}")
            told = _told(names, frame, rows, c, differ, mapping)
            if told is not None:
                return told
        return Rows("group", names, why=f"the same name stands over different {words_of(differ)}")
    for c in PROGRESS:
        told = _told(names, frame, rows, c, [], mapping) if c in rows and not rises(some, rows[c]) else None
        if told is not None:
            return told
    read = numbers(some)
    of_sizes = read.share == 1.0 and bool(read.written)
    shared = Rows("group", names, why="the names are sizes" if of_sizes else "a model's runs share it")
    if plans := own_plans(shared, some, rows, mapping, table):
        return plans
    if not found:
        return shared if of_sizes else Rows("repeats", names)
    if not counter and (of_sizes or _weak(mapping)):
        label = names if written.all() else names.where(written, "?")
        return _models(label, frame[known], [found], mapping, shared, table, "run", of_sizes)
    history = Rows("history", names, found)
    return if_in_order(history, shared, some, rows, mapping, table) if counter and _weak(mapping) else history


def _places(names: pd.Series, frame: pd.DataFrame, known: np.ndarray, mapping: Mapping, plainly: bool) -> Rows | None:
    """Rows named after the place of a checkpoint (step1000) whose runs are the models beside it; None where they are not.

    `plainly` says that a number alone is no place.
    """
    some = only(names, known)
    named = places(some) if plainly else bare_places(some)
    if not named or "family" not in frame or blank(frame["family"]).any():
        return None
    family = frame["family"]
    pairs = numbered(family, names)
    if repeats(pairs[known]) or varying(numbered(family), frame):
        return None
    found = next((c for c in PROGRESS if usable(frame[known], c) and rises(family[known], frame.loc[known, c])), "")
    header = mapping.header("run")
    return Rows("history", family, found, f"{header!r} names checkpoints of each model") if found else None


def _stepped(
    names: pd.Series, frame: pd.DataFrame, known: np.ndarray, mapping: Mapping, column: str, stem: str, table: str
) -> Rows | None:
    """Rows named after a model and the step of its checkpoint (m50-step1000): the models are the runs.

    Names of nothing but a step are of the model beside them, or of one run of each setting. Raises `MappingNeeded` where the
    names may as well be those of runs of several lengths (5k steps).
    """
    header = mapping.header(column) or ""
    found = models(only(names, known), bool(CHECKPOINT.search(take_apart(header).words)))
    if not found:
        return None
    label = names.map(found).fillna(names).astype("str")
    bare = (names.map(found) == "").to_numpy()
    if bare.any():
        beside = frame["family"] if column == "run" and "family" in frame else label
        label = label.mask(bare, beside.where(beside != "", stem)).astype("str")
        keys = varying(numbered(label[bare]), frame[bare])
        label = run_labels(label, frame, keys) if keys else label
    own = label[known]
    if different(own) > known.sum() / 2 or repeats(numbered(own, names[known])):
        return None
    along = next((c for c in PROGRESS if usable(frame[known], c) and rises(own, frame.loc[known, c])), "")
    if not along or varying(numbered(own), frame[known]) or not in_order(names, own, frame[along]):
        return None
    steps = mapping.guesses.get("steps")
    if steps is not None and "planned" in steps.how and vary(numbered(own), frame.loc[known, "steps"]):
        return None  # each to a length of its own
    why = f"{header!r} names checkpoints of each model"
    if not mapping.rows and not CHECKPOINT.search(take_apart(header).words) and not all(map(of_a_checkpoint, found)):
        text = (
            f"The names in {header!r} end in steps ({next(iter(found))[:40]}): are the rows of one setting runs of their own, or "
            "checkpoints of one?"
        )
        raise MappingNeeded(f"{table}: {text}", (Question("rows", text, ("runs", "checkpoints"), "runs"),))
    if not bare.any() or mapping.rows:
        return Rows("history", label, along, why)
    text = f"The rows of one setting are named by steps in {header!r}: are they checkpoints of one run, or runs of their own?"
    return Rows("history", label, along, why, Question("rows", text, ("checkpoints", "runs"), "checkpoints", False))


def _without_names(
    frame: pd.DataFrame, measured: np.ndarray, mapping: Mapping, stem: str, lines: pd.Series, table: str
) -> Rows:
    rows = only(frame, measured)
    runs = Rows("lines", lines)
    family = frame.get("family", lines)
    called = not blank(family).any()
    labelled = called and repeats(family)
    if called and (stepped := _stepped(family, frame, measured, mapping, "family", stem, table)):
        return stepped
    keys = [c for c in CONSTANT if c in rows and different(rows[c]) > 1]
    counters = [c for c in PROGRESS if _is_counter(c, mapping) and usable(rows, c)]
    key = group_of(rows, [*(["family"] if labelled else []), *keys])
    settings = len(sizes(key))
    begun = Rows(
        "history", labels_of(family if labelled else None, frame, keys, stem), why="" if key.any() else _ONE_LOG
    )
    logged = any(len(rows) / settings >= (3 if c == "steps" else LEAST) and rises(key, rows[c]) for c in counters)
    if not logged and "loss" in rows and (curve := from_zero(begun, key, rows, mapping, table)):
        return curve
    for c in counters:
        if settings == 1 and c == "steps" and len(rows) == 2 and rows[c].is_monotonic_increasing and not labelled:
            text = f"The two losses stand at two places of {mapping.header(c)!r} with all else alike: are they one run's, or two runs'?"
            asked = Question("rows", text, ("checkpoints", "runs"), "checkpoints", False)
            return Rows("history", pd.Series([stem] * len(frame), dtype="str"), c, _ONE_LOG, asked)
        if c == "epochs" and len(rows) / settings < LEAST and of_one_training(key, rows[c]):
            why = _ONE_LOG if settings == 1 else ""
            history = Rows("history", labels_of(family if labelled else None, frame, keys, stem), c, why)
            return few_epochs(history, runs, key, rows, mapping, table)
        enough = 3 if c == "steps" else LEAST
        shuffled = settings == 1 and len(rows) >= enough and not stands_in_order(key, rows[c])
        if shuffled and rises(key, rows[c]) and not begins_anew(rows):
            one = family if labelled else pd.Series([stem] * len(frame), dtype="str")
            return if_in_order(Rows("history", one, c, _ONE_LOG), runs, key, rows, mapping, table)
        if settings == 1 and (len(rows) < (3 if c == "steps" else LEAST) or not ascending(rows[c])):
            if len(rows) < LEAST and ascending(rows[c]):
                runs = _runs_or_curve(runs, c, mapping)
            continue
        # People write the tokens a run has seen beside its last loss too; a step counter says more.
        many = len(rows) / settings
        fewest, enough = (2 if c in ("steps", "epochs") else 3), (3 if c == "steps" else LEAST)
        if fewest <= many < enough and rises(key, rows[c]):
            runs = _runs_or_curve(runs, c, mapping)
        if many >= enough and rises(key, rows[c]):
            label = labels_of(family if labelled else None, frame, keys, stem)
            history = Rows("history", label, c, "" if settings > 1 else _ONE_LOG)
            plans = own_plans(runs, key, rows, mapping, table)
            return plans or if_in_order(history, runs, key, rows, mapping, table)
    for c in counters:
        told = _told(None, frame, rows, c, keys, mapping, stem)
        if told is not None:
            return told
    if "steps" in frame and _is_counter("steps", mapping) and not keys and not labelled and len(frame) >= LEAST:
        every = frame["steps"].dropna()  # a log with a few evaluations among many steps
        if len(every) > 0.9 * len(frame) and ascending(every) and every.nunique() > 1 and len(rows) < len(frame):
            one = pd.Series([stem] * len(frame), dtype="str")
            return Rows("history", one, "steps", _ONE_LOG)
    if "steps" in counters and not keys and not labelled and begins_anew(rows):
        one = pd.Series([stem] * len(frame), dtype="str")
        return Rows("history", one, "tokens", _RESUMED)
    if settings == 1:
        one = family if labelled else pd.Series([stem] * len(frame), dtype="str")
        for c in (c for c in counters if rises(one[rows.index], rows[c])):
            if resumed := if_resumed(Rows("history", one, c, _RESUMED), runs, rows, mapping, table):
                return resumed
    planned = [c for c in PROGRESS if c in mapping.guesses and c not in counters and usable(rows, c)]
    if labelled and planned and not varying(numbered(family), frame):
        return _models(family, rows, planned, mapping, runs, table)
    if not keys and not labelled and planned and len(rows) >= LEAST and ascending(rows[planned[0]]):
        return _one_log(frame, rows, planned[0], stem, runs, table, mapping)
    if not runs.question:
        ask_of_curves(rows, [*(["family"] if labelled else []), *keys], planned, mapping, table)
    return runs


def _runs_or_curve(runs: Rows, column: str, mapping: Mapping) -> Rows:
    """Rows as runs, with the question whether they are few checkpoints of one."""
    text = f"Rows of one setting rise along {mapping.header(column)!r}: are they checkpoints of one run, or runs of their own?"
    return Rows(runs.kind, runs.names, question=Question("rows", text, ("runs", "checkpoints"), "runs", False))


def _weak(mapping: Mapping) -> bool:
    """Whether the column of names may as well name models: `name` and `id`, where `run` and `experiment` name runs."""
    guess = mapping.guesses.get("run")
    return guess is not None and guess.confidence <= 0.8


def _told(
    names: pd.Series | None,
    frame: pd.DataFrame,
    rows: pd.DataFrame,
    counter: str,
    keys: list[str],
    mapping: Mapping,
    stem: str = "run",
) -> Rows | None:
    """Rows as the curves of runs that settings or beginnings of a counter tell apart, where no name does; None where they don't."""
    if not (_is_counter(counter, mapping) and usable(rows, counter)):
        return None
    alone = names is None or different(names[rows.index]) == 1
    if alone and counter == "steps" and "tokens" in rows and ascending(rows["tokens"]):
        return None  # one run that was resumed: its tokens go on rising
    label, batch = partial(run_labels, names, frame, stem=stem), stated_batch(frame, mapping)
    found = apart(names, frame, rows, counter, keys, label, rises, batch)
    return None if found is None else Rows("history", found[0], counter, found[1])


def _models(
    family: pd.Series,
    rows: pd.DataFrame,
    planned: list[str],
    mapping: Mapping,
    runs: Rows,
    table: str,
    column: str = "family",
    sized: bool = False,
) -> Rows:
    """Rows that share a model's name, under `column`: checkpoints of its run, or its runs at several lengths.

    `sized` says that the names are sizes, which no run is called: where all have the same lengths they are a grid of runs.
    """
    mine = family[rows.index]
    groups = numbered(mine)
    found = next((c for c in planned if rises(mine, rows[c])), "")
    if not found:
        return runs
    for c in VARIED:
        if c in rows and c in mapping.guesses and vary(groups, rows[c]):
            return runs
    history = Rows("history", family, found, "rows that share a model's name are its checkpoints")
    by = rows.groupby(mine) if "total_steps" in rows and found == "steps" else None
    horizon = by is not None and (by["total_steps"].max() >= by[found].max()).all()
    if horizon or ("schedule" in rows and (rows["schedule"] != "").all() and found == "steps"):
        return history
    many = int(np.median(sizes(groups)))
    header = mapping.header(column)
    place = rows[found].to_numpy()
    regular = all(evenly(place[at]) and len(at) > 2 for at in each(groups))
    if column == "run" and regular and many > PAIRS and not sized:
        return history  # a name of its own and regular intervals: a log
    text = f"Rows share their name in {header!r}: are the {many} rows of a model checkpoints of one run, or runs of their own?"
    own = column == "run" and not sized and many == PAIRS  # names that say nothing of a model
    if (many <= PAIRS and not own) or multiples(mine, rows) or (sized and grid(mine, rows[found])):
        return Rows(
            runs.kind, runs.names, why=runs.why, question=Question("rows", text, ("runs", "checkpoints"), "runs", False)
        )
    question = Question("rows", text, ("checkpoints", "runs"), "checkpoints" if regular else "runs")
    raise MappingNeeded(f"{table}: {text}", (question,))


def _one_log(
    frame: pd.DataFrame, rows: pd.DataFrame, found: str, stem: str, runs: Rows, table: str, mapping: Mapping
) -> Rows:
    """Rows of one setting along a column that may be a plan or a counter: told by how many and how evenly they stand."""
    n, spaced = len(rows), evenly(rows[found])
    if n < FEW and not (spaced and found in ("epochs", "wall_seconds")):
        return runs
    one = Rows("history", pd.Series([stem] * len(frame), dtype="str"), found, _ONE_LOG)
    header = mapping.header(found)
    text = f"The {n} rows rise along {header!r} with all else alike: are they checkpoints of one run, or runs of their own?"
    if n >= (MANY if spaced else 2 * MANY):
        return Rows(
            one.kind, one.names, found, one.why, Question("rows", text, ("checkpoints", "runs"), "checkpoints", False)
        )
    if not spaced and n < MANY:
        return Rows("lines", runs.names, question=Question("rows", text, ("runs", "checkpoints"), "runs", False))
    raise MappingNeeded(
        f"{table}: {text}", (Question("rows", text, ("checkpoints", "runs"), "checkpoints" if spaced else "runs"),)
    )


def _as_said(
    names: pd.Series | None, frame: pd.DataFrame, measured: np.ndarray, mapping: Mapping, stem: str, table: str
) -> Rows:
    """Rows as checkpoints because a person says so, under the best names and along the first column that moves."""
    rows = frame[measured]
    if names is not None and not blank(names).all() and not _only_checkpoints(names, rows, mapping):
        label = names
    elif "family" in frame and not blank(frame["family"]).any() and repeats(frame["family"]):
        label = frame["family"]
    else:
        keys = [c for c in CONSTANT if c in rows and different(rows[c]) > 1]
        along = next((c for c in PROGRESS if usable(rows, c) and different(rows[c]) > 1), "")
        return _moving(
            run_labels(None, frame, (curve_keys(rows, keys, along) if along else None) or keys, stem), rows, table
        )
    if TOLD in frame and vary(numbered(label), frame[TOLD]):
        label = run_labels(label, frame, [TOLD])
    return _moving(label, rows, table)


def _moving(label: pd.Series, rows: pd.DataFrame, table: str) -> Rows:
    """The rows as checkpoints of the runs that `label` (n,) names, along the first column that moves."""
    moving = [c for c in PROGRESS if usable(rows, c) and different(rows[c]) > 1]
    if not moving:
        raise DataError(
            f"{table} has no column along which a run moves forward (steps, tokens, samples, FLOPs, epochs or seconds), "
            "so its rows cannot be read as checkpoints."
        )
    best = next((c for c in moving if rises(label[rows.index], rows[c])), moving[0])
    return Rows("history", label, best, "rows are checkpoints, as you said")


def _only_checkpoints(names: pd.Series, rows: pd.DataFrame, mapping: Mapping) -> bool:
    """Whether names of checkpoints are each another row's, or of rows of several sizes: the runs are then those of the sizes."""
    own = names[rows.index]
    return names_checkpoints(mapping) and (own.is_unique or bool(varying(numbered(own), rows)))


def _progress(names: pd.Series, rows: pd.DataFrame, mapping: Mapping) -> str:
    """The column along which rows under one name move forward, counters first; '' where none does."""
    known = [c for c in PROGRESS if usable(rows, c)]
    known.sort(key=lambda c: not _is_counter(c, mapping))
    return next((c for c in known if rises(names, rows[c])), "")
