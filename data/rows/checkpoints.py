"""From rows that are checkpoints to a row for each run, by the loss that is chosen, and the curves behind them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from data.draft import ordered
from data.plural import agreeing
from data.rows.groups import kinds, missing, numbered, vary
from data.rows.history import Choice, last_of_each, least_of_each, superseded
from data.rows.resumes import EVEN
from data.rows.runs_of_batches import BATCHES


def whole_run(
    frame: pd.DataFrame, names: pd.Series, derived: bool, seen: bool, notes: list[str], beside: pd.Series | None = None
) -> None:
    """Where every row of a run has the whole run's tokens, those at a checkpoint are in proportion to how far it had come.

    The whole run is as long as its `total_steps`, as its tokens over the batch of the file, or as its last row. `derived` says
    that the batch came from tokens and steps: then it is the whole run's. FLOPs that do not change either go with the tokens.
    `seen` says that the tokens are by their name those that were seen: then they are those at the last row. `beside` (n,) is a
    counter of the file that is none of the table's columns.
    """
    own = numbered(names)
    along = next((c for c in ("steps", "samples", "epochs") if c in frame and vary(own, frame[c])), "")
    if not along and beside is None:
        return
    place = frame[along] if along else beside
    assert place is not None
    along = along or str(place.name)
    alike = (kinds(own, frame["tokens"]) == 1) & (kinds(own, place) > 1)
    if not alike.any():
        return
    whole, runs = pd.Series(alike[own], index=frame.index), frame.groupby(names.to_numpy(), sort=False)
    last = place.groupby(names.to_numpy()).transform("max")
    end = last
    if along == "steps" and "total_steps" in frame and not seen:
        planned = runs["total_steps"].transform("max")
        end = planned.where(planned >= last, last)
    elif along == "steps" and "batch" in frame and not derived:
        planned = frame["tokens"] / frame["batch"]
        end = planned.where(planned > 1.02 * last, last)  # a last batch may be short
        notes[:] = [n for n in notes if "times batch × steps" not in n]  # the tokens are not used as they stand
    early = whole & (end > last)
    end = end.where(end > 0)
    if derived:
        frame["batch"] = frame["batch"].where(~whole, frame["tokens"] / end)
    for column in ("tokens", "flops"):
        if column in frame:
            same = runs[column].transform("nunique") == 1
            frame[column] = frame[column].where(~whole | ~same, frame[column] * (place / end))
    count = int(names[whole].nunique())
    said = f"{count:,} run{' has' if count == 1 else 's have'} the whole run's tokens in each row: at a checkpoint they are in proportion"
    less = int(names[early].nunique())
    ended = (
        f"; {less:,} ended before {'its' if less == 1 else 'their'} planned last step, with the tokens seen until then"
        if less
        else ""
    )
    apart = frame["batch"][whole & (place == last)] if derived else pd.Series(dtype=float)
    doubt = ""
    if (
        not less
        and len(apart) > 1
        and apart.max() > 1.05 * apart.min()
        and frame["tokens"][whole & (place == last)].nunique() == 1
    ):
        doubt = (
            f" As many tokens over other steps make batches of {apart.min():.3g} to {apart.max():.3g} tokens: where a run ended early, "
            "a column total_steps would say so."
        )
    notes.append(f"{said} to its {along}{ended}.{doubt}")


def carry(frame: pd.DataFrame, names: pd.Series, progress: str, notes: list[str]) -> None:
    """Fill what a logger writes in rows of their own: an evaluation has the tokens of the step before it in its run.

    Where it stands at a later step and all steps of the run count as much, it has as many more.
    """
    order = np.lexsort((np.arange(len(frame)), frame[progress].to_numpy()))
    by = names.to_numpy()[order]
    filled, further = np.zeros(len(frame), dtype=bool), np.zeros(len(frame), dtype=bool)
    for column in ("params", "tokens", "samples", "flops", "epochs", "lr"):
        if column not in frame or column == progress or not missing(frame[column].to_numpy()).any():
            continue
        blank = frame[column].isna()
        said = frame[column].iloc[order].groupby(by, sort=False).ffill()
        if progress == "steps" and column in ("tokens", "samples", "flops"):
            each = (frame[column] / frame["steps"]).where(frame["steps"] > 0)
            runs = each.groupby(names.to_numpy(), sort=False)
            even = runs.transform("max") <= EVEN * runs.transform("min")
            more = each.iloc[order].groupby(by, sort=False).ffill().sort_index() * frame["steps"]
            later = blank & even & (more > said.sort_index())
            said = said.where(~later.iloc[order], more)
            further |= later.to_numpy() & (column != "samples")
        frame[column] = frame[column].where(~blank, said.sort_index())
        if column in ("params", "tokens", "flops"):
            filled |= (blank & frame[column].notna()).to_numpy()
    _back(frame, names, progress, order, notes)
    if further.any():
        rows = agreeing(int(further.sum()), "row takes its", "rows take their")
        notes.append(f"{rows} tokens from the row before in proportion to the steps, which count as much all along.")
    filled &= ~further
    if filled.any():
        rows = agreeing(int(filled.sum()), "row takes its", "rows take their")
        notes.append(f"{rows} tokens or size from the row before in the same run.")


def _back(frame: pd.DataFrame, names: pd.Series, progress: str, order: np.ndarray, notes: list[str]) -> None:
    """Fill what a logger writes once, at the end of a run: the size as it stands, counts in proportion to how far a row had come.

    `order` (n,) are the rows by their place along `progress`.
    """
    by = names.to_numpy()[order]
    for column in ("params", "tokens", "samples", "flops"):
        if column not in frame or column == progress or not missing(frame[column].to_numpy()).any():
            continue
        along = progress in ("steps", "tokens", "samples") and column != "params"
        place = frame[progress] if along else pd.Series(1.0, index=frame.index)
        each = (frame[column] / place).where(place > 0)
        later = each.iloc[order].groupby(by, sort=False).bfill().sort_index() * place
        blank = frame[column].isna() & later.notna()
        if blank.any() and (along or column == "params"):
            frame[column] = frame[column].where(~blank, later)
            what = {"params": "size", "flops": "FLOPs"}.get(column, column)
            rows = agreeing(int(blank.sum()), "row takes its", "rows take their")
            share = f", in proportion to the {progress}" if along else ""
            notes.append(f"{rows} {what} from a later row of the same run{share}.")


def checkpoints_of(
    frame: pd.DataFrame,
    why: np.ndarray,
    progress: str,
    no_loss: np.ndarray,
    choice: Choice,
    by: np.ndarray | None,
    notes: list[str],
    several: bool = False,
) -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame, np.ndarray]:
    """The rows that stand for runs, their reasons, every good checkpoint in order, and the rows' positions in the table.

    `by` (n,) are the values of the column that decides, for a choice by the lowest or highest of one. `several` says that rows of
    one name may be those of runs at other batches, which repeat no place of each other.
    """
    order = frame[progress].to_numpy()
    names = frame["run"].to_numpy()
    beside = next((c for c in BATCHES if several and c in frame), "")
    again = superseded(numbered(names, frame[beside]) if beside else numbered(names), order, why == "")
    if again.any():
        rows = agreeing(int(again.sum()), "row repeats a place along its run", "rows repeat a place along their run")
        notes.append(f"{rows}; the later row of each counts.")
    good = np.flatnonzero((why == "") & ~again)
    codes = numbered(names)
    good = good[np.lexsort((order[good], codes[good]))]
    checkpoints = frame.iloc[good].reset_index(drop=True)
    if choice.kind == "all":
        stamped = [f"{n} @ {p:.12g}" for n, p in zip(names, order, strict=True)]
        frame = frame.assign(run=pd.Series(stamped, dtype="str"), group=pd.Series(names, dtype="str"))
        groups = agreeing(len(set(names)), "run is the group", "runs are the groups")
        notes.append(f"Many rows per run: every checkpoint is kept, {groups}.")
        return ordered(frame), why, checkpoints.assign(group=checkpoints["run"]), np.arange(len(frame))
    chosen = last_of_each(names, order, ~no_loss)
    if choice.kind in ("least", "lowest", "highest"):
        values = frame["loss"].to_numpy() if by is None else by if choice.kind == "lowest" else -by
        best = good[least_of_each(names[good], values[good])]
        instead = dict(zip(names[best], best, strict=True))
        chosen = np.array([instead.get(names[i], i) for i in chosen])
    earlier = len(frame) - len(chosen)
    lost = [w for w in np.delete(why, chosen) if w and not w.startswith("no loss")]
    if lost:
        first = Counter(lost).most_common(1)[0][0]
        cannot = agreeing(
            len(lost),
            "checkpoint cannot be used and is no part of its curve",
            "checkpoints cannot be used and are no part of their curves",
        )
        notes.append(f"{cannot} (such as: {first}).")
    rows = agreeing(earlier, f"{_other(choice)} row is", f"{_other(choice)} rows are")
    notes.append(f"Many rows per run: {choice.words} ({rows} its history).")
    last = frame.iloc[chosen].reset_index(drop=True)
    if choice.kind == "mean":
        tail = checkpoints.groupby("run", sort=False)["loss"].apply(lambda v: float(v.tail(choice.k).mean()))
        mean = last["run"].map(tail)
        last["loss"] = mean.where(mean.notna() & (why[chosen] == ""), last["loss"])
    if "lr" in last:  # the rate at the end of a schedule says nothing; the run's rate is its peak
        own, rates = numbered(names), frame["lr"].to_numpy(dtype=float)
        peak = np.full(len(own), np.nan)
        np.fmax.at(peak, own, rates)
        last["lr"] = peak[own[chosen]]
    return last, why[chosen], checkpoints, chosen


def _other(choice: Choice) -> str:
    return "earlier" if choice.kind == "last" else "other"
