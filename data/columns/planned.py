"""Tokens that a run was to see, cut down to those it saw by the step at which it stopped."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from data.headers.parts import header as take_apart
from data.mapping import Mapping
from data.schema import Provenance

PLANNED = re.compile(r"\b(target|planned|plan|goal|budget|max|limit|scheduled|schedule|expected|requested)\b")
_CLOSE = 0.06  # how near a plan comes to batch x steps: rounded, a last batch dropped


def cut_down(frame: pd.DataFrame, mapping: Mapping, notes: list[str]) -> Provenance | None:
    """Write the tokens seen where the column of tokens is a plan and a run stopped before its end; None where none did.

    What was seen is batch x steps where the batch is known and other runs, or the planned steps, bear it out; else the plan times
    step / planned steps.
    """
    header = mapping.header("tokens") or ""
    if not {"steps", "tokens"} <= set(frame.columns) or not PLANNED.search(take_apart(header).words):
        return None
    if "planned" in mapping.guesses["steps"].how:  # both say what was to come
        return None
    plan, none = frame["tokens"], pd.Series(np.nan, index=frame.index)
    share = frame["steps"] / frame["total_steps"] if "total_steps" in frame else none
    known = (
        "batch" in frame and (frame["batch"] * frame["steps"] / plan - 1).abs().max() > _CLOSE
    )  # not the plan over the steps
    seen = frame["batch"] * frame["steps"] if known else plan * share
    part = seen / plan
    if (part > 1 + _CLOSE).any():
        return None
    reached = (part - 1).abs() <= _CLOSE
    borne = reached.any() | ((part - share).abs() <= _CLOSE * share)
    short = (part < 1 - _CLOSE) & borne & (part > 0)
    if not short.any():
        return None
    frame["tokens"] = plan.where(~short, seen)
    how = "batch × steps" if known else "the plan × step / planned steps"
    many = int(short.sum())
    notes.append(
        f"{header!r} is a plan, and {many:,} row{' is' if many == 1 else 's are'} short of it: their tokens are {how}."
    )
    return Provenance("tokens", header, f"name recognised; {how} where a run is short of the plan")
