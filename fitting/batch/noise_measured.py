"""Noise scales out of noise and signal that a run measured from the gradients of single sequences, in the geometry of their columns.

A Euclidean noise scale describes SGD; what the update of another optimiser does with noise is in a geometry of its own (arXiv
2602.03001). Noise and signal are averaged over evaluations before they are divided.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from fitting.band import Band
from fitting.batch.noise_scale import fieller

if TYPE_CHECKING:
    import pandas as pd

#: What geometries are called, by their names in the columns of a log.
GEOMETRIES = {
    "euclidean": "Euclidean",
    "adam": "Adam update",
    "adafactor": "Adafactor update",
    "sign": "sign update",
    "spectral": "spectral update",
}
_MEASURED = re.compile(r"noise_([a-z]+)_se")


def measured_in(frame: pd.DataFrame) -> list[str]:
    """The geometries that the rows of a log have noise and signal in, each with its standard error."""
    named = [found[1] for column in frame.columns if (found := _MEASURED.fullmatch(str(column)))]
    return [name for name in named if {"loss", *_columns(name)} <= set(frame) and len(told(frame, name))]


def told(frame: pd.DataFrame, geometry: str) -> pd.DataFrame:
    """The rows that tell noise and signal in a geometry, and a loss."""
    return frame.dropna(subset=["loss", *_columns(geometry)])


def pooled(rows: pd.DataFrame, geometry: str, level: float) -> Band:
    """The noise scale, in sequences, of rows together; the errors of different evaluations are independent."""
    noise, noise_se, signal, signal_se = (rows[name].to_numpy(float) for name in _columns(geometry))
    spread = (float(noise_se @ noise_se) / len(rows) ** 2, 0.0, float(signal_se @ signal_se) / len(rows) ** 2)
    reach = float(special.ndtri(0.5 * (1.0 + level))) ** 2
    return fieller((float(np.mean(noise)), float(np.mean(signal))), spread, reach, level)


def _columns(geometry: str) -> list[str]:
    return [f"{what}_{geometry}{end}" for what in ("noise", "signal") for end in ("", "_se")]
