"""From a file's table and its mapping to runs: units applied, columns derived, rows judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePath

import numpy as np
import pandas as pd

from data.cells import Numbers, numbers
from data.checks import copies, reasons, shared_losses
from data.derive import derive
from data.errors import DataError, NothingKept
from data.headers import header as take_apart
from data.history import distinct, is_one_history, judge, last_of_each
from data.loss_errors import error_in_nats, errors_under
from data.losses import in_nats
from data.mapping import Mapping
from data.readers._sections import REASON
from data.schema import COLUMNS, COUNTS, NEEDED, Runs, Source, stack
from data.table import Table

MAX_EXTRAS = 100  # columns of the file's own that are carried along


@dataclass
class _Draft:
    """A runs table in the making."""

    frame: pd.DataFrame
    sources: list[Source] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@np.errstate(all="ignore")  # what overflows is set aside as not finite
def to_runs(table: Table, mapping: Mapping, *, history: str = "last", keep_copies: bool = False) -> Runs:
    """The runs in a table: numbers in the units of `COLUMNS`, rows that cannot be fitted set aside with a reason.

    `history` says what becomes of many rows per run: "last" keeps the last of each, "all" every checkpoint, with the
    run's name in `group`. `keep_copies` keeps rows that repeat another in every measured value.
    Raises `MappingNeeded` when the mapping leaves something open and `NothingKept` when no row can be used.
    """
    if history not in ("last", "all"):
        raise DataError(f"history is 'last' or 'all'; got {history!r}.")
    mapping.require(table.name)
    draft = _Draft(pd.DataFrame(index=pd.RangeIndex(len(table.frame))), notes=list(table.notes))
    read = _fill(draft, table, mapping)
    draft.sources += derive(draft.frame, mapping, draft.notes)
    names, progress = _identify(draft, table, mapping, ~read["loss"].blank)
    frame = draft.frame
    frame["run"] = names
    frame = _ordered(pd.concat([frame, _extras(frame, table, mapping)], axis=1))
    why = reasons(frame, read, {c: table.frame[g.header] for c, g in mapping.guesses.items() if c in NEEDED})
    checkpoints = None
    if progress:
        frame, why, checkpoints = _checkpoints(frame, why, progress, read["loss"].blank, history, draft.notes)
    frame["run"] = pd.Series(distinct(list(frame["run"])), dtype="str", index=frame.index)
    if not keep_copies:
        good = np.flatnonzero(why == "")
        first = copies(frame.iloc[good])
        again = first >= 0
        why[good[again]] = "identical copy of " + frame["run"].to_numpy(dtype=object)[good[first[again]]]
    kept = frame[why == ""].reset_index(drop=True)
    mixed_up = shared_losses(kept) if history == "last" else ""
    draft.notes += [mixed_up] if mixed_up else []
    aside = frame[why != ""].assign(reason=pd.Series(why[why != ""], dtype="str", index=frame.index[why != ""]))
    aside = stack([aside, _headings(table, mapping, list(frame.columns))])
    if "reason" not in aside:
        aside["reason"] = pd.Series(dtype="str")
    if checkpoints is not None:
        checkpoints = checkpoints[checkpoints["run"].isin(set(kept["run"]))].reset_index(drop=True)
    runs = Runs(kept, aside, table.name, tuple(draft.sources), tuple(draft.notes), checkpoints)
    if not len(kept):
        said = ", ".join(f"{reason}: {n}" for reason, n in list(runs.reasons.items())[:3])
        raise NothingKept(f"{table.name} has {len(aside)} rows and none can be used ({said}).", runs)
    return runs


def _fill(draft: _Draft, table: Table, mapping: Mapping) -> dict[str, Numbers]:
    """Write the recognised columns into the draft; returns how the needed ones were read."""
    read: dict[str, Numbers] = {}
    for column, guess in mapping.guesses.items():
        if column == "run":
            continue
        how = guess.how
        if COLUMNS[column].kind == "text":
            draft.frame[column] = table.text(guess.header)
        else:
            found = table.numbers(guess.header)
            values = found.values * guess.scale if guess.scale != 1.0 else found.values
            draft.notes += [f"{guess.header!r}: {note}." for note in found.notes]
            if column == "loss":
                _state_error(draft, table, mapping, found)
                values = in_nats(values, mapping.loss_unit, mapping.bytes_per_token)
            elif found.errors is not None:
                draft.notes.append(f"{guess.header!r}: the errors stated with its values were left out.")
            if column == "loss_error":
                values = error_in_nats(errors_under(table, guess.header).values, table, mapping)
            if column == "flops" and (found.blank | (found.values == 0)).all():
                draft.notes.append(f"{guess.header!r} is zero everywhere and was not used.")
                continue
            draft.frame[column] = values
            if column in NEEDED or column == mapping.count:
                read[column] = found
        draft.sources.append(Source(column, guess.header, how, guess.confidence))
    if mapping.count != "params" and mapping.count in draft.frame:
        if "params" in draft.frame:
            draft.frame["params_logged"] = draft.frame["params"]
        draft.frame["params"] = draft.frame[mapping.count]
        read["params"] = read[mapping.count]
        draft.sources = [s for s in draft.sources if s.column != "params"]
        words = {"params_total": "all parameters", "params_nonembed": "parameters without embeddings"}
        what = words.get(mapping.count, "active parameters")
        draft.sources.append(Source("params", mapping.header(mapping.count) or "", f"the working count: {what}"))
    elif "params" in draft.frame:
        others = [c for c in COUNTS[1:] if c in draft.frame]
        if others:
            draft.notes.append(
                f"Fits use the count {mapping.header('params')!r}; the table also has {', '.join(others)}."
            )
    return read


def _state_error(draft: _Draft, table: Table, mapping: Mapping, loss: Numbers) -> None:
    """Write the errors that stand in the loss's own cells, unless the file has a column for them."""
    if loss.errors is None:
        return
    if "loss_error" in mapping.guesses:
        header = mapping.header("loss_error")
        draft.notes.append(f"Errors are those of {header!r}; the ones stated beside the loss were left out.")
        return
    draft.frame["loss_error"] = error_in_nats(loss.errors, table, mapping)
    draft.sources.append(Source("loss_error", mapping.header("loss") or "", "stated beside the loss as ±"))


