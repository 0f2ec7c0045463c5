"""What a person can choose about a fit, read from plain values that may be stale or somebody else's."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from data.plain import As, Before, Kept, With, between, one_of, spelled, text, usable, whole
from fitting.laws import all_laws

# Huber's delta in log loss, scaled to the noise or fixed. 0.001 is Hoffmann et al.'s (2022, arXiv 2203.15556, section 3.3);
# its neighbours show how much hangs on it.
DELTAS: dict[float | str, str] = {
    "auto": "auto",
    1e-4: "0.0001",
    1e-3: "0.001",
    1e-2: "0.01",
    math.inf: "least squares",
}
# How intervals are made, in the words of the menu.
INTERVALS = {
    "auto": "auto",
    "runs": "bootstrap of runs",
    "groups": "bootstrap of groups",
    "residuals": "bootstrap of residuals",
    "components": "bootstrap of residuals with shared noise",
}
# What auto can come to besides.
POSTERIOR = {"posterior": "posterior (your runs + published sweeps)"}
# The prior of the general law.
PRIORS = {
    "auto": "auto: published sweeps",
    "published": "published sweeps",
    "none": "none: your runs alone",
}
WEIGHTS = {"": "all alike", "loss_error": "the error stated with its loss"}
RESAMPLES = (500, 1000, 4000, 10000)
MOST_SEED = 2**32 - 1
LONGEST = 10_000  # signs of a column's name


@dataclass(frozen=True)
class FitSettings(Kept):
    """The law, how it is fitted and how its intervals are made.

    `group` is the column whose runs may share noise, None for what the table shows by itself.
    """

    law: Annotated[str, one_of(lambda: ("auto", *all_laws()))] = "auto"
    delta: Annotated[Literal["auto"] | float, one_of(DELTAS)] = "auto"
    intervals: Annotated[str, one_of(INTERVALS)] = "auto"
    prior: Annotated[str, one_of(PRIORS)] = "auto"
    resamples: Annotated[int, As(Annotated[float, With(strict=True), one_of(RESAMPLES), Before(spelled)], int)] = 4000
    group: Annotated[str, text(1, LONGEST)] | None = None
    seed: Annotated[int, As(Annotated[float, between(0, MOST_SEED), Before(spelled)], whole)] = 0
    weights: Annotated[str, one_of(WEIGHTS)] = ""

    @property
    def start(self) -> str:
        """The prior as `fit` takes it: a law of which nothing is published starts from nothing, whatever was chosen before."""
        has_prior = self.law == "auto" or all_laws()[self.law].has_prior
        return self.prior if has_prior else "auto"

    def arguments(self, columns: Collection[str]) -> dict[str, Any]:
        """These settings as the arguments of `fit`, for runs with these columns.

        A column that a new mapping took away groups nothing and weighs nothing, nor does one where each run is taken by itself.
        """
        grouped = self.group in columns and self.intervals not in ("runs", "residuals")
        weighed = bool(self.weights) and self.weights in columns
        return {
            "law": self.law,
            "delta": self.delta,
            "intervals": self.intervals,
            "prior": "auto" if weighed else self.start,
            "weights": self.weights if weighed else None,
            "resamples": self.resamples,
            "group": self.group if grouped else None,
            "seed": self.seed,
        }


DEFAULTS = FitSettings()


def read_settings(values: Any) -> FitSettings:
    """The settings that plain values say (numbers may be text); each one that makes no sense is left at its default."""
    return usable(FitSettings, values)
