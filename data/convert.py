"""From a file's table and its mapping to runs: units applied, columns derived, rows judged."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from data.cells import Numbers, numbers
from data.checks import copies, reasons, shared_losses
from data.derive import derive
from data.errors import NothingKept, Question
from data.history import Choice, chosen_loss, distinct, last_of_each, least_of_each, superseded
from data.loss_errors import error_in_nats, errors_under
from data.loss_units import in_nats
from data.mapping import Mapping
from data.rows import PROGRESS, Rows, judge
from data.schema import COLUMNS, COUNTS, NEEDED, Runs, Source, stack
from data.states import failures, plain, unusable
from data.table import REASON, Table, without_misfits

STATE = "run state: "  # how the reason of a run begins that was set aside for its state
MAX_EXTRAS = 100  # columns of the file's own that are carried along
_BATCH_DERIVED = "tokens over steps"  # as data.derive says it


@dataclass
class _Draft:
    """A runs table in the making."""

    frame: pd.DataFrame
    sources: list[Source] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)


@np.errstate(all="ignore")  # what overflows is set aside as not finite
def to_runs(table: Table, mapping: Mapping, *, history: str | None = None, keep_copies: bool = False) -> Runs:
    """The runs in a table: numbers in the units of `COLUMNS`, rows that cannot be fitted set aside with a reason.

    `history` says what becomes of many rows per run, where the mapping does not: "last" keeps the last of each, "all" every
    checkpoint, with the run's name in `group`; see `data.history.chosen_loss` for the others. `keep_copies` keeps rows
    that repeat another in every measured value.
    Raises `MappingNeeded` when something is left open that numbers hang on and `NothingKept` when no row can be used.
    """
    choice = chosen_loss(history or mapping.history, table.headers)
    mapping.require(table.name)
    table = without_misfits(table)
    draft = _Draft(
        pd.DataFrame(index=pd.RangeIndex(len(table.frame))),
        notes=list(table.notes),
        questions=[q for q in mapping.questions if not q.needed],
    )
    read = _fill(draft, table, mapping)
    found = derive(draft.frame, mapping, draft.notes, table.name)
    draft.sources = [*(s for s in draft.sources if s.column not in {f.column for f in found.sources}), *found.sources]
    draft.questions += found.questions
    names, progress = _identify(draft, table, mapping, ~read["loss"].blank)
    frame = draft.frame
    if progress and any(s.column == "batch" and s.how == _BATCH_DERIVED for s in draft.sources):
        _one_batch(frame, names)
    frame["run"] = names
    frame = _ordered(pd.concat([frame, _extras(frame, table, mapping)], axis=1))
    why = reasons(frame, read, _cells(table, mapping, read))
    checkpoints = None
    losses = table.numbers(mapping.guesses["loss"].header).values
    if progress:
        by = table.numbers(choice.header).values if choice.header else None
        frame, why, checkpoints, at = _checkpoints(frame, why, progress, read["loss"].blank, choice, by, draft.notes)
        losses = losses[at]
    why = _by_state(frame, why, mapping, draft.notes)
    written = frame
    frame = frame.assign(run=pd.Series(distinct(list(frame["run"])), dtype="str", index=frame.index))
    if not keep_copies:
        good = np.flatnonzero(why == "")
        first = copies(written.iloc[good], losses[good], mapping.header("run") is not None)
        again = first >= 0
        why[good[again]] = "identical copy of " + frame["run"].to_numpy(dtype=object)[good[first[again]]]
    kept = frame[why == ""].reset_index(drop=True)
    mixed_up = shared_losses(kept, losses[why == ""]) if choice.kind != "all" else ""
    draft.notes += [mixed_up] if mixed_up else []
    aside = frame[why != ""].assign(reason=pd.Series(why[why != ""], dtype="str", index=frame.index[why != ""]))
    aside = stack([aside, _headings(table, mapping, list(frame.columns))])
    if "reason" not in aside:
        aside["reason"] = pd.Series(dtype="str")
    if checkpoints is not None:
        checkpoints = checkpoints[checkpoints["run"].isin(set(kept["run"]))].reset_index(drop=True)
    runs = Runs(kept, aside, table.name, tuple(draft.sources), tuple(draft.notes), checkpoints, tuple(draft.questions))
    if not len(kept):
        said = ", ".join(f"{reason}: {n}" for reason, n in list(runs.reasons.items())[:3])
        raise NothingKept(f"{table.name} has {len(aside)} rows and none can be used ({said}).", runs)
    return runs


def _by_state(frame: pd.DataFrame, why: np.ndarray, mapping: Mapping, notes: list[str]) -> np.ndarray:
    """The reasons (n,), with runs whose state says that they did not come to their end; `mapping.states` are kept."""
    failed = failures(frame)
    if "state" not in frame:
        if not failed.any():
            return why
        frame = frame.assign(state="")
    said = unusable(frame["state"])
    said = np.where((said == "") & failed, "failed", said)
    usable = why == ""
    if usable.any() and (said[usable] != "").all():
        words = " or ".join(sorted({s.lower() for s in said[usable]}))
        notes.append(f"Every run is marked {words}: they are kept, since no other is there to go by.")
        return why
    for i in np.flatnonzero((said != "") & (why == "")):
        if plain(said[i]) not in mapping.states and said[i].lower() not in mapping.states:
            why[i] = f"{STATE}{said[i]}"
    return why


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


def _cells(table: Table, mapping: Mapping, read: dict[str, Numbers]) -> dict[str, pd.Series]:
    """The file's cells that each column in `read` was read from: those of `params` lie under the working count."""
    working = mapping.count if mapping.count in read else "params"
    headers = {column: mapping.header(working if column == "params" else column) for column in read}
    return {column: table.frame[header] for column, header in headers.items() if header is not None}


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
    lines = pd.Series([f"row {line}" for line in table.lines], dtype="str")
    header = mapping.header("run")
    stem = table.one_run or table.stem
    known = _known_order(table, mapping) if mapping.rows != "runs" else ""
    if header is None and table.one_run and mapping.rows != "runs":
        progress = known or next((c for c in PROGRESS if c in draft.frame and draft.frame[c].nunique() > 1), "tokens")
        draft.sources.append(Source("run", "", "the file is one run's history, named after the file", 0.8))
        return pd.Series([stem] * n, dtype="str"), progress
    names = None if header is None else table.text(header)
    if known and names is not None:
        found = Rows("history", names, known)
    else:
        found = judge(names, draft.frame, measured, mapping, stem, table.name)
    draft.questions += [found.question] if found.question else []
    if names is None or header is None:
        return _unnamed(draft, table, mapping, found, lines)
    blank = names == ""
    if blank.any():
        draft.notes.append(
            f"{int(blank.sum())} rows have no name in {header!r} and are named by their line in the file."
        )
    if found.kind == "group":
        draft.notes.append(f"{header!r} does not name runs ({found.why}): it was taken as the group.")
        if "group" in draft.frame and "family" not in draft.frame:
            draft.frame["family"] = draft.frame["group"]
        draft.frame["group"] = names
        draft.sources = [s for s in draft.sources if s.column != "group"]
        draft.sources.append(Source("group", header, found.why))
        return lines, ""
    guess = mapping.guesses["run"]
    how = guess.how if not found.why else f"{guess.how}; {found.why}"
    draft.sources.insert(0, Source("run", header, how, guess.confidence))
    if found.kind == "repeats":
        draft.notes.append(f"Names in {header!r} occur again; the later ones got a number.")
    return found.names.where(~blank, lines), found.progress


