"""Plans within the bounds that a law's output declares: what is aimed at, and what each draw says."""

from __future__ import annotations

import numpy as np

from fitting.errors import FitError
from fitting.law import Output
from fitting.planning.allocation import Optimum

Array = np.ndarray


def aim_inside(output: Output, losses: Array) -> None:
    """Nothing where all losses wanted (K,) lie within the output's bounds; else FitError."""
    low, high = output.limits or (-np.inf, np.inf)
    if len(beyond := np.flatnonzero((losses < low) | (losses > high))):
        raise FitError(
            f"{output.title} lies in {low:g} to {high:g}; it was asked for {losses[beyond[0]]:.4g}. Ask for one inside."
        )


def by_name(output: Output, budgets: Array, found: Optimum, sized: bool) -> dict[str, Array]:
    """Flops, loss (within bounds) and, where the law is `sized`, params and tokens by name."""
    sizes = {"params": found.params, "tokens": found.tokens} if sized else {}
    loss = found.loss if output.limits is None else np.clip(found.loss, *output.limits)
    return {"flops": budgets, "loss": loss, **sizes}
