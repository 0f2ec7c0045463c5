"""Tokens that follow from epochs counted in whole numbers: what the row of epoch 0 stands for, and rows inside an epoch."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.errors import MappingNeeded, Question
from data.mapping import Mapping

FROM_EPOCHS = "unique tokens times epochs"  # as data.columns.derive says it
AFTER, BEFORE = "after", "before"


def counted_from_zero(
    frame: pd.DataFrame, names: pd.Series, mapping: Mapping, derived: bool, name: str, notes: list[str]
) -> bool:
    """Put tokens right that are whole epochs times unique tokens; True where they changed.

    Many rows in an epoch: the tokens go with the steps, at the steps that an epoch takes. One row in an epoch, the first of them
    0: asked whether it stands after the first epoch. `derived` says that the tokens came from the epochs. Raises `MappingNeeded`.
    """
    if "epochs" not in frame or "tokens" not in frame:
        return False
    epochs = frame["epochs"]
    written = epochs.dropna()
    if not len(written) or (written != written.round()).any():
        return False
    if derived and _inside(frame, names):
        per = _steps_of_an_epoch(frame, names)
        frame["epochs"] = frame["steps"] / per
        frame["tokens"] = frame["unique_tokens"] * frame["epochs"]
        notes.append(
            f"Many rows stand in each epoch: the tokens are the unique tokens × step / steps of an epoch (about {per.median():.4g})."
        )
        return True
    if float(written.min()) != 0.0 or not (derived or _along_epochs(frame, names)):
        return False
    header = mapping.header("epochs")
    if not mapping.epochs:
        text = f"{header!r} begins at 0: does the row of epoch 0 stand after the first epoch, or before any training?"
        raise MappingNeeded(f"{name}: {text}", (Question("epochs", text, (AFTER, BEFORE), AFTER),))
    if mapping.epochs == BEFORE:
        return False
    frame["epochs"] = epochs + 1.0
    notes.append(f"{header!r} begins at 0 and its rows stand after their epoch, as you said: one is added.")
    if derived:
        frame["tokens"] = frame["unique_tokens"] * frame["epochs"]
    return True


def _along_epochs(frame: pd.DataFrame, names: pd.Series) -> bool:
    """Whether rows of a run have its tokens in all and nothing but epochs tells how far it had come."""
    runs = frame.groupby(names.to_numpy(), sort=False)
    moving = any(c in frame and (runs[c].nunique() > 1).any() for c in ("steps", "samples"))
    return not moving and bool(((runs["tokens"].nunique() == 1) & (runs["epochs"].nunique() > 1)).any())


def _inside(frame: pd.DataFrame, names: pd.Series) -> bool:
    """Whether several steps stand under one epoch of a run."""
    if "steps" not in frame:
        return False
    several = frame.dropna(subset=["steps", "epochs"])
    steps = several.groupby([names[several.index].to_numpy(), several["epochs"].to_numpy()])["steps"].nunique()
    return bool(len(steps)) and float((steps > 1).mean()) > 0.5


def _steps_of_an_epoch(frame: pd.DataFrame, names: pd.Series) -> pd.Series:
    """The steps of an epoch in each row's run (n,): from where its last epoch begins, or its last step where it has but one."""
    out = np.full(len(frame), np.nan)
    for rows in pd.Series(np.arange(len(frame))).groupby(names.to_numpy(), sort=False).groups.values():
        at = np.asarray(rows)
        first = frame.iloc[at].groupby("epochs")["steps"].min().sort_index()
        epochs = first.index.to_numpy(float)
        if len(first) > 1:
            out[at] = float(first.iloc[-1]) / (epochs[-1] - epochs[0])
        elif len(first):
            out[at] = float(frame["steps"].iloc[at].max())
    return pd.Series(np.where(out > 0, out, np.nan), index=frame.index)
