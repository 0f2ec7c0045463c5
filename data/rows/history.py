"""From the checkpoints of a run to the run: which of its losses is its own, and what a repeated name becomes."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from data.errors import DataError


@dataclass(frozen=True)
class Choice:
    """Which loss of a run's checkpoints is the run's: `kind` "last", "all", "least", "mean", "lowest" or "highest".

    `k` is how many checkpoints a mean is over, `header` the file's column whose lowest or highest value decides.
    """

    kind: str = "last"
    k: int = 1
    header: str = ""

    @property
    def words(self) -> str:
        """The choice as the end of a sentence about a run."""
        return {
            "last": "the last of each is the run",
            "least": "the one with the least loss is the run",
            "mean": f"the run's loss is the mean of its last {self.k}",
            "lowest": f"the one with the lowest {self.header} is the run",
            "highest": f"the one with the highest {self.header} is the run",
        }.get(self.kind, "every checkpoint is kept")


def chosen_loss(said: str, headers: tuple[str, ...] = ()) -> Choice:
    """The choice in words: "last", "all", "least", "mean of last 10", "lowest val_loss", "highest accuracy".

    Raises `DataError` for other words and for a column that is not among `headers`.
    """
    text = " ".join(str(said).split())
    if text in ("last", "all", "least"):
        return Choice(text)
    mean = re.fullmatch(r"mean(?: of)?(?: the)?(?: last)? ([0-9]{1,6})", text)
    if mean and int(mean[1]) >= 1:
        return Choice("mean", int(mean[1]))
    best = re.fullmatch(r"(lowest|highest) (.+)", text)
    if best:
        same = [h for h in headers if h == best[2]] or [h for h in headers if h.casefold() == best[2].casefold()]
        if same:
            return Choice(best[1], header=same[0])
        raise DataError(f"there is no column {best[2]!r} whose {best[1]} value could decide.")
    raise DataError(
        f"history is 'last', 'least', 'mean of last K', 'lowest COLUMN', 'highest COLUMN' or 'all'; got {said!r}."
    )


def last_of_each(names: np.ndarray, progress: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """The positions of the rows that stand for their runs, in order of first appearance: (r,).

    Each is the furthest row that has a loss written in it; the furthest of all where none has.
    """
    codes, order = _codes(names)
    rank = np.lexsort((np.where(np.isnan(progress), -np.inf, progress), measured, codes))
    ends = np.flatnonzero(np.r_[np.diff(codes[rank]) != 0, True])
    chosen = rank[ends]
    return chosen[np.argsort(codes[chosen])] if order else chosen


def superseded(names: np.ndarray, progress: np.ndarray, good: np.ndarray) -> np.ndarray:
    """Which rows (n,) repeat a place along their run that a later row of the file states again; others do not count."""
    codes, _ = _codes(names)
    out = np.zeros(len(names), dtype=bool)
    rows = np.flatnonzero(good & np.isfinite(progress))
    seen: set[tuple[int, float]] = set()
    for i in rows[::-1]:
        place = (int(codes[i]), float(progress[i]))
        out[i] = place in seen
        seen.add(place)
    return out


def least_of_each(names: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The position of the smallest of the values (n,) of each name, the first of equals; names without one are left out."""
    codes, _ = _codes(names)
    known = np.flatnonzero(np.isfinite(values))
    rank = known[np.lexsort((known, values[known], codes[known]))]
    return rank[np.r_[True, np.diff(codes[rank]) != 0]] if len(rank) else rank


def _codes(names: np.ndarray) -> tuple[np.ndarray, int]:
    import pandas as pd

    codes, kinds = pd.factorize(names)
    return np.asarray(codes), len(kinds)


def distinct(names: list[str]) -> list[str]:
    """The names made unique: the second `a` becomes `a (2)`."""
    taken = set(names)
    seen: set[str] = set()
    counts: dict[str, int] = {}
    out = []
    for name in names:
        new = name
        if name in seen:
            k = counts.get(name, 1)
            while new in seen or new in taken:
                k += 1
                new = f"{name} ({k})"
            counts[name] = k
        seen.add(new)
        out.append(new)
    return out
