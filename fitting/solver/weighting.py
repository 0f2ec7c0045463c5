"""Runs weighted by the error stated with each loss: a residual counts in units of its own run's error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fitting.errors import FitError
from fitting.settings import WEIGHTS

if TYPE_CHECKING:
    from fitting.result import Fit
    from fitting.solver.fit_data import Arrays

Array = np.ndarray

# An error below this share of the median counts as that share: 0.00 is a rounded error and no certainty, and a stated error
# leaves out what the law itself misses. No run weighs more than 25 times the median run (assumed).
LEAST = 0.2
# How the settings say it, and what they add where that bites.
WITH_ERRORS = ", each in units of the error stated with its loss"
CAPPED = (
    " (errors below a fifth of the median one count as that fifth, so no run weighs more than 25 times the median run)"
)


def scales(table: Arrays, column: str, name: str) -> Array:
    """What each run's log residual is multiplied by, (n,): one over its relative error, with weights (squares) of mean one.

    A run without a stated error counts as the median run. Raises FitError where no run has a positive one.
    """
    if column not in WEIGHTS:
        raise FitError(f"weights is None or {' or '.join(map(repr, WEIGHTS))}; it was {column!r}.")
    if table.errors is None:
        raise FitError(
            f"Weights need the errors of the losses; {name} states none. Write them beside the loss (3.24 ± 0.01), map the "
            "column loss_error, or fit without weights."
        )
    relative = table.errors / table.loss
    stated = relative[np.isfinite(relative) & (relative > 0)]
    if not len(stated):
        raise FitError(
            f"Weights need the errors of the losses; none of the {len(relative)} runs of {name} has one above zero. "
            "State them, or fit without weights."
        )
    middle = float(np.median(stated))
    sigma = np.maximum(np.where(np.isfinite(relative) & (relative >= 0), relative, middle), LEAST * middle)
    scale = 1.0 / sigma
    return np.asarray(scale / np.sqrt(np.mean(scale**2)))


def in_words(table: Arrays) -> str:
    """What weighting by the errors adds to the objective's description: the unit, and the cap where some error is below it."""
    assert table.errors is not None  # `scales` refuses a table that states none
    relative = table.errors / table.loss
    middle = np.median(relative[np.isfinite(relative) & (relative > 0)])
    capped = np.any((relative >= 0) & (relative < LEAST * middle))
    return WITH_ERRORS + (CAPPED if capped else "")


def refuse(fit: Fit, what: str) -> None:
    """Nothing for a fit whose runs count alike; FitError for a weighted one, of which `what` is not worked out."""
    if fit.settings.weights != "none":
        raise FitError(f"{what} takes runs to count alike, and this fit weights them. Fit without weights for it.")
