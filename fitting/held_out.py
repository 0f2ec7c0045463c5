"""`forecasts`: how far the runs held out lie from what a fit that did not see them forecasts, and whether inside its intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.alike import Alike
from fitting.arguments import a_level, takes
from fitting.band import Band
from fitting.errors import FitError
from fitting.law import LOSS
from fitting.plural import plural
from fitting.result import Fit
from fitting.same_runs import Columns, RunsLike, Units, fitted_arrays, of_fit, whole_table
from fitting.shown import shown

if TYPE_CHECKING:
    import pandas as pd


Array = np.ndarray

FEW = 3  # runs of which each is said by itself


@shown()
@dataclass(frozen=True, eq=False)
class HeldOut(Alike):
    """Runs held out beside their forecasts: names, losses `actual` (m,), and `forecast`, a band (m,) of one new run each.

    `beyond` (m,) is the compute of each in times the largest run fitted, NaN where it is not known. `drawn` says whether the
    band has ends: a fit without refits has none. `output` is the column that the law gives.
    """

    runs: tuple[str, ...]
    beyond: Array
    actual: Array
    forecast: Band
    drawn: bool
    output: str = LOSS.column

    @property
    def off(self) -> Array:
        """How far each loss lies above its forecast, as a share of the forecast (m,); negative below."""
        return np.asarray(self.actual / self.forecast.value - 1.0)

    @property
    def inside(self) -> Array:
        """Which losses lie in their intervals (m,)."""
        return np.asarray((self.actual >= self.forecast.low) & (self.actual <= self.forecast.high) & self.drawn)

    @property
    def sentence(self) -> str:
        """How far the runs lie from their forecasts, and how many inside their intervals."""
        m, one = len(self.runs), len(self.runs) == 1
        if m <= FEW:
            sides = ["above" if x >= 0 else "below" for x in self.off]
            alike = len(set(sides)) == 1  # then the side is said once, at the end
            said_at = [i == m - 1 or not alike for i in range(m)]
            *rest, last = (f"{_share(abs(x))}{f' {s}' * at}" for x, s, at in zip(self.off, sides, said_at, strict=True))
            far = f"{', '.join(rest)} and {last} the forecasts" if rest else f"{last} the forecast"
        else:
            far = f"within {_share(float(np.max(np.abs(self.off))))} of the forecasts"
        said = f"{plural(m, 'held-out run')} {'lies' if one else 'lie'} {far} made without {'it' if one else 'them'}"
        if not self.drawn:
            return f"{said}."
        held, level = int(self.inside.sum()), f"{100 * self.forecast.level:.0f} % prediction interval"
        if one:
            return f"{said}, {'inside' if held else 'outside'} its {level}."
        many = {0: "none", m: "both" if m == 2 else "all"}.get(held, f"{held} of {m}")
        return f"{said}, {many} inside their {level}s."

    def to_frame(self) -> pd.DataFrame:
        """One row for each run: run, beyond, loss (or `output`), forecast, low, high, off, inside."""
        import pandas as pd

        return pd.DataFrame(
            {
                "run": self.runs, "beyond": self.beyond, self.output: self.actual, "forecast": self.forecast.value,
                "low": self.forecast.low, "high": self.forecast.high, "off": self.off, "inside": self.inside,
            }
        )  # fmt: skip


@takes(fit=Fit)
def forecasts(
    fit: Fit, runs: RunsLike, *, level: float = 0.9, columns: Columns = None, units: Units = None
) -> HeldOut | None:
    """The runs held out beside the forecasts of this fit; None where none is held out that has what its law needs.

    The table may hold the runs held out alone. Raises FitError where the fit was made of one of them, and where the others are not
    the runs that were fitted.
    """
    a_level(level)
    table = whole_table(runs, fit.law, columns, units)
    rows = table.held_out
    rows = rows[~rows["run"].astype(str).isin(fit.settings.excluded)]
    seen = sorted(set(rows["run"].astype(str)) & set(fit.runs))
    if seen:
        raise FitError(f"{seen[0]!r:.60} is held out, and this fit was made with it. Fit these runs again.")
    needed = [*fit.law.inputs, fit.law.output.column]
    if not set(needed) <= set(rows):
        return None
    rows = rows.dropna(subset=needed)
    if not len(rows):
        return None
    if len(others := of_fit(fit, table)):
        fitted_arrays(fit, others, "ask for the forecasts")
    at = {k: rows[k].to_numpy(float) for k in ("params", "tokens", "flops") if k in rows}
    told = "flops" in at or {"params", "tokens"} <= set(at)
    return HeldOut(
        tuple(rows["run"].astype(str)),
        fit.beyond(at) if told and "flops" in fit.ranges else np.full(len(rows), np.nan),
        rows[fit.law.output.column].to_numpy(float),
        fit.predict(level=level, of="run", **{k: rows[k].to_numpy(float) for k in fit.law.inputs}),
        bool(len(fit.draws)),
        fit.law.output.column,
    )


def _share(x: float) -> str:
    return "under 0.1 %" if x < 0.0005 else f"{100 * x:.1f} %"
