"""Each row's run name, and whether rows are checkpoints: from a column of names, the models, the file, or the line."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from data.draft import MAX_EXTRAS, Draft
from data.errors import MappingNeeded, Question
from data.filenames.resumed import joined as resumed
from data.headers.parts import header as take_apart
from data.mapping import Mapping
from data.plural import agreeing, plural
from data.rows.groups import blank, kinds, numbered, repeats
from data.rows.kinds import judge
from data.rows.labels import CONSTANT, TOLD
from data.rows.line_order import Rows
from data.rows.places_beside import places_beside
from data.rows.progress import PROGRESS
from data.rows.side_by_side import side_by_side
from data.rows.text_columns import joined, told_apart
from data.rows.unread import along_unread
from data.schema import COLUMNS, Provenance
from data.table import Table

OF_INDEX = "the frame's index: it has no column of run names"


def identify(draft: Draft, table: Table, mapping: Mapping, measured: np.ndarray) -> tuple[pd.Series, str]:
    """Each row's run name, and the column along which rows are checkpoints ('' when each row is a run)."""
    n = len(table.frame)
    header = mapping.header("run")
    stem = table.one_run or table.stem
    known = _known_order(table, mapping) if mapping.rows != "runs" else ""
    if header is None and table.one_run and mapping.rows != "runs":
        progress = known or next((c for c in PROGRESS if c in draft.frame and draft.frame[c].nunique() > 1), "tokens")
        draft.sources.append(Provenance("run", "", "the file is one run's history, named after the file", 0.8))
        return pd.Series([stem] * n, dtype="str"), progress
    names = None if header is None else table.names(header)
    if known and names is not None:
        found = Rows("history", names, known)
    else:
        found = _found(draft, names, measured, table, mapping, stem)
    draft.questions += [found.question] if found.question else []
    draft.several = bool(found.doubt)
    draft.notes += [found.doubt] if found.doubt else []
    if names is None or header is None:
        return _unnamed(draft, table, mapping, found)
    silent = blank(names)
    if silent.any():
        draft.notes.append(
            f"{agreeing(int(silent.sum()), 'row has', 'rows have')} no name in {header!r}: named by the line in the file."
        )
    if found.kind == "group":
        draft.notes.append(f"{header!r} does not name runs ({found.why}): it was taken as the group.")
        if "group" in draft.frame and "family" not in draft.frame:
            draft.frame["family"] = draft.frame["group"]
        draft.frame["group"] = names
        draft.sources = [s for s in draft.sources if s.column != "group"]
        draft.sources.append(Provenance("group", header, found.why))
        return _lines(table), ""
    guess = mapping.guesses["run"]
    how = guess.how if not found.why else f"{guess.how}; {found.why}"
    draft.sources.insert(0, Provenance("run", header, how, guess.confidence))
    if found.kind == "repeats":
        draft.notes.append(f"Names in {header!r} occur again; the later ones got a number.")
    elif found.kind == "history" and (shared := int((kinds(numbered(names), found.names) > 1).sum())):
        draft.notes.append(
            f"{plural(shared, 'name')} in {header!r} stand{'s' if shared == 1 else ''} over several runs"
            f"{f' ({found.why})' if found.why else ''}: {plural(found.names.nunique(), 'run')}."
        )
    return found.names.where(~silent, _lines(table)) if silent.any() else found.names, found.progress


def _lines(table: Table) -> pd.Series:
    """The rows named by their lines in the file, or by the frame's index: (n,)."""
    return pd.Series([table.called.get(int(line), f"row {line}") for line in table.lines], dtype="str")


def _found(
    draft: Draft, names: pd.Series | None, measured: np.ndarray, table: Table, mapping: Mapping, stem: str
) -> Rows:
    """What rows are, by the columns that were read or else along a counter that was not."""
    if mapping.rows == "checkpoints":
        unread = along_unread(names, draft.frame, measured, table, mapping, stem)
        if unread is not None:
            return unread
    found = _apart(draft, table, names, measured, mapping, stem)
    if not found.progress and not mapping.rows:
        along_unread(names, draft.frame, measured, table, mapping, stem)
    return found


def _apart(
    draft: Draft, table: Table, names: pd.Series | None, measured: np.ndarray, mapping: Mapping, stem: str
) -> Rows:
    """What rows are, those of a curve parted by columns of text that stay as they are along one.

    Raises `MappingNeeded` where two readings are as likely.
    """
    asked = None
    try:
        found = _judged(draft, names, measured, mapping, stem, table.name)
    except MappingNeeded as e:
        asked, found = e, Rows("history", pd.Series([stem] * len(table.frame), dtype="str"))
    parted = None if mapping.rows == "runs" else side_by_side(draft.frame, found, names, measured, table, mapping, stem)
    if parted:
        return parted
    if (asked or not found.progress) and (placed := _placed(draft, names, measured, table, mapping, stem)):
        return placed
    if mapping.rows or not (found.progress or asked):
        return _few_checkpoints(found, table, mapping)
    place = next((draft.frame[c] for c in (found.progress, *PROGRESS) if c in draft.frame), pd.Series(table.lines))
    told = told_apart(table, mapping, measured, place, found.names, names is not None)
    if told.keys:
        texts = joined(table, told.keys)
        again = judge(names, draft.frame.assign(**{TOLD: texts}), measured, mapping, stem, table.name)
        if not again.progress and names is None and texts.is_unique and (texts != "").all():
            why = f"no column of run names: {' and '.join(map(repr, told.keys))} tells runs apart"
            return replace(again, names=texts, why=why)
        return again
    if asked:
        raise asked
    if told.doubtful:
        text = f"Does {told.doubtful!r} name runs of their own, or remark on checkpoints of one run?"
        question = Question("rows", text, ("checkpoints", "runs"), "checkpoints", needed=not told.hardly)
        if told.hardly:
            return replace(found, question=found.question or question)
        raise MappingNeeded(f"{table.name}: {text}", (question,))
    return found


