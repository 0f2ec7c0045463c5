"""Curves of runs as frames for critical batches, with batches in tokens or in sequences."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from data.schema import Runs
from fitting.batch.rows import curve_rows, in_sequences


def length(runs: Runs) -> float:
    known = list(runs.kept["seq_len"].dropna().unique()) if "seq_len" in runs.kept else []
    return float(known[0]) if len(known) == 1 else math.nan


def curves_in(runs: Runs, unit: str = "tokens") -> Any:
    frame = curve_rows(runs)
    if frame is None:
        return None
    if not in_sequences(runs):
        frame = counted(frame, ("batch",), unit, runs)
    return frame if frame["batch"].nunique() >= 3 else None


def counted(frame: pd.DataFrame, columns: tuple[str, ...], unit: str, runs: Runs) -> pd.DataFrame:
    """The same with columns of tokens counted in sequences where those are wanted and have a known length."""
    if unit == "tokens" or not math.isfinite(length(runs)):
        return frame
    return frame.assign(**{c: frame[c] / length(runs) for c in columns})


def sized(frame: pd.DataFrame) -> pd.DataFrame:
    """The curves without sizes or rates where none is said."""
    blank = [c for c in ("params", "lr") if c in frame and frame[c].isna().all()]
    return frame.drop(columns=blank)