def _identify(draft: _Draft, table: Table, mapping: Mapping, measured: np.ndarray) -> tuple[pd.Series, str]:
    """Each row's run name, and the column along which rows are checkpoints ('' when each row is a run)."""
    n = len(table.frame)
    rows = pd.Series([f"row {line}" for line in table.lines], dtype="str")
    header = mapping.header("run")
    if header is None:
        steps = mapping.guesses.get("steps")
        counter = steps is not None and not take_apart(steps.header).words.endswith(("steps", "iters", "iterations"))
        stem = table.one_run or PurePath(table.name).stem
        if table.one_run or (counter and is_one_history(draft.frame["steps"].to_numpy(), draft.frame, measured)):
            progress = "steps" if "steps" in draft.frame else "tokens"
            draft.sources.append(Source("run", "", "the file is one run's history, named after the file", 0.8))
            return pd.Series([stem] * n, dtype="str"), progress
        family = mapping.header("family")
        if family is not None and draft.frame["family"].is_unique and (draft.frame["family"] != "").all():
            draft.sources.append(Source("run", family, "no column of run names: the models' names serve", 0.8))
            return draft.frame["family"], ""
        draft.sources.append(Source("run", "", "no column of names: rows are named by their line in the file"))
        return rows, ""
    names = table.text(header)
    verdict = judge(names, draft.frame, measured)
    blank = names == ""
    if blank.any():
        draft.notes.append(
            f"{int(blank.sum())} rows have no name in {header!r} and are named by their line in the file."
        )
    if verdict.kind == "group":
        draft.notes.append(f"{header!r} does not name runs ({verdict.why}): it was taken as the group.")
        if "group" in draft.frame and "family" not in draft.frame:
            draft.frame["family"] = draft.frame["group"]
        draft.frame["group"] = names
        draft.sources = [s for s in draft.sources if s.column != "group"]
        draft.sources.append(Source("group", header, verdict.why))
        return rows, ""
    guess = mapping.guesses["run"]
    draft.sources.insert(0, Source("run", header, guess.how, guess.confidence))
    if verdict.kind == "repeats":
        draft.notes.append(f"Names in {header!r} occur again; the later ones got a number.")
    return names.where(~blank, rows), verdict.progress


def _checkpoints(
    frame: pd.DataFrame, why: np.ndarray, progress: str, no_loss: np.ndarray, history: str, notes: list[str]
) -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame]:
    """The rows that stand for runs, their reasons, and every good checkpoint in order."""
    order = frame[progress].to_numpy()
    names = frame["run"].to_numpy()
    good = np.flatnonzero(why == "")
    codes = pd.factorize(names)[0]
    checkpoints = frame.iloc[good[np.lexsort((order[good], codes[good]))]].reset_index(drop=True)
    if history == "all":
        stamped = [f"{n} @ {p:.12g}" for n, p in zip(names, order, strict=True)]
        frame = frame.assign(run=pd.Series(stamped, dtype="str"), group=pd.Series(names, dtype="str"))
        notes.append(f"Many rows per run: every checkpoint is kept, {len(set(names))} runs are the groups.")
        return _ordered(frame), why, checkpoints.assign(group=checkpoints["run"])
    chosen = last_of_each(names, order, ~no_loss)
    earlier = len(frame) - len(chosen)
    notes.append(f"Many rows per run: the last of each is the run ({earlier:,} earlier rows are its history).")
    last = frame.iloc[chosen].reset_index(drop=True)
    if "lr" in last:  # the rate at the end of a schedule says nothing; the run's rate is its peak
        last["lr"] = frame.groupby("run", sort=False)["lr"].max().reindex(last["run"]).to_numpy()
    return last, why[chosen], checkpoints


def _extras(frame: pd.DataFrame, table: Table, mapping: Mapping) -> pd.DataFrame:
    """The file's own columns that mean nothing to the runs table, under their own names, to be carried along."""
    used = {g.header for g in mapping.guesses.values()}
    new: dict[str, pd.Series] = {}
    for header in [h for h in table.headers if h not in used][:MAX_EXTRAS]:
        name = header
        while name in frame or name in new or name in COLUMNS or name == "reason":
            name += " (file)"
        found = table.numbers(header)
        if found.share == 1.0 and not found.written and found.whole:
            new[name] = pd.Series(found.values)
        elif not found.blank.all():
            new[name] = table.text(header)
    return pd.DataFrame(new, index=frame.index)


def _headings(table: Table, mapping: Mapping, columns: list[str]) -> pd.DataFrame:
    """The rows that a reader took for headings, as rows of the runs table with their reason."""
    if table.aside is None or table.aside_lines is None:
        return pd.DataFrame(columns=[*columns, "reason"])
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
    out["run"] = [f"row {line}" for line in table.aside_lines]
    out["reason"] = table.aside[REASON].astype(str)
    return out


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    known = [c for c in COLUMNS if c in frame]
    return frame[[*known, *(c for c in frame if c not in COLUMNS)]]