def _placed(
    draft: Draft, names: pd.Series | None, measured: np.ndarray, table: Table, mapping: Mapping, stem: str
) -> Rows | None:
    """Rows as checkpoints where a column beside their names says how far each run had come, with the question whether they are."""
    own = names if names is not None else draft.frame.get("family")
    if mapping.rows or own is None or blank(own).any():
        return None
    header = places_beside(table, mapping, own, draft.frame, measured)
    if not header:
        return None
    found = judge(names, draft.frame, measured, replace(mapping, rows="checkpoints"), stem, table.name)
    text = f"{header!r} says how far each run had come: are the rows of one name checkpoints of one run, or runs of their own?"
    asked = Question("rows", text, ("checkpoints", "runs"), "checkpoints", needed=False)
    return replace(found, why=f"{header!r} says how far each run had come", question=asked)


_CHECKPOINT = re.compile(r"\b(?:checkpoints?|ckpts?)\b")


def _few_checkpoints(found: Rows, table: Table, mapping: Mapping) -> Rows:
    """The rows as they are. Raises `MappingNeeded` where few rows rise along a counter beside a column that numbers checkpoints."""
    asked = found.question
    used = {g.header for g in mapping.guesses.values()}
    if asked and not asked.needed and asked.guess == "runs":
        for header in table.headers:
            if header not in used and _CHECKPOINT.search(take_apart(header).path):
                text = f"{asked.text} {header!r} says checkpoints."
                needed = replace(asked, text=text, options=("checkpoints", "runs"), guess="checkpoints", needed=True)
                raise MappingNeeded(f"{table.name}: {text}", (needed,))
    return found


def _judged(
    draft: Draft, names: pd.Series | None, measured: np.ndarray, mapping: Mapping, stem: str, name: str
) -> Rows:
    """What rows are, those of resumed runs under the name that they began with where that makes them curves."""
    own = names if names is not None else draft.frame.get("family")
    notes: list[str] = []
    if own is not None and mapping.rows != "runs":
        one = resumed(own, draft.frame, CONSTANT, notes)
        if not one.equals(own):
            frame = draft.frame if names is not None else draft.frame.assign(family=one)
            found = judge(None if names is None else one, frame, measured, mapping, stem, name)
            if found.progress:
                draft.notes += notes
                return found
        else:
            draft.notes += notes
    return judge(names, draft.frame, measured, mapping, stem, name)


def _unnamed(draft: Draft, table: Table, mapping: Mapping, found: Rows) -> tuple[pd.Series, str]:
    """Run names for a table without a column of them, and the column along which rows are checkpoints."""
    if found.progress:
        how = found.why or "rows of one setting are its checkpoints"
        draft.sources.append(Provenance("run", "", how, 0.8))
        return found.names, found.progress
    if found.kind == "lines" and not repeats(found.names) and not blank(found.names).any():
        draft.sources.append(Provenance("run", "", found.why, 0.8))
        return found.names, ""
    if table.called:
        draft.sources.append(Provenance("run", "", OF_INDEX, 0.8))
        return _lines(table), ""
    family = mapping.header("family")
    if family is not None and not repeats(draft.frame["family"]) and not blank(draft.frame["family"]).any():
        draft.sources.append(Provenance("run", family, "no column of run names: the models' names serve", 0.8))
        return draft.frame["family"], ""
    if table.alone and len(table.lines) == 1:
        draft.sources.append(Provenance("run", "", "the file is one run, named after the file", 0.8))
        return pd.Series([table.stem], dtype="str"), ""
    draft.sources.append(Provenance("run", "", "no column of names: rows are named by their line in the file"))
    return _lines(table), ""


def _known_order(table: Table, mapping: Mapping) -> str:
    """The column along which rows are checkpoints, where the reader of the file knows that they are; else ''."""
    for column, guess in mapping.guesses.items():
        if table.order and guess.header == table.order and COLUMNS[column].kind == "number":
            return column
    if not table.order or table.order in COLUMNS or table.order not in table.headers[:MAX_EXTRAS]:
        return ""
    found = table.numbers(table.order)
    return table.order if found.share == 1.0 and not found.written else ""
