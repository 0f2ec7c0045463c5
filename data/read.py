"""From files, folders and data frames to runs, in one call."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from data.cells.cleaned import clean
from data.convert import to_runs
from data.errors import DataError, MappingNeeded, ReadError
from data.filenames.columns import run_names
from data.files.by_file import flat, labels, nested, own_answers, shared_out, together
from data.files.checkpoints import one_per_run
from data.files.one_run import Part, counted_once, evaluated
from data.frames import from_frame as from_frame
from data.frames import recognised, under_labels
from data.given import a_path, a_source, are_answers
from data.losses.kinds import means_over_training
from data.probe.found import below
from data.probe.runs import holds_probes, read_probes
from data.readers import path_parts, read_table, suffixes, too_large
from data.readers._by_tag import Found, by_tag
from data.readers._limits import MAX_FILE
from data.readers._shapes import oriented
from data.recognition import recognise
from data.rows.history import distinct
from data.schema import NothingKept, Runs, stack
from data.splits.files import one_of_splits
from data.table import Table

MAX_FILES = 1_000
MAX_DEPTH = 6
MOST_NAMED = 12  # sweeps that one message names
MOST_ASKED = 10  # questions that one message holds; all are in its `questions`

PathLike = str | os.PathLike[str]
ReadOne = Callable[[Table, Mapping[str, Any]], Runs]


def read_runs(
    source: PathLike | pd.DataFrame | Iterable[PathLike | pd.DataFrame],
    *,
    columns: Mapping[str, str | None] | None = None,
    loss_unit: str | None = None,
    bytes_per_token: float | None = None,
    count: str | None = None,
    units: Mapping[str, float | str] | None = None,
    rows: str | None = None,
    orientation: str | None = None,
    history: str | None = None,
    states: Iterable[str] | None = None,
    batch: str | None = None,
    devices: float | None = None,
    split: str | None = None,
    epochs: str | None = None,
    unknown_states: str | None = None,
    tokens_from: str | None = None,
    keep_copies: bool = False,
    name: str | None = None,
    by_file: Mapping[str, Mapping[str, Any]] | None = None,
) -> Runs:
    """The runs in a file, a folder, several of them, or a data frame; numbers in the units of `data.schema.COLUMNS`.

    A folder of probes (`isoflop probe`), a sweep's or one of sweeps, is read by what its runs say of themselves.

    `source`: the path of a file or folder, a list of them, or a DataFrame (or a list of one), whose index names
        the runs where no column does.
    `columns`: the file's column for one of `data.schema.COLUMNS` where the guess is wrong or open: `{"loss": "C4 Eval Loss"}`;
        None for a column that the file does not have.
    `loss_unit`: "nats", "bits", "bits per byte" (with `bytes_per_token`), "perplexity" or another of `data.losses.units.UNITS`.
    `bytes_per_token`: bytes, characters or words that a token has, for losses counted by them.
    `count`: the parameter count that fits use, such as "params_nonembed".
    `units`: the factor of a column's unit, `{"tokens": 1e9}`, or the logarithm that it holds, `{"tokens": "log10"}`.
    `rows`: whether rows that could be either are "runs" or "checkpoints".
    `orientation`: whether a table that can be read both ways has its runs in "rows" or "columns".
    `history`: which loss of a run's checkpoints is its own ("last", "least", "mean of last 10", "lowest val_loss", "highest
        accuracy"), or "all" for every checkpoint.
    `states`: run states that are kept all the same, such as "crashed".
    `batch`: what a batch size counts: "step", "device", "accumulated" or "all devices".
    `devices`: how many devices each run trained on, where the file does not say.
    `split`: the rows that count where a column says on what each loss was measured ("val", "c4"); "all": every row is a run.
    `epochs`: whether the row of epoch 0 stands "after" the first epoch or "before" any training.
    `unknown_states`: whether runs in states that are not known are "kept" or "set aside".
    `tokens_from`: whether tokens that no column says follow from the "columns" of batch and steps or from "flops".
    `keep_copies`: whether rows that repeat another stay.
    `name`: what the table is called (default: the file's name).
    `by_file`: answers of one file among several, by its name or a pattern: `{"old*.csv": {"bytes_per_token": 4.2}}`. An answer
        without a file goes to the files that ask for it, or to all where none asks.

    Raises `ReadError` with one sentence for what cannot be read, `MappingNeeded` with questions for what is open.
    """
    states = (states,) if isinstance(states, str) else tuple(states) if isinstance(states, Iterator) else states
    answers: dict[str, Any] = {
        "columns": columns, "loss_unit": loss_unit, "bytes_per_token": bytes_per_token, "count": count, "units": units,
        "rows": rows, "states": states, "batch": batch, "devices": devices, "split": split, "epochs": epochs,
        "unknown_states": unknown_states, "tokens_from": tokens_from,
    }  # fmt: skip
    more = {
        "orientation": orientation,
        "history": history,
        "name": name,
        "by_file": by_file,
        "keep_copies": keep_copies,
    }
    are_answers({**answers, **more})
    answers["states"] = () if states is None else tuple(states)
    source = a_source(source)
    if isinstance(source, pd.DataFrame):
        if by_file:
            raise DataError("by_file answers for files; a data frame takes the same answers without a file's name.")
        table, mapping = recognised(source, name or "table", orientation, answers)
        return under_labels(to_runs(table, mapping, history=history, keep_copies=keep_copies), source, table)
    if any(path != "" and holds_probes(Path(path)) for path in source):
        given = {**answers, "orientation": orientation, "history": history, "by_file": by_file}
        return _probes([Path(path) for path in source], name or ", ".join(map(_label, source[:3])), given)
    for path in map(Path, filter(None, source)):
        if path.is_dir() and (lower := below(path)):  # a level too high: each is a table of its own
            raise ReadError(_of_several(path, lower))
    tables, notes = read_files(source)

    def read_one(table: Table, said: Mapping[str, Any]) -> Runs:
        told = nested(said)
        table = oriented(table, told.pop("orientation", None), told.get("columns"))
        mapping = recognise(table, **told, states=answers["states"])
        return to_runs(table, mapping, history=history, keep_copies=keep_copies)

    read, passed = _each(tables, flat({**answers, "states": None, "orientation": orientation}), by_file or {}, read_one)
    notes = (*notes, *passed)
    label = name or (tables[0].name if len(tables) == 1 else ", ".join(_label(p) for p in source[:3]))
    if len(read) == 1:
        runs = replace(read[0].runs, name=label)
    else:
        each, again = ([p.runs for p in read], ()) if keep_copies else counted_once(read)
        notes = (*again, *notes)
        runs = merge([(p.file, r) for p, r in zip(read, each, strict=True)], label)
    return replace(runs, notes=(*runs.notes, *notes), labels=None)


def _of_several(path: Path, found: list[Path]) -> str:
    """What is said of a folder that holds folders of sweeps."""
    called = [str(one.relative_to(path)) for one in found]
    more = f" and {len(called) - MOST_NAMED} more" if len(called) > MOST_NAMED else ""
    which = "the sweep" if len(called) == 1 else "the sweeps"
    several = f"one of them, such as {path / called[0]}, or several by their paths"
    what = f"{path / called[0]}" if len(called) == 1 else several
    return f"{path} holds {which} {', '.join(called[:MOST_NAMED])}{more}: read {what}."


def _probes(paths: list[Path], name: str, answers: Mapping[str, Any]) -> Runs:
    """The runs in folders of probes, of which nothing is open but which count of parameters and which states count."""
    if others := [path for path in paths if not holds_probes(path)]:
        raise ReadError(f"{_label(others[0])} holds no probes, and the others do. Read them apart.")
    if told := [key for key, value in answers.items() if value and key not in ("count", "states")]:
        raise DataError(f"Probes say themselves what their columns are; leave out {' and '.join(told)}.")
    return read_probes(paths, name, count=answers["count"], keep=answers["states"])


def _each(
    tables: list[Table], plain: dict[str, Any], by_file: Mapping[str, Mapping[str, Any]], read_one: ReadOne
) -> tuple[list[Part], tuple[str, ...]]:
    """The runs of each table under the answers that go to it, and notes on those passed over; MappingNeeded for all that is open."""

    def outcome(table: Table, said: Mapping[str, Any]) -> Runs | DataError:
        try:
            return read_one(table, said)
        except DataError as e:
            return e

    names = [t.label or t.name for t in tables]
    own = own_answers(by_file, names)
    given = shared_out(plain, own, tables, outcome) if len(tables) > 1 else [plain | own[0]]
    read: list[Part] = []
    failures: list[tuple[str, MappingNeeded]] = []
    open_: dict[str, Table] = {}
    for table, file, said in zip(tables, names, given, strict=True):
        try:
            read.append(part_of(table, file, read_one(table, said)))
        except NothingKept as e:
            if len(tables) == 1:
                raise
            read.append(part_of(table, file, e.runs))
        except MappingNeeded as e:
            if len(tables) == 1:
                raise
            failures.append((file, e))
            open_[file] = table
    aside = {file: why for file, e in failures if read and (why := _passed_over(e, open_[file], file, read))}
    if left := [(file, e) for file, e in failures if file not in aside]:
        asked = together((file, q) for file, e in left for q in e.questions)
        raise MappingNeeded(" ".join(q.text for q in asked[:MOST_ASKED]), asked)
    return read, _said_once(aside)


def read_files(paths: Iterable[PathLike]) -> tuple[list[Table], tuple[str, ...]]:
    """The tables in files and folders, and notes on what was passed over. Raises `ReadError` when there is none.

    A file that is named must be readable; in a folder, files that are no tables are passed over and said so.
    """
    tables: list[Table] = []
    passed: list[str] = []
    places: list[tuple[str, ...]] = []
    whole: list[str] = []
    found_paths = a_source(paths, "paths")
    if isinstance(found_paths, pd.DataFrame):
        raise ReadError("paths are those of files and folders; a data frame is no file. Give it to read_runs.")
    for given in found_paths:
        if given == "":  # which Path takes for the folder that one happens to stand in
            raise ReadError('a path was empty; expected that of a table or of a folder with tables, "." for this one.')
        path = Path(given)
        if path.is_dir():
            found = 0
            for file in _walk(path):
                try:
                    inside = str(Path(path.resolve().name) / file.relative_to(path))
                    tables.append(read_file(file, inside))
                    places.append(path_parts(inside))
                    whole.append(str(file.absolute()))
                    found += 1
                except ReadError as e:
                    passed.append(str(e))
            if not found:
                first = f" ({passed[0]})" if passed else ""
                raise ReadError(
                    f"the folder {path.name or path} holds no table of runs{first}; "
                    f"files ending in {', '.join(sorted(suffixes()))} are read."
                )
        else:
            tables.append(read_file(path))
            places.append(path_parts(str(path.absolute())))
            whole.append(str(path.absolute()))
    if not tables:
        raise ReadError("no file was given; expected the path of a table or of a folder with tables.")
    notes = tuple(f"Passed over: {p}" for p in passed[:20])
    if len(tables) > 1:
        found_in = by_tag(list(map(Found, tables, places, whole)))
        tables, places, whole = ([getattr(f, what) for f in found_in] for what in ("table", "parts", "path"))
        joined = one_per_run(tables, places, whole)
        tables, places, whole = joined.tables, joined.places, joined.files
        notes += joined.notes
        if (found_as := one_of_splits(tables, whole)) is not None:
            at, below = found_as
            keep = [i for i in range(len(tables)) if i == at[0] or i not in at]
            tables = [below if i == at[0] else tables[i] for i in keep]
            places, whole = [places[i] for i in keep], [whole[i] for i in keep]
    if len(tables) > 1:
        stems = run_names(places)
        called = labels(whole)
        tables = [
            replace(
                t,
                stem=stem,
                one_run=stem if t.one_run == t.stem else t.one_run,
                label=clean(label),
                place=(str(Path(path).parent), parts[-1]),
                alone=True,
            )
            for t, stem, label, path, parts in zip(tables, stems, called, whole, places, strict=True)
        ]
    return tables, notes


def read_file(path: PathLike, inside: str = "") -> Table:
    """The table in a file. Raises `ReadError`; the size is looked at before anything is read.

    `inside` is the path from the folder that was given, whose names may say what the run was; else the file's name alone.
    """
    path = Path(a_path(path))
    try:
        if not path.is_file():
            what = "is not a file" if path.exists() else "does not exist"
            raise ReadError(f"{path} {what}; expected the path of a table of runs.")
        size = path.stat().st_size
        if size > MAX_FILE:
            raise ReadError(too_large(path.name, size))
        with path.open("rb") as f:
            content = f.read(MAX_FILE + 1)
    except (OSError, ValueError) as e:
        if isinstance(e, ReadError):
            raise
        reason = getattr(e, "strerror", None) or "the path is not valid"
        raise ReadError(f"{path} cannot be opened ({reason}).") from None
    return read_table(content, inside or path.name)


def part_of(table: Table, file: str, runs: Runs) -> Part:
    """The runs of a table, which is one file of several."""
    return Part(file, runs, *table.place)


def merge(read: list[tuple[str, Runs]], name: str) -> Runs:
    """Several tables of runs, each under its file's name, as one: names made unique, columns of any of them, notes and
    questions of each said once per file."""
    parts = [p for _, p in read]
    kept = stack([p.kept for p in parts])
    aside = stack([p.set_aside for p in parts])
    histories = [p.history for p in parts if p.history is not None]
    before = list(kept["run"])
    kept["run"] = distinct(before)
    if histories and before != list(kept["run"]):
        renamed, at = [], 0
        for p in parts:
            new = dict(zip(before[at : at + len(p.kept)], kept["run"][at : at + len(p.kept)], strict=True))
            at += len(p.kept)
            if p.history is not None:
                renamed.append(p.history.assign(run=p.history["run"].map(new)))
        histories = renamed
    sources = {s.column: s for p in reversed(parts) for s in p.sources}
    for frame in (kept, aside):
        for column in frame:
            if frame[column].dtype == object or isinstance(frame[column].dtype, pd.StringDtype):
                frame[column] = frame[column].where(frame[column].notna(), "").astype("str")
    history = stack(histories) if histories else None
    questions = together((file, q) for file, p in read for q in p.questions)
    return Runs(kept, aside, name, tuple(sources.values()), _together(parts), history, questions)


def _together(parts: list[Runs]) -> tuple[str, ...]:
    """The notes of several files, one that many of them have said once with their number."""
    said: dict[str, list[str]] = {}
    for p in parts:
        for note in dict.fromkeys(p.notes):
            said.setdefault(re.sub(r"[0-9][0-9,.]*", "#", note), []).append(f"{p.name}: {note}")
    out = []
    for notes in said.values():
        if len(notes) == 1:
            out.append(notes[0])
        else:
            first = notes[0].split(": ", 1)[1]
            same = len({n.split(": ", 1)[1] for n in notes}) == 1
            out.append(f"{len(notes)} files{'' if same else ', with numbers of their own'}: {first}")
    return tuple(out[:200])


def _passed_over(error: MappingNeeded, table: Table, file: str, read: list[Part]) -> str:
    """Why a file beside others is left out, as a sentence; '' where it must be asked about."""
    if _no_runs(error):
        return f"{file}: " + " ".join(q.text for q in error.questions)
    options = [o for q in error.questions for o in q.options]
    means = {q.key for q in error.questions} == {"columns.loss"} and means_over_training(table, options) == options
    better = evaluated(read, table.place) if means else ""
    return (
        f"{file} has no loss but the mean over all of training; {better} holds the run's evaluated loss."
        if better
        else ""
    )


def _said_once(aside: Mapping[str, str]) -> tuple[str, ...]:
    """Notes on the files that are left out, each with why; those that are left out for the same reason in one, 20 at most."""
    alike: dict[str, list[str]] = {}
    for file, why in aside.items():
        alike.setdefault(why.removeprefix(f"{file}: "), []).append(file)
    out = []
    for why, files in alike.items():
        if len(files) == 1:
            out.append(f"Passed over: {aside[files[0]]}")
            continue
        shown = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
        out.append(f"Passed over {len(files)} files ({shown}): {why}")
    return tuple(out[:20])


def _no_runs(error: MappingNeeded) -> bool:
    """Whether a file beside others simply has no loss, as a run's configuration has none."""
    return all(q.key == "columns.loss" and not q.guess for q in error.questions) and "named like the loss" not in str(
        error
    )


def _label(path: PathLike) -> str:
    return Path(path).name or str(path)


def _walk(folder: Path) -> Iterator[Path]:
    """Files with a known ending below the folder, in order; hidden ones and links that lead out are left alone."""
    root = folder.resolve()
    found = 0
    for here, folders, files in os.walk(folder, followlinks=False):
        depth = len(Path(here).relative_to(folder).parts)
        folders[:] = sorted(f for f in folders if not f.startswith(".")) if depth < MAX_DEPTH else []
        for file in sorted(files):
            path = Path(here) / file
            if file.startswith(".") or path.suffix.lower() not in suffixes():
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                continue
            found += 1
            if found > MAX_FILES:
                raise ReadError(
                    f"the folder {folder.name} holds more than {MAX_FILES:,} tables; name the ones to read."
                )
            yield path
