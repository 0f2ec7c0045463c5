"""The rows of training curves as critical batches are read from them: with a step, and the batch that each row was trained at."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.schema import Runs

DERIVED = "tokens over steps"  # how `data` says that a batch followed from what a run had seen
SAME = 0.02


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
