"""Where a table has no loss, which laws of other columns it could be for: those who declare laws say here what these take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

Columns = Mapping[str, tuple[str, ...]]

_declared: list[Callable[[], Columns]] = []
MOST = 3  # laws named in one sentence


def declare(laws: Callable[[], Columns]) -> None:
    """Let `laws`, asked when a table has no loss, say what columns each law takes, by its key."""
    _declared.append(laws)


def plain(header: str) -> str:
    """A header as it is compared with a law's column: whatever its case, with blanks for underscores."""
    return "_".join(str(header).casefold().split())


def able(headers: Iterable[str]) -> list[str]:
    """The keys of the laws declared whose columns are all among the headers."""
    has = {plain(h) for h in headers}
    declared = {key: takes for laws in _declared for key, takes in laws().items()}
    return [key for key, takes in declared.items() if {plain(c) for c in takes} <= has]


def instead(headers: Iterable[str]) -> str:
    """How to ask for the laws whose columns are all among the headers, as a sentence; '' where there is none."""
    keys = able(headers)
    if not keys:
        return ""
    return (
        f"All columns of the law {' and of the law '.join(keys[:MOST])} are here: choose it on the Fit page, run isoflop fit TABLE "
        f'--law {keys[0]} in the terminal, or fit(TABLE, law="{keys[0]}") in Python.'
    )
