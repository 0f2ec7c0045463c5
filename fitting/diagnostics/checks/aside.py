"""Rows of a table that a law of own columns could not take: whoever gave a frame or a path sees no other list of them."""

from __future__ import annotations

from data.schema import EXCLUDED, Runs
from fitting.plural import plural
from fitting.status import Verdict


def left_aside(runs: Runs) -> tuple[Verdict, ...]:
    """A note that counts the rows set aside by their reasons; none where all rows were read, or a person excluded them."""
    reasons = {why: n for why, n in runs.reasons.items() if why != EXCLUDED}
    if not runs.named or not reasons:
        return ()
    count = sum(reasons.values())
    said = "; ".join(f"{why} ({n})" for why, n in reasons.items())
    sentence = f"{plural(count, 'row')} of {runs.name} {'is' if count == 1 else 'are'} not fitted: {said}."
    return (Verdict("aside", "Rows set aside", "note", sentence, "See whether the rows that are left speak for all."),)
