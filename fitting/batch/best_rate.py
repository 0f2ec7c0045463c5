"""The best learning rate of each ladder in a table: runs that are alike in all but rate and seed, at any size and length.

`rate_by_width` asks of three ladders how the best rate moves with the width; this says the best rate of each one there is, two or one
of them, too. The parabolas and their intervals are those of `rate_by_width`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from data.alike import Alike
from fitting.arguments import MOST_RESAMPLES, MOST_SEED, a_count, rows_of
from fitting.band import LEVEL, Band, from_draws
from fitting.batch.rate_by_width import CALLED, LEAST_RATES, SAME, SAME_AT_ONE, ladder_of, optimum, tried_of, usable
from fitting.batch.rate_parabola import WINDOWS, Tried
from fitting.batch.rows import finals_given

if TYPE_CHECKING:
    import pandas as pd

#: Columns that tell ladders apart: whatever else is said of a run follows from them, or is measured.
APART = ("parametrisation", "width", "params", *SAME, *SAME_AT_ONE)
NEEDED = ("lr", "loss")
_UNIT = {"tokens": " tokens", "params": " parameters", "layers": " layers"}


@dataclass(frozen=True, eq=False)
class BestRate(Alike):
    """The best learning rate of one ladder: `rate` with its interval, 0 or infinity where the rates `tried` leave an end open.

    `settings` are those in which ladders of the table differ, by their columns.
    """

    settings: dict[str, Any]
    rate: Band
    tried: Tried

    @property
    def called(self) -> str:
        """The settings in words; 'all runs' for the only ladder of a table."""
        return ", ".join(_said(name, value) for name, value in self.settings.items()) or "all runs"

    @property
    def sentence(self) -> str:
        """The best rate of the ladder, and whether it may lie beyond the rates tried."""
        low, value, high = (float(x) for x in (self.rate.low, self.rate.value, self.rate.high))
        said = (
            f"{self.called}: best learning rate {value:.3g} ({low:.3g} to {high:.3g}), of {len(self.tried.rates)} tried"
        )
        beyond = f"; it may lie beyond them, {self.tried.rates[0]:.3g} to {self.tried.rates[-1]:.3g}"
        return said + (beyond if low == 0.0 or high == np.inf else "") + "."


def best_rates(runs: Any, *, resamples: int = 2000, seed: int = 0) -> tuple[BestRate, ...]:
    """The best learning rate of each ladder in `runs` (a path, `Runs` or a frame) that has four rates or more; none where none has.

    Columns are lr and loss (final, in any unit). Runs are of one ladder where they agree in every column of `APART` that there is.
    """
    resamples, seed = a_count("resamples", resamples, MOST_RESAMPLES), a_count("seed", seed, MOST_SEED)
    frame = finals_given(runs)
    if not set(NEEDED) <= set(frame):
        return ()
    frame = usable(rows_of(frame, NEEDED, "Runs"), NEEDED)
    columns = [c for c in APART if c in frame and frame[c].nunique(dropna=False) > 1]
    parts = [((), frame)] if not columns else list(frame.groupby(_rounded(frame, columns), sort=True, dropna=False))
    ladders = [(rows, ladder_of(rows)) for _, rows in parts if rows["lr"].nunique() >= LEAST_RATES]
    shown = [c for c in columns if len({str(rows[c].iloc[0]) for rows, _ in ladders}) > 1]
    if "width" in shown:  # a person chose it, and the count follows
        shown = [c for c in shown if c not in ("params", "heads", "ffn")]
    rng = np.random.default_rng(seed)
    found = []
    for rows, one in ladders:
        best, draws, (below, above) = optimum(*one, rng, rng.choice(WINDOWS, resamples))
        band = from_draws(np.asarray(best), draws, LEVEL)
        ends = 0.0 if below else float(band.low), np.inf if above else float(band.high)
        said = {c: _plain(rows[c].iloc[0]) for c in shown}
        found.append(BestRate(said, Band(best, *ends, LEVEL), tried_of(one)))
    return tuple(found)


def _rounded(frame: pd.DataFrame, columns: list[str]) -> list[Any]:
    """The columns by which ladders are told apart, tokens but for the rounding of whole steps."""
    return [frame[c].map(lambda x: float(f"{x:.2g}")) if c == "tokens" else frame[c] for c in columns]


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _said(name: str, value: Any) -> str:
    if name == "parametrisation":
        return CALLED.get(str(value), str(value))
    shown = f"{value:.4g}" if isinstance(value, float) else str(value)
    return shown + _UNIT[name] if name in _UNIT else f"{name.replace('_', ' ')} {shown}"
