"""How the critical batch grows as the loss falls, out of what one law through final losses says at several losses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fitting.batch.along import AlongLoss
from fitting.batch.decayed import Decayed

LEAST_LOSSES = 3  # to say how the critical batch grows along them


def decayed_along(read: Sequence[Decayed]) -> AlongLoss | None:
    """How the critical batch grows as the loss falls, B_crit = c L^k, from what one law through final losses says at several losses.

    A power of the loss is near it, and exact without a floor. Its doubt is that of the law, whose refits are followed from loss to
    loss. None for fewer than three losses, readings of several laws, or where no critical batch shows.
    """
    several = sorted({one.target: one for one in read}.values(), key=lambda one: one.target)
    if len(several) < LEAST_LOSSES or any(
        one.grows is None or one.measured is not several[0].measured for one in several
    ):
        return None
    x = np.array([one.target for one in several])
    middle = float(np.exp(np.mean(np.log(x))))
    slopes = np.linalg.pinv(np.column_stack([np.ones(len(x)), np.log(x / middle)]))
    value = np.log([one.found.b_crit.value for one in several])
    everywhere = np.all([one.kept for one in several], axis=0)
    drawn = [one.found.draws[everywhere[one.kept]] for one in several]
    with np.errstate(divide="ignore"):
        draws = np.stack([np.log(each[:, 1]) - np.log(each[:, 0]) for each in drawn], axis=1)
    draws = draws[np.isfinite(draws).all(axis=1)]
    best = slopes @ value
    off = value - (best[0] + best[1] * np.log(x / middle))
    return AlongLoss(best, draws @ slopes.T, middle, x, several[0].batch, np.tile(-off, (len(several[0].batch), 1)))
