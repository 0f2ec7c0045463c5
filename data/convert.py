"""From a file's table and its mapping to runs: units applied, columns derived, rows judged."""

from __future__ import annotations

from collections.abc import Mapping as Pairs
from dataclasses import replace

import numpy as np
import pandas as pd

from data.cells.places import COUNTERS, front_numbers, without_place
from data.cells.values import Numbers, numbers
from data.columns.derive import derive
from data.columns.epochs import FROM_EPOCHS, counted_from_zero
from data.columns.planned import cut_down
from data.draft import Draft, ordered
from data.extras import extras
from data.flops import six_nd
from data.given import takes
from data.headers.titles import under_title
from data.losses.confidence import half_width
from data.losses.errors import error_in_nats, errors_under
from data.losses.not_evaluated import evaluated
from data.losses.not_measured import in_turn, not_measured, training_losses
from data.mapping import Mapping
from data.plural import plural
from data.rows.checkpoints import carry, checkpoints_of, whole_run
from data.rows.edited_copies import edited
from data.rows.groups import only
from data.rows.history import chosen_loss, distinct
from data.rows.identity import identify
from data.rows.measured_early import cut_to_place
from data.rows.resumes import resumed
from data.rows.settings import within_runs
from data.rows.so_far import says_so_far
from data.schema import COLUMNS, COUNTS, NEEDED, NothingKept, Provenance, Runs, stack
from data.splits.tables import counted
from data.states.checks import apart, copies, reasons, shared_losses
from data.states.exclusions import exclusions, set_aside
from data.states.recognise import ASIDE, STATE, ask_of_unknown, unfinished
from data.states.roles import roles
from data.states.rows import row_states
from data.states.stages import tuned
from data.table import REASON, Table, without_misfits

_TWO_LOSSES = "A table stands again with some losses changed"
_BATCH_DERIVED = "tokens over steps"  # as data.columns.derive says it


@takes(table=Table, mapping=Mapping)
@np.errstate(all="ignore")  # what overflows is set aside as not finite
def to_runs(table: Table, mapping: Mapping, *, history: str | None = None, keep_copies: bool = False) -> Runs:
    """The runs in a table: numbers in the units of `COLUMNS`, rows that cannot be fitted set aside with a reason.

    `history` says what becomes of many rows per run, where the mapping does not: "last" keeps the last of each, "all" every
    checkpoint, with the run's name in `group`; see `data.rows.history.chosen_loss` for the others. `keep_copies` keeps rows
    that repeat another in every measured value.
    Raises `MappingNeeded` when something is left open that numbers hang on and `NothingKept` when no row can be used.
    """
    choice = chosen_loss(history or mapping.history, table.headers)
    mapping.require(table.name)
    table = counted(evaluated(without_misfits(table)), mapping.split)
    draft = Draft(
        pd.DataFrame(index=pd.RangeIndex(len(table.frame))),
        notes=[*table.notes, *mapping.notes],
        questions=[q for q in mapping.questions if not q.needed],
    )
    read = _fill(draft, table, mapping)
    if in_turn(table, mapping.guesses["loss"].header):
        read = {
            c: replace(found, blank=found.blank | (np.isnan(found.values) & ~found.bad)) for c, found in read.items()
        }
    within_runs(draft.frame, table, mapping)
    placeless = cut_to_place(draft, table, mapping)
    found = derive(draft.frame, mapping, draft.notes, table.name)
    draft.sources = [*(s for s in draft.sources if s.column not in {f.column for f in found.sources}), *found.sources]
    draft.questions += found.questions
    judged = ~read["loss"].blank & ~np.isin(np.arange(len(table.frame)), list(draft.no_place))
    names, progress = identify(draft, table, mapping, judged)
    if progress == "steps" and draft.no_place and "tokens" in draft.frame and draft.frame["tokens"].notna().all():
        progress = "tokens"  # which say the place of every row
    frame = draft.frame
    if counted_from_zero(frame, names, mapping, draft.got("tokens", FROM_EPOCHS), table.name, draft.notes):
        _anew(draft)
    if progress:
        progress = _along(draft, table, mapping, names, progress)
        read["loss"] = _skipped(draft, table, mapping, names, progress, read["loss"])
    elif mapping.place is None and (short := cut_down(frame, mapping, draft.notes)):
        draft.sources = [short if s.column == "tokens" else s for s in draft.sources]
        _anew(draft)
    frame["run"] = names
    taken = [g.header for g in mapping.guesses.values()]
    unused = exclusions(table, taken)
    of = names if progress and mapping.split is None else None
    held = roles(table, taken, mapping.header("role"), not progress and mapping.split is None, draft.notes, of)
    if held:
        frame["role"] = held.role
        draft.sources.append(held.source)
    spoken = {*unused.headers, *([held.header] if held else []), *taken}
    frame = ordered(frame, {name: values for name, (_, values) in extras(table, spoken, list(frame)).items()})
    judged_by = reasons(frame, read, _cells(table, mapping, read), _doubts(mapping))
    for i, said in placeless.items():
        judged_by[i] = said if judged_by[i] == "" or judged_by[i].endswith("is not finite") else judged_by[i]
    why = set_aside(unused, judged_by, mapping.states, draft.notes)
    behind = _no_place_or_tuned(draft, table, mapping, why, progress)
    ended = row_states(table, mapping, names, bool(progress))
    checkpoints = None
    losses, lines = mapping.guesses["loss"].numbers(table).values, table.lines
    if progress:
        by = table.numbers(choice.header).values if choice.header else None
        frame, why, checkpoints, at = checkpoints_of(
            frame, why, progress, read["loss"].blank | behind, choice, by, draft.notes, draft.several
        )
        losses, ended, lines = losses[at], ended[at], lines[at]
    open_states = ask_of_unknown(frame, np.where(ended == "", why, ended), mapping.unknown_states == ASIDE)
    draft.questions += [open_states] if open_states else []
    why = unfinished(frame, why, mapping.states, draft.notes, ended, mapping.unknown_states == ASIDE)
    why = under_title(why, table.above, mapping.states, draft.notes)
    written = frame
    called = distinct(list(frame["run"]))
    if called != list(frame["run"]) or frame["run"].dtype != "str":
        frame = frame.assign(run=pd.Series(called, dtype="str", index=frame.index))
    if not keep_copies:
        _copies_aside(draft, table, mapping, written, called, why, losses, lines, bool(progress))
    kept = only(frame, why == "").reset_index(drop=True)
    mixed_up = shared_losses(kept, losses[why == ""]) if choice.kind != "all" else ""
    draft.notes += [mixed_up] if mixed_up else []
    runs = _parted(draft, table, mapping, frame, kept, why, checkpoints)
    return (
        runs
        if progress or len(lines) != len(called)
        else replace(runs, labels=dict(zip(map(int, lines), called, strict=True)))
    )


