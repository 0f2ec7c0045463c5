"""The gradient noise scale beside the critical batch of the same ladder, where the logs of its runs carry noise."""

from __future__ import annotations

import numpy as np
import streamlit as st

from dashboard import state, widgets
from dashboard.batch import settings as batch_settings
from dashboard.batch import state as batch_state
from dashboard.batch.readings import Sweep
from dashboard.charts import batch_noise
from dashboard.widgets import PLOT
from data.schema import Runs
from fitting import FitError
from fitting.band import Band
from fitting.batch.noise_by_loss import NORMS, NoiseByLoss, noise_by_loss
from fitting.batch.noise_measured import measured_in

LEAST = 3  # losses of one's own from which they are taken, and not those that are read off the curves


def held() -> bool:
    """Whether the data chosen are curves of a ladder whose logs carry noise."""
    runs = state.reading().runs
    if runs is None or runs.history is None or not batch_state.has_curves():
        return False
    return set(NORMS) <= set(runs.history) or bool(measured_in(runs.history))


def found() -> NoiseByLoss | FitError | None:
    """Both at the same losses, or why they cannot be told; None for data that carry no noise."""
    runs = state.reading().runs
    if runs is None or not held():
        return None
    asked = batch_settings.settings()
    return _found(runs.curves_digest, asked.targets if len(asked.targets) >= LEAST else None, asked.smooth, runs)


@st.cache_resource(max_entries=8, show_spinner="Reading noise scales and critical batches off the logs")
def _found(digest: str, losses: tuple[float, ...] | None, smooth: float, _runs: Runs) -> NoiseByLoss | FitError:
    try:
        return noise_by_loss(_runs, losses, level=0.95, smooth=smooth)
    except FitError as error:
        return error


def panel(sweep: Sweep | None) -> None:
    """The picture, with a sentence for each geometry that says how the noise scale compares."""
    both = found()
    if both is None:
        return
    widgets.section("Noise scale and critical batch", "at the same losses, from the same runs")
    if isinstance(both, FitError):
        widgets.quiet(str(both))
        return
    unit = sweep.unit if sweep is not None else batch_state.unit()
    bands = {name: _in(band, both.seq_len, unit) for name, band in named(both).items()}
    if bands:
        st.plotly_chart(
            batch_noise.figure(both.losses, bands, unit), config=PLOT, key="noise_beside", alt=sentences(both)[0]
        )
    widgets.quiet(*sentences(both))


def named(both: NoiseByLoss) -> dict[str, Band]:
    """What is known at one loss or more, in tokens, the critical batch first."""
    measured = {f"noise scale, {name}, from single sequences": band for name, band in both.measured.items()}
    every = {
        "critical batch, from steps to the loss": both.critical,
        f"noise scale, {both.geometry}, from parts of batches": both.noise,
        **measured,
    }
    return {name: band for name, band in every.items() if np.any(np.asarray(band.high) > 0)}


def sentences(both: NoiseByLoss) -> list[str]:
    """How each noise scale compares with the critical batch."""
    from_parts = (f"{both.geometry}, from parts of batches", both.noise)
    others = ((f"{name}, from single sequences", band) for name, band in both.measured.items())
    told = [f"Noise scale ({how}): {said}." for how, band in (from_parts, *others) if (said := both.compared(band))]
    return told or [
        "Noise scale and critical batch are known together at none of these losses: more evaluations or runs tell them."
    ]


def _in(band: Band, seq_len: float, unit: str) -> Band:
    length = seq_len if unit == "sequences" else 1.0
    return Band(band.value / length, band.low / length, band.high / length, band.level)
