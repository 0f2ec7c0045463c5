"""What a law decides at one budget: the best size and the loss there, for many sets of parameters at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.alike import Alike
from fitting.accounting import Accounting
from fitting.law import Law
from fitting.planning.allocation import optimum, valley

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Decision(Alike):
    """Best sizes (R,), None for a law of compute alone, and losses (R,) in nats per token."""

    params: Array | None
    loss: Array


def decide(law: Law, values: Array, flops: float, accounting: Accounting) -> Decision:
    """The decision at `flops` for parameters (R, p) of a law of params and tokens, or of flops alone."""
    if law.inputs == ("flops",):
        named = {k: values[:, i] for i, k in enumerate(law.names)}
        return Decision(None, np.broadcast_to(law({"flops": np.float64(flops)}, named), (len(values),)))
    best = optimum(valley(law, values, np.array([flops]), accounting))
    return Decision(best.params[:, 0], best.loss[:, 0])
