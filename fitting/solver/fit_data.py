"""The arrays a law is fitted to, taken from a runs table: which rows, which columns, and how it counts FLOPs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from data.flops import six_nd
from data.schema import COUNTS
from data.spelling import nearest
from fitting.accounting import Accounting
from fitting.errors import FitError
from fitting.law import LOSS, Law, Output
from fitting.plural import plural
from fitting.solver.flop_form import flop_form

if TYPE_CHECKING:
    import pandas as pd

    from data.schema import Runs

Array = np.ndarray

# Wider than any unit anybody counts in; beyond it powers of the inputs leave the floating-point numbers.
BELIEVABLE = {"params": (1e-9, 1e30), "tokens": (1e-9, 1e30), "flops": (1e-9, 1e50)}

# Read off a figure, runs of one model size differ by up to .7 % (epoch_chinchilla: 245 values, 41 sizes, measured).
SAME, WIDEST = 0.01, 2.0


@dataclass(frozen=True)
class Arrays:
    """What is fitted: inputs (n,) each and losses (n,), the runs' names, and what is drawn whole as integers (n,)."""

    inputs: dict[str, Array]
    loss: Array
    runs: tuple[str, ...]
    groups: Array
    groupings: dict[str, Array]  # labels (n,) of the column named, else of every column whose runs may share their luck
    ranges: dict[str, tuple[float, float]]
    accounting: Accounting
    flops_convention: str
    errors: Array | None = None  # the error stated with each loss (n,), in its unit; None where the table has none
    passes: Array | None = (
        None  # how often each run saw its data (n,), NaN where unknown; None where the table does not say
    )
    counts: dict[str, Array] = field(default_factory=dict)  # other counts of each run's parameters (n,), by column
    aspect: Array | None = (
        None  # width over depth of each model (n,), NaN where unknown; None where the table has no shapes
    )
    # Log sizes, log tokens and log FLOPs less what `accounting` says (3, m); None where the table has no FLOPs of its own.
    flops_left: Array | None = None


def arrays(runs: Runs, law: Law, group: str | None = None) -> Arrays:
    """The arrays for fitting `law` to the kept runs; runs may share their luck by the column `group` if given.

    Raises FitError when a column is missing, or too few runs have what the law needs.
    """
    frame = runs.kept
    lacks = law.missing(frame.columns)
    if lacks:
        raise FitError(
            f"{law.title} needs the columns {', '.join((*law.inputs, law.output.column))}; "
            f"this table has no {' and no '.join(lacks)}. Map the columns, or choose another law."
        )
    if group is not None and group not in frame.columns:
        raise FitError(
            f"There is no column {group!r} to group by{nearest(group, frame.columns)}; choose one of "
            f"{', '.join(map(str, frame.columns))}."
        )
    frame = frame.dropna(subset=[*law.inputs, law.output.column])
    believable(frame, runs.name, law.output)
    frame = frontier(frame, law.output) if law.frontier else frame
    if len(frame) < law.min_runs:
        aside = f" after {len(runs.set_aside)} were set aside" if len(runs.set_aside) else ""
        what = " on the frontier" if law.frontier else ""
        raise FitError(
            f"{law.title} has {law.p} parameters and needs at least {law.min_runs} runs{what}; "
            f"this table has {len(frame)}{aside}. Add runs, or choose a law with fewer parameters.{runs.want}"
        )
    inputs = {k: frame[k].to_numpy(float) for k in law.inputs}
    loss = frame[law.output.column].to_numpy(float)
    if np.ptp(np.log(loss)) < 1e-9:
        raise FitError(
            f"All {len(loss)} runs have the same {law.output.column} ({loss[0]:.6g}): there is no trend to fit. Check that column."
        )
    for name, x in inputs.items():
        if np.ptp(np.log(x)) < 1e-9:
            raise FitError(
                f"All {len(x)} runs have the same {name} ({x[0]:.6g}): {law.title} cannot tell what {name} does. "
                f"Add runs at other {name}, or choose a law without it.{runs.want}"
            )
    labels = frame[group].astype(str).to_numpy() if group else np.arange(len(frame))
    natural = groupings(frame)
    named = natural[group] if group in natural else np.unique(labels, return_inverse=True)[1]
    if group and named.max() == 0:
        raise FitError(
            f"Column {group!r} has one value in all {len(loss)} runs: resampling it whole would give intervals of no width. "
            "Group by another column, or by none."
        )
    counted = accounting(frame)
    columns = dict.fromkeys((*law.inputs, law.output.column, "params", "tokens", "flops"))
    present = [c for c in columns if c in frame.columns and frame[c].notna().any()]
    ranges = {c: (float(frame[c].min()), float(frame[c].max())) for c in present}
    if "flops" not in ranges and {"params", "tokens"} <= set(inputs):  # read for a law of its own columns
        compute = counted.flops(inputs["params"], inputs["tokens"])
        ranges["flops"] = float(np.min(compute)), float(np.max(compute))
    return Arrays(
        inputs,
        loss,
        tuple(frame["run"].astype(str)),
        np.arange(len(frame)),
        {group: named} if group else natural,
        ranges,
        counted,
        _convention(frame),
        frame["loss_error"].to_numpy(float) if "loss_error" in frame.columns and law.output == LOSS else None,
        passes(frame),
        other_counts(frame),
        (frame["width"] / frame["layers"]).to_numpy(float) if {"width", "layers"} <= set(frame.columns) else None,
        None if counted.is_six_nd else flops_left(frame, counted),
    )