def _unnamed(draft: _Draft, table: Table, mapping: Mapping, found: Rows, lines: pd.Series) -> tuple[pd.Series, str]:
    """Run names for a table without a column of them, and the column along which rows are checkpoints."""
    if found.progress:
        how = found.why or "rows of one setting are its checkpoints"
        draft.sources.append(Source("run", "", how, 0.8))
        return found.names, found.progress
    family = mapping.header("family")
    if family is not None and draft.frame["family"].is_unique and (draft.frame["family"] != "").all():
        draft.sources.append(Source("run", family, "no column of run names: the models' names serve", 0.8))
        return draft.frame["family"], ""
    if table.alone and len(lines) == 1:
        draft.sources.append(Source("run", "", "the file is one run, named after the file", 0.8))
        return pd.Series([table.stem], dtype="str"), ""
    draft.sources.append(Source("run", "", "no column of names: rows are named by their line in the file"))
    return lines, ""


def _known_order(table: Table, mapping: Mapping) -> str:
    """The column along which rows are checkpoints, where the reader of the file knows that they are; else ''."""
    for column, guess in mapping.guesses.items():
        if table.order and guess.header == table.order and COLUMNS[column].kind == "number":
            return column
    if not table.order or table.order in COLUMNS or table.order not in table.headers[:MAX_EXTRAS]:
        return ""
    found = table.numbers(table.order)
    return table.order if found.share == 1.0 and not found.written else ""


