"""A number with its noun (`1 run`, `41 runs`), with its verb (`1 row says`, `41 rows say`), a part of a whole, and names in a row."""

from __future__ import annotations

from collections.abc import Sequence


def plural(number: int, noun: str) -> str:
    """The number with its thousands and the noun, which takes an s unless it is one."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def agreeing(number: int, one: str, several: str) -> str:
    """The number with its thousands and the words behind it: those for one, or those for none and several."""
    return f"{number:,} {one if number == 1 else several}"


def out_of(number: int, whole: int, noun: str, one: str, several: str) -> str:
    """So many of the whole and their verb, which is that of one thing where one of them, or one in all, is meant: `0 of 1 run is`."""
    return f"{number:,} of {plural(whole, noun)} {one if 1 in (number, whole) else several}"


def listed(names: Sequence[str]) -> str:
    """Names in quotes, the last behind "and"; of more than six how many more there are."""
    shown = [repr(n) for n in names[:6]]
    if len(names) > 6:
        return ", ".join(shown) + f" and {len(names) - 6} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]
