"""Are there parameters that the runs cannot tell, whatever they are?"""

from __future__ import annotations

import math

from fitting.diagnostics.checks.evidence import Evidence
from fitting.diagnostics.identification import FAR
from fitting.status import NOT_IDENTIFIED, Verdict


def identified(e: Evidence) -> Verdict | None:
    """Which parameters are not identified, and which trade against which; None where each is."""
    found = e.unidentified
    if not found.groups:
        return None
    said = "; ".join(_said(group) for group in found.groups)
    open_ones = "its interval is open" if len(found.names) == 1 else "their intervals are open"
    losses = (
        f"and predictions within a factor of {math.exp(FAR):.0f} of the runs do not depend on it"
        if all(found.everywhere)
        else "and predictions at other inputs may be off"
    )
    do = "Fix one of each in the formula" if len(found.groups) > 1 else f"Fix {found.groups[0][-1]} in the formula"
    return Verdict(
        NOT_IDENTIFIED, "Identified parameters", "note",
        f"Not identified: {said}, so {open_ones} {losses}.",
        f"{do}, or drop a term: every parameter should change some prediction in a way of its own.",
    )  # fmt: skip


def _said(group: tuple[str, ...]) -> str:
    if len(group) == 1:
        return f"no prediction for these runs tells {group[0]}"
    return f"{', '.join(group[:-1])} and {group[-1]} can change together and predict the same for these runs"
