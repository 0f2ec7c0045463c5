"""Names that are not there, and the nearest of those that are."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: object, known: Iterable[object], before: str = " (", behind: str = ")") -> str:
    """The known name that is spelled most like this one, as a part of a sentence; '' where none is near."""
    found = get_close_matches(str(name)[:60], map(str, known), 1)
    return f"{before}the nearest by spelling is {found[0]!r:.60}{behind}" if found else ""
