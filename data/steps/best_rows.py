"""Which rows of steps to a target count: those of the best learning rate at each batch, and none that did not reach it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.headers.names import named

NAMED = 4
STATED = ""  # the column, of those tuned, of the learning rates that headers of steps state


def choices(tried: pd.DataFrame) -> pd.Series:
    """A number for each combination of what was tuned, of each row (n,); nan where nothing is said."""
    if not len(tried.columns):
        return pd.Series(np.nan, index=tried.index)
    each = tried.groupby(list(tried), sort=False, dropna=False).ngroup().astype(float)
    return each.where(tried.notna().any(axis=1))


def best_rows(rows: pd.DataFrame, tried: pd.DataFrame, under: str) -> tuple[pd.DataFrame, list[str]]:
    """The rows of a group that count, and what was left out, a sentence each; `under` names their column.

    Columns are batch, steps, rate (one of `choices`) and missed (why a row did not reach the target, or ''). `tried` are the tuned
    columns, with the index of the rows. Of those at a batch the fewest steps count, by the mean of log steps over its repeats,
    where more than half of them reached the target.
    """
    notes = []
    with np.errstate(invalid="ignore"):
        known = np.isfinite(rows["batch"]) & (rows["batch"] > 0)
        numbers = np.isfinite(rows["steps"]) & (rows["steps"] > 0)
    there = numbers & (rows["missed"] == "")
    if (~known).any():
        notes.append(f"{_rows(int((~known).sum()))} no batch size and {_are(int((~known).sum()))} left out.")
    rows, there, numbers = rows[known], there[known], numbers[known]
    edges: dict[tuple[str, str], list[float]] = {}
    several = rows.groupby("batch")["rate"].nunique() > 1
    kept = []
    others = 0
    for batch, own in rows.groupby("batch", sort=False):
        reached = own[there[own.index]]
        if several[batch] and len(reached):
            mean = np.log(reached["steps"]).groupby(reached["rate"]).mean()
            enough = reached.groupby("rate").size() > 0.5 * own.groupby("rate").size().reindex(mean.index)
            best = mean[enough].idxmin() if enough.any() else mean.idxmin()
            for column, end in _ends(tried.loc[own.index], tried.loc[reached.index[reached["rate"] == best][0]]):
                edges.setdefault((column, end), []).append(float(str(batch)))
            others += int((reached["rate"] != best).sum())
            reached = reached[reached["rate"] == best]
        kept.append(reached)
    if several.any():
        notes.append(
            f"Of several {_listed(_differ(rows, tried))} at a batch the best counts; {_rows(others, '')} at others {_are(others)} left out."
        )
    for (column, end), at in sorted(edges.items(), key=lambda item: (item[0][0], item[0][1] != "lowest")):
        listed = ", ".join(f"{b:g}" for b in at)
        what = "learning rate" if _is_rate(column) else repr(column)
        notes.append(f"At batch {listed} the best {what} is the {end} tried, so fewer steps may do there.")
    if count := int((numbers & ~there).sum()):
        out = rows[numbers & ~there]
        where = ", ".join(f"{b:g}" for b in np.unique(out["batch"]))
        why = "; ".join(list(dict.fromkeys(out["missed"]))[:NAMED])
        notes.append(
            f"{_rows(count, '')} (batch {where}) {_are(count)} left out as censored at the steps given, not known to have reached the "
            f"loss: {why}."
        )
    if count := int((~numbers).sum()):
        where = ", ".join(f"{b:g}" for b in np.unique(rows.loc[~numbers, "batch"]))
        notes.append(
            f"{_rows(count)} no number of steps under {under} (batch {where}): the loss was not reached there, and "
            f"{'they are' if count > 1 else 'it is'} left out as censored."
        )
    return (pd.concat(kept) if kept else rows), notes


def _ends(tried: pd.DataFrame, best: pd.Series) -> list[tuple[str, str]]:
    """The columns of numbers in which the best is an end of what was tried at a batch, and which."""
    out = []
    for column in tried:
        if pd.api.types.is_numeric_dtype(tried[column]) and tried[column].nunique() > 1:
            low, high = tried[column].min(), tried[column].max()
            if best[column] in (low, high):
                out.append((str(column), "lowest" if best[column] == low else "highest"))
    return out


def _differ(rows: pd.DataFrame, tried: pd.DataFrame) -> list[str]:
    """The tuned columns in which rows at one batch differ."""
    own = tried.loc[rows.index]
    return [str(c) for c in own if (own[c].groupby(rows["batch"]).nunique() > 1).any()]


def _listed(columns: list[str]) -> str:
    if all(map(_is_rate, columns)):
        return "learning rates"
    return "values of " + " and ".join(map(repr, columns))


def _is_rate(column: str) -> bool:
    """Whether the header says learning rate and nothing more."""
    return column == STATED or any(name == "lr" and sure >= 0.9 for name, sure in named(column))


def _rows(count: int, verb: str = "says") -> str:
    if verb:
        verb = f" {verb}" if count == 1 else " say"
    return f"{count} row{'' if count == 1 else 's'}{verb}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
