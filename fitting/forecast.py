"""`backtest`: leave the largest runs out, forecast them from the rest, and see how near the forecasts came.

A law that cannot foretell the runs at hand has no claim on larger ones. And a good forecast of the loss does not certify
how a budget is split: that is judged apart, by the regret of the split that the smaller fit would have chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.alike import Alike
from fitting.arguments import MOST_RESAMPLES, a_count, a_level, takes
from fitting.band import Band
from fitting.errors import FitError
from fitting.largest import COMPUTE, chosen, order_of
from fitting.law import LOSS
from fitting.planning.planner import plan
from fitting.refit import refit
from fitting.result import Fit
from fitting.same_runs import Columns, RunsLike, Units, fitted_arrays, of_fit
from fitting.shown import shown

if TYPE_CHECKING:
    import pandas as pd

    from data.schema import Runs

Array = np.ndarray

# Shares of the runs, in order of compute, that a cut leaves to fit; runs this near to the largest one are no forecast.
SHARES = (0.5, 0.65, 0.8)
BEYOND = 1.5
LEAST_SIZES, LEAST_ASKED = 4, 2


@shown()
@dataclass(frozen=True, eq=False)
class Cut(Alike):
    """One test: fitted to the runs of at most `largest`, in FLOP or in the unit of the input `along`, asked about the m larger ones.

    `beyond` (m,) in times `largest`, losses `actual` (m,), and `forecast` a band of (m,). `regret` is the share by which the loss at
    the largest budget would have been higher, by the fit to all runs, with the size that the smaller fit calls best (None for a
    law that splits no budget).
    """

    largest: float
    seen: int
    runs: tuple[str, ...]
    beyond: Array
    actual: Array
    forecast: Band
    regret: float | None
    along: str = COMPUTE

    @property
    def flops(self) -> float:
        """The compute up to which runs were fitted; NaN where they were put in order of something else."""
        return self.largest if self.along == COMPUTE else float("nan")

    @property
    def error(self) -> float:
        """Median distance between forecast and loss, as a share of the loss."""
        return float(np.median(np.abs(np.log(self.forecast.value / self.actual))))

    @property
    def covered(self) -> int:
        """How many of the losses lie in their intervals."""
        return int(np.sum((self.actual >= self.forecast.low) & (self.actual <= self.forecast.high)))


@shown()
@dataclass(frozen=True, eq=False)
class Backtest(Alike):
    """The forecast test of one fit: its cuts, from the lowest, at one level, and what came out in a sentence.

    `along` is the column by which runs were put in order, `output` the law's own.
    """

    cuts: tuple[Cut, ...]
    level: float
    sentence: str
    along: str = COMPUTE
    output: str = LOSS.column

    def to_frame(self) -> pd.DataFrame:
        """One row for each run forecast: cut_flops (or cut_ and what `along` is), run, beyond, loss (or `output`), forecast, low, high."""
        import pandas as pd

        rows = [
            pd.DataFrame(
                {
                    f"cut_{self.along}": c.largest, "run": c.runs, "beyond": c.beyond, self.output: c.actual,
                    "forecast": c.forecast.value, "low": c.forecast.low, "high": c.forecast.high,
                }
            )
            for c in self.cuts
        ]  # fmt: skip
        return pd.concat(rows, ignore_index=True)


@takes(fit=Fit)
def backtest(
    fit: Fit,
    runs: RunsLike,
    *,
    level: float = 0.9,
    resamples: int = 400,
    along: str | None = None,
    columns: Columns = None,
    units: Units = None,
) -> Backtest:
    """How well this fit's law, fitted as it was to the smaller runs, forecasts the larger ones of those it was fitted to.

    Larger is by compute, or by the input that is named as `along`: without FLOPs, that which spans the largest factor.
    Runs held out take no part: `fitting.held_out.forecasts` compares them with the forecasts of the fit itself.
    Raises FitError for other runs than those that were fitted, and when too few runs lie far enough apart to leave some out.
    """
    a_level(level)
    resamples = a_count("resamples", resamples, MOST_RESAMPLES)
    table = of_fit(fit, runs, columns, units)
    grouping = fit.settings.grouping
    fitted_arrays(fit, table, "ask for the forecast test", None if grouping == "run" else grouping)
    asked, along = along, order_of(table.kept, (fit.law,), along, "A forecast test puts runs")
    frame = table.kept.dropna(subset=list(dict.fromkeys([*fit.law.inputs, fit.law.output.column, along])))
    refused: list[FitError] = []
    tests = [_cut(table, frame, fit, share, level, resamples, along, refused) for share in SHARES]
    done = tuple(c for c in tests if c is not None)
    if refused and not done:
        raise FitError(f"No forecast test could be made as this fit was. Of the smaller runs: {refused[-1]}")
    if not done:
        sizes, by = ("sizes", "compute") if along == COMPUTE else (f"values of {' and '.join(fit.law.inputs)}", along)
        raise FitError(
            f"A forecast test needs {fit.law.min_runs} runs of {LEAST_SIZES} {sizes} below and {LEAST_ASKED} runs more than "
            f"{BEYOND:g} times larger in {by} beyond; {len(frame)} runs of {table.name} do not leave that. Add larger runs."
        )
    said = _sentence(done, level, fit.law.output.title.lower()) + chosen((fit.law,), asked, along)
    return Backtest(done, level, said, along, fit.law.output.column)


def _cut(
    table: Runs,
    frame: pd.DataFrame,
    fit: Fit,
    share: float,
    level: float,
    resamples: int,
    along: str,
    refused: list[FitError],
) -> Cut | None:
    size = frame[along].to_numpy(float)
    largest = float(np.quantile(size, share, method="lower"))
    seen, asked = size <= largest, size > BEYOND * largest
    sizes = [len(np.unique(np.round(np.log(frame.loc[seen, k].to_numpy(float)), 2))) for k in fit.law.inputs]
    if seen.sum() < fit.law.min_runs or min(sizes) < LEAST_SIZES or asked.sum() < LEAST_ASKED:
        return None
    try:
        smaller = refit(fit, table.exclude(frame.loc[~seen, "run"].astype(str)), resamples)
    except FitError as e:
        refused.append(e)
        return None
    rows = frame[asked]
    band = smaller.predict(level=level, of="run", **{k: rows[k].to_numpy(float) for k in fit.law.inputs})
    return Cut(
        largest, int(seen.sum()), tuple(rows["run"].astype(str)), rows[along].to_numpy(float) / largest,
        rows[fit.law.output.column].to_numpy(float), band,
        regret(fit, smaller, float(size.max())) if along == COMPUTE else None, along,
    )  # fmt: skip


def regret(fit: Fit, smaller: Fit, flops: float) -> float | None:
    """The share by which the loss at a budget exceeds the best, by `fit`, with the size that `smaller` calls best."""
    try:
        size = plan(smaller, flops=flops).params
        if size is None:
            return None
        penalty = plan(fit, flops=flops, params=float(size.value)).penalty
    except FitError:
        return None
    return None if penalty is None else float(penalty.value)


def _sentence(cuts: tuple[Cut, ...], level: float, of: str) -> str:
    asked = sum(len(c.actual) for c in cuts)
    held = sum(c.covered for c in cuts)
    furthest = max(float(c.beyond.max()) for c in cuts)
    errors = np.concatenate([np.abs(np.log(c.forecast.value / c.actual)) for c in cuts])
    said = (
        f"With the largest runs left out ({len(cuts)} time{'s' * (len(cuts) > 1)}), the forecasts of runs up to {furthest:.3g}x "
        f"larger{'' if cuts[0].along == COMPUTE else f' in {cuts[0].along}'} were off by {100 * np.median(errors):.1f} % of the {of} "
        f"(median), and {held} of {asked} {'losses' if of == 'loss' else 'runs'} ({100 * held / asked:.0f} %) fell in their "
        f"{100 * level:.0f} % intervals"
    )
    regrets = [c.regret for c in cuts if c.regret is not None]
    if not regrets:
        return f"{said}."
    cost = 100 * max(regrets)
    much = "under 0.1 %" if cost < 0.1 else f"up to {cost:.1f} %"
    return f"{said}; splitting the largest budget as these smaller fits say would cost {much} of the loss."
