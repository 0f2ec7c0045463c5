"""Of final losses at one batch and amount of data: repeats by their mean, then the best over what is tuned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.alike import Alike
from data.steps.groups import MOST_COLUMNS, goes_with_repeats
from data.steps.tuned import is_tuned, rate_written
from fitting.plural import plural

if TYPE_CHECKING:
    from collections.abc import Hashable

AT = ("batch", "tokens")
FAR_APART = 0.05  # log losses of repeats: those of decayed runs differ by a percent or so
NAMED = 4


@dataclass(frozen=True, eq=False)
class BestRuns(Alike):
    """The `rows` that count, columns batch, tokens and loss with one row for each batch and amount of data, in that order; and
    what was done to come to them, a sentence each."""

    rows: pd.DataFrame
    notes: tuple[str, ...] = ()


def best_runs(runs: pd.DataFrame, differ: Sequence[Hashable] = ()) -> BestRuns:
    """One loss for each batch and amount of data in `runs` (columns batch, tokens, loss and settings, one row a run).

    Runs alike in everything tuned are repeats, whatever seed they have: the mean of their log losses counts, as the lowest of
    several is lower the more there are. Of several values of a tuned column the best counts: of learning rates
    (`data.steps.tuned`), of those that runs' names state where no column does, and of the columns `differ`, which are not known
    to be settings. Rows that lack a number, or hold one that is not positive, are left out.
    """
    runs = runs.reset_index(drop=True)
    rows = runs[[*AT, "loss"]].dropna()
    rows = rows[(rows > 0).all(axis=1)]
    tuned = _tuned(runs.loc[rows.index], differ) if rows.duplicated(list(AT)).any() else pd.DataFrame(index=rows.index)
    choice = pd.Series(0, index=rows.index)
    if len(tuned.columns):
        choice = tuned.groupby(list(tuned), sort=False, dropna=False).ngroup()
    rows = rows.assign(loss=np.log(rows["loss"]), choice=choice)
    each = rows.groupby([*AT, "choice"], sort=True)["loss"].agg(["mean", "size", "min", "max"]).reset_index()
    best = each.loc[each.groupby(list(AT))["mean"].idxmin()].reset_index(drop=True)
    notes = []
    if left := len(each) - len(best):
        listed = " and ".join(repr(str(c)) for c in list(tuned)[:NAMED])
        several = "learning rates that names of runs state" if list(tuned) == ["run"] else f"values of {listed}"
        notes.append(
            f"Of several {several} at a batch and amount of data the best counts; {plural(left, 'other')} "
            f"{'is' if left == 1 else 'are'} left out."
        )
    if (repeated := best[best["size"] > 1]).size:
        notes.append(
            f"At {plural(len(repeated), 'pair')} of batch and data there are repeats, up to {int(repeated['size'].max())} runs that "
            "nothing tuned tells apart: the mean of their log losses counts."
        )
    far = best[best["max"] - best["min"] > FAR_APART]
    if len(far):
        worst = far.loc[(far["max"] - far["min"]).idxmax()]
        notes.append(
            f"Repeats differ by up to {100 * np.expm1(worst['max'] - worst['min']):.2g} %, at batch {worst['batch']:g} and "
            f"{worst['tokens']:.4g} of data: leave out runs that diverged; where they were tuned, name that column 'lr', and the best "
            "counts."
        )
    rows = best[list(AT)].assign(loss=np.exp(best["mean"]))
    return BestRuns(rows, tuple(notes))


def _tuned(runs: pd.DataFrame, differ: Sequence[Hashable]) -> pd.DataFrame:
    """The columns in which runs alike in batch and data were tuned, as far as some of these runs differ there."""
    found = {c: runs[c] for c in list(runs)[:MOST_COLUMNS] if c not in (*AT, "loss") and is_tuned(str(c))}
    if not found and "run" in runs:
        stated = [rate_written(str(name)) for name in runs["run"]]
        found = {"run": pd.Series([m[0] if m else np.nan for m in stated], index=runs.index)}
    for column in differ:
        if column in runs and column not in found and column not in (*AT, "loss"):
            beside = [runs[c] for c in (*AT, *found) if c in runs and c != "run"]
            if not goes_with_repeats(runs, column, beside):
                found[column] = runs[column]
    at = [runs[c] for c in AT]
    frame = pd.DataFrame(found, index=runs.index)
    return frame[[c for c in frame if (frame[c].groupby(at).nunique(dropna=False) > 1).any()]]
