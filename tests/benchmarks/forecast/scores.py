"""How good forecasts were, by distance: coverage, interval score (width plus twenty times the miss) and point error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.benchmarks.forecast.rules import LEVEL

DISTANCES = ((1.5, 5.0), (5.0, 20.0), (20.0, np.inf))
TITLES = ("1.5-5x", "5-20x", "over 20x")
ENOUGH = 10


@dataclass(frozen=True)
class Score:
    """One table at one distance: runs, share covered, mean interval score, mean absolute error, mean signed error, width."""

    runs: int
    covered: float
    score: float
    error: float
    bias: float
    width: float


def scores(rows: np.ndarray) -> list[Score | None]:
    """The scores of forecasts (m, 5) at each distance; None where there are no runs."""
    out: list[Score | None] = []
    for low, high in DISTANCES:
        beyond, y, middle, lowest, highest = rows[(rows[:, 0] > low) & (rows[:, 0] <= high)].T
        if not len(y):
            out.append(None)
            continue
        miss = np.maximum(0.0, np.maximum(lowest - y, y - highest))
        width = highest - lowest
        score = width + 2.0 / (1.0 - LEVEL) * miss
        out.append(
            Score(
                len(beyond), float(np.mean(miss == 0)), float(score.mean()), float(np.mean(np.abs(y - middle))),
                float(np.mean(y - middle)), float(width.mean()),
            )
        )  # fmt: skip
    return out


@dataclass(frozen=True)
class Summary:
    """Several tables at one distance: mean coverage, the worst table's with enough runs, and means relative to a reference."""

    covered: float
    worst: float
    score: float
    error: float


def summary(tables: list[Score | None], reference: list[Score | None]) -> Summary:
    """The mean over tables, beside the same tables under the reference rule."""
    pairs = [(a, b) for a, b in zip(tables, reference, strict=True) if a and b]
    worst = [a.covered for a, _ in pairs if a.runs >= ENOUGH]
    return Summary(
        float(np.mean([a.covered for a, _ in pairs])),
        min(worst, default=np.nan),
        sum(a.score for a, _ in pairs) / sum(b.score for _, b in pairs),
        sum(a.error for a, _ in pairs) / sum(b.error for _, b in pairs),
    )
