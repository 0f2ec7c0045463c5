"""Are there parameters that the runs cannot tell, whatever they are?"""

from __future__ import annotations

import math
from collections.abc import Sequence

from fitting.diagnostics.checks.evidence import Evidence
from fitting.diagnostics.identification import FAR
from fitting.status import NOT_IDENTIFIED, Verdict


def identified(e: Evidence) -> Verdict | None:
    """Which parameters are not identified, and which trade against which; None where each is."""
    found = e.unidentified
    if not found.names:
        return None
    one = found.closed
    loose = [name for name in found.names if not any(name in group for group in found.groups)]
    ends = {
        "exclude no value of": [name for name in loose if name not in one],
        "give no lower end for": [name for name in loose if one.get(name) == "high"],
        "give no upper end for": [name for name in loose if one.get(name) == "low"],
    }
    parts = [f"{what} {_listed(names)}" for what, names in ends.items() if names]
    said = "; ".join([*map(_said, found.groups), *([f"these runs {' and '.join(parts)}"] if parts else [])])
    open_ones = "its interval is open" if len(found.names) == 1 else "their intervals are open"
    losses = (
        f"and predictions within a factor of {math.exp(FAR):.0f} of the runs do not depend on it"
        if all(found.everywhere) and not loose
        else "and predictions at other inputs may be off"
    )
    if loose:
        do = "Choose a law with fewer parameters, or add runs over a wider range of what these describe."
    else:
        first = "one of each" if len(found.groups) > 1 else found.groups[0][-1]
        do = f"Fix {first} in the formula, or drop a term: every parameter should change some prediction in a way of its own."
    return Verdict(
        NOT_IDENTIFIED, "Identified parameters", "caution",
        f"Not identified: {said}, so {open_ones} {losses}.",
        do,
    )  # fmt: skip


def _said(group: tuple[str, ...]) -> str:
    if len(group) == 1:
        return f"no prediction for these runs tells {group[0]}"
    return f"{_listed(group)} can change together and predict the same for these runs"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
