"""Trunks: runs at a constant rate that others branch off to decay theirs, and whose final losses do not compare with these.

A loss falls by some hundredths while the rate falls to zero. In a fit of final losses a trunk beside its branches reads as a run
that its size and tokens made worse. Its curve is what a law of schedules is fitted to, and there it is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from data.plural import agreeing
from data.probe.found import Probe
from data.states.recognise import STATE

NOT_DECAYED = (
    "not decayed"  # the state by which trunks are set aside, and kept all the same where it is among those that are
)


def undecayed(found: Sequence[Probe], keep: Collection[str] = ()) -> list[str]:
    """Why each run (n,) is set aside as the trunk of others that are done among these; '' where it is none."""
    done = [one.what for one in found if one.what is not None and one.status.state == "done"]
    branched = set() if NOT_DECAYED in keep else {what.trunk for what in done if what.trunk}
    trunks = [one.what is not None and one.what.schedule == "constant" and one.what.key in branched for one in found]
    return [f"{STATE}{NOT_DECAYED}" if trunk else "" for trunk in trunks]


def said(count: int) -> tuple[str, ...]:
    """The note on so many trunks that were set aside; none for none."""
    if not count:
        return ()
    who = agreeing(
        count, "run holds its rate to the end, as the trunk", "runs hold their rates to the end, as the trunks"
    )
    return (
        f"{who} that others decay from: set aside, as a loss before the decay is above one after it. "
        f"The state “{NOT_DECAYED}” brings them back (`--keep-state '{NOT_DECAYED}'`).",
    )
