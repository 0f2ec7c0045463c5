"""The gradient noise scale beside the critical batch, both at the same losses, from the curves of one batch ladder.

The noise scale is what gradients say (McCandlish et al. 2018, arXiv 1812.06162), the critical batch what it took to come to a loss.
Norms that a run logs at an evaluation are means over the steps since the one before, so that they belong to a loss between the two.
Rows of all runs near a loss are put together: numerator and denominator are unbiased at any batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from data.alike import Alike
from data.schema import Runs
from fitting.arguments import a_level, any_number, as_numbers, in_short
from fitting.band import Band
from fitting.batch.along import along_loss
from fitting.batch.critical import critical_batch
from fitting.batch.noise_measured import GEOMETRIES, measured_in, pooled, told
from fitting.batch.noise_scale import LEAST_STEPS, noise_scale
from fitting.batch.rows import curve_rows
from fitting.batch.targets import Reached, lowest_by_batch, steps_to_target
from fitting.errors import FitError
from fitting.shown import shown

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray

NORMS = ("grad_sq_small", "grad_sq_big", "batch_small", "batch_big")
LOSSES, SPAN = (
    6,
    1.12,
)  # losses where nobody names any, and the highest of them over the lowest that all batches come to
MOST_HALF = 0.06  # in log loss: rows further from a loss say little of it
ORDER = 0.5  # in log10: batches nearer than this factor of 3.2 are of the same order
LEVEL = 0.9
RESAMPLES = 1000


@shown()
@dataclass(frozen=True, eq=False)
class NoiseByLoss(Alike):
    """At each of the m `losses`, from the highest: the noise scale from `rows` (m,) of the logs, and the critical batch.

    `noise` and `critical` are bands (m,) in tokens, with NaN where there are too few rows or runs to say; `along` is the critical batch
    where a law along the loss was fitted through all of them, None where it was not. An interval may have no upper end. `geometry` says
    in which the noise scale is: "Euclidean" for squared norms as they are, which describes SGD and no sign or spectral update.
    `measured` has, by geometry, the bands (m,) of what the runs measured from the gradients of single sequences, in tokens likewise.
    """

    losses: Array
    noise: Band
    rows: Array
    critical: Band
    along: Band | None
    seq_len: float
    geometry: str = "Euclidean"
    measured: Mapping[str, Band] = field(default_factory=dict)

    def to_frame(self) -> pd.DataFrame:
        """A row for each loss: loss, noise, noise_low, noise_high, critical, critical_low, critical_high, rows; batches in tokens."""
        import pandas as pd

        columns: dict[str, Any] = {"loss": self.losses}
        for name, band in (("noise", self.noise), ("critical", self.critical)):
            columns |= {name: band.value, f"{name}_low": band.low, f"{name}_high": band.high}
        return pd.DataFrame({**columns, "rows": self.rows})

    @property
    def sentence(self) -> str:
        """How the two compare where both are known."""
        said = self.compared(self.noise)
        if not said:
            return "Noise scale and critical batch are known together at none of these losses."
        return f"The gradient noise scale is {said}."

    def compared(self, scale: Band) -> str:
        """A noise scale at these losses beside the critical batch, as a clause: how many times, and whether of the same order. '' where
        they are known together at none."""
        value, ends = np.asarray(scale.value), np.asarray(self.critical.value)
        both = np.isfinite(value) & np.isfinite(ends) & (ends > 0) & (value > 0)
        if not both.any():
            return ""
        ratio = value[both] / ends[both]
        span = (
            f"{ratio.min():.2g}"
            if len(ratio) == 1 or ratio.max() < 1.05 * ratio.min()
            else f"{ratio.min():.2g} to {ratio.max():.2g}"
        )
        near = np.abs(np.log10(ratio)) <= ORDER
        order = (
            "of the same order"
            if near.all()
            else "not of the same order"
            if not near.any()
            else f"of the same order at {near.sum()} of them"
        )
        where = (
            f"the {both.sum()} losses where both are known" if both.sum() > 1 else "the one loss where both are known"
        )
        return f"{span} times the critical batch at {where}, {order}"


def noise_by_loss(runs: Runs, losses: Any = None, *, level: float = LEVEL, smooth: float = 0.0) -> NoiseByLoss:
    """Noise scale and critical batch of one model's batch ladder: runs with curves that log squared gradient norms (`NORMS`), or noise
    and signal measured from single sequences.

    `losses` are where to ask; without them six below one another are taken that all batches come down to. `smooth` as of
    `steps_to_target`. Raises FitError for runs without curves or norms, of several sizes, or without a sequence length.
    """
    level, smooth = a_level(level), any_number("smooth", smooth, "a weight from 0 to below 1")
    frame = curve_rows(runs.fitted)
    if frame is None:
        raise FitError(
            f"{runs.name} has no training curves with batch, steps and loss. Give runs with a row for each evaluation."
        )
    lacks, others = [name for name in NORMS if name not in frame], measured_in(frame)
    if lacks and not others:
        raise FitError(
            f"The noise scale needs logged squared gradient norms; there is no column {' and no '.join(lacks)}."
        )
    for name, what in (("params", "parameters"), ("seq_len", "tokens in a sequence")):
        values = frame[name].dropna().unique() if name in frame else []
        if len(values) != 1:
            listed = ", ".join(f"{v:g}" for v in sorted(values)[:5]) or "none that is known"
            raise FitError(
                f"A noise scale by loss is that of one model; these runs have {listed} {what}. Leave the others out."
            )
    seq_len = float(frame["seq_len"].dropna().iloc[0])
    asked = _losses(frame, losses)
    noise, rows = (
        _noise(frame, asked, seq_len, level) if not lacks else (_unknown(asked, level), np.zeros(len(asked), int))
    )
    reached, critical = _critical(frame, asked, smooth, level)
    try:
        along = along_loss(reached, resamples=RESAMPLES).at(asked, level)
    except FitError:
        along = None
    measured = {GEOMETRIES.get(name, name): _measured(frame, name, asked, seq_len, level) for name in others}
    return NoiseByLoss(asked, noise, rows, critical, along, seq_len, measured=measured)


def _losses(frame: pd.DataFrame, losses: Any) -> Array:
    """The losses to ask at, (m,) from the highest."""
    if losses is None:
        lowest = max(lowest_by_batch(frame).values())
        return np.geomspace(SPAN * lowest, 1.002 * lowest, LOSSES)
    found = as_numbers(losses)
    if found is None or not found.size or not np.all(np.isfinite(found) & (found > 0)):
        raise FitError(f"losses are positive numbers, such as [1.25, 1.2]; it was {in_short(losses)}.")
    return np.unique(found.ravel())[::-1]


def _noise(frame: pd.DataFrame, losses: Array, seq_len: float, level: float) -> tuple[Band, Array]:
    """The noise scale at each loss, in tokens, and how many rows of the logs it is from: those nearer to it than to another."""
    rows = frame.sort_values("step", kind="stable")
    before = rows.groupby("run", sort=False)["loss"].shift()
    rows = rows.assign(between=np.sqrt(rows["loss"] * before)).dropna(subset=[*NORMS, "between"])
    rows = rows.sort_values("between", ascending=False, kind="stable")
    highest, lowest = _ends(losses)
    bands, middle = np.full((3, len(losses)), np.nan), np.full(len(losses), np.nan)
    counts = np.zeros(len(losses), dtype=int)
    for k in range(len(losses)):
        own = rows[(rows["between"] <= highest[k]) & (rows["between"] > lowest[k])]
        counts[k] = len(own)
        if len(own) < LEAST_STEPS:
            continue
        try:
            band = noise_scale(*(own[name] for name in NORMS)).ratio(level)
        except FitError:
            continue
        bands[:, k] = seq_len * np.array([band.value, band.low, band.high], float)
        middle[k] = float(np.mean(np.log(own["between"])))
    bands = bands * np.exp(_slope(middle, bands[0]) * (np.log(losses) - middle))
    return Band(bands[0], bands[1], bands[2], level), counts


def _measured(frame: pd.DataFrame, geometry: str, losses: Array, seq_len: float, level: float) -> Band:
    """The noise scale that evaluations near each loss measured, in tokens."""
    rows = told(frame, geometry)
    highest, lowest = _ends(losses)
    bands, middle = np.full((3, len(losses)), np.nan), np.full(len(losses), np.nan)
    for k in range(len(losses)):
        own = rows[(rows["loss"] <= highest[k]) & (rows["loss"] > lowest[k])]
        if len(own):
            band = pooled(own, geometry, level)
            bands[:, k] = seq_len * np.array([band.value, band.low, band.high], float)
            middle[k] = float(np.mean(np.log(own["loss"])))
    bands = bands * np.exp(_slope(middle, bands[0]) * (np.log(losses) - middle))
    return Band(bands[0], bands[1], bands[2], level)


def _unknown(losses: Array, level: float) -> Band:
    nothing = np.full(len(losses), np.nan)
    return Band(nothing, nothing, nothing, level)


def _slope(log_loss: Array, noise: Array) -> float:
    """The power of the loss that the noise scale goes with, by which rows around a loss are carried to it; 0 where it is not told."""
    known = np.isfinite(log_loss) & np.isfinite(noise) & (noise > 0)
    if known.sum() < 2:
        return 0.0
    x, y = log_loss[known] - np.mean(log_loss[known]), np.log(noise[known])
    return float(x @ y / (x @ x))


def _ends(losses: Array) -> tuple[Array, Array]:
    """Where rows that belong to each loss begin and end, (m,) each: half way to its neighbours in the logarithm, and not far away."""
    log = np.log(losses)
    half = np.minimum(0.5 * -np.diff(log), MOST_HALF)
    above, below = (np.append(MOST_HALF, half), np.append(half, MOST_HALF)) if len(half) else (MOST_HALF, MOST_HALF)
    return np.exp(log + above), np.exp(log - below)


def _critical(frame: pd.DataFrame, losses: Array, smooth: float, level: float) -> tuple[list[Reached], Band]:
    """The steps to each loss that some runs come to, and the critical batch at each, in tokens."""
    reached: list[Reached] = []
    value, low, high = (np.full(len(losses), np.nan) for _ in range(3))
    for k, loss in enumerate(losses):
        try:
            steps = steps_to_target(frame, float(loss), smooth)
            reached.append(steps)
            found = critical_batch(steps.batch, steps.steps, doubt=steps.doubt, resamples=RESAMPLES)
        except FitError:
            continue
        band = found.band(lambda s, e: e / s, level)
        value[k], low[k], high[k] = (float(x) for x in (band.value, band.low, band.high))
    return reached, Band(value, low, high, level)
