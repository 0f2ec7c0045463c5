"""Rows of a table that a law of own columns could not take: whoever gave a frame or a path sees no other list of them."""

from __future__ import annotations

from data.schema import EXCLUDED, Runs
from data.states.roles import DOUBTED, NONE_LEFT
from fitting.errors import FitError
from fitting.plural import plural
from fitting.status import ROLES, Verdict


def unread_roles(runs: Runs) -> tuple[Verdict, ...]:
    """A note on a column that seems to say which runs are held out, and holds none; FitError where it holds out every run."""
    if any(NONE_LEFT in note for note in runs.notes):
        said = next(note for note in runs.notes if NONE_LEFT in note)
        raise FitError(f"{said.partition(',')[0]}: none is left to fit. Leave some of them in, or drop the column.")
    said = " ".join(note for note in runs.notes if any(sign in note for sign in DOUBTED))
    if not said:
        return ()
    found, _, do = said.partition(". ")
    return (
        Verdict(
            ROLES, "Runs held out", "caution", f"{found.rstrip('.')}.", do or "Give each run one of the two roles."
        ),
    )


def left_aside(runs: Runs) -> tuple[Verdict, ...]:
    """A note that counts the rows set aside by their reasons; none where all rows were read, or a person excluded them."""
    reasons = {why: n for why, n in runs.reasons.items() if why != EXCLUDED}
    if not runs.named or not reasons:
        return ()
    count = sum(reasons.values())
    said = "; ".join(f"{why} ({n})" for why, n in reasons.items())
    sentence = f"{plural(count, 'row')} of {runs.name} {'is' if count == 1 else 'are'} not fitted: {said}."
    return (
        Verdict("aside", "Rows set aside", "caution", sentence, "See whether the rows that are left speak for all."),
    )
