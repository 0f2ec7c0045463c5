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
    """The column of `frame` that says how large a run is: `along`, compute without it, or the one input of laws without compute.

    `what` puts runs in order, as a sentence begins. FitError where there is no such column, and where laws have several inputs.
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
    if len(inputs) > 1:
        raise FitError(
            f"{what} in order of compute, and this table has no FLOPs. Say which of {', '.join(inputs)} makes a run large: "
            f"along={inputs[0]!r}."
        )
    return inputs[0]
