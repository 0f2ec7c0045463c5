"""The rows of training curves as critical batches are read from them: with a step, and the batch that each row was trained at."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.errors import MappingNeeded
from data.read import read_runs
from data.schema import Runs
from fitting.arguments import with_size
from fitting.errors import FitError

DERIVED = "tokens over steps"  # how `data` says that a batch followed from what a run had seen
SAME = 0.02


def _read(path: str | os.PathLike[str]) -> Runs:
    try:
        return read_runs(path)
    except MappingNeeded as e:
        raise e.asked_by(()) from None


def curves_given(x: Any) -> Any:
    """The rows of training curves in what was given: a path, whose every checkpoint is read, `Runs` with their history, or a frame.

    A frame's column may be called `steps` or `step`, and that of sizes as in `fitting.arguments.with_size`. Whatever else was
    given is handed on as it is. FitError for runs without curves.
    """
    if isinstance(x, str | Path | os.PathLike):
        x = _read(x)
    if isinstance(x, Runs):
        rows = curve_rows(x.fitted)
        if rows is None:
            has = ", ".join((x.kept if x.history is None else x.history).columns[:12])
            raise FitError(
                f"{x.name} has no training curves with the columns batch, steps and loss; it has {has}"
                f"{', a row for each run' if x.history is None else ''}. Give a table with a row for each checkpoint."
            )
        return rows
    if isinstance(x, pd.DataFrame):
        return with_size(x.rename(columns={"steps": "step"}) if "steps" in x and "step" not in x else x)
    return x


def finals_given(x: Any) -> Any:
    """The last rows of runs in what was given: a path, `Runs`, or a frame; whatever else was given is handed on as it is."""
    if isinstance(x, str | Path | os.PathLike):
        x = _read(x)
    if isinstance(x, Runs):
        frame = x.fitted.kept
        only = "batch" not in frame and "batch_sequences" in frame
        return frame.rename(columns={"batch_sequences": "batch"}) if only else frame
    return with_size(x) if isinstance(x, pd.DataFrame) else x


def in_sequences(runs: Runs) -> bool:
    """Whether batches of the curves are known in sequences alone, whose length nothing says."""
    frame = runs.history
    return frame is not None and "batch" not in frame and "batch_sequences" in frame


def curve_rows(runs: Runs) -> pd.DataFrame | None:
    """The history of runs with batch, step and loss; None where there is none. A batch that was worked out from all tokens over
    all steps is the mean so far: where it grows, that of each row is what was seen since the row before. Batches count tokens, or
    sequences where `in_sequences`.
    """
    frame = runs.history
    if frame is not None and in_sequences(runs):
        frame = frame.rename(columns={"batch_sequences": "batch"})
    if frame is None or not {"batch", "steps", "loss"} <= set(frame):
        return None
    if "tokens" in frame and any(s.column == "batch" and s.how.startswith(DERIVED) for s in runs.sources):
        frame = frame.assign(batch=_own(frame))
    return frame.rename(columns={"steps": "step"})


def _own(frame: pd.DataFrame) -> pd.Series:
    """The batch of each row (n,), by run."""
    out = frame["batch"].astype(float).copy()
    for _, rows in frame.groupby("run", sort=False):
        rows = rows.dropna(subset=["steps", "tokens"]).sort_values("steps", kind="stable")
        step, seen = rows["steps"].to_numpy(float), rows["tokens"].to_numpy(float)
        if len(step) < 3 or not (np.all(np.diff(step) > 0) and step[0] > 0):
            continue
        third = len(step) // 3
        mean, end = seen / step, (seen[-1] - seen[-1 - third]) / (step[-1] - step[-1 - third])
        early = np.median(mean[:third])
        if (
            max(abs(end / mean[-1] - 1.0), abs(early / mean[-1] - 1.0)) <= SAME
        ):  # rounded tokens make the first rows' uneven
            out[rows.index] = seen[-1] / step[-1]
        else:
            out[rows.index] = np.diff(seen, prepend=0.0) / np.diff(step, prepend=0.0)
    return out
