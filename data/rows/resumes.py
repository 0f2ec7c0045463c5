"""Runs that were resumed: a counter that begins anew while another goes on, put right so that the run ends where it ended."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.rows.counted_anew import counted_anew
from data.rows.groups import each, numbered

ROWS_EACH = 5  # rows of a log for each of which it may have been resumed once
NEAR = 2.0  # increments from nothing within which a counter begins anew
EVEN = 1.5  # the largest tokens per step over the smallest in a run whose tokens were put right


def went_back(values: pd.Series) -> tuple[bool, bool]:
    """Whether a counter (n,) falls now and then as after a resume, and whether each fall is to a place it had passed.

    A fall to one of its first two places is a beginning, of this run or of another: no plain resume.
    """
    v = values.to_numpy(dtype="float64")
    v = v[np.isfinite(v)]
    falls = np.flatnonzero(np.diff(v) < 0) + 1
    if not len(falls) or len(falls) > (len(v) - 1) // ROWS_EACH:
        return False, False
    second = np.unique(v)[:2][-1]
    return True, all(v[i] > second and v[i] in v[:i] for i in falls)


def resumed(frame: pd.DataFrame, names: pd.Series, progress: str, derived: bool, notes: list[str]) -> str:
    """The column along which rows are checkpoints, after rows (n,) of resumed runs were put right in `frame`.

    Where steps go back while the tokens rise, the tokens say how far a run had come. Where tokens begin anew while the steps
    rise, what was seen before is added to them. `derived` says whether the batch was derived from both. Rows count in the
    order of the file; rows in no order show neither.
    """
    if progress in ("steps", "tokens", "samples"):
        counted_anew(frame, names, progress, notes)
    if progress not in ("steps", "tokens") or not {"steps", "tokens"} <= set(frame.columns):
        return progress
    tokens = frame["tokens"].to_numpy(dtype=float, copy=True)
    steps = frame["steps"].to_numpy(dtype=float)
    back, anew, odd = 0, 0, 0
    runs_back, runs_anew = 0, 0
    for at in each(numbered(names)):
        at = at[np.isfinite(steps[at])]
        known = at[np.isfinite(tokens[at])]
        if len(known) < 3:
            continue
        step, token = np.diff(steps[known]), np.diff(tokens[known])
        if (token >= 0).all() and (token > 0).any() and (step < 0).any() and (token[step < 0] > 0).all():
            back += int(_below_before(steps[known]).sum())
            runs_back += 1
            tokens[at] = pd.Series(tokens[at]).ffill().to_numpy()
        elif (step >= 0).all() and (token < 0).any():
            whole = _added(tokens[known])
            if whole is not None and _even(whole / steps[known]):
                anew += int((whole != tokens[known]).sum())
                runs_anew += 1
                tokens[known] = whole
            else:
                odd += int((token < 0).sum())
    if back:
        notes.append(
            f"Steps go back in {_runs(runs_back)} while the tokens rise, as after a resume: the tokens say how far a run had come "
            f"({_rows(back)} at an earlier step than a row before)."
        )
    if anew:
        notes.append(
            f"Tokens restart in {_runs(runs_anew)} while the steps rise, as after a resume: those seen before are added "
            f"({_rows(anew)} put right)."
        )
    if odd:
        notes.append(
            f"Tokens fall {odd:,} times while the steps rise: they are used as they stand, so check their column."
        )
    if anew or back:
        frame["tokens"] = tokens
    if derived and (anew or back):
        frame["batch"] = _batches(frame, names)
    return "tokens" if back else progress


def _below_before(values: np.ndarray) -> np.ndarray:
    """Where a value is not above every one before it: (n,) bool."""
    before = np.maximum.accumulate(np.r_[-np.inf, values[:-1]])
    return np.asarray(values <= before)


def _added(values: np.ndarray) -> np.ndarray | None:
    """Counts (n,) with what was counted before each new beginning added; None where they fall to no beginning."""
    falls = np.diff(values) < 0
    typical = float(np.median(np.diff(values)[~falls])) if (~falls).any() else 0.0
    if not (values[1:][falls] <= NEAR * typical).all():
        return None
    return np.asarray(values + np.cumsum(np.r_[0.0, np.where(falls, values[:-1], 0.0)]))


def _even(ratio: np.ndarray) -> bool:
    ratio = ratio[np.isfinite(ratio) & (ratio > 0)]
    return bool(len(ratio)) and float(ratio.max() / ratio.min()) <= EVEN


def _batches(frame: pd.DataFrame, names: pd.Series) -> pd.Series:
    """Each row's batch (n,) as the typical tokens of a step between two rows of its run."""
    by = names.to_numpy()
    step = frame["steps"].groupby(by).diff()
    ratio = (frame["tokens"].groupby(by).diff() / step).where(step > 0)
    typical = ratio.groupby(by).transform("median")
    return typical.where(typical > 0, frame["batch"])


def _runs(n: int) -> str:
    return f"{n:,} run{'' if n == 1 else 's'}"


def _rows(n: int) -> str:
    return f"{n:,} row{'' if n == 1 else 's'}"
