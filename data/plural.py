"""A number with its noun: `1 run`, `41 runs`; and with its verb: `1 row says`, `41 rows say`."""

from __future__ import annotations


def plural(number: int, noun: str) -> str:
    """The number with its thousands and the noun, which takes an s unless it is one."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def agreeing(number: int, one: str, several: str) -> str:
    """The number with its thousands and the words behind it: those for one, or those for none and several."""
    return f"{number:,} {one if number == 1 else several}"
