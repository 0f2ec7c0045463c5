"""Everything chosen for a fit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Everything chosen for a fit, as it must be repeated to get the same numbers.

    `delta_rule` is "given", or "auto" where `delta` was scaled to the noise. `intervals` is the method that was used,
    `intervals_reason` why, in words, and `grouping` the column it grouped by, "run" for none. `prior` is "published" where
    the fit starts from what published sweeps say of the law's parameters. `weights` is the column of errors in whose unit
    each run's residual counts, "none" where runs count alike; `delta` is then that of a run of mean weight.
    """

    delta: float = 1e-3
    delta_rule: str = "given"
    resamples: int = 4000
    grouping: str = "run"
    intervals: str = "runs"
    intervals_reason: str = ""
    seed: int = 0
    objective: str = "sum of Huber(delta) of log-loss residuals"
    starts: int = 0
    count: str = "params"
    flops_convention: str = "6ND"
    prior: str = "none"
    weights: str = "none"
    law_reason: str = ""
    excluded: tuple[str, ...] = ()

    @property
    def given_delta(self) -> float | None:
        """The delta to fit with again, None where it is scaled to the noise."""
        return None if self.delta_rule == "auto" else self.delta
