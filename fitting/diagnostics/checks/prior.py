"""Do the prior and the weight of larger runs keep a fit from following its runs?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fitting.diagnostics.checks.evidence import FEW_STEPS, Evidence
from fitting.solver.huber_scale import EFFICIENT, LEAST, robust_spread
from fitting.solver.solver import minimise, residuals
from fitting.status import Verdict

# How many times as far runs lie from the law as from the same law fitted to them alone, all weighted alike. On 22 public tables,
# where prior and weights make forecasts better, at most 1.8 times; on clean simulated ones 1.2 to 4.6.
FARTHER = 2.0
WIDE, ROUNDS = 0.05, 3  # Huber delta before residuals are known, and how often it is scaled to them
LEAST_SPARE = 4  # runs beside the parameters, below which a law alone follows anything


def followed(e: Evidence) -> Verdict | None:
    """A note where the same law without prior and weights leaves much less over; else None."""
    if e.prob.prior is None or e.refused or e.is_exact or e.prob.n < e.law.p + LEAST_SPARE:
        return None
    alone = replace(e.prob, prior=None, importance=np.ones(e.prob.n), delta=WIDE)
    at = e.theta[None, :]
    for _ in range(ROUNDS):
        at = minimise(alone, at, most=FEW_STEPS).theta
        left = residuals(alone, at)[0]
        alone = replace(alone, delta=max(LEAST, EFFICIENT * robust_spread(left)))
    spare = np.sqrt(e.prob.n / (e.prob.n - e.law.p))
    own, free = (float(np.sqrt(np.mean(x**2))) for x in (e.clipped, np.clip(left, *_reach(e, left))))
    free *= spare
    if own <= FARTHER * free:
        return None
    return Verdict(
        "prior", "Prior and runs", "caution",
        f"The prior and the weight of larger runs keep the law {100 * own:.2g} % from these runs (root mean square); without both it is "
        f"{100 * free:.2g} % from them, with narrower intervals.",
        'If all runs have one recipe and one evaluation, fit with prior "none" and compare what both forecast of held-out runs.',
    )  # fmt: skip


def _reach(e: Evidence, left: np.ndarray) -> tuple[float, float]:
    """As far from their median as the fit's own residuals are looked at."""
    middle, far = float(np.median(left)), float(np.ptp(e.clipped)) / 2.0
    return middle - far, middle + far