def _along(draft: Draft, table: Table, mapping: Mapping, names: pd.Series, progress: str) -> str:
    """Put right what is counted along each run, resumes and all; returns the column that its rows go by."""
    frame = draft.frame
    from_both = draft.got("batch", _BATCH_DERIVED)
    before = frame.get("tokens", names)
    progress = resumed(frame, names, progress, from_both, draft.notes)
    if not frame.get("tokens", names).equals(before):
        _flops_anew(draft)
    if progress in frame and frame["loss"].notna().any():
        carry(frame, names, progress, draft.notes)
        _flops_anew(draft)
    if "tokens" in frame:
        unread = progress not in frame and progress != table.order
        beside = pd.Series(table.numbers(progress).values, name=progress) if unread else None
        whole_run(frame, names, from_both, says_so_far("tokens", mapping), draft.notes, beside)
    return progress


def _skipped(draft: Draft, table: Table, mapping: Mapping, names: pd.Series, progress: str, loss: Numbers) -> Numbers:
    """The losses, blank also where a run wrote that it measured none at that place."""
    said = np.isnan(loss.values) & ~loss.blank & ~loss.bad
    if not said.any():
        return loss
    beside = training_losses(table, mapping.guesses["loss"].header)
    order = draft.frame[progress].to_numpy() if progress in draft.frame else table.numbers(progress).values
    skipped = not_measured(loss.values, said, loss.blank | loss.bad, names, order, beside, draft.notes)
    return replace(loss, blank=loss.blank | skipped)


def _no_place_or_tuned(draft: Draft, table: Table, mapping: Mapping, why: np.ndarray, progress: str) -> np.ndarray:
    """Write why checkpoints without a place or of a later tuning are set aside; returns which lie behind the pretraining (n,)."""
    behind = np.zeros(len(why), dtype=bool)
    if progress == "steps":
        for i in (i for i in draft.no_place if not why[i]):
            why[i] = draft.no_place[i]
    if progress:  # the run is its pretraining, up to where it was tuned further
        said = tuned(table)
        behind = (said != "") & (why == "") & ~np.isin([str(s).lower() for s in said], mapping.states)
        why[behind] = [f"{STATE}{s}" for s in said[behind]]
    return behind


