"""What can be looked at, and how two of one name are told apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Choice:
    """One thing to look at: a bundled set or an upload. `key` is what the workspace's settings call it.

    `title` tells it apart in the menu; `file` is what an upload's file was called, which several may be.
    """

    key: str  # "bundled:<key>" or "upload:<sha256>"
    title: str
    sentence: str  # what it is, and where it is from
    file: str = ""


def told_apart(listed: Iterable[Choice], by_age: Iterable[Choice]) -> tuple[Choice, ...]:
    """The same with titles that differ, as a menu needs them; the older of two keeps its own."""
    named: dict[str, str] = {}
    for choice in by_age:
        title, again = choice.title, 1
        while title in named.values():
            again += 1
            title = f"{choice.title} ({again})"
        named[choice.key] = title
    return tuple(replace(choice, title=named[choice.key]) for choice in listed)
