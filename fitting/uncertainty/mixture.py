"""How runs mix size and data, and how far another mixture lies outside theirs.

Along one law's best split of compute w ln N - (1 - w) ln D stays the same, with w = alpha / (alpha + beta) of its exponents
of size and of data. Beside it a law fitted to runs of other mixtures is extrapolated even at compute that the runs cover.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.plain import Share
from fitting.accounting import Log

if TYPE_CHECKING:
    from fitting.law import Law

Array = np.ndarray

# The share of runs at each end whose mixture counts as an exception.
TAIL = 0.05
# E-folds outside the runs' mixtures from which on it is said.
SAID = 0.3


@dataclass(frozen=True)
class Mixture:
    """The runs' mixtures: `weight` is w, `low` and `high` the ends of the middle 90 % of w ln N - (1 - w) ln D over the runs."""

    weight: Share
    low: Log
    high: Log

    def outside(self, where: Mapping[str, Array]) -> Array:
        """How many e-folds the mixture of params and tokens, arrays of one shape, lies outside that of the runs; 0 within."""
        s = _of(where, self.weight)
        return np.maximum(0.0, np.maximum(s - self.high, self.low - s))


def mixture(law: Law, values: Mapping[str, float], inputs: Mapping[str, Array]) -> Mixture | None:
    """How runs of params and tokens (n,) mix them, by the exponents among a fitted law's values; None for a law of one input."""
    if law.exponents is None:
        return None
    of_size, of_data = (values[k] for k in law.exponents)
    if not np.isfinite(of_size + of_data):
        return None
    weight = float(of_size / (of_size + of_data))
    low, high = np.quantile(_of(inputs, weight), (TAIL, 1.0 - TAIL))
    return Mixture(weight, float(low), float(high))


def unseen(outside: float) -> str:
    """How far a mixture lies outside the runs', in words, from its e-folds: at equal compute one is two of tokens per parameter."""
    return f"a factor of {np.exp(2.0 * outside):.2g} in tokens per parameter"


def _of(where: Mapping[str, Array], weight: float) -> Array:
    return np.asarray(weight * np.log(where["params"]) - (1.0 - weight) * np.log(where["tokens"]))