def _copies_aside(
    draft: Draft, table: Table, mapping: Mapping, written: pd.DataFrame, runs: list[str], why: np.ndarray,
    losses: np.ndarray, lines: np.ndarray, along: bool,
) -> None:  # fmt: skip
    """Write into `why` which rows repeat an earlier one, in its values or as a table that stands again."""
    usable = why.copy()
    good = np.flatnonzero(why == "")
    first = copies(written.iloc[good], losses[good], mapping.header("run") is not None)
    again = first >= 0
    if again.any():
        why[good[again]] = "identical copy of " + np.array(runs, dtype=object)[good[first[again]]]
    places = {int(line): i for i, line in enumerate(lines) if why[i] == ""}
    for line, i in places.items():
        if (earlier := places.get(table.copies.get(line, -1))) is not None:
            why[i] = f"identical copy of {runs[earlier]}"
    changed = {} if along else edited(written, usable, lines, table.copies, losses)
    for i, reason in changed.items():
        why[i] = reason
    if changed:
        draft.notes.append(f"{_TWO_LOSSES} ({len(changed):,} rows): the first table's loss counts.")


def _parted(
    draft: Draft, table: Table, mapping: Mapping, frame: pd.DataFrame, kept: pd.DataFrame, why: np.ndarray,
    checkpoints: pd.DataFrame | None,
) -> Runs:  # fmt: skip
    """The rows kept and those set aside, each with its reason `why` (n,); NothingKept where none is kept."""
    draft.notes += apart(kept)
    out = why != ""
    aside = (frame[out] if out.any() else frame.iloc[:0]).reset_index(drop=True)
    aside["reason"] = pd.Series(why[out], dtype="str")
    headings = _headings(table, mapping, list(frame.columns))
    aside = aside if headings is None else stack([aside, headings])
    if "reason" not in aside:
        aside["reason"] = pd.Series(dtype="str")
    if checkpoints is not None:
        checkpoints = only(checkpoints, checkpoints["run"].isin(set(kept["run"])).to_numpy()).reset_index(drop=True)
    runs = Runs(kept, aside, table.name, tuple(draft.sources), tuple(draft.notes), checkpoints, tuple(draft.questions))
    if not len(kept):
        said = ", ".join(f"{reason}: {n}" for reason, n in list(runs.reasons.items())[:3])
        raise NothingKept(f"{table.name} has {plural(len(aside), 'row')} and none can be used ({said}).", runs)
    return runs


def _anew(draft: Draft) -> None:
    """Write what followed from the tokens again, after they were put right."""
    frame = draft.frame
    if draft.got("batch", _BATCH_DERIVED):
        frame["batch"] = frame["tokens"] / frame["steps"].where(frame["steps"] > 0)
    _flops_anew(draft)


def _flops_anew(draft: Draft) -> None:
    """Write the FLOPs again where they followed from the tokens."""
    frame = draft.frame
    if draft.got("flops", "6 times active parameters times tokens"):
        active = frame["params_active"].fillna(frame["params"]) if "params" in frame else frame["params_active"]
        frame["flops"] = six_nd(active, frame["tokens"])
    elif draft.got("flops", "6 times parameters times tokens"):
        frame["flops"] = six_nd(frame["params"], frame["tokens"])


