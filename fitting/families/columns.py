"""Which columns of a runs table can name families, and what each run's family is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.schema import COLUMNS, Runs
from data.spelling import nearest
from fitting.errors import FitError

if TYPE_CHECKING:
    import pandas as pd

MOST_FAMILIES = 12
# Fewer runs than this carry no law of size and tokens.
LEAST_RUNS, LEAST_VALUES = 7, 3
# Sizes and tokens of one family that lie on a line this straight (in logarithms) cannot be told apart.
ON_A_RAY = 0.999
# Columns that are measured or derived, never names of families.
NOT_FAMILIES = (
    "run", "loss", "params", "params_total", "params_nonembed", "params_active", "params_logged", "tokens",
    "unique_tokens", "epochs", "flops", "flops_per_token", "flops_convention", "steps", "total_steps", "layers", "width",
    "heads", "head_dim", "ffn", "devices", "wall_seconds", "seed",
)  # fmt: skip
# Columns that name families only where their runs carry a law: nobody meant them to.
HARDLY = ("group", "state")


def labels(values: pd.Series) -> pd.Series:
    """A column's values as text; empty where there is none."""
    import pandas as pd

    if pd.api.types.is_float_dtype(values):
        return values.map(lambda x: "" if np.isnan(x) else f"{x:.12g}").astype(str)
    return values.astype("object").where(values.notna(), "").astype(str).str.strip()


def resolved(runs: Runs, column: str) -> str:
    """The table's own name for a column that a person calls `column`: as in the table, or as in the file it was read from.

    Raises FitError when it is neither.
    """
    if (found := runs.called(column)) is not None:
        return found
    able = ", ".join(family_columns(runs)) or "none of these columns"
    near = nearest(column, runs.kept.columns)
    raise FitError(f"There is no column {column!r} to name the families in {runs.name}{near}; {able} could.")


def family_columns(runs: Runs) -> dict[str, dict[str, int]]:
    """The columns that can name families, likeliest first, each with its families and their numbers of runs.

    At least two of a column's values must have the runs to carry a law: seven, over three sizes and three token counts
    that do not rise in step, where the table has these; and over a range of compute that they have in common.
    """
    found, runs = {}, runs.fitted
    for column in map(str, runs.kept.columns):
        if column in NOT_FAMILIES:
            continue
        named = labels(runs.kept[column])
        counts = named[named != ""].value_counts()
        if not 2 <= len(counts) <= MOST_FAMILIES:
            continue
        spans = [_span(runs.kept[named == name]) for name in counts.index[counts >= LEAST_RUNS]]
        able = [span for span in spans if span is not None]
        if len(able) >= 2 and max(low for low, _ in able[:2]) <= min(high for _, high in able[:2]):
            text = column not in COLUMNS or COLUMNS[column].kind == "text"
            found[column] = (column != "family", not text, {str(k): int(n) for k, n in counts.items()})
    return {column: counts for column, (*_, counts) in sorted(found.items(), key=lambda item: item[1][:2])}


@dataclass(frozen=True)
class Short:
    """A column that names families which cannot be compared: how many runs each has, and why in a sentence."""

    column: str
    runs: dict[str, int]
    why: str


def short_columns(runs: Runs) -> list[Short]:
    """The columns of words that name two families or more, none of which has what a comparison takes, likeliest first."""
    able, out, runs = family_columns(runs), [], runs.fitted
    for column in map(str, runs.kept.columns):
        text = column not in COLUMNS or COLUMNS[column].kind == "text"
        if column in (*NOT_FAMILIES, *HARDLY) or column in able or not text:
            continue
        named = labels(runs.kept[column])
        counts = named[named != ""].value_counts()
        if 2 <= len(counts) <= MOST_FAMILIES and (counts.iloc[1] > 1 or column == "family"):
            known = {str(k): int(n) for k, n in counts.items()}
            out.append(Short(column, known, _short(runs.kept, named, known)))
    return sorted(out, key=lambda one: one.column != "family")


def _short(frame: pd.DataFrame, named: pd.Series, counts: dict[str, int]) -> str:
    """Why fewer than two of these families can be compared."""
    listed = ", ".join(f"{name[:40]} has {n}" for name, n in list(counts.items())[:4]) + (
        ", …" if len(counts) > 4 else ""
    )
    if sum(n >= LEAST_RUNS for n in counts.values()) < 2:
        return f"Two families need at least {LEAST_RUNS} runs each to have laws of their own; {listed}."
    spans = [_span(frame[named == name]) for name, n in counts.items() if n >= LEAST_RUNS]
    if sum(span is not None for span in spans) < 2:
        return (
            f"Two families need at least {LEAST_VALUES} sizes and {LEAST_VALUES} token counts each that do not rise in step, over "
            f"{LEAST_RUNS} runs that state both."
        )
    return "The families have no budget in common: the runs of one end below where those of the other begin."


def _span(frame: pd.DataFrame) -> tuple[float, float] | None:
    """The FLOPs that a family's runs reach from and to (any, where they are not known); None if they carry no law."""
    inputs = [np.log(frame[c].to_numpy(float)) for c in ("params", "tokens") if c in frame]
    if any(len(np.unique(np.round(x[np.isfinite(x)], 3))) < LEAST_VALUES for x in inputs):
        return None
    if len(inputs) == 2:
        both = np.isfinite(inputs[0]) & np.isfinite(inputs[1])
        if both.sum() < LEAST_RUNS or abs(np.corrcoef(inputs[0][both], inputs[1][both])[0, 1]) > ON_A_RAY:
            return None
    flops = frame["flops"].to_numpy(float) if "flops" in frame else np.exp(np.sum(inputs, axis=0))
    known = flops[np.isfinite(flops)]
    return (float(known.min()), float(known.max())) if len(known) else (0.0, np.inf)
