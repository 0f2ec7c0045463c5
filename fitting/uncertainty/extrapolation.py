"""What is to be known of a forecast's place: how far beyond the runs it lies, and whether any run mixes size and data so."""

from __future__ import annotations

import numpy as np

from fitting.band import Array
from fitting.law import LOSS, Output
from fitting.uncertainty.mixture import SAID, unseen
from fitting.uncertainty.model_discrepancy import CHECKED, Doubt

NOT_ADDED = "the prediction interval has no model discrepancy (how far a law of this form may be off), which was measured for losses only"


def beyond_runs(doubt: Doubt | None, beyond: Array, many: bool = False, output: Output = LOSS) -> tuple[str, ...]:
    """How far runs of compute `beyond` times the largest run's lie past it, where any does, and what bands hold there."""
    most = float(np.max(beyond, initial=0.0))
    if not most > 1.0 + 1e-9:
        return ()
    far = f"{'Up to ' if many else ''}{float(f'{most:.2g}'):,g}x beyond the largest run"
    if doubt is None:
        return (f"{far}: intervals reflect noise in these runs, without model discrepancy.",)
    if output != LOSS:
        return (f"{far}: {NOT_ADDED}.",)
    checked = "" if most <= CHECKED else f", checked up to {CHECKED:g}x"
    return (
        f"{far}: the band reflects noise in these runs; the prediction interval adds model discrepancy (how far a law of "
        f"this form may be off), as large as in public sweeps{checked}.",
    )


def mixed_as_none(
    doubt: Doubt | None, params: Array, tokens: Array, many: bool = False, output: Output = LOSS
) -> tuple[str, ...]:
    """How far the mixture of size and data lies outside that of the runs, where that is worth saying."""
    if doubt is None or doubt.mixture is None:
        return ()
    off = float(np.max(doubt.mixture.outside({"params": params, "tokens": tokens}), initial=0.0))
    if not off > SAID:
        return ()
    lies = f"This balance of size and data lies {'up to ' if many else ''}{unseen(off)} outside the runs"
    if output != LOSS:
        return (f"{lies}: {NOT_ADDED}.",)
    return (f"{lies}: the prediction interval adds model discrepancy, as large as public sweeps showed there.",)
