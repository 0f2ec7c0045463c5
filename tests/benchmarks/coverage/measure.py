"""One cell measured: many tables, each fitted with its draws, and how often and how widely the intervals hold the truth."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from fitting.band import quantiles
from fitting.diagnostics.double_bootstrap import ranks
from fitting.solver.threads import one_thread
from tests.benchmarks.coverage.cells import BEYOND, LAW, QUANTITIES, TRUTH, Cell, quantities
from tests.benchmarks.coverage.solved import solved

Array = np.ndarray

TAIL = 0.025


@dataclass(frozen=True)
class Method:
    """How a table is fitted: the settings of `fit` that matter to its intervals.

    `calibrated` is how many tables, and refits of each, the intervals are calibrated by; 0 for plain ones.
    """

    intervals: str = "auto"
    delta: float | str = "auto"
    calibrated: int = 0

    @property
    def words(self) -> str:
        """Both settings, as a table's row names them."""
        more = f", calibrated by {self.calibrated} x {self.calibrated}" if self.calibrated else ""
        return f"{self.intervals}, delta {self.delta if isinstance(self.delta, str) else format(self.delta, 'g')}{more}"


@dataclass(frozen=True)
class Measured:
    """What a cell gave, for each quantity (6,): coverage and width in per cent and units, and the estimator's own range.

    `below` and `above` are the shares of tables whose interval lies wholly below or above the truth; `at_zero` is the
    share whose floor came out as zero, `open` (6,) that of intervals with an end that calibration could not name, and
    `seconds` the processor time.
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
    open: Array
    seconds: float

    @property
    def ratio(self) -> Array:
        """Median width over the range that holds the middle 95 % of estimates."""
        return self.width / self.sampling


@dataclass(frozen=True)
class Part:
    """Some tables of a cell: for each and each quantity (k, 6) the interval's ends and the estimate, less the truth."""

    low: Array
    high: Array
    off: Array
    at_zero: int
    seconds: float


def part(cell: Cell, method: Method, tables: range, refits: int, seed: int) -> Part:
    """The tables of these numbers, each with `refits` refits. The same seed gives the same tables to every method."""
    began = time.process_time()
    truth = np.array([[TRUTH[k] for k in LAW.names]])
    low, high, off = (np.empty((len(tables), len(QUANTITIES))) for _ in range(3))
    zero = 0
    with one_thread():
        for row, k in enumerate(tables):
            inputs, loss, of = cell.table(seed * 1_000_000 + k)
            at = solved(
                LAW, inputs, loss, {"params": of},
                delta=method.delta, intervals=method.intervals, resamples=refits, seed=k,
            )  # fmt: skip
            flops = BEYOND * 6.0 * float(np.max(inputs["params"] * inputs["tokens"]))
            true = quantities(truth, flops)[0]
            best = at.values
            zero += int(best[LAW.names.index("E")] <= 0)
            off[row] = quantities(best[None, :], flops)[0] - true
            spread = quantities(at.draws, flops)
            if method.calibrated:
                ask, many = partial(quantities, flops=flops), method.calibrated
                ends = ranks(at.prob, at.theta, at.how, ask, many, many, seed=k).interval(spread)
            else:
                ends = quantiles(spread, (TAIL, 1.0 - TAIL))
            low[row], high[row] = (end - true for end in ends)
    return Part(low, high, off, zero, time.process_time() - began)


def measured(cell: Cell, method: Method, parts: Sequence[Part]) -> Measured:
    """What all these tables say together."""
    low, high, off = (np.concatenate([getattr(p, name) for p in parts]) for name in ("low", "high", "off"))
    held = np.mean((low <= 0) & (high >= 0), axis=0)
    ends = np.quantile(off, (TAIL, 1.0 - TAIL), axis=0)
    return Measured(
        cell, method, len(low), held, np.sqrt(held * (1 - held) / len(low)),
        np.mean(high < 0, axis=0), np.mean(low > 0, axis=0), np.median(high - low, axis=0), ends[1] - ends[0],
        sum(p.at_zero for p in parts) / len(low), np.mean(np.isinf(low) | np.isinf(high), axis=0), sum(p.seconds for p in parts),
    )  # fmt: skip
