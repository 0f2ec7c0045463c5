"""One cell measured: many tables, each fitted with its draws, and how often and how widely the intervals hold the truth."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from fitting.result import quantiles
from fitting.threads import one_thread
from tests.benchmarks.coverage.cells import BEYOND, LAW, TRUTH, Cell, quantities
from tests.benchmarks.coverage.solved import solved

Array = np.ndarray

TAIL = 0.025


@dataclass(frozen=True)
class Method:
    """How a table is fitted: the settings of `fit` that matter to its intervals."""

    intervals: str = "auto"
    delta: float | str = "auto"

    @property
    def words(self) -> str:
        """Both settings, as a table's row names them."""
        return f"{self.intervals}, delta {self.delta if isinstance(self.delta, str) else format(self.delta, 'g')}"


@dataclass(frozen=True)
class Measured:
    """What a cell gave, for each quantity (6,): coverage and width in per cent and units, and the estimator's own range.

    `below` and `above` are the shares of tables whose interval lies wholly below or above the truth; `at_zero` is the
    share whose floor came out as zero, `seconds` the processor time.
    """

    cell: Cell
    method: Method
    datasets: int
    coverage: Array
    error: Array
    below: Array
    above: Array
    width: Array
    sampling: Array
    at_zero: float
    seconds: float

    @property
    def ratio(self) -> Array:
        """Median width over the range that holds the middle 95 % of estimates."""
        return self.width / self.sampling


def measure(cell: Cell, method: Method, datasets: int, refits: int, seed: int) -> Measured:
    """The cell with `datasets` tables of `refits` refits each. The same seed gives the same tables to every method."""
    began = time.process_time()
    truth = np.array([[TRUTH[k] for k in LAW.names]])
    low, high, off = (np.empty((datasets, 6)) for _ in range(3))
    zero = 0
    with one_thread():
        for k in range(datasets):
            inputs, loss, of = cell.table(seed * 1_000_000 + k)
            at = solved(
                LAW, inputs, loss, {"params": of},
                delta=method.delta, intervals=method.intervals, resamples=refits, seed=k,
            )  # fmt: skip
            flops = BEYOND * 6.0 * float(np.max(inputs["params"] * inputs["tokens"]))
            true = quantities(truth, flops)[0]
            best = at.values
            zero += best[LAW.names.index("E")] <= 0
            off[k] = quantities(best[None, :], flops)[0] - true
            ends = quantiles(quantities(at.draws, flops), (TAIL, 1.0 - TAIL))
            low[k], high[k] = (end - true for end in ends)
    held = np.mean((low <= 0) & (high >= 0), axis=0)
    ends = np.quantile(off, (TAIL, 1.0 - TAIL), axis=0)
    return Measured(
        cell, method, datasets, held, np.sqrt(held * (1 - held) / datasets),
        np.mean(high < 0, axis=0), np.mean(low > 0, axis=0), np.median(high - low, axis=0), ends[1] - ends[0],
        zero / datasets, time.process_time() - began,
    )  # fmt: skip
