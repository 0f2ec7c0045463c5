"""A fit made again of other runs, as it was made: its law, delta, prior, weights and seed, and its intervals by the same method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fitting.errors import FitError
from fitting.estimate import fit as fitted
from fitting.result import Fit
from fitting.uncertainty.interval_method import CHOSEN, POSTERIOR, WORDS

if TYPE_CHECKING:
    from data.schema import Runs


def refit(fit: Fit, runs: Runs, resamples: int) -> Fit:
    """The law of `fit` fitted to `runs` under its settings, with so many draws.

    A method that these residuals called for, and that the runs cannot carry, gives way to what their own call for. Raises FitError
    where `runs` cannot carry the law, or a method or grouping that somebody chose.
    """
    s = fit.settings
    named = None if s.grouping == "run" else s.grouping
    by_posterior = s.intervals == POSTERIOR.method

    def again(intervals: str, group: str | None) -> Fit:
        return fitted(
            runs, fit.law, resamples=resamples, seed=s.seed, delta=s.given_delta or "auto", prior=s.prior,
            weights=None if s.weights == "none" else s.weights, intervals=intervals, group=group,
        )  # fmt: skip

    if by_posterior:
        return again("auto", None)
    try:
        return again(s.intervals, named)
    except FitError:
        if s.intervals_reason.startswith(CHOSEN):
            raise
    return again("auto", None if named in WORDS else named)