def _fill(draft: Draft, table: Table, mapping: Mapping) -> dict[str, Numbers]:
    """Write the recognised columns into the draft; returns how the needed ones were read."""
    read: dict[str, Numbers] = {}
    for column, guess in mapping.guesses.items():
        if column in ("run", "role"):
            continue
        how = guess.how
        if COLUMNS[column].kind == "text":
            draft.frame[column] = table.text(guess.header) if column == "state" else table.names(guess.header)
        else:
            found, values = guess.numbers(table), guess.values(table)
            if column in COUNTERS and found.bad.any():
                found, fronts = front_numbers(table, guess.header, found)
                values = np.where(np.isnan(values), found.scaled(guess.scale), values) if fronts else values
                draft.notes += [fronts] if fronts else []
                draft.no_place.update(without_place(table, guess.header, found.bad) if column == "steps" else {})
            draft.notes += [f"{guess.header!r}: {note}." for note in found.notes]
            if column == "loss":
                _state_error(draft, table, mapping, found)
                values = mapping.in_nats(values)
            elif found.errors is not None:
                draft.notes.append(f"{guess.header!r}: the errors stated with its values were left out.")
            if column == "loss_error":
                factor, why = half_width(guess.header)
                values = error_in_nats(errors_under(table, guess.header).values, table, mapping) / factor
                how = f"{how}; {why}" if why else how
            if column == "flops" and (found.blank | (found.values == 0)).all():
                draft.notes.append(f"{guess.header!r} is zero everywhere and was not used.")
                continue
            draft.frame[column] = values
            if column in NEEDED or column == mapping.count:
                read[column] = found
            elif found.bad.any() and not found.bad.all():
                many = int(found.bad.sum())
                cell = " ".join(str(table.frame[guess.header][found.bad].iloc[0]).split())[:30]
                are = "cell is no number" if many == 1 else "cells are no numbers"
                draft.notes.append(f"{guess.header!r}: {many} {are} ({cell!r}); left out.")
            if guess.doubts and column not in read:
                rows = ", ".join(f"line {table.lines[i]} {said}" for i, said in list(guess.doubts.items())[:3])
                more = f" and {len(guess.doubts) - 3} more" if len(guess.doubts) > 3 else ""
                draft.notes.append(f"{guess.header!r}: {rows}{more}; left out.")
        draft.sources.append(Provenance(column, guess.header, how, guess.confidence))
    if mapping.count != "params" and mapping.count in draft.frame:
        if "params" in draft.frame:
            draft.frame["params_logged"] = draft.frame["params"]
        draft.frame["params"] = draft.frame[mapping.count]
        read["params"] = read[mapping.count]
        draft.sources = [s for s in draft.sources if s.column != "params"]
        words = {"params_total": "all parameters", "params_nonembed": "parameters without embeddings"}
        what = words.get(mapping.count, "active parameters")
        draft.sources.append(Provenance("params", mapping.header(mapping.count) or "", f"the working count: {what}"))
    elif "params" in draft.frame:
        others = [c for c in COUNTS[1:] if c in draft.frame]
        if others:
            draft.notes.append(
                f"Fits use the count {mapping.header('params')!r}; the table also has {', '.join(others)}."
            )
    return read


def _doubts(mapping: Mapping) -> dict[str, Pairs[int, str]]:
    """What is said of the cells that may mean two numbers, by column; those of `params` lie under the working count."""
    doubts = {column: guess.doubts for column, guess in mapping.guesses.items() if guess.doubts}
    return {**doubts, "params": doubts[mapping.count]} if mapping.count in doubts else doubts


def _cells(table: Table, mapping: Mapping, read: dict[str, Numbers]) -> dict[str, pd.Series]:
    """The file's cells that each column in `read` with cells that are no numbers was read from.

    Those of `params` lie under the working count.
    """
    working = mapping.count if mapping.count in read else "params"
    headers = {
        column: mapping.header(working if column == "params" else column)
        for column, found in read.items()
        if found.bad.any()
    }
    return {column: table.frame[header] for column, header in headers.items() if header is not None}


def _state_error(draft: Draft, table: Table, mapping: Mapping, loss: Numbers) -> None:
    """Write the errors that stand in the loss's own cells, unless the file has a column for them."""
    if loss.errors is None:
        return
    if "loss_error" in mapping.guesses:
        header = mapping.header("loss_error")
        draft.notes.append(f"Errors are those of {header!r}; the ones stated beside the loss were left out.")
        return
    header = mapping.header("loss") or ""
    factor, why = half_width(header)
    draft.frame["loss_error"] = error_in_nats(loss.errors, table, mapping) / factor
    if why:
        draft.notes.append(f"{header!r}: the errors stated with its values are {why}.")
    draft.sources.append(Provenance("loss_error", header, f"stated beside the loss as ±{f'; {why}' if why else ''}"))


def _headings(table: Table, mapping: Mapping, columns: list[str]) -> pd.DataFrame | None:
    """The rows that a reader took for headings, as rows of the runs table with their reason; None where it took none."""
    if table.aside is None or table.aside_lines is None:
        return None
    out = pd.DataFrame(index=pd.RangeIndex(len(table.aside)))
    for column in columns:
        header = mapping.header(column) if column in COLUMNS else column
        if column == "params":
            header = mapping.header(mapping.count)
        found = table.aside.get(header)
        if column not in COLUMNS or COLUMNS[column].kind == "text":
            out[column] = "" if found is None else found.astype(object).where(found.notna(), "").astype(str)
        else:
            out[column] = np.nan if found is None else numbers(found, table.decimal).values
    out["run"] = [table.called.get(int(line), f"row {line}") for line in table.aside_lines]
    out["reason"] = table.aside[REASON].astype(str)
    return out
