"""Names for the rows of runs that share one, or have none, and differ in their batch or in a setting that a schedule may change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from data.mapping import Mapping
from data.rows.by_batch import by_batch, one_batch
from data.rows.by_setting import by_setting
from data.rows.groups import blank, different, numbered, vary
from data.rows.line_order import Rows
from data.rows.progress import usable

BATCHES = ("batch", "batch_sequences", "batch_device")
SETTINGS = ("lr", "weight_decay", "warmup_steps")
EACH = 5  # rows of a batch, in the mean: fewer are no curves

WHY = "rows of one batch, or of a batch that rises along the lines, are a run's checkpoints"


def stated_batch(frame: pd.DataFrame, mapping: Mapping) -> pd.Series | None:
    """The batch of each row (n,) as the file states it, else by the tokens between two lines; None where neither tells several."""
    for column in BATCHES:
        if column in frame and column in mapping.guesses:
            return frame[column].astype(float) if different(frame[column]) > 1 else None
    if not {"batch", "steps", "tokens"} <= set(frame) or "tokens" not in mapping.guesses:
        return None
    step, seen = frame["steps"].diff(), frame["tokens"].diff()
    if 0 < ((step < 0) != (seen < 0)).iloc[1:].sum() <= max(len(frame) / EACH, EACH):
        return None  # one of both begins anew where a run was resumed
    return (seen / step).where(step > 0, frame["tokens"] / frame["steps"]).astype(float)


def parts(names: pd.Series, batch: pd.Series, place: pd.Series) -> tuple[pd.Series, str]:
    """What the batches of each row's run are called (n,), '' where rows of one name are one run's, and why they may be others'.

    Rows that lack a batch or a place go with the line before them.
    """
    out = pd.Series("", index=names.index, dtype=object)
    at, of = place.to_numpy(float), batch.to_numpy(float)
    known = np.isfinite(of) & np.isfinite(at) & (of > 0)
    which = names.factorize()[0]
    lines = np.argsort(which, kind="stable")
    rows = lines[known[lines] & (which[lines] >= 0)]
    here = which[rows]
    # One counter that never stops is one run's.
    stopped = np.unique(here[1:][(np.diff(at[rows]) <= 0) & (np.diff(here) == 0)])
    doubt = ""
    for name in stopped:
        own = rows[slice(*np.searchsorted(here, [name, name + 1]))]
        if len(own) < EACH or not 1 < len(np.unique(one_batch(of[own]))) <= len(own) / EACH:
            continue
        told = by_batch(at[own], of[own])
        if told.doubt:
            doubt = doubt or told.doubt
        elif len(told.batches) > 1:
            said = np.array([" to ".join(f"{b:g}" for b in dict.fromkeys((w[0], w[-1]))) for w in told.batches])
            mine = which == name
            text = pd.Series(None, index=names.index[mine], dtype=object)
            text[known[mine]] = said[told.part]
            out[mine] = text.ffill().bfill()
    return out, doubt


def named(base: pd.Series | None, part: pd.Series) -> pd.Series:
    """The names (n,) with the batches of each row's run behind them, or these alone where there are no names."""
    if base is not None and blank(part).all():
        return base.astype("str")
    batch = "batch " + part.astype(str)
    whole = batch if base is None else base.astype(str) + ", " + batch
    alone = base if base is not None else pd.Series("", index=part.index)
    return whole.where(part != "", alone).astype("str")


def of_batches(found: Rows, names: pd.Series | None, frame: pd.DataFrame, mapping: Mapping) -> Rows:
    """Rows that are checkpoints under the names of their runs, where those of one name are at several batches side by side."""
    place = "steps" if usable(frame, "steps") else found.progress
    if found.kind != "history" or place not in frame:
        return found
    batch = stated_batch(frame, mapping)
    part, doubt = (pd.Series("", index=frame.index), "") if batch is None else parts(found.names, batch, frame[place])
    if doubt:
        return replace(found, doubt=doubt)
    bare = names is None and different(found.names) == 1
    told = not blank(part).all()
    label = named(None if bare else found.names, part) if told else found.names
    setting = settings(label, frame, mapping, frame[place])
    if not told and blank(setting).all():
        return found
    joined = label.where(setting == "", label.astype(str) + ", " + setting)
    only = WHY if told else "rows of several settings along one counter are several runs' checkpoints"
    return replace(
        found,
        names=joined.astype("str"),
        progress=place,
        why=found.why if names is None and not bare else only,
    )


def settings(names: pd.Series, frame: pd.DataFrame, mapping: Mapping, place: pd.Series) -> pd.Series:
    """What the settings of each row's run are called (n,), '' where rows of one name are alike in them or one run's."""
    out = pd.Series("", index=names.index, dtype=object)
    for column in [c for c in SETTINGS if c in frame and c in mapping.guesses]:
        known = (frame[column].notna() & place.notna()).to_numpy()
        if not vary(numbered(names, out)[known], frame[column].to_numpy()[known]):
            continue
        label = (names.astype(str) + "\x1f" + out.astype(str)).to_numpy()
        several = frame[column][known].groupby(label[known]).nunique()
        for name in several.index[several > 1]:
            own = np.flatnonzero(known & (label == name))
            told = by_setting(place.to_numpy(float)[own], frame[column].to_numpy()[own], column == "lr")
            if told is None:
                continue
            said = [f"{column.replace('_', ' ')} {v:g}" if isinstance(v, float) else f"{column} {v}" for v in told]
            mine = out.iloc[own]
            out.iloc[own] = np.where(mine == "", said, mine.astype(str) + ", " + np.array(said, dtype=object))
            rest = np.flatnonzero((label == name) & ~known)  # rows that lack the setting go with the line before them
            if len(rest):
                every = np.flatnonzero(label == name)
                filled = out.iloc[every].where(pd.Series(known[every], index=out.index[every])).ffill().bfill()
                out.iloc[every] = filled.to_numpy()
    return out
