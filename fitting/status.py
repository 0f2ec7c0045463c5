"""How far a fit can be trusted, and the checks that say so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal

from data.plain import Before


class Status(Enum):
    """How far a fit can be trusted; `.sentence` says it in words."""

    SOUND = "sound"
    CAUTION = "caution"
    UNSOUND = "unsound"

    @property
    def sentence(self) -> str:
        """What this status means for someone about to use the numbers."""
        return {
            "sound": "Every check passes: the numbers hold within their intervals.",
            "caution": "No check fails: read those marked caution before you use the numbers.",
            "unsound": "Do not plan with this fit: at least one check fails and gives the reason.",
        }[self.value]


def _renamed(state: Any) -> Any:
    return {"ok": "pass", "note": "caution"}.get(state, state) if isinstance(state, str) else state


NOT_IDENTIFIED, ROLES = "identified", "roles"
# Notes that go wherever the numbers go, as the checks that fail do.
SAID_EVERYWHERE = (NOT_IDENTIFIED, ROLES)


@dataclass(frozen=True)
class Verdict:
    """One check of a fit: `state` is "pass", "caution" or "fail"; `sentence` says what was found, `todo` what to do.

    The worst of the checks is the fit's status. Fits saved before have other words for two of the states.
    """

    key: str
    title: str
    state: Annotated[Literal["pass", "caution", "fail"], Before(_renamed)]
    sentence: str
    todo: str = ""


def said_everywhere(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    """What must be known wherever a fit's numbers go: for an unsound one that, the checks that fail, and a few notes; else nothing.

    Those are of parameters that are not identified, and of roles that are not read.
    """
    verdicts = tuple(verdicts)
    failed = [f"{v.title}: {v.sentence}" for v in verdicts if v.state == "fail"]
    noted = [f"{v.title}: {v.sentence}" for v in verdicts if v.state == "caution" and v.key in SAID_EVERYWHERE]
    return (*((Status.UNSOUND.sentence,) if failed else ()), *failed, *noted)
