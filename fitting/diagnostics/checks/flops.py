"""Do a table's FLOPs follow from model size and tokens, as a plan takes them to?"""

from __future__ import annotations

import numpy as np

from fitting.diagnostics.checks.evidence import Evidence
from fitting.status import Verdict

TITLE = "FLOPs beside 6ND"
# Standard deviations of log FLOPs around what a size and its tokens say. No rounding, depth or sequence length scatters by a
# tenth; by a factor of two (log 2 is 0.7) FLOPs say less of a run than the budgets that a sweep tells apart.
SEEN, UNUSABLE = 0.1, 0.7
MOST = 0.5  # of that scatter's square, told by tokens: then tokens are named


def flops(e: Evidence) -> Verdict | None:
    """Whether FLOPs scatter around what the fitted ratio to 6ND says of each run's size, or depend on tokens otherwise."""
    if e.table.flops_left is None or not {"params", "tokens"} <= set(e.law.inputs):
        return None
    log_n, log_d, left = e.table.flops_left
    spread = float(np.std(left))
    if not spread > SEEN:
        return None
    said = f"The table's FLOPs scatter by a factor of {np.exp(spread):.3g} around the compute that model size and tokens imply."
    own = log_d - np.polyval(np.polyfit(log_n, log_d, 1), log_n) if np.ptp(log_n) > 0 else log_d - log_d.mean()
    square = float(own @ own)
    slope = float(own @ left) / square if square > 0 else 0.0
    if slope**2 * square > MOST * float(left @ left):
        said += (
            f" At one size they grow as tokens to the power of {round(1 + slope, 2) + 0.0:g}; training grows as tokens."
        )
    return Verdict(
        "flops", TITLE, "fail" if spread > UNUSABLE else "caution", said,
        "Check the FLOP column, its unit and which runs it belongs to: plans use the table's mean FLOPs per token at each "
        "size. Without the column, FLOPs are 6ND.",
    )  # fmt: skip
