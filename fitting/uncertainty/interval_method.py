"""How intervals are made, and by which grouping: asked for, or chosen by what the table shows and said in a sentence.

Four ways to draw the data that might as well have come: other runs ("runs"), other groups of runs ("groups"), the same
inputs with other noise ("residuals"), and that with noise in two parts, one shared by a group's runs ("components").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from data.alike import Alike
from fitting.errors import FitError
from fitting.settings import METHODS
from fitting.uncertainty.error_model import Noise, noise

Array = np.ndarray

CHOSEN = "chosen by you"
BOUNDED = "the noise of an output with bounds changes with its level, so whole runs are resampled"
WORDS = {"params": "model size", "flops": "FLOP budget", "group": "group", "seed": "seed"}
# Fewer groups, or fewer runs that repeat a group, say nothing about what groups share.
LEAST_GROUPS, LEAST_REPEATS = 4, 4
# Of the noise, a share that groups must have in common for that to weigh more than noise that changes with the level of an output.
SOME = 0.05
# In natural logarithms of the likelihood ratio: e^2 is seven times.
CLEARLY = 2.0


@dataclass(frozen=True, eq=False)
class Choice(Alike):
    """The way intervals are made: its method, the column grouped by ("run" for none), labels (n,), noise, and why."""

    method: str
    column: str
    labels: Array
    reason: str
    noise: Noise | None = None


# What a fit with a prior has: its draws are from the posterior.
POSTERIOR = Choice(
    "posterior",
    "run",
    np.empty(0, int),
    "the fit has a prior from published sweeps, so draws are from the posterior (your runs + published sweeps)",
)


def choose_intervals(
    asked: str,
    named: str | None,
    groupings: Mapping[str, Array],
    residuals: Array,
    slopes: Array,
    delta: float,
    bounded: bool = False,
) -> Choice:
    """The method asked for, or for "auto" the one that these residuals (n,) call for.

    `groupings` are labels (n,) by column, of the one named by the user or of all that the table offers; `slopes` (n, p)
    are the derivatives of the residuals. The output is `bounded` where it has a lowest and a highest value, as a share has.
    Raises FitError when the method asked for needs a grouping there is none of.
    """
    alone = np.arange(len(residuals))
    if asked not in METHODS:
        raise FitError(f"intervals is one of {', '.join(METHODS)}; it was {asked!r}.")
    if named is not None and asked in ("runs", "residuals"):
        raise FitError(
            f'intervals="{asked}" takes each run by itself, and group names {named!r}. '
            'Leave one of them out, or ask for intervals="groups" or "components".'
        )
    if asked == "runs":
        return Choice("runs", "run", alone, CHOSEN)
    if asked == "residuals":
        return Choice("residuals", "run", alone, CHOSEN, noise(residuals, slopes, None, delta))
    usable = {
        column: noise(residuals, slopes, labels, delta)
        for column, labels in groupings.items()
        if asked != "groups" and _usable(labels, slopes)
    }
    if asked == "groups":
        column = named or next((c for c in ("params", *groupings) if c in groupings and _repeats(groupings[c])), None)
        if column is None:
            raise FitError(
                'intervals="groups" needs a column whose values repeat, and there is none. Name a column as group.'
            )
        return Choice("groups", column, groupings[column], CHOSEN)
    if asked == "components":
        if not usable:
            raise FitError(
                f'intervals="components" needs {LEAST_GROUPS} groups that hold {LEAST_REPEATS} runs more than there are groups; '
                f'{"no column has them" if named is None else f"{named!r} has not"}. Name another column, or leave it to "auto".'
            )
        column = _likeliest(usable)
        return Choice("components", column, groupings[column], CHOSEN, usable[column])
    if usable and not (bounded and named is None and all(one.share[1] < SOME for one in usable.values())):
        column = _likeliest(usable)
        found = usable[column]
        return Choice("components", column, groupings[column], _said(column, groupings[column], found), found)
    if named is not None:
        few = f"{int(groupings[named].max()) + 1} groups of {named} are too few to tell their effects from the rest"
        return Choice("groups", named, groupings[named], f"{few}, so whole groups are resampled")
    if bounded:
        # A share of n trials scatters in logs by (1 - p) / (n p): residuals of small shares are not those of large ones. To draw
        # whole runs needs no such likeness (Freedman 1981); exchanged residuals held a coefficient in 61 to 88 % of 150 tables of
        # 30 shares of 500 trials, whole runs in 93 to 95 %, and 91 to 93 % where the scatter is alike.
        return Choice("runs", "run", alone, BOUNDED)
    return Choice(
        "residuals", "run", alone,
        "none of the columns params, flops and group has values that repeat often enough to estimate shared noise, so single "
        "residuals are resampled",
        noise(residuals, slopes, None, delta),
    )  # fmt: skip


def _repeats(labels: Array) -> bool:
    return 1 < int(labels.max()) + 1 <= 2 * len(labels) // 3


def _usable(labels: Array, slopes: Array) -> bool:
    count = int(labels.max()) + 1
    repeats = len(labels) - count
    return count >= LEAST_GROUPS and repeats >= max(LEAST_REPEATS, count // 2, slopes.shape[1] - 1)


def _likeliest(found: Mapping[str, Noise]) -> str:
    """The column whose values share something: the first, but for one that is `CLEARLY` likelier to."""
    first, *others = found
    best = max(others, key=lambda column: found[column].evidence, default=first)
    return best if found[best].evidence > found[first].evidence + CLEARLY else first


def _said(column: str, labels: Array, found: Noise) -> str:
    middle, low, high = found.share
    word = WORDS.get(column, column)
    over = f"estimated from {int(labels.max()) + 1} of them"
    if middle < 0.005:
        return f"runs of one {word} show no shared noise, {over}; shared noise may be up to {100 * high:.0f} %, which the draws allow for"
    share = f"{100 * middle:.0f} % of the noise ({100 * low:.0f} to {100 * high:.0f} %) is shared by runs of one {word}"
    return f"{share}, {over}, so shared and independent noise are resampled separately"
