"""The gradient noise scale of one run against its own loss, in every geometry that its log tells.

Two kinds of columns tell it: squared norms of the gradient over parts of a batch and over all of it, which are Euclidean and cost
nothing, and noise and signal measured from the gradients of single sequences, whose geometry is in the columns' names: the update of
an optimiser does not see noise as squared lengths do (arXiv 2602.03001).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.alike import Alike
from fitting.arguments import a_level
from fitting.band import LEVEL, Band
from fitting.batch.noise_by_loss import NORMS
from fitting.batch.noise_measured import GEOMETRIES, measured_in, pooled, told
from fitting.batch.noise_scale import LEAST_STEPS, noise_scale
from fitting.errors import FitError

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray

MOST = 6  # stretches of a run that are told apart
FROM_PARTS, FROM_SEQUENCES = "parts of batches", "single sequences"


@dataclass(frozen=True, eq=False)
class RunNoise(Alike):
    """The noise scale at m `losses` of a run in one `geometry`, from `of`: parts of batches, or gradients of single sequences.

    `scale` is a band (m,) in sequences, whose interval may have no upper end, from so many `rows` (m,) of the log.
    """

    geometry: str
    of: str
    losses: Array
    scale: Band
    rows: Array


def noise_of_run(curve: pd.DataFrame, *, level: float = LEVEL, most: int = MOST) -> tuple[RunNoise, ...]:
    """The noise scales of a run from the rows of its log, in order: `loss`, and the columns that tell noise. None where none do.

    Noise and signal are averaged over neighbouring evaluations before they are divided, in at most so many stretches.
    """
    level = a_level(level)
    found = [_from_parts(curve, level, most)]
    found += [_from_sequences(curve, geometry, level, most) for geometry in measured_in(curve)]
    return tuple(one for one in found if one is not None)


def _from_parts(curve: pd.DataFrame, level: float, most: int) -> RunNoise | None:
    """Of squared norms, which belong to the steps since the evaluation before."""
    if not {"loss", *NORMS} <= set(curve):
        return None
    rows = curve.assign(between=np.sqrt(curve["loss"] * curve["loss"].shift())).dropna(subset=[*NORMS, "between"])
    losses, bands, counts = [], [], []
    for own in _stretches(len(rows), min(most, len(rows) // LEAST_STEPS)):
        part = rows.iloc[own]
        try:
            bands.append(noise_scale(*(part[name] for name in NORMS)).ratio(level))
        except FitError:
            continue
        losses.append(float(np.exp(np.log(part["between"]).mean())))
        counts.append(len(part))
    return _made("euclidean", FROM_PARTS, losses, bands, counts, level)


def _from_sequences(curve: pd.DataFrame, geometry: str, level: float, most: int) -> RunNoise | None:
    """Of noise and signal at evaluations, each with its own standard error."""
    rows = told(curve, geometry)
    parts = [rows.iloc[own] for own in _stretches(len(rows), min(most, len(rows)))]
    losses = [float(np.exp(np.log(part["loss"]).mean())) for part in parts]
    bands = [pooled(part, geometry, level) for part in parts]
    return _made(geometry, FROM_SEQUENCES, losses, bands, [len(part) for part in parts], level)


def _stretches(rows: int, count: int) -> list[Array]:
    """The places of so many rows in neighbouring stretches of nearly one length; none where there are too few."""
    return np.array_split(np.arange(rows), count) if count > 0 else []


def _made(
    geometry: str, of: str, losses: list[float], bands: list[Band], counts: list[int], level: float
) -> RunNoise | None:
    if not bands:
        return None
    value, low, high = (np.array([float(getattr(b, end)) for b in bands]) for end in ("value", "low", "high"))
    scale = Band(value, low, high, level)
    return RunNoise(GEOMETRIES.get(geometry, geometry), of, np.array(losses), scale, np.array(counts, dtype=int))
