"""Along what runs are put in order of size, where the largest of them are forecast from the rest: compute, or an input of a law."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fitting.arguments import a_name
from fitting.errors import FitError
from fitting.law import Law

if TYPE_CHECKING:
    import pandas as pd

COMPUTE = "flops"


def order_of(frame: pd.DataFrame, laws: Sequence[Law], along: str | None, what: str) -> str:
    """The column of `frame` that says how large a run is: `along`, else compute, else the input of laws that spans most.

    `what` puts runs in order, as a sentence begins. FitError where there is no such column.
    """
    inputs = tuple(dict.fromkeys(k for law in laws for k in law.inputs))
    able = [k for k in (COMPUTE, *inputs) if k in frame and frame[k].notna().any()]
    if a_name("along", along, "the column by which runs are larger") is not None:
        if along not in able:
            raise FitError(
                f"{what} in order of compute or of an input of a law, {' or '.join(able)}; along was {along!r:.60}."
            )
        return str(along)
    if COMPUTE in able:
        return COMPUTE
    if not any(law.own_columns for law in laws):
        raise FitError(f"{what} in order of compute, and this table has no FLOPs. Map them.")
    return max((k for k in inputs if k in able), key=lambda k: _factor(frame[k]), default=inputs[0])


def _factor(x: pd.Series) -> float:
    """The highest over the lowest of values; 0 where they are not all above 0."""
    return float(x.max() / x.min()) if x.min() > 0 else 0.0


def chosen(laws: Sequence[Law], asked: str | None, along: str) -> str:
    """That runs are in order of `along` where nobody asked for it and laws have several inputs, as a sentence; '' otherwise."""
    several = len({k for law in laws for k in law.inputs}) > 1
    said = f" Runs are in order of {along}, the input that spans the largest factor."
    return said if asked is None and several and along != COMPUTE else ""