def passes(frame: pd.DataFrame) -> Array | None:
    """Passes over the data (n,) of each run, NaN where unknown: tokens over unique tokens, else the epochs it states."""
    if {"tokens", "unique_tokens"} <= set(frame.columns):
        return np.asarray(frame["tokens"].to_numpy(float) / frame["unique_tokens"].to_numpy(float))
    return frame["epochs"].to_numpy(float) if "epochs" in frame.columns else None


def other_counts(frame: pd.DataFrame) -> dict[str, Array]:
    """Counts of every run's parameters (n,) that differ from the one fits use, by column."""
    if "params" not in frame.columns:
        return {}
    used, found = frame["params"].to_numpy(float), {}
    for column in COUNTS[1:]:
        x = frame[column].to_numpy(float) if column in frame.columns else np.full(len(used), np.nan)
        if np.all(np.isfinite(x) & (x > 0)) and np.any(np.abs(np.log(x / used)) > SAME):
            found[column] = x
    return found


def groupings(frame: pd.DataFrame) -> dict[str, Array]:
    """Labels (n,) for each natural grouping in which some value repeats: model size, sweep or experiment, FLOP budget."""
    found = {}
    for column in ("params", "group", "flops"):
        if column not in frame.columns or frame[column].isna().any():
            continue
        x = frame[column]
        labels = np.unique(x.astype(str), return_inverse=True)[1] if column == "group" else together(x.to_numpy(float))
        if labels is not None and 1 < int(labels.max()) + 1 < len(labels):
            found[column] = labels
    return found


def together(x: Array) -> Array | None:
    """Labels (n,) of values that are the same but for digitising; None where values run into each other."""
    order = np.argsort(x, kind="stable")
    log = np.log(x[order])
    rank = np.concatenate([[0], np.cumsum(np.diff(log) > SAME)])
    first = np.flatnonzero(np.diff(np.concatenate([[-1], rank])))
    last = np.concatenate([first[1:], [len(x)]]) - 1
    if np.max(log[last] - log[first]) > WIDEST * SAME:
        return None
    labels = np.empty(len(x), int)
    labels[order] = rank
    return labels


def believable(frame: pd.DataFrame, name: str, output: Output) -> None:
    """Nothing, if every size, token count, compute and output is one that a run may have; else FitError naming a run."""
    for column, (low, high) in {**BELIEVABLE, output.column: output.bounds}.items():
        if column not in frame.columns:
            continue
        x = frame[column].to_numpy(float)
        wrong = np.flatnonzero(~(np.isnan(x) | ((x >= low) & (x <= high))))
        if len(wrong):
            what = f"{name} has {column} of {x[wrong[0]]:.3g} (run {frame['run'].iloc[wrong[0]]}), "
            check = f"Check the unit of {column}, or exclude {plural(len(wrong), 'such run')}."
            if column != output.column or not output.bounded:
                raise FitError(f"{what}which no training run has. {check}")
            per_cent = (
                (low, high) == (0.0, 1.0) and np.nanmedian(x) > 1.0 and np.nanmin(x) >= 0.0 and np.nanmax(x) <= 100.0
            )
            todo = f"These look like per cent: divide {column} by 100." if per_cent else check
            raise FitError(f"{what}and {column} lies between {low:g} and {high:g}. {todo}")


def frontier(frame: pd.DataFrame, output: Output = LOSS) -> pd.DataFrame:
    """The rows that no cheaper or equally cheap row beats, in order of compute."""
    better = "flops" not in output.rises
    ordered = frame.sort_values(["flops", output.column], ascending=[True, better], kind="stable")
    cost = ordered[output.column].to_numpy(float) * (1.0 if better else -1.0)
    before = np.concatenate([[np.inf], np.minimum.accumulate(cost)[:-1]])
    return ordered[cost < before]


def accounting(frame: pd.DataFrame) -> Accounting:
    """The table's FLOP count relative to 6ND at any size; 6ND itself where the table has no count of its own."""
    if not {"params", "tokens", "flops"} <= set(frame.columns):
        return Accounting()
    rows = frame.dropna(subset=["params", "tokens", "flops"])
    if len(rows) == 0:
        return Accounting()
    n, d, c = (rows[k].to_numpy(float) for k in ("params", "tokens", "flops"))
    if "params_active" in rows.columns and (rows["params_active"] > 0).all():
        active = rows["params_active"].to_numpy(float)
        if (
            np.median(np.abs(np.log(c / six_nd(active, d)))) < SAME
        ):  # the column says of each size what FLOPs say in short
            form = flop_form(np.log(n), np.log(active / n))
            own = float(np.std(np.log(c / six_nd(n, d)) - np.log(form.ratio(n))))
            return replace(form, spread=max(form.spread, own))
    return flop_form(np.log(n), np.log(c / six_nd(n, d)))


def flops_left(frame: pd.DataFrame, counted: Accounting) -> Array:
    """Log sizes, log tokens and log FLOPs (3, m), the last less what `counted` says of size and tokens."""
    rows = frame.dropna(subset=["params", "tokens", "flops"])
    n, d, c = (rows[k].to_numpy(float) for k in ("params", "tokens", "flops"))
    return np.stack([np.log(n), np.log(d), np.log(c) - np.log(counted.flops(n, d))])


def _convention(frame: pd.DataFrame) -> str:
    if "flops_convention" not in frame.columns:
        return "6ND"
    found = sorted(set(frame["flops_convention"].dropna().astype(str)))
    return " and ".join(found) if found else "6ND"
