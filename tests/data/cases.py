"""Cases out of lists of variants that do not depend on each other: every value stands, not every value with every other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any


def side_by_side(*lists: Sequence[Any]) -> list[tuple[Any, ...]]:
    """As many cases as the longest list has values: of each list the value used least, and of those the one in the newest company.

    side_by_side("abc", (1, 2)) is [("a", 1), ("b", 2), ("c", 1)].
    """
    used: Counter[tuple[int, int]] = Counter()
    met: Counter[tuple[tuple[int, int], tuple[int, int]]] = Counter()
    cases = []
    for _ in range(max(map(len, lists))):
        chosen: list[tuple[int, int]] = []
        for k, values in enumerate(lists):
            places = [(k, i) for i in range(len(values))]
            best = min(places, key=lambda at: (used[at], sum(met[other, at] for other in chosen)))
            used[best] += 1
            met.update((other, best) for other in chosen)
            chosen.append(best)
        cases.append(tuple(values[i] for values, (_, i) in zip(lists, chosen, strict=True)))
    return cases
