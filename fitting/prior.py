"""A prior: what is believed of some parameters before any run is seen, as a penalty beside the fit's own objective."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Penalty:
    """Log-normal beliefs about some of a fit's internal coordinates: m of p of them.

    `index` (m,) says which coordinates; `linear` (m,) those that are moved as they are rather than in logarithms;
    `centre` (m,) or (R, m) and `spread` (m,) are of the logarithm. `weight` is the variance of log-loss noise, which
    turns a squared distance in spreads into the units of the objective.
    """

    index: Array
    linear: Array
    centre: Array
    spread: Array
    weight: float

    def rows(self, rows: Any) -> Penalty:
        """The same for some of the refits."""
        return self if self.centre.ndim == 1 else replace(self, centre=self.centre[rows])

    def distance(self, theta: Array) -> tuple[Array, Array]:
        """How many spreads each belief is off (R, m) at coordinates (R, p), and the slope of that (R, m)."""
        x = theta[:, self.index]
        safe = np.maximum(x, 1e-9)  # a floor of zero has no logarithm; the prior keeps away from it
        z = (np.where(self.linear, np.log(safe), x) - self.centre) / self.spread
        return z, np.where(self.linear, 1.0 / safe, 1.0) / self.spread

    def cost(self, theta: Array) -> Array:
        """What the beliefs add to the objective, (R,)."""
        return 0.5 * self.weight * np.sum(self.distance(theta)[0] ** 2, axis=1)