def _one_batch(frame: pd.DataFrame, names: pd.Series) -> None:
    """Where every row of a run has the whole run's tokens, they belong to its last step and make one batch.

    Tokens and FLOPs of the earlier rows then follow from their steps.
    """
    runs = frame.groupby(names.to_numpy(), sort=False)
    whole = (runs["tokens"].transform("nunique") == 1) & (runs["steps"].transform("nunique") > 1)
    last = runs["steps"].transform("max")
    share = frame["steps"] / last.where(last > 0)
    frame["batch"] = frame["batch"].where(~whole, frame["tokens"] / last.where(last > 0))
    for column in ("tokens", "flops"):  # those at a checkpoint are in proportion to its steps
        if column in frame:
            frame[column] = frame[column].where(
                ~whole | (runs[column].transform("nunique") != 1), frame[column] * share
            )


def _checkpoints(
    frame: pd.DataFrame,
    why: np.ndarray,
    progress: str,
    no_loss: np.ndarray,
    choice: Choice,
    by: np.ndarray | None,
    notes: list[str],
) -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame, np.ndarray]:
    """The rows that stand for runs, their reasons, every good checkpoint in order, and the rows' positions in the table.

    `by` (n,) are the values of the column that decides, for a choice by the lowest or highest of one.
    """
    order = frame[progress].to_numpy()
    names = frame["run"].to_numpy()
    again = superseded(names, order, why == "")
    if again.any():
        notes.append(f"{int(again.sum()):,} rows repeat a place along their run; the later row of each counts.")
    good = np.flatnonzero((why == "") & ~again)
    codes = pd.factorize(names)[0]
    good = good[np.lexsort((order[good], codes[good]))]
    checkpoints = frame.iloc[good].reset_index(drop=True)
    if choice.kind == "all":
        stamped = [f"{n} @ {p:.12g}" for n, p in zip(names, order, strict=True)]
        frame = frame.assign(run=pd.Series(stamped, dtype="str"), group=pd.Series(names, dtype="str"))
        notes.append(f"Many rows per run: every checkpoint is kept, {len(set(names))} runs are the groups.")
        return _ordered(frame), why, checkpoints.assign(group=checkpoints["run"]), np.arange(len(frame))
    chosen = last_of_each(names, order, ~no_loss)
    if choice.kind in ("least", "lowest", "highest"):
        values = frame["loss"].to_numpy() if by is None else by if choice.kind == "lowest" else -by
        best = good[least_of_each(names[good], values[good])]
        instead = dict(zip(names[best], best, strict=True))
        chosen = np.array([instead.get(names[i], i) for i in chosen])
    earlier = len(frame) - len(chosen)
    notes.append(f"Many rows per run: {choice.words} ({earlier:,} {_other(choice)} rows are its history).")
    last = frame.iloc[chosen].reset_index(drop=True)
    if choice.kind == "mean":
        tail = checkpoints.groupby("run", sort=False)["loss"].apply(lambda v: float(v.tail(choice.k).mean()))
        mean = last["run"].map(tail)
        last["loss"] = mean.where(mean.notna() & (why[chosen] == ""), last["loss"])
    if "lr" in last:  # the rate at the end of a schedule says nothing; the run's rate is its peak
        last["lr"] = frame.groupby("run", sort=False)["lr"].max().reindex(last["run"]).to_numpy()
    return last, why[chosen], checkpoints, chosen


def _other(choice: Choice) -> str:
    return "earlier" if choice.kind == "last" else "other"


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
