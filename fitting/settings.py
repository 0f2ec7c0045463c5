"""Everything chosen for a fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from data.plain import Count, Positive, at_most, one_of

# How intervals may be asked for, of which "auto" comes to one of the others or to the posterior; and columns of errors.
METHODS = ("auto", "runs", "groups", "residuals", "components")
WEIGHTS = ("loss_error",)
MOST_RUNS = 5_000_000  # more than anyone fits


@dataclass(frozen=True)
class Settings:
    """Everything chosen for a fit, as it must be repeated to get the same numbers.

    `delta_rule` is "given", or "auto" where `delta` was scaled to the noise. `intervals` is the method that was used,
    `intervals_reason` why, in words, and `grouping` the column it grouped by, "run" for none. `prior` is "published" where
    the fit starts from what published sweeps say of the law's parameters. `weights` is the column of errors in whose unit
    each run's residual counts, "none" where runs count alike; `delta` is then that of a run of mean weight. `excluded` are
    runs that were left out for good, `held_out` those kept apart so that the forecasts of the fit can be compared with them.
    """

    delta: Positive = 1e-3
    delta_rule: Annotated[str, one_of(("given", "auto"))] = "given"
    resamples: Count = 4000
    grouping: str = "run"
    intervals: Annotated[str, one_of((*METHODS[1:], "posterior"))] = "runs"
    intervals_reason: str = ""
    seed: Count = 0
    objective: str = "sum of Huber(delta) of log-loss residuals"
    starts: Count = 0
    count: str = "params"
    flops_convention: str = "6ND"
    prior: Annotated[str, one_of(("none", "published"))] = "none"
    weights: Annotated[str, one_of(("none", *WEIGHTS))] = "none"
    law_reason: str = ""
    excluded: Annotated[tuple[str, ...], at_most(MOST_RUNS)] = ()
    held_out: Annotated[tuple[str, ...], at_most(MOST_RUNS)] = ()

    @property
    def given_delta(self) -> float | None:
        """The delta to fit with again, None where it is scaled to the noise."""
        return None if self.delta_rule == "auto" else self.delta
