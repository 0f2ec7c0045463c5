"""What a run's row lacks, taken from another row of the same run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from data.cells.decimals import half_unit
from data.draft import ordered
from data.flops import six_nd
from data.schema import COLUMNS, COUNTS, Runs

#: What belongs to the row itself: its name, its loss and how its FLOPs were counted.
_OWN = frozenset(("run", "group", "loss", "loss_error", "flops_convention", "tokens_per_param"))


def filled(runs: Runs, at: int, measured: Iterable[str], others: Iterable[tuple[pd.Series, frozenset[str]]]) -> Runs:
    """The runs whose row at this place has what it lacks from other rows of its run, each with the columns measured in it.

    A measured count takes the place of one that followed from others or from a name, and of one that was rounded; FLOPs that
    followed are 6 N D anew.
    """
    frame, history, own = runs.kept.copy(), runs.history, set(measured)
    name = str(frame["run"].iloc[at])
    new: dict[str, object] = {}
    for row, counted in others:
        for column, value in row.items():
            if column in _OWN or _is_missing(value):
                continue
            before = new.get(str(column), frame[column].iloc[at] if column in frame else None)
            better = column in ("params", "tokens", "flops") and column in counted and not _is_missing(before)
            better = better and (column not in own or half_unit(float(value)) < half_unit(float(before)))  # type: ignore[arg-type]
            if _is_missing(before) or better:
                new[str(column)] = value
                if column in counted:
                    own.add(str(column))
                if column == "flops" and not _is_missing(row.get("flops_convention")):
                    new["flops_convention"] = row["flops_convention"]
    if not new:
        return runs
    for column, value in new.items():
        _put(frame, column, frame.index == frame.index[at], value)
    if "flops" not in own and {"params", "tokens"} & set(new):
        row = frame.iloc[at]
        params = next((row[c] for c in ("params_active", "params") if not _is_missing(row.get(c))), np.nan)
        _put(frame, "flops", frame.index == frame.index[at], six_nd(params, row.get("tokens", np.nan)))
        _put(frame, "flops_convention", frame.index == frame.index[at], "6ND")
    if history is not None and (history["run"] == name).any():
        history = history.copy()
        mine = (history["run"] == name).to_numpy()
        for column in (c for c in (*COUNTS, "seed", "dataset", "family") if c in new):
            _put(history, column, mine, new[column])
        if "flops" not in own and {"params", "tokens"} <= set(history.columns):
            _put(history, "flops", mine, six_nd(history.loc[mine, "params"], history.loc[mine, "tokens"]).to_numpy())
        history = ordered(history)
    return replace(runs, kept=ordered(frame), history=history)


def _put(frame: pd.DataFrame, column: str, where: np.ndarray, value: object) -> None:
    """Write a value into rows of a column, which is made where there is none."""
    if column not in frame:
        number = column in COLUMNS and COLUMNS[column].kind == "number"
        number = number or (column not in COLUMNS and isinstance(value, (int, float)))
        frame[column] = np.full(len(frame), np.nan) if number else np.full(len(frame), "", dtype=object)
    if not pd.api.types.is_numeric_dtype(frame[column].dtype) or not isinstance(value, (int, float, np.ndarray)):
        frame[column] = frame[column].astype(object)
    frame.loc[where, column] = value


def _is_missing(value: object) -> bool:
    return value is None or value == "" or value != value
