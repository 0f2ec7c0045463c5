"""Where two families change places."""

from __future__ import annotations

from dataclasses import dataclass

from fitting.band import Band


@dataclass(frozen=True)
class Crossing:
    """Where two families change places: `kind` is "within" the data, "beyond" it or "never", between the budgets `looked`.

    `flops` is the budget with its interval: infinite for never, an end of 0 or infinity being open, because too many
    refits have no crossing there. `beyond` is the budget over the largest run's; `share` the share of refits that cross.
    """

    kind: str
    flops: Band
    beyond: float
    share: float
    looked: tuple[float, float]
