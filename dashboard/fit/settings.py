"""What a person can choose about a fit, read from plain values that may be stale or somebody else's."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

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


@dataclass(frozen=True)
class FitSettings:
    """The law, how it is fitted and how its intervals are made.

    `group` is the column whose runs may share noise, None for what the table shows by itself.
    """

    law: str = "auto"
    delta: float | str = "auto"
    intervals: str = "auto"
    prior: str = "auto"
    resamples: int = 4000
    group: str | None = None
    seed: int = 0
    weights: str = ""

    @property
    def start(self) -> str:
        """The prior as `fit` takes it: a law of which nothing is published starts from nothing, whatever was chosen before."""
        believes = self.law == "auto" or all_laws()[self.law].believes
        return self.prior if believes else "auto"

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

    def written(self) -> dict[str, Any]:
        """Plain values of what differs from the defaults, for JSON and for an address; infinity is the text "inf"."""
        plain = {name: value for name, value in asdict(self).items() if value != getattr(DEFAULTS, name)}
        return {name: str(value) if value == math.inf else value for name, value in plain.items()}


DEFAULTS = FitSettings()


def read_settings(values: Any) -> FitSettings:
    """The settings that plain values say (numbers may be text); each one that makes no sense is left at its default."""
    given = values if isinstance(values, Mapping) else {}
    group, delta, intervals = given.get("group"), given.get("delta"), given.get("intervals")
    law, prior = given.get("law"), given.get("prior")
    return FitSettings(
        law=law if isinstance(law, str) and law in all_laws() else DEFAULTS.law,
        delta=_one_of(delta, DELTAS, DEFAULTS.delta),
        intervals=intervals if isinstance(intervals, str) and intervals in INTERVALS else DEFAULTS.intervals,
        prior=prior if isinstance(prior, str) and prior in PRIORS else DEFAULTS.prior,
        resamples=int(_one_of(given.get("resamples"), RESAMPLES, DEFAULTS.resamples)),
        group=group if isinstance(group, str) and group else None,
        seed=_seed(given.get("seed")),
        weights=str(_one_of(given.get("weights"), tuple(WEIGHTS), DEFAULTS.weights)),
    )


def _one_of(value: Any, allowed: Iterable[float | str], otherwise: float | str) -> float | str:
    if isinstance(value, str) and value in tuple(allowed):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        return otherwise
    return next((choice for choice in allowed if choice == number), otherwise)


def _seed(value: Any) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return DEFAULTS.seed
    return number if 0 <= number <= MOST_SEED else DEFAULTS.seed
